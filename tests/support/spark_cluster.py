"""Spark for tests: a standalone cluster on loopback, a master and two workers of one core, and its environment."""
import importlib.util
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from stores import free_port


def spark_environment():
    package = importlib.util.find_spec("pyspark")
    assert package, "PySpark is missing; run scripts/test_environment"
    home = str(Path(package.origin).parent)
    return {"SPARK_HOME": home, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}


class SparkCluster:
    def __init__(self, folder):
        self.folder, self.port, self.page = Path(folder), free_port(), free_port()
        self.environment = spark_environment()
        self.processes = []
        self.start("Master", "--host", "127.0.0.1", "--port", str(self.port), "--webui-port", str(self.page))
        self.await_state(lambda state: True)
        # Speculation never uses the host of the first attempt.
        for host in ("127.0.0.1", "127.0.0.2"):
            work = self.folder / f"work-{host}"
            work.mkdir()
            self.start("worker.Worker", "--host", host, "--cores", "1", "--memory", "1500m", "--work-dir", str(work),
                       "--webui-port", str(free_port()), self.master)
        self.await_state(lambda state: state["aliveworkers"] == 2)

    @property
    def master(self):
        return f"spark://127.0.0.1:{self.port}"

    def start(self, name, *arguments):
        log = open(self.folder / f"{name}-{len(self.processes)}.log", "w")
        self.processes.append(subprocess.Popen(
            [f"{self.environment['SPARK_HOME']}/bin/spark-class", f"org.apache.spark.deploy.{'master.' if name == 'Master' else ''}{name}",
             *arguments], env={**os.environ, **self.environment, "SPARK_DAEMON_MEMORY": "256m"}, stdout=log, stderr=subprocess.STDOUT))

    def await_state(self, holds):
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/json/", timeout=5) as answer:
                    if holds(json.load(answer)):
                        return
            except (OSError, ValueError):
                pass
            assert time.monotonic() < deadline and all(one.poll() is None for one in self.processes), "the Spark cluster does not start"
            time.sleep(0.2)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
