"""Instructions per unit of work: the difference of two sizes under callgrind, so that start-up does not count."""
import json
import pathlib
import re
import subprocess
import tempfile


def instructions(argv):
    """(instructions executed, the command's JSON). Valgrind must be there."""
    with tempfile.TemporaryDirectory() as folder:
        profile = pathlib.Path(folder) / "profile"
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", *map(str, argv)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"valgrind {' '.join(map(str, argv))}: {done.stderr[-2000:]}")
        counted = re.search(r"^(?:summary|totals): (\d+)", profile.read_text(), re.MULTILINE)
    return int(counted[1]), json.loads(done.stdout.strip().splitlines()[-1])


def instructions_per_unit(native, arguments_of, small, large, units_of):
    """units_of: the size, as given, and the command's JSON -> how many units of work it was."""
    few, few_result = instructions([native, *arguments_of(small)])
    many, many_result = instructions([native, *arguments_of(large)])
    return (many - few) / (units_of(large, many_result) - units_of(small, few_result))
