"""Whole runs: views on their own, the report, progress, metrics, locks, signals and secrets."""
import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest
from feast_protos import intervals
from outcomes import FIRST, ROW_COUNT, WINDOW, assert_adds_up, one_error_line
from repository import BINARY
from stores import RedisServer, dump_redis, dump_sqlite

BASIC_WINDOW = ("2024-03-01T00:00:00", "2024-03-11T00:00:00")
BASIC_VIEWS = {"driver_stats", "customer_profile", "driver_customer", "global_stats", "with_ttl", "mapped", "no_created"}


@pytest.fixture
def slow_redis(tmp_path):
    """A Redis of this test alone, which may be stopped in the middle of writing."""
    server = RedisServer(tmp_path)
    yield server
    server.stop()


def start_and_block(repository, server, *arguments):
    return server.block(repository, "materialize", *WINDOW, "-v", "inc_plain", *arguments)


def end_of(process, timeout_s=60):
    stdout, stderr = process.communicate(timeout=timeout_s)
    return process.returncode, stdout, stderr


# --- views, each on its own -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_a_failing_view_does_not_stop_the_others(store, make_repository):
    repository = make_repository("basic", store)
    (repository.path / "data/customer_profile.parquet").write_bytes(b"no Parquet")
    outcome = repository.banquet("materialize", *BASIC_WINDOW, "--json")
    assert outcome.exit_code == 3, outcome
    one_error_line(outcome, "customer_profile")
    report = outcome.json
    assert report["status"] == "ERROR" and "customer_profile" in report["error"]
    status = {view["name"]: view["status"] for view in report["views"]}
    assert status == {view: "ERROR" if view == "customer_profile" else "SUCCEEDED" for view in BASIC_VIEWS}
    recorded = {view for view, found in intervals(repository.registry).items() if found}
    assert recorded == BASIC_VIEWS - {"customer_profile"}
    assert_adds_up(report)


# --- the report -----------------------------------------------------------------------------------------------------


def test_json_report_has_every_field_and_adds_up(make_repository):
    repository = make_repository("basic")
    outcome = repository.banquet("--json", "materialize", *BASIC_WINDOW)
    assert outcome.exit_code == 0, outcome
    assert len(outcome.stdout.splitlines()) == 1
    report = outcome.json
    assert set(report) == {"job_id", "status", "error", "warnings", "seconds", "peak_memory_bytes", "views"}
    assert (report["status"], report["error"]) == ("SUCCEEDED", None)
    assert report["seconds"] > 0 and report["peak_memory_bytes"] > 10**6 and report["job_id"]
    assert {view["name"] for view in report["views"]} == BASIC_VIEWS
    for view in report["views"]:
        assert set(view) == {"name", "status", "error", "exit_code", "url", "window", "rows", "stores", "bytes_read", "seconds"}
        assert view["url"] is None  # Of an engine on this machine.
        assert view["window"] == {"start": "2024-03-01T00:00:00Z", "end": "2024-03-11T00:00:00Z"}
        assert set(view["rows"]) == {"read", "pruned", "skipped", "outside_window", "null_key", "null_time", "duplicates",
                                     "full_ties", "quarantined", "winners"}
        store, = view["stores"]
        assert set(store) == {"name", "type", "status", "error", "written", "stale", "unchanged", "undecided", "bytes"}
        assert (store["type"], store["status"]) == ("sqlite", "SUCCEEDED")
        assert store["written"] == view["rows"]["winners"] > 0 and store["bytes"] > 0 and view["bytes_read"] > 0
    driver = next(view for view in report["views"] if view["name"] == "driver_stats")
    assert driver["rows"]["full_ties"] == 2  # driver 9008: three rows tie on both times
    assert_adds_up(report)
    keys = {row["entity_key"] for row in dump_sqlite(repository)["golden_basic_driver_stats"]}
    assert driver["rows"]["winners"] == len(keys)


def test_json_report_of_a_failed_run_is_the_same_object(repository):
    (repository.path / "data/inc.parquet").write_bytes(b"no Parquet")
    outcome = repository.banquet("materialize", *WINDOW, "--json")
    assert outcome.exit_code == 3, outcome
    report = outcome.json
    assert report["status"] == "ERROR" and report["error"]
    assert [view["status"] for view in report["views"]] == ["ERROR"] * 3


