"""A Feast repository in a temporary folder, and Banquet run in it."""
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

BINARY = os.environ.get("BANQUET_BINARY", "")
# Options for every command, so that a suite can run once more with a fast path switched off.
OPTIONS = os.environ.get("BANQUET_TEST_OPTIONS", "").split()


@dataclass
class Outcome:
    """What a finished command left."""
    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self):
        return json.loads(self.stdout)

    def __str__(self):
        return f"exit {self.exit_code}\nstdout: {self.stdout[-3000:]}\nstderr: {self.stderr[-3000:]}"


@dataclass
class Repository:
    path: Path
    environment: dict = field(default_factory=dict)

    @property
    def registry(self):
        return self.path / "data/registry.db"

    @property
    def online_db(self):
        return self.path / "data/online.db"

    def configure(self, text):
        (self.path / "feature_store.yaml").write_text(text)

    def append_configuration(self, text):
        path = self.path / "feature_store.yaml"
        path.write_text(path.read_text().rstrip("\n") + "\n" + text)

    def process_environment(self):
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("FEAST", "BANQUET"))}
        return {**plain, "TZ": "UTC", **self.environment}

    def start(self, *arguments, **options):
        """Banquet as a running process; the test ends it."""
        return subprocess.Popen([BINARY, *OPTIONS, *arguments], cwd=self.path, env=self.process_environment(),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    def banquet(self, *arguments, timeout_s=120):
        with self.start(*arguments) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                stdout, stderr = process.communicate()
                raise AssertionError(f"banquet {' '.join(arguments)} did not end within {timeout_s} s:\n{stderr}")
        return Outcome(process.returncode, stdout, stderr)


def copy_repository(source, target, environment=None):
    """features_*.py are later versions of features.py; Feast must not see both."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("expected", "__pycache__", "features_*.py"))
    return Repository(Path(target), dict(environment or {}))
