"""The golden cases as repositories, and their recorded steps."""
import os
import re
import shutil
from datetime import datetime, timezone
from pathlib import Path

from compare import HERE, expected_json
from feast_protos import read_registry
from google.protobuf.json_format import MessageToDict
from repository import copy_repository

STORES = tuple(os.environ.get("BANQUET_TEST_STORES", "sqlite redis postgres dynamodb").split())
BLOCKS = {  # Of a case that was recorded on SQLite alone.
    "redis": "online_store:\n    type: redis\n    connection_string: localhost:${GOLDEN_REDIS_PORT}\n",
    "dynamodb": ("online_store:\n    type: dynamodb\n    region: us-east-1\n"
                 "    endpoint_url: http://localhost:${GOLDEN_DDB_PORT}\n"),
    "postgres": ("online_store:\n    type: postgres\n    host: localhost\n    port: ${GOLDEN_PG_PORT}\n    database: golden\n"
                 "    user: feast\n    password: feast\n    sslmode: disable\n")}
CLOCK_FIELDS = ("created_timestamp", "last_updated_timestamp", "last_updated")
ID_FIELDS = ("version_id", "project_uuid")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z$")


def project_of(case):
    text = (HERE / case / "feature_store.sqlite.yaml").read_text()
    return re.search(r"^project: (\S+)", text, re.MULTILINE)[1]


def open_case(case, store, folder, servers, registry="registry_after_apply"):
    """The case's repository in `folder` as Feast saw it; with the registry that Feast saved, if `registry` names one."""
    repository = copy_repository(HERE / case, folder / f"{case}-{store}", servers.environment)
    own = HERE / case / f"feature_store.{store}.yaml"
    if own.exists():
        repository.configure(own.read_text())
    else:
        text = (HERE / case / "feature_store.sqlite.yaml").read_text()
        repository.configure(re.sub(r"online_store:\n(    .*\n)+", lambda _: BLOCKS[store], text))
    if registry:
        shutil.copy(HERE / case / "expected" / f"{registry_run(case, store, registry)}.{registry}.db", repository.registry)
    return repository


def registry_run(case, store, registry="registry_after_apply"):
    """The run whose registry was saved: the store's own, else the one on SQLite."""
    return store if (HERE / case / "expected" / f"{store}.{registry}.db").exists() else "sqlite"


def recorded_steps(case, store):
    log = expected_json(case, "cli")
    return log.get(store, log["sqlite"])


def replace_as_noted(repository, case, note):
    """A step such as "data/inc.parquet replaced by data/inc_corrected.parquet"."""
    target, source = note.split(" replaced by ")
    shutil.copy(HERE / case / source, repository.path / target)


def registry_as_json(path, known_times, now=None):
    """As expected/*.registry.json: what the clock decides is replaced, lists of objects are sorted by name."""
    now = now or datetime.now(timezone.utc)
    content = MessageToDict(read_registry(Path(path)), preserving_proto_field_name=True)

    def walk(node):
        if isinstance(node, list):
            for item in node:
                walk(item)
        if not isinstance(node, dict):
            return
        for key, item in node.items():
            if key in CLOCK_FIELDS:
                node[key] = "<wall clock>"
            elif key in ID_FIELDS:
                node[key] = "<uuid>"
            elif key in ("start_time", "end_time") and item not in known_times:
                age = now - datetime.fromisoformat(item)
                node[key] = f"<now minus {round(age.total_seconds() / 86400)} days>"
            else:
                walk(item)
    walk(content)
    return sorted_by_name(content)


def sorted_by_name(content):
    for key in ("feature_views", "entities", "data_sources", "feature_services"):
        if key in content:
            content[key].sort(key=lambda o: o.get("spec", o)["name"])
    infra = content.get("infra", {}).get("infra_objects", [])
    infra.sort(key=lambda o: o["sqlite_table"]["name"])
    return content


def expected_registry(case, store, step=None):
    """expected/<store>[.stepN].registry.json without the reversed intervals that Feast records and Banquet refuses (row 15)."""
    name = registry_run(case, store)
    content = sorted_by_name(expected_json(case, f"{name}.registry" if step is None else f"{name}.step{step}.registry"))
    for view in content["feature_views"]:
        kept = [i for i in view["meta"].get("materialization_intervals", []) if not is_reversed(i)]
        if not kept and "materialization_intervals" in view["meta"]:
            del view["meta"]["materialization_intervals"], view["meta"]["state"]
        elif kept:
            view["meta"]["materialization_intervals"] = kept
    return content


def is_reversed(interval):
    start, end = interval["start_time"], interval["end_time"]
    if TIME.match(start) and TIME.match(end):
        return start > end
    return start == "<now minus 364 days>"  # a year before the recording; every END of the cases lies earlier


def known_times(content):
    found = set()

    def walk(node):
        for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            if isinstance(item, str) and TIME.match(item):
                found.add(item)
            walk(item)
    walk(content)
    return found


def assert_registry(repository, expected):
    actual = registry_as_json(repository.registry, known_times(expected))
    for key in sorted(set(expected) | set(actual)):
        assert actual.get(key) == expected.get(key), f"registry, {key}"
