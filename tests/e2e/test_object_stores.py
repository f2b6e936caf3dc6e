"""Parquet on S3 and Google Cloud Storage: read as from a local disk, told as clearly when it cannot be."""
import io
from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast_protos import point_sources
from object_servers import GcsServer, S3Server
from outcomes import WINDOW, one_error_line
from stores import dump_sqlite, free_port

SCHEMES = ("s3", "gs")
USER, DATA, REMOTE = 2, 3, 4
BASIC = ("2024-03-01T00:00:00", "2024-03-11T00:00:00")


@pytest.fixture
def objects(request):
    return lambda scheme: request.getfixturevalue({"s3": "s3_server", "gs": "gcs_server"}[scheme])


def upload(server, folder, prefix):
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix == ".parquet":
            server.put(f"{prefix}/{path.relative_to(folder)}", path.read_bytes())


def remote(make_repository, server, scheme, name, case="incremental", store="sqlite", redis=None):
    """A golden repository whose sources lie in the bucket."""
    repository = make_repository(case, store, redis, name=name)
    upload(server, repository.path / "data", f"{name}/data")
    point_sources(repository.registry, lambda uri: f"{scheme}://lake/{name}/{uri}")
    for file in (repository.path / "data").glob("*.parquet"):
        file.unlink()
    repository.environment.update(server.environment)
    return repository


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("case, window", [("basic", BASIC), ("types", BASIC), ("incremental", WINDOW)])
def test_the_store_is_as_from_local_files(scheme, case, window, make_repository, objects):
    local = make_repository(case, name="local")
    outcome = local.banquet("materialize", *window, "--json")
    assert outcome.exit_code == 0, outcome
    far = remote(make_repository, objects(scheme), scheme, f"far-{case}", case)
    assert far.banquet("check").exit_code == 0
    other = far.banquet("materialize", *window, "--json")
    assert other.exit_code == 0, other
    assert dump_sqlite(far) == dump_sqlite(local)
    assert [view["rows"] for view in other.json["views"]] == [view["rows"] for view in outcome.json["views"]]
    audit = far.banquet("verify", "--json")
    assert audit.exit_code == 0, audit


def days(folder, put):
    """inc.parquet's columns, a file a day in folders day=…, with a hidden file beside."""
    for day in range(1, 6):
        table = pa.table({"id": [day, 100], "x": [day * 1.5, float(day)], "tag": [f"d{day}", "all"],
                          "event_timestamp": [datetime(2024, 1, day, tzinfo=timezone.utc)] * 2,
                          "created": [datetime(2024, 1, day, tzinfo=timezone.utc)] * 2})
        sink = io.BytesIO()
        pq.write_table(table, sink)
        put(f"{folder}/day=2024-01-0{day}/part-0.parquet", sink.getvalue())
        put(f"{folder}/day=2024-01-0{day}/_SUCCESS", b"")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("form", ["days", "days/", "days/*/part-?.parquet", "days/**", "days/day=2024-01-0[2-4]"])
def test_folders_and_patterns(scheme, form, make_repository, objects):
    server = objects(scheme)
    local = make_repository(name="local")

    def put_locally(key, data):
        path = local.path / "data" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    days("days", put_locally)
    days("forms/days", server.put)
    point_sources(local.registry, lambda uri: f"data/{form}")
    outcome = local.banquet("materialize", *WINDOW, "--json")
    assert outcome.exit_code == 0, outcome
    far = make_repository(name="far")
    point_sources(far.registry, lambda uri: f"{scheme}://lake/forms/{form}")
    far.environment.update(server.environment)
    other = far.banquet("materialize", *WINDOW, "--json")
    assert other.exit_code == 0, other
    assert [view["rows"] for view in other.json["views"]] == [view["rows"] for view in outcome.json["views"]]
    assert dump_sqlite(far) == dump_sqlite(local)


def test_the_endpoint_of_the_source_wins_over_the_environment(make_repository, s3_server):
    repository = remote(make_repository, s3_server, "s3", "endpoint")
    point_sources(repository.registry, lambda uri: uri, s3_server.url)
    repository.environment["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:1"
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == 0, outcome


def test_who_we_are_may_stand_in_a_profile(make_repository, s3_server, tmp_path):
    repository = remote(make_repository, s3_server, "s3", "profile")
    credentials = tmp_path / "credentials"
    credentials.write_text("[lake]\naws_access_key_id = {AWS_ACCESS_KEY_ID}\naws_secret_access_key = {AWS_SECRET_ACCESS_KEY}\n"
                           .format(**s3_server.environment))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        repository.environment[name] = ""
    repository.environment.update({"AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_PROFILE": "lake"})
    outcome = repository.banquet("materialize", *WINDOW)
    assert outcome.exit_code == 0, outcome


@pytest.mark.parametrize("change, words", [
    ({"AWS_SECRET_ACCESS_KEY": "wr0ng-canary"}, ["s3://lake/", "credentials"]),
    ({"AWS_ACCESS_KEY_ID": "nobody"}, ["s3://lake/", "credentials"])])
def test_wrong_credentials_are_the_users(change, words, make_repository, s3_server):
    repository = remote(make_repository, s3_server, "s3", "wrong")
    repository.environment.update(change)
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "inc_plain", *words)
    assert "canary" not in outcome.stderr


