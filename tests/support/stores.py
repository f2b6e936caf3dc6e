"""Servers for tests, and dumps of the stores in the form of the golden files: bytes as hex."""
import shutil
import socket
import sqlite3
import subprocess
import time

import redis


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class RedisServer:
    """A redis-server of its own on a free loopback port, nothing on disk."""

    def __init__(self, folder, *options):
        assert shutil.which("redis-server"), "redis-server is missing; run scripts/bootstrap build test"
        self.port = free_port()
        self.password = options[options.index("--requirepass") + 1] if "--requirepass" in options else None
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", str(folder), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port, password=self.password)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline and self.process.poll() is None, "redis-server does not start"
                time.sleep(0.02)

    @property
    def address(self):
        return f"localhost:{self.port}"

    def block(self, repository, *command):
        """Starts Banquet and waits until its first write hangs, since this server is paused."""
        self.client.client_pause(120_000, all=False)
        process = repository.start(*command)
        deadline = time.monotonic() + 30
        while self.client.info("clients")["blocked_clients"] == 0:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the run never wrote"
        return process

    def stop(self):
        self.client.close()
        self.process.kill()
        self.process.wait()


class OnlineServers:
    """The servers of a session, one for each store that needs one."""

    def __init__(self, redis_server, postgres_server, dynamodb_server):
        self.redis, self.postgres, self.dynamodb = redis_server, postgres_server, dynamodb_server

    @property
    def environment(self):
        """The ports, as the golden configurations name them."""
        return {"GOLDEN_REDIS_PORT": str(self.redis.port), "GOLDEN_PG_PORT": str(self.postgres.port),
                "GOLDEN_DDB_PORT": str(self.dynamodb.port)}

    def empty(self, store=None):
        """One store, or all."""
        if store in (None, "redis"):
            self.redis.client.flushall()
        if store in (None, "postgres"):
            self.postgres.empty()
        if store in (None, "dynamodb"):
            self.dynamodb.empty()

    def dump(self, store, repository, project):
        """What the store holds of the project, as in expected/<store>.json."""
        if store == "sqlite":
            return dump_sqlite(repository)
        if store == "postgres":
            return self.postgres.tables(project)
        if store == "dynamodb":
            return self.dynamodb.tables(project)
        return dump_redis(self.redis.client, project)


def hex_of(value):
    return value.hex() if isinstance(value, bytes) else value


def dump_sqlite(repository):
    """table -> rows, as in expected/sqlite.json; {} where there is no file."""
    if not repository.online_db.exists():
        return {}
    with sqlite3.connect(repository.online_db) as connection:
        names = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
        tables = {}
        for name in names:
            cursor = connection.execute(f'SELECT * FROM "{name}" ORDER BY entity_key, feature_name')
            columns = [d[0] for d in cursor.description]
            tables[name] = [{c: hex_of(v) for c, v in zip(columns, row)} for row in cursor]
    connection.close()
    return tables


def dump_redis(client, project):
    """key -> {ttl, fields}, as in expected/redis.json."""
    names = sorted(key for key in client.scan_iter(count=10000) if key.endswith(project.encode()))
    pipeline = client.pipeline(transaction=False)
    for key in names:
        pipeline.ttl(key).hgetall(key)
    answers = iter(pipeline.execute())
    keys = {}
    for key, ttl, fields in zip(names, answers, answers):
        keys[key.hex()] = {"ttl": ttl, "fields": {
            (k.decode() if k.startswith(b"_ts:") else k.hex()): v.hex() for k, v in fields.items()}}
    return keys
