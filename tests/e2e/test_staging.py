"""banquet.staging_location: the newest rows as Parquet with a manifest first, the stores from there."""
import json
import re
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast_protos import intervals
from outcomes import WINDOW, assert_adds_up, one_error_line
from stores import dump_redis, dump_sqlite, free_port

BASIC = ("2024-03-01T00:00:00", "2024-03-11T00:00:00")
USER, DATA, REMOTE = 2, 3, 4


class Local:
    """A staging location in a folder of this machine."""

    def __init__(self, folder):
        self.uri = str(folder)
        self.environment = {}

    def keys(self):
        return [str(path) for path in Path(self.uri).rglob("*") if path.is_file()]


class Remote:
    """One in a bucket. Empty objects in the name of a folder are not looked at."""

    def __init__(self, scheme, server, name):
        self.server, self.prefix = server, f"staging/{name}/"
        self.uri, self.environment = f"{scheme}://lake/{self.prefix}", server.environment

    def keys(self):
        return [key for key in self.server.keys(self.prefix) if not key.endswith("/")]


@pytest.fixture(params=["local", "s3", "gs"])
def place(request, tmp_path):
    if request.param == "local":
        return Local(tmp_path / "staging")
    server = request.getfixturevalue({"s3": "s3_server", "gs": "gcs_server"}[request.param])
    return Remote(request.param, server, tmp_path.name)


@pytest.mark.parametrize("case, window", [("basic", BASIC), ("types", BASIC), ("incremental", WINDOW)])
def test_the_store_is_as_without_staging(case, window, place, make_repository):
    plain = make_repository(case, name="plain")
    outcome = plain.banquet("materialize", *window, "--json")
    assert outcome.exit_code == 0, outcome
    staged = make_repository(case, name="staged")
    staged.environment.update(place.environment)
    other = staged.banquet("materialize", *window, "--json", f"--staging-location={place.uri}")
    assert other.exit_code == 0, other
    assert_adds_up(other.json)
    assert dump_sqlite(staged) == dump_sqlite(plain)
    assert [view["rows"] for view in other.json["views"]] == [view["rows"] for view in outcome.json["views"]]
    assert len(intervals(staged.registry)) == len(intervals(plain.registry))
    assert place.keys() == []


def unreachable(repository, redis):
    """The store cannot be reached until `configure` gets the text that this returns."""
    path = repository.path / "feature_store.yaml"
    right = path.read_text()
    repository.configure(right.replace("${GOLDEN_REDIS_PORT}", str(free_port())))
    return right


def manifest_of(outcome):
    found, = set(re.findall(r"`banquet load (\S+)`", outcome.stderr))
    return found


def test_a_load_that_failed_is_repeated_without_the_source(place, make_repository, redis_clean):
    repository = make_repository(store="redis", server=redis_clean)
    repository.environment.update(place.environment)
    right = unreachable(repository, redis_clean)
    stage = (f"--staging-location={place.uri}", "--retry-timeout=1")
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json", *stage)
    assert outcome.exit_code == REMOTE, outcome
    assert intervals(repository.registry)["inc_plain"] == []
    assert sorted(key.rsplit("/", 1)[1] for key in place.keys()) == ["_manifest.json", "part-0.parquet"]
    repository.configure(right)
    (repository.path / "data/inc.parquet").unlink()
    load = repository.banquet("load", manifest_of(outcome), "--json")
    assert load.exit_code == 0, load
    assert_adds_up(load.json)
    assert load.json["views"][0]["stores"][0]["written"] == 6
    assert len(intervals(repository.registry)["inc_plain"]) == 1
    assert place.keys() == []
    stored = dump_redis(redis_clean.client, "golden_inc")
    redis_clean.client.flushall()
    plain = make_repository(store="redis", server=redis_clean, name="plain")
    assert plain.banquet("materialize", *WINDOW, "-v", "inc_plain").exit_code == 0
    assert dump_redis(redis_clean.client, "golden_inc") == stored


def kept(repository, place, *options):
    """A run whose staged rows stay; the path of their manifest."""
    outcome = repository.banquet("materialize", *WINDOW, f"--staging-location={place.uri}", "--keep-staged=true", *options)
    assert outcome.exit_code == 0, outcome
    return [Path(key) for key in place.keys() if key.endswith("/_manifest.json")]


