"""Case cli: exit codes, error texts and the forms of START and END."""
import pytest
from compare import as_keyed_in, as_values_and_seconds, assert_same, expected_cells, field_names, stored_cells
from steps import STORES, assert_registry, expected_registry, open_case, project_of, recorded_steps

CASE = "cli"
# What a user must read in the error, by the step's arguments after `materialize`.
ERRORS = {
    ("2024-02-01T00:00:00", "2024-01-01T00:00:00"): "greater than",
    ("2024-01-01T00:00:00", "2024-01-02T00:00:00", "-v", "no_such_view"): "no_such_view",
    (): "START_TS and END_TS are required",
    ("2024-01-01T00:00:00",): "START_TS and END_TS are required",
    ("yesterday",): "yesterday",
    ("--disable-event-timestamp", "2024-01-01T00:00:00", "2024-01-02T00:00:00"): "Cannot specify START_TS or END_TS",
    ("2024-01-01T00:00:00", "2024-01-02T00:00:00", "-v", "inc_plain", "--version", "v0"): "enable_online_feature_view_versioning",
}


@pytest.mark.parametrize("store", STORES)
def test_steps_end_as_feasts_do_and_user_errors_exit_2(store, tmp_path, servers_clean):
    project = project_of(CASE)
    repository = open_case(CASE, store, tmp_path, servers_clean)
    names = field_names(repository.registry)
    failed = 0
    for step in recorded_steps(CASE, store):
        arguments = step["argv"][1:]
        if arguments[0] == "apply":
            continue
        before = repository.registry.read_bytes()
        outcome = repository.banquet(*arguments)
        if step["exit_code"] == 0:
            assert outcome.exit_code == 0, f"{arguments}: {outcome}"
            continue
        failed += 1
        assert outcome.exit_code == 2, f"{arguments}: {outcome}"
        assert ERRORS[tuple(arguments[1:])] in outcome.stderr, f"{arguments}: {outcome}"
        assert len(outcome.stderr.strip().splitlines()) <= 2, f"{arguments}: {outcome}"
        assert repository.registry.read_bytes() == before, f"{arguments}: the registry changed"
    assert failed == len(ERRORS)
    expected = expected_cells(CASE, "sqlite", project, names)
    actual = stored_cells(servers_clean, store, repository, project, names)
    if store != "sqlite":  # Recorded on SQLite alone: the same values must be there, at the same second.
        expected = as_values_and_seconds(as_keyed_in(store, expected))
        actual = as_values_and_seconds(actual, store)
    assert_same(expected, actual, f"cli on {store}")
    assert_registry(repository, expected_registry(CASE, "sqlite"))
