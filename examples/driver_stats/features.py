"""The example repository: hourly statistics of drivers. `feast apply` made data/registry.db from this file."""
from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource
from feast.types import Float32, Int64, Json, Map, String, Struct

driver = Entity(name="driver", join_keys=["driver_id"])

source = FileSource(
    name="driver_hourly_stats_source",
    path="data/driver_stats.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)

schema = [
    Field(name="conv_rate", dtype=Float32),
    Field(name="acc_rate", dtype=Float32),
    Field(name="avg_daily_trips", dtype=Int64),
    Field(name="driver_metadata", dtype=Map),
    Field(name="driver_config", dtype=Json),
    Field(name="driver_profile", dtype=Struct({"name": String, "age": String})),
]

driver_hourly_stats = FeatureView(
    name="driver_hourly_stats",
    entities=[driver],
    ttl=timedelta(days=1),
    schema=schema,
    source=source,
)

# The same statistics, which a service may also push between two materializations.
driver_hourly_stats_fresh = FeatureView(
    name="driver_hourly_stats_fresh",
    entities=[driver],
    ttl=timedelta(days=1),
    schema=schema[:3],
    source=PushSource(name="driver_stats_push", batch_source=source),
)

driver_activity = FeatureService(
    name="driver_activity",
    features=[driver_hourly_stats[["conv_rate", "acc_rate", "avg_daily_trips"]]],
)