def test_json_of_a_user_error_has_status_and_error(repository):
    outcome = repository.banquet("materialize", *WINDOW, "-v", "nobody", "--json")
    assert outcome.exit_code == 2, outcome
    assert outcome.json["status"] == "ERROR" and "nobody" in outcome.json["error"]


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_a_second_run_of_an_older_window_writes_nothing(store, make_repository):
    repository = make_repository(store=store)
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    outcome = repository.banquet("materialize", "2024-01-01", "2024-01-06", "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    store_report, = outcome.json["views"][0]["stores"]
    assert (store_report["written"], store_report["stale"]) == (0, 4)
    assert_adds_up(outcome.json)


def test_table_of_the_report_names_each_view_and_goes_to_stdout(repository):
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == 0, outcome
    for view in ("inc_plain", "inc_ttl", "inc_new"):
        assert re.search(rf"^{view} +SUCCEEDED +{ROW_COUNT} ", outcome.stdout, re.MULTILINE), outcome
    assert "SUCCEEDED in" in outcome.stdout


def test_quiet_says_nothing(repository):
    outcome = repository.banquet("materialize", *WINDOW, "--quiet")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", "")


def test_metrics_file(repository):
    outcome = repository.banquet("materialize", *WINDOW, "--metrics-file", "metrics.prom", "--json")
    assert outcome.exit_code == 0, outcome
    text = (repository.path / "metrics.prom").read_text()
    samples, typed = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            typed.add(line.split()[2])
        elif not line.startswith("#"):
            name, labels, number = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line).groups()
            assert name in typed, line
            samples[name, labels] = float(number)
    view = next(v for v in outcome.json["views"] if v["name"] == "inc_ttl")
    for fate in ("outside_window", "null_key", "null_time", "duplicates", "quarantined", "winners"):
        assert samples["banquet_rows", f'view="inc_ttl",fate="{fate}"'] == view["rows"][fate]
    assert samples["banquet_view_success", 'view="inc_ttl"'] == 1
    assert samples["banquet_view_fresh_until_timestamp_seconds", 'view="inc_ttl"'] == 1706659200
    assert samples["banquet_run_seconds", None] > 0


def test_metrics_of_a_failed_view_say_so(repository):
    (repository.path / "data/inc.parquet").unlink()
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--metrics-file", "metrics.prom")
    assert outcome.exit_code != 0, outcome
    text = (repository.path / "metrics.prom").read_text()
    assert 'banquet_view_success{view="inc_plain"} 0' in text and "fresh_until_timestamp_seconds{" not in text


# --- progress -------------------------------------------------------------------------------------------------------


def test_progress_is_plain_lines_where_there_is_no_terminal(repository):
    outcome = repository.banquet("materialize", *WINDOW)
    assert "\r" not in outcome.stderr and "\x1b" not in outcome.stderr
    for view in ("inc_plain", "inc_ttl", "inc_new"):
        assert re.search(rf"^{view}: .*{ROW_COUNT} read", outcome.stderr, re.MULTILINE), outcome


def test_progress_none(repository):
    outcome = repository.banquet("materialize", *WINDOW, "--progress", "none")
    assert (outcome.exit_code, outcome.stderr) == (0, "")


def test_progress_json_is_json_lines(repository):
    outcome = repository.banquet("materialize", *WINDOW, "--progress", "json", "--json")
    assert outcome.exit_code == 0, outcome
    lines = [json.loads(line) for line in outcome.stderr.splitlines() if line.startswith("{")]
    assert lines and {view["name"] for view in lines[-1]["views"]} == {"inc_plain", "inc_ttl", "inc_new"}, outcome


def test_progress_bar_on_a_terminal(repository):
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, "materialize", *WINDOW], cwd=repository.path, stdout=subprocess.DEVNULL,
                               stderr=theirs, env=repository.process_environment())
    os.close(theirs)
    seen = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        seen += data
    os.close(ours)
    assert process.wait(60) == 0
    assert b"\x1b[" in seen and b"inc_plain" in seen, seen


# --- locks ----------------------------------------------------------------------------------------------------------


def test_a_second_run_of_a_held_view_exits_75_and_names_the_holder(make_repository, slow_redis):
    repository = make_repository(store="redis", server=slow_redis)
    first = start_and_block(repository, slow_redis)
    before = repository.registry.read_bytes()
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 75, outcome
    one_error_line(outcome, "inc_plain", str(first.pid))
    assert repository.registry.read_bytes() == before
    slow_redis.client.client_unpause()
    assert end_of(first)[0] == 0
    assert len(intervals(repository.registry)["inc_plain"]) == 1


