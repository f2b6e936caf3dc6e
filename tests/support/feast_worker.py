"""One Feast process that does many things: Feast's import costs seconds, so a test session pays it once.

Reads one JSON request a line on standard input, answers one JSON line on standard output; what Feast prints goes to
standard error. Started and spoken to by feast_process.py.
"""
import json
import os
import sys
import traceback
from datetime import datetime
from pathlib import Path

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

from feast import FeatureStore  # noqa: E402
from feast.feature_server_utils import convert_response_to_dict  # noqa: E402
from feast.repo_config import load_repo_config  # noqa: E402
from feast.repo_operations import apply_total  # noqa: E402


def apply():
    """feast apply. Repositories share module names, so the modules of the last one are forgotten first."""
    here = Path.cwd()
    for name in [p.stem for p in here.glob("*.py")]:
        sys.modules.pop(name, None)
    paths = list(sys.path)
    try:
        sys.path.insert(0, str(here))
        apply_total(load_repo_config(here, here / "feature_store.yaml"), here, skip_source_validation=False)
    finally:
        sys.path[:] = paths
    for name in [p.stem for p in here.glob("*.py")]:
        sys.modules.pop(name, None)


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


ACTIONS = {f.__name__: f for f in (apply, materialize, materialize_incremental, online, intervals, describe, description)}

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
