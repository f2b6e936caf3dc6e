"""The job that Banquet's Spark engine submits: newest row per key, written by `banquet sink` in each task or staged.

argv[1]: the folder where the engine (engine/spark, docs/spark.md) leaves application.json, then plan-N.json for each
group of views, then end. What comes of a plan goes to result-N.json, whole or not at all. Lines on standard output
that begin with "BANQUET " are for the engine. argv[2], where the driver runs away from the engine: the URI of a folder
for result-1.json, of the one plan that is there from the start; there the engine says from time to time that it lives.

Spark 3.5 or 4.
"""
import ast
import datetime
import inspect
import json
import os
import shutil
import signal
import sys
import textwrap
import threading
import time

from py4j.protocol import Py4JNetworkError
from pyspark.sql import Observation, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

EVENT_TIME, CREATED_TIME, ROW = "__event_time", "__created_time", "__banquet_row"
SUMMARY = "partition int, attempt int, rows long, report string"
# One reducer per partition asked for, times in UTC and in microseconds: these come before the user's (docs/spark.md).
SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.sql.adaptive.coalescePartitions.enabled": "false",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "10000", "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}
LOOK_AGAIN_S = 0.1
TELL_AGAIN_S = 1.0
END_S = 10.0
NANOS_FILES_MAX = 1000
ALIVE_S, GONE_S = 5.0, 120.0  # The engine writes every ten seconds.
INTEGERS = (T.ByteType, T.ShortType, T.IntegerType, T.LongType, T.BooleanType)
NUMBERS = INTEGERS + (T.FloatType, T.DoubleType, T.DecimalType)
TIMES = (T.TimestampType, T.TimestampNTZType)
# Types of Spark of which two values of a join key are equal if and only if Banquet's entity keys of them are.
KEY_TYPES = {"INT32": NUMBERS, "INT64": NUMBERS + TIMES, "UNIX_TIMESTAMP": INTEGERS + TIMES,
             "STRING": INTEGERS + (T.StringType, T.BinaryType), "BYTES": (T.StringType, T.BinaryType)}


class Refusal(Exception):
    """What the user can mend; its text says how."""


def tell(kind, **facts):
    print("BANQUET " + json.dumps({"kind": kind, **facts}), flush=True)


class Folder:
    """Of this machine."""

    def __init__(self, path):
        self.path = path

    def publish(self, name, content):
        path = os.path.join(self.path, name)
        with open(path + ".partial", "w") as file:
            file.write(content)
        os.replace(path + ".partial", path)


class Channel:
    """A folder by Spark's file systems."""

    def __init__(self, spark, uri):
        self.spark, self.uri, self.is_gone = spark, uri, False

    def place(self, name):
        path = self.spark._jvm.org.apache.hadoop.fs.Path(self.uri + "/" + name)
        return path.getFileSystem(self.spark._jsc.hadoopConfiguration()), path

    def publish(self, name, content):
        if self.is_gone:
            raise RuntimeError("nobody waits for it any more")
        system, path = self.place(name)
        stream = system.create(path, True)
        stream.write(content.encode())
        stream.close()

    def read(self, name):
        """None: there is no such file."""
        system, path = self.place(name)
        if not system.exists(path):
            return None
        stream = system.open(path)
        try:
            return bytes(stream.readAllBytes())
        finally:
            stream.close()


# --- what a task does -------------------------------------------------------------------------------------------------


