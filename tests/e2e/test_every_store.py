"""What every store does alike: check, a run, a look, an audit, a further store beside it, and errors of one line."""
import json
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

WINDOW = ("2024-01-01T00:00:00", "2024-02-01T00:00:00")
STORES = ("sqlite", "redis", "postgres", "dynamodb")


@pytest.mark.parametrize("store", STORES)
def test_check_run_look_and_audit(store, make_repository):
    repository = make_repository(store=store)
    outcome = repository.banquet("check")
    assert outcome.exit_code == 0, outcome
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    view, = outcome.json["views"]
    counts, = view["stores"]
    assert counts["written"] == view["rows"]["winners"] > 0, view
    look = repository.banquet("get-online-features", "--features", "inc_plain:tag", "--entity", "id=1", "--json")
    assert look.exit_code == 0 and "PRESENT" in look.stdout, look
    audit = repository.banquet("verify", "-v", "inc_plain", "--json")
    assert audit.exit_code == 0, audit
    view, = audit.json["views"]
    assert view["equal"] == view["checked"] > 0, audit.json
    again = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--json")
    assert again.exit_code == 0, again


def test_a_further_store_of_another_kind_is_written_beside(make_repository, servers):
    repository = make_repository(store="postgres")
    repository.append_configuration(
        "banquet:\n  online_stores:\n    cloud:\n      type: dynamodb\n      region: us-east-1\n"
        f"      endpoint_url: http://localhost:{servers.dynamodb.port}\n")
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    rows = servers.postgres.tables("golden_inc")["golden_inc_inc_plain"]
    content, = servers.dynamodb.tables("golden_inc").values()
    values = {row["feature_name"]: row["value"] for row in rows}
    assert len({row["entity_key"] for row in rows}) == len(content["items"]) > 0
    assert set(content["items"][0]["values"]["M"]) == set(values)


class SlowDynamo(BaseHTTPRequestHandler):
    """An empty DynamoDB that takes its time over every write, and counts how many wait at once."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    waiting = most = items = 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        operation = self.headers["x-amz-target"].split(".")[1]
        answer = {"Responses": {}, "UnprocessedKeys": {}}
        if operation == "DescribeTable":
            key = [{"AttributeName": "entity_id", "KeyType": "HASH"}]
            answer = {"Table": {"TableStatus": "ACTIVE", "TableId": "1", "KeySchema": key}}
        if operation == "BatchWriteItem":
            self.take(sum(len(requests) for requests in body["RequestItems"].values()))
            answer = {"UnprocessedItems": {}}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    @classmethod
    def take(cls, items):
        with cls.lock:
            cls.waiting += 1
            cls.most = max(cls.most, cls.waiting)
            cls.items += items
        time.sleep(0.01)
        with cls.lock:
            cls.waiting -= 1

    def log_message(self, *_):
        pass


def test_a_store_of_many_lanes_is_written_on_all_of_them_by_one_thread(make_repository):
    """Who waits for a store needs no core."""
    repository = make_repository(store="dynamodb")
    rows = 40_000
    day = datetime(2024, 1, 5, tzinfo=timezone.utc)
    path = repository.path / "data/inc.parquet"
    schema = pq.read_schema(path)
    made = {"id": pa.array(range(rows)), "event_timestamp": pa.array([day] * rows), "created": pa.array([day] * rows),
            "x": pa.array([1.5] * rows), "tag": pa.array(["t"] * rows)}
    table = pa.table({field.name: made[field.name].cast(field.type) for field in schema})
    pq.write_table(table, path, row_group_size=5000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowDynamo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        text = (repository.path / "feature_store.yaml").read_text()
        repository.configure(text.replace("${GOLDEN_DDB_PORT}", str(server.server_port)))
        outcome = repository.banquet("--threads", "1", "materialize", *WINDOW, "-v", "inc_plain", "--json")
    finally:
        server.shutdown()
        server.server_close()
    assert outcome.exit_code == 0, outcome
    assert outcome.json["views"][0]["stores"][0]["written"] == SlowDynamo.items == rows
    assert SlowDynamo.most > 1, "four batches of 10,000 rows"


@pytest.mark.parametrize(("store", "old", "new", "says"), [
    ("postgres", "password: feast", "password: canary-secret", "password authentication failed"),
    ("postgres", "database: golden", "database: nowhere", "does not exist"),
    ("dynamodb", "endpoint_url: http://localhost:${GOLDEN_DDB_PORT}", "endpoint_url: http://localhost:1", "dynamodb at http://localhost:1"),
])
def test_what_is_wrong_is_one_line_and_nothing_is_recorded(store, old, new, says, make_repository):
    repository = make_repository(store=store)
    text = (repository.path / "feature_store.yaml").read_text()
    assert old in text
    repository.configure(text.replace(old, new))
    before = repository.registry.read_bytes()
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code in (2, 4), outcome
    assert says in outcome.stderr and "canary-secret" not in outcome.stderr + outcome.stdout, outcome
    assert repository.registry.read_bytes() == before
