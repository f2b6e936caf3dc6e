"""The memory limit: far more keys than it holds, the same store as without it, nothing left behind."""
import contextlib
import hashlib
import os
import sqlite3
import time
from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet
import pytest
from feast_protos import intervals
from outcomes import WINDOW, assert_adds_up

MIB = 1 << 20
# A key takes some 50 bytes of memory: 1.5 million of them need more than a 64 MiB run keeps. BANQUET_MEMORY_KEYS=10000000
# for the real thing.
KEYS = int(os.environ.get("BANQUET_MEMORY_KEYS", "1500000"))
LEAST_LIMIT_MIB = 64
SPILLED = "rows went through"


def write_many_keys(repository, keys, rows_per_key=2):
    """The rows of a key are far apart; the later one wins."""
    row = numpy.arange(keys * rows_per_key, dtype=numpy.int64)
    identity = (row * 2_654_435_761) % keys if keys % 2 else row % keys
    event = 1_704_067_200_000_000 + row  # 2024-01-01, a microsecond apart.
    instant = pyarrow.timestamp("us", tz="UTC")
    table = pyarrow.table({"id": identity, "event_timestamp": pyarrow.array(event).cast(instant),
                           "created": pyarrow.array(event).cast(instant), "x": row / 4,
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


def run_within(repository, spill, *options):
    """A run whose report adds up and that leaves nothing behind in the folder `spill`; its outcome."""
    spill.mkdir(exist_ok=True)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json", f"--spill-directory={spill}",
                                 "--log-level=info", *options, timeout_s=1800)
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    assert outcome.json["views"][0]["rows"]["winners"] == KEYS
    assert list(spill.iterdir()) == []
    return outcome


def test_runs_beyond_their_memory_limit_leave_the_same_store(make_repository, tmp_path):
    """At a half, a quarter and a sixteenth of what the run takes without a limit, and at the least there is."""
    plain = make_repository(name="plain")
    write_many_keys(plain, KEYS)
    outcome = run_within(plain, tmp_path / "spill")
    assert SPILLED not in outcome.stderr
    store = digest(plain)
    assert store[0] == 2 * KEYS
    need = outcome.json["peak_memory_bytes"]
    for limit in sorted({max(need // part // MIB, LEAST_LIMIT_MIB) for part in (2, 4, 16)} | {LEAST_LIMIT_MIB}):
        repository = make_repository(name=f"limit_{limit}")
        write_many_keys(repository, KEYS)
        outcome = run_within(repository, tmp_path / "spill", f"--memory-limit={limit}MiB")
        peak = outcome.json["peak_memory_bytes"]
        print(f"{KEYS} keys need {need // MIB} MiB; limit {limit} MiB, peak {peak // MIB} MiB, "
              f"{outcome.json['seconds']:.1f} s")
        assert peak <= 1.1 * limit * MIB + 64 * MIB
        # Half of the need is still enough where most of it is the process itself.
        assert limit > LEAST_LIMIT_MIB or SPILLED in outcome.stderr, outcome.stderr
        assert digest(repository) == store, f"limit {limit} MiB"


def spill_files(process):
    """Unlinked files that the process holds open."""
    targets = []
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            targets.append(os.readlink(link))
    return [target for target in targets if "/spill/" in target and target.endswith(" (deleted)")]


def test_a_run_killed_while_it_spills_leaves_nothing_and_the_next_one_is_whole(make_repository, tmp_path):
    repository = make_repository()
    write_many_keys(repository, KEYS)
    spill = tmp_path / "spill"
    spill.mkdir()
    limit = f"--memory-limit={LEAST_LIMIT_MIB}MiB"
    with repository.start("materialize", *WINDOW, "-v", "inc_plain", f"--spill-directory={spill}", limit) as process:
        deadline = time.monotonic() + 120
        while not spill_files(process):
            assert process.poll() is None, "the run ended before it spilled"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.kill()
        process.communicate()
    assert list(spill.iterdir()) == []
    assert intervals(repository.registry)["inc_plain"] == []
    run_within(repository, spill, limit)
    whole = digest(repository)
    fresh = make_repository(name="fresh")
    write_many_keys(fresh, KEYS)
    run_within(fresh, spill)
    assert digest(fresh) == whole


def test_a_spill_directory_that_is_missing_is_the_users_to_mend(make_repository):
    repository = make_repository()
    write_many_keys(repository, KEYS)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", f"--memory-limit={LEAST_LIMIT_MIB}MiB",
                                 "--spill-directory=/missing/folder")
    assert outcome.exit_code == 2, outcome
    assert "/missing/folder" in outcome.stderr and "banquet.spill_directory" in outcome.stderr


@pytest.mark.parametrize("limit", ["63MiB", "0", "-1"])
def test_a_limit_below_64_mib_is_refused(repository, limit):
    outcome = repository.banquet("materialize", *WINDOW, f"--memory-limit={limit}")
    assert outcome.exit_code == 2, outcome
    assert "memory" in outcome.stderr
