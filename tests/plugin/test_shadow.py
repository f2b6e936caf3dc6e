"""Shadow runs: what they find, and that they leave no trace but their report."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from plugged import by_banquet, plug
from repositories import GOLDEN
from repository import BINARY, copy_repository
from stores import dump_sqlite
from steps import open_case
from test_errors import JAN, TRANSFORMED, applied, repository  # noqa: F401
from test_probes import WINDOW, applied as applied_probes  # noqa: F401
from test_shared_registries import registries  # noqa: F401

ALL = ("2024-01-01", "2024-12-31")
PYTHON_FOLDER = Path(__file__).parents[2] / "python"


class Shadowed:
    """A finished run."""

    def __init__(self, done, scratch):
        self.exit_code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        assert "Traceback" not in self.stderr, self
        assert list(scratch.iterdir()) == [], "the scratch stores are gone"

    @property
    def json(self):
        assert self.stdout.count("\n") == 1, self
        return json.loads(self.stdout)

    @property
    def views(self):
        return {view["name"]: view for view in self.json["views"]}

    def __repr__(self):
        return f"exit {self.exit_code}\n{self.stdout}\n{self.stderr}"


def environment_of(repository, scratch, **more):  # noqa: F811
    return {**repository.process_environment(), "PYTHONPATH": str(PYTHON_FOLDER), "PYTHONDONTWRITEBYTECODE": "1", "FEAST_USAGE": "False",
            "BANQUET_BINARY": BINARY, "TMPDIR": str(scratch), **more}


def content_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def shadow(repository, *words, untouched=True):  # noqa: F811
    scratch = repository.path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    before = content_of(repository.path)
    done = subprocess.run([sys.executable, "-m", "banquet.shadow", "-c", repository.path, *words], capture_output=True, text=True,
                          env=environment_of(repository, scratch), timeout=120)
    assert not untouched or content_of(repository.path) == before, "a file of the repository was written"
    return Shadowed(done, scratch)


def of_case(case, tmp_path, servers, store="sqlite"):
    return open_case(case, store, tmp_path, servers)


class NoServers:
    """Ports on which nobody listens: a shadow run asks no online store."""

    environment = {"GOLDEN_REDIS_PORT": "1", "GOLDEN_PG_PORT": "1", "GOLDEN_DDB_PORT": "1"}


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_equal_views_are_equal_whatever_the_store(store, tmp_path):
    outcome = shadow(of_case("timestamps", tmp_path, NoServers, store), *ALL, "--json")
    assert outcome.exit_code == 0, outcome
    assert outcome.json["status"] == "SUCCEEDED" and outcome.json["feast_seconds"] > 0 < outcome.json["banquet_seconds"]
    assert len(outcome.views) == 8
    for view in outcome.views.values():
        assert (view["status"], view["compared"], view["equal"], view["differing"], view["missing"], view["extra"]) == (
            "EQUAL", 12, 12, 0, 0, 0), view
        assert view["rows"]["winners"] > 0 and view["feast_seconds"] > 0, view


def test_a_tie_is_told_as_one_and_is_not_equal(tmp_path):
    outcome = shadow(of_case("basic", tmp_path, NoServers), *ALL, "--json")
    assert outcome.exit_code == 3 and outcome.json["status"] == "DIFFERENT", outcome
    different = [view for view in outcome.views.values() if view["status"] != "EQUAL"]
    assert [view["name"] for view in different] == ["driver_stats"], outcome
    (tie, count), = different[0]["known"].items()
    assert tie.startswith("10, 38: rows that tie") and count == different[0]["differing"] > 0 == different[0]["unexplained"]
    for example in different[0]["examples"]:
        assert (example["kind"], example["entity"], example["known"]) == ("differing", "driver_id=9008", tie), example
        assert example["feast"]["event"] == example["banquet"]["event"] == "2024-03-05T12:00:00Z"
        assert example["feast"]["value_hex"] != example["banquet"]["value_hex"]


def test_sets_in_another_order_are_equal_and_doubles_of_ints_are_known(tmp_path):
    outcome = shadow(of_case("types", tmp_path, NoServers), *ALL)
    assert outcome.exit_code == 3, outcome
    lines = outcome.stdout.splitlines()
    assert lines[0].split() == ["VIEW", "RESULT", "ROWS", "EQUAL", "DIFFERING", "MISSING", "EXTRA", "FEAST", "BANQUET"]
    results = {line.split()[0]: line.split()[1] for line in lines[1:14]}
    assert results.pop("t_map_json") == "DIFFERENT" and set(results.values()) == {"EQUAL"}, outcome
    assert any(line.startswith("t_set: ") and line.endswith("equal but for the order of entries, which Feast leaves open")
               for line in lines), outcome
    assert any(line.startswith("t_map_json: 3 known: 37: ints of a struct beside a null") for line in lines), outcome
    place = lines.index("t_map_json: differing id=0 st (value), known: 37")
    assert "'a': 1.0" in lines[place + 1] and "'a': 1" in lines[place + 2].replace("'a': 1.0", ""), outcome
    assert lines[-1].startswith("DIFFERENT. Feast ") and "Banquet " in lines[-1], outcome


@pytest.fixture(scope="session")
def probed(applied_probes, tmp_path_factory, servers):  # noqa: F811
    """A run over views on which Feast and Banquet part, each in its way."""
    repository = open_case("probe", "sqlite", tmp_path_factory.mktemp("probed"), servers, registry=None)  # noqa: F811
    repository.registry.write_bytes(applied_probes["probe"])
    names = ("int64_null_big_ok", "int_null_as_string", "ts_list_ns", "ts_from_int_null", "list_in_scalar", "int32_as_float64",
             "bad_text_as_int64")
    outcome = shadow(repository, *WINDOW, "--json", *[word for name in names for word in ("-v", name)])
    assert outcome.exit_code == 3 and set(outcome.views) == set(names), outcome
    return outcome.views


@pytest.mark.parametrize(("view", "known"), [("int64_null_big_ok", "5: ints beside a null"), ("int_null_as_string", "5: the text of ints"),
                                             ("ts_list_ns", "5: a list of nanosecond")])
def test_what_the_values_prove_has_its_name(view, known, probed):
    (found, count), = probed[view]["known"].items()
    assert found.startswith(known) and count == probed[view]["differing"] > 0 == probed[view]["unexplained"], probed[view]


def test_what_the_values_do_not_prove_is_just_a_difference(probed):
    view = probed["ts_from_int_null"]
    assert (view["status"], view["known"]) == ("DIFFERENT", {}) and view["unexplained"] == view["differing"] > 0, view


def test_who_fails_is_told(probed):
    failed = {name: (view["status"], bool(view["feast_error"]), bool(view["banquet_error"])) for name, view in probed.items()
              if view["status"] == "ERROR"}
    assert failed == {"int32_as_float64": ("ERROR", True, False), "list_in_scalar": ("ERROR", False, True),
                      "bad_text_as_int64": ("ERROR", True, True)}
    assert all("equal" not in probed[name] for name in failed)


def test_refused_and_transformed_views(repository):  # noqa: F811
    outcome = shadow(repository, *JAN, "--json", "-v", "inc_back", "-v", "inc_doubled", "-v", "inc_failing", "-v", "inc_stream")
    assert outcome.exit_code == 3, outcome
    views = outcome.views
    assert {name: view["status"] for name, view in views.items()} == {
        "inc_back": "REFUSED", "inc_doubled": "EQUAL", "inc_failing": "ERROR", "inc_stream": "EQUAL"}
    assert "offline=True" in views["inc_back"]["reason"] and views["inc_back"]["feast_seconds"] is None
    assert views["inc_doubled"]["compared"] == views["inc_doubled"]["equal"] > 0
    assert "the user's own" in views["inc_failing"]["feast_error"] and "the user's own" in views["inc_failing"]["banquet_error"]


def test_a_filled_store_is_left_alone_and_windows_are_feasts(repository, feast):  # noqa: F811
    by_banquet(feast.jobs_of(plug(repository, threads=1), *JAN, views=["inc_ttl"]))
    stored = dump_sqlite(repository)
    assert any(stored.values())
    outcome = shadow(repository, "2024-02-20", "--json", "-v", "inc_ttl")
    assert outcome.exit_code == 0, outcome
    assert outcome.views["inc_ttl"]["window"] == {"start": "2024-01-31T00:00:00Z", "end": "2024-02-20T00:00:00Z"}
    assert dump_sqlite(repository) == stored


def test_kept_stores_are_named(repository, tmp_path):  # noqa: F811
    kept = tmp_path / "kept"
    kept.mkdir()
    outcome = shadow(repository, *JAN, "-v", "inc_plain", "--keep", "--scratch", str(kept), "--examples", "0")
    folder, = kept.iterdir()
    assert f"The scratch stores are kept in {folder}" in outcome.stdout, outcome
    assert {path.name for path in (folder / "feast").iterdir()} == {"registry.db", "online.db"}
    assert folder.stat().st_mode & 0o077 == 0


COMPARE = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from banquet._compare import compare
folder, table = Path(sys.argv[1]), sys.argv[2]
found = compare(folder / "feast/online.db", folder / "banquet/online.db", table, 1, lambda: None)
print(json.dumps({**asdict(found), "is_equal": found.is_equal, "unexplained": found.unexplained}))
"""