@pytest.fixture
def local(tmp_path):
    return Local(tmp_path / "staging")


def test_views_of_one_source_are_staged_once_and_loaded_together(repository, local):
    manifest, = kept(repository, local)
    told = json.loads(manifest.read_text())
    assert {view["name"] for view in told["views"]} == {"inc_plain", "inc_ttl", "inc_new"}
    file, = told["files"]
    table = pq.read_table(manifest.parent / file["name"])
    assert table.num_rows == file["rows"] == 6
    assert {"id", "x", "__event_time"} <= set(table.column_names)
    stored = dump_sqlite(repository)
    repository.online_db.unlink()
    outcome = repository.banquet("load", str(manifest), "--keep", "--json")
    assert outcome.exit_code == 0, outcome
    assert dump_sqlite(repository) == stored and manifest.exists()
    assert [len(intervals(repository.registry)[view["name"]]) for view in told["views"]] == [2, 2, 2]


def test_a_load_takes_away_nothing_of_others(repository, local, tmp_path):
    manifest, = kept(repository, local)
    copy = tmp_path / "work"
    shutil.copytree(manifest.parent, copy)
    mine = tmp_path / "work" / "_mine.txt"
    outcome = repository.banquet("load", str(copy / "_manifest.json"))
    assert outcome.exit_code == 0 and not copy.exists(), outcome
    shutil.copytree(manifest.parent, copy)
    mine.write_text("mine")
    outcome = repository.banquet("load", str(copy / "_manifest.json"))
    assert outcome.exit_code == DATA and mine.read_text() == "mine", outcome
    assert (copy / "part-0.parquet").exists()


def test_rows_stay_staged_until_the_interval_is_recorded(make_repository, redis_clean, local):
    """No replica confirms what was written."""
    repository = make_repository(store="redis", server=redis_clean)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", f"--staging-location={local.uri}", "--redis-wait-replicas=1",
                                 "--stall-timeout=1", "--retry-timeout=1")
    assert outcome.exit_code == REMOTE and "redis_wait_replicas" in outcome.stderr, outcome
    assert intervals(repository.registry)["inc_plain"] == []
    assert Path(manifest_of(outcome)).exists()
    assert repository.banquet("load", manifest_of(outcome)).exit_code == 0
    assert len(intervals(repository.registry)["inc_plain"]) == 1 and local.keys() == []


def test_a_folder_that_is_not_what_its_manifest_says_is_not_loaded(repository, local):
    manifest, = kept(repository, local)
    stored = repository.online_db.read_bytes()
    part = manifest.parent / "part-0.parquet"
    whole, text = part.read_bytes(), manifest.read_text()

    def refused(code, *words):
        outcome = repository.banquet("load", str(manifest))
        assert outcome.exit_code == code, outcome
        one_error_line(outcome, *words)
        assert repository.online_db.read_bytes() == stored and manifest.exists()

    (manifest.parent / "below").mkdir()
    (manifest.parent / "below/part-7.pq").write_bytes(whole)
    refused(DATA, "below/part-7.pq", "does not name")
    shutil.rmtree(manifest.parent / "below")
    manifest.write_text(text.replace('"rows": 6', '"rows": 7'))
    recorded = intervals(repository.registry)
    outcome = repository.banquet("load", str(manifest))
    assert outcome.exit_code == DATA and "7 rows were to be written, the source has 6" in outcome.stderr, outcome
    assert intervals(repository.registry) == recorded and manifest.exists()
    stored = repository.online_db.read_bytes()  # The rows themselves are written again.
    manifest.write_text(text)
    part.write_bytes(whole[:-1])
    refused(DATA, "part-0.parquet", "bytes")
    part.unlink()
    refused(DATA, "part-0.parquet", "not there")
    part.write_bytes(whole)
    (manifest.parent / "part-9.parquet").write_bytes(whole)
    refused(DATA, "part-9.parquet", "does not name")
    (manifest.parent / "part-9.parquet").unlink()
    manifest.write_text(text.replace('"golden_inc"', '"another"'))
    refused(USER, "another", "golden_inc")
    manifest.write_text(text.replace('"name": "inc_new"', '"name": "inc_gone"'))
    refused(USER, "inc_gone")
    manifest.write_text(text.replace('"storage_name": "inc_new"', '"storage_name": "inc_new_v3"'))
    refused(USER, "inc_new")
    manifest.write_text(text[:-20])
    refused(DATA, "manifest")
    manifest.write_text(text)
    outcome = repository.banquet("load", str(part))
    assert outcome.exit_code == USER
    one_error_line(outcome, "_manifest.json")
    assert repository.banquet("load", str(manifest)).exit_code == 0
    assert local.keys() == []


