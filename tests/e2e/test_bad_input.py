"""Bad input, one test each: one clear line, the right exit code, nothing lost, nothing recorded."""
import sqlite3

import pyarrow as pa
import pytest
from outcomes import (FIRST, ROW_COUNT, WINDOW, assert_adds_up, filled, nothing_lost_nothing_recorded, one_error_line,
                      rewrite, with_column)
from stores import RedisServer, dump_redis, free_port

VIEW = ("-v", "inc_plain")
USER, DATA, REMOTE = 2, 3, 4
SOON = ("--retry-timeout", "1s", "--stall-timeout", "1s")


def fails(repository, exit_code, *words, arguments=("materialize", *WINDOW, *VIEW), redis=None):
    with nothing_lost_nothing_recorded(repository, redis):
        outcome = repository.banquet(*arguments)
    assert outcome.exit_code == exit_code, outcome
    return one_error_line(outcome, *words)


def test_missing_file(repository):
    filled(repository)
    (repository.path / "data/inc.parquet").unlink()
    fails(repository, USER, "inc_plain", "data/inc.parquet")


def test_empty_directory(repository):
    filled(repository)
    (repository.path / "data/inc.parquet").unlink()
    (repository.path / "data/inc.parquet").mkdir()
    fails(repository, USER, "inc_plain", "data/inc.parquet")


def test_directory_of_a_table_format_is_refused_by_name(repository):
    filled(repository)
    (repository.path / "data/inc.parquet").unlink()
    (repository.path / "data/inc.parquet/_delta_log").mkdir(parents=True)
    fails(repository, USER, "Delta")


def test_missing_column(repository):
    filled(repository)
    rewrite(repository, lambda table: table.drop_columns(["tag"]))
    fails(repository, DATA, "inc_plain", "tag")


def test_missing_event_time_column(repository):
    filled(repository)
    rewrite(repository, lambda table: table.drop_columns(["event_timestamp"]))
    fails(repository, DATA, "inc_plain", "event_timestamp")


def test_wrong_type(repository):
    filled(repository)
    rewrite(repository, with_column("x", pa.struct([("a", pa.int64())]), [{"a": 1}] * ROW_COUNT))
    fails(repository, DATA, "inc_plain", "x")


def test_value_that_does_not_convert(repository):
    filled(repository)
    rewrite(repository, with_column("id", pa.string(), ["seven"] * ROW_COUNT))
    fails(repository, DATA, "inc_plain", "id", "seven")


@pytest.mark.parametrize("content", [b"", b"no Parquet at all", b"PAR1" + bytes(64) + b"PAR1"])
def test_unreadable_parquet(content, repository):
    filled(repository)
    (repository.path / "data/inc.parquet").write_bytes(content)
    fails(repository, DATA, "inc_plain", "inc.parquet")


def test_truncated_parquet(repository):
    filled(repository)
    path = repository.path / "data/inc.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    fails(repository, DATA, "inc_plain", "inc.parquet")


def test_damaged_page_of_parquet(repository):
    filled(repository)
    path = repository.path / "data/inc.parquet"
    data = bytearray(path.read_bytes())
    data[4:200] = bytes(b ^ 0xFF for b in data[4:200])
    path.write_bytes(data)
    fails(repository, DATA, "inc_plain", "inc.parquet")


KEYS = [None, 1, None, 2]


def test_null_join_key_is_skipped_and_counted(repository):
    rewrite(repository, with_column("id", pa.int64(), KEYS))
    outcome = repository.banquet("materialize", *WINDOW, *VIEW, "--json")
    assert outcome.exit_code == 0, outcome
    rows = outcome.json["views"][0]["rows"]
    assert (rows["read"], rows["null_key"], rows["winners"]) == (ROW_COUNT, ROW_COUNT - 2, 2), rows
    assert_adds_up(outcome.json)


def test_null_join_key_stops_the_view_where_asked(repository):
    filled(repository)
    rewrite(repository, with_column("id", pa.int64(), KEYS))
    repository.append_configuration("banquet: {on_null_key: fail}\n")
    fails(repository, DATA, "inc_plain", "id")


def test_null_event_time_is_skipped_and_counted(repository):
    import datetime
    time = datetime.datetime(2024, 1, 5, tzinfo=datetime.timezone.utc)
    rewrite(repository, with_column("event_timestamp", pa.timestamp("us", tz="UTC"), [time, None, time]))
    outcome = repository.banquet("materialize", *WINDOW, *VIEW, "--json")
    assert outcome.exit_code == 0, outcome
    rows = outcome.json["views"][0]["rows"]
    assert (rows["read"], rows["null_time"]) == (ROW_COUNT, ROW_COUNT - 2), rows
    assert_adds_up(outcome.json)


def test_reversed_window(repository):
    fails(filled(repository), USER, "greater than", arguments=("materialize", *reversed(WINDOW), *VIEW))


def test_unknown_view(repository):
    fails(filled(repository), USER, "inc_plane", arguments=("materialize", *WINDOW, "-v", "inc_plane"))


