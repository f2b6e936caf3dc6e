"""What the engine asks of spark-submit and what it believes, with a spark-submit of the test's own in place of Spark."""
import json
import os
import re
import sys
from pathlib import Path

import pytest
from feast_protos import intervals
from outcomes import WINDOW, assert_adds_up, one_error_line
from stores import dump_redis

# Serves plans as the job does, but writes nothing: `tell` makes the result of each.
SUBMIT = '''#!{python}
import json, os, signal, sys, time
folder = sys.argv[-1]
with open({log!r}, "a") as log:
    log.write(json.dumps({{"words": sys.argv[1:], "application": json.load(open(folder + "/application.json"))}}) + "\\n")
print('BANQUET {{"kind": "application", "id": "app-7", "url": "http://spark/7"}}', flush=True)
def report(frame, rows):
    counts = [{{"store": store, "view": view["view"], "written": rows, "stale": 0, "unchanged": 0, "bytes": 9}}
              for store in {stores!r} for view in frame["views"]]
    return json.dumps({{"banquet_sink": 1, "rows": rows, "counts": counts}})
def result(plan, **changes):
    rows = {{"read": 10, "null_time": 1, "null_key": 1, "outside_window": 0}}
    tasks = [{{"partition": i, "attempt": 0, "rows": 3, "report": report(json.loads(plan["frame"]), 3)}} for i in range(2)]
    return {{"banquet_spark": 1, "run_id": plan["run_id"], "application": "app-7", "winners": 6, "rows": rows, "tasks": tasks, **changes}}
{tell}
done = set()
while not os.path.exists(folder + "/end"):
    for name in sorted(os.listdir(folder)):
        if name.startswith("plan-") and name.endswith(".json") and name not in done:
            done.add(name)
            plan = json.load(open(folder + "/" + name))
            with open({log!r}, "a") as log:
                log.write(json.dumps({{"plan": plan}}) + "\\n")
            with open(folder + "/partial", "w") as file:
                json.dump(tell(plan), file)
            os.rename(folder + "/partial", folder + "/" + name.replace("plan", "result"))
    time.sleep(0.02)
'''
GOOD = "def tell(plan): return result(plan)"
CONF = {"spark.ui.enabled": "false"}


class Spark:
    def __init__(self, folder):
        self.home, self.log = folder / "spark_home", folder / "asked.jsonl"
        (self.home / "bin").mkdir(parents=True)
        self.environment = {"SPARK_HOME": str(self.home)}

    def serve(self, tell=GOOD, stores=("redis",)):
        path = self.home / "bin/spark-submit"
        path.write_text(SUBMIT.format(python=sys.executable, log=str(self.log), tell=tell, stores=list(stores)))
        path.chmod(0o755)

    def asked(self, kind):
        return [line[kind] for line in map(json.loads, self.log.read_text().splitlines()) if kind in line]


@pytest.fixture
def spark(tmp_path):
    return Spark(tmp_path)


@pytest.fixture
def repository(make_repository, spark, redis_clean, tmp_path):
    (tmp_path / "tmp").mkdir()
    environment = {**spark.environment, "GOLDEN_REDIS_PORT": str(redis_clean.port), "TMPDIR": str(tmp_path / "tmp")}
    return make_repository(store="redis", master="local[2]", conf=CONF, environment=environment)


def change(repository, old, new):
    path = repository.path / "feature_store.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def one_view(repository, *more, code):
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", *more)
    assert outcome.exit_code == code, outcome
    assert len(intervals(repository.registry)["inc_plain"]) == (1 if code == 0 else 0)
    return outcome


def refused(repository, *more):
    outcome = repository.banquet("materialize", *WINDOW, *more)
    assert outcome.exit_code == 2, outcome
    return outcome


def test_what_the_job_tells_is_reported(repository, spark):
    spark.serve()
    outcome = one_view(repository, "--json", code=0)
    assert_adds_up(outcome.json)
    view = outcome.json["views"][0]
    assert view["url"] == "http://spark/7"
    assert (view["rows"]["read"], view["rows"]["duplicates"], view["rows"]["winners"]) == (10, 2, 6)
    assert view["stores"][0]["written"] == 6


