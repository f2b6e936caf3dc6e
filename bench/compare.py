#!/usr/bin/env python3
"""Times Banquet against Feast on the same repository, interleaved, and checks that both leave the same store.

One round runs Feast, then Banquet, each into an emptied store; a run whose store differs from the other's has no time.
Prints a Markdown table of medians, ranges and paired ratios, and writes the runs as JSON.
"""
import argparse
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import pyarrow
import pyarrow.parquet
import redis

FEATURES = 10
PROJECT = "bench"
START, END = "2026-01-01T00:00:00", "2026-02-01T00:00:00"

FEATURE_FILE = """
from feast import Entity, FeatureView, Field, FileSource
from feast.types import Float64, Int64
driver = Entity(name="driver", join_keys=["driver_id"])
stats = FeatureView(name="stats", entities=[driver],
    schema=[Field(name="driver_id", dtype=Int64)] + [Field(name=f"f{i}", dtype=Float64) for i in range(%d)],
    source=FileSource(name="src", path="data/rows.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"))
""" % FEATURES


def make_rows(path, rows, keys, seed=7):
    """rows rows over keys keys, every event time different: a pure function of the seed."""
    random = numpy.random.default_rng(seed)
    base = numpy.datetime64("2026-01-01T00:00:00", "us")
    span = 30 * 86400 * 1_000_000
    event = base + (numpy.arange(rows, dtype=numpy.int64) * (span // rows)).astype("timedelta64[us]")
    table = {"driver_id": random.permutation(numpy.arange(rows, dtype=numpy.int64) % keys)}
    table["event_timestamp"] = pyarrow.array(event).cast(pyarrow.timestamp("us", tz="UTC"))
    table["created"] = table["event_timestamp"]
    for i in range(FEATURES):
        table[f"f{i}"] = random.standard_normal(rows)
    pyarrow.parquet.write_table(pyarrow.table(table), path, row_group_size=131_072)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Redis:
    """A private server, without persistence, in a folder of its own."""

    def __init__(self, folder):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
             "--enable-debug-command", "local"],
            stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port)
        for _ in range(100):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("redis-server did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def run(argv, cwd):
    """One whole process: wall and CPU seconds, peak memory of the process in MiB."""
    started = time.monotonic()
    process = subprocess.Popen(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=dict(os.environ, TZ="UTC"))
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{argv} failed:\n{output.decode(errors='replace')[-2000:]}")
    return {"wall": time.monotonic() - started, "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024}


def sqlite_digest(path):
    """A number that two stores share exactly when they hold the same rows (up to chance)."""
    with sqlite3.connect(path) as db:
        db.create_function("h", -1, lambda *cells: hash(cells) & 0xFFFFFFFF)
        return db.execute(f"SELECT count(*), sum(h(entity_key, feature_name, value, value_text, event_ts, created_ts)) "
                          f"FROM {PROJECT}_stats").fetchone()


def measure(store, rows, keys, rounds, banquet, feast, scratch):
    repo = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    (repo / "data").mkdir()
    make_rows(repo / "data/rows.parquet", rows, keys)
    (repo / "features.py").write_text(FEATURE_FILE)
    server = Redis(repo) if store == "redis" else None
    target = f"connection_string: localhost:{server.port}" if server else "path: data/online.db"
    (repo / "feature_store.yaml").write_text(
        f"project: {PROJECT}\nprovider: local\nregistry: data/registry.db\n"
        f"online_store:\n    type: {store}\n    {target}\nentity_key_serialization_version: 3\n")
    run([feast, "apply"], repo)
    for name in ("registry.db", "online.db"):
        if (repo / "data" / name).exists():
            shutil.copy(repo / "data" / name, repo / f"{name}.fresh")
    runs = {"feast": [], "banquet": []}
    for round_number in range(rounds):
        digests = {}
        for engine, command in (("feast", feast), ("banquet", banquet)):
            for name in ("registry.db", "online.db"):
                if (repo / f"{name}.fresh").exists():
                    shutil.copy(repo / f"{name}.fresh", repo / "data" / name)
            if server:
                server.client.flushall()
            result = run([command, "materialize", START, END], repo)
            digests[engine] = (server.client.execute_command("DEBUG", "DIGEST") if server
                               else sqlite_digest(repo / "data/online.db"))
            runs[engine].append(result)
            print(f"  {store} {rows:,} rows {keys:,} keys, round {round_number + 1}, {engine}: {result['wall']:.2f} s",
                  file=sys.stderr, flush=True)
        if digests["feast"] != digests["banquet"]:
            sys.exit(f"the stores differ: {digests}")
    if server:
        server.stop()
    shutil.rmtree(repo)
    return {"store": store, "rows": rows, "keys": keys, "runs": runs}


def spread(runs, key):
    values = [run[key] for run in runs]
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def table(results):
    lines = ["| store | rows | keys | Feast s | Banquet s | ratio | Feast MiB | Banquet MiB |", "|---|---|---|---|---|---|---|---|"]
    for result in results:
        feast, banquet = result["runs"]["feast"], result["runs"]["banquet"]
        ratios = [f["wall"] / b["wall"] for f, b in zip(feast, banquet)]
        lines.append(
            f"| {result['store']} | {result['rows']:,} | {result['keys']:,} | {spread(feast, 'wall')} | {spread(banquet, 'wall')} "
            f"| {statistics.median(ratios):.1f}× | {max(r['mib'] for r in feast):.0f} | {max(r['mib'] for r in banquet):.0f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--banquet", required=True)
    parser.add_argument("--feast", default=str(pathlib.Path(sys.executable).parent / "feast"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, nargs="*", help="default: as many as rows, and a tenth")
    parser.add_argument("--stores", nargs="*", default=["sqlite", "redis"], choices=["sqlite", "redis"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", default="build/bench/compare.json")
    args = parser.parse_args()
    banquet = str(pathlib.Path(args.banquet).resolve())
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for store in args.stores:
            for keys in args.keys or [args.rows, max(1, args.rows // 10)]:
                results.append(measure(store, args.rows, keys, args.rounds, banquet, args.feast, scratch))
    pathlib.Path(args.json).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(args.json).write_text(json.dumps(results, indent=1))
    print(table(results))


if __name__ == "__main__":
    main()
