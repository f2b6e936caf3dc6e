"""What tests of the Spark engine share."""
import shutil
from pathlib import Path

import pytest
from repository import copy_repository
from spark_cluster import SparkCluster, spark_environment

GOLDEN = Path(__file__).parents[1] / "golden"
CONF = {"spark.ui.enabled": "true", "spark.driver.memory": "512m", "spark.executor.memory": "512m", "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1", "spark.sql.shuffle.partitions": "7"}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    started = SparkCluster(tmp_path_factory.mktemp("spark"))
    yield started
    started.stop()


@pytest.fixture
def make_repository(tmp_path):
    """A golden repository; with `master`, its batch engine is Spark there."""

    def make(case="incremental", store="sqlite", master=None, partitions=2, name="repository", conf=None, environment=None):
        repository = copy_repository(GOLDEN / case, tmp_path / name, {**spark_environment(), **(environment or {})})
        text = (GOLDEN / case / f"feature_store.{store}.yaml").read_text()
        if master:
            settings = {**CONF, "spark.master": master, **(conf or {})}
            lines = "".join(f"    {key}: \"{value}\"\n" for key, value in settings.items())
            text += f"\nbatch_engine:\n  type: spark.engine\n  partitions: {partitions}\n  spark_conf:\n{lines}"
        repository.configure(text)
        shutil.copy(GOLDEN / case / "expected" / "sqlite.registry_after_apply.db", repository.registry)
        return repository

    return make
