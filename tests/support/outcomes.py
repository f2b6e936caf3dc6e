"""What the end-to-end tests ask of an outcome and of a store."""
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
from feast_protos import intervals
from stores import dump_redis, dump_sqlite

FIRST = ("2024-01-01T00:00:00", "2024-01-10T00:00:00")
WINDOW = ("2024-01-01T00:00:00", "2024-01-31T00:00:00")
ROW_COUNT = 26  # of data/inc.parquet


def one_error_line(outcome, *words):
    """The error is one line of standard error that holds all `words`; returns it."""
    lines = [line for line in outcome.stderr.splitlines() if line.startswith("banquet: ") and " warning: " not in line]
    assert len(lines) == 1, outcome
    for word in words:
        assert word in lines[0], f"{word!r} is not in the error: {outcome}"
    assert "Traceback" not in outcome.stderr and "terminate called" not in outcome.stderr, outcome
    return lines[0]


def contents(repository, redis=None):
    return dump_redis(redis, "golden_inc") if redis else dump_sqlite(repository)


@contextmanager
def nothing_lost_nothing_recorded(repository, redis=None):
    """The store's content and the recorded intervals are the same after the block as before it."""
    stored, recorded = contents(repository, redis), repository.registry.read_bytes()
    assert stored, "the test must begin with something in the store"
    yield
    assert contents(repository, redis) == stored
    assert repository.registry.read_bytes() == recorded


def filled(repository):
    """The repository after a first good run."""
    outcome = repository.banquet("materialize", *FIRST, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    assert len(intervals(repository.registry)["inc_plain"]) == 1
    return repository


def rewrite(repository, change, table="inc"):
    """Rewrites data/<table>.parquet: `change` takes and gives a pyarrow table."""
    path = repository.path / f"data/{table}.parquet"
    pq.write_table(change(pq.read_table(path)), path)


def with_column(name, kind, values):
    """A change for `rewrite`: the column replaced; `values` may be shorter than the table, None follows."""
    def change(table):
        padded = list(values) + [None] * (table.num_rows - len(values))
        return table.set_column(table.column_names.index(name), name, pa.array(padded, type=kind))
    return change


def assert_adds_up(report):
    """Rule 4 of the architecture: every row has one fate, every winner one outcome per store."""
    for view in report["views"]:
        rows = view["rows"]
        assert rows["read"] == sum(rows[fate] for fate in (
            "outside_window", "null_key", "null_time", "duplicates", "quarantined", "winners")), view
        for store in view["stores"]:
            assert rows["winners"] == sum(store[o] for o in ("written", "stale", "undecided", "unchanged")), view
