"""The memory limit: far more keys than it holds, the same store as without it, nothing left behind."""
import hashlib
import os
import sqlite3

import numpy
import pyarrow
import pyarrow.parquet
import pytest
from outcomes import WINDOW, assert_adds_up

MIB = 1 << 20
# A key takes some 50 bytes of memory: 1.5 million of them need more than a 64 MiB run keeps. BANQUET_MEMORY_KEYS=10000000
# for the real thing.
KEYS = int(os.environ.get("BANQUET_MEMORY_KEYS", "1500000"))
LIMIT_MIB = 64


def write_many_keys(repository, keys, rows_per_key=2):
    """The rows of a key are far apart; the later one wins."""
    row = numpy.arange(keys * rows_per_key, dtype=numpy.int64)
    identity = (row * 2_654_435_761) % keys if keys % 2 else row % keys
    event = 1_704_067_200_000_000 + row  # 2024-01-01, a microsecond apart.
    time = pyarrow.timestamp("us", tz="UTC")
    table = pyarrow.table({"id": identity, "event_timestamp": pyarrow.array(event).cast(time),
                           "created": pyarrow.array(event).cast(time), "x": row / 4,
                           "tag": pyarrow.array((row % 100).astype(str))})
    pyarrow.parquet.write_table(table, repository.path / "data/inc.parquet", row_group_size=131_072)


def digest(repository):
    """Of every row of the view, in the order of keys."""
    total = hashlib.sha256()
    connection = sqlite3.connect(repository.online_db)
    (name,) = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%inc_plain'").fetchone()
    count = 0
    for row in connection.execute(f'SELECT entity_key, feature_name, value, event_ts, created_ts FROM "{name}" '
                                  "ORDER BY entity_key, feature_name"):
        total.update(repr(row).encode())
        count += 1
    connection.close()
    return count, total.hexdigest()


def test_a_run_beyond_its_memory_limit_leaves_the_same_store(make_repository, tmp_path):
    stores = {}
    for name, options in {"plain": [], "limited": [f"--memory-limit={LIMIT_MIB}MiB"]}.items():
        repository = make_repository(name=name)
        write_many_keys(repository, KEYS)
        spill = tmp_path / f"spill_{name}"
        spill.mkdir()
        outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json", f"--spill-directory={spill}",
                                     "--log-level=info", *options, timeout_s=900)
        assert outcome.exit_code == 0, outcome
        assert_adds_up(outcome.json)
        assert outcome.json["views"][0]["rows"]["winners"] == KEYS
        assert list(spill.iterdir()) == []
        assert ("rows went through" in outcome.stderr) == (name == "limited"), outcome.stderr
        stores[name] = digest(repository)
        if name == "limited":
            assert outcome.json["peak_memory_bytes"] <= 1.1 * LIMIT_MIB * MIB + 64 * MIB
    assert stores["plain"] == stores["limited"]
    assert stores["plain"][0] == 2 * KEYS


def test_a_spill_directory_that_is_missing_is_the_users_to_mend(make_repository):
    repository = make_repository()
    write_many_keys(repository, KEYS)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", f"--memory-limit={LIMIT_MIB}MiB",
                                 "--spill-directory=/missing/folder")
    assert outcome.exit_code == 2, outcome
    assert "/missing/folder" in outcome.stderr and "banquet.spill_directory" in outcome.stderr


@pytest.mark.parametrize("limit", ["63MiB", "0", "-1"])
def test_a_limit_below_64_mib_is_refused(repository, limit):
    outcome = repository.banquet("materialize", *WINDOW, f"--memory-limit={limit}")
    assert outcome.exit_code == 2, outcome
    assert "memory" in outcome.stderr
