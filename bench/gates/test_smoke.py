"""`make bench SCALE=small` from end to end: every goal is in the table, and what has no value says why."""
import json
import os
import pathlib
import subprocess
import sys

GOALS = {"G1", "G2", "G2s", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G12", "G13", "G14", "G15", "G16"}
MAY_LACK = {"G14", "G16"}  # The Spark engines take minutes; they are measured at larger scales.


def test_the_small_scale_measures_every_goal(tmp_path):
    page = tmp_path / "docs/benchmarks.md"
    page.parent.mkdir()
    page.write_text("Before.\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nAfter.\n")
    done = subprocess.run(
        [sys.executable, "-m", "compare", "--scale", "small", "--banquet", os.environ["BANQUET_BINARY"], "--native",
         os.environ["BANQUET_BENCH_BINARY"], "--out", tmp_path / "out", "--page", page],
        env=os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parents[1])}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out/results.json").read_text())["results"]
    assert {result["goal"] for result in results} >= GOALS
    for result in results:
        assert result["values"] or (result["goal"] in MAY_LACK and result["note"]), result
        # An exponent and a difference may come out below zero at this size.
        assert all(value > 0 for value in result["values"]) or result["goal"] in {"G12", "G13"}, result
    for goal in GOALS:
        assert f"| {goal} |" in done.stdout
    assert (page.parent / "benchmarks/throughput.svg").stat().st_size > 1000
    assert (page.parent / "benchmarks/rows.png").stat().st_size > 1000
    text = page.read_text()
    assert text.startswith("Before.") and text.endswith("After.\n") and "old" not in text and "| G5 |" in text
