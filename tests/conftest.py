"""Fixtures of the tests that run the command as a process."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.dont_write_bytecode = True

from dynamodb_server import DynamoServer  # noqa: E402
from feast_process import FeastProcess  # noqa: E402
from mariadb_server import MariadbServer  # noqa: E402
from object_servers import GcsServer, S3Server  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from stores import OnlineServers, RedisServer  # noqa: E402


def pytest_configure(config):
    binary = os.environ.get("BANQUET_BINARY", "")
    if not os.access(binary, os.X_OK):
        raise pytest.UsageError("BANQUET_BINARY must name the banquet binary; ctest sets it")
    os.environ["TZ"] = "UTC"
    os.environ.update({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})  # DynamoDB Local wants some.


@pytest.fixture(scope="session")
def feast(tmp_path_factory):
    """Real Feast, started at its first use."""
    process = FeastProcess(tmp_path_factory.mktemp("feast") / "log")
    yield process
    process.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis_clean(redis_server):
    """The session's Redis, empty."""
    redis_server.client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory):
    server = MariadbServer(tmp_path_factory.mktemp("mariadb"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory):
    server = GcsServer(tmp_path_factory.mktemp("gcs"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def dynamodb_server():
    server = DynamoServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def servers(redis_server, postgres_server, dynamodb_server):
    """Every server of an online store."""
    return OnlineServers(redis_server, postgres_server, dynamodb_server)


@pytest.fixture
def servers_clean(servers, request):
    """The session's servers, that of the test's store empty; all of them where the test names none."""
    callspec = getattr(request.node, "callspec", None)
    servers.empty(callspec.params.get("store") if callspec else None)
    return servers
