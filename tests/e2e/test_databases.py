"""Views over tables and queries of databases, by ADBC: the stores end as those of files; what goes wrong is told."""
import json
import signal
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from databases import DRIVERS, NAMES, file_source, fill_duckdb, fill_file, fill_postgres, fill_sqlite, make_repository, offline_block, table_source
from feast_protos import intervals
from outcomes import assert_adds_up, one_error_line
from stores import dump_sqlite

WINDOW = ("2024-03-02T00:00:00", "2024-03-05T00:00:00")
START = datetime(2024, 3, 1, tzinfo=timezone.utc)
MOMENT = pa.timestamp("us", tz="UTC")


def rides(**columns):
    """40 drivers in 3 cities, a ride each six hours from March 1st to 6th, no full ties; a null of each key and of the time."""
    count = 40 * 21
    times = [START + timedelta(hours=6 * (n // 40), seconds=n % 40, microseconds=n) for n in range(count)]
    return pa.table({
        "driver": pa.array([None if n == 300 else n % 40 for n in range(count)], pa.int64()),
        "city": pa.array([None if n == 302 else ("bern", "Bern", "zürich")[n % 3] for n in range(count)], pa.string()),
        "event_ts": pa.array([None if n == 301 else t for n, t in enumerate(times)], MOMENT),
        "created": pa.array([None if n % 11 == 0 else t + timedelta(minutes=1) for n, t in enumerate(times)], MOMENT),
        "rating": pa.array([None if n % 7 == 0 else n / 4 for n in range(count)], pa.float64()),
        "trips": pa.array([None if n % 5 == 0 else n * 10**12 for n in range(count)], pa.int64()),
        "label": pa.array([None if n % 9 == 0 else f"ride 'n' {n}" for n in range(count)], pa.string()),
        "raw": pa.array([bytes([n % 256, 0]) for n in range(count)], pa.binary()), **columns})


def keys():
    from feast.types import Int64, String
    return {"driver": Int64, "city": String}


def features():
    from feast.types import Bytes, Float64, Int64, String
    return {"rating": Float64, "trips": Int64, "label": String, "raw": Bytes}


@pytest.fixture
def over(tmp_path, request):
    """over(database, table, …): a repository over the table in that database."""
    def make(name, table, keys_=None, features_=None, source=None, more=None, **times):
        path = tmp_path / f"{name}.db"
        server = request.getfixturevalue("postgres_server") if name == "postgres" else None
        if table is not None and name == "postgres":
            fill_postgres(server, table)
        elif table is not None:
            {"file": fill_file, "duckdb": fill_duckdb, "sqlite": fill_sqlite}[name](path, table)
        if source is None:
            source = file_source(path, **times) if name == "file" else table_source(table="stats", **times)
        return make_repository(tmp_path / name, offline_block(name, path, server, **(more or {})), source,
                               keys() if keys_ is None else keys_, features() if features_ is None else features_)
    return make


def materialized(repository, *arguments):
    outcome = repository.banquet("materialize", *(arguments or WINDOW), "--json")
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    view, = outcome.json["views"]
    return view


def refused(repository, exit_code, *words):
    before = repository.registry.read_bytes()
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == exit_code, outcome
    for word in words:
        assert word in outcome.stderr + outcome.stdout, f"{word!r} is not in the error: {outcome}"
    assert repository.registry.read_bytes() == before and not any(dump_sqlite(repository).values())
    return outcome


# --- the same rows ----------------------------------------------------------------------------------------------------


def test_files_and_databases_leave_the_same_bytes(over):
    table = rides()
    of_file = over("file", table)
    view = materialized(of_file)
    assert (view["rows"]["null_key"], view["rows"]["null_time"]) == (2, 1)
    expected = dump_sqlite(of_file)
    assert len(expected["base_stats"]) == 120 * 4
    for name in NAMES:
        repository = over(name, table)
        rows = materialized(repository)["rows"]
        assert (rows["null_key"], rows["null_time"], rows["winners"]) == (2, 1, view["rows"]["winners"]), name
        assert (rows["outside_window"], rows["duplicates"], rows["read"]) == (0, 0, rows["winners"] + 3), name
        assert dump_sqlite(repository) == expected, name
        assert len(intervals(repository.registry)["stats"]) == 1
        audit = repository.banquet("verify", "--json")
        assert audit.exit_code == 0, audit


@pytest.mark.parametrize("name", NAMES)
def test_an_incremental_run_takes_what_is_new(name, over):
    repository = over(name, rides())
    materialized(repository, "2024-03-01T00:00:00", "2024-03-03T00:00:00")
    first = dump_sqlite(repository)
    outcome = repository.banquet("materialize-incremental", "2024-03-05T00:00:00", "--json")
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    of_file = over("file", rides())
    materialized(of_file, "2024-03-01T00:00:00", "2024-03-03T00:00:00")
    assert dump_sqlite(of_file) == first
    assert of_file.banquet("materialize-incremental", "2024-03-05T00:00:00").exit_code == 0
    assert dump_sqlite(repository) == dump_sqlite(of_file) != first


@pytest.mark.parametrize("name", NAMES)
def test_full_ties_are_counted_and_queries_are_read(name, over):
    table = rides()
    twice = pa.concat_tables([table, table])
    repository = over(name, twice, source=table_source(query='SELECT * FROM stats WHERE driver < 20 -- a comment; of its owner'))
    rows = materialized(repository)["rows"]
    assert rows["winners"] == 60 and rows["duplicates"] == rows["full_ties"] == 60
    assert rows["read"] == 120 + rows["null_key"] + rows["null_time"]


@pytest.mark.parametrize("name", NAMES)
def test_naive_times_are_utc_and_zones_are_minded(name, over, postgres_server):
    times = [START + timedelta(days=1, microseconds=n) for n in range(4)]
    table = pa.table({"driver": pa.array([1, 2, 3, 4]), "event_ts": pa.array(times, MOMENT), "created": pa.array(times, pa.timestamp("us"))})
    naive = table.set_column(1, "event_ts", table["event_ts"].cast(pa.timestamp("us")))
    end = (WINDOW[0], "2024-03-02T00:00:00.000002")
    from feast.types import Int64, UnixTimestamp
    shape = {"keys_": {"driver": Int64}, "features_": {"created": UnixTimestamp} if name != "sqlite" else {"driver2": Int64}}
    table, naive = (t.append_column("driver2", t["driver"]) for t in (table, naive))
    repository = over(name, table, **shape)
    assert materialized(repository, *end)["rows"]["winners"] == 3
    with_zone = dump_sqlite(repository)
    for child in repository.path.parent.iterdir():
        if child.name == f"{name}.db":
            child.unlink()
    repository.path.rename(repository.path.with_name("zoned"))
    repository = over(name, naive, **shape)
    if name == "postgres":
        with postgres_server.connect() as connection:
            connection.execute("ALTER ROLE feast SET timezone = 'America/New_York'")
    try:
        assert materialized(repository, *end)["rows"]["winners"] == 3
    finally:
        if name == "postgres":
            with postgres_server.connect() as connection:
                connection.execute("ALTER ROLE feast RESET timezone")
    assert dump_sqlite(repository) == with_zone


@pytest.mark.parametrize("name", NAMES)
def test_a_wide_table(name, over):
    from feast.types import Float64
    names = [f"f{i}" for i in range(300)]
    table = rides(**{n: pa.array([i + row / 8 for row in range(840)], pa.float64()) for i, n in enumerate(names)})
    of_file = over("file", table, features_={n: Float64 for n in names})
    materialized(of_file)
    repository = over(name, table, features_={n: Float64 for n in names})
    assert materialized(repository)["rows"]["winners"] == 120
    assert dump_sqlite(repository) == dump_sqlite(of_file)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [0, 840])
def test_an_empty_result_is_a_success(rows, name, over):
    repository = over(name, rides().slice(0, rows))
    view = materialized(repository, "2025-01-01T00:00:00", "2025-01-02T00:00:00")
    assert view["rows"]["winners"] == 0 and len(intervals(repository.registry)["stats"]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_view_without_entities_and_all_rows_of_a_window(name, over):
    repository = over(name, rides(), keys_={})
    assert materialized(repository)["rows"]["winners"] == 1
    of_file = over("file", rides(), keys_={})
    materialized(of_file)
    assert dump_sqlite(repository) == dump_sqlite(of_file)


def test_every_row_where_feast_wants_all(over):
    repository = over("duckdb", rides())
    repository.append_configuration("materialization: {pull_latest_features: false}\n")
    of_file = over("file", rides())
    rows, expected = materialized(repository)["rows"], materialized(of_file)["rows"]
    assert rows["winners"] >= expected["winners"] == 120
    assert dump_sqlite(repository) == dump_sqlite(of_file)


def test_what_does_not_fit_into_memory_is_spilled(over):
    table = rides(pad=pa.array(["x" * 20000] * 840))
    from feast.types import String
    repository, of_file = (over(name, table, features_={"pad": String}) for name in ("duckdb", "file"))
    outcome = repository.banquet("materialize", *WINDOW, "--memory-limit", "64MiB")
    assert outcome.exit_code == 0, outcome
    materialized(of_file)
    assert dump_sqlite(repository) == dump_sqlite(of_file)


# --- types ------------------------------------------------------------------------------------------------------------


def typed_rows():
    days = [START + timedelta(days=1, hours=n) for n in range(3)]
    return pa.table({
        "driver": pa.array([1, 2, 3], pa.int64()), "event_ts": pa.array(days, MOMENT), "created": pa.array(days, MOMENT),
        "n38": pa.array([Decimal(12345678901234567890), None, Decimal(-1)], pa.decimal128(38, 0)),
        "price": pa.array([Decimal("1.50"), Decimal("-0.01"), None], pa.decimal128(10, 2)),
        "flag": pa.array([True, False, None]), "small": pa.array([1, None, -3], pa.int32()), "real": pa.array([1.5, None, -2.25], pa.float32()),
        "day": pa.array([START.date(), None, START.date()], pa.date32()), "seen": pa.array([days[0], None, days[2]], MOMENT),
        "words": pa.array([["a", "b"], [], None], pa.list_(pa.string())), "numbers": pa.array([[1, 2], None, [3]], pa.list_(pa.int64())),
        "as_text": pa.array([Decimal("1.50"), None, Decimal("2.00")], pa.decimal128(10, 2))})


@pytest.mark.parametrize("name", ["postgres", "duckdb"])
def test_types_end_as_those_of_files(name, over):
    from feast.types import Array, Bool, Decimal as FeastDecimal, Float32, Float64, Int32, Int64, String, UnixTimestamp
    features_ = {"n38": FeastDecimal, "price": Float64, "flag": Bool, "small": Int32, "real": Float32, "day": UnixTimestamp, "seen": UnixTimestamp,
                 "words": Array(String), "numbers": Array(Int64), "as_text": String}
    repository, of_file = (over(one, typed_rows(), keys_={"driver": Int64}, features_=features_) for one in (name, "file"))
    materialized(repository)
    materialized(of_file)
    assert dump_sqlite(repository) == dump_sqlite(of_file)


def test_json_uuid_and_numbers_without_a_scale_of_postgres(over, postgres_server, tmp_path):
    from feast.types import Float64, Int64, Json, String, Uuid
    columns = {"u": Uuid, "ut": String, "j": Json, "jb": Json, "free": Float64, "total": Int64, "fixed": String, "m": String}
    repository = over("postgres", None, keys_={"uk": String}, features_=columns, created="")
    with postgres_server.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS stats")
        connection.execute("DROP TYPE IF EXISTS mood")
        connection.execute("CREATE TYPE mood AS ENUM ('glad', 'sad')")
        connection.execute("CREATE TABLE stats (uk uuid, event_ts timestamptz, u uuid, ut uuid, j json, jb jsonb, free numeric, total numeric, fixed char(3), m mood)")
        connection.execute("""INSERT INTO stats VALUES ('00000000-0000-0000-0000-0000000000aa', '2024-03-03', '00000000-0000-0000-0000-000000000001',
            '00000000-0000-0000-0000-000000000002', '{"a": 1}', '{"b": [1, 2]}', 1.25, 12, 'ab', 'sad')""")
    materialized(repository)
    same = pa.table({"uk": ["00000000-0000-0000-0000-0000000000aa"], "event_ts": pa.array([START + timedelta(days=2)], MOMENT),
                     "u": ["00000000-0000-0000-0000-000000000001"], "ut": ["00000000-0000-0000-0000-000000000002"], "j": ['{"a": 1}'],
                     "jb": ['{"b": [1, 2]}'], "free": [1.25], "total": [12], "fixed": ["ab "], "m": ["sad"]})
    of_file = over("file", same, keys_={"uk": String}, features_=columns, created="")
    materialized(of_file)
    assert dump_sqlite(repository) == dump_sqlite(of_file)


@pytest.mark.parametrize(("expression", "exit_code", "words"), [
    ("'1.2.3.4'::inet", 2, ("value is inet",)), ("1::money", 2, ("value is money",)),
    ("row(1, 2)", 2, ("value is record",)), ("int4range(1, 2)", 2, ("column value", "casts it")), ("interval '1 day'", 3, ("value",)),
    ("'{{1,2},{3,4}}'::int[]", 3, ("more than one dimension", "value")), ("'NaN'::numeric(5, 2)", 3, ("column value",)),
    ("'infinity'::timestamptz", 3, ("infinite", "column value")), ("'-infinity'::timestamp", 3, ("infinite", "column value")),
    ("'infinity'::date", 3, ("infinite", "column value")),
    ("1 / (driver - 1)", 3, ("division by zero",)), ("'x'::text || nothing", 2, ("nothing",))])
def test_what_a_feature_cannot_be_is_refused(expression, exit_code, words, over, postgres_server):
    from feast.types import Array, Int64, String, UnixTimestamp
    kind = Array(Int64) if "int[]" in expression else UnixTimestamp if "infinity" in expression else String
    source = table_source(query=f"SELECT driver, event_ts, created, {expression} AS value FROM stats WHERE driver = 1")
    refused(over("postgres", rides(), keys_={"driver": Int64}, features_={"value": kind}, source=source), exit_code, *words)


def test_sqlite_columns_of_mixed_values_and_times_that_are_no_texts(over):
    from feast.types import Int64, String
    shape = {"keys_": {"driver": Int64}, "features_": {"value": String}}
    mixed = table_source(query="SELECT driver, event_ts, created, CASE WHEN driver = 1 THEN 1 ELSE 'x' END AS value FROM stats")
    refused(over("sqlite", rides(), source=mixed, **shape), 3, "column value", "casts it")


@pytest.mark.parametrize("name", NAMES)
def test_a_time_that_is_a_number_is_refused(name, over):
    refused(over(name, rides(), timestamp_field="trips"), 2, "column trips")


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_table_that_is_not_there_is_named(name, over):
    refused(over(name, rides(), source=table_source(table="rides_of_nobody")), 2, "rides_of_nobody", "data source source")


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_is_not_there_is_named(name, over):
    from feast.types import Int64
    refused(over(name, rides(), features_={"no_such_column": Int64}), 2, "no_such_column", "data source source")


@pytest.mark.parametrize("name", NAMES)
def test_a_driver_that_is_not_there(name, over):
    refused(over(name, None, more={"driver": "driver_of_nobody"}), 2, "driver_of_nobody", "offline_store.driver", "install")


def test_a_driver_is_found_by_its_manifest(over, tmp_path):
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "ours.toml").write_text(f"""manifest_version = 1\nname = "ours"\nversion = "1.5.6"\n[Driver]\nentrypoint = "duckdb_adbc_init"\nshared = "{DRIVERS}/libduckdb.so"\n""")
    repository = over("duckdb", rides(), more={"driver": "ours"})
    repository.environment["ADBC_DRIVER_PATH"] = str(folder)
    assert materialized(repository)["rows"]["winners"] == 120


def test_the_driver_of_postgres_is_found_by_name(over, tmp_path):
    (tmp_path / "adbc_driver_postgresql.toml").write_text(f"""[Driver]\nshared = "{DRIVERS}/libadbc_driver_postgresql.so"\n""")
    repository = over("postgres", rides())
    repository.configure((repository.path / "feature_store.yaml").read_text().replace(f', "driver": "{DRIVERS}/libadbc_driver_postgresql.so"', ""))
    assert "libadbc" not in (repository.path / "feature_store.yaml").read_text()
    repository.environment["ADBC_DRIVER_PATH"] = str(tmp_path)
    assert materialized(repository)["rows"]["winners"] == 120


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "redshift", "spark"])
def test_dialects_that_are_not_read_are_refused_by_name(dialect, over):
    refused(over("duckdb", None, more={"dialect": dialect}), 2, "postgres, duckdb and sqlite", f"not {dialect}")