@pytest.mark.parametrize(("line", "word", "nearest"), [
    ("banquet: {overwrit: newest}", "overwrit", "overwrite"), ("banquet: {overwrite: newst}", "newst", "newest")])
def test_unknown_word_of_ours_in_the_yaml(line, word, nearest, repository):
    filled(repository)
    repository.append_configuration(line + "\n")
    number = len((repository.path / "feature_store.yaml").read_text().splitlines())
    fails(repository, USER, "feature_store.yaml", f":{number}", word, nearest)


def test_unknown_key_of_the_online_store(repository):
    filled(repository)
    path = repository.path / "feature_store.yaml"
    path.write_text(path.read_text().replace("path: data/online.db", "pathh: data/online.db"))
    fails(repository, USER, "feature_store.yaml", "pathh", "path")


def test_yaml_that_is_none(repository):
    filled(repository)
    repository.configure("project: [\n")
    fails(repository, USER, "feature_store.yaml")


def test_no_repository(repository):
    outcome = repository.banquet("-c", "nowhere", "materialize", *WINDOW)
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "nowhere")


@pytest.mark.parametrize(("damage", "exit_code", "word"), [
    (lambda b: b"\xff" * 100, DATA, "damaged"), (lambda b: b[: len(b) // 2], DATA, "damaged"), (lambda b: b"", USER, "empty")])
def test_damaged_registry(damage, exit_code, word, repository):
    filled(repository)
    repository.registry.write_bytes(damage(repository.registry.read_bytes()))
    fails(repository, exit_code, "registry.db", word)


def test_missing_registry(repository):
    repository.registry.unlink()
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "registry.db")
    assert not repository.registry.exists() and not repository.online_db.exists()


def test_redis_down(make_repository, redis_address):
    repository = make_repository(store="redis")
    port = free_port()
    redis_address(repository, f"localhost:{port}")
    before = repository.registry.read_bytes()
    outcome = repository.banquet("materialize", *WINDOW, *VIEW, *SOON)
    assert outcome.exit_code == REMOTE, outcome
    one_error_line(outcome, str(port))
    assert repository.registry.read_bytes() == before


@pytest.fixture
def guarded_redis(tmp_path):
    server = RedisServer(tmp_path, "--requirepass", "right-password")
    yield server
    server.stop()


def test_wrong_password(make_repository, redis_address, guarded_redis):
    repository = make_repository(store="redis", server=guarded_redis)
    redis_address(repository, f"{guarded_redis.address},password=right-password")
    filled(repository)
    redis_address(repository, f"{guarded_redis.address},password=canary-password")
    error = fails(repository, USER, "password", arguments=("materialize", *WINDOW, *VIEW, *SOON),
                  redis=guarded_redis.client)
    assert "canary" not in error and "right-password" not in error
    report = repository.banquet("materialize", *WINDOW, *VIEW, *SOON, "--json").json
    assert "password" in report["views"][0]["stores"][0]["error"], report


def test_no_password_where_one_is_needed(make_repository, redis_address, guarded_redis):
    repository = make_repository(store="redis", server=guarded_redis)
    before = repository.registry.read_bytes()
    outcome = repository.banquet("materialize", *WINDOW, *VIEW, *SOON)
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "password")
    assert repository.registry.read_bytes() == before
    assert dump_redis(guarded_redis.client, "golden_inc") == {}


def test_sqlite_locked(repository):
    filled(repository)
    before = repository.registry.read_bytes()
    holder = sqlite3.connect(repository.online_db, isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        outcome = repository.banquet("materialize", *WINDOW, *VIEW, *SOON)
        rows = holder.execute("SELECT count(*) FROM golden_inc_inc_plain").fetchone()[0]
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert outcome.exit_code == REMOTE, outcome
    one_error_line(outcome, "inc_plain", "online.db", "locked")
    assert repository.registry.read_bytes() == before
    assert rows == 10  # five keys, two features


def test_sqlite_read_only(repository):
    """A write version above 2 in the header makes SQLite itself treat the file as read-only, for root too."""
    filled(repository)
    data = bytearray(repository.online_db.read_bytes())
    data[18] = 3
    repository.online_db.write_bytes(data)
    fails(repository, USER, "inc_plain", "online.db", arguments=("materialize", *WINDOW, *VIEW, *SOON))


def test_sqlite_file_that_is_none(repository):
    repository.online_db.write_bytes(b"this is no database, but text that is long enough for a header" * 20)
    before = repository.registry.read_bytes()
    outcome = repository.banquet("materialize", *WINDOW, *VIEW, *SOON)
    assert outcome.exit_code in (USER, DATA), outcome
    one_error_line(outcome, "online.db")
    assert repository.registry.read_bytes() == before


@pytest.mark.parametrize("arguments", [
    (), ("no-such-command",), ("materialize", *FIRST, "--no-such-option"), ("materialize", "the day before", FIRST[1]),
    ("materialize", *FIRST, "--threads", "many"), ("materialize", *FIRST, "--progress", "loud")])
def test_wrong_usage(arguments, repository):
    outcome = repository.banquet(*arguments)
    assert outcome.exit_code == USER, outcome
    assert outcome.stderr.strip() and not repository.online_db.exists(), outcome
