"""A feature repository's double: its registry copied into a file, its online store a SQLite file, both in one folder.

The real registry is read once; the real online store's configuration is not even looked at. What is left of the configuration
cannot write anywhere else.
"""
import contextlib
import os
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import yaml
from feast import FeatureStore, FeatureView
from feast.infra.common.materialization_job import MaterializationJob, MaterializationJobStatus, MaterializationTask
from feast.infra.registry.base_registry import BaseRegistry
from feast.infra.registry.sql import SqlRegistry, SqlRegistryConfig
from feast.protos.feast.core.Registry_pb2 import Registry as RegistryProto
from feast.repo_config import RegistryConfig, RepoConfig

from banquet.errors import RemoteError, UserError

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Of `banquet:` and of the engine's block: they write elsewhere, or hold back for a store that is not there.
_LEFT_OUT = ("online_stores", "staging_location", "write_rate_max")
_OURS = "banquet.feast.BanquetEngine"
_THEIRS = "local"
_SECRET_KEY = re.compile(r"pass|secret|token|credential|private|api_?key|access_key|connection_string|sasl", re.IGNORECASE)
_SECRET_IN_URL = re.compile(r"://[^:/@\s]*:([^@\s]+)@")
_SECRET_LENGTH_MIN = 3  # Shorter words would blot out what a message says.


class Secrets:
    """Words of a configuration that are not to be printed."""

    def __init__(self, config: Any):
        self._words = sorted({word for word in _secrets_of(config, False) if len(word) >= _SECRET_LENGTH_MIN}, key=len, reverse=True)

    def hide(self, text: str) -> str:
        for word in self._words:
            text = text.replace(word, "***")
        return text


def _secrets_of(node: Any, is_secret: bool) -> Iterator[str]:
    if isinstance(node, dict):
        for key, item in node.items():
            yield from _secrets_of(item, is_secret or bool(_SECRET_KEY.search(str(key))))
    elif isinstance(node, list):
        for item in node:
            yield from _secrets_of(item, is_secret)
    elif isinstance(node, (str, int)) and not isinstance(node, bool):
        text = str(node)
        yield from _SECRET_IN_URL.findall(text)
        if is_secret:
            yield text
            yield from re.findall(r"password=([^,;\s]+)", text)


@dataclass(frozen=True)
class Window:
    """What is materialized. `start` None: each view begins where it stopped; `end` None: all there is until this moment."""

    start: Optional[datetime]
    end: Optional[datetime]


class RealRepository:
    """What is read of the repository: feature_store.yaml and the registry."""

    def __init__(self, path: Path, yaml_file: Optional[Path] = None):
        self.path = path.absolute()
        if not self.path.is_dir():
            raise UserError(f"There is no such folder: {path}")
        named = yaml_file or os.environ.get("FEAST_FS_YAML_FILE_PATH")
        self.yaml_file = Path(named).absolute() if named else self.path / "feature_store.yaml"
        try:
            self.config = yaml.safe_load(os.path.expandvars(self.yaml_file.read_text()))
        except OSError as error:
            raise UserError(f"{self.yaml_file}: {error.strerror}") from None
        except yaml.YAMLError as error:  # Its text quotes the line, which may hold a password.
            place = getattr(error, "problem_mark", None)
            raise UserError(f"{self.yaml_file} is no YAML{f', line {place.line + 1}' if place else ''}") from None
        if not isinstance(self.config, dict) or "project" not in self.config:
            raise UserError(f"{self.yaml_file} names no project")
        self.secrets = Secrets(self.config)

    def registry(self) -> RegistryProto:
        """As it is at this moment. Raises RemoteError where it cannot be read."""
        block = self.config.get("registry", "data/registry.db")
        block = {"path": block} if isinstance(block, str) else dict(block or {})
        kind = block.get("registry_type", "file")
        try:
            if kind == "sql":
                return _SqlRegistryToRead(SqlRegistryConfig(**{**block, "schema_mode": "skip", "cache_mode": "sync",
                                                               "purge_feast_metadata": False}),
                                          self.config["project"], None).proto()
            if kind == "file":
                return _registry_store(RegistryConfig(**block), self.path).get_registry_proto()
        except FileNotFoundError:
            raise UserError("There is no registry yet; run feast apply") from None
        except Exception as error:
            raise RemoteError(f"The registry cannot be read: {self.secrets.hide(str(error))}") from None
        raise UserError(f"A registry of type {kind} cannot be copied; export it into a file, and name that by -f")


def _registry_store(config: RegistryConfig, repo_path: Path):
    """Feast's reader of a registry in a file or a bucket, without the registry around it, which writes where there is none."""
    from feast.infra.registry.registry import get_registry_store_class_from_scheme, get_registry_store_class_from_type

    kind = config.registry_store_type
    found = get_registry_store_class_from_type(str(kind)) if kind else get_registry_store_class_from_scheme(config.path)
    return found(config, repo_path)


class _SqlRegistryToRead(SqlRegistry):
    """Feast's, without what it writes when it is opened."""

    def _sync_feast_metadata_to_projects_table(self):
        pass

    def _maybe_init_project_metadata(self, project):
        pass


