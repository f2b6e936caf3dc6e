"""The Spark engine: the stores end as the local engine leaves them, whatever happens to a task."""
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from feast_protos import intervals
from outcomes import WINDOW, assert_adds_up, one_error_line
from stores import dump_redis, dump_sqlite

TEMPORARY = Path(os.environ.get("TMPDIR", "/tmp"))


def left_behind():
    return set(TEMPORARY.glob("banquet-spark-*"))


def same_counts(outcome, other, without=("pruned", "skipped", "full_ties")):
    for one, two in zip(outcome.json["views"], other.json["views"], strict=True):
        # Spark leaves rows outside the window in the file: they are not read.
        rows, others = ({key: value for key, value in view["rows"].items() if key not in without} for view in (one, two))
        read = others.pop("read") - others.pop("outside_window")
        assert rows.pop("read") - rows.pop("outside_window") == read
        assert rows == others, one["name"]


def test_the_store_is_the_local_engines(make_repository):
    local = make_repository(name="local")
    expected = local.banquet("materialize", *WINDOW, "--json")
    assert expected.exit_code == 0, expected
    before = left_behind()
    repository = make_repository(master="local[2]")
    outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=300)
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    assert dump_sqlite(repository) == dump_sqlite(local)
    same_counts(outcome, expected)
    assert all(view["url"] for view in outcome.json["views"])
    assert {name: len(found) for name, found in intervals(repository.registry).items()} == {
        name: len(found) for name, found in intervals(local.registry).items()}
    assert left_behind() == before


@pytest.mark.parametrize("store", ["redis", "postgres", "dynamodb"])
def test_executors_of_a_cluster_write(store, cluster, make_repository, servers_clean):
    """With the runtime shipped to them, three views in one application."""
    local = make_repository(store=store, name="local", environment=servers_clean.environment)
    expected = local.banquet("materialize", *WINDOW, "--json")
    assert expected.exit_code == 0, expected
    stored = servers_clean.dump(store, local, "golden_inc")
    assert stored
    servers_clean.empty(store)
    repository = make_repository(store=store, master=cluster.master, environment=servers_clean.environment)
    outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=300)
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    assert servers_clean.dump(store, repository, "golden_inc") == stored
    same_counts(outcome, expected)


def test_a_store_that_executors_cannot_reach_is_told_with_their_words(make_repository, redis_clean):
    repository = make_repository(store="redis", master="local[2]", environment={"GOLDEN_REDIS_PORT": str(redis_clean.port)})
    redis_clean.client.acl_setuser("reader", enabled=True, passwords=["+pw"], categories=["+@all"], keys=["*"], commands=["-hset", "-restore"])
    path = repository.path / "feature_store.yaml"
    path.write_text(path.read_text().replace("${GOLDEN_REDIS_PORT}", "${GOLDEN_REDIS_PORT},username=reader,password=pw"))
    try:
        outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", timeout_s=300)
    finally:
        redis_clean.client.acl_deluser("reader")
    assert outcome.exit_code == 2, outcome
    assert "NOPERM" in outcome.stderr and "password=pw" not in outcome.stderr, outcome
    log, = re.findall(r"its log: (\S+\.log)", outcome.stderr)
    assert "BANQUET-SINK" in Path(log).read_text()
    Path(log).unlink()
    assert intervals(repository.registry)["inc_plain"] == []


def test_a_task_that_is_tried_again_counts_once(make_repository, redis_clean):
    """The first sinks are killed while they write; Spark starts others."""
    repository = make_repository(store="redis", master="local[2,4]", environment={"GOLDEN_REDIS_PORT": str(redis_clean.port)})
    redis_clean.client.client_pause(600_000, all=False)
    run = repository.start("materialize", *WINDOW, "-v", "inc_plain", "--json")
    deadline = time.monotonic() + 200
    while redis_clean.client.info("clients")["blocked_clients"] == 0:
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    sinks = [int(pid) for pid in subprocess.run(["pgrep", "-f", "banquet sink$"], capture_output=True, text=True).stdout.split()]
    assert sinks
    for pid in sinks:
        os.kill(pid, signal.SIGKILL)
    redis_clean.client.client_unpause()
    stdout, stderr = run.communicate(timeout=300)
    assert run.returncode == 0, stderr
    report = json.loads(stdout)
    assert_adds_up(report)
    assert report["views"][0]["rows"]["winners"] == 6
    stored = dump_redis(redis_clean.client, "golden_inc")
    redis_clean.client.flushall()
    local = make_repository(store="redis", name="local", environment={"GOLDEN_REDIS_PORT": str(redis_clean.port)})
    assert local.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    assert dump_redis(redis_clean.client, "golden_inc") == stored


def test_a_stop_ends_the_application(make_repository, redis_clean):
    repository = make_repository(store="redis", master="local[2]", environment={"GOLDEN_REDIS_PORT": str(redis_clean.port)})
    run = repository.start("materialize", *WINDOW, "-v", "inc_plain")
    deadline = time.monotonic() + 60
    while not (drivers := subprocess.run(["pgrep", "-f", "SparkSubmit.*spark_job.py"], capture_output=True, text=True).stdout.split()):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    deadline = time.monotonic() + 30
    while any(os.path.exists(f"/proc/{pid}") for pid in drivers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert intervals(repository.registry)["inc_plain"] == []


@pytest.mark.parametrize("change, code, words", [
    (lambda r: r.environment.update(SPARK_HOME="/nowhere"), 2, ("/nowhere/bin/spark-submit",)),
    (lambda r: (r.path / "data/inc.parquet").unlink(), 2, ("inc.parquet",)),
    (lambda r: r.configure((r.path / "feature_store.yaml").read_text().replace("partitions: 2", "partitions: -1")), 2, ("partitions",)),
    (lambda r: r.configure((r.path / "feature_store.yaml").read_text().replace("  partitions:", "  write: staging\n  partitions:")), 2,
     ("staging_location",)),
    (lambda r: r.configure((r.path / "feature_store.yaml").read_text().replace("spark_conf:\n", "spark_conf:\n    spark.submit.deployMode: cluster\n")),
     2, ("deployMode",)),
    (lambda r: r.configure((r.path / "feature_store.yaml").read_text().replace('"local[2]"', '"spark://h:1"')), 2, ("sqlite", "local engine"))])
def test_what_is_wrong_is_one_line(change, code, words, make_repository):
    repository = make_repository(master="local[2]")
    change(repository)
    before = left_behind()
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", timeout_s=120)
    for log in re.findall(r"its log: (\S+\.log)", outcome.stderr):
        Path(log).unlink()
    assert outcome.exit_code == code, outcome
    one_error_line(outcome, *words)
    assert left_behind() == before and intervals(repository.registry)["inc_plain"] == []
