"""The job that Banquet's Spark engine submits: newest row per key, written by `banquet sink` in each task.

argv[1]: a JSON file, made by engine/spark (docs/spark.md). Lines on standard output that begin with "BANQUET " are
for the engine; what came of the rows goes to the file `result`, whole or not at all.
"""
import json
import os
import sys

from pyspark.sql import Observation, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

EVENT_TIME, CREATED_TIME = "__event_time", "__created_time"
SUMMARY = "partition int, attempt int, rows long, report string"
# One reducer per partition asked for, no second action, times in UTC.
SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.sql.adaptive.coalescePartitions.enabled": "false",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "10000"}


def tell(kind, **facts):
    print("BANQUET " + json.dumps({"kind": kind, **facts}), flush=True)


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
        if not os.path.isabs(sink):
            program = os.path.join(SparkFiles.getRootDirectory(), sink)
        if library_path:
            environment["LD_LIBRARY_PATH"] = os.path.join(SparkFiles.getRootDirectory(), library_path)
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


def as_time(column):
    """A time of the source as timestamp; text and dates as UTC."""
    return column.cast(T.TimestampType())


def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    builder = SparkSession.builder.appName(plan["name"])
    partitions = {"spark.sql.shuffle.partitions": str(plan["partitions"])} if plan["partitions"] else {}
    for key, value in {**SETTINGS, **partitions, **plan["conf"]}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    tell("application", id=spark.sparkContext.applicationId, url=spark.sparkContext.uiWebUrl or "")

    source = plan["source"]
    frame = spark.read.format(source["format"]).load(source["path"])
    columns = [F.col(f"`{one['source']}`").alias(one["name"]) for one in plan["columns"]]
    columns.append(as_time(F.col(f"`{source['timestamp']}`")).alias(EVENT_TIME))
    created = source["created"]
    if created:
        columns.append(as_time(F.col(f"`{created}`")).alias(CREATED_TIME))
    frame = frame.select(*columns)

    micros = F.unix_micros(F.col(EVENT_TIME))
    window = plan["window"]
    first, last = (F.timestamp_micros(F.lit(window[end])) for end in ("start_us", "end_us"))
    null_time = F.col(EVENT_TIME).isNull()
    # What can be left out before it is read; rows without a time are counted.
    frame = frame.where(null_time | ((F.col(EVENT_TIME) >= first) & (F.col(EVENT_TIME) <= last)))
    inside = (micros >= window["start_us"]) & (micros <= window["end_us"])
    null_key = F.lit(False)
    for key in plan["join_keys"]:
        null_key = null_key | F.col(f"`{key}`").isNull()

    def number_of(condition):
        return F.coalesce(F.sum(F.when(condition, 1).otherwise(0)), F.lit(0))

    counts = Observation("banquet")
    frame = frame.observe(counts, F.count(F.lit(1)).alias("read"), number_of(null_time).alias("null_time"),
                          number_of(~null_time & ~inside).alias("outside_window"),
                          number_of(~null_time & inside & null_key).alias("null_key"))
    frame = frame.where(~null_time & inside & ~null_key)
    if plan["only_latest"]:
        order = [F.col(EVENT_TIME).desc()] + ([F.col(CREATED_TIME).desc_nulls_last()] if created else [])
        keys = [F.col(f"`{key}`") for key in plan["join_keys"]] or [F.lit(1)]
        numbered = F.row_number().over(Window.partitionBy(*keys).orderBy(*order))
        frame = frame.withColumn("__banquet_row", numbered).where("__banquet_row = 1").drop("__banquet_row")
    shim = make_shim(plan["frame"].encode(), plan["sink"], plan["library_path"])
    tasks = [row.asDict() for row in frame.mapInArrow(shim, SUMMARY).collect()]  # The one action.
    result = {"banquet_spark": 1, "run_id": plan["run_id"], "application": spark.sparkContext.applicationId, "rows": counts.get,
              "tasks": tasks}
    partial = plan["result"] + ".partial"
    with open(partial, "w") as file:
        json.dump(result, file)
    os.replace(partial, plan["result"])
    spark.stop()


if __name__ == "__main__":
    main()