@pytest.mark.parametrize(("more", "exit_code", "words"), [
    ({"password": "s3cr3t-w0rd"}, 2, ("authentication failed",)), ({"port": 1}, 4, ("Connection refused",)),
    ({"database": "nowhere"}, 2, ("nowhere",)), ({"user": "nobody_here"}, 2, ("nobody_here",))])
def test_logins_that_fail_tell_no_secret(more, exit_code, words, over):
    secret = more.get("password", "s3cr3t-w0rd")
    outcome = refused(over("postgres", None, more={"password": secret, **more}), exit_code, *words[:0] if exit_code == 2 and "user" in more else words)
    assert secret not in outcome.stdout + outcome.stderr


def test_a_secret_in_an_address_is_not_told(over, postgres_server):
    address = f"postgresql://feast:s3cr3t-w0rd@127.0.0.1:{postgres_server.port}/golden?sslmode=disable"
    repository = over("postgres", None)
    block = {"type": "adbc", "dialect": "postgres", "driver": str(DRIVERS / "libadbc_driver_postgresql.so"), "options": {"uri": address}}
    text = (repository.path / "feature_store.yaml").read_text()
    repository.configure("".join(line for line in text.splitlines(True) if not line.startswith("offline_store")) + f"offline_store: {json.dumps(block)}\n")
    outcome = refused(repository, 2, "authentication failed")
    assert "s3cr3t-w0rd" not in outcome.stdout + outcome.stderr
    repository.configure((repository.path / "feature_store.yaml").read_text().replace("s3cr3t-w0rd", "feast"))
    fill_postgres(postgres_server, rides())
    assert materialized(repository)["rows"]["winners"] == 120