@pytest.mark.parametrize("tell, code, words", [
    ("def tell(plan): return result(plan, tasks=[])", 3, ("chose 6 rows", "tell of 0")),
    ("def tell(plan): return result(plan, winners=7)", 3, ("chose 7 rows", "tell of 6")),
    ("def tell(plan): return result(plan, rows={'read': 5, 'null_time': 0, 'null_key': 0, 'outside_window': 0})", 3, ("read 5 rows and gives 6",)),
    ("def tell(plan): return result(plan, run_id='another')", 3, ("another run",)),
    ("def tell(plan): return 'x'", 3, ("damaged",)),
    ("def tell(plan): sys.exit(0)", 4, ("spark-submit ended with 0",)),
    ("def tell(plan): print('Error: no such queue'); sys.exit(1)", 4, ("spark-submit ended with 1", "Error: no such queue")),
    ("def tell(plan): os.kill(os.getpid(), signal.SIGKILL)", 4, ("ended by signal 9",)),
    ("def tell(plan): print('BANQUET-SINK exit 3: banquet: a bad row'); sys.exit(1)", 3, ("A sink on an executor failed: a bad row",)),
    ("def tell(plan): return result(plan, error={'condition': 'PATH_NOT_FOUND', 'message': '[PATH_NOT_FOUND] nothing at x'})", 2, ("nothing at x",)),
])
def test_what_does_not_add_up_is_not_recorded(repository, spark, tell, code, words):
    spark.serve(tell)
    one_error_line(one_view(repository, code=code), *words)


def test_the_words_of_one_plan_are_not_anothers(repository, spark):
    """Applications are shared: a sink that failed for one view is not why the next failed."""
    change(repository, "  partitions: 2\n", "  partitions: 2\n  applications: shared\n")
    repository.append_configuration("banquet: {share_reads: false, parallel_groups: 1}\n")
    spark.serve('''first = []
def tell(plan):
    if not first:
        first.append(plan["run_id"])
        print("BANQUET-SINK exit 2: banquet: the first sink", flush=True)
        return result(plan, error={"condition": "", "message": "BANQUET-SINK exit 2: banquet: the first sink"})
    print("Error: the second", flush=True)
    sys.exit(1)
''')
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "-v", "inc_ttl", "--json")
    logs = {log: Path(log).read_text() for log in re.findall(r"its log: (\S+?\.log)", outcome.stdout)}
    errors = sorted(view["error"] for view in outcome.json["views"])
    assert len(logs) == 2 and len(errors) == 2, outcome
    assert "the first sink" in errors[0] and "the first sink" not in errors[1] and "Error: the second" in errors[1]


def test_nothing_secret_is_on_the_command_line(repository, spark):
    spark.serve()
    change(repository, "    spark.ui.enabled", '    spark.hadoop.fs.azure.account.key.lake: "s3cret"\n    spark.sql.url: "jdbc:x?password=s3cret"\n    spark.ui.enabled')
    one_view(repository, code=0)
    words, = spark.asked("words")
    assert "s3cret" not in " ".join(words)
    assert words[:4] == ["--master", "local[2]", "--deploy-mode", "client"] and "spark.driver.memory=512m" in words
    conf = spark.asked("application")[0]["conf"]
    assert conf["spark.hadoop.fs.azure.account.key.lake"] == conf["spark.sql.url"].removeprefix("jdbc:x?password=") == "s3cret"
    assert list(Path(repository.environment["TMPDIR"]).iterdir()) == []


def test_defaults_of_the_machine_are_seen(repository, spark):
    """Executors elsewhere are given a runtime, beside the archives that are theirs."""
    (spark.home / "conf").mkdir()
    (spark.home / "conf/spark-defaults.conf").write_text("spark.master spark://h:1\nspark.archives  env.zip#env\n")
    change(repository, '    spark.master: "local[2]"\n', "")
    spark.serve()
    one_view(repository, code=0)
    words, = spark.asked("words")
    assert words[1] == "spark://h:1"
    archives, = [word for word in words if word.startswith("spark.archives=")]
    assert re.fullmatch(r"spark\.archives=env\.zip#env,/\S+/runtime\.tar\.gz#banquet_runtime", archives)
    assert spark.asked("plan")[0]["sink"] == "banquet_runtime/banquet"
    (spark.home / "conf/spark-defaults.conf").write_text("spark.submit.deployMode=cluster\nspark.master=spark://h:1\n")
    one_error_line(refused(repository, "-v", "inc_plain"), "deploy mode cluster", "spark://h:1")


def test_conf_of_an_offline_store_lies_beneath(repository, spark):
    spark.serve()
    repository.append_configuration("offline_store: {type: spark, spark_conf: {spark.master: 'spark://h:1', spark.driver.cores: 3}}\n")
    one_view(repository, code=0)
    words, = spark.asked("words")
    assert words[1] == "local[2]" and "spark.driver.cores=3" in words
    change(repository, "spark.driver.cores: 3", "spark.submit.deployMode: cluster")
    one_error_line(refused(repository, "-v", "inc_plain"), "deploy mode cluster")


