"""What Spark reads and what it leaves in staging: the stores end as the local engine leaves them."""
import json
import re
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast.infra.offline_stores.file_source import FileSource
from feast.types import UnixTimestamp
from feast_protos import intervals
from lake import DOUBLED, PROJECT, WINDOW, file_source, rows, spark_sources, transformed_views, view_of, write_forms, write_registry
from outcomes import assert_adds_up, one_error_line
from repository import BINARY, Repository
from spark_cluster import spark_environment
from stores import dump_sqlite

S3_JARS = Path(__file__).parents[2] / "build/deps/spark-s3/lib"
SPARK = {"spark.ui.enabled": "false", "spark.driver.memory": "512m", "spark.executor.memory": "512m", "spark.driver.bindAddress": "127.0.0.1",
         "spark.driver.host": "127.0.0.1"}


def engine_block(master="local[2]", conf=None, **keys):
    return json.dumps({"type": "spark.engine", "partitions": 2, **keys, "spark_conf": {**SPARK, "spark.master": master, **(conf or {})}})


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake") / "rides"
    write_forms(folder)
    return folder


@pytest.fixture
def make_lake(tmp_path, lake):
    """A repository of these views over the lake; the engine is a line of YAML."""

    def make(views, engine="local", name="repository", more=""):
        repository = Repository(tmp_path / name, spark_environment())
        repository.path.mkdir()
        repository.configure(f"project: {PROJECT}\nprovider: local\nregistry: data/registry.db\nonline_store: {{type: sqlite, path: data/online.db}}\n"
                             f"entity_key_serialization_version: 3\nbatch_engine: {engine}\n{more}")
        write_registry(repository.registry, views)
        return repository

    return make


def stores_of(repository):
    """Feature name -> value by key and view, without the view in the table's name."""
    return {name.removeprefix(PROJECT + "_"): rows for name, rows in dump_sqlite(repository).items()}


def test_every_form_of_a_source_in_one_application(make_lake, lake):
    """Each view's own engine block says the same, so that they share the application; one keeps the local engine."""
    sources = spark_sources(lake)
    views = [view_of(name, source) for name, source in sources.items()]
    views += [*transformed_views(lake), view_of("by_file", file_source(lake, "by_file")),
              view_of("by_name", file_source(lake, "by_name", "part[1].parquet")), view_of("by_pattern", file_source(lake, "by_pattern", "parq*/*.parquet")),
              view_of("by_nanos", file_source(lake, "by_nanos", "nanos")), view_of("here", file_source(lake, "here"))]
    repository = make_lake(views, engine_block(applications="shared"), more="banquet: {views: {here: {batch_engine: local}}}\n")
    outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=300)
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    report = {view["name"]: view for view in outcome.json["views"]}
    assert report["here"]["url"] is None
    others = {view["url"] for name, view in report.items() if name != "here"}
    assert len(others) == 1 and None not in others
    for name, view in report.items():
        # A view's SQL is given the rows of the window alone.
        lost = (0, 1) if name.endswith("_sql") else (1, 1)
        assert (view["rows"]["null_time"], view["rows"]["null_key"]) == lost, name
    assert {name: len(found) for name, found in intervals(repository.registry).items()} == {name: 1 for name in report}

    local = make_lake([view_of(name, file_source(lake, name)) for name in report if not name.endswith("_sql")], name="local")
    assert local.banquet("materialize", *WINDOW).exit_code == 0
    expected, stored = stores_of(local), stores_of(repository)
    for name in report:
        if not name.endswith("_sql"):
            assert stored[name] == expected[name] and len(stored[name]) == 80, name

    table = rows()
    doubled = pa.array([None if value is None else value * 2 for value in table["rating"].to_pylist()], pa.float64())
    table = table.set_column(3, "rating", doubled).set_column(4, "label", pa.array([f"<{text}>" for text in table["label"].to_pylist()]))
    pq.write_table(table, local.path / "doubled.parquet")
    source = FileSource(name="doubled", path=str(local.path / "doubled.parquet"), timestamp_field="event_timestamp", created_timestamp_column="created")
    by_hand = make_lake([view_of("batch_sql", source), view_of("stream_sql", source)], name="by_hand")
    assert by_hand.banquet("materialize", *WINDOW).exit_code == 0
    for name, table in stores_of(by_hand).items():
        # Feast counts the key of a stream view among its features.
        assert [row for row in stored[name] if row["feature_name"] != "driver"] == table, name


