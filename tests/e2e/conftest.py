"""Fixtures of the end-to-end tests: the golden repositories as Feast applied them, on SQLite or Redis."""
import re
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from repository import copy_repository  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def make_repository(tmp_path, request):
    """make(case, store): a golden repository with the registry that Feast saved."""
    def make(case="incremental", store="sqlite", server=None, name="repository"):
        environment = {}
        if store == "redis":
            server = server or request.getfixturevalue("redis_clean")
            environment["GOLDEN_REDIS_PORT"] = str(server.port)
        elif store != "sqlite":
            environment = request.getfixturevalue("servers_clean").environment
        repository = copy_repository(GOLDEN / case, tmp_path / name, environment)
        repository.configure((GOLDEN / case / f"feature_store.{store}.yaml").read_text())
        saved = GOLDEN / case / "expected" / f"{store}.registry_after_apply.db"
        if not saved.exists():  # Feast's apply leaves the same one but for SQLite's tables.
            saved = saved.with_name("sqlite.registry_after_apply.db")
        shutil.copy(saved, repository.registry)
        return repository
    return make


@pytest.fixture
def repository(make_repository):
    """Case incremental on SQLite: views inc_plain, inc_ttl and inc_new, all of data/inc.parquet, 26 rows of 6 keys."""
    return make_repository()


@pytest.fixture
def redis_address():
    def replace(repository, text):
        path = repository.path / "feature_store.yaml"
        path.write_text(re.sub(r"connection_string: .*", f"connection_string: {text}", path.read_text()))
    return replace
