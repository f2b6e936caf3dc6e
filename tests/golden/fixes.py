"""Where Feast 0.67 fails or misbehaves and Banquet does not follow: what is expected instead, and why.

`Row NN` is the row of the quirks table in feast-compat section 11 (docs/feast-differences.md says the same for users).
"""
from dataclasses import dataclass, field

from feast_protos import Value, value

INT64_MIN = -(2**63)


def encoded(**kind):
    """A serialized Value as hex; encoded() is the null: no bytes."""
    return Value(**kind).SerializeToString().hex()


def listed(kind, items):
    message = Value()
    getattr(message, kind).val.extend(items)
    getattr(message, kind).SetInParent()
    return message.SerializeToString().hex()


def mapped(kind, **items):
    message = Value()
    getattr(message, kind).SetInParent()
    for name, item in items.items():
        getattr(message, kind).val[name].CopyFrom(Value(**item))
    return message.SerializeToString().hex()


def map_list(*maps):
    message = Value()
    for items in maps:
        one = message.map_list_val.val.add()
        for name, item in items.items():
            one.val[name].CopyFrom(Value(**item))
    return message.SerializeToString().hex()


def zoned(seconds, zone):
    message = Value()
    message.zoned_timestamp_val.unix_timestamp = seconds
    message.zoned_timestamp_val.zone = zone
    return message.SerializeToString().hex()


def scalar_map(key, text):
    message = Value()
    entry = message.scalar_map_val.val.add()
    entry.key.int64_key = key
    entry.value.string_val = text
    return message.SerializeToString().hex()


def struct_ints_exact(data):
    """Row 37: one null made Feast turn every int of the field into a double; Banquet keeps ints."""
    message = value(bytes.fromhex(data))
    for item in message.struct_val.val.values():
        if item.WhichOneof("val") == "double_val":
            item.int64_val = int(item.double_val)
    return message.SerializeToString().hex()


# case -> {(view, feature): (row, change of Feast's value)}
VALUE_CHANGES = {"types": {("t_map_json", "st"): ("37", struct_ints_exact)}}


@dataclass
class Probe:
    """What a probe view must give where Feast's own result is not copied.

    `values`: id -> (serialized value as hex, value_text), or None where the view must fail with `exit_code` and
    nothing may be recorded. `says`: a word its error must hold.
    """
    row: str
    why: str
    values: dict | None = None
    exit_code: int = 0
    says: str = ""
    event_s: dict = field(default_factory=dict)    # id -> event time where it is not the usual one
    created_s: dict = field(default_factory=dict)  # id -> created time where it is not the usual one


def fails(why, says="", exit_code=3, row="-"):
    return Probe(row, why, None, exit_code, says)


def number(n):
    return {"int64_val": n}