def test_a_cluster_stages_and_sqlite_is_loaded(make_lake, lake, cluster, tmp_path):
    views = [view_of("by_table", spark_sources(lake)["by_table"]), *transformed_views(lake)[:1]]
    staging = tmp_path / "staging"
    engine = engine_block(cluster.master, write="staging", staging_location=str(staging), applications="shared")
    repository = make_lake(views, engine, more="banquet: {keep_staged: true}\n")
    outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=300)
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    assert [view["rows"]["winners"] for view in outcome.json["views"]] == [40, 40]
    local = make_lake([view_of("by_table", file_source(lake, "by_table"))], name="local")
    assert local.banquet("materialize", *WINDOW).exit_code == 0
    stored = stores_of(repository)
    assert stored["by_table"] == stores_of(local)["by_table"] and len(stored["batch_sql"]) == 80
    manifests = sorted(staging.rglob("_manifest.json"))
    assert len(manifests) == 2
    for manifest in manifests:
        named = {file["name"] for file in json.loads(manifest.read_text())["files"]}
        assert {path.name for path in manifest.parent.iterdir()} == named | {"_manifest.json"}
    # The load alone: neither the source nor Spark is asked again.
    repository.online_db.unlink()
    repository.environment["SPARK_HOME"] = "/nowhere"
    repository.configure((repository.path / "feature_store.yaml").read_text().replace("keep_staged: true", "keep_staged: false"))
    for manifest in manifests:
        outcome = repository.banquet("load", str(manifest))
        assert outcome.exit_code == 0, outcome
    assert stores_of(repository) == stored and not list(staging.rglob("*.parquet"))


def test_staged_rows_are_gone_after_the_run_and_kept_after_a_failed_load(make_lake, lake, tmp_path):
    """--staging-location is for every engine; a store that fails costs the load alone."""
    repository = make_lake([view_of("by_parquet", spark_sources(lake)["by_parquet"])], engine_block())
    staging = tmp_path / "staging"
    repository.online_db.mkdir(parents=True)
    outcome = repository.banquet("materialize", *WINDOW, f"--staging-location={staging}", timeout_s=120)
    assert outcome.exit_code == 2 and intervals(repository.registry)["by_parquet"] == [], outcome
    manifest, = re.findall(r"`banquet load (\S+)`", outcome.stderr)
    repository.online_db.rmdir()
    assert repository.banquet("load", manifest).exit_code == 0
    assert len(intervals(repository.registry)["by_parquet"]) == 1
    assert len(stores_of(repository)["by_parquet"]) == 80
    outcome = repository.banquet("materialize", "1999-01-01", "1999-01-02", f"--staging-location={staging}", "--json", timeout_s=120)
    assert outcome.exit_code == 0 and outcome.json["views"][0]["rows"]["winners"] == 0, outcome
    assert [path for path in staging.rglob("*") if path.is_file()] == []


