"""Goals of the stores and of whole runs: G1, G2, G2s, G3, G4, G9, G10, G11, G15."""
import dataclasses
import shutil

from compare.data import Shape
from compare.process import Outcome, run
from compare.results import Result
from compare.rounds import interleaved, paired


def _seconds(runs):
    return [one["seconds"] for one in runs]


def _walls(runs):
    return [one.wall for one in runs]


def _brief(runs):
    """Outcomes as JSON can hold them."""
    return {name: [{"seconds": one.wall, "cpu": one.cpu, "mib": one.mib} if isinstance(one, Outcome) else one for one in each]
            for name, each in runs.items()}


def redis_against_replay(bench, scale):
    """G1 and G4: the write half of a run against its own bytes, sent from memory; strict against check."""
    first = Shape(scale.load_rows)
    second = dataclasses.replace(first, month=1)
    base = bench.scratch / "captured-base"
    update_seconds = {}
    for guard in ("check", "strict"):
        folder, _ = bench.capture(first, "--guard", guard)
        if guard == "check":
            shutil.copytree(folder, base, dirs_exist_ok=True)

        def replay_first():
            bench.empty_store()
            return checked(bench, folder, first)

        runs = interleaved(scale.rounds, {
            "ceiling": replay_first, "banquet": lambda: bench.write(first, "redis", "--set", f"guard={guard}")})
        yield _against_ceiling(f"first load, {guard}, {first}", runs)

        bench.empty_store()
        bench.replay(base)
        folder, _ = bench.capture(second, "--guard", guard, fresh=False)

        def refill():
            bench.empty_store()
            bench.replay(base)

        def replay_second():
            refill()
            return checked(bench, folder, second)

        def write_second():
            refill()
            return bench.write(second, "redis", "--set", f"guard={guard}", fresh=False)

        runs = interleaved(scale.rounds, {"ceiling": replay_second, "banquet": write_second})
        update_seconds[guard] = [one["write_seconds"] for one in runs["banquet"]]
        yield _against_ceiling(f"update, {guard}, {second}", runs)
    yield Result("G4", f"strict against check, update, {second}", paired(update_seconds["check"], update_seconds["strict"]),
                 at_least=0.70, runs=update_seconds)


def checked(bench, folder, shape):
    result = bench.replay(folder)
    bench.check(shape, "redis")
    return result


def _against_ceiling(case, runs):
    values = paired(_seconds(runs["ceiling"]), [one["write_seconds"] for one in runs["banquet"]])
    return Result("G1", case, values, at_least=0.85, runs=runs)


def whole_runs(bench, scale):
    """G2, G2s and G11: whole commands beside Feast's, and beside the read path and the store's ceiling in a row."""
    for store, rounds in (("redis", scale.feast_rounds), ("sqlite", scale.feast_sqlite_rounds)):
        for rows, rows_per_key in scale.feast_cases:
            shape = Shape(rows, rows_per_key)
            contestants = {engine: lambda engine=engine: bench.materialize(engine, shape, store)
                           for engine in ("feast", "feast_best", "banquet")}
            contestants |= {"read": lambda: bench.read_path(shape), "ceiling": _ceiling_of(bench, shape, store)}
            contestants["banquet"]()  # The warm-up; Feast's would take minutes.
            runs = interleaved(rounds, contestants, warm_up=False)
            yield from _against_feast(store, shape, runs)
            parts = [r + c for r, c in zip(_seconds(runs["read"]), _seconds(runs["ceiling"]))]
            yield Result("G11", f"whole run against read path + ceiling, {store}, {shape}",
                         paired(_walls(runs["banquet"]), parts), at_most=1.15)


def _ceiling_of(bench, shape, store):
    if store == "sqlite":
        return lambda: bench.bulk_sqlite(shape)
    folder, _ = bench.capture(shape)

    def replay():
        bench.empty_store()
        return checked(bench, folder, shape)

    return replay


