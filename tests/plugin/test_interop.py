"""The cases of tests/interop with Banquet inside Feast: answers, and who goes on where the other stopped."""
import pytest
from feast_protos import intervals
from plugged import by_banquet, plug
from repositories import STORES
from test_reading_and_bookkeeping import (DAY_US, JAN_1_US, WINDOWS, applied, by_name, comparable, requests_of, tags,  # noqa: F401
                                          tied_driver)
from test_shared_registries import JAN, PRODUCTS, registries  # noqa: F401


@pytest.fixture(scope="module", autouse=True)
def feast_makes_the_tables(dynamodb_server):
    dynamodb_server.forget()


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("case", ["basic", "types", "timestamps"])
def test_feast_answers_the_same_after_banquet_as_after_feast(case, store, applied, feast, tmp_path, servers_clean):  # noqa: F811
    requests = requests_of(case)
    theirs = applied(case, store).copy(tmp_path, "feast")
    feast.materialize(theirs, *WINDOWS[case])
    expected = comparable(feast.online(theirs, requests))
    servers_clean.empty(store)
    ours = plug(applied(case, store).copy(tmp_path, "banquet"))
    by_banquet(feast.jobs_of(ours, *WINDOWS[case]))
    actual = comparable(feast.online(ours, requests))
    if case == "basic":
        expected[0], actual[0] = tied_driver(expected[0], requests[0]), tied_driver(actual[0], requests[0])
    assert actual == expected


@pytest.mark.parametrize("store", STORES)
def test_command_and_plug_in_go_on_where_the_other_stopped(store, applied, feast, tmp_path, servers_clean):  # noqa: F811
    """The command reads the same line in feature_store.yaml."""
    repository = plug(applied("incremental", store).copy(tmp_path, "repository"), threads=1)
    by_banquet(feast.jobs_of(repository, "2024-01-01T00:00:00", "2024-01-05T00:00:00", views=["inc_plain"]))
    outcome = repository.banquet("materialize-incremental", "2024-01-10T00:00:00", "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    assert outcome.json["views"][0]["window"] == {"start": "2024-01-05T00:00:00Z", "end": "2024-01-10T00:00:00Z"}
    by_banquet(feast.jobs_of(repository, "2024-01-20T00:00:00", views=["inc_plain"]))
    day = [JAN_1_US + days * DAY_US for days in (0, 4, 9, 19)]
    assert intervals(repository.registry)["inc_plain"] == list(zip(day, day[1:]))
    assert tags(feast, repository) == ["jan15", "jan15", "on end of step 1", "on end of step 2"]


@pytest.mark.parametrize("product", PRODUCTS)
def test_registries_elsewhere_are_feasts_to_write(product, registries, feast):  # noqa: F811
    repository = plug(registries.make(product))
    by_banquet(feast.jobs_of(repository, JAN[0], JAN[9]), "inc_plain", "inc_ttl", "inc_new")
    outcome = repository.banquet("materialize-incremental", JAN[19], "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    by_banquet(feast.jobs_of(repository, JAN[24], views=["inc_plain"]), "inc_plain")
    assert feast.intervals(repository, "inc_plain") == [[JAN[0], JAN[9]], [JAN[9], JAN[19]], [JAN[19], JAN[24]]]
    assert feast.intervals(repository, "inc_new") == [[JAN[0], JAN[9]]]


@pytest.mark.parametrize("store", STORES)
def test_an_entityless_view_is_answered_without_an_entity(store, applied, feast, tmp_path, servers_clean):  # noqa: F811
    repository = plug(applied("basic", store).copy(tmp_path, "repository"))
    by_banquet(feast.jobs_of(repository, *WINDOWS["basic"], views=["global_stats"]), "global_stats")
    outcome = repository.banquet("get-online-features", "--features", "global_stats:city", "--json")
    assert by_name(outcome.json)["city"] == (["c8"], ["PRESENT"], ["2024-03-09T00:00:00Z"])
