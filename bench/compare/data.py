"""Generated rows and their newest per key: a pure function of the shape, the seed and the row's number."""
import dataclasses
import math

import numpy
import pyarrow
import pyarrow.parquet

PROJECT, VIEW = "bench", "stats"
ROW_GROUP_ROWS = 131_072
CHUNK_ROWS = 8 * ROW_GROUP_ROWS
SPAN_US = 27 * 86_400 * 1_000_000
MONTHS = ("2026-01", "2026-02", "2026-03")


@dataclasses.dataclass(frozen=True)
class Shape:
    """rows rows over rows / rows_per_key keys, each of them rows_per_key times; no two event times are equal.

    order "clustered": event times ascend with the rows, as in a log; "random": they do not.
    month 0 and 1 are two intervals of the same keys with other values.
    """
    rows: int
    rows_per_key: int = 1
    features: int = 10
    order: str = "clustered"
    seed: int = 7
    month: int = 0

    @property
    def keys(self):
        return self.rows // self.rows_per_key

    @property
    def window(self):
        return f"{MONTHS[self.month]}-01T00:00:00", f"{MONTHS[self.month]}-28T12:00:00"

    @property
    def columns(self):
        return ["driver_id", *(f"f{i}" for i in range(self.features)), "event_timestamp", "created"]

    def __str__(self):
        return f"{self.rows:,} rows, {self.keys:,} keys, {self.features} features, {self.order}"


def _coprime(start, modulus):
    while math.gcd(start, modulus) != 1:
        start += 2
    return start


def _mix(x):
    """splitmix64 over an array."""
    with numpy.errstate(over="ignore"):
        x = x + numpy.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return x ^ (x >> numpy.uint64(31))


def keys_of(shape, row):
    multiplier = _coprime(2_654_435_761, shape.keys)
    return (row % shape.keys * (multiplier % shape.keys) + shape.seed) % shape.keys


def _rank_of(shape, row):
    """Where the row stands among all rows by event time."""
    if shape.order == "clustered":
        return row
    return row * _coprime(1_000_003, shape.rows) % shape.rows


def event_us(shape, row):
    first = numpy.datetime64(f"{MONTHS[shape.month]}-01T00:00:01", "us").astype(numpy.int64)
    return first + _rank_of(shape, row) * (SPAN_US // shape.rows) + _mix(row.astype(numpy.uint64)).astype(
        numpy.uint64).view(numpy.int64) % max(1, SPAN_US // shape.rows)


def feature(shape, number, row):
    seed = numpy.uint64((shape.seed * 131 + shape.month * 17 + number + 1) * 0x1000003)
    bits = _mix(row.astype(numpy.uint64) ^ _mix(seed))
    return (bits >> numpy.uint64(11)).astype(numpy.float64) * 2.0 ** -53 * 2000 - 1000


def _table(shape, row):
    event = pyarrow.array(event_us(shape, row)).cast(pyarrow.timestamp("us", tz="UTC"))
    columns = {"driver_id": keys_of(shape, row)}
    columns |= {f"f{i}": feature(shape, i, row) for i in range(shape.features)}
    return pyarrow.table(columns | {"event_timestamp": event, "created": event})


def write(shape, path):
    writer = None
    for first in range(0, shape.rows, CHUNK_ROWS):
        table = _table(shape, numpy.arange(first, min(shape.rows, first + CHUNK_ROWS), dtype=numpy.int64))
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
    writer.close()


@dataclasses.dataclass(frozen=True, eq=False)
class Winners:
    """The newest row of every key, keys ascending: what a store must hold."""
    shape: Shape
    keys: numpy.ndarray
    event_us: numpy.ndarray
    features: list


def newest_per_key(shape):
    """By definition: rows in the order of their event times, a later one replacing an earlier one of its key."""
    winner = numpy.full(shape.keys, -1, dtype=numpy.int64)
    newest = numpy.full(shape.keys, numpy.iinfo(numpy.int64).min, dtype=numpy.int64)
    for first in range(0, shape.rows, CHUNK_ROWS):
        row = numpy.arange(first, min(shape.rows, first + CHUNK_ROWS), dtype=numpy.int64)
        key, event = keys_of(shape, row), event_us(shape, row)
        numpy.maximum.at(newest, key, event)
        wins = event == newest[key]
        winner[key[wins]] = row[wins]
    assert (winner >= 0).all()
    return Winners(shape, numpy.arange(shape.keys), event_us(shape, winner),
                   [feature(shape, i, winner) for i in range(shape.features)])