def rate_of(frame):
    return dict(json.loads(frame)["overrides"])["write_rate_max"]


def test_a_rate_is_divided_between_all_that_write(repository, spark):
    spark.serve()
    repository.append_configuration("banquet: {share_reads: false, parallel_groups: 2, write_rate_max: 100}\n")
    outcome = repository.banquet("materialize", *WINDOW, "--json")
    assert outcome.exit_code == 0, outcome
    frames = [json.loads(plan["frame"]) for plan in spark.asked("plan")]
    assert len(frames) == 3
    assert {dict(frame["overrides"])["write_rate_max"] for frame in frames} == {"25"}
    change(repository, "write_rate_max: 100", "write_rate_max: 1")
    one_error_line(refused(repository, "-v", "inc_ttl"), "fewer than the tasks that write")
    change(repository, "write_rate_max: 1", "write_rate_max: 100")
    change(repository, "  partitions: 2\n", "")
    one_error_line(refused(repository, "-v", "inc_ttl"), "set batch_engine.partitions")
    change(repository, "  type: spark.engine\n", "  type: spark.engine\n  partitions: 2\n")
    change(repository, "banquet: {", "banquet: {views: {inc_ttl: {batch_engine: local}}, ")
    outcome = repository.banquet("materialize", *WINDOW, "--json")
    errors = {view["name"]: view["error"] for view in outcome.json["views"]}
    assert errors.pop("inc_ttl") is None
    assert len(errors) == 2 and all("beside another engine" in error for error in errors.values()), errors


def test_two_stores_are_counted_apart(repository, spark):
    repository.append_configuration("banquet: {online_stores: {second: {type: sqlite, path: data/second.db}}}\n")
    spark.serve(stores=("redis", "second"))
    outcome = one_view(repository, "--json", code=0)
    assert_adds_up(outcome.json)
    assert [(store["name"], store["written"]) for store in outcome.json["views"][0]["stores"]] == [("redis", 6), ("second", 6)]


def test_every_store_must_be_accounted_for(repository, spark):
    """The report of a sink that left one store out does not add up."""
    repository.append_configuration("banquet: {online_stores: {second: {type: sqlite, path: data/second.db}}}\n")
    spark.serve(stores=("redis",))
    one_view(repository, code=70)


def test_what_an_engine_cannot_do_is_refused_before_spark_starts(repository, spark, tmp_path):
    spark.serve()
    change(repository, '"local[2]"', '"spark://h:1"')
    repository.append_configuration("banquet: {online_stores: {second: {type: sqlite, path: data/second.db}}}\n")
    one_error_line(refused(repository, "-v", "inc_plain"), "sqlite cannot be written by the executors")
    assert not spark.log.exists()


def test_check_and_plan_look_for_spark(repository, spark):
    for command in (("plan", *WINDOW), ("check",)):
        outcome = repository.banquet(*command)
        assert outcome.exit_code == 2 and "bin/spark-submit cannot be run" in outcome.stdout + outcome.stderr, outcome
    spark.serve()
    assert repository.banquet("plan", *WINDOW).exit_code == 0


def test_progress_and_a_cluster_without_room_are_told(repository, spark):
    spark.serve('''def tell(plan):
    print('BANQUET {"kind": "progress", "plan": 1, "tasks": 8, "done": 3, "active": 2}')
    print("WARN TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI", flush=True)
    time.sleep(2.5)
    return result(plan)
''')
    outcome = one_view(repository, "--progress=json", code=0)
    assert "waits for executors" in outcome.stderr
    doing = [json.loads(line)["views"][0]["doing"] for line in outcome.stderr.splitlines() if '"progress"' in line]
    assert "Spark: 3 of 8 tasks done, 2 running" in doing, doing


def test_a_runtime_that_cannot_be_packed(repository, spark, tmp_path):
    spark.serve()
    change(repository, '"local[2]"', '"spark://h:1"')
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tar").write_text("#!/bin/sh\necho no space >&2; exit 2\n")
    (tmp_path / "bin/tar").chmod(0o755)
    repository.environment["PATH"] = f"{tmp_path}/bin:{os.environ['PATH']}"
    one_error_line(one_view(repository, code=2), "cannot be packed: no space")


def test_nothing_is_written_here(repository, spark, redis_clean):
    spark.serve()
    one_view(repository, code=0)
    assert dump_redis(redis_clean.client, "golden_inc") == {}
