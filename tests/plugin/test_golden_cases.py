"""The golden repositories through Feast with Banquet as its engine: store and registry byte for byte as Feast alone leaves them."""
import pytest
from compare import assert_same, expected_cells, expected_json, field_names, stored_cells
from feast_protos import intervals
from plugged import by_banquet, plug, run
from steps import (STORES, assert_registry, expected_registry, open_case, project_of, recorded_steps, registry_run,
                   replace_as_noted, sorted_by_name)
from test_incremental import NewestOracle
from test_versioned import rows_of_v1
from test_windows_and_types import assert_tie_is_first_in_file, take_tied, with_changes


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("case", ["basic", "types", "timestamps"])
def test_store_and_registry_are_as_feast_leaves_them(case, store, feast, tmp_path, servers_clean):
    project = project_of(case)
    repository = plug(open_case(case, store, tmp_path, servers_clean))
    names = field_names(repository.registry)
    for step in recorded_steps(case, store):
        if step["argv"][1] == "materialize":
            by_banquet(run(feast, repository, step["argv"][1:]))
    expected = with_changes(expected_cells(case, store, project, names), case)
    actual = stored_cells(servers_clean, store, repository, project, names)
    tied = take_tied(case, store, expected, actual)
    assert_same(expected, actual, f"{case} on {store}")
    assert_registry(repository, expected_registry(case, store))
    if case == "basic":
        assert_tie_is_first_in_file(tied)


def steps_of_incremental(feast, repository, store):
    """Runs the recorded steps; yields each one's number and arguments. Reversed windows select nothing, and Feast records them."""
    number = 0
    for step in recorded_steps("incremental", store):
        if "note" in step:
            replace_as_noted(repository, "incremental", step["note"])
        elif step["argv"][1].startswith("materialize"):
            number += 1
            by_banquet(run(feast, repository, step["argv"][1:]))
            yield number, step["argv"][1:]
    assert number == 7


@pytest.mark.parametrize("store", STORES)
def test_each_step_under_feasts_rule_is_as_feast_leaves_it(store, feast, tmp_path, servers_clean):
    project = project_of("incremental")
    repository = plug(open_case("incremental", store, tmp_path, servers_clean), overwrite="feast")
    names = field_names(repository.registry)
    for number, _ in steps_of_incremental(feast, repository, store):
        expected = expected_cells("incremental", store, project, names, number)
        assert_same(expected, stored_cells(servers_clean, store, repository, project, names), f"step {number} on {store}")
        saved = f"{registry_run('incremental', store)}.step{number}.registry"
        assert_registry(repository, sorted_by_name(expected_json("incremental", saved)))


@pytest.mark.parametrize("store", STORES)
def test_each_step_under_the_default_rule_is_as_the_oracle_says(store, feast, tmp_path, servers_clean):
    project = project_of("incremental")
    repository = plug(open_case("incremental", store, tmp_path, servers_clean))
    names = field_names(repository.registry)
    oracle = NewestOracle(repository, store)
    for number, arguments in steps_of_incremental(feast, repository, store):
        oracle.run(arguments)
        actual = stored_cells(servers_clean, store, repository, project, names)
        assert_same(oracle.cells(), actual, f"step {number} on {store}")


@pytest.mark.parametrize("store", STORES)
def test_each_version_has_its_own_rows(store, feast, tmp_path, servers_clean):
    project = project_of("versioned")
    repository = plug(open_case("versioned", store, tmp_path, servers_clean))
    for step in recorded_steps("versioned", store):
        if "note" in step:
            replace_as_noted(repository, "versioned", step["note"])
            feast.apply(repository)
        elif step["argv"][1] == "materialize":
            by_banquet(run(feast, repository, step["argv"][1:]))
    names = field_names(repository.registry, versions=("", "_v1"))
    expected = expected_cells("versioned", store, project, names)
    if store == "sqlite":
        expected |= rows_of_v1()
    assert_same(expected, stored_cells(servers_clean, store, repository, project, names), f"versioned on {store}")
    assert len(intervals(repository.registry)["vv"]) == 3  # Feast records that of v0 on the active view, too.
