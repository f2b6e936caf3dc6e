"""Cases probe and probe_stores: each view alone, on both stores. Where Feast works, Banquet leaves the same bytes; where
Feast fails or misbehaves, fixes.PROBES says what is expected and why. No view is left out."""
import struct
from datetime import timezone

import pyarrow.parquet as pq
import pytest
from compare import (HERE, as_keyed_in, as_values_and_seconds, assert_same, expected_cells, expected_json, field_names, stored_cells,
                     table_cells)
from feast_protos import Value, intervals
from fixes import PROBES
from steps import STORES, open_case, project_of

WINDOW = ("2024-03-01T00:00:00", "2024-03-11T00:00:00")
EVENT_S, CREATED_S = 1709348645, 1709424000
VIEWS = [(case, view) for case in ("probe", "probe_stores") for view in expected_json(case, "probe.sqlite")]


@pytest.fixture(scope="session")
def applied(feast, tmp_path_factory, servers):
    """case -> registry as Feast's apply makes it."""
    out = {}
    for case in ("probe", "probe_stores"):
        repository = open_case(case, "sqlite", tmp_path_factory.mktemp(case), servers, registry=None)
        feast.apply(repository)
        out[case] = repository.registry.read_bytes()
    return out


@pytest.fixture(scope="session")
def repositories(applied, tmp_path_factory, servers):
    out = {}
    for case, registry in applied.items():
        for store in STORES:
            repository = open_case(case, store, tmp_path_factory.mktemp("probes"), servers, registry=None)
            repository.registry.write_bytes(registry)
            out[case, store] = repository
    return out


def key_of(number):
    return struct.pack("<III2sII q", 1, 2, 2, b"id", 4, 8, number).hex()


def cells_expected(case, view):
    """As SQLite holds them: Feast's rows, or what fixes.PROBES says."""
    feast_result = expected_json(case, "probe.sqlite")[view]
    fix = PROBES.get(view)
    if fix is None:
        assert feast_result["ok"], f"Feast fails {view}: say in fixes.PROBES what Banquet does"
        return table_cells({view: feast_result["rows"]}, "")
    rows = [{"entity_key": key_of(key), "feature_name": "f", "value": data, "value_text": text, "vector_value": None,
             "event_ts": fix.event_s.get(key, EVENT_S), "created_ts": fix.created_s.get(key, CREATED_S)}
            for key, (data, text) in (fix.values or {}).items()]
    return table_cells({view: rows}, "")


def test_every_fix_names_a_view_that_exists():
    assert set(PROBES) <= {view for _, view in VIEWS}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(("case", "view"), VIEWS)
def test_probe(case, view, store, repositories, servers_clean):
    repository, project = repositories[case, store], project_of(case)
    before = len(intervals(repository.registry)[view])
    outcome = repository.banquet("materialize", *WINDOW, "-v", view)
    names = field_names(repository.registry)
    actual = stored_cells(servers_clean, store, repository, project, names)
    if store == "sqlite":  # One file for all of the probes.
        actual = {name: cell for name, cell in actual.items() if name[0] == view}
    recorded = len(intervals(repository.registry)[view]) - before
    fix = PROBES.get(view)
    if fix is not None and fix.values is None:
        assert outcome.exit_code == fix.exit_code, f"{fix.why}: {outcome}"
        assert view in outcome.stderr and fix.says in outcome.stderr, outcome
        assert (actual, recorded) == ({}, 0), "a failed view leaves nothing"
        return
    assert outcome.exit_code == 0, outcome
    assert recorded == 1
    expected = cells_expected(case, view)
    if store != "sqlite":
        expected = as_values_and_seconds(as_keyed_in(store, expected))
        actual = as_values_and_seconds(actual, store)
    assert_same(expected, actual, view)


@pytest.mark.parametrize("store", [store for store in STORES if store != "sqlite"])
def test_a_store_after_all_of_its_probes_is_as_feast_leaves_it(store, applied, tmp_path, servers_clean):
    """probe_stores was recorded on these too: exact timestamps, all views one after another."""
    project = project_of("probe_stores")
    repository = open_case("probe_stores", store, tmp_path, servers_clean, registry=None)
    repository.registry.write_bytes(applied["probe_stores"])
    names = field_names(repository.registry)
    for view in expected_json("probe_stores", f"probe.{store}"):
        outcome = repository.banquet("materialize", *WINDOW, "-v", view)
        assert outcome.exit_code == 0, outcome
    expected = expected_cells("probe_stores", store, project, names)
    actual = stored_cells(servers_clean, store, repository, project, names)
    if store == "postgres":
        expected |= postgres_fixes(expected)
    assert_same(expected, actual, "probe_stores")


def postgres_fixes(expected):
    """Where Feast fails on Postgres alone: a null created time is NULL, not the year 48113, and a text with NUL is no text."""
    fixed = {name: None for name, cell in expected.items() if name[3] == "created_ts" and cell.startswith("48113")}
    assert len(fixed) == 2
    rows = pq.read_table(HERE / "probe_stores/data/nul_text.parquet").to_pylist()
    assert any("\0" in row["f"] for row in rows) and not all("\0" in row["f"] for row in rows)
    for row in rows:
        where = "nul_text", key_of(row["id"]), "f"
        fixed |= {(*where, "value"): Value(string_val=row["f"]).SerializeToString().hex(),
                  (*where, "value_text"): None if "\0" in row["f"] else row["f"], (*where, "vector_value"): None,
                  (*where, "event_ts"): row["event_timestamp"].astimezone(timezone.utc).isoformat(),
                  (*where, "created_ts"): row["created"].astimezone(timezone.utc).isoformat()}
    return fixed