def _against_feast(store, shape, runs):
    # Feast's best is whichever of its two settings was faster in the round.
    feast = [min(pair) for pair in zip(_walls(runs["feast"]), _walls(runs["feast_best"]))]
    goal = "G2" if store == "redis" else "G2s"
    bound = 3 if store == "sqlite" else 20 if shape.rows == shape.keys and shape.rows >= 1_000_000 else 30
    at_goals_size = shape.rows >= 100_000
    yield Result(goal, f"whole command against Feast's best, {store}, {shape}", paired(feast, _walls(runs["banquet"])),
                 at_least=bound if at_goals_size else None, form="{:.1f}", runs=_brief(runs),
                 note="" if at_goals_size else "the goal is for 100,000 rows and more")
    memory = [b.mib / min(f.mib, best.mib) for b, f, best in zip(runs["banquet"], runs["feast"], runs["feast_best"])]
    yield Result(goal, f"its peak memory against Feast's least, {store}, {shape}", memory,
                 at_most=1 / 3 if at_goals_size else None,
                 note=f"{max(one.mib for one in runs['banquet']):.0f} MiB, Feast "
                      f"{min(one.mib for one in runs['feast'] + runs['feast_best']):.0f} MiB")


def wide_views(bench, scale):
    """G3: a first load of 100 features against plain HSETs."""
    shape = Shape(scale.wide_rows, features=100)
    runs = interleaved(scale.rounds, {"hset": lambda: bench.hset(shape), "banquet": lambda: bench.write(shape, "redis")})
    yield Result("G3", f"first load against the HSET ceiling, {shape}",
                 paired(_seconds(runs["hset"]), [one["write_seconds"] for one in runs["banquet"]]), at_least=8, runs=runs)


def sqlite_against_bulk(bench, scale):
    """G9: the write half of a run against the best known bulk load."""
    shape = Shape(scale.load_rows)
    runs = interleaved(scale.rounds, {"ceiling": lambda: bench.bulk_sqlite(shape),
                                      "banquet": lambda: bench.write(shape, "sqlite")})
    yield Result("G9", f"first load into SQLite against bulk, {shape}",
                 paired(_seconds(runs["ceiling"]), [one["write_seconds"] for one in runs["banquet"]]), at_least=0.85,
                 runs=runs)


def postgres_against_bulk(bench, scale):
    """G10: the write half of a run against the best known bulk load for that state of the table."""
    first = Shape(scale.load_rows)
    runs = interleaved(scale.rounds, {"ceiling": lambda: bench.bulk_postgres(first),
                                      "banquet": lambda: bench.write(first, "postgres")})
    yield _against_bulk(f"first load into Postgres against COPY, {first}", runs)

    second = dataclasses.replace(first, month=1)

    def over_the_first(measure):
        bench.bulk_postgres(first)
        return measure()

    runs = interleaved(scale.rounds, {
        "ceiling": lambda: over_the_first(lambda: bench.bulk_postgres(second, "--upsert", fresh=False)),
        "banquet": lambda: over_the_first(lambda: bench.write(second, "postgres", fresh=False))})
    yield _against_bulk(f"update in Postgres against COPY and upsert without a guard, {second}", runs)


def _against_bulk(case, runs):
    return Result("G10", case, paired(_seconds(runs["ceiling"]), [one["write_seconds"] for one in runs["banquet"]]),
                  at_least=0.85, runs=runs)


def empty_window(bench, scale):
    """G15: from start to exit when there is nothing to do."""
    shape = Shape(100_000)

    def nothing():
        repository = bench.repository(shape, "redis")
        return run([bench.banquet, "--progress", "none", "materialize", "2025-01-01T00:00:00", "2025-01-02T00:00:00"],
                   repository.path)

    runs = interleaved(5 * scale.rounds, {"banquet": nothing})
    yield Result("G15", "start to exit, empty window", [one.wall * 1000 for one in runs["banquet"]], at_most=50, unit="ms",
                 form="{:.0f}")
