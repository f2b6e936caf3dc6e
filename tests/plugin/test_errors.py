"""What goes wrong: nothing is recorded that was not done, and who reads the error knows what to do."""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from feast_process import FeastError
from feast_protos import intervals
from outcomes import rewrite
from plugged import by_banquet, plug
from repositories import GOLDEN
from repository import BINARY, copy_repository
from stores import RedisServer, dump_sqlite

JAN = ("2024-01-01T00:00:00", "2024-01-31T00:00:00")
VIEWS = ("inc_plain", "inc_ttl", "inc_new")
TRANSFORMED = '''

from feast import BatchFeatureView, StreamFeatureView, PushSource, Project
from feast.transformation.mode import TransformationMode


def doubled(df):
    df["x"] = df["x"] * 2
    return df


def failing(df):
    raise RuntimeError("the user's own")


inc_doubled = BatchFeatureView(name="inc_doubled", entities=[item], mode="pandas", udf=doubled, udf_string="doubled",
    ttl=timedelta(days=36500), online=True,
    schema=[Field(name="id", dtype=Int64), Field(name="x", dtype=Float64)],
    source=FileSource(name="inc_doubled_src", path="data/inc.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"))
inc_back = FeatureView(name="inc_back", entities=[item], ttl=timedelta(days=36500), online=True, offline=True,
    schema=[Field(name="id", dtype=Int64), Field(name="x", dtype=Float64), Field(name="tag", dtype=String)],
    source=FileSource(name="inc_back_src", path="data/inc_back.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"))
inc_failing = BatchFeatureView(name="inc_failing", entities=[item], mode="pandas", udf=failing, udf_string="failing",
    ttl=timedelta(days=36500), online=True,
    schema=[Field(name="id", dtype=Int64), Field(name="x", dtype=Float64)],
    source=FileSource(name="inc_failing_src", path="data/inc.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"))
inc_batch = BatchFeatureView(name="inc_batch", entities=[item], mode="python", ttl=timedelta(days=36500), online=True,
    schema=[Field(name="id", dtype=Int64), Field(name="x", dtype=Float64)],
    source=FileSource(name="inc_batch_src", path="data/inc.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"))
inc_stream = StreamFeatureView(name="inc_stream", entities=[item], ttl=timedelta(days=36500), online=True,
    schema=[Field(name="id", dtype=Int64), Field(name="x", dtype=Float64)], timestamp_field="event_timestamp",
    source=PushSource(name="inc_stream_src", batch_source=FileSource(name="inc_stream_batch", path="data/inc.parquet",
        timestamp_field="event_timestamp", created_timestamp_column="created")))
'''


@pytest.fixture(scope="session")
def applied(feast, tmp_path_factory):
    """Golden case incremental with views of three more kinds, as Feast applied it on SQLite."""
    repository = copy_repository(GOLDEN / "incremental", tmp_path_factory.mktemp("errors") / "applied")
    repository.configure((GOLDEN / "incremental/feature_store.sqlite.yaml").read_text())
    shutil.copy(repository.path / "data/inc.parquet", repository.path / "data/inc_back.parquet")
    definitions = repository.path / "features.py"
    definitions.write_text(definitions.read_text() + TRANSFORMED)
    feast.apply(repository)
    return repository


@pytest.fixture
def repository(applied, tmp_path):
    return copy_repository(applied.path, tmp_path / "repository")


def recorded(repository):
    return {view: len(times) for view, times in intervals(repository.registry).items()}


def rows_of(repository, view):
    """How many entities the store holds."""
    return len({row["entity_key"] for row in dump_sqlite(repository)[f"golden_inc_{view}"]})


def test_batch_and_stream_views_are_banquets(repository, feast):
    jobs = by_banquet(feast.jobs_of(plug(repository), *JAN, views=["inc_batch", "inc_stream"]), "inc_batch", "inc_stream")
    for view, job in jobs.items():
        assert job["report"]["rows"]["winners"] == rows_of(repository, view) > 0


def test_bars_of_all_views_move_to_their_end(repository, feast):
    jobs = by_banquet(feast.jobs_of(plug(repository), *JAN, views=list(VIEWS)), *VIEWS)
    for job in jobs.values():
        assert job["bar"] == {"total": 26, "n": 26, "closed": True}, job


FALLS_BACK = ": materialized by Feast's own local engine, not by Banquet: feature_store.yaml"
REASON = "writing back to the offline store (offline=True) is not supported by this version"


def test_where_feasts_own_engine_fails_too_its_error_is_that_views(repository, feast):
    """Feast's engine adds an index of pandas to the rows that it writes back, and then refuses them."""
    result = feast.jobs_of(plug(repository), *JAN, views=["inc_back", "inc_plain"])
    assert result["raised"].startswith("ValueError: The input pyarrow table has schema"), result
    job = result["jobs"]["inc_back"]
    assert (job["status"], job["fallback_reason"], job["report"]) == ("ERROR", f"Not supported: {REASON}", {}), job
    assert result["jobs"]["inc_plain"]["fallback_reason"] is None
    assert (recorded(repository)["inc_plain"], recorded(repository)["inc_back"]) == (1, 0)