def test_rows_that_one_side_has_alone_and_other_times_are_found(repository, tmp_path):  # noqa: F811
    kept = tmp_path / "kept"
    kept.mkdir()
    shadow(repository, *JAN, "-v", "inc_plain", "--keep", "--scratch", str(kept))
    folder, = kept.iterdir()
    with sqlite3.connect(folder / "banquet/online.db") as database:
        (first,), (second,), *_ = database.execute("SELECT DISTINCT entity_key FROM golden_inc_inc_plain ORDER BY 1")
        database.execute("DELETE FROM golden_inc_inc_plain WHERE entity_key = ?", (first,))
        database.execute("UPDATE golden_inc_inc_plain SET event_ts = event_ts - 1 WHERE entity_key = ?", (second,))
        database.execute("INSERT INTO golden_inc_inc_plain (entity_key, feature_name) VALUES (x'00', 'x')")
    database.close()
    done = subprocess.run([sys.executable, "-c", COMPARE, folder, "golden_inc_inc_plain"], capture_output=True, text=True,
                          env=environment_of(repository, tmp_path), check=True)
    found = json.loads(done.stdout)
    assert {name: found[name] for name in ("rows", "equal", "differing", "missing", "extra", "unexplained", "is_equal", "known")} == {
        "rows": 12, "equal": 8, "differing": 2, "missing": 2, "extra": 1, "unexplained": 5, "is_equal": False, "known": {}}
    missing, extra, differing = found["examples"]
    assert (missing["kind"], missing["feature"], missing["banquet"]) == ("missing", "tag", None), missing
    assert (extra["kind"], extra["entity"], extra["feast"]) == ("extra", "00", None), extra
    assert (differing["kind"], differing["columns"]) == ("differing", ["event_ts"]) and missing["entity"] != differing["entity"]


