"""Whole commands: their time, memory and output."""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

LAUNCH = pathlib.Path(__file__).with_name("launch.py")


@dataclasses.dataclass(frozen=True)
class Outcome:
    wall: float
    cpu: float
    mib: float
    output: str

    def json(self):
        """The last line, which is the result of a command that reports in JSON."""
        return json.loads(self.output.strip().splitlines()[-1])


class Failed(Exception):
    """A command ended with an error: it has no time."""


def run(argv, cwd=None, env=None):
    with tempfile.NamedTemporaryFile() as output:
        launched = subprocess.run([sys.executable, "-I", "-S", str(LAUNCH), output.name, *map(str, argv)], cwd=cwd,
                                  env=dict(os.environ, TZ="UTC") | (env or {}), stdout=subprocess.PIPE, check=True)
        text = output.read().decode(errors="replace")
    result = json.loads(launched.stdout)
    if result.pop("status") != 0:
        raise Failed(f"{' '.join(map(str, argv))}\n{text[-2000:]}")
    return Outcome(output=text, **result)
