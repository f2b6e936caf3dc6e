"""One table in Parquet, Postgres, DuckDB and SQLite, and Feast repositories that read each."""
import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from repository import Repository

PROJECT = "base"
DRIVERS = Path(__file__).parents[2] / "build/deps/adbc-drivers"
POSTGRES_DRIVER = DRIVERS / "libadbc_driver_postgresql.so"
NAMES = ("postgres", "duckdb", "sqlite")


def offline_block(name, path=None, server=None, **more):
    """offline_store of one database; `more` wins."""
    if name == "file":
        return {"type": "file"}
    if name == "postgres":
        block = {"type": "postgres", "host": "127.0.0.1", "port": server.port, "database": "golden", "user": "feast", "password": "feast",
                 "sslmode": "disable", "driver": str(POSTGRES_DRIVER)}
    elif name == "duckdb":
        block = {"type": "adbc", "dialect": "duckdb", "driver": str(DRIVERS / "libduckdb.so"), "options": {"path": str(path), "access_mode": "READ_ONLY"}}
    else:
        block = {"type": "adbc", "dialect": "sqlite", "driver": str(DRIVERS / "libadbc_driver_sqlite.so"), "options": {"uri": f"file:{path}?mode=ro"}}
    return {**block, **more}


def table_source(name="source", timestamp_field="event_ts", created="created", **where):
    from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
    return PostgreSQLSource(name=name, timestamp_field=timestamp_field, created_timestamp_column=created, **where)


def file_source(path, timestamp_field="event_ts", created="created"):
    from feast.infra.offline_stores.file_source import FileSource
    return FileSource(name="source", path=str(path), timestamp_field=timestamp_field, created_timestamp_column=created)


def make_repository(folder, block, source, keys, features, view="stats"):
    """`keys` and `features`: name -> Feast type (feast.types). The registry is what `feast apply` would write, without its look at the source."""
    from feast.entity import Entity
    from feast.feature_view import FeatureView
    from feast.field import Field
    from feast.protos.feast.core.Registry_pb2 import Registry

    repository = Repository(Path(folder))
    repository.path.mkdir()
    repository.configure(f"project: {PROJECT}\nprovider: local\nregistry: data/registry.db\nonline_store: {{type: sqlite, path: data/online.db}}\n"
                         f"entity_key_serialization_version: 3\noffline_store: {json.dumps(block)}\n")
    entities = [Entity(name=name, join_keys=[name], value_type=kind.to_value_type()) for name, kind in keys.items()]
    fields = [Field(name=name, dtype=kind) for name, kind in {**keys, **features}.items()]
    registry = Registry(registry_schema_version="1", version_id=PROJECT)
    views = [FeatureView(name=view, entities=entities, schema=fields, source=source, ttl=timedelta(0))]
    for home, objects in ((registry.entities, entities), (registry.feature_views, views)):
        for one in objects:
            proto = one.to_proto()
            proto.spec.project = PROJECT
            home.append(proto)
    repository.registry.parent.mkdir(parents=True)
    repository.registry.write_bytes(registry.SerializeToString())
    return repository


def fill_file(path, table):
    pq.write_table(table, path)


def fill_duckdb(path, table, name="stats"):
    """In the storage format that every DuckDB since 1.0 reads."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{path}' AS lake (STORAGE_VERSION 'v1.0.0')")
        connection.register("rows", table)
        connection.execute(f'CREATE TABLE lake."{name}" AS SELECT * FROM rows')


def fill_sqlite(path, table, name="stats"):
    kinds = {pa.int64(): "INTEGER", pa.int32(): "INTEGER", pa.bool_(): "INTEGER", pa.float64(): "REAL", pa.float32(): "REAL", pa.binary(): "BLOB"}
    columns = ", ".join(f'"{field.name}" {kinds.get(field.type, "TEXT")}' for field in table.schema)
    rows = [[value.isoformat() if hasattr(value, "isoformat") else str(value) if type(value).__name__ == "Decimal" else value
             for value in row.values()] for row in table.to_pylist()]
    with sqlite3.connect(path) as connection:
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
        connection.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * table.num_columns)})', rows)
    connection.close()


def fill_postgres(server, table, name="stats"):
    def kind(of):
        if pa.types.is_decimal(of):
            return f"numeric({of.precision}, {of.scale})"
        if pa.types.is_timestamp(of):
            return "timestamptz" if of.tz else "timestamp"
        if pa.types.is_list(of):
            return kind(of.value_type) + "[]"
        return {pa.int64(): "bigint", pa.int32(): "integer", pa.bool_(): "boolean", pa.float64(): "double precision", pa.float32(): "real",
                pa.binary(): "bytea", pa.string(): "text", pa.date32(): "date"}[of]

    columns = ", ".join(f'"{field.name}" {kind(field.type)}' for field in table.schema)
    with server.connect() as connection:
        connection.execute(f'DROP TABLE IF EXISTS "{name}"')
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
        with connection.cursor() as cursor, cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
            for row in table.to_pylist():
                copy.write_row(list(row.values()))