PROBES = {
    "arrow_map": Probe("5", "Arrow maps are maps; Feast raises", {0: (mapped("map_val", a={"string_val": "b"}), None)}),
    "map_from_struct": Probe("37", "ints of a struct stay ints beside a null",
                             {0: (mapped("map_val", a=number(1)), None), 1: ("", None)}),
    "map_list_from_arrow": Probe("5", "a list of structs is a list of maps; Feast raises",
                                 {0: (map_list({"a": number(1)}), None)}),
    "zoned_ts": Probe("5", "an Arrow timestamp with a zone is a zoned timestamp; Feast raises",
                      {0: (zoned(1618225182, "America/New_York"), None)}),
    "float32_as_float64": Probe("5", "a narrower float fits; Feast raises", {0: (encoded(double_val=0.10000000149011612), "0.10000000149011612")}),
    "int32_as_float64": Probe("5", "a narrower int fits; Feast raises", {0: (encoded(double_val=1.0), "1.0")}),
    "int64_null_big": Probe("5", "ints beside a null stay exact; Feast makes them doubles and fails", {
        0: (encoded(int64_val=2**53 + 1), str(2**53 + 1)), 1: (encoded(int64_val=2**63 - 1), str(2**63 - 1)), 2: ("", None)}),
    "int64_null_big_ok": Probe("5", "ints beside a null stay exact; Feast loses the last bit", {
        0: (encoded(int64_val=2**53 + 1), str(2**53 + 1)), 1: ("", None)}),
    "int_null_as_string": Probe("5", "the text of an int beside a null has no .0", {0: (encoded(string_val="1"), "1"), 1: ("", None)}),
    "ts_from_int_null": Probe("5", "seconds beside a null are seconds; Feast nulls the column", {
        0: (encoded(unix_timestamp_val=1618225182), None), 1: (encoded(unix_timestamp_val=INT64_MIN), None)}),
    "ts_from_float": Probe("5", "float seconds are floored; Feast nulls them", {0: (encoded(unix_timestamp_val=1618225182), None)}),
    "ts_list_ns": Probe("5", "seconds whatever the unit; Feast stores nanoseconds", {
        0: (listed("unix_timestamp_list_val", [1618225182]), None), 1: (listed("unix_timestamp_list_val", []), None)}),
    "int_list_null": Probe("37", "a null in a list of ints is 0; Feast raises", {0: (listed("int64_list_val", [1, 0]), None)}),
    "int_list_null_big": Probe("37", "a null in a list of ints is 0, the others stay exact; Feast raises", {
        0: (listed("int64_list_val", [2**53 + 1, 0]), None)}),
    "int_list_as_float": Probe("5", "ints fit into floats; Feast raises", {0: (listed("float_list_val", [1.0, 2.0]), None)}),
    "scalar_map_arrow": Probe("5", "an Arrow map with int keys is a scalar map; Feast raises", {0: (scalar_map(1, "b"), None)}),
    "key_null": Probe("8", "a row without a key is skipped and counted; Feast fails the view", {1: (encoded(int64_val=0), "0")}),
    "key_null_only": Probe("8", "rows without a key are skipped and counted; Feast fails the view", {}),
    "created_null": Probe("35", "a null created time is stored as NULL; Feast fails on SQLite", {
        0: (encoded(int64_val=1), "1"), 1: (encoded(int64_val=2), "2")}, created_s={0: None, 1: 1709596800}),
    "created_tie_null": Probe("35", "null created times are the lowest, then file order; Feast fails on SQLite", {
        1: (encoded(int64_val=2), "2"), 2: (encoded(int64_val=3), "3"), 3: (encoded(int64_val=5), "5")},
        event_s={1: 1709596800, 2: 1709596800, 3: 1709596800}, created_s={1: 0, 2: None, 3: 0}),
    "event_text": Probe("-", "an ISO text is an event time; dask refuses it", {0: (encoded(int64_val=0), "0")}, event_s={0: 1709596800}),
    "event_date": Probe("-", "a date is an event time, its midnight; dask refuses it", {0: (encoded(int64_val=0), "0")}, event_s={0: 1709596800}),
}

# Views that Feast fails, and Banquet too: the exit code says whose mistake it is, nothing is stored or recorded.
PROBES |= {
    "map_bad_json": fails("text that is no JSON", "JSON"),
    "json_bad": fails("text that is no JSON", "JSON"),
    "list_in_scalar": fails("a list is no int; Feast stores a null without a word", "cannot become INT64"),
    "map_empty_list_inside": fails("an empty list has no element type"),
    "scalar_map": fails("JSON text cannot say the type of its keys"),
    "bad_text_as_int64": fails("text that is no number", "x"),
    "float_as_bool": fails("a float is no bool"),
    "int32_overflow": fails("out of range", "2147483648"),
    "uint64_big": fails("out of range", "9223372036854775808"),
    "string_as_bytes": fails("text is not bytes"),
    "ts_from_text": fails("text is no time here"),
    "json_text_as_list": fails("text is no list"),
    "time32": fails("a time of day is no int"),
    "duration": fails("a duration is no int"),
    "key_bool": fails("a bool cannot be a key", exit_code=2),
    "key_float": fails("a double cannot be a key", exit_code=2),
    "key_uuid": fails("a UUID cannot be a key", exit_code=2),
    "event_int": fails("an int is no time"),
    "missing_column": fails("the file lacks the column", "absent"),
}
