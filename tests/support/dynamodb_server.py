"""Amazon's DynamoDB Local for tests, and dumps of its tables in the form of the golden files."""
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import boto3
from stores import free_port

HOME = Path(__file__).parents[2] / "build/deps/dynamodb-local"
REGION = "us-east-1"


class DynamoServer:
    """A server of its own on a free loopback port, all in memory."""

    def __init__(self):
        assert shutil.which("java") and (HOME / "lib").is_dir(), "DynamoDB Local is missing; run scripts/bootstrap build test"
        self.port = free_port()
        library = HOME / "lib"
        self.process = subprocess.Popen(
            ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dsqlite4java.library.path={library}",
             "-cp", f"{library}/*", "software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory",
             "-port", str(self.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir())  # It leaves a file there.
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            assert time.monotonic() < deadline and self.process.poll() is None, "DynamoDB Local does not start"
            time.sleep(0.05)
        self.client = boto3.client("dynamodb", endpoint_url=f"http://localhost:{self.port}", region_name=REGION)

    def empty(self):
        """Keeps the tables, which Feast makes once, in its apply."""
        for name in self.client.list_tables()["TableNames"]:
            for item in self.items(name):
                self.client.delete_item(TableName=name, Key={"entity_id": item["entity_id"]})

    def forget(self):
        """Drops the tables: Feast's apply makes them, and fails on one that stands here already."""
        for name in self.client.list_tables()["TableNames"]:
            self.client.delete_table(TableName=name)

    def items(self, table):
        return [item for page in self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
                for item in page["Items"]]

    def tables(self, project):
        """table -> items, as in expected/dynamodb.json: bytes as hex."""
        names = [name for name in self.client.list_tables()["TableNames"] if name.startswith(project + ".")]
        return {name: {"items": [with_hex(item) for item in self.items(name)]} for name in names}

    def stop(self):
        self.process.kill()
        self.process.wait()


def with_hex(node):
    if isinstance(node, dict):
        return {key: with_hex(item) for key, item in node.items()}
    return node.hex() if isinstance(node, bytes) else node
