"""YARN in both deploy modes: the stores end as the local engine leaves them."""
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from feast_protos import intervals
from outcomes import WINDOW, assert_adds_up, one_error_line
from stores import dump_redis, dump_sqlite
from yarn import YarnCluster

YARN = {"spark.executor.instances": "1", "spark.yarn.am.memory": "384m", "spark.executor.memory": "512m", "spark.driver.memory": "512m",
        **{f"spark.{place}.{name}": value for place in ("yarn.appMasterEnv", "executorEnv")
           for name, value in (("PYSPARK_PYTHON", sys.executable), ("SPARK_LOCAL_IP", "127.0.0.1"))}}


@pytest.fixture(scope="module")
def yarn(tmp_path_factory):
    started = YarnCluster(tmp_path_factory.mktemp("yarn"))
    yield started
    started.stop()


@pytest.fixture
def make_on_yarn(make_repository, yarn, redis_clean, tmp_path):
    def make(mode, store="redis", engine=""):
        repository = make_repository(store=store, master="yarn", conf={**YARN, "spark.submit.deployMode": mode}, name="on_yarn",
                                     environment={**yarn.environment, "GOLDEN_REDIS_PORT": str(redis_clean.port)})
        text = (repository.path / "feature_store.yaml").read_text()
        repository.configure(text.replace("  partitions: 2\n", f"  partitions: 2\n  staging_location: {tmp_path}/staging\n{engine}"))
        return repository

    return make


@pytest.fixture
def as_the_local_engine(make_repository, redis_clean, make_on_yarn):
    """Materializes by both, compares, and gives the report of YARN's."""

    def stored_by(repository, store):
        redis_clean.client.flushall()
        outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=400)
        assert outcome.exit_code == 0, outcome
        assert_adds_up(outcome.json)
        return outcome.json, dump_redis(redis_clean.client, "golden_inc") if store == "redis" else dump_sqlite(repository)

    def compare(mode, store, engine=""):
        local = make_repository(store=store, name="local", environment={"GOLDEN_REDIS_PORT": str(redis_clean.port)})
        _, expected = stored_by(local, store)
        repository = make_on_yarn(mode, store, engine)
        report, stored = stored_by(repository, store)
        assert stored == expected and stored
        assert {name: len(found) for name, found in intervals(repository.registry).items()} == {
            name: len(found) for name, found in intervals(local.registry).items()}
        return report

    return compare


def test_client_mode(as_the_local_engine):
    report = as_the_local_engine("client", "redis")
    assert all(view["url"] for view in report["views"])


def test_cluster_mode(as_the_local_engine, tmp_path, yarn):
    """The driver is a container; its result comes by the staging location, which is empty afterwards."""
    report = as_the_local_engine("cluster", "redis")
    assert all("application_" in view["url"] for view in report["views"])
    assert [path for path in (tmp_path / "staging").rglob("*") if path.is_file()] == []
    assert {one["finalStatus"] for one in yarn.applications().values()} == {"SUCCEEDED"}


def test_cluster_mode_stages(as_the_local_engine, tmp_path):
    as_the_local_engine("cluster", "sqlite", "  write: staging\n")
    assert [path for path in (tmp_path / "staging").rglob("*") if path.is_file()] == []


def test_what_fails_in_a_driver_elsewhere_is_told(make_on_yarn):
    repository = make_on_yarn("cluster")
    (repository.path / "data/inc.parquet").unlink()
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", timeout_s=300)
    assert outcome.exit_code == 2, outcome
    one_error_line(outcome, "inc.parquet", "its log: ")
    Path(re.findall(r"its log: (\S+\.log)", outcome.stderr)[0]).unlink()
    assert intervals(repository.registry)["inc_plain"] == []


def test_a_stop_ends_a_driver_elsewhere(make_on_yarn, redis_clean, yarn, tmp_path):
    """YARN would let it run on: it sees that the folder between us is gone."""
    before = set(yarn.applications())
    redis = redis_clean.client
    repository = make_on_yarn("cluster")
    redis.client_pause(600_000, all=False)
    run = repository.start("materialize", *WINDOW, "-v", "inc_plain")
    deadline = time.monotonic() + 200
    while redis.info("clients")["blocked_clients"] == 0:
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    application, = set(yarn.applications()) - before
    assert yarn.applications()[application]["state"] == "RUNNING"
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    while yarn.applications()[application]["state"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    redis.client_unpause()
    assert intervals(repository.registry)["inc_plain"] == []
    assert [path for path in (tmp_path / "staging").rglob("*") if path.is_file()] == []