def make_shim(frame, sink, library_path):
    """Of a task: sends its rows to a sink of its own, and gives one row about it."""

    def shim(batches):
        import subprocess
        import tempfile

        import pyarrow as pa
        from pyspark import SparkFiles, TaskContext

        context = TaskContext.get()

        def last_words(text):
            """What the sink died of: its warnings come before it."""
            lines = [line for line in text.splitlines() if line.strip()]
            own = [line for line in lines if line.startswith("banquet: ") and not line.startswith("banquet: warning")]
            return (own or lines or ["it said nothing"])[-1][-2000:]

        def summary(rows, report):
            return pa.RecordBatch.from_arrays(
                [pa.array([context.partitionId()], pa.int32()), pa.array([context.attemptNumber()], pa.int32()),
                 pa.array([rows], pa.int64()), pa.array([report], pa.string())], names=["partition", "attempt", "rows", "report"])

        first = next((batch for batch in batches if batch.num_rows > 0), None)
        if first is None:
            yield summary(0, "")
            return
        program, environment = sink, dict(os.environ)
        if library_path:
            program = os.path.join(SparkFiles.getRootDirectory(), sink)
            folder = environment["LD_LIBRARY_PATH"] = os.path.join(SparkFiles.getRootDirectory(), library_path)
            # The machine's own C++ library, which asks for less of glibc than the one beside the sink, if it is new enough.
            if subprocess.run([program, "--version"], env=environment, capture_output=True).returncode != 0:
                environment["LD_LIBRARY_PATH"] = f"{folder}:{folder}/cxx"
        rows, broken = 0, False
        # Its words go to files: a pipe that nobody reads would hold it up.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen([program, "sink"], stdin=subprocess.PIPE, stdout=out, stderr=err, env=environment)
            try:
                process.stdin.write(len(frame).to_bytes(4, "little") + frame)
                with pa.ipc.new_stream(process.stdin, first.schema) as writer:
                    batch = first
                    while batch is not None:
                        if batch.num_rows > 0:
                            writer.write_batch(batch)
                            rows += batch.num_rows
                        batch = next(batches, None)
                process.stdin.close()
            except BrokenPipeError:
                broken = True  # The sink has died: its own words say why.
            except BaseException:
                process.kill()
                process.wait()
                raise
            code = process.wait()
            out.seek(0)
            err.seek(0)
            report, words = out.read().decode(), last_words(err.read().decode("utf-8", "replace"))
        if code < 0:
            raise RuntimeError(f"BANQUET-SINK exit {code}: killed by signal {-code} (memory of the executor's machine?)")
        if code != 0 or broken:
            raise RuntimeError(f"BANQUET-SINK exit {code}: {words}")
        if json.loads(report)["rows"] != rows:
            raise RuntimeError(f"BANQUET-SINK {rows} rows were sent, the sink tells {report.strip()}")
        yield summary(rows, report)

    return shim


# --- SQL of a view ----------------------------------------------------------------------------------------------------