def test_spark_reads_and_stages_on_s3(make_lake, lake, s3_server, tmp_path):
    """s3:// is s3a:// to Spark; the load reads what it left there by ours."""
    assert S3_JARS.is_dir(), "Hadoop's s3a is missing; run scripts/bootstrap test"
    s3_server.put("rides/part-0.parquet", (lake / "parquet/part-0.parquet").read_bytes())
    conf = {"spark.jars": ",".join(str(jar) for jar in S3_JARS.glob("*.jar")), "spark.hadoop.fs.s3a.endpoint": s3_server.url,
            "spark.hadoop.fs.s3a.path.style.access": "true", "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.access.key": "test", "spark.hadoop.fs.s3a.secret.key": "test"}
    source = FileSource(name="rides", path="s3://lake/rides/part-0.parquet", timestamp_field="event_timestamp", created_timestamp_column="created")
    engine = engine_block(conf=conf, write="staging", staging_location="s3://lake/staging")
    repository = make_lake([view_of("rides", source)], engine)
    repository.environment.update(s3_server.environment)
    outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=200)
    assert outcome.exit_code == 0, outcome
    assert_adds_up(outcome.json)
    local = make_lake([view_of("rides", file_source(lake, "rides"))], name="local")
    assert local.banquet("materialize", *WINDOW).exit_code == 0
    assert stores_of(repository) == stores_of(local) and len(stores_of(repository)["rides"]) == 80
    assert [key for key in s3_server.keys("staging/") if not key.endswith("/")] == []


def spark_source(**where):
    from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
    return SparkSource(name="s", timestamp_field="event_timestamp", created_timestamp_column="created", **where)


def with_text(lake, name, text):
    view = transformed_views(lake)[0]
    view.name, view.feature_transformation.udf_string = name, text
    return view


def test_what_spark_cannot_read_is_the_users(make_lake, lake, tmp_path):
    """Each view fails by itself, in one line; the others of the application are written."""
    folders = tmp_path / "folders"
    for name in ("some", "deep"):
        (folders / name).mkdir(parents=True)
        shutil.copy(lake / "nanos/part 0.parquet", folders / name)
    shutil.copy(lake / "parquet/part-0.parquet", folders / "some")
    table = pq.read_table(lake / "nanos/part 0.parquet")
    pq.write_table(table.append_column("moments", pa.array([[time] for time in table["created"].to_pylist()], pa.list_(pa.timestamp("ns")))),
                   folders / "deep/part 0.parquet")
    sources = {"no_path": (spark_source(path=f"{lake}/none", file_format="parquet"), "PATH_NOT_FOUND"),
               "no_table": (spark_source(table="nobody.rides"), "`nobody`"),
               "no_sql": (spark_source(query="SELEC 1"), "near 'SELEC'"),
               "numbers": (spark_source(query="SELECT 1 AS driver, 2 AS event_timestamp, 3 AS created, 1.5D AS rating, '' AS label"),
                           "event_timestamp holds numbers"),
               "text_key": (spark_source(query="SELECT '05' AS driver, now() AS event_timestamp, now() AS created, 1.5D AS rating, '' AS label"),
                            "join key driver is INT64 and its column string"),
               "some_nanos": (file_source(folders, "some_nanos", "some"), "others do not"),
               "deep_nanos": (file_source(folders, "deep_nanos", "deep"), "lists or structs"),
               "no_column": (spark_source(query="SELECT 1 AS driver, now() AS event_timestamp, now() AS created"), "no column rating, label")}
    texts = {"too_much": ("def f(source):\n    import os\n    return source\n", "no more (line 2)"),
             "no_python": ("SELECT * FROM {source}", "no Python"),
             "no_stars": (DOUBLED.replace("stars", "nothing"), "`nothing`")}
    views = [view_of("good", spark_sources(lake)["by_parquet"])]
    views += [view_of(name, source) for name, (source, _) in sources.items()]
    views.append(view_of("null_key", spark_sources(lake)["by_parquet"]))
    views += [with_text(lake, name, text) for name, (text, _) in texts.items()]
    repository = make_lake(views, engine_block(applications="shared"), more="banquet: {views: {null_key: {on_null_key: fail}}}\n")
    outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=300)
    assert outcome.exit_code == 3, outcome
    errors = {view["name"]: view["error"] for view in outcome.json["views"]}
    assert errors.pop("good") is None
    assert "banquet.on_null_key is fail" in errors["null_key"]
    for name, (_, words) in {**sources, **texts}.items():
        assert words in errors[name] and "\n" not in errors[name], (name, errors[name])
    for log in set(re.findall(r"its log: (\S+\.log)", outcome.stderr)):
        Path(log).unlink()
    assert {name: len(found) for name, found in intervals(repository.registry).items() if found} == {"good": 1}


