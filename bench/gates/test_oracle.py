"""The judge can say no: a store that differs in one place has no time."""
import sqlite3
import struct

import mmh3
import pytest
from compare.data import PROJECT, VIEW, Shape, newest_per_key, write
from compare.oracle import Differs, check_redis, check_sqlite, entity_key

SHAPE = Shape(3_000, rows_per_key=3, order="random")


def test_the_oracle_is_the_newest_row_per_key(tmp_path):
    import duckdb
    write(SHAPE, tmp_path / "rows.parquet")
    newest = duckdb.execute(f"SELECT driver_id, max(event_timestamp), arg_max(f3, event_timestamp) "
                            f"FROM '{tmp_path}/rows.parquet' GROUP BY driver_id ORDER BY driver_id").fetchall()
    winners = newest_per_key(SHAPE)
    assert [row[0] for row in newest] == winners.keys.tolist()
    assert [int(row[1].timestamp() * 1_000_000) for row in newest] == pytest.approx(winners.event_us.tolist(), abs=1)
    assert [row[2] for row in newest] == winners.features[3].tolist()


def test_a_wrong_value_in_redis_is_found(bench):
    bench.materialize("banquet", SHAPE, "redis")
    winners = bench.winners(SHAPE)
    key = entity_key(777) + PROJECT.encode()
    field = struct.pack("<I", mmh3.hash(f"{VIEW}:f9", signed=False))
    kept = bench.redis.client.hget(key, field)
    bench.redis.client.hset(key, field, kept[:-1] + b"\x00")
    with pytest.raises(Differs):
        check_redis(bench.redis.port, winners)
    bench.redis.client.hset(key, field, kept)
    check_redis(bench.redis.port, winners)
    bench.redis.client.hset(key, "another", "field")
    with pytest.raises(Differs):
        check_redis(bench.redis.port, winners)


@pytest.mark.parametrize("damage", [
    "UPDATE {table} SET value_text = '0' WHERE rowid = 777", "DELETE FROM {table} WHERE rowid = 777",
    "INSERT INTO {table} (entity_key, feature_name) VALUES (x'ff', 'f0')"])
def test_a_wrong_row_in_sqlite_is_found(bench, damage):
    bench.materialize("banquet", SHAPE, "sqlite")
    path = bench.repository(SHAPE, "sqlite").online
    bench.materialize("banquet", SHAPE, "sqlite")
    with sqlite3.connect(path) as database:
        database.execute(damage.format(table=f"{PROJECT}_{VIEW}"))
    with pytest.raises(Differs):
        check_sqlite(path, bench.winners(SHAPE))