def text_of(node, names):
    """The text that an expression of the kinds below gives; others are refused, since the job runs no code of a registry."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return str(node.value)
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(one, names) for one in node.values)
    if isinstance(node, ast.FormattedValue) and node.format_spec is None:
        return text_of(node.value, names)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left, names) + text_of(node.right, names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "format":
            return text_of(node.func.value, names).format(*[text_of(one, names) for one in node.args],
                                                          **{one.arg: text_of(one.value, names) for one in node.keywords if one.arg})
        if node.func.attr == "strip" and not node.args:
            return text_of(node.func.value, names).strip()
        if node.func.attr in ("dedent", "cleandoc") and len(node.args) == 1:
            return {"dedent": textwrap.dedent, "cleandoc": inspect.cleandoc}[node.func.attr](text_of(node.args[0], names))
    raise Refusal(f"it may put texts and its parameter together, and no more (line {node.lineno})")


def sql_of(text, source):
    """The SQL that Feast's function over the source of that name gives, without running it."""
    try:
        functions = [node for node in ast.parse(textwrap.dedent(text)).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError as error:
        raise Refusal(f"its text is no Python: {error}")
    if len(functions) != 1 or len(functions[0].args.args) != 1:
        raise Refusal("one function of one parameter, the name of the source, is wanted")
    names = {functions[0].args.args[0].arg: source}
    for statement in functions[0].body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # Its docstring.
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
            names[statement.targets[0].id] = text_of(statement.value, names)
        elif isinstance(statement, ast.Return) and statement.value is not None:
            return text_of(statement.value, names)
        else:
            raise Refusal(f"it may assign texts and return one, and no more (line {statement.lineno})")
    raise Refusal("it returns nothing")


# --- the frame of a plan ----------------------------------------------------------------------------------------------


def column(name):
    return F.col("`" + name.replace("`", "``") + "`")


def found(frame, name):
    """The column as the frame spells it, or None; Spark and metastores take no notice of case."""
    if name in frame.columns:
        return name
    alike = [one for one in frame.columns if one.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def as_time(frame, name):
    """A time of the source as timestamp; text and dates as UTC."""
    if isinstance(frame.schema[found(frame, name)].dataType, T.NumericType):
        raise Refusal(f"the time column {name} holds numbers, and no timestamps, dates or text")
    return column(name).cast(T.TimestampType())


def read_source(spark, source):
    if source["table"]:
        return spark.table(".".join("`" + part.replace("`", "``") + "`" for part in source["table"].split(".")))
    if source["query"]:
        return spark.sql(source["query"])
    options = dict(source["options"])
    if source["format"] == "csv":
        options = {"header": "true", "inferSchema": "true", **options}
    if source["is_literal"]:
        options["__globPaths__"] = "false"  # Spark's own word: the path is one file or folder, whatever its letters.
    try:
        return spark.read.format(source["format"]).options(**options).load(source["path"])
    except Exception as error:
        if source["format"] != "parquet" or "TIMESTAMP(NANOS" not in str(error):
            raise
    # As pandas writes them. Spark can read them as numbers; a session of their own leaves other sources alone.
    session = spark.newSession()
    session.conf.set("spark.sql.legacy.parquet.nanosAsLong", "true")
    frame = session.read.format("parquet").options(**options).load(source["path"])
    nanos = columns_in_nanos(session, frame.inputFiles())
    return frame.select(*[in_micros(name) if name in nanos else column(name) for name in frame.columns])


def in_micros(name):
    number = column(name)
    return F.timestamp_micros(((number - F.pmod(number, F.lit(1000))) / 1000).cast("long")).alias(name)


def columns_in_nanos(spark, files):
    """Those whose times are in nanoseconds, in every file: a number would be taken for another in a file of microseconds."""
    if len(files) > NANOS_FILES_MAX:
        raise Refusal(f"its times are in nanoseconds, in more than {NANOS_FILES_MAX} files; write them in microseconds")
    parquet, found = spark._jvm.org.apache.parquet.hadoop, None
    for file in files:
        path = spark._jvm.org.apache.hadoop.fs.Path(spark._jvm.java.net.URI(file))
        reader = parquet.ParquetFileReader.open(parquet.util.HadoopInputFile.fromPath(path, spark._jsc.hadoopConfiguration()))
        try:
            schema = reader.getFileMetaData().getSchema()
        finally:
            reader.close()
        kinds = {field.getName(): field.getLogicalTypeAnnotation() for field in schema.getFields()}
        nanos = {name for name, kind in kinds.items() if kind is not None and kind.toString().startswith("TIMESTAMP(NANOS")}
        if found not in (None, nanos):
            raise Refusal("some of its files have times in nanoseconds and others do not; write them in microseconds")
        if schema.toString().count("TIMESTAMP(NANOS") != len(nanos):
            raise Refusal("lists or structs of it hold times in nanoseconds; write them in microseconds")
        found = nanos
    return found or set()


def of_the_days(frame, source, window):
    """The partitions that the window touches, by text as Feast compares them."""
    if not source["partition"]:
        return frame
    days = [(datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=window[end])).strftime(source["partition_format"])
            for end in ("start_us", "end_us")]
    day = column(source["partition"])
    return frame.where((day >= days[0]) & (day <= days[1]))


def within(frame, source, window):
    """Whether a row's time is inside the window, in a form that Spark can ask of files before it reads them."""
    first, last = (F.timestamp_micros(F.lit(window[end])) for end in ("start_us", "end_us"))
    moment = as_time(frame, source["timestamp"])
    return (moment >= first) & (moment <= last)


def transformed(spark, frame, plan, source):
    """What the view's SQL gives of the rows of the window; the field mapping comes first, as in Feast."""
    mapping = source["mapping"]
    if not found(frame, source["timestamp"]):
        raise Refusal(f"there is no column {source['timestamp']}; there are {', '.join(frame.columns)}")
    frame = of_the_days(frame, source, plan["window"])
    frame = frame.where(within(frame, source, plan["window"]))
    renamed = {found(frame, name): new for name, new in mapping.items()}
    frame = frame.select(*[column(name).alias(renamed.get(name, name)) for name in frame.columns])
    view = "banquet_source_" + plan["number"]
    frame.createOrReplaceTempView(view)
    try:
        sql = sql_of(plan["transform"]["text"], view)
    except Refusal as refusal:
        raise Refusal(f"function {plan['transform']['name']} cannot be read as SQL: {refusal}")
    names = {key: mapping.get(source[key], source[key]) for key in ("timestamp", "created") if source[key]}
    return frame.sparkSession.sql(sql), {**source, **names, "partition": ""}


def grouped(frame, key):
    """What rows of one entity have in common in a join key's column, and no others."""
    kind = frame.schema[key["name"]].dataType
    is_ordered_by_bytes = not isinstance(kind, T.StringType) or kind.simpleString() == "string"
    if key["type"] in KEY_TYPES and not (isinstance(kind, KEY_TYPES[key["type"]]) and is_ordered_by_bytes):
        raise Refusal(f"the join key {key['name']} is {key['type']} and its column {kind.simpleString()}, of which different values may be one "
                      "entity; cast it in the source, such as by a query")
    if isinstance(kind, TIMES):
        return F.unix_seconds(column(key["name"]).cast(T.TimestampType()))  # Entity keys have no parts of a second.
    return column(key["name"])


def counted(frame, plan):
    """What is counted of the rows before the newest are chosen."""
    micros = F.unix_micros(F.col(EVENT_TIME))
    null_time = F.col(EVENT_TIME).isNull()
    inside = (micros >= plan["window"]["start_us"]) & (micros <= plan["window"]["end_us"])
    null_key = F.lit(False)
    for key in plan["join_keys"]:
        null_key = null_key | column(key["name"]).isNull()

    def number_of(condition):
        return F.coalesce(F.sum(F.when(condition, 1).otherwise(0)), F.lit(0))

    counts = [F.count(F.lit(1)).alias("read"), number_of(null_time).alias("null_time"), number_of(~null_time & ~inside).alias("outside_window"),
              number_of(~null_time & inside & null_key).alias("null_key")]
    return counts, ~null_time & inside, null_key


def rows_of(spark, plan):
    """The rows of the window and those without a time, in the columns that sinks are given."""
    source = plan["source"]
    frame = read_source(spark, source)
    if plan["transform"]:
        frame, source = transformed(spark, frame, plan, source)
    missing = [name for name in [one["source"] for one in plan["columns"]] + [source["timestamp"], source["created"]]
               if name and not found(frame, name)]
    if missing:
        raise Refusal(f"there is no column {', '.join(missing)}; there are {', '.join(frame.columns)}")
    frame = of_the_days(frame, source, plan["window"])
    # Rows without a time are counted.
    frame = frame.where(as_time(frame, source["timestamp"]).isNull() | within(frame, source, plan["window"]))
    columns = [column(one["source"]).alias(one["name"]) for one in plan["columns"]]
    columns.append(as_time(frame, source["timestamp"]).alias(EVENT_TIME))
    if source["created"]:
        columns.append(as_time(frame, source["created"]).alias(CREATED_TIME))
    return frame.select(*columns)


def newest_of(frame, plan):
    """One row for each entity: the greatest event time, then the greatest created time."""
    _, inside, null_key = counted(frame, plan)
    kept = ~null_key
    if plan["fail_on_null_key"]:
        # Before the shuffle, and with it before anything is written.
        kept = F.when(null_key, F.raise_error(F.lit("BANQUET-NULL-KEY"))).otherwise(F.lit(True))
    keys = [grouped(frame, key) for key in plan["join_keys"]] or [F.lit(1)]
    frame = frame.where(inside).where(kept)
    order = [F.col(EVENT_TIME).desc()] + ([F.col(CREATED_TIME).desc_nulls_last()] if CREATED_TIME in frame.columns else [])
    numbered = F.row_number().over(Window.partitionBy(*keys).orderBy(*order))
    return frame.withColumn(ROW, numbered).where(f"{ROW} = 1").drop(ROW)


# --- plans ------------------------------------------------------------------------------------------------------------


def is_repeated(spark, group):
    """Whether a task of the group may have run twice: Spark promises nothing then of what it counted before a shuffle."""
    if spark.conf.get("spark.speculation", "false") == "true":
        return True
    return any(stage.currentAttemptId > 0 or stage.numFailedTasks > 0 for stage in stages_of(spark, group))


def stages_of(spark, group):
    tracker = spark.sparkContext.statusTracker()
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds]
    return [stage for stage in stages if stage]


