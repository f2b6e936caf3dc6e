"""Case incremental, dumped after each of its seven steps: under `overwrite: feast` as Feast left it, and under the
default `newest` as an oracle of that rule says."""
import struct
from datetime import datetime, timezone

import pyarrow.parquet as pq
import pytest
from compare import assert_same, entity_id, expected_cells, field_names, stored_cells
from feast_protos import Value
from google.protobuf.timestamp_pb2 import Timestamp
from steps import (STORES, assert_registry, expected_registry, open_case, project_of, recorded_steps, replace_as_noted)

CASE = "incremental"
REFUSED = {2: "inc_new", 5: "inc_plain"}  # steps whose window is reversed for one view: exit 2, the others run


def run_steps(repository, store):
    """Runs the recorded steps; yields each one's number, arguments and outcome."""
    number = 0
    for step in recorded_steps(CASE, store):
        if "note" in step:
            replace_as_noted(repository, CASE, step["note"])
        elif step["argv"][1].startswith("materialize"):
            number += 1
            outcome = repository.banquet(*step["argv"][1:])
            assert outcome.exit_code == (2 if number in REFUSED else 0), f"step {number}: {outcome}"
            if number in REFUSED:
                assert f"banquet: {REFUSED[number]}: " in outcome.stderr and "greater than" in outcome.stderr, outcome
            yield number, step["argv"][1:]
    assert number == 7


@pytest.mark.parametrize("store", STORES)
def test_each_step_under_feasts_rule_is_as_feast_leaves_it(store, tmp_path, servers_clean):
    project = project_of(CASE)
    repository = open_case(CASE, store, tmp_path, servers_clean)
    repository.append_configuration("banquet: {overwrite: feast}\n")
    names = field_names(repository.registry)
    for number, _ in run_steps(repository, store):
        expected = expected_cells(CASE, store, project, names, number)
        assert_same(expected, stored_cells(servers_clean, store, repository, project, names), f"step {number} on {store}")
        assert_registry(repository, expected_registry(CASE, store, number))


class NewestOracle:
    """The rule of `overwrite: newest`, written a second time: of a window the row with the greatest event time, then
    created time, then the first of the file; it replaces what is stored unless that is newer at the store's precision.
    """

    def __init__(self, repository, store):
        self.repository, self.store = repository, store
        self.stored = {}  # (view, id) -> row
        self.ends = {}    # view -> end of the newest window recorded

    def run(self, arguments):
        command, *rest = arguments
        views = [rest[i + 1] for i, word in enumerate(rest) if word == "-v"] or ["inc_plain", "inc_ttl", "inc_new"]
        times = [parse(word) for word in rest if word[:2] == "20"]
        for view in views:
            start = times[0] if command == "materialize" else self.ends.get(view, first_start(view))
            if start <= times[-1]:
                self.ends[view] = max(self.ends.get(view, times[-1]), times[-1])
                self.write(view, start, times[-1])

    def write(self, view, start, end):
        winners = {}
        for row in pq.read_table(self.repository.path / "data/inc.parquet").to_pylist():
            if not start <= row["event_timestamp"] <= end:
                continue
            best = winners.setdefault(row["id"], row)
            if (row["event_timestamp"], row["created"]) > (best["event_timestamp"], best["created"]):
                winners[row["id"]] = row
        for key, row in winners.items():
            old = self.stored.get((view, key))
            if old is None or self.instant(row["event_timestamp"]) >= self.instant(old["event_timestamp"]):
                self.stored[view, key] = row

    def instant(self, time):
        return time.replace(microsecond=0) if self.store == "sqlite" else time

    def time_cell(self, time):
        return int(time.timestamp()) if self.store == "sqlite" else time.astimezone(timezone.utc).isoformat()

    def cells(self):
        cells = {}
        for (view, key), row in self.stored.items():
            entity = struct.pack("<III2sII q", 1, 2, 2, b"id", 4, 8, key).hex()
            if self.store == "dynamodb":
                entity = entity_id(entity)
                cells[view, entity, "", "event_ts"] = str(row["event_timestamp"].astimezone(timezone.utc))
            if self.store == "redis":
                stamp = Timestamp()
                stamp.FromDatetime(row["event_timestamp"])
                cells["", entity, "", "ttl"] = -1
                cells[view, entity, "", "_ts"] = stamp.SerializeToString().hex()
            for feature, data, text in (("x", Value(double_val=row["x"]), repr(row["x"])),
                                        ("tag", Value(string_val=row["tag"]), row["tag"])):
                where = view, entity, feature
                cells[(*where, "value")] = data.SerializeToString().hex()
                if self.store in ("sqlite", "postgres"):
                    cells[(*where, "value_text")] = text
                    cells[(*where, "vector_value")] = None
                    cells[(*where, "event_ts")] = self.time_cell(row["event_timestamp"])
                    cells[(*where, "created_ts")] = self.time_cell(row["created"])
        return cells


def parse(text):
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def first_start(view):
    """inc_ttl reaches back 36,500 days, the others 364 days from now, which is after every END of the case."""
    year = 1900 if view == "inc_ttl" else 2200
    return datetime(year, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize("store", STORES)
def test_each_step_under_the_default_rule_is_as_the_oracle_says(store, tmp_path, servers_clean):
    project = project_of(CASE)
    repository = open_case(CASE, store, tmp_path, servers_clean)
    names = field_names(repository.registry)
    oracle = NewestOracle(repository, store)
    for number, arguments in run_steps(repository, store):
        oracle.run(arguments)
        actual = stored_cells(servers_clean, store, repository, project, names)
        assert_same(oracle.cells(), actual, f"step {number} on {store}")
        assert_registry(repository, expected_registry(CASE, store, number))


@pytest.mark.parametrize("store", STORES)
def test_the_oracle_and_feast_differ(store, tmp_path, servers_clean):
    """Guards the two tests above: were both rules the same on these steps, they would show nothing."""
    repository = open_case(CASE, store, tmp_path, servers_clean)
    names = field_names(repository.registry)
    oracle = NewestOracle(repository, store)
    differing = []
    number = 0
    for step in recorded_steps(CASE, store):
        if "note" in step:
            replace_as_noted(repository, CASE, step["note"])
        elif step["argv"][1].startswith("materialize"):
            number += 1
            oracle.run(step["argv"][1:])
            if oracle.cells() != expected_cells(CASE, store, project_of(CASE), names, number):
                differing.append(number)
    # SQL stores and DynamoDB: Feast's backfill of step 4 overwrites newer rows. Redis: Feast drops the corrected rows of step 3 on.
    assert differing[0] == (3 if store == "redis" else 4), differing
