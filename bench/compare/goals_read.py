"""Goals of the read path: G5 to G8 and G12 to G14."""
import math

from compare.callgrind import instructions_per_unit
from compare.data import Shape
from compare.results import Result, not_measured
from compare.rounds import interleaved, paired

DUCKDB_FORMS = ("arg_max", "row_number", "arg_max_struct")


def _seconds(runs):
    return [one["seconds"] for one in runs]


def _note(nanoseconds):
    return ", ".join(f"{name} {value:.0f}" for name, value in nanoseconds.items()) + " ns/row"


def read_path(bench, scale):
    """G5 and G6: read, filter, newest per key, every value consumed; against DuckDB and against decoding alone."""
    shape = Shape(scale.read_rows, rows_per_key=10)
    contestants = {"decode": lambda: bench.decode(shape), "banquet": lambda: bench.read_path(shape)}
    contestants |= {form: lambda form=form: bench.duckdb(shape, form) for form in DUCKDB_FORMS}
    runs = interleaved(scale.rounds, contestants)
    for form in DUCKDB_FORMS:
        assert all(one["keys"] == shape.keys for one in runs[form])
    per_row = {name: sorted(_seconds(each))[len(each) // 2] * 1e9 / shape.rows for name, each in runs.items()}
    best = min(DUCKDB_FORMS, key=per_row.get)
    yield Result("G5", f"read path against DuckDB's best ({best}), {shape}",
                 paired(_seconds(runs[best]), _seconds(runs["banquet"])), at_least=3.5, note=_note(per_row), runs=runs)
    yield Result("G6", f"read path against decoding alone, {shape}",
                 paired(_seconds(runs["banquet"]), _seconds(runs["decode"])), at_most=1.8)


def contest(bench, scale):
    """G7: the contest alone."""
    rows, keys = scale.contest
    runs = interleaved(scale.rounds, {"banquet": lambda: bench.contest(rows, keys)})
    yield Result("G7", f"newest per key, {rows:,} rows, {keys:,} keys", [one["ns_per_row"] for one in runs["banquet"]],
                 at_most=30, unit="ns/row", form="{:.1f}", runs=runs,
                 note="" if rows == 100_000_000 else "the goal is for 100,000,000 rows: SCALE=full")


def encode(bench, scale):
    """G8: encoding and framing for Redis, as HSET and as RESTORE."""
    commands = ("hset", "restore")
    runs = interleaved(3 * scale.rounds, {command: lambda command=command: bench.encode(100, command) for command in commands})
    for command in commands:
        yield Result("G8", f"encode + frame ({command}), doubles", [one["ns_per_value"] for one in runs[command]], at_most=15,
                     unit="ns/value", form="{:.1f}", runs={"banquet": runs[command]})
        count = instructions_per_unit(
            bench.native, lambda batches: ["encode", "--frame", command, "--batches", str(batches)], 1, 3,
            units_of=lambda _, result: result["values"])
        yield Result("G8", f"encode + frame ({command}), doubles", [count], at_most=100, unit="instructions/value",
                     form="{:.0f}")


def curve(bench, scale):
    """G12 and G13: time and memory against the number of rows, at a fixed number of keys and with as many as rows."""
    keys = min(scale.curve_rows) // 10
    first, last = min(scale.curve_rows), max(scale.curve_rows)
    fixed = interleaved(scale.rounds, {
        rows: lambda rows=rows: bench.read_path(Shape(rows, rows // keys)) for rows in scale.curve_rows})
    exponents = [math.log(ratio) / math.log(last / first)
                 for ratio in paired(_seconds(fixed[last]), _seconds(fixed[first]))]
    note = "the goal is for 1e5 … 1e8 rows: SCALE=full" if last < 100_000_000 else ""
    yield Result("G12", f"exponent of time, {first:,} … {last:,} rows, {keys:,} keys", exponents, at_most=1.05, unit="",
                 note=note, runs={"fixed_keys": list(fixed.values())})
    mib = {rows: max(_mib(fixed[rows])) for rows in (first, last)}
    yield Result("G12", f"peak memory of {last:,} rows against {first:,}, {keys:,} keys", [mib[last] / mib[first]],
                 note=f"{mib[first]:.0f} → {mib[last]:.0f} MiB")
    growing = [bench.read_path(Shape(rows)) for rows in scale.curve_rows if rows <= 10_000_000]
    payload = 8 * (Shape(1).features + 3)  # Key, features, two times.
    grown = growing[-1]["peak_memory_bytes"] - growing[0]["peak_memory_bytes"]
    per_entity = grown / (growing[-1]["winners"] - growing[0]["winners"])
    yield Result("G13", f"memory per entity beyond its payload of {payload} B, up to {growing[-1]['winners']:,} keys",
                 [per_entity - payload], at_most=64, unit="B", form="{:.0f}",
                 runs={"rows_are_keys": [[one] for one in growing]})


def _mib(runs):
    return [one["peak_memory_bytes"] / 2**20 for one in runs]


LIMIT_MIB_MIN = 64  # The least that banquet.memory_limit takes.


def memory_limit(bench, scale):
    """G14: a quarter of the memory needed, and the least limit."""
    shape = Shape(scale.limit_rows)
    free = bench.materialize("banquet", shape, "redis")
    for case, mib in (("a quarter of the memory needed", int(free.mib / 4)), ("64 MiB", LIMIT_MIB_MIN)):
        case = f"time with {case}, {shape}"
        if mib < LIMIT_MIB_MIN:
            yield not_measured("G14", case, f"a quarter of {free.mib:.0f} MiB is less than the least limit, 64 MiB")
            continue
        limited = interleaved(1, {
            "free": lambda: bench.materialize("banquet", shape, "redis"),
            "limited": lambda: bench.materialize("banquet", shape, "redis", "--memory-limit", f"{mib}MiB")}, warm_up=False)
        yield Result("G14", case, paired([one.wall for one in limited["limited"]], [one.wall for one in limited["free"]]),
                     at_most=None if mib == LIMIT_MIB_MIN else 3,
                     note=f"limit {mib} MiB, peak {limited['limited'][0].mib:.0f} MiB, without {free.mib:.0f} MiB")
