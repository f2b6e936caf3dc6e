"""Figures: throughput beside Feast, DuckDB and the ceilings; time and memory against rows."""
import statistics

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402

COLORS = {"banquet": "#1f6f50", "ceiling": "#b9c4bd", "decode": "#b9c4bd", "feast": "#c05a2b", "feast_best": "#e39b6d"}
NAMES = {"banquet": "Banquet", "ceiling": "the store's ceiling", "feast": "Feast, defaults", "feast_best": "Feast, best setting",
         "decode": "decode alone", "arg_max": "DuckDB arg_max", "row_number": "DuckDB row_number",
         "arg_max_struct": "DuckDB arg_max of struct"}


def _save(figure, folder, name):
    figure.tight_layout()
    for suffix in ("png", "svg"):
        figure.savefig(folder / f"{name}.{suffix}", dpi=120)
    pyplot.close(figure)


def _bars(axes, title, per_second):
    names = list(per_second)
    values = [per_second[name] for name in names]
    bars = axes.barh([NAMES.get(name, name) for name in names], values, color=[COLORS.get(name, "#6b8cae") for name in names])
    axes.bar_label(bars, [f"{value / 1000:,.0f} k" if value >= 10_000 else f"{value:,.0f}" for value in values], padding=3)
    axes.set(title=title, xlabel="rows per second", xlim=(0, max(values) * 1.15))


def _median(runs, key):
    return statistics.median(one[key] for one in runs)


def throughput(results, folder):
    """Whole commands per store, and the read path."""
    panels = []
    for result in results:
        runs = result.runs
        if result.goal in ("G2", "G2s") and runs:
            rows = runs["read"][0]["rows"]
            panels.append((result.case.split("best, ")[1], {
                name: rows / _median(runs[name], "seconds") for name in ("ceiling", "banquet", "feast_best", "feast")}))
        if result.goal == "G5" and runs:
            rows = runs["banquet"][0]["rows"]
            panels.append((result.case.split("), ")[1] + ": read path",
                           {name: rows / _median(each, "seconds") for name, each in runs.items()}))
    if not panels:
        return
    figure, axes = pyplot.subplots(len(panels), 1, figsize=(8, 1.9 * len(panels)), squeeze=False)
    for panel, (title, per_second) in zip(axes[:, 0], panels):
        _bars(panel, title, per_second)
    _save(figure, folder, "throughput")


def curves(series, folder):
    """series: name -> [(rows, seconds, MiB)]."""
    if not series:
        return
    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(10, 4))
    for name, points in series.items():
        rows, seconds, mib = zip(*points)
        for axes, values in ((time, seconds), (memory, mib)):
            axes.plot(rows, values, marker="o", label=NAMES.get(name, name), color=COLORS.get(name))
    time.set(title="time", xlabel="rows", ylabel="seconds", xscale="log", yscale="log")
    memory.set(title="peak memory", xlabel="rows", ylabel="MiB", xscale="log", yscale="log")
    time.legend(fontsize="small")
    for axes in (time, memory):
        axes.grid(alpha=0.3)
    _save(figure, folder, "rows")


def series_of(results):
    """What the results hold of time and memory against rows."""
    series = {}
    for result in results:
        for name, label in (("fixed_keys", "read path, fixed keys"), ("rows_are_keys", "read path, rows = keys")):
            if name in result.runs:
                series[label] = [(each[0]["rows"], _median(each, "seconds"), _median(each, "peak_memory_bytes") / 2**20)
                                 for each in result.runs[name]]
        if result.goal == "curve":
            for name, points in result.runs.items():
                series[f"{NAMES.get(name, name)}, whole run to Redis"] = points
    return series
