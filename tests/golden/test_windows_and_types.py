"""Cases basic, types and timestamps: one materialize, then every byte as Feast left it."""
import pyarrow.parquet as pq
import pytest
from compare import as_keyed_in, assert_same, expected_cells, expected_json, field_names, stored_cells
from feast_protos import Value
from fixes import VALUE_CHANGES
from steps import STORES, assert_registry, expected_registry, open_case, project_of, recorded_steps


def with_changes(cells, case):
    for (view, feature), (_, change) in VALUE_CHANGES.get(case, {}).items():
        touched = [c for c in cells if c[0] == view and c[2] == feature and c[-1] == "value"]
        assert touched, f"nothing left to change: {view}:{feature}"
        for name in touched:
            cells[name] = change(cells[name])
    return cells


def take_tied(case, store, expected, actual):
    """Row 38: where newest rows tie on both times, Feast's choice is an accident; both sides' cells are taken out."""
    taken = {}
    for view, keys in expected_json(case, "unspecified").items():
        for _, key in as_keyed_in(store, {(view, key): None for key in keys}):
            def belongs(name):
                return name[0] == view and name[1] == key
            taken[view, key] = {n: v for n, v in actual.items() if belongs(n)}
            assert {n for n in expected if belongs(n)} == set(taken[view, key]), f"cells of {view} {key}"
            for cells in (expected, actual):
                for name in [n for n in cells if belongs(n)]:
                    del cells[name]
    return taken


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("case", ["basic", "types", "timestamps"])
def test_store_and_registry_are_as_feast_leaves_them(case, store, tmp_path, servers_clean):
    project = project_of(case)
    repository = open_case(case, store, tmp_path, servers_clean)
    names = field_names(repository.registry)
    for step in recorded_steps(case, store):
        if step["argv"][1] == "materialize":
            outcome = repository.banquet(*step["argv"][1:])
            assert outcome.exit_code == 0, outcome
    expected = with_changes(expected_cells(case, store, project, names), case)
    actual = stored_cells(servers_clean, store, repository, project, names)
    tied = take_tied(case, store, expected, actual)
    assert_same(expected, actual, f"{case} on {store}")
    assert_registry(repository, expected_registry(case, store))
    if case == "basic":
        assert_tie_is_first_in_file(tied)


def assert_tie_is_first_in_file(tied):
    """Among three rows of driver 9008 that tie on both times, the first of the file wins."""
    ((view, _), cells), = tied.items()
    table = pq.read_table(__file__.rsplit("/", 1)[0] + f"/basic/data/{view}.parquet").to_pylist()
    first = next(row for row in table if row["driver_id"] == 9008)
    found = {name[2]: data for name, data in cells.items() if name[-1] == "value"}
    assert found["conv_rate"] == Value(double_val=first["conv_rate"]).SerializeToString().hex()
    assert found["trips"] == Value(int64_val=first["trips"]).SerializeToString().hex()
    assert found["nick"] == Value(string_val=first["nick"]).SerializeToString().hex()
