"""Further stores under banquet.online_stores: one read, each store by itself, recorded when all have the rows."""
import pytest
import yaml
from feast_protos import intervals
from outcomes import WINDOW, assert_adds_up, contents, one_error_line
from stores import dump_redis, dump_sqlite


@pytest.fixture
def repository(make_repository, redis_clean):
    """SQLite, and beside it Redis as `standby`."""
    made = make_repository()
    made.append_configuration(f"banquet: {{retry_timeout: 1s, online_stores: {{standby: {{type: redis, "
                              f"connection_string: \"localhost:{redis_clean.port}\"}}}}}}\n")
    return made


def test_every_store_gets_what_it_would_get_alone(repository, make_repository, redis_clean):
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    stores = outcome.json["views"][0]["stores"]
    assert [(store["name"], store["type"], store["status"], store["written"]) for store in stores] == [
        ("sqlite", "sqlite", "SUCCEEDED", 6), ("standby", "redis", "SUCCEEDED", 6)]
    assert len(intervals(repository.registry)["inc_plain"]) == 1
    both = dump_sqlite(repository), dump_redis(redis_clean.client, "golden_inc")
    for store, content in zip(("sqlite", "redis"), both):
        alone = make_repository(store=store, name=f"alone_{store}")
        if store == "redis":
            redis_clean.client.flushall()
        assert alone.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
        assert contents(alone, redis_clean.client if store == "redis" else None) == content


def test_a_store_that_is_down_fails_alone_and_the_next_run_mends_it(repository, redis_clean):
    configuration = (repository.path / "feature_store.yaml").read_text()
    repository.configure(configuration.replace(f"localhost:{redis_clean.port}", "localhost:1"))
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert outcome.exit_code == 4, outcome
    one_error_line(outcome, "localhost:1")
    sqlite, standby = outcome.json["views"][0]["stores"]
    assert (sqlite["status"], sqlite["written"], sqlite["error"]) == ("SUCCEEDED", 6, None)
    assert (standby["status"], standby["written"], standby["undecided"]) == ("ERROR", 0, 6)
    assert "localhost:1" in standby["error"]
    assert intervals(repository.registry)["inc_plain"] == []
    stored = dump_sqlite(repository)
    assert stored
    repository.configure(configuration)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    assert dump_sqlite(repository) == stored
    assert [store["written"] for store in outcome.json["views"][0]["stores"]] == [6, 6]
    assert len(intervals(repository.registry)["inc_plain"]) == 1


def test_one_store_under_two_names_is_refused(make_repository):
    repository = make_repository()
    path = yaml.safe_load((repository.path / "feature_store.yaml").read_text())["online_store"]["path"]
    for stores, words in ((f"standby: {{type: sqlite, path: {path}}}", ("standby", "online_store")),
                          ("a: {type: sqlite, path: data/a.db}, b: {path: data/a.db, type: sqlite}", ("b is the same store as a",))):
        made = make_repository(name=words[0].replace(" ", "_"))
        made.append_configuration(f"banquet: {{online_stores: {{{stores}}}}}\n")
        outcome = made.banquet("materialize", *WINDOW)
        assert outcome.exit_code == 2, outcome
        one_error_line(outcome, *words)


def test_mistakes_in_a_further_store_are_named(make_repository):
    repository = make_repository()
    repository.append_configuration("banquet: {online_stores: {standby: {type: rediss}}}\n")
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == 2
    one_error_line(outcome, "banquet.online_stores.standby.type", "redis")