def test_keys_in_time_are_one_where_their_seconds_are(make_lake, tmp_path):
    """Entity keys of UNIX_TIMESTAMP have whole seconds; before 1970 they are those before."""
    start = datetime(1969, 12, 31, 23, 59, 58, tzinfo=timezone.utc)
    keys = [start + timedelta(milliseconds=250 * i) for i in range(16)]
    times = [datetime(2024, 3, 3, tzinfo=timezone.utc) + timedelta(seconds=i) for i in range(16)]
    table = pa.table({"driver": keys, "event_timestamp": times, "created": times, "rating": [float(i) for i in range(16)],
                      "label": [f"ride {i}" for i in range(16)]})
    (tmp_path / "parquet").mkdir()
    pq.write_table(table, tmp_path / "parquet/part-0.parquet")
    stored = []
    for engine in ("local", engine_block()):
        view = view_of("moments", file_source(tmp_path, "moments"))
        view.entity_columns[0].dtype = UnixTimestamp
        repository = make_lake([view], engine, name=f"at_{len(stored)}")
        outcome = repository.banquet("materialize", *WINDOW, "--json", timeout_s=200)
        assert outcome.exit_code == 0, outcome
        assert (outcome.json["views"][0]["rows"]["winners"], outcome.json["views"][0]["rows"]["duplicates"]) == (4, 12)
        stored.append(stores_of(repository))
    assert stored[0] == stored[1] and len(stored[0]["moments"]) == 8


def test_plan_and_check_name_what_spark_would_do(make_lake, lake):
    repository = make_lake([view_of("by_query", spark_sources(lake)["by_query"]), *transformed_views(lake)[:1]], engine_block())
    outcome = repository.banquet("plan", *WINDOW)
    assert outcome.exit_code == 0, outcome
    assert "a query" in outcome.stdout and "sql     doubled" in outcome.stdout and "Spark at local[2]" in outcome.stdout
    assert repository.banquet("check").exit_code == 0
    # What looks alone, looks here.
    outcome = repository.banquet("verify", *WINDOW)
    assert outcome.exit_code == 2 and "SparkSource" in outcome.stderr, outcome
    shutil.rmtree(repository.path / "data")
    local = make_lake([view_of("by_query", spark_sources(lake)["by_query"])], name="local")
    outcome = local.banquet("materialize", *WINDOW)
    assert outcome.exit_code == 2
    one_error_line(outcome, "SparkSource", "batch_engine: spark.engine")


def test_what_the_shipped_runtime_asks_of_an_executor(tmp_path):
    """docs/spark.md says so: glibc 2.34, and 2.36 only of the C++ library, which is taken where the machine's is too old."""
    libraries = {Path(path) for path in re.findall(r"=> (/\S+)", subprocess.run(["ldd", BINARY], capture_output=True, text=True).stdout)}
    of_glibc = ("libc.so", "libm.so", "libresolv.so", "libdl.so", "libpthread.so", "librt.so", "libanl.so")
    asked = {}
    for path in {Path(BINARY), *libraries}:
        if not path.name.startswith(of_glibc):
            symbols = subprocess.run(["objdump", "-T", path], capture_output=True, text=True, check=True).stdout
            asked[path.name] = max((tuple(map(int, found)) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", symbols)), default=(2, 0))
    cxx = {name for name in asked if name.startswith(("libstdc++", "libgcc_s"))}
    assert len(asked) > 20 and len(cxx) == 2
    assert max(asked[name] for name in asked if name not in cxx) <= (2, 34), asked
    assert max(asked[name] for name in cxx) <= (2, 36), asked
