"""The command line as people mistype it, and what a run leaves for machines even where it never began."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from feast_protos import intervals
from outcomes import FIRST, WINDOW, one_error_line
from repository import BINARY

USER, REMOTE = 2, 4
LOOKUP = ("get-online-features", "--features", "inc_plain:x")


# --- usage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize(("arguments", "words"), [
    ((), ("a command is missing", "materialize", "banquet --help")),
    (("materialise", *FIRST), ("'materialise'", "'materialize'")),
    (("dance",), ("'dance'", "The commands are", "get-online-features")),
    (("feature-views", "lst"), ("feature-views: ", "'lst'", "'list'")),
    (("feature-views", "describe", "inc_plane"), ("inc_plane", "'inc_plain'")),
    (("feature-views",), ("feature-views: ", "list, describe")),
    (("materialize", *FIRST, "--viws", "inc_plain"), ("materialize: ", "'--viws'", "'--views'")),
    (("materialize", *FIRST, "--overwrit=feast"), ("'--overwrit'", "'--overwrite'")),
    (("materialize", *FIRST, "inc_plain"), ("materialize: ", "'inc_plain'", "materialize --help")),
    (("materialize", FIRST[0]), ("END_TS",)),
    (("materialize-incremental",), ("materialize-incremental: ", "END_TS")),
    (("plan", FIRST[0]), ("plan: ", "END_TS")),
    (("materialize", *FIRST, "--views"), ("materialize: ", "--views")),
    (("materialize", *FIRST, "--progress", "plan"), ("--progress", "'plan'", "'plain'")),
    (("materialize", *FIRST, "--log-level", "wraning"), ("--log-level", "'wraning'", "'warning'")),
    (("materialize", *FIRST, "--threads", "many"), ("--threads", "many")),
    (("materialize", "the day before", FIRST[1]), ("the day before",))])
def test_a_usage_error_is_one_line_that_names_command_and_nearest_word(arguments, words, json, repository):
    outcome = repository.banquet(*(("--json",) if json else ()), *arguments)
    assert outcome.exit_code == USER, outcome
    line = one_error_line(outcome, *words)
    assert not repository.online_db.exists()
    if json:
        assert outcome.json["status"] == "ERROR" and outcome.json["error"] == line.removeprefix("banquet: "), outcome
    else:
        assert outcome.stdout == "", outcome


def test_help_has_an_example(repository):
    for command in ("materialize", "materialize-incremental", "plan", "get-online-features"):
        outcome = repository.banquet(command, "--help")
        assert outcome.exit_code == 0 and f"banquet {command} " in outcome.stdout and "Example" in outcome.stdout, outcome


def test_output_that_cannot_be_written_is_an_error(repository):
    with open("/dev/full", "w") as full:
        process = subprocess.run([BINARY, "feature-views", "list"], cwd=repository.path, stdout=full,
                                 stderr=subprocess.PIPE, text=True, env=repository.process_environment())
    assert process.returncode == REMOTE and "standard output" in process.stderr, process


@pytest.mark.parametrize("command", [["options"], ["--help"], ["materialize", "--help"]])  # More than a buffer, and less.
def test_a_reader_that_has_seen_enough_is_no_error(repository, command):
    ours, theirs = os.pipe()
    os.close(ours)
    process = subprocess.run([BINARY, *command], cwd=repository.path, stdout=theirs, stderr=subprocess.PIPE, text=True,
                             env=repository.process_environment())
    os.close(theirs)
    assert (process.returncode, process.stderr) == (0, ""), process


# --- options of views -----------------------------------------------------------------------------------------------


def test_options_of_a_view_that_does_not_exist_are_an_error(repository):
    repository.append_configuration("banquet: {views: {inc_plane: {overwrite: always}}}\n")
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "feature_store.yaml:", "banquet.views.inc_plane", "'inc_plain'")


def test_the_command_line_wins_over_the_options_of_a_view(repository):
    repository.append_configuration("banquet: {views: {inc_plain: {overwrite: newest}}}\n")
    older = ("materialize", "2024-01-01", "2024-01-06", "-v", "inc_plain", "--json")
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    assert repository.banquet(*older).json["views"][0]["stores"][0]["written"] == 0
    assert repository.banquet(*older, "--overwrite", "always").json["views"][0]["stores"][0]["written"] == 4


def test_an_unset_variable_in_a_path_is_named(repository):
    path = repository.path / "feature_store.yaml"
    path.write_text(path.read_text().replace("data/online.db", "${NO_SUCH_FOLDER}/online.db"))
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "feature_store.yaml:", "online_store.path", "NO_SUCH_FOLDER")
    assert not list(repository.path.glob("$*"))


def test_an_error_names_its_view_once_and_the_type_by_its_values(repository):
    import pyarrow
    from pyarrow import parquet
    path = repository.path / "data/inc.parquet"
    table = parquet.read_table(path)
    feature = next(name for name in table.column_names if pyarrow.types.is_floating(table.schema.field(name).type))
    words = pyarrow.array(["word"] * table.num_rows).dictionary_encode()
    parquet.write_table(table.set_column(table.column_names.index(feature), feature, words), path)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert outcome.exit_code == 3, outcome
    line = next(line for line in outcome.stderr.splitlines() if line.startswith("banquet: inc_plain: "))
    assert line.count("inc_plain") == 1 and f"column {feature} (string to " in line, outcome
    assert outcome.json["error"] == line.removeprefix("banquet: ")
    assert outcome.json["views"][0]["stores"][0]["error"] is None, outcome


def test_an_empty_view_name_and_the_short_form_of_an_option_are_named(repository):
    outcome = repository.banquet("materialize", *WINDOW, "-v", "")
    assert outcome.exit_code == 2 and "without --views all are" in outcome.stderr, outcome
    outcome = repository.banquet("materialize", *WINDOW, "--wait", "abc")
    assert outcome.exit_code == 2 and "banquet: --wait: " in outcome.stderr, outcome
    outcome = repository.banquet("materialize", *WINDOW, "--lock-wait", "-1")
    assert outcome.exit_code == 2 and "banquet: --lock-wait: " in outcome.stderr, outcome


def test_a_plan_that_fails_says_why_at_the_top(repository):
    assert repository.banquet("plan", *WINDOW, "--json").json["error"] is None
    (repository.path / "data/inc.parquet").write_bytes(b"no Parquet")
    outcome = repository.banquet("plan", *WINDOW, "--json")
    assert outcome.exit_code == 3, outcome
    assert outcome.json["error"] and outcome.json["error"].endswith(outcome.json["views"][0]["error"]), outcome


# --- windows --------------------------------------------------------------------------------------------------------


def test_an_end_in_the_future_is_warned_of(repository):
    outcome = repository.banquet("materialize", WINDOW[0], "2999-01-01", "--json")
    assert outcome.exit_code == 0, outcome
    assert "banquet: warning: The window ends in the future" in outcome.stderr, outcome
    assert any("future" in warning for warning in outcome.json["warnings"]), outcome
    assert repository.banquet("materialize", *WINDOW, "--json").json["warnings"] == []


def test_the_windows_of_an_incremental_run_are_told_per_view(repository):
    assert repository.banquet("materialize", *FIRST, "-v", "inc_plain").exit_code == 0
    outcome = repository.banquet("materialize-incremental", WINDOW[1], "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    assert "inc_plain: from 2024-01-10 00:00:00+00:00 to 2024-01-31 00:00:00+00:00\n" in outcome.stderr, outcome
    assert outcome.json["views"][0]["window"] == {"start": "2024-01-10T00:00:00Z", "end": "2024-01-31T00:00:00Z"}


# --- progress -------------------------------------------------------------------------------------------------------


def test_progress_tells_rows_left_as_stored_from_rows_written(repository):
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    outcome = repository.banquet("materialize", "2024-01-01", "2024-01-06", "-v", "inc_plain")
    assert re.search(r"^inc_plain: SUCCEEDED: .* 4 kept, 0 written, 4 left as stored", outcome.stderr, re.MULTILINE), outcome


# --- metrics --------------------------------------------------------------------------------------------------------


def samples_of(path):
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in path.read_text().splitlines() if not line.startswith("#"))}


def test_metrics_tell_when_the_run_ended_and_a_backfill_makes_no_view_older(repository):
    import time
    metrics = repository.path / "metrics.prom"
    fresh = 'banquet_view_fresh_until_timestamp_seconds{view="inc_plain"}'
    for window in (WINDOW, FIRST):
        before = int(time.time())
        outcome = repository.banquet("materialize", *window, "-v", "inc_plain", "--metrics-file", "metrics.prom")
        assert outcome.exit_code == 0, outcome
        samples = samples_of(metrics)
        assert samples["banquet_run_success"] == 1
        assert before <= samples["banquet_run_timestamp_seconds"] <= time.time()
        assert samples[fresh] == 1706659200  # END of WINDOW
    (repository.path / "data/inc.parquet").unlink()
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--metrics-file", "metrics.prom").exit_code == USER
    samples = samples_of(metrics)
    assert samples["banquet_run_success"] == 0 and samples['banquet_view_success{view="inc_plain"}'] == 0
    assert samples[fresh] == 1706659200


def test_metrics_of_a_run_that_never_began(repository):
    repository.append_configuration("banquet: {overwrit: newest}\n")
    outcome = repository.banquet("materialize", *WINDOW, "--metrics-file", "metrics.prom", "--json")
    assert outcome.exit_code == USER, outcome
    samples = samples_of(repository.path / "metrics.prom")
    assert samples["banquet_run_success"] == 0 and samples["banquet_run_timestamp_seconds"] > 1.7e9
    assert outcome.json["status"] == "ERROR" and "overwrit" in outcome.json["error"] and outcome.json["views"] == []


def test_a_slip_in_the_command_leaves_no_success_of_the_last_run(repository):
    metrics = repository.path / "metrics.prom"
    arguments = ("materialize", *WINDOW, "-v", "inc_plain", "--metrics-file")
    assert repository.banquet(*arguments, "metrics.prom").exit_code == 0
    assert samples_of(metrics)["banquet_run_success"] == 1
    for slip in (("metrics.prom", "--theads", "3"), ("metrics.prom", "too", "much")):
        assert repository.banquet(*arguments, *slip).exit_code == USER
        assert samples_of(metrics)["banquet_run_success"] == 0
        assert repository.banquet(*arguments, "metrics.prom").exit_code == 0
    assert repository.banquet("materialize", *WINDOW, "--metrics-file=metrics.prom", "--theads").exit_code == USER
    assert samples_of(metrics)["banquet_run_success"] == 0
    outcome = repository.banquet(*arguments, "")
    assert outcome.exit_code == USER and "metrics-file" in outcome.stderr, outcome


def test_an_option_before_the_command_is_told_where_it_belongs(repository):
    outcome = repository.banquet("--views", "inc_plain", "materialize", *WINDOW)
    assert outcome.exit_code == USER
    one_error_line(outcome, "--views", "behind the command")


def test_a_comparison_of_nothing_is_warned_of(repository):
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    outcome = repository.banquet("verify", "1999-01-01", "1999-01-02", "-v", "inc_plain")
    assert outcome.exit_code == 0 and "nothing was compared" in outcome.stderr, outcome


def test_json_progress_is_json_on_every_line(repository):
    outcome = repository.banquet("materialize", *WINDOW, "--progress", "json")
    assert outcome.exit_code == 0, outcome
    for line in outcome.stderr.splitlines():
        json.loads(line)


def test_metrics_that_cannot_be_written(repository):
    before = repository.registry.read_bytes()
    outcome = repository.banquet("materialize", *WINDOW, "--metrics-file", "nowhere/metrics.prom", "--json")
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "--metrics-file", "nowhere")
    assert outcome.json["status"] == "ERROR"
    assert repository.registry.read_bytes() == before and not repository.online_db.exists()
    outcome = repository.banquet("materialize", *WINDOW, "--metrics-file", "/dev/full", "--json")
    assert outcome.exit_code == REMOTE, outcome
    one_error_line(outcome, "--metrics-file", "/dev/full", "No space left")
    assert outcome.json["status"] == "ERROR" and "metrics" in outcome.json["error"]
    assert {view["status"] for view in outcome.json["views"]} == {"SUCCEEDED"}
    assert Path("/dev/full").is_char_device()
    assert all(len(found) == 1 for found in intervals(repository.registry).values())


# --- looking up -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "words"), [
    (("--features", "inc_plane:x", "--entity", "id=1"), ("inc_plane", "'inc_plain'")),
    (("--features", "inc_plain:tga", "--entity", "id=1"), ("inc_plain", "tga", "'tag'")),
    (("--features", "inc_plain", "--entity", "id=1"), ("view:feature", "inc_plain")),
    (("--features", "inc_plain:x,inc_plain:x", "--entity", "id=1"), ("twice", "inc_plain:x")),
    (("--features", "inc_plain:x,inc_ttl:x", "--entity", "id=1"), ("--full-feature-names",)),
    (("--feature-service", "nobody", "--entity", "id=1"), ("nobody",)),
    (("--features", "inc_plain:x"), ("inc_plain", "id=")),
    (("--features", "inc_plain:x", "--entity", "ids=1"), ("ids", "'id'")),
    (("--features", "inc_plain:x", "--entity", "id=1,colour=red"), ("colour",)),
    (("--features", "inc_plain:x", "--entity", "id=1,id=2"), ("id", "twice")),
    (("--features", "inc_plain:x", "--entity", "id=one"), ("id", "one")),
    (("--features", "inc_plain:x", "--entity", "1"), ("join_key=value",)),
    (("--entity", "id=1"), ("--features", "--feature-service"))])
def test_a_question_that_cannot_be_answered_is_a_user_error(arguments, words, repository):
    assert repository.banquet("materialize", *WINDOW).exit_code == 0
    outcome = repository.banquet("get-online-features", *arguments, "--json")
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, *words)
    assert outcome.json["status"] == "ERROR"


def test_a_question_to_a_store_that_was_never_filled_gets_a_hint(repository):
    outcome = repository.banquet(*LOOKUP, "--entity", "id=1", "--json")
    assert outcome.exit_code == 0, outcome
    assert outcome.json["results"][1]["statuses"] == ["NOT_FOUND"]
    assert "never materialized" in outcome.stderr and "online.db" in outcome.stderr, outcome
    assert not repository.online_db.exists()
    assert repository.banquet("materialize", *WINDOW).exit_code == 0
    assert repository.banquet(*LOOKUP, "--entity", "id=1").stderr == ""


# --- limits of the system -------------------------------------------------------------------------------------------


def test_a_file_that_may_not_grow_is_an_error_and_no_crash(repository):
    import resource
    outcome = subprocess.run([BINARY, "materialize", *WINDOW, "-v", "inc_plain", "--json"], cwd=repository.path,
                             env=repository.process_environment(), capture_output=True, text=True, timeout=60,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    assert outcome.returncode == REMOTE, outcome
    assert "inc_plain" in outcome.stderr and "online.db" in outcome.stderr, outcome
    assert intervals(repository.registry)["inc_plain"] == []


def test_local_seconds_in_sqlite_are_warned_of_where_the_zone_is_not_utc(repository):
    repository.environment["TZ"] = "America/New_York"
    outcome = repository.banquet("materialize", *WINDOW, "--json")
    assert outcome.exit_code == 0 and outcome.stderr.count("banquet.sqlite_ts") == 1, outcome
    warning, = outcome.json["warnings"]
    assert "banquet.sqlite_ts" in warning
    assert "sqlite_ts" not in repository.banquet("materialize", *WINDOW, "--sqlite-ts", "utc").stderr
    repository.environment["TZ"] = "UTC"
    assert "sqlite_ts" not in repository.banquet("materialize", *WINDOW).stderr


# --- installing -----------------------------------------------------------------------------------------------------


def test_an_installed_command_runs_from_anywhere(repository, tmp_path):
    build = Path(BINARY).resolve().parents[1]
    installed = tmp_path / "elsewhere"
    subprocess.run(["cmake", "--install", build, "--prefix", tmp_path / "prefix"], check=True, capture_output=True)
    os.rename(tmp_path / "prefix", installed)
    outcome = subprocess.run(["env", "-i", installed / "bin/banquet", "materialize", *WINDOW], cwd=repository.path,
                             capture_output=True, text=True)
    assert outcome.returncode == 0, outcome
    linked = subprocess.run(["env", "-i", "/usr/bin/ldd", installed / "bin/banquet"], capture_output=True, text=True).stdout
    assert "not found" not in linked and str(build) not in linked, linked