def test_rights_that_lack_are_named(over, postgres_server):
    fill_postgres(postgres_server, rides())
    with postgres_server.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    refused(over("postgres", None, more={"user": "reader", "password": "reader"}), 2, "permission denied", "grant")


def test_a_server_that_is_full_is_asked_again_for_a_while(over, postgres_server):
    with postgres_server.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS many")
        connection.execute("CREATE ROLE many LOGIN PASSWORD 'p-many' CONNECTION LIMIT 0")
    repository = over("postgres", None, more={"user": "many", "password": "p-many"})
    repository.append_configuration("banquet: {retry_timeout: 1s}\n")
    started = time.monotonic()
    refused(repository, 4, "too many connections", "come back later")
    assert time.monotonic() - started >= 1


def slow_source(seconds):
    return table_source(query=f"SELECT s.*, pg_sleep({seconds / 840:.6f})::text AS slept FROM stats AS s")


def running(postgres_server, process):
    """Waits until the query is at work; its backend."""
    deadline = time.monotonic() + 30
    with postgres_server.connect() as connection:
        while True:
            found = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'banquet' AND state = 'active' "
                                       "AND query LIKE '%pg_sleep%'").fetchall()
            if found:
                return found[0][0]
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)


def gone(postgres_server):
    with postgres_server.connect() as connection:
        return not connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'banquet'").fetchall()


