"""What every store does alike: check, a run, a look, an audit, a further store beside it, and errors of one line."""
import pytest

WINDOW = ("2024-01-01T00:00:00", "2024-02-01T00:00:00")
STORES = ("sqlite", "redis", "postgres", "dynamodb")


@pytest.mark.parametrize("store", STORES)
def test_check_run_look_and_audit(store, make_repository):
    repository = make_repository(store=store)
    outcome = repository.banquet("check")
    assert outcome.exit_code == 0, outcome
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    view, = outcome.json["views"]
    counts, = view["stores"]
    assert counts["written"] == view["rows"]["winners"] > 0, view
    look = repository.banquet("get-online-features", "--features", "inc_plain:tag", "--entity", "id=1", "--json")
    assert look.exit_code == 0 and "PRESENT" in look.stdout, look
    audit = repository.banquet("verify", "-v", "inc_plain", "--json")
    assert audit.exit_code == 0, audit
    view, = audit.json["views"]
    assert view["equal"] == view["checked"] > 0, audit.json
    again = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert again.exit_code == 0, again


def test_a_further_store_of_another_kind_is_written_beside(make_repository, servers):
    repository = make_repository(store="postgres")
    repository.append_configuration(
        "banquet:\n  online_stores:\n    cloud:\n      type: dynamodb\n      region: us-east-1\n"
        f"      endpoint_url: http://localhost:{servers.dynamodb.port}\n")
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    rows, = servers.postgres.tables("golden_inc").values()
    content, = servers.dynamodb.tables("golden_inc").values()
    values = {row["feature_name"]: row["value"] for row in rows}
    assert len({row["entity_key"] for row in rows}) == len(content["items"]) > 0
    assert set(content["items"][0]["values"]["M"]) == set(values)


@pytest.mark.parametrize(("store", "old", "new", "says"), [
    ("postgres", "password: feast", "password: canary-secret", "password authentication failed"),
    ("postgres", "database: golden", "database: nowhere", "does not exist"),
    ("dynamodb", "endpoint_url: http://localhost:${GOLDEN_DDB_PORT}", "endpoint_url: http://localhost:1", "dynamodb at http://localhost:1"),
])
def test_what_is_wrong_is_one_line_and_nothing_is_recorded(store, old, new, says, make_repository):
    repository = make_repository(store=store)
    text = (repository.path / "feature_store.yaml").read_text()
    assert old in text
    repository.configure(text.replace(old, new))
    before = repository.registry.read_bytes()
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code in (2, 4), outcome
    assert says in outcome.stderr and "canary-secret" not in outcome.stderr + outcome.stdout, outcome
    assert repository.registry.read_bytes() == before