def test_a_second_run_waits_where_asked(make_repository, slow_redis):
    repository = make_repository(store="redis", server=slow_redis)
    first = start_and_block(repository, slow_redis)
    second = repository.start("materialize", *WINDOW, "-v", "inc_plain", "--wait", "60")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    slow_redis.client.client_unpause()
    assert end_of(first)[0] == 0
    code, stdout, stderr = end_of(second)
    assert code == 0, stderr
    assert stderr.count("waiting for it for up to 60 s") == 1 and f"pid {first.pid} " in stderr, stderr
    assert len(intervals(repository.registry)["inc_plain"]) == 2


def test_an_incremental_run_that_waited_begins_where_the_other_ended(make_repository, slow_redis):
    repository = make_repository(store="redis", server=slow_redis)
    assert repository.banquet("materialize", *FIRST, "-v", "inc_plain").exit_code == 0  # Else 52 weeks ago begins it.
    first = start_and_block(repository, slow_redis)
    second = repository.start("materialize-incremental", "2024-02-15", "-v", "inc_plain", "--wait", "60", "--json")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    slow_redis.client.client_unpause()
    assert end_of(first)[0] == 0
    code, stdout, stderr = end_of(second)
    assert code == 0, stderr
    report = json.loads(stdout)
    assert report["views"][0]["window"] == {"start": "2024-01-31T00:00:00Z", "end": "2024-02-15T00:00:00Z"}
    assert any("waiting for it for up to 60 s" in warning for warning in report["warnings"]), report["warnings"]
    assert len(intervals(repository.registry)["inc_plain"]) == 3


def test_a_killed_run_holds_no_lock(make_repository, slow_redis):
    repository = make_repository(store="redis", server=slow_redis)
    first = start_and_block(repository, slow_redis)
    first.kill()
    end_of(first)
    assert intervals(repository.registry)["inc_plain"] == []
    slow_redis.client.client_unpause()
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome


def test_runs_at_the_same_time_lose_no_interval(make_repository):
    repository = make_repository()
    runs = [repository.start("materialize", *WINDOW, "-v", view) for view in ("inc_plain", "inc_ttl", "inc_new")]
    for run in runs:
        code, _, stderr = end_of(run)
        assert code == 0, stderr
    assert all(len(found) == 1 for found in intervals(repository.registry).values())


# --- a store in trouble ---------------------------------------------------------------------------------------------


def test_a_server_that_dies_costs_the_retry_timeout_and_is_named_in_the_report(make_repository, slow_redis):
    repository = make_repository(store="redis", server=slow_redis)
    process = start_and_block(repository, slow_redis, "--json", "--retry-timeout", "3")
    started = time.monotonic()
    slow_redis.stop()
    code, stdout, stderr = end_of(process)
    seconds = time.monotonic() - started
    assert code == 4, stderr
    assert 2.5 < seconds < 6, f"{seconds:.1f} s"
    report = json.loads(stdout)
    store, = report["views"][0]["stores"]
    assert store["error"] == report["views"][0]["error"] and "gave up" in store["error"], report
    told = [line for line in stderr.splitlines() if " warning " in line]
    assert told and [line.split(" warning ", 1)[1] for line in told] == report["warnings"], (stderr, report["warnings"])


def test_progress_tells_that_the_store_keeps_us_waiting(make_repository, slow_redis):
    repository = make_repository(store="redis", server=slow_redis)
    process = start_and_block(repository, slow_redis, "--progress", "plain")
    line = ""
    while "waiting for the store for" not in line:
        line = process.stderr.readline()
        assert line, "the run ended"
    slow_redis.client.client_unpause()
    assert end_of(process)[0] == 0


# --- signals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_within_two_seconds_and_records_nothing(number, exit_code, make_repository, slow_redis):
    repository = make_repository(store="redis", server=slow_redis)
    before = repository.registry.read_bytes()
    process = start_and_block(repository, slow_redis, "--json")
    started = time.monotonic()
    process.send_signal(number)
    code, stdout, stderr = end_of(process)
    seconds = time.monotonic() - started
    assert code == exit_code, stderr
    assert seconds < 2.5, f"{seconds:.1f} s"
    report = json.loads(stdout)
    assert report["status"] != "SUCCEEDED" and report["views"][0]["status"] != "SUCCEEDED"
    assert repository.registry.read_bytes() == before
    slow_redis.client.client_unpause()
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome


# --- secrets --------------------------------------------------------------------------------------------------------