class Double:
    """One engine's side: a store of Feast's on a copy of the registry and an empty SQLite file."""

    def __init__(self, real: RealRepository, registry: RegistryProto, folder: Path, engine: Any):
        folder.mkdir(mode=0o700)
        self.online_db = folder / "online.db"
        copy = folder / "registry.db"
        copy.write_bytes(registry.SerializeToString())
        try:
            config = RepoConfig(**_config_of(real.config, copy, self.online_db, engine))
        except Exception as error:  # pydantic's text quotes values.
            raise UserError(f"{real.yaml_file}: {real.secrets.hide(str(error))}") from None
        config.repo_path = real.path
        self.store = FeatureStore(config=config)

    @property
    def engine(self):
        return self.store._get_provider().batch_engine

    @property
    def registry(self) -> BaseRegistry:
        return self.store.registry

    def make_tables(self, views: Sequence[FeatureView]) -> None:
        """As feast apply makes them."""
        self.store._get_provider().online_store.update(
            config=self.store.config, tables_to_delete=[], tables_to_keep=views, entities_to_delete=[], entities_to_keep=[],
            partial=True)

    def table_of(self, view: FeatureView) -> str:
        from feast.infra.online_stores.sqlite import _table_id

        return _table_id(self.store.project, view, self.store.config.registry.enable_online_feature_view_versioning)


def ours(real: RealRepository, options: Dict[str, str]) -> Dict[str, Any]:
    """The plug-in's block: that of the file, if it is one, with `options` over it. What Banquet cannot do is refused."""
    block = real.config.get("batch_engine")
    kept = dict(block) if isinstance(block, dict) and block.get("type") == _OURS else {}
    kept = {key: value for key, value in {**kept, **options}.items() if key not in (*_LEFT_OUT, "engine")}
    return {**kept, "type": _OURS, "fallback": "fail"}


def theirs(real: RealRepository) -> Any:
    """Feast's local engine, with the options that the file has for it."""
    block = real.config.get("batch_engine")
    return block if isinstance(block, dict) and block.get("type") == _THEIRS else _THEIRS


def without_what_feast_writes_itself(registry: RegistryProto) -> Tuple[RegistryProto, List[str]]:
    """The registry with nothing in it that Feast would compute beside its engine, and the names of what was left out."""
    names = [view.spec.name for view in registry.on_demand_feature_views if view.spec.write_to_online_store]
    kept = RegistryProto()
    kept.CopyFrom(registry)
    for what in ("on_demand_feature_views", "feature_services", "saved_datasets", "validation_references", "permissions"):
        kept.ClearField(what)
    return kept, names


def _config_of(real: Dict[str, Any], registry: Path, online_db: Path, engine: Any) -> Dict[str, Any]:
    config = {key: value for key, value in real.items() if key not in ("auth", "openlineage", "mlflow", "feature_server")}
    block = real.get("registry")
    versioning = block.get("enable_online_feature_view_versioning", False) if isinstance(block, dict) else False
    online = real.get("online_store")
    of_sqlite = online if isinstance(online, dict) and online.get("type", "sqlite") == "sqlite" else None
    options = {key: value for key, value in (real.get("banquet") or {}).items() if key not in _LEFT_OUT}
    if of_sqlite is None:
        options.pop("sqlite_ts", None)
    if options.get("views"):
        options["views"] = {name: {key: value for key, value in (of_view or {}).items() if key != "batch_engine"}
                            for name, of_view in options["views"].items()}
    config |= {"banquet": options, "provider": "local",
               "registry": {"path": str(registry), "enable_online_feature_view_versioning": versioning},
               "online_store": {**(of_sqlite or {}), "type": "sqlite", "path": str(online_db)},
               "batch_engine": engine}
    return config


@dataclass
class _Declined(MaterializationJob):
    """An error without an exception: Feast records nothing and raises nothing."""

    task: MaterializationTask

    def status(self):
        return MaterializationJobStatus.ERROR

    def error(self):
        return None

    def should_be_retried(self):
        return False

    def job_id(self):
        return ""

    def url(self):
        return None


def select_tasks(double: Double, window: Window, views: Optional[List[str]], version: Optional[str]) -> List[MaterializationTask]:
    """The tasks that Feast would give its engine, views and windows chosen by Feast itself; nothing is materialized.

    `double` must have an engine that takes all tasks at once. Raises UserError with what Feast says.
    """
    tasks: List[MaterializationTask] = []

    def note(registry, given, **kwargs):
        tasks.extend(given)
        for task in given:
            task.tqdm_builder = None
        return [_Declined(task) for task in given]
    double.engine.materialize = note
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            if window.end is None:
                now = datetime.now(timezone.utc)
                double.store.materialize(_EPOCH, now, feature_views=views, disable_event_timestamp=True, version=version)
            elif window.start is None:
                double.store.materialize_incremental(window.end, feature_views=views, version=version)
            else:
                double.store.materialize(window.start, window.end, feature_views=views, version=version)
    except Exception as error:
        raise UserError(str(error)) from error
    finally:
        del double.engine.materialize
    return tasks
