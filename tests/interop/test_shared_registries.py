"""Registries that Feast keeps elsewhere than in a file: Feast makes them, both read and record in them."""
import re
import signal
import time

import pytest
from repositories import GOLDEN
from repository import copy_repository

PRODUCTS = ("sqlite", "postgres", "mariadb", "s3", "gs")
BUCKETS = ("s3", "gs")
JAN = [f"2024-01-{day:02}T00:00:00+00:00" for day in range(1, 32)]


class Registries:
    """Golden case incremental, applied by Feast into a new database or object of each product."""

    made = 0  # Of all instances: the suites that borrow the fixture share the servers.

    def __init__(self, feast, request, tmp_path_factory):
        self.feast, self.request, self.folders = feast, request, tmp_path_factory

    def block(self, product, folder):
        Registries.made += 1
        if product in BUCKETS:
            return f"registry: {product}://lake/registries/{self.made}/registry.db\n"
        return f"registry:\n    registry_type: sql\n    path: {self.url(product, folder)}\n"

    def url(self, product, folder):
        name = f"registry{self.made}"
        if product == "sqlite":
            return f"sqlite:///{folder}/data/registry.sqlite"
        server = self.request.getfixturevalue(f"{product}_server")
        if product == "postgres":
            with server.connect() as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return f"postgresql+psycopg://feast:feast@127.0.0.1:{server.port}/{name}?sslmode=disable"
        server.execute(f"CREATE DATABASE {name}")
        return f"mysql+pymysql://feast:feast@127.0.0.1:{server.port}/{name}?charset=utf8mb4"

    def make(self, product, store="sqlite", server=None):
        folder = self.folders.mktemp(f"registry-{product}") / "repository"
        environment = {"GOLDEN_REDIS_PORT": str(server.port)} if server else {}
        if product == "s3":
            s3 = self.request.getfixturevalue("s3_server")
            environment.update(s3.environment, FEAST_S3_ENDPOINT_URL=s3.url)
        if product == "gs":
            environment.update(self.request.getfixturevalue("gcs_server").environment)
        repository = copy_repository(GOLDEN / "incremental", folder, environment)
        text = (GOLDEN / "incremental" / f"feature_store.{store}.yaml").read_text()
        changed = re.sub(r"registry:\n +path: .*\n", lambda _: self.block(product, folder), text)
        assert changed != text
        repository.configure(changed)
        self.feast.apply(repository)
        return repository


@pytest.fixture(scope="session")
def registries(feast, request, tmp_path_factory):
    return Registries(feast, request, tmp_path_factory)


@pytest.mark.parametrize("product", PRODUCTS)
def test_each_goes_on_where_the_other_stopped(product, registries, feast):
    repository = registries.make(product)
    assert repository.banquet("check").exit_code == 0
    outcome = repository.banquet("materialize", JAN[0], JAN[9], "-v", "inc_plain")
    assert outcome.exit_code == 0, outcome
    feast.materialize_incremental(repository, JAN[19], ["inc_plain"])
    outcome = repository.banquet("materialize-incremental", JAN[24], "-v", "inc_plain", "--json")
    assert outcome.exit_code == 0, outcome
    assert outcome.json["views"][0]["window"] == {"start": "2024-01-20T00:00:00Z", "end": "2024-01-25T00:00:00Z"}
    assert feast.intervals(repository, "inc_plain") == [[JAN[0], JAN[9]], [JAN[9], JAN[19]], [JAN[19], JAN[24]]]


@pytest.mark.parametrize("product", PRODUCTS)
def test_feast_applies_over_what_banquet_recorded_and_the_other_way_round(product, registries, feast):
    repository = registries.make(product)
    outcome = repository.banquet("materialize", JAN[0], JAN[9])
    assert outcome.exit_code == 0, outcome
    feast.call(repository, "describe", view="inc_ttl", description="changed by Feast")
    outcome = repository.banquet("materialize", JAN[9], JAN[19])
    assert outcome.exit_code == 0, outcome
    assert feast.call(repository, "description", view="inc_ttl") == "changed by Feast"
    for view in ("inc_plain", "inc_ttl", "inc_new"):
        assert feast.intervals(repository, view) == [[JAN[0], JAN[9]], [JAN[9], JAN[19]]], view


