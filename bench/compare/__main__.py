"""Measures the goals, prints their table, writes JSON and figures. Run by `make bench`."""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from compare import document, goals_read, goals_spark, goals_store
from compare.bench import Bench
from compare.curve import whole_runs_against_rows
from compare.results import not_measured, table
from compare.scales import SCALES

# Quick ones first, so that a mistake shows early.
MEASURES = {
    "G15": goals_store.empty_window, "G8": goals_read.encode, "G7": goals_read.contest, "G5": goals_read.read_path,
    "G12": goals_read.curve, "G3": goals_store.wide_views, "G1": goals_store.redis_against_replay,
    "G9": goals_store.sqlite_against_bulk, "G10": goals_store.postgres_against_bulk, "G14": goals_read.memory_limit,
    "curve": whole_runs_against_rows, "G2": goals_store.whole_runs, "G16": goals_spark.executors,
}
# Measured with another one.
WITH = {"G2s": "G2", "G4": "G1", "G11": "G2", "G6": "G5", "G13": "G12"}


def arguments():
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="default")
    parser.add_argument("--goals", nargs="*", help=f"some of {', '.join([*MEASURES, *WITH])}; default: all")
    parser.add_argument("--banquet", default="build/release/bin/banquet")
    parser.add_argument("--native", default="build/release/bin/banquet_bench")
    parser.add_argument("--feast", default=str(pathlib.Path(sys.executable).parent / "feast"))
    parser.add_argument("--out", default="build/bench", type=pathlib.Path, help="folder of results.json and the figures")
    parser.add_argument("--page", type=pathlib.Path, help="a page whose measured part is written anew; figures go beside it")
    parser.add_argument("--scratch", help="folder for generated files; default: a temporary one")
    return parser.parse_args()


def order_of(goal):
    digits = "".join(filter(str.isdigit, goal))
    return int(digits) if digits else 99, goal


def measure(bench, scale, chosen):
    results, failures, is_over = [], [], False
    for name in chosen:
        if is_over:
            results.append(not_measured(name, "not measured", "interrupted before it"))
            continue
        began = time.monotonic()
        bench.say(f"--- {name}")
        try:
            results.extend(MEASURES[name](bench, scale))
        except KeyboardInterrupt:  # What was measured so far is kept.
            is_over = True
            results.append(not_measured(name, "not measured", "interrupted"))
        except Exception:  # One goal's failure must not take the others' figures along.
            traceback.print_exc()
            failures.append(name)
            results.append(not_measured(name, "its measuring failed", "see the output above"))
        bench.say(f"--- {name}: {time.monotonic() - began:.0f} s")
    return sorted(results, key=lambda result: order_of(result.goal)), failures


def commit():
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True)
    return described.stdout.strip() or "?"


def save(args, scale, results, facts):
    # Only whoever draws needs the drawing library.
    from compare import plots
    pictures = args.page.parent / "benchmarks" if args.page else args.out
    for folder in (args.out, pictures):
        folder.mkdir(parents=True, exist_ok=True)
    (args.out / "results.json").write_text(json.dumps(
        {"commit": commit(), "scale": scale.name, "machine": facts, "results": [one.as_json() for one in results]},
        indent=1))
    plots.throughput(results, pictures)
    plots.curves(plots.series_of(results), pictures)
    if args.page:
        document.put_into(args.page, document.figures(results, scale, commit(), facts))


def main():
    # Ctrl-C counts also where a shell started this in the background and ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    args = arguments()
    scale = SCALES[args.scale]
    chosen = [name for name in MEASURES if not args.goals or name in {WITH.get(goal, goal) for goal in args.goals}]
    facts = document.machine()
    with tempfile.TemporaryDirectory(prefix="banquet-bench-", dir=args.scratch) as scratch:
        bench = Bench(scratch, args.banquet, args.native, args.feast)
        try:
            results, failures = measure(bench, scale, chosen)
        finally:
            bench.close()
    save(args, scale, results, facts)
    print(table(results))
    if failures:
        sys.exit(f"measuring failed: {', '.join(failures)}")


if __name__ == "__main__":
    main()
