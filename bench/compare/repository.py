"""A feature repository that both engines run in, put back to its fresh state before every run."""
import pathlib
import shutil

from compare import data
from compare.process import run

FEATURES_PY = """
from feast import Entity, FeatureView, Field, FileSource
from feast.types import Float64, Int64
driver = Entity(name="driver", join_keys=["driver_id"])
stats = FeatureView(name="{view}", entities=[driver],
    schema=[Field(name="driver_id", dtype=Int64)] + [Field(name=f"f{{i}}", dtype=Float64) for i in range({features})],
    source=FileSource(name="src", path="data/rows.parquet", timestamp_field="event_timestamp",
                      created_timestamp_column="created"))
"""
# What Feast's documentation offers for speed: its result is the same on an empty store.
BEST = {"redis": "    skip_dedup: true\n", "sqlite": "", "postgres": ""}
BEST_BLOCKS = ("batch_engine:\n    type: local\n    backend: polars\n"
               "materialization:\n    online_write_batch_size: 10000\n")


TARGETS = {
    "sqlite": "    path: data/online.db\n", "redis": "    connection_string: localhost:{port}\n",
    "postgres": "    host: 127.0.0.1\n    port: {port}\n    database: golden\n    user: feast\n    password: feast\n    sslmode: disable\n"}


class Repository:
    """One view over generated files of one width, on one kind of store."""

    def __init__(self, folder, features, store, feast, port=0):
        self.path = pathlib.Path(folder)
        self.store = store
        self.features = features
        self.online = self.path / "data/online.db"
        self.rows = self.path / "data/rows.parquet"
        self._registry = self.path / "data/registry.db"
        (self.path / "data").mkdir(parents=True)
        (self.path / "features.py").write_text(FEATURES_PY.format(view=data.VIEW, features=features))
        self.point_to(port)
        data.write(data.Shape(rows=10, features=features), self.rows)
        run([feast, "apply"], self.path)
        shutil.copy(self._registry, self.path / "registry.fresh")
        if self.online.exists():
            shutil.copy(self.online, self.path / "online.fresh")

    def point_to(self, port):
        """Writes feature_store.yaml, and best.yaml with Feast's fastest correct setting."""
        target = TARGETS[self.store].format(port=port)
        head = f"project: {data.PROJECT}\nprovider: local\nregistry: data/registry.db\nentity_key_serialization_version: 3\n"
        block = f"online_store:\n    type: {self.store}\n{target}"
        (self.path / "feature_store.yaml").write_text(head + block)
        (self.path / "best.yaml").write_text(head + block + BEST[self.store] + BEST_BLOCKS)

    def use(self, parquet):
        """Makes a generated file the view's source."""
        self.rows.unlink(missing_ok=True)
        self.rows.hardlink_to(parquet)

    def forget(self, keep_store=False):
        """Nothing was ever materialized; keep_store: but what is in the SQLite file stays."""
        shutil.copy(self.path / "registry.fresh", self._registry)
        if keep_store or self.store != "sqlite":
            return
        for left in self.online.parent.glob("online.db*"):
            left.unlink()
        shutil.copy(self.path / "online.fresh", self.online)