def result_of(spark, plan):
    spark.sparkContext.setJobGroup(plan["run_id"], "banquet: " + plan["run_id"])
    rows = rows_of(spark, plan)
    before, chosen = Observation(), Observation()
    frame = newest_of(rows.observe(before, *counted(rows, plan)[0]), plan).observe(chosen, F.count(F.lit(1)).alias("rows"))
    result = {"tasks": []}
    # One action, and no second: it would write again.
    if plan["stage"]:
        frame.write.mode("append").option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false").parquet(plan["stage"])
    else:
        shim = make_shim(plan["frame"].encode(), plan["sink"], plan["library_path"])
        result["tasks"] = [row.asDict() for row in frame.mapInArrow(shim, SUMMARY).collect()]
    counts = before.get
    if is_repeated(spark, plan["run_id"]):
        counts = rows.agg(*counted(rows, plan)[0]).first().asDict()
    return {**result, "winners": chosen.get["rows"], "rows": counts}


def serve(spark, folder, place, number, running):
    with open(os.path.join(folder, f"plan-{number}.json")) as file:
        plan = {**json.load(file), "number": number}
    running[number] = plan["run_id"]
    answer = {"banquet_spark": 1, "run_id": plan["run_id"], "application": spark.sparkContext.applicationId}
    try:
        answer.update(result_of(spark, plan))
    except (Py4JNetworkError, ConnectionError):
        os._exit(1)  # Spark itself is gone, and whoever submitted it knows of what.
    except Exception as error:
        # Spark's own name of what is wrong, such as PATH_NOT_FOUND.
        condition = getattr(error, "getCondition", getattr(error, "getErrorClass", lambda: None))()
        kind = "REFUSED" if isinstance(error, Refusal) else condition or ""
        answer["error"] = {"condition": kind, "message": str(error) or repr(error)}
    try:
        place.publish(f"result-{number}.json", json.dumps(answer))
    except BaseException as error:
        print(f"Error: the result of a plan cannot be written: {error}", flush=True)
        os._exit(1)  # Nobody must wait for it.
    del running[number]


