"""Fixtures of the gates: counters that do not depend on the machine's speed. A missing tool fails."""
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from compare.bench import Bench  # noqa: E402

FEAST = pathlib.Path(sys.executable).with_name("feast")


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("bench")
    made = Bench(scratch, os.environ["BANQUET_BINARY"], os.environ["BANQUET_BENCH_BINARY"], FEAST)
    yield made
    made.close()
    shutil.rmtree(scratch)
