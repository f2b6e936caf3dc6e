"""Feast repositories applied by real Feast, once per session and store."""
import re
import shutil
from pathlib import Path

from repository import Repository, copy_repository

GOLDEN = Path(__file__).parents[1] / "golden"
STORES = ("sqlite", "redis", "postgres", "dynamodb")


class Applied:
    """A golden case's repository after Feast's apply, to be copied for each test."""

    def __init__(self, feast, folder, case, store, servers):
        self.case, self.store = case, store
        self.repository = copy_repository(GOLDEN / case, folder / f"{case}-{store}",
                                          servers.environment)
        self.repository.configure((GOLDEN / case / f"feature_store.{store}.yaml").read_text())
        feast.apply(self.repository)

    @property
    def project(self):
        return re.search(r"^project: (\S+)", (self.repository.path / "feature_store.yaml").read_text())[1]

    def copy(self, folder, name):
        shutil.copytree(self.repository.path, folder / name)
        return Repository(folder / name, self.repository.environment)
