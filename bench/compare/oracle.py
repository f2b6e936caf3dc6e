"""Does a store hold exactly the newest row per key? Compared key by key, byte by byte."""
import contextlib
import functools
import itertools
import socket
import sqlite3
import struct

import mmh3
import numpy

from compare.data import PROJECT, VIEW

CHUNK_KEYS = 2_000
CACHED_KEYS_MAX = 1_000_000
ENTITY_KEY_HEAD = struct.pack("<I", 1) + struct.pack("<II", 2, len("driver_id")) + b"driver_id" + struct.pack("<II", 4, 8)


class Differs(Exception):
    """The store is not what it must be: the run has no time."""


def entity_key(key):
    """Feast's serialization, version 3, of {driver_id: INT64 key}."""
    return ENTITY_KEY_HEAD + struct.pack("<q", key)


def _varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def timestamp_bytes(us):
    """google.protobuf.Timestamp."""
    seconds, nanos = us // 1_000_000, us % 1_000_000 * 1_000
    return (b"\x08" + _varint(seconds) if seconds else b"") + (b"\x10" + _varint(nanos) if nanos else b"")


def _values(features):
    """feast.types.Value{double_val} of every cell: [feature][key]."""
    return [[b"\x29" + value for value in map(struct.Struct("<d").pack, column.tolist())] for column in features]


def _bulk(word):
    return b"$%d\r\n%s\r\n" % (len(word), word)


@functools.lru_cache(maxsize=2)
def _questions(winners):
    """What to ask Redis, chunk by chunk: (commands, [(key, the reply that must come)])."""
    return list(_ask(winners))


def _ask(winners):
    shape = winners.shape
    names = [f"_ts:{VIEW}".encode()] + [struct.pack("<I", mmh3.hash(f"{VIEW}:f{i}", signed=False))
                                        for i in range(shape.features)]
    fields = b"".join(map(_bulk, names))
    for first in range(0, shape.keys, CHUNK_KEYS):
        chunk = slice(first, min(shape.keys, first + CHUNK_KEYS))
        keys = [entity_key(key) + PROJECT.encode() for key in winners.keys[chunk].tolist()]
        commands = b"".join(
            b"*%d\r\n$5\r\nHMGET\r\n%s%s*2\r\n$4\r\nHLEN\r\n%s" % (len(names) + 2, word, fields, word)
            for word in map(_bulk, keys))
        times = map(timestamp_bytes, winners.event_us[chunk].tolist())
        rows = zip(times, *_values([column[chunk] for column in winners.features]))
        yield commands, [(key, b"*%d\r\n%s:%d\r\n" % (len(row), b"".join(map(_bulk, row)), len(row)))
                         for key, row in zip(keys, rows)]


def check_redis(port, winners):
    """Asks for every field of every key and compares the replies' bytes with those that must come."""
    keys = winners.shape.keys
    questions = _questions(winners) if keys <= CACHED_KEYS_MAX else _ask(winners)
    with socket.create_connection(("127.0.0.1", port)) as server, server.makefile("rb") as replies:
        server.sendall(b"DBSIZE\r\n")
        held = int(replies.readline()[1:])
        if held != keys:
            raise Differs(f"Redis holds {held:,} keys instead of {keys:,}")
        for commands, answers in questions:
            server.sendall(commands)
            for key, due in answers:
                if replies.read(len(due)) != due:
                    raise Differs(f"Redis: not the newest row under key {key.hex()}")


def check_sqlite(path, winners):
    with contextlib.closing(sqlite3.connect(path)) as database:
        cursor = database.execute(f"SELECT entity_key, feature_name, value, value_text, event_ts, created_ts "
                                  f"FROM {PROJECT}_{VIEW} ORDER BY entity_key, feature_name")
        _check_rows("SQLite", cursor, winners, time_unit_us=1_000_000)


def check_postgres(connection, winners):
    times = ", ".join(f"(extract(epoch FROM {time}) * 1000000)::bigint" for time in ("event_ts", "created_ts"))
    with connection.transaction(), connection.cursor("rows") as cursor:
        cursor.itersize = CHUNK_KEYS * winners.shape.features
        cursor.execute(f'SELECT entity_key, feature_name, value, value_text, {times} FROM "{PROJECT}_{VIEW}" '
                       f"ORDER BY entity_key, feature_name")
        _check_rows("Postgres", iter(cursor), winners, time_unit_us=1)


def _check_rows(store, rows, winners, time_unit_us):
    """Compares the whole table in the order of its primary key with the rows that must be there."""
    shape = winners.shape
    names = sorted(f"f{i}" for i in range(shape.features))
    # Ascending bytes of a little-endian number.
    order = numpy.argsort(winners.keys.astype("<i8").view(">u8"), kind="stable")
    for first in range(0, shape.keys, CHUNK_KEYS):
        chunk = order[first:first + CHUNK_KEYS]
        columns = [winners.features[int(name[1:])][chunk] for name in names]
        values = list(zip(*_values(columns)))
        texts = list(zip(*([str(value) for value in column.tolist()] for column in columns)))
        times = (winners.event_us[chunk] // time_unit_us).tolist()
        due = [(entity_key(key), name, value, text, time, time)
               for key, time, row_values, row_texts in zip(winners.keys[chunk].tolist(), times, values, texts)
               for name, value, text in zip(names, row_values, row_texts)]
        found = list(itertools.islice(rows, len(due)))
        if found != due:
            wrong = next(((f, d) for f, d in zip(found, due) if f != d), (None, due[min(len(found), len(due) - 1)]))
            raise Differs(f"{store}: {wrong[0]} instead of {wrong[1]}")
    if next(rows, None) is not None:
        raise Differs(f"{store}: rows beyond those that must be there")