def slow_run(over):
    from feast.types import String
    repository = over("postgres", rides(), features_={"slept": String}, source=slow_source(60))
    return repository, repository.registry.read_bytes(), repository.start("materialize", *WINDOW)


def test_a_connection_that_is_killed_records_nothing(over, postgres_server):
    repository, before, process = slow_run(over)
    pid = running(postgres_server, process)
    with postgres_server.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 4, stderr
    assert repository.registry.read_bytes() == before and not any(dump_sqlite(repository).values())


def test_a_signal_cancels_the_query(over, postgres_server):
    repository, before, process = slow_run(over)
    running(postgres_server, process)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130 and time.monotonic() - started < 5
    deadline = time.monotonic() + 5
    while not gone(postgres_server):
        assert time.monotonic() < deadline, "the query runs on"
        time.sleep(0.05)
    assert repository.registry.read_bytes() == before and not any(dump_sqlite(repository).values())


def test_a_plan_says_what_is_pushed_down_and_a_staged_run_ends_the_same(over, tmp_path):
    repository = over("duckdb", rides())
    plan = repository.banquet("plan", *WINDOW)
    assert plan.exit_code == 0 and "newest row per (driver, city), by DuckDB" in plan.stdout, plan
    check = repository.banquet("check")
    assert check.exit_code == 0, check
    staged = repository.banquet("materialize", *WINDOW, f"--staging-location={tmp_path}/staged")
    assert staged.exit_code == 0, staged
    of_file = over("file", rides())
    materialized(of_file)
    assert dump_sqlite(repository) == dump_sqlite(of_file)


def test_a_file_view_says_which_store_reads_a_table(over):
    repository = over("file", rides(), source=table_source(table="stats"))
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == 2, outcome
    one_error_line(outcome, "PostgreSQLSource", "offline_store: {type: postgres}")


def test_a_signal_cancels_a_query_of_duckdb(over):
    """Ten thousand million copies of each row, so that the newest are not found within a minute."""
    query = ("SELECT driver, city, event_ts + to_microseconds(a.range + b.range) AS event_ts, created, rating, trips, label, raw "
             "FROM stats, range(100000) AS a, range(100000) AS b")
    repository = over("duckdb", rides(), source=table_source(query=query))
    before = repository.registry.read_bytes()
    process = repository.start("materialize", *WINDOW)
    while "started" not in (line := process.stderr.readline()):
        assert line, "the run ended"
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130 and time.monotonic() - started < 10, stderr
    assert repository.registry.read_bytes() == before and not any(dump_sqlite(repository).values())
