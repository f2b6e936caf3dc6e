"""Banquet as Feast's batch engine: one line in feature_store.yaml.

    batch_engine: {type: banquet.feast.BanquetEngine}

Feast selects views and windows and records the intervals; the command `banquet` reads the sources and writes the online store,
all views of a run together.
"""
import base64
import json
import logging
import os
import tempfile
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, Sequence, Union

from feast import BatchFeatureView, Entity, FeatureView, OnDemandFeatureView, StreamFeatureView
from feast.feature_view import DUMMY_ENTITY_NAME
from feast.infra.common.materialization_job import MaterializationJob, MaterializationJobStatus, MaterializationTask
from feast.infra.compute_engines.backends.factory import BackendFactory
from feast.infra.compute_engines.base import ComputeEngine
from feast.infra.compute_engines.local.compute import LocalComputeEngine
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel
from pydantic import ConfigDict

from banquet._binary import find_binary
from banquet._tasks import TasksResult, run_tasks
from banquet._transform import TransformedView
from banquet.errors import BanquetError, HeldError, RemoteError, UnsupportedError, UserError, error_of

log = logging.getLogger("banquet")

View = Union[BatchFeatureView, StreamFeatureView, FeatureView]
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=timezone.utc), datetime(9999, 12, 31, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_OF_VIEW = ("overwrite", "guard", "on_null_key")  # Options that `banquet.views` has for a view alone.
_BAR_STEPS = 1000  # Of a view whose number of rows is not known.


class BanquetEngineConfig(FeastConfigBaseModel):
    """The block `batch_engine`. Further keys are options of `banquet:` (`banquet options` lists them); the command checks them."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow")

    type: Literal["banquet.feast.BanquetEngine"] = "banquet.feast.BanquetEngine"

    binary: Optional[str] = None
    """Path of the command; default: $BANQUET_BINARY, that of the wheel, or `banquet` on the PATH."""

    fallback: Literal["local", "fail"] = "local"
    """Views that Banquet cannot materialize: by Feast's own local engine, or not at all."""

    engine: Optional[Union[str, Dict[str, Any]]] = None
    """Banquet's engine: local (default), or a block such as {type: spark.engine, ...}."""


@dataclass
class BanquetJob(MaterializationJob):
    """What became of one view."""

    task: MaterializationTask
    _job_id: str
    _error: Optional[BaseException] = None
    _url: Optional[str] = None
    report: Dict[str, Any] = field(default_factory=dict)
    """The view's part of the report of `banquet materialize --json`: rows by fate, stores, seconds; empty where Banquet did not run."""
    fallback_reason: Optional[str] = None
    """Why Feast's own engine did the view, or nobody; None: Banquet did it."""

    def status(self) -> MaterializationJobStatus:
        """SUCCEEDED or ERROR. A cancelled view is an ERROR too: Feast takes every other state for a success."""
        return MaterializationJobStatus.ERROR if self._error else MaterializationJobStatus.SUCCEEDED

    def error(self) -> Optional[BaseException]:
        return self._error

    def should_be_retried(self) -> bool:
        """Whether the same again may help: a server or another run was the reason."""
        return isinstance(self._error, (RemoteError, HeldError))

    def job_id(self) -> str:
        return self._job_id

    def url(self) -> Optional[str]:
        return self._url


class BanquetEngine(ComputeEngine):
    """Hands all views of a run to one process of `banquet run-tasks`; Feast records the intervals.

    A transformation in Python is called in this process, and Banquet writes its rows. A view that Banquet refuses (aggregations, an
    unknown source or store) is done by Feast's local engine, unless `fallback` says `fail`; it is named once, at warning level,
    and in its job.
    """

    def __init__(self, *, repo_config, offline_store, online_store, **block):
        super().__init__(repo_config=repo_config, offline_store=offline_store, online_store=online_store)
        self._config = BanquetEngineConfig(**block)
        self._local = LocalComputeEngine(
            repo_config=repo_config, offline_store=offline_store, online_store=online_store, backend="pandas")

    @property
    def supports_batch(self) -> bool:
        return True

    def update(self, project: str, views_to_delete: Sequence[View], views_to_keep: Sequence[Union[View, OnDemandFeatureView]],
               entities_to_delete: Sequence[Entity], entities_to_keep: Sequence[Entity]) -> None:
        """Nothing is to be prepared."""

    def teardown_infra(self, project: str, fvs: Sequence[View], entities: Sequence[Entity]) -> None:
        """Nothing is to be torn down."""

    def get_historical_features(self, registry: BaseRegistry, task):
        return self._local.get_historical_features(registry, task)

    def materialize(self, registry: BaseRegistry, tasks: Union[MaterializationTask, List[MaterializationTask]], *,
                    lineage_parent=None, **kwargs) -> List[MaterializationJob]:
        """One job for each task, in order; returns when all are finished.

        A view that fails is its own job's error and does not stop the others. Where the whole run cannot begin (the configuration,
        the command), every job has that error.
        """
        tasks = [tasks] if isinstance(tasks, MaterializationTask) else list(tasks)
        if not tasks:
            return []
        bars = _Bars(tasks)
        try:
            result = run_tasks(find_binary(self._config.binary), self._frame(registry, tasks), bars.show)
        except BanquetError as error:
            return [_job(task, error=error) for task in tasks]
        finally:
            bars.close()
        failure = result.error()
        if failure is not None:
            return [_job(task, error=failure) for task in tasks]
        jobs = _jobs_of(tasks, result)
        for place, (task, reason, if_transformed) in enumerate(zip(tasks, result.refused, result.if_transformed)):
            if if_transformed:
                jobs[place] = self._transformed(registry, task)
            elif reason is not None:
                jobs[place] = self._instead(registry, task, reason)
        return jobs

    def _transformed(self, registry: BaseRegistry, task: MaterializationTask) -> BanquetJob:
        """A view whose function is called here, and whose rows Banquet writes."""
        bars = _Bars([task])
        try:
            with tempfile.TemporaryDirectory(prefix="banquet-", dir=self._spill_directory()) as folder:
                context = self.get_execution_context(registry, task)
                view = TransformedView(registry, task, context, BackendFactory.from_name("pandas"), Path(folder))
                frame = self._frame(registry, [task], view)
                result = run_tasks(find_binary(self._config.binary), frame, bars.show)
        except Exception as raised:  # Of the user's function among them; the other views go on.
            return _job(task, error=raised)
        finally:
            bars.close()
        if result.error() is not None or result.refused != [None]:
            return _job(task, error=result.error() or UnsupportedError(f"{task.feature_view.name}: {result.refused[0]}"))
        return _jobs_of([task], result)[0]

    def _spill_directory(self) -> Optional[str]:
        """Where Banquet puts what finds no room; None: the system's temporary folder."""
        of_file = (self.repo_config.model_dump().get("banquet") or {}).get("spill_directory")
        return (self._config.model_extra or {}).get("spill_directory", of_file)

    def _instead(self, registry: BaseRegistry, task: MaterializationTask, reason: str) -> BanquetJob:
        """What becomes of a view that Banquet refused."""
        name = task.feature_view.name
        if self._fallback_of(task.feature_view) == "fail":
            return _job(task, error=UnsupportedError(f"{name}: {reason}"), fallback_reason=reason)
        log.warning("%s: materialized by Feast's own local engine, not by Banquet: %s", name, reason)
        try:
            theirs = self._local.materialize(registry, task)[0]
            error = theirs.error() if theirs.status() == MaterializationJobStatus.ERROR else None
        except Exception as raised:  # Of stores, sources and transformations of any make; the other views go on.
            error = raised
        return _job(task, error=error, fallback_reason=reason)

    def _fallback_of(self, view: View) -> str:
        return _override_of(view).get("fallback", self._config.fallback)

    def _frame(self, registry: BaseRegistry, tasks: List[MaterializationTask],
               transformed: Optional[TransformedView] = None) -> Dict[str, Any]:
        entities: Dict[str, bytes] = {}
        for task in tasks:
            for name in task.feature_view.entities:
                if name not in entities and name != DUMMY_ENTITY_NAME:
                    entities[name] = registry.get_entity(name, task.project).to_proto().SerializeToString()
        return {"feature_store_yaml": json.dumps(self._resolved(tasks), ensure_ascii=False, indent=1),
                "repo_path": str(self.repo_config.repo_path or os.getcwd()),
                "overrides": [],
                "entities": [_base64(data) for data in entities.values()],
                "tasks": [_task_of(task, transformed) for task in tasks]}

    def _resolved(self, tasks: List[MaterializationTask]) -> Dict[str, Any]:
        """The configuration as Feast has it, with what single views say of their engine in memory."""
        dumped = self.repo_config.model_dump(by_alias=True, mode="json")
        config = {key: value for key, value in dumped.items()
                  if key != "repo_path" and (value is not None or key == "online_store")}
        for task in tasks:
            override = {key: value for key, value in _override_of(task.feature_view).items() if key not in ("binary", "fallback")}
            if override:
                _add_view_options(config, task.feature_view.name, override, self._config.engine)
        return config


class _Bars:
    """Feast's progress bar of each task: built when its first rows are seen, moved by the share that is done."""

    def __init__(self, tasks: List[MaterializationTask]):
        self._builders = {task.feature_view.name: task.tqdm_builder for task in tasks if task.tqdm_builder}
        self._bars: Dict[str, Any] = {}

    def show(self, views: List[Dict[str, Any]]) -> None:
        for view in views:
            name = view["name"]
            if name not in self._builders or not (view["rows_total"] or view["share_done"]):
                continue
            if name not in self._bars:
                self._bars[name] = self._builders[name](view["rows_total"] or _BAR_STEPS)
            bar = self._bars[name]
            bar.update(max(0, int(view["share_done"] * bar.total) - bar.n))

    def close(self) -> None:
        for bar in self._bars.values():
            bar.close()


def _override_of(view: View) -> Dict[str, Any]:
    """The view's own engine block; it exists in memory only, no registry keeps it."""
    override = getattr(view, "batch_engine", None)
    if isinstance(view, StreamFeatureView):
        override = getattr(view, "stream_engine", None)
    if override is None:
        return {}
    if not isinstance(override, dict):
        raise TypeError(f"Engine config for {view.name} must be a dict, got {type(override)}.")
    return override


def _add_view_options(config: Dict[str, Any], name: str, override: Dict[str, Any],
                      engine: Optional[Union[str, Dict[str, Any]]]) -> None:
    """Puts a view's override under `banquet.views`, as if it stood in the file; it wins over what stands there."""
    block = {key: value for key, value in override.items() if key in _OF_VIEW}
    of_engine = {key: value for key, value in override.items() if key not in _OF_VIEW and key != "engine"}
    if of_engine.get("type") == "banquet.feast.BanquetEngine":
        del of_engine["type"]
    if "engine" in override:
        block["batch_engine"] = override["engine"]
    elif of_engine:  # As Feast merges them: over the block of all.
        of_all = {"type": engine or "local"} if not isinstance(engine, dict) else engine
        block["batch_engine"] = {**of_all, **of_engine}
    options = dict(config.get("banquet") or {})
    views = dict(options.get("views") or {})
    views[name] = {**(views.get(name) or {}), **block}
    config["banquet"] = {**options, "views": views}


def _task_of(task: MaterializationTask, transformed: Optional[TransformedView]) -> Dict[str, Any]:
    view = task.feature_view
    proto = transformed.proto() if transformed else view.to_proto()
    in_window = transformed is None or transformed.within_window
    is_stream = isinstance(view, StreamFeatureView)
    # A batch view's protobuf has no room for them; a stream view's has.
    aggregations = [] if is_stream else [a.to_proto().SerializeToString() for a in getattr(view, "aggregations", None) or []]
    version = getattr(getattr(view, "projection", None), "version_tag", None)
    if version is None:
        version = getattr(view, "current_version_number", None)
    return {"project": task.project,
            "kind": "stream_feature_view" if is_stream else "feature_view",
            "view": _base64(proto.SerializeToString()),
            "aggregations": [_base64(data) for data in aggregations],
            "start_us": _microseconds(task.start_time if in_window else _FIRST),
            "end_us": _microseconds(task.end_time if in_window else _LAST),
            "only_latest": task.only_latest,
            "disable_event_timestamp": task.disable_event_timestamp,
            "version": version}


def _microseconds(time: datetime) -> int:
    """Since 1970; a time without zone is UTC, as for Feast."""
    aware = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    return (aware - _EPOCH) // _MICROSECOND


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _jobs_of(tasks: List[MaterializationTask], result: TasksResult) -> List[Optional[BanquetJob]]:
    """Beside the tasks; None for those that were refused."""
    views = iter(result.report["views"])
    jobs: List[Optional[BanquetJob]] = []
    for task, reason in zip(tasks, result.refused, strict=True):
        if reason is not None:
            jobs.append(None)
            continue
        view = next(views)
        error = error_of(f"{view['name']}: {view['error']}", view["exit_code"]) if view["status"] != "SUCCEEDED" else None
        jobs.append(BanquetJob(task, f"{result.report['job_id']}-{view['name']}", error, view["url"], view))
    return jobs


def _job(task: MaterializationTask, **rest) -> BanquetJob:
    """Of a view that Banquet did not run."""
    return BanquetJob(task, f"{uuid.uuid4().hex[:16]}-{task.feature_view.name}", _error=rest.pop("error", None), **rest)
