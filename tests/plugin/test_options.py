"""What a task may ask for beside its window, what single views ask of their engine, and the Python API."""
import subprocess
import sys
from datetime import datetime, timezone

from compare import table_cells
from feast_protos import intervals
from plugged import by_banquet, plug
from repository import BINARY
from stores import dump_sqlite
from test_errors import JAN, applied, feast_environment, recorded, repository, rows_of  # noqa: F401

EARLY = ("2024-01-01T00:00:00", "2024-01-10T00:00:00")


def cells(repository, view):  # noqa: F811
    return {name: cell for name, cell in table_cells(dump_sqlite(repository), "golden_inc").items() if name[0] == view}


def test_all_rows_instead_of_the_newest_leave_the_newest(repository, feast):  # noqa: F811
    by_banquet(feast.jobs_of(plug(repository), *JAN, views=["inc_plain"]))
    newest = cells(repository, "inc_plain")
    jobs = by_banquet(feast.jobs_of(repository, *JAN, views=["inc_ttl"], only_latest=False))
    rows = jobs["inc_ttl"]["report"]["rows"]
    assert rows["duplicates"] == 0 and rows["winners"] > rows_of(repository, "inc_ttl"), rows
    assert {name[1:]: cell for name, cell in cells(repository, "inc_ttl").items()} == {
        name[1:]: cell for name, cell in newest.items()}


def test_without_event_timestamps_everything_until_now_is_read(repository, feast):  # noqa: F811
    began = datetime.now(timezone.utc)
    jobs = by_banquet(feast.jobs_of(plug(repository), views=["inc_plain"], disable_event_timestamp=True))
    rows = jobs["inc_plain"]["report"]["rows"]
    assert (rows["read"], rows["outside_window"], rows["pruned"]) == (26, 0, 0)
    ((start, end),) = intervals(repository.registry)["inc_plain"]
    assert start == 0 and abs(end / 1e6 - began.timestamp()) < 60


def test_a_views_own_options_in_memory_are_its_own(repository, feast):  # noqa: F811
    by_banquet(feast.jobs_of(plug(repository), *JAN, views=["inc_plain", "inc_ttl"]))
    jobs = by_banquet(feast.jobs_of(repository, *EARLY, views=["inc_plain", "inc_ttl"],
                                    overrides={"inc_ttl": {"batch_engine": {"overwrite": "always"}}}))
    outcome = {view: job["report"]["stores"][0] for view, job in jobs.items()}
    assert outcome["inc_plain"]["stale"] > 0, outcome
    assert outcome["inc_ttl"]["stale"] == 0 and outcome["inc_ttl"]["written"] > 0, outcome


def test_a_views_own_engine_in_memory_is_asked_for(repository, feast):  # noqa: F811
    overrides = {"inc_ttl": {"batch_engine": {"type": "ray.engine", "fallback": "fail"}}}
    result = feast.jobs_of(plug(repository), *JAN, views=["inc_ttl"], overrides=overrides)
    job = result["jobs"]["inc_ttl"]
    assert (job["status"], job["exit_code"]) == ("ERROR", 2), job
    assert "banquet.views.inc_ttl.batch_engine: this version has no engine ray.engine" in job["error"], job


def test_aggregations_that_a_registry_would_lose_are_seen(repository, feast):  # noqa: F811
    overrides = {"inc_ttl": {"aggregated": True, "batch_engine": {"fallback": "fail"}}}
    result = feast.jobs_of(plug(repository), *JAN, views=["inc_ttl", "inc_plain"], overrides=overrides)
    assert "aggregations are not supported" in result["jobs"]["inc_ttl"]["error"]
    assert (recorded(repository)["inc_ttl"], recorded(repository)["inc_plain"]) == (0, 1)


def test_options_of_the_block_and_of_banquet_hold(repository, feast):  # noqa: F811
    by_banquet(feast.jobs_of(plug(repository, overwrite="always"), *JAN, views=["inc_plain"]))
    repository.append_configuration("banquet: {overwrite: newest, on_null_key: fail}\n")
    jobs = by_banquet(feast.jobs_of(repository, *EARLY, views=["inc_plain"]))
    assert jobs["inc_plain"]["report"]["stores"][0]["stale"] == 0, "the engine's block wins"


def python_says(repository, code, fails=False):  # noqa: F811
    """What a Python without Feast prints, with the API at hand as `banquet`, the repository as `path`."""
    prelude = f"""
import sys
import banquet
from datetime import datetime, timezone
assert not any(name.split(".")[0] in ("feast", "pandas", "pyarrow") for name in sys.modules)
path = {str(repository.path)!r}
JAN = datetime(2024, 1, 1), datetime(2024, 1, 31, tzinfo=timezone.utc)
"""
    environment = {**feast_environment(repository), "BANQUET_BINARY": BINARY, "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", prelude + code], capture_output=True, text=True, env=environment)
    assert (done.returncode != 0) == fails, done
    return done.stderr if fails else done.stdout.strip()


def test_python_materializes_a_window_then_what_came_since(repository):  # noqa: F811
    said = python_says(repository, """
(job,) = banquet.materialize(path, *JAN, views=["inc_plain"], threads=1, share_reads=False)
assert job.rows["winners"] == job.stores[0]["written"] and job.error is None and not job.should_be_retried()
print(job.view, job.status, job.start.isoformat(), job.end.isoformat())
(job,) = banquet.materialize_incremental(path, datetime(2024, 2, 1), views=["inc_plain"])
print(job.start.isoformat())
""")
    assert said.splitlines() == ["inc_plain SUCCEEDED 2024-01-01T00:00:00+00:00 2024-01-31T00:00:00+00:00",
                                 "2024-01-31T00:00:00+00:00"]
    assert recorded(repository)["inc_plain"] == 2


def test_python_plans_and_writes_nothing(repository):  # noqa: F811
    said = python_says(repository, """
planned = {p.view: p for p in banquet.plan(path, *JAN)}
print(planned["inc_plain"].rows, planned["inc_plain"].error, bool(planned["inc_plain"].steps), planned["inc_doubled"].error)
""")
    assert said.startswith("26 None True Not supported: its transformation"), said
    assert not any(recorded(repository).values())


def test_python_raises_what_the_command_says(repository):  # noqa: F811
    said = python_says(repository, """
for call in (lambda: banquet.materialize(path, *JAN, views=["inc_plian"]),
             lambda: banquet.materialize(path, *JAN, views=["inc_doubled"]),
             lambda: banquet.materialize(path, *JAN, views=[]),
             lambda: banquet.materialize(path, *JAN, thraeds=3),
             lambda: banquet.plan(path + "/none", *JAN),
             lambda: banquet.materialize(path, *JAN, binary="/bin/true")):
    try:
        call()
    except banquet.BanquetError as error:
        print(type(error).__name__, error.exit_code, error)
jobs = banquet.materialize(path, *JAN, views=["inc_doubled", "inc_plain"], check=False)
print([(job.view, job.status, job.error and job.error.exit_code) for job in jobs])
""").splitlines()
    assert [line.split()[:2] for line in said[:6]] == [["UserError", "2"]] * 5 + [["RemoteError", "4"]], said
    for line, words in zip(said, ("inc_plain", "transformation", "list of names", "--threads", "no such folder",
                                  "ended without a report")):
        assert words in line, line
    assert said[6] == "[('inc_doubled', 'ERROR', 2), ('inc_plain', 'SUCCEEDED', None)]"