def test_fallback_fail_is_that_views_error_and_the_others_go_on(repository, feast):
    result = feast.jobs_of(plug(repository, fallback="fail"), *JAN, views=["inc_back", "inc_plain"])
    assert result["raised"] == f"UnsupportedError: inc_back: Not supported: {REASON}", result
    assert result["jobs"]["inc_back"]["exit_code"] == 2
    assert result["jobs"]["inc_plain"]["status"] == "SUCCEEDED"
    assert (recorded(repository)["inc_plain"], recorded(repository)["inc_back"]) == (1, 0)
    assert rows_of(repository, "inc_back") == 0


def test_unsupported_skip_is_not_taken_for_a_success(repository, feast):
    """Feast would record what was skipped."""
    repository.append_configuration("banquet: {unsupported: skip}\n")
    result = feast.jobs_of(plug(repository, fallback="fail"), *JAN, views=["inc_back"])
    assert result["jobs"]["inc_back"]["status"] == "ERROR" and recorded(repository)["inc_back"] == 0


@pytest.mark.parametrize("fallback", ["local", "fail"])
def test_a_store_that_banquet_lacks(fallback, repository, feast):
    path = repository.path / "feature_store.yaml"
    text = path.read_text()
    path.write_text(text[:text.index("online_store:")] + "online_store:\n    type: foreign_store.ForeignOnlineStore\n    path: data/online.db\n"
                    "entity_key_serialization_version: 3\n")
    (repository.path / "foreign_store.py").write_text(
        "from feast.infra.online_stores.sqlite import SqliteOnlineStore, SqliteOnlineStoreConfig\n"
        "class ForeignOnlineStore(SqliteOnlineStore):\n"
        "    @staticmethod\n    def _get_db_path(config):\n        return config.online_store.path\n"
        "class ForeignOnlineStoreConfig(SqliteOnlineStoreConfig):\n    type: str = 'foreign_store.ForeignOnlineStore'\n")
    told_before = len(Path(feast.log_path).read_text())
    result = feast.jobs_of(plug(repository, fallback=fallback), *JAN, views=["inc_plain", "inc_doubled"])
    for job in result["jobs"].values():
        assert "this version does not write to foreign_store.ForeignOnlineStore" in job["fallback_reason"], job
        assert job["status"] == ("SUCCEEDED" if fallback == "local" else "ERROR"), job
    done = 1 if fallback == "local" else 0
    assert (recorded(repository)["inc_plain"], recorded(repository)["inc_doubled"]) == (done, done)
    assert (rows_of(repository, "inc_plain") > 0) == (done == 1)
    assert done or result["raised"].startswith("UnsupportedError: inc_plain: "), result
    told = [line for line in Path(feast.log_path).read_text()[told_before:].splitlines() if FALLS_BACK in line]
    assert sorted(line.split(":")[0] for line in told) == (["inc_doubled", "inc_plain"] if done else []), told


def feast_environment(repository):
    python = Path(__file__).parents[2] / "python"
    return {"PYTHONPATH": f"{python}:{repository.path}", "PYTHONWARNINGS": "ignore", "FEAST_USAGE": "False"}


A_RUN = """
from datetime import datetime
from feast import FeatureStore
FeatureStore(".").materialize(datetime(2024, 1, 1), datetime(2024, 1, 31), ["inc_plain"])
"""


def test_a_view_that_fails_is_not_recorded_and_the_others_are(repository, feast):
    rewrite(repository, lambda table: table.drop_columns(["tag"]))  # inc_plain, inc_ttl and inc_new want it, inc_batch does not.
    result = feast.jobs_of(plug(repository), *JAN, views=["inc_plain", "inc_batch"])
    job = result["jobs"]["inc_plain"]
    assert (job["status"], job["exit_code"], job["retry"]) == ("ERROR", 3, False), job
    assert result["raised"].startswith("DataError: inc_plain: ") and "tag" in result["raised"], result
    assert result["jobs"]["inc_batch"]["status"] == "SUCCEEDED"
    assert (recorded(repository)["inc_plain"], recorded(repository)["inc_batch"]) == (0, 1)


def test_a_slip_in_the_configuration_is_every_views_error(repository, feast):
    result = feast.jobs_of(plug(repository, thraeds=3), *JAN, views=["inc_plain", "inc_back"])
    for job in result["jobs"].values():
        assert (job["status"], job["exit_code"], job["fallback_reason"]) == ("ERROR", 2, None), job
        assert "thraeds" in job["error"] and "threads" in job["error"], job
    assert not any(recorded(repository).values())


