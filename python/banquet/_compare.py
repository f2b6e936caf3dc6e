"""Two SQLite online stores of Feast's form, compared table by table, key by key, byte by byte.

What differs is named by the line of docs/feast-differences.md that it is, where the two values alone prove it (or, for ties, the
rows of the source); everything else is just a difference.
"""
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from feast.infra.key_encoding_utils import deserialize_entity_key
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import feast_value_type_to_python_type

_LOOKED_AT_MAX = 100_000  # Rows that differ and are classified, of each view; the rest are differences.
_TEXT_MAX = 120  # Characters of a value that is printed.
_NANOSECONDS = 10**9

# The values of each tied row, by (entity key, feature); None where they cannot be had.
TiedValues = Callable[[], Optional[Dict[Tuple[bytes, str], Set[bytes]]]]


@dataclass
class Side:
    """One store's row, in words. `value` is the text, `value_hex` the bytes."""

    value: str
    value_hex: str
    event: Optional[str]
    created: Optional[str]


@dataclass
class Example:
    kind: str  # differing, missing (Feast's alone) or extra (Banquet's alone)
    entity: str
    feature: str
    feast: Optional[Side]
    banquet: Optional[Side]
    columns: List[str]  # Those that differ.
    known: Optional[str]  # What it is, if it is a documented difference.


@dataclass
class Comparison:
    """Rows of one table: an entity's feature each. equal + differing + missing = Feast's rows."""

    rows: int = 0  # Of Feast's.
    equal: int = 0  # Those that differ in the order of entries alone among them.
    other_order: int = 0
    differing: int = 0
    missing: int = 0
    extra: int = 0
    known: Dict[str, int] = field(default_factory=dict)  # Differing rows that are a documented difference.
    examples: List[Example] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        return not (self.differing or self.missing or self.extra)

    @property
    def unexplained(self) -> int:
        return self.differing - sum(self.known.values()) + self.missing + self.extra