CANARY = "s3cr3t-canary"


def test_a_password_never_appears(make_repository, redis_address, tmp_path):
    (tmp_path / "redis").mkdir()
    server = RedisServer(tmp_path / "redis", "--requirepass", CANARY)
    try:
        repository = make_repository(store="redis", server=server)
        redis_address(repository, f"{server.address},password={CANARY}")
        commands = [("materialize", *WINDOW, "--log-level", "debug"), ("materialize", *WINDOW, "--json"),
                    ("materialize", *WINDOW, "--metrics-file", "metrics.prom"), ("plan", *WINDOW), ("stores",),
                    ("plan", *WINDOW, "--json"), ("feature-views", "list", "--json"), ("data-sources", "list"),
                    ("get-online-features", "--features", "inc_plain:x", "--entity", "id=1", "--log-level", "debug")]
        outcomes = [repository.banquet(*command) for command in commands]
        assert [outcome.exit_code for outcome in outcomes] == [0] * len(commands), outcomes
        redis_address(repository, f"{server.address},password={CANARY}-wrong")
        outcomes.append(repository.banquet("materialize", *WINDOW, "--log-level", "debug", "--retry-timeout", "1s"))
        redis_address(repository, f"localhost:1,password={CANARY}")
        outcomes.append(repository.banquet("materialize", *WINDOW, "--log-level", "debug", "--retry-timeout", "1s"))
        assert all(outcome.exit_code != 0 for outcome in outcomes[len(commands):]), outcomes
        # A setting of Feast's client that Banquet has no use for is named in the log, without its value.
        redis_address(repository, f"{server.address},password={CANARY},no_such_setting={CANARY}")
        outcomes.append(repository.banquet("materialize", *WINDOW, "--log-level", "debug"))
        assert "no_such_setting" in outcomes[-1].stderr, outcomes[-1]
    finally:
        server.stop()
    for outcome in outcomes:
        assert CANARY not in outcome.stdout + outcome.stderr, outcome
    for path in repository.path.rglob("*"):
        if path.is_file() and path.name != "feature_store.yaml":
            assert CANARY.encode() not in path.read_bytes(), path


def test_a_password_in_a_yaml_that_does_not_parse_never_appears(make_repository, redis_address):
    repository = make_repository(store="redis")
    for text in (f"localhost:1,password={CANARY}\n    conection: x", f"[localhost:1,password={CANARY}"):
        redis_address(repository, text)
        outcome = repository.banquet("materialize", *WINDOW)
        assert outcome.exit_code == 2, outcome
        assert CANARY not in outcome.stdout + outcome.stderr, outcome


# --- looking --------------------------------------------------------------------------------------------------------


def test_plan_writes_nothing_and_names_files_and_columns(repository):
    before = repository.registry.read_bytes()
    outcome = repository.banquet("plan", *WINDOW, "--json")
    assert outcome.exit_code == 0, outcome
    views = {view["name"]: view for view in outcome.json["views"]}
    assert set(views) == {"inc_plain", "inc_ttl", "inc_new"}
    for view in views.values():
        file, = view["files"]
        assert file["path"].endswith("data/inc.parquet")
        assert (file["rows"], file["row_groups"], file["row_groups_pruned"]) == (ROW_COUNT, 1, 0)
        assert view["plan"] and view["pushed_down"]
    assert repository.registry.read_bytes() == before and not repository.online_db.exists()


def test_an_estimate_counts_what_a_run_then_writes(repository):
    before = repository.registry.read_bytes()
    plan = repository.banquet("plan", *WINDOW, "--estimate", "--json")
    assert plan.exit_code == 0, plan
    assert repository.registry.read_bytes() == before and not repository.online_db.exists()
    run = repository.banquet("materialize", *WINDOW, "--json")
    for planned, done in zip(plan.json["views"], run.json["views"], strict=True):
        store, = planned["stores"]
        assert store["name"] == "sqlite" and store["bytes"] > 0 and store["write_units"] is None
        assert store["entities"] == done["rows"]["winners"] > 0
    text = repository.banquet("plan", *WINDOW, "--estimate").stdout
    assert re.search(r"  to sqlite: \d+ entities, [\d,]+ bytes of keys and values\n", text), text


def test_an_estimate_of_damaged_data_is_an_error(repository):
    (repository.path / "data/inc.parquet").write_bytes(b"PAR1 no parquet PAR1")
    outcome = repository.banquet("plan", *WINDOW, "--estimate")
    assert outcome.exit_code == 3, outcome


