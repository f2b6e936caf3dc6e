"""Gates: what a row, a value and an entity cost, counted. Each is the difference of two sizes, so that start-up is out.

A bound stands about 15 % above what was counted when it was set (the figure beside it: Debian 12, g++ 12, one worker).
Whoever makes it cheaper lowers the bound.
"""
import re
import subprocess

import pyarrow.parquet
import pytest
from compare.callgrind import instructions_per_unit
from compare.data import PROJECT, VIEW, Shape, newest_per_key
from compare.oracle import entity_key, timestamp_bytes
from compare.process import run

SMALL, LARGE = Shape(20_000, rows_per_key=10), Shape(60_000, rows_per_key=10)
FEW, MANY = Shape(10_000), Shape(40_000)  # Rows = keys.


def at_most(counted, bound, what):
    print(f"{what}: {counted:.3f}, at most {bound}")
    assert counted <= bound, f"{what}: {counted:.3f}, allowed {bound}"


def read_path_arguments(bench, level, shape):
    repository = bench.repository(shape, "redis")
    start, end = shape.window
    return ["read-path", "--repo", repository.path, "--start", start, "--end", end, "--level", level, "--threads", "1"]


@pytest.mark.parametrize("level, bound", [
    ("L1", 2040),  # 1774: one row group, read for keys and times, then for the winners
    ("L2", 2130),  # 1849
])
def test_instructions_per_row_of_the_read_path(bench, level, bound):
    """Ten doubles a row, ten rows per key."""
    counted = instructions_per_unit(bench.native, lambda shape: read_path_arguments(bench, level, shape), SMALL, LARGE,
                                    units_of=lambda shape, _: shape.rows)
    at_most(counted, bound, f"instructions per row, {level}")


@pytest.mark.parametrize("more, bound", [
    ((), 92),  # 80.2
    (("--frame", "hset"), 212),  # 183.6
    (("--frame", "restore"), 239),  # 207.4
])
def test_instructions_per_value_of_encode(bench, more, bound):
    counted = instructions_per_unit(bench.native, lambda batches: ["encode", *more, "--batches", str(batches)], 1, 3,
                                    units_of=lambda _, result: result["values"])
    at_most(counted, bound, f"instructions per value, encode {' '.join(more)}")


@pytest.mark.parametrize("level, bound", [
    ("L1", 0.014),  # 0.012
    ("L2", 0.015),  # 0.013
])
def test_allocations_per_row_of_the_read_path(bench, level, bound):
    few, many = (bench.read_path(shape, level, "--threads", "1") for shape in (Shape(200_000, 10), Shape(600_000, 10)))
    counted = (sum(many[kind] - few[kind] for kind in ("news", "arrow_allocations"))) / (many["rows"] - few["rows"])
    at_most(counted, bound, f"allocations per row, {level}")


def test_allocations_per_value_of_encode(bench):
    few, many = (bench.encode(batches, "restore") for batches in (2, 12))
    counted = sum(many[kind] - few[kind] for kind in ("news", "arrow_allocations")) / (many["values"] - few["values"])
    at_most(counted, 0.00057, "allocations per value, encode and frame")  # 0.00049: 49 a batch of 10,000 rows


def hset_bytes(shape):
    """The wire formula: one HSET with the time and every feature, for every entity, in bytes each."""
    head = len(b"*%d\r\n" % (2 * shape.features + 4)) + len(b"$4\r\nHSET\r\n")

    def word(size):
        return len(b"$%d\r\n" % size) + size + 2

    key = word(len(entity_key(0)) + len(PROJECT))
    features = shape.features * (word(4) + word(9))
    times = newest_per_key(shape).event_us.tolist()
    return head + key + word(len("_ts:") + len(VIEW)) + features + sum(
        word(len(timestamp_bytes(time))) for time in times) / shape.keys


def check_bytes(shape):
    """HMGET of the stored time, for every entity."""
    key, field = len(entity_key(0)) + len(PROJECT), len("_ts:") + len(VIEW)
    return len(b"*3\r\n$5\r\nHMGET\r\n") + len(b"$%d\r\n" % key) + key + 2 + len(b"$%d\r\n" % field) + field + 2


@pytest.mark.parametrize("options, guarded", [((), True), (("--overwrite", "always"), False)])
def test_bytes_sent_to_redis_per_entity(bench, options, guarded):
    """Never more than a check and a plain HSET; RESTORE sends less."""
    few, many = (bench.capture(shape, *options)[1] for shape in (FEW, MANY))
    counted = (many - few) / (MANY.keys - FEW.keys)
    at_most(counted, 1.001 * (hset_bytes(MANY) + (check_bytes(MANY) if guarded else 0)), "bytes sent per entity")


def test_bytes_read_are_those_of_the_projected_columns(bench):
    """The file has two columns more than the view."""
    view, file = Shape(30_000), Shape(30_000, features=12)
    repository = bench.repository(view, "redis")
    repository.use(bench.file(file))
    start, end = view.window
    result = run([bench.native, "read-path", "--repo", repository.path, "--start", start, "--end", end]).json()
    metadata = pyarrow.parquet.ParquetFile(bench.file(file)).metadata
    chunks = [metadata.row_group(group).column(column)
              for group in range(metadata.num_row_groups) for column in range(metadata.num_columns)]
    bytes_of = dict.fromkeys(file.columns, 0)
    for chunk in chunks:
        bytes_of[chunk.path_in_schema] += chunk.total_compressed_size
    due = sum(bytes_of[column] for column in view.columns)
    # The contest reads keys and times, the winners' rows are read afterwards with all columns.
    twice = sum(bytes_of[column] for column in ("driver_id", "event_timestamp", "created"))
    assert due <= result["bytes_read"] <= due + twice


def system_calls(argv, cwd, without=()):
    """All calls but those of these names, whose number depends on the pace of somebody else."""
    done = subprocess.run(["strace", "-f", "-c", *map(str, argv)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    counts = {name: int(calls) for calls, name in re.findall(
        r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", done.stderr, re.MULTILINE) if name != "total"}
    assert counts, done.stderr
    return sum(calls for name, calls in counts.items() if name not in without)


# How much a receive finds, and how often a worker waits for it, depends on the server's pace.
PACE = ("recvfrom", "read", "poll", "futex", "epoll_wait")


@pytest.mark.parametrize("store, without, bound", [
    ("redis", PACE, 11),  # 9.3
    ("sqlite", (), 985),  # 856
])
def test_system_calls_per_thousand_entities(bench, store, without, bound):
    counts = []
    for shape in (FEW, MANY):
        repository = bench.repository(shape, store)
        bench.empty_store()
        counts.append(system_calls([bench.banquet, "--progress", "none", "--threads", "1", "materialize", *shape.window],
                                   repository.path, without))
        bench.check(shape, store)
    at_most((counts[1] - counts[0]) * 1000 / (MANY.keys - FEW.keys), bound, f"system calls per 1,000 entities, {store}")