@pytest.mark.parametrize("product", ["sqlite", "postgres", "s3"])
def test_registries_elsewhere_are_only_read(product, registries, feast, tmp_path):  # noqa: F811
    repository = registries.make(product)  # noqa: F811
    outcome = shadow(repository, *JAN, "--json")
    assert outcome.exit_code == 0 and len(outcome.views) == 3, outcome
    assert feast.intervals(repository, "inc_plain") == []


SECRET = "hunter2-of-the-store"


@pytest.mark.parametrize("text", [
    f"registry: {{registry_type: sql, path: 'postgresql+psycopg://feast:{SECRET}@127.0.0.1:1/none'}}\n",
    f"registry: {{registry_type: sql, path: 'postgresql+nonsense://feast:{SECRET}@127.0.0.1:1/none'}}\n",
    f"registry: data/registry.db\noffline_store: {{type: file, password: [{SECRET}]}}\n",
    f"registry: data/registry.db\nbatch_engine: {{type: banquet.feast.BanquetEngine, password: {SECRET}}}\n",
    f"registry: data/registry.db\nbanquet: {{password: {SECRET}\n"])
def test_no_error_tells_a_secret(text, repository):  # noqa: F811
    repository.configure(f"project: golden_inc\nprovider: local\nentity_key_serialization_version: 3\n{text}"
                         f"online_store: {{type: redis, connection_string: 'localhost:1,password={SECRET}'}}\n")
    outcome = shadow(repository, *JAN, "--json", "-v", "inc_plain")
    assert outcome.exit_code in (2, 4) and outcome.json["status"] == "ERROR", outcome
    assert SECRET not in outcome.stdout + outcome.stderr, outcome
    assert outcome.stderr.splitlines()[-1] == f"banquet: {outcome.json['error']}", outcome