def compare(feast_db: Path, banquet_db: Path, table: str, examples_max: int, tied_values: TiedValues) -> Comparison:
    """`tied_values` is asked once at most, and only where a row differs in its value alone."""
    with closing(sqlite3.connect(f"{feast_db.as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("ATTACH ? AS banquet", (f"{banquet_db.as_uri()}?mode=ro",))
        connection.text_factory = lambda data: data.decode(errors="replace")
        return _Tables(connection, table, examples_max, tied_values).compare()


class _Tables:
    def __init__(self, connection: sqlite3.Connection, table: str, examples_max: int, tied_values: TiedValues):
        self._run = connection.execute
        quoted = '"' + table.replace('"', '""') + '"'
        self._feast, self._banquet = f"main.{quoted}", f"banquet.{quoted}"
        self._columns = [row[1] for row in self._run(f"PRAGMA main.table_info({quoted})")]
        self._examples_max = examples_max
        self._tied_values = tied_values
        self._tied: Optional[Dict[Tuple[bytes, str], Set[bytes]]] = None
        self._tied_asked = False
        self._result = Comparison()

    def compare(self) -> Comparison:
        result = self._result
        result.rows = self._count(self._feast)
        rows_banquet = self._count(self._banquet)
        result.missing = self._alone(self._feast, self._banquet, "missing")
        result.extra = self._alone(self._banquet, self._feast, "extra")
        if result.rows - result.missing != rows_banquet - result.extra:
            raise AssertionError("the primary key of a scratch table does not hold")
        self._compare_pairs()
        result.equal = result.rows - result.missing - result.differing
        return result

    def _count(self, table: str) -> int:
        return self._run(f"SELECT count(*) FROM {table}").fetchone()[0]

    def _alone(self, here: str, there: str, kind: str) -> int:
        """Counts rows that one store has alone."""
        source = (f"FROM {here} AS a WHERE NOT EXISTS (SELECT 1 FROM {there} AS b "
                  "WHERE b.entity_key = a.entity_key AND b.feature_name = a.feature_name)")
        for row in self._run(f"SELECT {self._of('a')} {source} ORDER BY a.entity_key, a.feature_name LIMIT ?", (self._examples_max,)):
            stored = dict(zip(self._columns, row))
            side = _side(stored)
            feast, banquet = (side, None) if kind == "missing" else (None, side)
            self._result.examples.append(Example(kind, _entity(stored), stored["feature_name"], feast, banquet, [], None))
        return self._run(f"SELECT count(*) {source}").fetchone()[0]

    def _of(self, alias: str) -> str:
        return ", ".join(f'{alias}."{column}"' for column in self._columns)

    def _compare_pairs(self) -> None:
        result = self._result
        differs = " OR ".join(f'a."{column}" IS NOT b."{column}"' for column in self._columns)
        query = (f"SELECT {self._of('a')}, {self._of('b')} FROM {self._feast} AS a JOIN {self._banquet} AS b "
                 f"ON b.entity_key = a.entity_key AND b.feature_name = a.feature_name WHERE {differs} "
                 "ORDER BY a.entity_key, a.feature_name")
        shown: Dict[Optional[str], int] = {}
        for place, row in enumerate(self._run(query)):
            feast = dict(zip(self._columns, row[:len(self._columns)]))
            banquet = dict(zip(self._columns, row[len(self._columns):]))
            columns = [column for column in self._columns if feast[column] != banquet[column]]
            known = self._known(feast, banquet, columns) if place < _LOOKED_AT_MAX else None
            if known == OTHER_ORDER:
                result.other_order += 1
                continue
            result.differing += 1
            if known is not None:
                result.known[known] = result.known.get(known, 0) + 1
            shown[known] = shown.get(known, 0) + 1
            if shown[known] <= self._examples_max:
                result.examples.append(Example("differing", _entity(feast), feast["feature_name"], _side(feast), _side(banquet),
                                               columns, known))

    def _known(self, feast: Dict[str, Any], banquet: Dict[str, Any], columns: List[str]) -> Optional[str]:
        """What these two rows are beside each other, if that can be proved."""
        if not set(columns) <= {"value", "value_text", "value_num", "vector_value"} or "value" not in columns:
            return None
        found = known_difference(feast["value"], banquet["value"])
        if found is None and self._is_tie(feast, banquet):
            found = TIE
        return found

    def _is_tie(self, feast: Dict[str, Any], banquet: Dict[str, Any]) -> bool:
        """Whether both values are of rows that tie on event and created time."""
        if not self._tied_asked:
            self._tied_asked = True
            self._tied = self._tied_values()
        values = (self._tied or {}).get((feast["entity_key"], feast["feature_name"]), set())
        return feast["value"] in values and banquet["value"] in values


OTHER_ORDER = "order of entries: Feast promises none for sets and maps"
TIE = "10, 38: rows that tie on event and created time; Feast takes any of them, Banquet the first in file order"
_STRUCT_DOUBLES = "37: ints of a struct beside a null; Feast makes them doubles, Banquet keeps them"
_LAST_BITS = "5: ints beside a null; Feast loses their last bits, Banquet keeps them"
_POINT_ZERO = "5: the text of ints beside a null; Feast's ends in .0"
_LIST_OF_NANOSECONDS = "5: a list of nanosecond timestamps; Feast stores nanoseconds, Banquet seconds"


def known_difference(feast: Optional[bytes], banquet: Optional[bytes]) -> Optional[str]:
    """The documented difference that two values' bytes are, or None."""
    if feast is None or banquet is None:
        return None
    a, b = Value.FromString(feast), Value.FromString(banquet)
    kind = a.WhichOneof("val")
    if kind is None or kind != b.WhichOneof("val"):
        return None
    if _canonical(a) == _canonical(b):
        return OTHER_ORDER
    if _canonical(a) == _canonical(b, as_doubles_in=a):
        return _STRUCT_DOUBLES
    x, y = getattr(a, kind), getattr(b, kind)
    if kind == "int64_val" and float(y) == x:
        return _LAST_BITS
    if kind == "string_val" and x == y + ".0" and y.lstrip("-").isdigit():
        return _POINT_ZERO
    if kind == "unix_timestamp_list_val" and [ns // _NANOSECONDS for ns in x.val] == list(y.val):
        return _LIST_OF_NANOSECONDS
    return None


_MAPS = ("map_val", "struct_val")
_LISTS_OF_MAPS = ("map_list_val", "struct_list_val")


def _canonical(value: Value, as_doubles_in: Optional[Value] = None) -> Any:
    """A value without the order of its sets and maps. `as_doubles_in`: ints become doubles where that value, Feast's, has them."""
    kind = value.WhichOneof("val")
    other = as_doubles_in if as_doubles_in is not None and as_doubles_in.WhichOneof("val") == kind else None
    if kind in _MAPS:
        return kind, _canonical_map(getattr(value, kind), getattr(other, kind) if other else None)
    if kind in _LISTS_OF_MAPS:
        items, others = getattr(value, kind).val, getattr(other, kind).val if other else []
        return kind, [_canonical_map(item, others[i] if i < len(others) else None) for i, item in enumerate(items)]
    if kind == "list_val":
        return kind, [_canonical(item) for item in value.list_val.val]
    if kind == "set_val":
        return kind, sorted((_canonical(item) for item in value.set_val.val), key=repr)
    if kind is not None and kind.endswith("_set_val"):
        return kind, sorted(getattr(value, kind).val)
    if kind == "int64_val" and as_doubles_in is not None and as_doubles_in.WhichOneof("val") == "double_val":
        return "double_val", Value(double_val=float(value.int64_val)).SerializeToString()
    return kind, value.SerializeToString()


def _canonical_map(value: Any, as_doubles_in: Any) -> Any:
    others = as_doubles_in.val if as_doubles_in is not None else {}
    return sorted((key, _canonical(item, others[key] if key in others else None)) for key, item in value.val.items())


def _side(stored: Dict[str, Any]) -> Side:
    data = stored["value"] or b""
    return Side(_shortened(_text_of(data)), _shortened(data.hex()), _time(stored["event_ts"]), _time(stored["created_ts"]))


def _text_of(data: bytes) -> str:
    try:
        value = Value.FromString(data)
        return "null" if value.WhichOneof("val") is None else repr(feast_value_type_to_python_type(value))
    except Exception:  # Feast's text of a value is for people; its bytes follow.
        return "?"


def _shortened(text: str) -> str:
    return text if len(text) <= _TEXT_MAX else text[:_TEXT_MAX - 1] + "…"


def _time(stored: Any) -> Optional[str]:
    """Feast stores UTC as if it were local time."""
    return datetime.fromtimestamp(stored).isoformat() + "Z" if isinstance(stored, int) else stored


def _entity(stored: Dict[str, Any]) -> str:
    data = stored["entity_key"]
    try:
        key = deserialize_entity_key(data, 3)
        return ",".join(f"{name}={feast_value_type_to_python_type(value)}" for name, value in zip(key.join_keys, key.entity_values))
    except Exception:  # A key that is none.
        return data.hex()
