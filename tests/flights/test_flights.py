"""Three million real rows, keyed by (origin, destination), held against a window query in DuckDB."""
import shutil
import sqlite3
import struct
from pathlib import Path

import duckdb
import pytest
from feast_protos import Value, value
from google.protobuf.timestamp_pb2 import Timestamp
from repository import Repository
from stores import dump_redis, hex_of

DATA = Path(__file__).parents[2] / "build/deps/flights/flights-3m.parquet"
PROJECT = "flights"
FEATURES = '''from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Int64

origin = Entity(name="origin", join_keys=["origin"], value_type=ValueType.STRING)
destination = Entity(name="destination", join_keys=["destination"], value_type=ValueType.STRING)
route = FeatureView(
    name="route", entities=[origin, destination], ttl=timedelta(0),
    schema=[Field(name="delay", dtype=Int64), Field(name="distance", dtype=Int64)],
    source=FileSource(name="route_src", path="flights.parquet", timestamp_field="date"))
'''
CONFIGURATION = """project: flights
provider: local
registry:
    path: data/registry.db
online_store:
    type: {store}
    {setting}
entity_key_serialization_version: 3
"""
WINDOW = ("2001-02-01T00:00:00", "2001-05-31T23:59:00")


@pytest.fixture(scope="module")
def applied(feast, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flights")
    (folder / "data").mkdir()
    (folder / "features.py").write_text(FEATURES)
    (folder / "flights.parquet").symlink_to(DATA)
    repository = Repository(folder)
    repository.configure(CONFIGURATION.format(store="sqlite", setting="path: data/online.db"))
    feast.apply(repository)
    return repository


@pytest.fixture(scope="module")
def newest():
    """(origin, destination) -> (date, delay, distance): the newest row of the window, the first of the file on ties."""
    query = """
        SELECT origin, destination, epoch_us(date), delay, distance FROM (
          SELECT *, row_number() OVER (PARTITION BY origin, destination ORDER BY date DESC, file_row_number) AS place
          FROM read_parquet(?, file_row_number = true) WHERE date BETWEEN ?::TIMESTAMP AND ?::TIMESTAMP)
        WHERE place = 1"""
    rows = duckdb.execute(query, [str(DATA), *WINDOW]).fetchall()
    assert len(rows) > 1000
    return {(origin, destination): rest for origin, destination, *rest in rows}


def entity_key(origin, destination):
    """Version 3; join keys in sorted order: destination, origin."""
    names = [b"destination", b"origin"]
    out = struct.pack("<I", 2)
    out += b"".join(struct.pack("<II", 2, len(name)) + name for name in names)
    return (out + b"".join(struct.pack("<II", 2, len(text)) + text
                           for text in (destination.encode(), origin.encode()))).hex()


def run(repository, newest):
    outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=300)
    assert outcome.exit_code == 0, outcome
    view, = outcome.json["views"]
    assert view["rows"]["winners"] == len(newest)
    assert view["rows"]["read"] + view["rows"]["pruned"] == 3_000_000
    return view


def test_sqlite_holds_the_newest_flight_of_each_route(applied, newest):
    run(applied, newest)
    expected = {}
    for route, (date_us, delay, distance) in newest.items():
        for feature, number in (("delay", delay), ("distance", distance)):
            expected[entity_key(*route), feature] = (
                Value(int64_val=number).SerializeToString().hex(), str(number), date_us // 10**6, None)
    with sqlite3.connect(applied.online_db) as connection:
        rows = connection.execute(
            "SELECT entity_key, feature_name, value, value_text, event_ts, created_ts FROM flights_route").fetchall()
    connection.close()
    actual = {(hex_of(row[0]), row[1]): (hex_of(row[2]), *row[3:]) for row in rows}
    assert len(actual) == len(rows)
    assert actual == expected


def test_redis_holds_the_newest_flight_of_each_route(applied, newest, tmp_path, redis_clean):
    repository = Repository(tmp_path / "flights")
    shutil.copytree(applied.path, repository.path, symlinks=True, ignore=shutil.ignore_patterns("online.db"))
    repository.configure(CONFIGURATION.format(store="redis", setting=f"connection_string: {redis_clean.address}"))
    run(repository, newest)
    stored = dump_redis(redis_clean.client, PROJECT)
    assert len(stored) == len(newest)
    for route, (date_us, delay, distance) in newest.items():
        fields = dict(stored[entity_key(*route) + PROJECT.encode().hex()]["fields"])
        stamp = Timestamp()
        stamp.FromMicroseconds(date_us)
        assert fields.pop("_ts:route") == stamp.SerializeToString().hex(), route
        assert sorted(value(bytes.fromhex(data)).int64_val for data in fields.values()) == sorted([delay, distance])