def test_what_a_killed_run_left_the_next_one_takes_away(make_repository, redis_clean, local):
    repository = make_repository(store="redis", server=redis_clean)
    stage = f"--staging-location={local.uri}"
    with redis_clean.block(repository, "materialize", *WINDOW, "-v", "inc_plain", stage) as run:
        deadline = time.monotonic() + 60
        while not any(key.endswith("_manifest.json") for key in local.keys()):
            assert time.monotonic() < deadline and run.poll() is None
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    redis_clean.client.client_unpause()
    assert local.keys() != []
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", stage)
    assert outcome.exit_code == 0, outcome
    assert local.keys() == []


def test_a_source_that_fails_leaves_nothing_in_staging(repository, local):
    """Keys and times are whole, so that winners of the first row groups are staged before the damage is met."""
    path, count = repository.path / "data/inc.parquet", 60_000
    start = datetime(2024, 1, 2, tzinfo=timezone.utc)
    times = [start + timedelta(seconds=i) for i in range(count)]
    table = pa.table({"id": range(count), "event_timestamp": times, "created": times, "x": [0.5] * count, "tag": [f"tag {i}" for i in range(count)]})
    pq.write_table(table, path, row_group_size=20_000, use_dictionary=False, compression="snappy")
    tags = pq.ParquetFile(path).metadata.row_group(2).column(4)
    data = bytearray(path.read_bytes())
    end = tags.data_page_offset + tags.total_compressed_size
    data[end - 60:end] = b"\xff" * 60
    path.write_bytes(bytes(data))
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", f"--staging-location={local.uri}", "--threads=1")
    assert outcome.exit_code == DATA, outcome
    assert list(Path(local.uri).glob("*/*/*")) == [] and "banquet load" not in outcome.stderr  # Not even the run's folder.


def test_a_view_that_fails_leaves_its_group_and_what_was_staged_for_all(repository, local):
    """Each view is staged by itself then: one folder stays, of the view whose load failed."""
    repository.online_db.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(repository.online_db)) as store:
        store.execute("CREATE VIEW golden_inc_inc_ttl AS SELECT 1")
    outcome = repository.banquet("materialize", *WINDOW, f"--staging-location={local.uri}")
    assert outcome.exit_code != 0, outcome
    assert {name: len(found) for name, found in intervals(repository.registry).items()} == {"inc_plain": 1, "inc_ttl": 0, "inc_new": 1}
    manifest, = [Path(key) for key in local.keys() if key.endswith("/_manifest.json")]
    assert [view["name"] for view in json.loads(manifest.read_text())["views"]] == ["inc_ttl"]
    assert outcome.stderr.count("banquet load") == 1 and manifest_of(outcome) == str(manifest), outcome


def test_an_empty_window_is_staged_and_recorded(repository, local):
    outcome = repository.banquet("materialize", "1999-01-01", "1999-01-02", f"--staging-location={local.uri}", "--json")
    assert outcome.exit_code == 0, outcome
    assert [view["rows"]["winners"] for view in outcome.json["views"]] == [0, 0, 0]
    assert all(len(found) == 1 for found in intervals(repository.registry).values())


@pytest.mark.parametrize("location, words", [
    ("ftp://host/staging", ("s3:// or gs://",)), ("feature_store.yaml/staging", ("feature_store.yaml/staging",)),
    ("s3://lake/staging/wrong-secret", ("No right", "wrong-secret"))])
def test_a_location_that_cannot_be_written_is_told(location, words, repository, s3_server):
    repository.environment.update(s3_server.environment)
    if "wrong-secret" in location:
        repository.environment["AWS_SECRET_ACCESS_KEY"] = "canary"
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", f"--staging-location={location}")
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, *words)
    assert "canary" not in outcome.stderr
    assert not repository.online_db.exists() and intervals(repository.registry)["inc_plain"] == []