@pytest.mark.parametrize("product", BUCKETS)
def test_nothing_is_left_beside_a_registry_in_a_bucket(product, registries, s3_server, gcs_server):
    repository = registries.make(product)
    outcome = repository.banquet("materialize", JAN[0], JAN[9])
    assert outcome.exit_code == 0, outcome
    server = s3_server if product == "s3" else gcs_server
    folder = f"registries/{registries.made}/"
    assert server.keys(folder) == [f"{folder}registry.db"]


@pytest.mark.parametrize("product", PRODUCTS)
def test_runs_at_the_same_time_lose_no_interval(product, registries, feast):
    repository = registries.make(product)
    runs = [repository.start("materialize", JAN[0], JAN[9], "-v", view, "--wait", "60")
            for view in ("inc_plain", "inc_ttl", "inc_new", "inc_plain")]
    for run in runs:
        _, stderr = run.communicate(timeout=60)
        assert run.returncode == 0, stderr
    assert len(feast.intervals(repository, "inc_plain")) == 2
    assert len(feast.intervals(repository, "inc_ttl")) == len(feast.intervals(repository, "inc_new")) == 1


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_held_view_is_told_and_a_killed_runs_lease_runs_out(product, registries, feast, redis_clean):
    repository = registries.make(product, "redis", redis_clean)
    first = redis_clean.block(repository, "materialize", JAN[0], JAN[9], "-v", "inc_plain", "--lease-duration", "3")
    time.sleep(4)  # Renewed, or it would have run out.
    outcome = repository.banquet("materialize", JAN[0], JAN[9], "-v", "inc_plain")
    assert outcome.exit_code == 75, outcome
    assert f"pid {first.pid} " in outcome.stderr and outcome.stderr.count("\n") <= 3, outcome
    first.send_signal(signal.SIGKILL)
    first.communicate()
    redis_clean.client.client_unpause()
    began = time.monotonic()
    outcome = repository.banquet("materialize", JAN[0], JAN[9], "-v", "inc_plain", "--wait", "30")
    assert outcome.exit_code == 0, outcome
    assert time.monotonic() - began < 10
    assert feast.intervals(repository, "inc_plain") == [[JAN[0], JAN[9]]]


def test_a_registry_that_may_not_be_written_ends_a_run_before_it_began(registries, postgres_server):
    repository = registries.make("postgres")
    path = repository.path / "feature_store.yaml"
    database = re.search(r":\d+/(\w+)", path.read_text())[1]
    with postgres_server.connect(database) as connection:
        connection.execute("CREATE ROLE looker LOGIN PASSWORD 'looker'")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker")
    path.write_text(path.read_text().replace("feast:feast@", "looker:looker@"))
    before = repository.online_db.read_bytes()  # Feast's apply has made its tables.
    outcome = repository.banquet("materialize", JAN[0], JAN[9])
    assert outcome.exit_code == 2, outcome
    assert re.search("banquet: .*(may not|permission denied)", outcome.stderr), outcome.stderr
    assert repository.online_db.read_bytes() == before


def test_a_password_is_shown_nowhere(registries):
    repository = registries.make("postgres")
    path = repository.path / "feature_store.yaml"
    path.write_text(path.read_text().replace("feast:feast@", "feast:c%40nary@"))
    for command in (["check"], ["materialize", JAN[0], JAN[9]], ["plan", JAN[0], JAN[9]]):
        outcome = repository.banquet(*command)
        assert outcome.exit_code == 2 and "password authentication failed" in outcome.stderr, outcome
        assert "nary" not in outcome.stdout + outcome.stderr, outcome


def test_a_server_that_is_not_there_is_told_in_one_line(registries):
    repository = registries.make("mariadb")
    path = repository.path / "feature_store.yaml"
    path.write_text(re.sub(r"127.0.0.1:\d+/", "127.0.0.1:1/", path.read_text()))
    outcome = repository.banquet("materialize", JAN[0], JAN[9])
    assert outcome.exit_code == 4 and outcome.stderr.count("\n") == 1, outcome
