"""What dies while executors write: the store ends as the local engine leaves it, and counts are those of the attempts that won."""
import json
import os
import re
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast_protos import intervals
from lake import PROJECT, file_source, view_of, write_registry
from outcomes import assert_adds_up, one_error_line
from repository import Repository
from spark_cluster import spark_environment
from stores import dump_redis

KEYS = 20_000
WINDOW = ("2024-03-01T00:00:00", "2024-03-03T00:00:00")
CONF = {"spark.ui.enabled": "false", "spark.driver.memory": "512m", "spark.executor.memory": "512m", "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1"}


@pytest.fixture(scope="module")
def rides(tmp_path_factory):
    """Two rows of each key, in files for several tasks."""
    folder = tmp_path_factory.mktemp("rides")
    (folder / "parquet").mkdir()
    start = datetime(2024, 3, 1, tzinfo=timezone.utc)
    times = [start + timedelta(seconds=i) for i in range(2 * KEYS)]
    table = pa.table({"driver": [i % KEYS for i in range(2 * KEYS)], "event_timestamp": times, "created": times,
                      "rating": [i / 4 for i in range(2 * KEYS)], "label": [f"ride {i}" for i in range(2 * KEYS)]})
    for part in range(4):
        pq.write_table(table.slice(part * KEYS // 2, KEYS // 2), folder / f"parquet/part-{part}.parquet")
    return folder


@pytest.fixture
def make_rides(tmp_path, rides, redis_clean):
    def make(name, engine="local", **environment):
        repository = Repository(tmp_path / name, {**spark_environment(), **environment})
        repository.path.mkdir()
        repository.configure(f"project: {PROJECT}\nprovider: local\nregistry: data/registry.db\nentity_key_serialization_version: 3\n"
                             f"online_store: {{type: redis, connection_string: 'localhost:{redis_clean.port}'}}\nbatch_engine: {engine}\n")
        write_registry(repository.registry, [view_of("rides", file_source(rides, "rides", "parquet"))])
        return repository

    return make


def engine_block(master, partitions, **conf):
    return json.dumps({"type": "spark.engine", "partitions": partitions, "spark_conf": {**CONF, "spark.master": master, **conf}})


def processes_of(parents, words):
    """The processes below these whose command line has the words."""
    below = {child for parent in parents for child in psutil.Process(parent.pid).children(recursive=True)}
    found = []
    for process in below:
        try:
            if words in " ".join(process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            pass
    return found


def until(holds, run, seconds=200):
    deadline = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def blocked_sinks(redis, parents, run, count):
    """Sinks that wait for the paused server, `count` at least."""
    until(lambda: redis.client.info("clients")["blocked_clients"] >= count, run)
    return processes_of(parents, "banquet sink")


def assert_as_the_local_engine(repository, run, redis, make_rides, parents):
    stdout, stderr = run.communicate(timeout=300)
    assert run.returncode == 0, stderr
    report = json.loads(stdout)
    assert_adds_up(report)
    rows, store = report["views"][0]["rows"], report["views"][0]["stores"][0]
    assert (rows["read"], rows["duplicates"], rows["winners"]) == (2 * KEYS, KEYS, KEYS)
    assert store["written"] + store["unchanged"] == KEYS and store["stale"] == 0
    assert len(intervals(repository.registry)["rides"]) == 1
    stored = dump_redis(redis.client, PROJECT)
    redis.client.flushall()
    assert make_rides("local").banquet("materialize", *WINDOW).exit_code == 0
    assert dump_redis(redis.client, PROJECT) == stored and len(stored) == KEYS
    assert processes_of(parents, "banquet sink") == []


def test_an_executor_that_is_killed_while_it_writes(make_rides, redis_clean, cluster):
    repository = make_rides("spark", engine_block(cluster.master, 4))
    redis_clean.client.client_pause(600_000, all=False)
    run = repository.start("materialize", *WINDOW, "--json")
    sinks = blocked_sinks(redis_clean, cluster.processes, run, 2)
    executor = processes_of(cluster.processes, "CoarseGrainedExecutorBackend")[0]
    executor.kill()
    # Its sink goes with it.
    until(lambda: len([sink for sink in sinks if sink.is_running()]) < len(sinks), run, 30)
    redis_clean.client.client_unpause()
    assert_as_the_local_engine(repository, run, redis_clean, make_rides, cluster.processes)


def test_a_task_that_fails_twice(make_rides, redis_clean):
    repository = make_rides("spark", engine_block("local[2,4]", 2))
    redis_clean.client.client_pause(600_000, all=False)
    run = repository.start("materialize", *WINDOW, "--json")
    killed = set()
    for _ in range(2):
        fresh = until(lambda: [sink for sink in blocked_sinks(redis_clean, [run], run, 1) if sink.pid not in killed], run)
        for sink in fresh:
            killed.add(sink.pid)
            sink.kill()
    redis_clean.client.client_unpause()
    assert len(killed) >= 2
    assert_as_the_local_engine(repository, run, redis_clean, make_rides, [])


def test_speculation_writes_twice_and_counts_once(make_rides, redis_clean, cluster):
    """One sink stands still, so that Spark starts its task once more on the other machine."""
    conf = {"spark.speculation": "true", "spark.speculation.interval": "100ms", "spark.speculation.multiplier": "1.1",
            "spark.speculation.quantile": "0.1", "spark.speculation.minTaskRuntime": "100ms"}
    repository = make_rides("spark", engine_block(cluster.master, 2, **conf))
    redis_clean.client.client_pause(600_000, all=False)
    run = repository.start("materialize", *WINDOW, "--json")
    still, *_ = blocked_sinks(redis_clean, cluster.processes, run, 2)
    still.suspend()
    redis_clean.client.client_unpause()
    try:
        assert_as_the_local_engine(repository, run, redis_clean, make_rides, cluster.processes)
    finally:
        if still.is_running():
            still.resume()


def test_an_application_that_is_killed_records_nothing(make_rides, redis_clean):
    repository = make_rides("spark", engine_block("local[2]", 2))
    redis_clean.client.client_pause(600_000, all=False)
    run = repository.start("materialize", *WINDOW)
    sinks = blocked_sinks(redis_clean, [run], run, 1)
    driver, *_ = [one for one in processes_of([run], "SparkSubmit") if "java" in one.name()]
    driver.kill()
    stdout, stderr = run.communicate(timeout=60)
    redis_clean.client.client_unpause()
    assert run.returncode == 4, stderr
    line, = [line for line in stderr.splitlines() if line.startswith("banquet: ")]
    assert "ended by signal 9" in line and "refused" not in line, line
    log, = re.findall(r"its log: (\S+\.log)", line)
    Path(log).unlink()
    assert intervals(repository.registry)["rides"] == []
    deadline = time.monotonic() + 30
    while any(sink.is_running() and sink.status() != psutil.STATUS_ZOMBIE for sink in sinks):
        assert time.monotonic() < deadline, "a sink outlives its application"
        time.sleep(0.1)


def test_an_application_ends_with_who_submitted_it(make_rides, redis_clean, tmp_path):
    """Nobody holds the view's lock any more, so nothing may write for it; and what was secret is gone."""
    (tmp_path / "tmp").mkdir()
    repository = make_rides("spark", engine_block("local[2]", 2), TMPDIR=str(tmp_path / "tmp"))
    redis_clean.client.client_pause(600_000, all=False)
    run = repository.start("materialize", *WINDOW)
    blocked_sinks(redis_clean, [run], run, 1)
    others = psutil.Process(run.pid).children(recursive=True)
    assert [path.name for path in (tmp_path / "tmp").glob("banquet-spark-*")]
    run.kill()
    run.communicate()
    deadline = time.monotonic() + 30
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in others):
        assert time.monotonic() < deadline, [one.cmdline() for one in others if one.is_running()]
        time.sleep(0.1)
    redis_clean.client.client_unpause()
    assert list((tmp_path / "tmp").glob("banquet-spark-*")) == []
    assert intervals(repository.registry)["rides"] == []


@pytest.mark.parametrize("python, words", [
    (str(Path(sys.base_prefix) / "bin/python3"), ("pyarrow",)), ("/nowhere/python", ("/nowhere/python",))])
def test_executors_without_what_they_need(python, words, make_rides, redis_clean):
    repository = make_rides("spark", engine_block("local[2]", 2), PYSPARK_PYTHON=python)
    outcome = repository.banquet("materialize", *WINDOW, timeout_s=120)
    for log in re.findall(r"its log: (\S+\.log)", outcome.stderr):
        os.unlink(log)
    assert outcome.exit_code in (2, 4), outcome
    one_error_line(outcome, *words)
    assert intervals(repository.registry)["rides"] == []
    assert redis_clean.client.dbsize() == 0
