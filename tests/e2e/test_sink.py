"""`banquet sink`: a frame and an Arrow stream on standard input, as an executor of Spark sends them."""
import json
import os
import subprocess
import time

import pyarrow as pa
import pytest
import yaml
from repository import BINARY
from stores import dump_redis, dump_sqlite, free_port

VIEW = {"project": "golden_inc", "view": "inc_plain", "join_keys": [{"name": "id", "type": 4, "tags": {}}],
        "features": [{"name": "x", "type": 5, "tags": {}}, {"name": "tag", "type": 2, "tags": {}}],
        "has_created_time": True, "ttl_us": 0, "entity_key_version": 3, "tags": {}, "overwrite": 0, "guard": 0}
SCHEMA = pa.schema({"id": pa.int64(), "x": pa.float64(), "tag": pa.string(), "__event_time": pa.timestamp("us", "UTC")})
JAN_5 = 1_704_412_800_000_000


def rows(count, event_us=JAN_5, schema=SCHEMA):
    values = {"id": range(count), "x": [i / 4 for i in range(count)], "tag": [f"t{i}" for i in range(count)],
              "__event_time": [event_us] * count}
    return pa.record_batch([pa.array(values[field.name], field.type) for field in schema], schema=schema)


def frame(repository, text=None, **changed):
    text = text or os.path.expandvars((repository.path / "feature_store.yaml").read_text())
    body = {"banquet_sink": 1, "feature_store_yaml": text, "repo_path": str(repository.path), "overrides": [["retry_timeout", "1"]],
            "views": [VIEW], **changed}
    encoded = json.dumps(body).encode()
    return len(encoded).to_bytes(4, "little") + encoded


def stream(batches, schema=SCHEMA):
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return out.getvalue().to_pybytes()


def sink(repository, data):
    return subprocess.run([BINARY, "sink"], input=data, capture_output=True, cwd="/", timeout=60,
                          env={**os.environ, **repository.environment})


@pytest.fixture(params=["sqlite", "redis"])
def repository(request, make_repository, redis_clean):
    made = make_repository(store=request.param, server=redis_clean if request.param == "redis" else None)
    path = made.path / "feature_store.yaml"
    path.write_text(path.read_text().replace("${GOLDEN_REDIS_PORT}", str(redis_clean.port)))
    made.dump = lambda: dump_sqlite(made) if request.param == "sqlite" else dump_redis(redis_clean.client, "golden_inc")
    return made


def test_rows_are_written_guarded_and_counted(repository):
    done = sink(repository, frame(repository) + stream([rows(700), rows(0), rows(3)]))
    assert done.returncode == 0, done
    report = json.loads(done.stdout)
    assert report["rows"] == 703
    counts, = report["counts"]
    assert counts["view"] == "inc_plain" and counts["written"] == 703
    stored = repository.dump()
    # The same again changes nothing, as a task that Spark tries twice; older rows are left out.
    assert json.loads(sink(repository, frame(repository) + stream([rows(700), rows(3)])).stdout)["counts"][0]["written"] == 703
    assert repository.dump() == stored
    older = json.loads(sink(repository, frame(repository) + stream([rows(700, JAN_5 - 60_000_000)])).stdout)
    assert older["counts"][0]["stale"] == 700
    assert repository.dump() == stored


def test_a_stream_that_breaks_off_is_no_success(repository):
    whole = frame(repository) + stream([rows(10), rows(10)])
    for cut in (2, 100, len(frame(repository)), len(frame(repository)) + 50, len(whole) - 200, len(whole) - 8, len(whole) - 1):
        done = sink(repository, whole[:cut])
        assert done.returncode == 3 and done.stdout == b"", (cut, done)
        assert done.stderr.count(b"\n") == 1, done


@pytest.mark.parametrize("data, code, words", [
    (lambda r: b"", 3, b"the frame's length"), (lambda r: b"\xff" * 100, 3, b"frame"),
    (lambda r: frame(r, banquet_sink=2), 3, b"format 2"), (lambda r: frame(r, views=[]), 3, b"no view"),
    (lambda r: frame(r, views=[{**VIEW, "features": 7}]), 3, b"damaged"),
    (lambda r: frame(r, text="project: x\nonline_store: {type: s3kv}\nregistry: r\nprovider: local\n"), 2, b"s3kv"),
    (lambda r: frame(r) + b"no stream" * 20, 3, b"no Arrow IPC stream"),
    (lambda r: frame(r) + stream([rows(1, schema=pa.schema(list(SCHEMA)[:3]))], pa.schema(list(SCHEMA)[:3])), 3, b"__event_time"),
    (lambda r: frame(r) + stream([rows(1, None)]), 3, b"no event time"),
    (lambda r: frame(r) + stream([rows(1, schema=pa.schema([SCHEMA.field(i) for i in (0, 2, 3)]))],
                                 pa.schema([SCHEMA.field(i) for i in (0, 2, 3)])), 3, b"x")])
def test_what_is_wrong_is_one_line_and_the_right_code(data, code, words, make_repository):
    repository = make_repository()
    done = sink(repository, data(repository))
    assert done.returncode == code and words in done.stderr and done.stderr.count(b"\n") == 1, done
    assert done.stdout == b""


def test_a_store_that_is_not_there_is_remote_and_shows_no_secret(make_repository):
    repository = make_repository(store="redis")
    text = yaml.safe_dump({"project": "golden_inc", "provider": "local", "registry": "r.db", "online_store": {
        "type": "redis", "connection_string": f"localhost:{free_port()},password=canary"}})
    done = sink(repository, frame(repository, text=text) + stream([rows(1)]))
    assert done.returncode == 4 and b"canary" not in done.stderr, done


def test_it_ends_with_who_started_it(make_repository):
    repository = make_repository()
    held = subprocess.Popen(["python3", "-c", "import subprocess, sys, time; p = subprocess.Popen([sys.argv[1], 'sink'], stdin=subprocess.PIPE); "
                             "print(p.pid, flush=True); time.sleep(60)", BINARY], stdout=subprocess.PIPE)
    pid = int(held.stdout.readline())
    time.sleep(0.3)
    held.kill()
    held.wait()
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}") and open(f"/proc/{pid}/stat").read().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)
