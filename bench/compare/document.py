"""docs/benchmarks.md: the table, the figures, the machine and the commands, from the JSON of a run."""
import platform
import subprocess

from compare.results import table


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    cores = sum(line.startswith("processor") for line in open("/proc/cpuinfo"))
    kib = int(next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemTotal")))
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2].removeprefix("v=")
    import duckdb
    import feast
    return {"cpu": model, "cores": cores, "memory_gib": round(kib / 2**20), "kernel": platform.release(), "redis": redis,
            "feast": feast.__version__, "duckdb": duckdb.__version__}


def figures(results, scale, commit, facts):
    """The measured part of the page, between its markers."""
    missed = [result for result in results if result.met is False]
    absent = [result for result in results if not result.values]
    lines = [
        f"Measured at `{commit}` by `make bench SCALE={scale.name}` on {facts['cores']} cores of {facts['cpu']}, "
        f"{facts['memory_gib']} GiB, Linux {facts['kernel']}; Redis {facts['redis']}, Feast {facts['feast']}, "
        f"DuckDB {facts['duckdb']}. {scale.rounds} rounds, {scale.feast_rounds} with Feast.", "",
        table(results), "",
        "![Throughput](benchmarks/throughput.svg)", "", "![Time and memory against rows](benchmarks/rows.svg)", ""]
    if missed:
        lines += ["Not reached: " + "; ".join(f"{result.goal} ({result.case}): {result.form.format(result.median)} "
                                              f"{result.unit}".strip() for result in missed) + ".", ""]
    if absent:
        lines += ["Not measured: " + "; ".join(f"{result.goal} ({result.note})" for result in absent) + ".", ""]
    return "\n".join(lines)


BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def put_into(page, measured):
    """Replaces what stands between the markers; everything else on the page is written by people."""
    text = page.read_text()
    head, rest = text.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    page.write_text(f"{head}{BEGIN}\n{measured}\n{END}{tail}")