def test_the_password_of_the_real_store_is_not_needed(repository):  # noqa: F811
    path = repository.path / "feature_store.yaml"
    text = path.read_text()
    path.write_text(text[:text.index("online_store:")] + "online_store: {type: redis, connection_string: '${NOT_THERE}'}\n"
                    "entity_key_serialization_version: 3\nbanquet: {online_stores: {other: {type: redis, connection_string: 'nowhere:1'}}}\n")
    outcome = shadow(repository, *JAN, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome


@pytest.mark.parametrize(("words", "said"), [
    (("-v", "inc_plian", *JAN), "inc_plian"), ((*JAN, JAN[1]), "Give START and END"), (("yesterday",), "no time in ISO 8601"),
    ((*JAN, "--set", "threads"), "NAME=VALUE"), ((*JAN, "--set", "thraeds=3"), "thraeds"), ((*JAN, "--wrong"), "--wrong"),
    (("2024-02-01", "2024-01-01"), "greater than"), ((*JAN, "-f", "none.yaml"), "none.yaml")])
def test_slips_are_the_users(words, said, repository):  # noqa: F811
    outcome = shadow(repository, *words)
    assert outcome.exit_code == 2 and said in outcome.stderr.splitlines()[-1] and outcome.stdout == "", outcome


def command(repository, *words, **environment):  # noqa: F811
    scratch = repository.path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    done = subprocess.run([BINARY, *words], cwd=repository.path, capture_output=True, text=True, timeout=120,
                          env={**environment_of(repository, scratch), "BANQUET_BINARY": "", **environment})
    return Shadowed(done, scratch)


def test_the_command_becomes_a_shadow_run(repository):  # noqa: F811
    words = ("materialize", "--shadow", "Jan 1 2024", "2024-01-31", "-v", "inc_plain", "--json", "--threads", "1")
    outcome = command(repository, *words, BANQUET_PYTHON=sys.executable)
    assert outcome.exit_code == 0, outcome
    assert outcome.views["inc_plain"]["window"] == {"start": "2024-01-01T00:00:00Z", "end": "2024-01-31T00:00:00Z"}
    outcome = command(repository, "-q", "materialize-incremental", "2024-01-31", "--shadow", "-v", "inc_ttl", BANQUET_PYTHON=sys.executable)
    assert (outcome.exit_code, outcome.stderr) == (0, "") and "inc_ttl  EQUAL" in outcome.stdout, outcome
    assert not repository.online_db.exists() or not any(dump_sqlite(repository).values())


@pytest.mark.parametrize(("environment", "said"), [
    ({"BANQUET_PYTHON": "/no/such/python"}, "/no/such/python cannot be run: No such file"),
    ({"BANQUET_PYTHON": sys.executable, "PYTHONPATH": ""}, "pip install banquet[feast]"),
    ({"PATH": "/nowhere"}, "python3 cannot be run")])
def test_a_command_without_python_says_what_it_wants(environment, said, repository):  # noqa: F811
    outcome = command(repository, "materialize", "--shadow", *JAN, "--json", **environment)
    assert outcome.exit_code == 2 and said in outcome.json["error"] and said in outcome.stderr, outcome


def test_a_command_that_is_wrong_does_not_become_one(repository):  # noqa: F811
    for words, said in ((("--shadow", "yesterday", "2024-01-01"), "yesterday"), (("--shadow", *JAN, "--metrics-file", "x"), "--metrics-file"),
                        (("--shadow",), "START_TS")):
        outcome = command(repository, "materialize", *words, BANQUET_PYTHON=sys.executable)
        assert outcome.exit_code == 2 and said in outcome.stderr, outcome


WAITING = TRANSFORMED + '''

def waiting(df):
    import pathlib, threading
    pathlib.Path("waits").touch()
    threading.Event().wait(120)
    return df


inc_waiting = BatchFeatureView(name="inc_waiting", entities=[item], mode="pandas", udf=waiting, udf_string="waiting",
    ttl=timedelta(days=36500), online=True, schema=[Field(name="id", dtype=Int64), Field(name="x", dtype=Float64)],
    source=FileSource(name="inc_waiting_src", path="data/inc.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"))
'''


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_leaves_nothing(number, exit_code, feast, tmp_path):
    repository = copy_repository(GOLDEN / "incremental", tmp_path / "repository")  # noqa: F811
    repository.configure((GOLDEN / "incremental/feature_store.sqlite.yaml").read_text())
    shutil.copy(repository.path / "data/inc.parquet", repository.path / "data/inc_back.parquet")
    definitions = repository.path / "features.py"
    definitions.write_text(definitions.read_text() + WAITING)
    feast.apply(repository)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen([sys.executable, "-m", "banquet.shadow", *JAN, "-v", "inc_waiting"], cwd=repository.path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment_of(repository, scratch))
    deadline = time.monotonic() + 60
    while not (repository.path / "waits").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.02)
    assert list(scratch.iterdir()) != []
    os.kill(process.pid, number)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (exit_code, "") and "Traceback" not in stderr, stderr
    assert list(scratch.iterdir()) == []
