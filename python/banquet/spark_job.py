"""The job that Banquet's Spark engine submits: newest row per key, written by `banquet sink` in each task or staged.

argv[1]: the folder where the engine (engine/spark, docs/spark.md) leaves application.json, then plan-N.json for each
group of views, then end. What comes of a plan goes to result-N.json, whole or not at all. Lines on standard output
that begin with "BANQUET " are for the engine.
"""
import ast
import datetime
import inspect
import json
import os
import sys
import textwrap
import threading
import time

from pyspark.sql import Observation, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

EVENT_TIME, CREATED_TIME, ROW = "__event_time", "__created_time", "__banquet_row"
SUMMARY = "partition int, attempt int, rows long, report string"
# One reducer per partition asked for, no second action, times in UTC and in microseconds.
SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.sql.adaptive.coalescePartitions.enabled": "false",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "10000", "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}
LOOK_AGAIN_S = 0.1


class Refusal(Exception):
    """What the user can mend; its text says how."""


def tell(kind, **facts):
    print("BANQUET " + json.dumps({"kind": kind, **facts}), flush=True)


def publish(path, content):
    with open(path + ".partial", "w") as file:
        json.dump(content, file)
    os.replace(path + ".partial", path)


# --- what a task does -------------------------------------------------------------------------------------------------


def make_shim(frame, sink, library_path):
    """Of a task: sends its rows to a sink of its own, and gives one row about it."""

    def shim(batches):
        import subprocess
        import tempfile

        import pyarrow as pa
        from pyspark import SparkFiles, TaskContext

        context = TaskContext.get()

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
            report, words = out.read().decode(), err.read().decode("utf-8", "replace")[-2000:].strip()
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
    return spark.read.format(source["format"]).options(**source["options"]).load(source["path"])


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
    frame = frame.select(*[column(name).alias(mapping.get(name, name)) for name in frame.columns])
    view = "banquet_source_" + plan["number"]
    frame.createOrReplaceTempView(view)
    try:
        sql = sql_of(plan["transform"]["text"], view)
    except Refusal as refusal:
        raise Refusal(f"function {plan['transform']['name']} cannot be read as SQL: {refusal}")
    names = {key: mapping.get(source[key], source[key]) for key in ("timestamp", "created") if source[key]}
    return spark.sql(sql), {**source, **names, "partition": ""}


def frame_of(spark, plan, counts):
    """The rows to be written, and what is counted on the way."""
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
    frame = frame.select(*columns)

    micros = F.unix_micros(F.col(EVENT_TIME))
    null_time = F.col(EVENT_TIME).isNull()
    inside = (micros >= plan["window"]["start_us"]) & (micros <= plan["window"]["end_us"])
    null_key = F.lit(False)
    for key in plan["join_keys"]:
        null_key = null_key | column(key).isNull()

    def number_of(condition):
        return F.coalesce(F.sum(F.when(condition, 1).otherwise(0)), F.lit(0))

    frame = frame.observe(counts, F.count(F.lit(1)).alias("read"), number_of(null_time).alias("null_time"),
                          number_of(~null_time & ~inside).alias("outside_window"),
                          number_of(~null_time & inside & null_key).alias("null_key"))
    kept = ~null_key
    if plan["fail_on_null_key"]:
        # Before the shuffle, and with it before anything is written.
        kept = F.when(null_key, F.raise_error(F.lit("BANQUET-NULL-KEY"))).otherwise(F.lit(True))
    frame = frame.where(~null_time & inside).where(kept)
    order = [F.col(EVENT_TIME).desc()] + ([F.col(CREATED_TIME).desc_nulls_last()] if source["created"] else [])
    keys = [column(key) for key in plan["join_keys"]] or [F.lit(1)]
    numbered = F.row_number().over(Window.partitionBy(*keys).orderBy(*order))
    return frame.withColumn(ROW, numbered).where(f"{ROW} = 1").drop(ROW)


# --- plans ------------------------------------------------------------------------------------------------------------


def result_of(spark, plan):
    counts = Observation()
    frame = frame_of(spark, plan, counts)
    result = {"tasks": [], "staged": 0}
    # One action, and no second: it would write again.
    if plan["stage"]:
        staged = Observation()
        frame = frame.observe(staged, F.count(F.lit(1)).alias("rows"))
        frame.write.mode("append").option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false").parquet(plan["stage"])
        result["staged"] = staged.get["rows"]
    else:
        shim = make_shim(plan["frame"].encode(), plan["sink"], plan["library_path"])
        result["tasks"] = [row.asDict() for row in frame.mapInArrow(shim, SUMMARY).collect()]
    return {**result, "rows": counts.get}


def serve(spark, folder, number):
    with open(os.path.join(folder, f"plan-{number}.json")) as file:
        plan = {**json.load(file), "number": number}
    answer = {"banquet_spark": 1, "run_id": plan["run_id"], "application": spark.sparkContext.applicationId}
    try:
        answer.update(result_of(spark, plan))
    except Exception as error:
        # Spark's own name of what is wrong, such as PATH_NOT_FOUND.
        condition = getattr(error, "getCondition", lambda: None)()
        kind = "REFUSED" if isinstance(error, Refusal) else condition or ""
        answer["error"] = {"condition": kind, "message": str(error) or repr(error)}
    publish(os.path.join(folder, f"result-{number}.json"), answer)


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "application.json")) as file:
        application = json.load(file)
    builder = SparkSession.builder.appName(application["name"])
    partitions = {"spark.sql.shuffle.partitions": str(application["partitions"])} if application["partitions"] else {}
    for key, value in {**SETTINGS, **partitions, **application["conf"]}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    tell("application", id=spark.sparkContext.applicationId, url=spark.sparkContext.uiWebUrl or "")
    begun, threads = set(), []
    while True:
        is_last = os.path.exists(os.path.join(folder, "end"))  # Before the look: what came until then is served.
        for name in sorted(os.listdir(folder)):
            if name.startswith("plan-") and name.endswith(".json") and name not in begun:
                begun.add(name)
                threads.append(threading.Thread(target=serve, args=(spark, folder, name[len("plan-"):-len(".json")])))
                threads[-1].start()
        if is_last:
            break
        time.sleep(LOOK_AGAIN_S)
    for thread in threads:
        thread.join()
    spark.stop()


if __name__ == "__main__":
    main()
