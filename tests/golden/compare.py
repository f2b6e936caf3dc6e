"""Comparing a store with what Feast left: byte for byte, but sets and map entries decoded, since they have no order.

A store becomes a dictionary of cells, name -> value; names are tuples that say where the cell lies.
"""
import json
from datetime import datetime
from pathlib import Path

import mmh3
from feast_protos import read_registry, value
from google.protobuf.timestamp_pb2 import Timestamp

HERE = Path(__file__).parent
SETS = {"bytes_set_val", "string_set_val", "int32_set_val", "int64_set_val", "double_set_val", "float_set_val",
        "bool_set_val", "unix_timestamp_set_val", "uuid_set_val", "time_uuid_set_val", "decimal_set_val"}


def canonical(message):
    """A Value without the order of sets and maps; everything else stays as its bytes are."""
    kind = message.WhichOneof("val")
    if kind in SETS:
        return kind, sorted(getattr(message, kind).val)
    if kind in ("map_val", "struct_val"):
        return kind, canonical_map(getattr(message, kind))
    if kind in ("map_list_val", "struct_list_val"):
        return kind, [canonical_map(m) for m in getattr(message, kind).val]
    if kind == "set_val":
        return kind, sorted((canonical(v) for v in message.set_val.val), key=repr)
    if kind == "list_val":
        return kind, [canonical(v) for v in message.list_val.val]
    return kind, message.SerializeToString()


def canonical_map(message):
    return sorted((key, canonical(item)) for key, item in message.val.items())


def has_no_order(message):
    """Whether Feast leaves the order of this value's bytes open."""
    kind = message.WhichOneof("val")
    if kind == "list_val":
        return any(has_no_order(v) for v in message.list_val.val)
    return kind in SETS | {"map_val", "struct_val", "map_list_val", "struct_list_val", "set_val"}


def same_value(a, b):
    """Whether two serialized Values (hex) are the same as far as Feast promises."""
    if a == b:
        return True
    if a is None or b is None:
        return False
    a, b = value(bytes.fromhex(a)), value(bytes.fromhex(b))
    return has_no_order(a) and canonical(a) == canonical(b)


def differences(expected, actual):
    """One line per cell that is missing, too much or different."""
    lines = []
    for name in sorted(set(expected) | set(actual), key=repr):
        if name not in actual:
            lines.append(f"missing {name}: {expected[name]}")
        elif name not in expected:
            lines.append(f"too much {name}: {actual[name]}")
        elif expected[name] != actual[name]:
            serialized = name[-1] == "value" and same_value(expected[name], actual[name])
            if not serialized:
                lines.append(f"different {name}: expected {expected[name]}, is {actual[name]}")
    return lines


def assert_same(expected, actual, what):
    lines = differences(expected, actual)
    assert not lines, f"{what}: {len(lines)} of {len(expected)} cells:\n" + "\n".join(lines[:40])


def table_cells(tables, project):
    """Of SQLite and Postgres: (view, entity key, feature, column) -> stored; a table without rows is as good as none."""
    cells = {}
    for table, rows in tables.items():
        for row in rows:
            where = table.removeprefix(project + "_"), row["entity_key"], row["feature_name"]
            for column in ("value", "value_text", "vector_value", "event_ts", "created_ts"):
                cells[(*where, column)] = row[column]
    return cells


def dynamodb_cells(tables, project):
    """(view, entity id, feature, "value") -> bytes as hex, (view, entity id, "", "event_ts") -> text."""
    cells = {}
    for table, content in tables.items():
        for item in content["items"]:
            where = table.removeprefix(project + "."), item["entity_id"]["S"]
            assert set(item) == {"entity_id", "event_ts", "values"}, item
            cells[(*where, "", "event_ts")] = item["event_ts"]["S"]
            for feature, value in item["values"]["M"].items():
                cells[(*where, feature, "value")] = value["B"]
    return cells


def entity_id(key):
    """DynamoDB's name of an entity key (hex)."""
    return mmh3.hash_bytes(bytes.fromhex(key)).hex()


def as_keyed_in(store, cells):
    """The cells of another store with entities named as this store does."""
    if store != "dynamodb":
        return cells
    return {(view, entity_id(key), *rest): data for (view, key, *rest), data in cells.items()}


def redis_cells(keys, project, names):
    """(view, entity key, feature, "value" or "_ts") -> bytes as hex, and (key, "ttl"). `names`: hash field -> (view,
    feature); a field that belongs to no feature keeps its own name."""
    cells = {}
    suffix = project.encode().hex()
    for key, content in keys.items():
        entity = key.removesuffix(suffix)
        cells[("", entity, "", "ttl")] = content["ttl"]
        for field, data in content["fields"].items():
            if field.startswith("_ts:"):
                cells[(field[4:], entity, "", "_ts")] = data
            else:
                view, feature = names.get(field, ("unknown hash field", field))
                cells[(view, entity, feature, "value")] = data
    return cells


def field_names(registry_path, versions=("",)):
    """Redis hash field (hex) -> (view, feature) for every feature of the registry."""
    names = {}
    for view in read_registry(registry_path).feature_views:
        for feature in view.spec.features:
            for suffix in versions:
                stored = view.spec.name + suffix
                names[redis_field(stored, feature.name)] = stored, feature.name
    return names


def redis_field(view, feature):
    return mmh3.hash(f"{view}:{feature}", signed=False).to_bytes(4, "little").hex()


def expected_json(case, name):
    return json.loads((HERE / case / "expected" / f"{name}.json").read_text())


def expected_cells(case, store, project, names, step=None):
    content = expected_json(case, store if step is None else f"{store}.step{step}")
    if store == "redis":
        return redis_cells(content["keys"], project, names)
    if store == "dynamodb":
        return dynamodb_cells(content["tables"], project)
    tables = content["tables"]
    return table_cells(tables if store == "sqlite" else {name: table["rows"] for name, table in tables.items()}, project)


def stored_cells(servers, store, repository, project, names):
    content = servers.dump(store, repository, project)
    if store == "redis":
        return redis_cells(content, project, names)
    return dynamodb_cells(content, project) if store == "dynamodb" else table_cells(content, project)


def as_values_and_seconds(cells, store="sqlite"):
    """A store's cells as (view, key, feature, "value") -> bytes and (view, key, "", "event_s") -> seconds."""
    if store == "redis":
        return redis_values_and_seconds(cells)
    out = {}
    for (view, key, feature, column), data in cells.items():
        if column == "value":
            out[view, key, feature, column] = data
        elif column == "event_ts":
            out[view, key, "", "event_s"] = data if store == "sqlite" else int(datetime.fromisoformat(data).timestamp())
    return out


def redis_values_and_seconds(cells):
    """The same of Redis cells."""
    out = {}
    for name, data in cells.items():
        if name[-1] == "value":
            out[name] = data
        elif name[-1] == "_ts":
            stamp = Timestamp()
            stamp.ParseFromString(bytes.fromhex(data))
            out[name[0], name[1], "", "event_s"] = stamp.seconds
    return out