def test_without_credentials_only_public_objects_are_read(make_repository, s3_server):
    repository = remote(make_repository, s3_server, "s3", "nobody")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        repository.environment[name] = ""
    repository.environment.update({"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(repository.path)})
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == USER and "AWS_ACCESS_KEY_ID" in outcome.stderr, outcome
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--anonymous-objects", "true")
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "inc_plain", "No right to read")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("uri, words", [("no-such-bucket/x.parquet", ["no-such-bucket"]),
                                        ("lake/no/such.parquet", ["does not exist", "lake/no/such.parquet"]),
                                        ("lake/no/such/*.parquet", ["matches no file", "lake/no/such"]),
                                        ("*/x.parquet", ["bucket's name"])])
def test_what_is_not_there_is_named(scheme, uri, words, make_repository, objects):
    repository = make_repository()
    repository.environment.update(objects(scheme).environment)
    point_sources(repository.registry, lambda _: f"{scheme}://{uri}")
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == USER, outcome
    one_error_line(outcome, "inc_plain", *words)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_server_that_is_not_there_is_remote(scheme, make_repository, objects):
    repository = make_repository()
    url = f"http://127.0.0.1:{free_port()}"
    repository.environment.update({**objects(scheme).environment, "AWS_ENDPOINT_URL_S3": url, "STORAGE_EMULATOR_HOST": url})
    point_sources(repository.registry, lambda _: f"{scheme}://lake/x.parquet")
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain", "--connect-timeout", "2")
    assert outcome.exit_code == REMOTE, outcome
    one_error_line(outcome, "inc_plain", f"{scheme}://lake/x.parquet")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_object_that_is_no_parquet_is_a_data_error(scheme, make_repository, objects):
    objects(scheme).put("damaged/inc.parquet", b"no Parquet")
    repository = make_repository()
    repository.environment.update(objects(scheme).environment)
    point_sources(repository.registry, lambda _: f"{scheme}://lake/damaged/inc.parquet")
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == DATA, outcome
    one_error_line(outcome, "inc_plain", f"{scheme}://lake/damaged/inc.parquet")


def many_rows(first, tag):
    rows = 40_000
    when = datetime(2024, 1, 2, tzinfo=timezone.utc)
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(first, first + rows)), "x": [1.0] * rows, "tag": [tag] * rows,
                             "event_timestamp": [when] * rows, "created": [when] * rows}), sink, row_group_size=10_000)
    return sink.getvalue()


def block_between_two_objects(repository, redis, server, scheme):
    """A run that has read the keys of both objects, and of the rows only the first one's."""
    for name, first in (("a", 0), ("b", 100_000)):
        server.put(f"replaced/{name}.parquet", many_rows(first, "before"))
    repository.environment.update(server.environment)
    point_sources(repository.registry, lambda _: f"{scheme}://lake/replaced")
    return redis.block(repository, "materialize", *WINDOW, "-v", "inc_plain", "--threads", "1", "--connect-timeout", "3")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_object_that_is_replaced_while_it_is_read_fails_the_view(scheme, make_repository, objects, redis_clean):
    server = objects(scheme)
    repository = make_repository(store="redis", server=redis_clean)
    run = block_between_two_objects(repository, redis_clean, server, scheme)
    for name, first in (("a", 0), ("b", 100_000)):
        server.put(f"replaced/{name}.parquet", many_rows(first, "after!"))
    redis_clean.client.client_unpause()
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == DATA, stderr
    assert "changed while it was being read" in stderr, stderr


@pytest.mark.parametrize("scheme, kind", [("s3", S3Server), ("gs", GcsServer)])
def test_a_server_that_dies_while_it_is_read_fails_the_view(scheme, kind, make_repository, tmp_path, redis_clean):
    (tmp_path / "server").mkdir()
    server = kind(tmp_path / "server")
    repository = make_repository(store="redis", server=redis_clean)
    try:
        run = block_between_two_objects(repository, redis_clean, server, scheme)
    finally:
        server.stop()
    redis_clean.client.client_unpause()
    _, stderr = run.communicate(timeout=100)
    assert run.returncode == REMOTE, stderr
    assert f"Cannot be read: {scheme}://lake/replaced/" in stderr, stderr
