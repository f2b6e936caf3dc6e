"""The same rows in every form that Spark reads, and Feast views over them."""
import csv
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq

PROJECT = "lake"
WINDOW = ("2024-03-02T00:00:00", "2024-03-05T00:00:00")
START = datetime(2024, 3, 1, tzinfo=timezone.utc)


def rows():
    """40 drivers, a ride each six hours from March 1st to 6th, no full ties; one null key and one null time."""
    table = {"driver": [], "event_timestamp": [], "created": [], "rating": [], "label": []}
    for number in range(40 * 21):
        driver, step = number % 40, number // 40
        time = START + timedelta(hours=6 * step, seconds=driver)
        table["driver"].append(None if number == 300 else driver)
        table["event_timestamp"].append(None if number == 301 else time)
        table["created"].append(time + timedelta(minutes=1))
        table["rating"].append(None if number % 7 == 0 else number / 4)
        table["label"].append(f"ride {number}")
    moment = pa.timestamp("us", tz="UTC")
    return pa.table({"driver": pa.array(table["driver"], pa.int64()), "event_timestamp": pa.array(table["event_timestamp"], moment),
                     "created": pa.array(table["created"], moment), "rating": pa.array(table["rating"], pa.float64()), "label": table["label"],
                     "raw": pa.array(table["rating"], pa.float64())})


def write_forms(folder):
    """parquet, json, orc and csv, and days: Parquet in folders by day, of which those outside the window are damaged."""
    folder, table = Path(folder), rows()
    for form in ("parquet", "json", "orc", "csv", "days"):
        (folder / form).mkdir(parents=True)
    pq.write_table(table, folder / "parquet/part-0.parquet")
    orc.write_table(table, str(folder / "orc/part-0.orc"))
    text = [json.dumps({key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}) for row in table.to_pylist()]
    (folder / "json/part-0.json").write_text("\n".join(text))
    with open(folder / "csv/part-0.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, table.column_names)
        writer.writeheader()
        writer.writerows({key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()} for row in table.to_pylist())
    pq.write_table(table, folder / "part[1].parquet")
    (folder / "nanos").mkdir()
    nanos = pa.timestamp("ns", tz="UTC")
    in_nanos = table.set_column(1, "event_timestamp", table["event_timestamp"].cast(nanos)).set_column(2, "created", table["created"].cast(nanos))
    for part in range(2):
        pq.write_table(in_nanos.slice(part * 420, 420), folder / f"nanos/part {part}.parquet")
    by_day = {}
    for row in table.to_pylist():
        by_day.setdefault(row["created"].date(), []).append(row)
    for day, of_day in by_day.items():
        path = folder / f"days/day={day:%Y%m%d}/part-0.parquet"
        path.parent.mkdir()
        pq.write_table(pa.Table.from_pylist(of_day, table.schema), path)
        if not 2 <= day.day <= 5:
            column = pq.ParquetFile(path).metadata.row_group(0).column(3)
            data = bytearray(path.read_bytes())
            begin = column.dictionary_page_offset or column.data_page_offset
            data[begin:begin + column.total_compressed_size] = b"\xff" * column.total_compressed_size
            path.write_bytes(bytes(data))


DOUBLED = '''def doubled(source):
    """The rating twice."""
    columns = "driver, event_timestamp, created"
    return f"SELECT {columns}, stars * 2 AS rating, concat('<', label, '>') AS label FROM {source}"
'''


def spark_sources(folder):
    """View name -> SparkSource, whose rows are all the same."""
    from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource

    def source(name, **where):
        return SparkSource(name=name, timestamp_field="event_timestamp", created_timestamp_column="created", **where)

    parquet = f"{folder}/parquet"
    return {"by_parquet": source("by_parquet", path=parquet, file_format="parquet"),
            "by_json": source("by_json", path=f"{folder}/json", file_format="json"),
            "by_csv": source("by_csv", path=f"{folder}/csv", file_format="csv"),
            "by_table": source("by_table", table=f"parquet.{parquet}"),
            "by_query": source("by_query", query=f"SELECT * FROM orc.`{folder}/orc`"),
            "by_day": source("by_day", path=f"{folder}/days", file_format="parquet", date_partition_column="day",
                             date_partition_column_format="%Y%m%d")}


def file_source(folder, name, path="parquet/part-0.parquet", **more):
    from feast.infra.offline_stores.file_source import FileSource
    return FileSource(name=name, path=f"{folder}/{path}", timestamp_field="event_timestamp", created_timestamp_column="created", **more)


def view_of(name, source):
    from feast.feature_view import FeatureView
    return FeatureView(name=name, entities=[entity()], schema=fields(), source=source, ttl=timedelta(0))


def entity():
    from feast.entity import Entity
    from feast.value_type import ValueType
    return Entity(name="driver", join_keys=["driver"], value_type=ValueType.INT64)


def fields():
    from feast.field import Field
    from feast.types import Float64, Int64, String
    return [Field(name="driver", dtype=Int64), Field(name="rating", dtype=Float64), Field(name="label", dtype=String)]


def transformed_views(folder):
    """A batch view in SQL, and a stream view in Spark's, over a source that calls the rating otherwise once it is mapped."""
    from feast.batch_feature_view import BatchFeatureView
    from feast.data_source import PushSource
    from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
    from feast.stream_feature_view import StreamFeatureView

    def source(name):
        return SparkSource(name=name, path=f"{folder}/parquet", file_format="parquet", timestamp_field="event_timestamp",
                           created_timestamp_column="created", field_mapping={"raw": "stars"})

    scope = {}
    exec(DOUBLED, scope)  # Feast wants the function beside its text.
    batch = BatchFeatureView(name="batch_sql", mode="sql", entities=[entity()], schema=fields(), source=source("batch_sql"),
                             udf=scope["doubled"], udf_string=DOUBLED, online=True, ttl=timedelta(0))
    stream = StreamFeatureView(name="stream_sql", mode="pandas", entities=[entity()], schema=fields(), timestamp_field="event_timestamp",
                               source=PushSource(name="pushed", batch_source=source("stream_sql")), udf=scope["doubled"], udf_string=DOUBLED,
                               online=True, ttl=timedelta(0))
    return [batch, stream]


def write_registry(path, views):
    """What `feast apply` would write, without its look at the sources."""
    from feast.protos.feast.core.Registry_pb2 import Registry
    from feast.stream_feature_view import StreamFeatureView

    registry = Registry(registry_schema_version="1", version_id="lake")
    objects = [(registry.entities, entity())]
    objects += [(registry.stream_feature_views if isinstance(view, StreamFeatureView) else registry.feature_views, view) for view in views]
    for home, one in objects:
        proto = one.to_proto()
        proto.spec.project = PROJECT
        if isinstance(one, StreamFeatureView):  # Feast's class of that mode starts a Spark session of its own.
            proto.spec.mode = proto.spec.feature_transformation.user_defined_function.mode = "spark_sql"
        home.append(proto)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(registry.SerializeToString())
