"""Whole runs into Redis against the number of rows, ten rows per key: Banquet, and Feast as far as it is bearable."""
from compare.data import Shape
from compare.results import Result


def whole_runs_against_rows(bench, scale):
    series = {"banquet": [], "feast_best": []}
    for rows in scale.curve_rows:
        if rows > 10_000_000:
            continue  # The oracle of more does not fit beside the runs.
        for engine in series:
            if engine == "banquet" or rows <= scale.curve_feast_rows_max:
                outcome = bench.materialize(engine, Shape(rows, 10), "redis")
                series[engine].append((rows, outcome.wall, outcome.mib))
    yield Result("curve", "whole run to Redis, ten rows per key: seconds at most rows",
                 [series["banquet"][-1][1]], unit="s", runs={name: points for name, points in series.items() if points})
