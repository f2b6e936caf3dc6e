"""`banquet verify`: what is in the online store beside what the source says."""
import json
import sqlite3
import time

import pytest
from outcomes import FIRST, WINDOW, contents, one_error_line, rewrite, with_column
from stores import RedisServer


def verify(repository, *arguments):
    outcome = repository.banquet("verify", "--json", *arguments)
    return outcome, {view["name"]: view for view in outcome.json["views"]}


@pytest.fixture(params=["sqlite", "redis"])
def filled(request, make_repository):
    repository = make_repository(store=request.param)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    return repository, request.getfixturevalue("redis_clean").client if request.param == "redis" else None


def test_a_store_that_was_just_filled_is_equal_and_nothing_is_written(filled):
    repository, redis = filled
    stored, recorded = contents(repository, redis), repository.registry.read_bytes()
    outcome, views = verify(repository)
    assert outcome.exit_code == 0, outcome
    assert outcome.json["status"] == "SUCCEEDED"
    # The other views were never materialized.
    assert set(views) == {"inc_plain"}
    assert "inc_ttl has no recorded interval" in outcome.stderr
    assert views["inc_plain"]["checked"] == views["inc_plain"]["equal"] == 6
    assert contents(repository, redis) == stored
    assert repository.registry.read_bytes() == recorded


def test_missing_stale_ahead_and_differing_are_told_apart_with_their_keys(make_repository):
    repository = make_repository()
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    connection = sqlite3.connect(repository.online_db)
    (table,) = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%inc_plain'").fetchone()
    keys = [key for key, in connection.execute(f'SELECT DISTINCT entity_key FROM "{table}" ORDER BY 1')]
    assert len(keys) == 6
    connection.execute(f'DELETE FROM "{table}" WHERE entity_key = ?', keys[:1])
    connection.execute(f'UPDATE "{table}" SET event_ts = event_ts - 60 WHERE entity_key = ?', keys[1:2])
    connection.execute(f'UPDATE "{table}" SET event_ts = event_ts + 60 WHERE entity_key = ?', keys[2:3])
    (feature,) = connection.execute(f'SELECT min(feature_name) FROM "{table}"').fetchone()
    connection.execute(f"UPDATE \"{table}\" SET value = x'12017a' WHERE entity_key = ? AND feature_name = ?", [keys[3], feature])
    connection.commit()
    outcome, views = verify(repository, "-v", "inc_plain")
    assert outcome.exit_code == 1, outcome
    assert outcome.json["status"] == "DIFFERENT"
    view = views["inc_plain"]
    assert {name: view[name] for name in ("checked", "equal", "missing", "stale", "ahead", "differing")} == {
        "checked": 6, "equal": 2, "missing": 1, "stale": 1, "ahead": 1, "differing": 1}
    examples = {example["standing"]: example for example in view["examples"]}
    assert set(examples) == {"missing", "stale", "ahead", "differing"}
    assert examples["missing"]["stored"] is None
    assert examples["stale"]["stored"] < examples["stale"]["source"]
    assert examples["differing"]["features"] == [feature]
    assert all("=" in example["entity"] for example in view["examples"])
    table_text = repository.banquet("verify", "-v", "inc_plain")
    assert table_text.exit_code == 1
    assert f"other values of {feature}" in table_text.stdout
    # The same command mends what verify found, save what is ahead.
    assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    outcome, views = verify(repository, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    assert (views["inc_plain"]["equal"], views["inc_plain"]["ahead"]) == (5, 1)


def test_a_source_that_was_corrected_is_noticed(filled):
    repository, _ = filled
    rewrite(repository, with_column("x", "double", [99.5] * 26))
    outcome, views = verify(repository)
    assert outcome.exit_code == 1, outcome
    assert views["inc_plain"]["differing"] == 6
    assert views["inc_plain"]["examples"][0]["features"] == ["x"]


def test_a_sample_is_as_large_as_asked_and_goes_at_the_rate_asked(filled):
    outcome, views = verify(filled[0], "--sample", "4", "--rate-max", "10")
    assert outcome.exit_code == 0, outcome
    assert views["inc_plain"]["checked"] == 4
    assert outcome.json["seconds"] >= 0.3


def test_a_store_that_dies_while_a_sample_is_compared_is_told(make_repository, tmp_path):
    server = RedisServer(tmp_path)
    try:
        repository = make_repository(store="redis", server=server)
        assert repository.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
        server.client.config_resetstat()  # materialize reads too
        with repository.start("verify", "--sample", "6", "--rate-max", "1", "--json") as process:
            while server.client.info("commandstats").get("cmdstat_hmget", {"calls": 0})["calls"] < 3:
                assert process.poll() is None
                time.sleep(0.02)
            server.stop()
            stdout, stderr = process.communicate(timeout=60)
    finally:
        server.stop()
    assert process.returncode == 4, stderr
    assert json.loads(stdout)["status"] == "ERROR"
    assert any(line.startswith(f"banquet: redis at localhost:{server.port}") for line in stderr.splitlines()), stderr


def test_quiet_says_nothing_where_all_is_well(filled):
    outcome = filled[0].banquet("-q", "verify")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", "")


def test_a_window_of_ones_own(filled):
    outcome, views = verify(filled[0], *FIRST, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    assert views["inc_plain"]["ahead"] > 0


def test_what_verify_cannot_do_is_one_line(make_repository):
    repository = make_repository()
    outcome = repository.banquet("verify", "-v", "inc_plain")
    assert outcome.exit_code == 2
    one_error_line(outcome, "inc_plain", "no recorded interval")
    outcome = repository.banquet("verify", "2024-01-01")
    assert outcome.exit_code == 2
    one_error_line(outcome, "both START_TS and END_TS")
    outcome = repository.banquet("verify", "--all", "--sample", "5")
    assert outcome.exit_code == 2
    one_error_line(outcome, "--all and --sample")
    # A store that was never made: everything is missing, and it is not made.
    repository.online_db.unlink(missing_ok=True)
    outcome, views = verify(repository, *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 1, outcome
    assert views["inc_plain"]["missing"] == views["inc_plain"]["checked"] == 6
    assert not repository.online_db.exists()