def test_a_wrong_word_for_fallback_is_refused(repository, feast):
    with pytest.raises(FeastError, match="fallback"):
        feast.jobs_of(plug(repository, fallback="maybe"), *JAN)


@pytest.mark.parametrize(("binary", "words"), [("/no/such/banquet", "batch_engine.binary names no program"),
                                               ("/bin/false", "ended without a report (exit code 1)")])
def test_a_command_that_is_none(binary, words, repository, feast):
    result = feast.jobs_of(plug(repository, binary=binary), *JAN, views=["inc_plain"])
    job = result["jobs"]["inc_plain"]
    assert job["status"] == "ERROR" and words in job["error"], job
    assert recorded(repository)["inc_plain"] == 0


@pytest.fixture
def paused(applied, tmp_path):
    """A repository on a Redis of its own that takes no writes, so that a run hangs there."""
    server = RedisServer(tmp_path)
    repository = copy_repository(applied.path, tmp_path / "repository")
    path = repository.path / "feature_store.yaml"
    text = path.read_text()
    path.write_text(text[:text.index("online_store:")] + f"online_store:\n    type: redis\n    connection_string: {server.address}\n"
                    "entity_key_serialization_version: 3\n")
    server.client.client_pause(120_000, all=False)
    yield plug(repository), server
    server.stop()


def runs_of(parent):
    """The run-tasks processes that a process has started."""
    pids = [int(pid) for task in Path(f"/proc/{parent}/task").iterdir() for pid in (task / "children").read_text().split()]
    return [pid for pid in pids if words_of(pid)[1:2] == ["run-tasks"]]


def words_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def wait_for_hanging_run(parent, server):
    deadline = time.monotonic() + 60
    while server.client.info("clients")["blocked_clients"] == 0:
        assert time.monotonic() < deadline, "the run never wrote"
        time.sleep(0.02)
    (pid,) = runs_of(parent)
    return pid


def signal_when_hanging(parent, server, number):
    thread = threading.Thread(target=lambda: os.kill(wait_for_hanging_run(parent, server), number))
    thread.start()
    return thread


@pytest.mark.parametrize(("number", "error", "exit_code"), [
    (signal.SIGKILL, "RemoteError: Banquet ended without a report (signal 9)", 4),
    (signal.SIGTERM, "CancelledError: inc_plain: ", 143)])
def test_a_run_that_is_killed_or_stopped_records_nothing(number, error, exit_code, paused, feast):
    repository, server = paused
    thread = signal_when_hanging(feast.process.pid, server, number)
    result = feast.jobs_of(repository, *JAN, views=["inc_plain"])
    thread.join()
    job = result["jobs"]["inc_plain"]
    assert (job["status"], job["exit_code"]) == ("ERROR", exit_code), job
    assert job["error"].startswith(error) and result["raised"] == job["error"], job
    assert recorded(repository)["inc_plain"] == 0
    server.client.client_unpause()
    by_banquet(feast.jobs_of(repository, *JAN, views=["inc_plain"]), "inc_plain")


def test_the_command_dies_with_feast_and_was_told_nothing_by_arguments(paused):
    repository, server = paused
    process = subprocess.Popen([sys.executable, "-c", A_RUN], cwd=repository.path, stdout=subprocess.DEVNULL,
                               env={**os.environ, **feast_environment(repository)})
    try:
        pid = wait_for_hanging_run(process.pid, server)
        assert words_of(pid) == [BINARY, "run-tasks", ""]
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and words_of(pid) != [""]:  # A zombie's words are gone.
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert recorded(repository)["inc_plain"] == 0


def test_a_secret_stands_in_no_argument_and_no_output(paused, feast):
    repository, server = paused
    path = repository.path / "feature_store.yaml"
    path.write_text(path.read_text().replace(server.address, f"{server.address},password=canary-s3cret"))
    result = feast.jobs_of(repository, *JAN, views=["inc_plain"])
    assert result["jobs"]["inc_plain"]["status"] == "ERROR"
    assert "canary" not in str(result) and "canary" not in Path(feast.log_path).read_text()


@pytest.mark.parametrize(("sent", "words"), [
    (b"", "ends within the frame's length: 0 of 4 bytes"), (b"\xff\xff\xff\xff", "does not begin with a frame of `banquet run-tasks`"),
    (b"\x09\0\0\0{}", "ends within the frame: 2 of 9 bytes"), (b"\x02\0\0\0{}", "does not begin with a frame of `banquet run-tasks`")])
def test_a_frame_that_is_none_is_told_and_ends_with_a_report(sent, words):
    done = subprocess.run([BINARY, "run-tasks"], input=sent, capture_output=True)
    assert done.returncode == 3, done
    report = json.loads(done.stdout)
    assert (report["status"], report["views"]) == ("ERROR", []) and words in report["error"], report