def test_row_groups_outside_the_window_are_not_read(repository):
    import pyarrow.parquet as pq
    path = repository.path / "data/inc.parquet"
    table = pq.read_table(path).sort_by("event_timestamp")
    pq.write_table(table, path, row_group_size=4)
    arguments = ("2024-01-01T00:00:00", "2024-01-02T00:00:00", "-v", "inc_plain")
    plan = repository.banquet("plan", *arguments, "--json").json["views"][0]
    assert plan["files"][0]["row_groups"] == 7 and plan["files"][0]["row_groups_pruned"] == 6
    outcome = repository.banquet("materialize", *arguments, "--json")
    rows = outcome.json["views"][0]["rows"]
    assert (rows["read"], rows["pruned"], rows["winners"]) == (4, ROW_COUNT - 4, 4)


def test_a_directory_of_files_is_one_source(repository):
    import pyarrow.parquet as pq
    path = repository.path / "data/inc.parquet"
    table = pq.read_table(path)
    path.unlink()
    path.mkdir()
    pq.write_table(table.slice(0, 10), path / "part-0.parquet")
    pq.write_table(table.slice(10), path / "part-1.parquet")
    (path / "_SUCCESS").write_bytes(b"")
    (path / ".part-0.parquet.crc").write_bytes(b"crc")
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    assert outcome.json["views"][0]["rows"]["read"] == ROW_COUNT


def test_registry_lists(make_repository):
    repository = make_repository("basic")
    listed = repository.banquet("feature-views", "list", "--json").json
    assert {view["name"] for view in listed} == BASIC_VIEWS | {"offline_only"}
    described = repository.banquet("feature-views", "describe", "driver_stats")
    assert described.exit_code == 0 and "conv_rate" in described.stdout, described
    entities = repository.banquet("entities", "list")
    assert entities.exit_code == 0 and "customer_entity" in entities.stdout, entities
    sources = repository.banquet("data-sources", "list")
    assert sources.exit_code == 0 and "data/with_ttl.parquet" in sources.stdout, sources


def test_stores_lists_every_option(repository):
    outcome = repository.banquet("stores", "--json")
    assert outcome.exit_code == 0, outcome
    stores = {store["type"]: {o["name"] for o in store["options"]} for store in outcome.json}
    assert "path" in stores["sqlite"]
    assert {"connection_string", "key_ttl_seconds", "skip_dedup", "redis_type"} <= stores["redis"]


def test_options_before_and_after_the_command(repository):
    first = repository.banquet("--quiet", "-c", str(repository.path), "materialize", *WINDOW, "-v", "inc_plain")
    second = repository.banquet("materialize", *WINDOW, "-v", "inc_ttl", "-f", "feature_store.yaml", "--quiet")
    assert (first.exit_code, second.exit_code) == (0, 0), (first, second)
    recorded = intervals(repository.registry)
    assert (len(recorded["inc_plain"]), len(recorded["inc_ttl"])) == (1, 1)


# --- redis ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_a_store_is_given_no_more_than_the_rate_says(store, make_repository):
    repository = make_repository(store=store)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json", "--write-rate-max=5")
    assert outcome.exit_code == 0, outcome
    # Six keys at five a second: the last waits for a second.
    assert outcome.json["views"][0]["stores"][0]["written"] == 6
    assert 1.0 <= outcome.json["seconds"] < 5


def test_key_ttl_is_set_on_redis(make_repository, redis_clean):
    repository = make_repository(store="redis")
    path = repository.path / "feature_store.yaml"
    path.write_text(path.read_text().replace("    connection_string", "    key_ttl_seconds: 1000\n    connection_string"))
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    keys = dump_redis(redis_clean.client, "golden_inc")
    assert len(keys) == 6 and all(900 < key["ttl"] <= 1000 for key in keys.values()), keys


def test_skip_dedup_lets_older_rows_win_on_redis(make_repository, redis_clean):
    repository = make_repository(store="redis")
    path = repository.path / "feature_store.yaml"
    path.write_text(path.read_text().replace("    connection_string", "    skip_dedup: true\n    connection_string"))
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    newest = dump_redis(redis_clean.client, "golden_inc")
    outcome = repository.banquet("materialize", "2024-01-01", "2024-01-06", "-v", "inc_plain", "--json")
    assert outcome.json["views"][0]["stores"][0]["written"] == 4, outcome
    assert dump_redis(redis_clean.client, "golden_inc") != newest
