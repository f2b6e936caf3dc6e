"""G16: Banquet's Spark engine beside Feast's, on one cluster of a master and two workers of one core."""
import json
import pathlib
import shutil
import tempfile

from compare import data, oracle
from compare.data import Shape
from compare.process import run
from compare.results import Result, not_measured
from compare.rounds import interleaved, paired
from compare.servers import SparkCluster

FEATURES_PY = """
from feast import Entity, FeatureView, Field
from feast.types import Float64, Int64
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
driver = Entity(name="driver", join_keys=["driver_id"])
stats = FeatureView(name="{view}", entities=[driver],
    schema=[Field(name="driver_id", dtype=Int64)] + [Field(name=f"f{{i}}", dtype=Float64) for i in range({features})],
    source=SparkSource(name="src", path="{path}", file_format="parquet", timestamp_field="event_timestamp",
                       created_timestamp_column="created"))
"""
PARTITIONS = 4
CONF = {"spark.executor.memory": "1000m", "spark.driver.memory": "1g", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false"}


class SparkRepository:
    """One view over a SparkSource: feature_store.yaml for Feast, banquet.yaml for Banquet."""

    def __init__(self, folder, bench, shape, master):
        self.path = pathlib.Path(folder)
        self.conf = {**CONF, "spark.master": master}
        (self.path / "data").mkdir(parents=True)
        rows = self.path / "data/rows.parquet"
        rows.hardlink_to(bench.file(shape))
        (self.path / "features.py").write_text(FEATURES_PY.format(view=data.VIEW, features=shape.features, path=rows.absolute()))
        head = (f"project: {data.PROJECT}\nprovider: local\nregistry: data/registry.db\nentity_key_serialization_version: 3\n"
                f"offline_store: {{type: spark}}\n")
        target = f"online_store:\n    type: redis\n    connection_string: localhost:{bench.redis.port}\n"
        # Feast's documented way to speed: its result is the same on an empty store.
        (self.path / "feature_store.yaml").write_text(
            f"{head}{target}    skip_dedup: true\nbatch_engine:\n    type: spark.engine\n    partitions: {PARTITIONS}\n"
            "materialization:\n    online_write_batch_size: 10000\n")
        engine = json.dumps({"type": "spark.engine", "partitions": PARTITIONS, "spark_conf": self.conf})
        (self.path / "banquet.yaml").write_text(f"{head}{target}batch_engine: {engine}\n")
        run([bench.feast, "apply", "--skip-source-validation"], self.path)
        shutil.copy(self.path / "data/registry.db", self.path / "registry.fresh")

    def fresh(self):
        shutil.copy(self.path / "registry.fresh", self.path / "data/registry.db")


def executors(bench, scale):
    """Whole commands to Redis, each run's store compared with the oracle."""
    if not scale.spark_rows:
        yield not_measured("G16", "Spark's engine against Feast's", "not at this scale")
        return
    shape = Shape(scale.spark_rows)
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
        cluster = SparkCluster(folder)
        try:
            repository = SparkRepository(pathlib.Path(folder) / "repository", bench, shape, cluster.master)
            # Feast hands its whole block to Spark's configuration and leaves spark_conf in it unread, so that it is told by the environment.
            settings = " ".join(f"--conf {key}={value}" for key, value in {**repository.conf, "spark.sql.shuffle.partitions": str(PARTITIONS)}.items())

            def feast():
                return measured([bench.feast, "materialize", *shape.window], {"PYSPARK_SUBMIT_ARGS": f"{settings} pyspark-shell"})

            def banquet():
                return measured([bench.banquet, "-f", "banquet.yaml", "--progress", "none", "materialize", *shape.window], {})

            def measured(argv, environment):
                repository.fresh()
                bench.empty_store()
                outcome = run(argv, repository.path, {**cluster.environment, **environment})
                oracle.check_redis(bench.redis.port, bench.winners(shape))
                bench.say(f"{pathlib.Path(argv[0]).name} on Spark, {shape}: {outcome.wall:.1f} s")
                return outcome

            runs = interleaved(scale.feast_rounds, {"feast": feast, "banquet": banquet}, warm_up=False)
        finally:
            cluster.stop()
    walls = {name: [one.wall for one in each] for name, each in runs.items()}
    yield Result("G16", f"on Spark, whole command against Feast's engine, redis, {shape}", paired(walls["feast"], walls["banquet"]), at_least=5,
                 form="{:.1f}", runs={name: [{"seconds": wall} for wall in each] for name, each in walls.items()})