def tell_progress(spark, running):
    """Of plans (number -> run id) that are being done: tasks that are done, that run, and all."""
    for number, run_id in list(running.items()):
        stages = stages_of(spark, run_id)
        tell("progress", plan=int(number), done=sum(stage.numCompletedTasks for stage in stages),
             active=sum(stage.numActiveTasks for stage in stages), tasks=sum(stage.numTasks for stage in stages))


def started(pid):
    """When that process began, in the clock ticks of /proc; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def follow(parent, folder):
    """Ends all of the application once the program that submitted it is gone: nobody holds the views' locks any more."""
    while started(parent["pid"]) == parent["started"]:
        time.sleep(LOOK_AGAIN_S)
    shutil.rmtree(folder, ignore_errors=True)
    spark_submit, deadline = os.getppid(), time.monotonic() + END_S
    os.kill(spark_submit, signal.SIGTERM)
    while os.getppid() == spark_submit and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN_S)
    os.killpg(0, signal.SIGKILL)


def follow_from_afar(spark, channel):
    """The same where the engine is on another machine: it takes the channel away, or says no more that it lives."""
    seen, since = None, time.monotonic()
    while True:
        try:
            alive = channel.read("alive")
        except Exception:
            alive = seen  # The next look may succeed.
        if alive != seen:
            seen, since = alive, time.monotonic()
        if alive is None or time.monotonic() - since > GONE_S:
            break
        time.sleep(ALIVE_S)
    print("Error: Banquet is gone, and with it the locks of the views", flush=True)
    channel.is_gone = True
    spark.sparkContext.cancelAllJobs()
    spark.stop()
    os._exit(1)


def session_of(application):
    builder = SparkSession.builder.appName(application["name"])
    partitions = {"spark.sql.shuffle.partitions": str(application["partitions"])} if application["partitions"] else {}
    for key, value in {**application["conf"], **SETTINGS, **partitions}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    tell("application", id=spark.sparkContext.applicationId, url=spark.sparkContext.uiWebUrl or "")
    return spark


def serve_plans(spark, folder):
    begun, running, told = {}, {}, time.monotonic()
    while True:
        is_last = os.path.exists(os.path.join(folder, "end"))  # Before the look: what came until then is served.
        for name in sorted(os.listdir(folder)):
            if name.startswith("plan-") and name.endswith(".json") and name not in begun:
                number = name[len("plan-"):-len(".json")]
                begun[name] = threading.Thread(target=serve, args=(spark, folder, Folder(folder), number, running))
                begun[name].start()
        if is_last and not any(thread.is_alive() for thread in begun.values()):
            break
        if time.monotonic() - told >= TELL_AGAIN_S:
            told = time.monotonic()
            tell_progress(spark, running)
        time.sleep(LOOK_AGAIN_S)


def main():
    folder, channel = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    with open(os.path.join(folder, "application.json")) as file:
        application = json.load(file)
    if channel is None:
        threading.Thread(target=follow, args=(application["parent"], folder), daemon=True).start()
        spark = session_of(application)
        serve_plans(spark, folder)
    else:
        spark = session_of(application)
        channel = Channel(spark, channel)
        threading.Thread(target=follow_from_afar, args=(spark, channel), daemon=True).start()
        serve(spark, folder, channel, "1", {})
    spark.stop()


if __name__ == "__main__":
    main()
