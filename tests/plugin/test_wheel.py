"""The wheel in a fresh environment: Feast's quickstart with one line changed, and the bytes that Feast alone would leave."""
import os
import re
import subprocess
import sys
import sysconfig
import venv
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from compare import assert_same, table_cells
from repository import BINARY
from stores import dump_sqlite

ROOT = Path(__file__).parents[2]
PATCHELF = ROOT / "build/deps/patchelf/bin/patchelf"


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """A virtual environment with the wheel. Feast and pyarrow are those of the tests, seen through a .pth file."""
    folder = tmp_path_factory.mktemp("wheel")
    made = subprocess.run([sys.executable, ROOT / "tools/make_wheel.py", BINARY, PATCHELF, folder],
                          capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    wheel = Path(made.stdout.strip())
    assert "-manylinux_2_36_x86_64" in wheel.name
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel], check=True)
    site = Path(subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                               capture_output=True, text=True, check=True).stdout.strip())
    (site / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv", site


def run(environment, folder, *command, fails=False):
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("FEAST", "BANQUET", "PYTHONPATH", "LD_"))}
    done = subprocess.run([str(environment[0] / "bin" / command[0]), *command[1:]], cwd=folder, capture_output=True, text=True,
                          env={**plain, "FEAST_USAGE": "False", "TZ": "UTC"}, timeout=120)
    assert (done.returncode != 0) == fails, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


FEAST = ("python", "-c", "import sys; from feast.cli.cli import cli; sys.argv[0] = 'feast'; cli()")


class Quickstart:
    """Feast's own quickstart; `online_db` is where its template puts the store."""

    def __init__(self, path):
        self.path = path
        self.online_db = path / "data/online_store.db"


def test_the_quickstart_with_one_line_changed_leaves_feasts_bytes(environment, tmp_path):
    run(environment, tmp_path, *FEAST, "init", "quick")
    repository = Quickstart(tmp_path / "quick/feature_repo")
    run(environment, repository.path, *FEAST, "apply")
    applied = {path: path.read_bytes() for path in (repository.path / "data/registry.db", repository.online_db)}
    end = (datetime.now(timezone.utc) + timedelta(minutes=1)).replace(microsecond=0, tzinfo=None).isoformat()
    shadow = run(environment, repository.path, "banquet", "materialize-incremental", end, "--shadow")
    assert len(re.findall(r"^driver_\w+ +EQUAL ", shadow, re.MULTILINE)) == 2 and "SUCCEEDED. Feast " in shadow, shadow
    assert {path: path.read_bytes() for path in applied} == applied
    run(environment, repository.path, *FEAST, "materialize-incremental", end)
    theirs = table_cells(dump_sqlite(repository), "quick")
    for path, data in applied.items():
        path.write_bytes(data)
    assert not any(dump_sqlite(repository).values())
    yaml = repository.path / "feature_store.yaml"
    yaml.write_text(yaml.read_text() + "batch_engine: {type: banquet.feast.BanquetEngine, fallback: fail}\n")
    run(environment, repository.path, *FEAST, "materialize-incremental", end)
    ours = table_cells(dump_sqlite(repository), "quick")
    assert len({name[:3] for name in ours}) == 60, "5 drivers, 6 features, 2 views"
    assert_same(theirs, ours, "quickstart")
    assert "EQUAL" in run(environment, repository.path, "banquet", "verify")


def test_the_command_and_its_libraries_come_from_the_wheel(environment, tmp_path):
    assert run(environment, tmp_path, "banquet", "--version").strip() == "0.1.0"
    site = environment[1]
    loaded = run(environment, tmp_path, "python", "-c", f"""
import subprocess, banquet._binary as b
print(subprocess.run(["ldd", b.find_binary()], env=b.process_environment(b.find_binary()), capture_output=True, text=True).stdout)
""")
    assert "not found" not in loaded, loaded
    for name in ("libssl.so.3", "libcurl.so.4", "libgnutls.so.30", "libpq.so.5"):
        assert f"{site}/banquet/bin/../lib/{name}" in loaded or f"{site}/banquet/lib/{name}" in loaded, loaded
    assert "/pyarrow/libarrow.so.2600" in loaded and str(BINARY) not in loaded, loaded


def test_a_wheel_without_its_command_says_so(environment, tmp_path):
    command = environment[1] / "banquet/bin/banquet"
    aside = command.with_suffix(".aside")
    command.rename(aside)
    try:
        assert "install the wheel again" in run(environment, tmp_path, "banquet", "--version", fails=True)
    finally:
        aside.rename(command)
