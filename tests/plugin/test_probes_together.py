"""All probe views in one run of Feast: each as alone, whatever becomes of the others."""
import pytest
from compare import as_keyed_in, as_values_and_seconds, assert_same, field_names, stored_cells
from feast_protos import intervals
from fixes import PROBES
from plugged import plug
from steps import STORES, open_case, project_of
from test_probes import VIEWS, WINDOW, applied, cells_expected  # noqa: F401 (a fixture among them)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("case", ["probe", "probe_stores"])
def test_each_view_is_as_alone(case, store, applied, feast, tmp_path, servers_clean):  # noqa: F811
    repository = plug(open_case(case, store, tmp_path, servers_clean, registry=None))
    repository.registry.write_bytes(applied[case])
    project, views = project_of(case), [view for its_case, view in VIEWS if its_case == case]
    result = feast.jobs_of(repository, *WINDOW, views=views)
    jobs, recorded = result["jobs"], intervals(repository.registry)
    assert set(jobs) == set(views)
    names = field_names(repository.registry)
    actual = stored_cells(servers_clean, store, repository, project, names)
    failed = {view for view in views if PROBES.get(view) is not None and PROBES[view].values is None}
    expected = {}
    for view in views:
        job, fix = jobs[view], PROBES.get(view)
        assert job["fallback_reason"] is None, job
        if view in failed:
            assert (job["status"], job["exit_code"]) == ("ERROR", fix.exit_code), f"{fix.why}: {job}"
            assert view in job["error"] and fix.says in job["error"], job
            assert recorded[view] == [], view
            continue
        assert (job["status"], len(recorded[view])) == ("SUCCEEDED", 1), job
        cells = cells_expected(case, view)
        expected |= cells if store == "sqlite" else as_values_and_seconds(as_keyed_in(store, cells))
    if store != "sqlite":
        actual = as_values_and_seconds(actual, store)
    assert_same(expected, actual, f"{case} on {store}")
    assert bool(failed) == (result["raised"] is not None), result["raised"]
