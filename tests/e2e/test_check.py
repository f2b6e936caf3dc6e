"""`banquet check`: what a run needs is tried, and nothing is changed."""
import sqlite3

import pytest
from outcomes import WINDOW, contents, rewrite


def check(repository, *arguments):
    outcome = repository.banquet("check", "--json", *arguments)
    return outcome, {check["what"]: check for check in outcome.json["checks"]}


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_all_is_there_and_nothing_is_changed(store, make_repository, redis_clean):
    repository = make_repository(store=store)
    redis = redis_clean.client if store == "redis" else None
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    stored, recorded = contents(repository, redis), repository.registry.read_bytes()
    outcome, checks = check(repository)
    assert outcome.exit_code == 0, outcome
    assert set(checks) == {"registry", "view inc_plain", "view inc_ttl", "view inc_new", f"online store {store}"}
    assert all(one["ok"] for one in checks.values())
    assert contents(repository, redis) == stored
    assert repository.registry.read_bytes() == recorded


def test_a_login_that_may_not_try_its_rights_is_warned_of(make_repository, redis_clean):
    repository = make_repository(store="redis", server=redis_clean)
    redis_clean.client.acl_setuser("shy", enabled=True, passwords=["+pw"], categories=["+@all"], keys=["*"], commands=["-multi"])
    path = repository.path / "feature_store.yaml"
    path.write_text(path.read_text().replace("${GOLDEN_REDIS_PORT}", "${GOLDEN_REDIS_PORT},username=shy,password=pw"))
    try:
        outcome = repository.banquet("check")
    finally:
        redis_clean.client.acl_deluser("shy")
    assert outcome.exit_code == 0 and "right to write was not tried" in outcome.stderr, outcome


def test_a_store_that_was_never_made_is_not_made(make_repository):
    repository = make_repository()
    repository.online_db.unlink(missing_ok=True)
    outcome, checks = check(repository)
    assert outcome.exit_code == 0, outcome
    assert not repository.online_db.exists()


def test_each_thing_that_is_missing_is_named(make_repository):
    repository = make_repository()
    rewrite(repository, lambda table: table.drop_columns(["x"]))
    repository.append_configuration("banquet: {online_stores: {standby: {type: redis, connection_string: \"localhost:1\"}}}\n")
    outcome, checks = check(repository)
    assert outcome.exit_code == 4, outcome
    assert checks["registry"]["ok"] and checks["online store sqlite"]["ok"]
    assert "x" in checks["view inc_plain"]["error"]
    assert "localhost:1" in checks["online store standby"]["error"]
    assert "FAILED" in repository.banquet("check").stdout


@pytest.mark.parametrize("missing", ["hset", "hmget"])
def test_a_right_that_is_missing_on_redis_is_named_and_nothing_is_written(missing, make_repository, redis_clean, redis_address):
    client = redis_clean.client
    client.execute_command("ACL", "SETUSER", "checker", "on", ">secret", "~*", "+@all", f"-{missing}")
    try:
        repository = make_repository(store="redis")
        redis_address(repository, f"localhost:{redis_clean.port},username=checker,password=secret")
        outcome, checks = check(repository, "-v", "inc_plain")
        assert outcome.exit_code == 2, outcome
        assert missing.upper() in checks["online store redis"]["error"]
        assert client.dbsize() == 0
        client.execute_command("ACL", "SETUSER", "checker", f"+{missing}")
        outcome, _ = check(repository, "-v", "inc_plain")
        assert outcome.exit_code == 0, outcome
        assert client.dbsize() == 0
        # Without MULTI the right to write cannot be tried; nothing may be written for all that.
        client.execute_command("ACL", "SETUSER", "checker", "-multi")
        outcome, _ = check(repository, "-v", "inc_plain")
        assert outcome.exit_code == 0, outcome
        assert client.dbsize() == 0
    finally:
        client.execute_command("ACL", "DELUSER", "checker")


def test_another_table_of_that_name_is_noticed(make_repository):
    repository = make_repository()
    connection = sqlite3.connect(repository.online_db)
    connection.execute("CREATE TABLE golden_inc_inc_plain (id INTEGER)")
    connection.commit()
    outcome, checks = check(repository, "-v", "inc_plain")
    assert outcome.exit_code == 2, outcome
    assert "golden_inc_inc_plain" in checks["online store sqlite"]["error"]
