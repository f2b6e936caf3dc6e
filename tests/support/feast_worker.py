"""One Feast process that does many things: Feast's import costs seconds, so a test session pays it once.

Reads one JSON request a line on standard input, answers one JSON line on standard output; what Feast prints goes to
standard error. Started and spoken to by feast_process.py.
"""
import json
import os
import sys
import traceback
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

from feast import BatchFeatureView, Entity, FeatureStore  # noqa: E402
from feast.aggregation import Aggregation  # noqa: E402
from feast.feature_server_utils import convert_response_to_dict  # noqa: E402
from feast.repo_config import load_repo_config  # noqa: E402
from feast.repo_operations import apply_total  # noqa: E402


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@contextmanager
def importing_the_repository():
    """As in a process of its own. Repositories share module names, so the modules of the last one are forgotten first."""
    here = Path.cwd()

    def forget():
        for name in [p.stem for p in here.glob("*.py")]:
            sys.modules.pop(name, None)
    forget()
    paths = list(sys.path)
    try:
        sys.path.insert(0, str(here))
        yield here
    finally:
        sys.path[:] = paths
        forget()


def apply():
    """feast apply."""
    with importing_the_repository() as here:
        apply_total(load_repo_config(here, here / "feature_store.yaml"), here, skip_source_validation=False)


def materialize(start, end, views):
    FeatureStore(".").materialize(datetime.fromisoformat(start), datetime.fromisoformat(end), feature_views=views)


def materialize_incremental(end, views):
    FeatureStore(".").materialize_incremental(datetime.fromisoformat(end), feature_views=views)


def online(requests):
    """The HTTP answer (section 10 of Feast's serving API) of each request, made by the feature server's own code."""
    store = FeatureStore(".")
    out = []
    for request in requests:
        features = request["features"]
        if isinstance(features, str):
            features = store.get_feature_service(features)
        response = store.get_online_features(
            features=features, entity_rows=request["rows"], full_feature_names=request.get("full", False))
        out.append(convert_response_to_dict(response.proto))
    return out


def intervals(view):
    """What the registry says was materialized: [start, end] in ISO 8601."""
    found = FeatureStore(".").get_feature_view(view)
    return [[start.isoformat(), end.isoformat()] for start, end in found.materialization_intervals]


def describe(view, description):
    """Changes a view in the registry, as another apply would."""
    store = FeatureStore(".")
    found = store.get_feature_view(view)
    found.description = description
    store.registry.apply_feature_view(found, store.project)


def description(view):
    return FeatureStore(".").get_feature_view(view).description


def jobs_of(**arguments):
    with importing_the_repository():
        return watched_run(**arguments)


def watched_run(start=None, end=None, views=None, version=None, disable_event_timestamp=False, only_latest=True, overrides=None):
    """Materializes (from where each view stopped if there is no `start`) and tells what Feast was told of each view:
    view -> {status, error, fallback_reason, report, bars}, and the error that Feast raised."""
    store = FeatureStore(".")
    told = {}
    watch(store._get_provider().batch_engine, told, only_latest, overrides or {})
    try:
        if disable_event_timestamp:
            end = datetime.now(timezone.utc)
            store.materialize(EPOCH, end, feature_views=views, disable_event_timestamp=True)
        elif start is None:
            store.materialize_incremental(datetime.fromisoformat(end), feature_views=views, version=version)
        else:
            store.materialize(datetime.fromisoformat(start), datetime.fromisoformat(end), feature_views=views, version=version)
        raised = None
    except Exception as error:
        traceback.print_exc()
        raised = f"{type(error).__name__}: {error}"
    return {"jobs": told, "raised": raised}


def watch(engine, told, only_latest, overrides):
    """Between Feast and its engine: changes the tasks as the test wants them, keeps what is said of the jobs."""
    materialize_as_ever = engine.materialize

    def materialize_watched(registry, tasks, **kwargs):
        tasks = tasks if isinstance(tasks, list) else [tasks]
        bars = {}
        for task in tasks:
            task.only_latest = only_latest
            task.tqdm_builder = bar_builder(task.feature_view.name, bars)
            if task.feature_view.name in overrides:
                task.feature_view = overridden(task.feature_view, overrides[task.feature_view.name])
        jobs = materialize_as_ever(registry, tasks, **kwargs)
        for task, job in zip(tasks, jobs, strict=True):
            error = job.error()
            told[task.feature_view.name] = {
                "status": job.status().name, "error": error and f"{type(error).__name__}: {error}", "id": job.job_id(),
                "retry": job.should_be_retried(), "exit_code": getattr(error, "exit_code", 0 if error is None else 1),
                "fallback_reason": getattr(job, "fallback_reason", None), "report": getattr(job, "report", {}),
                "bar": bars.get(task.feature_view.name)}
        return jobs
    engine.materialize = materialize_watched


def overridden(view, change):
    """The same view as a BatchFeatureView with an engine block, or aggregations, in memory."""
    batch = BatchFeatureView(name=view.name, source=view.batch_source, ttl=view.ttl, schema=view.schema, online=True,
                             entities=[Entity(name=e) for e in view.entities], batch_engine=change.get("batch_engine"))
    batch.entities, batch.entity_columns, batch.features = view.entities, view.entity_columns, view.features
    if change.get("aggregated"):
        batch.aggregations = [Aggregation(column=view.features[0].name, function="max", time_window=timedelta(days=1))]
    return batch


def bar_builder(name, bars):
    def build(total):
        bars[name] = {"total": total, "n": 0}
        return Bar(bars[name])
    return build


class Bar:
    """What the engine may use of tqdm."""

    def __init__(self, kept):
        self.kept = kept

    n = property(lambda self: self.kept["n"])
    total = property(lambda self: self.kept["total"])

    def update(self, count):
        self.kept["n"] += count

    def close(self):
        self.kept["closed"] = True


ACTIONS = {f.__name__: f for f in (jobs_of, apply, materialize, materialize_incremental, online, intervals, describe, description)}

for line in sys.stdin:
    request = json.loads(line)
    os.environ.update(request["environment"])
    os.chdir(request["repository"])
    try:
        answer = {"ok": True, "result": ACTIONS[request["action"]](**request["arguments"])}
    except BaseException as error:  # SystemExit too: apply_total ends the process on a bad name
        traceback.print_exc()
        answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
