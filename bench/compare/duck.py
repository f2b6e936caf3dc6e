"""DuckDB's newest row per key of one Parquet file, every column consumed: duck.py FILE FORM COLUMN…

Prints JSON: seconds of the query alone, keys, the sum over all values.
"""
import json
import sys
import time

import duckdb


def query(form, columns, path):
    key, *features = columns[:-2]
    order = "(event_timestamp, created)"
    if form == "arg_max":
        newest = ", ".join(f"arg_max({name}, {order}) AS {name}" for name in features)
        rows = f"SELECT {key}, {newest}, max(event_timestamp) AS event_timestamp FROM '{path}' GROUP BY {key}"
    elif form == "arg_max_struct":
        struct = ", ".join(f"{name} := {name}" for name in [*features, "event_timestamp"])
        rows = (f"SELECT {key}, unnest(row) FROM (SELECT {key}, arg_max(struct_pack({struct}), {order}) AS row "
                f"FROM '{path}' GROUP BY {key})")
    elif form == "row_number":
        rows = (f"SELECT * FROM '{path}' QUALIFY row_number() OVER "
                f"(PARTITION BY {key} ORDER BY event_timestamp DESC, created DESC) = 1")
    else:
        sys.exit(f"unknown form: {form}")
    sums = " + ".join(f"sum({name})" for name in features)
    return f"SELECT count(*), sum({key}), {sums}, max(event_timestamp) FROM ({rows})"


def main():
    path, form, *columns = sys.argv[1:]
    database = duckdb.connect()
    database.execute("SET threads = 2; SET enable_progress_bar = false; SET preserve_insertion_order = false")
    began = time.monotonic()
    keys, _, total, _ = database.execute(query(form, columns, path)).fetchone()
    print(json.dumps({"seconds": time.monotonic() - began, "keys": keys, "total": total}))


if __name__ == "__main__":
    main()
