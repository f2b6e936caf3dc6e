"""YARN for tests: a resource manager and one node of Hadoop's own, on loopback."""
import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

from spark_cluster import spark_environment
from stores import free_port

JARS = Path(__file__).parents[2] / "build/deps/yarn/lib"


class YarnCluster:
    def __init__(self, folder):
        assert JARS.is_dir(), "YARN is missing; run scripts/bootstrap test"
        self.folder, self.page = Path(folder), free_port()
        manager = {name: f"127.0.0.1:{free_port()}" for name in ("address", "scheduler.address", "resource-tracker.address", "admin.address")}
        node = {name: f"127.0.0.1:{free_port()}" for name in ("address", "localizer.address", "webapp.address")}
        settings = {
            **{f"yarn.resourcemanager.{name}": value for name, value in manager.items()}, "yarn.resourcemanager.hostname": "127.0.0.1",
            "yarn.resourcemanager.webapp.address": f"127.0.0.1:{self.page}",
            "yarn.resourcemanager.scheduler.class": "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fifo.FifoScheduler",
            **{f"yarn.nodemanager.{name}": value for name, value in node.items()},
            "yarn.nodemanager.local-dirs": self.folder / "local", "yarn.nodemanager.log-dirs": self.folder / "logs",
            "yarn.nodemanager.resource.memory-mb": "4096", "yarn.nodemanager.resource.cpu-vcores": "4",
            "yarn.nodemanager.vmem-check-enabled": "false", "yarn.nodemanager.pmem-check-enabled": "false",
            "yarn.nodemanager.disk-health-checker.enable": "false", "yarn.scheduler.minimum-allocation-mb": "128",
            "hadoop.tmp.dir": self.folder / "tmp"}
        self.conf = self.folder / "conf"
        self.conf.mkdir()
        text = "".join(f"<property><name>{name}</name><value>{value}</value></property>" for name, value in settings.items())
        for name in ("yarn-site.xml", "core-site.xml"):
            (self.conf / name).write_text(f"<configuration>{text}</configuration>")
        self.processes = []
        self.start("resourcemanager.ResourceManager")
        self.await_metrics(lambda metrics: True)
        self.start("nodemanager.NodeManager")
        self.await_metrics(lambda metrics: metrics["activeNodes"] == 1)

    @property
    def environment(self):
        return {**spark_environment(), "HADOOP_CONF_DIR": str(self.conf), "YARN_CONF_DIR": str(self.conf)}

    def start(self, name):
        spark = Path(spark_environment()["SPARK_HOME"]) / "jars"
        classpath = ":".join([str(self.conf), f"{JARS}/*", f"{spark}/*"])
        log = open(self.folder / f"{name}.log", "w")
        self.processes.append(subprocess.Popen(["java", "-Xmx256m", "-cp", classpath, f"org.apache.hadoop.yarn.server.{name}"],
                                               env={**os.environ, "TZ": "UTC"}, stdout=log, stderr=subprocess.STDOUT))

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/ws/v1/cluster/{path}", timeout=5) as answer:
            return json.load(answer)

    def applications(self):
        """What YARN says of each, by its id."""
        return {one["id"]: one for one in (self.get("apps")["apps"] or {"app": []})["app"]}

    def await_metrics(self, holds):
        deadline = time.monotonic() + 120
        while True:
            try:
                if holds(self.get("metrics")["clusterMetrics"]):
                    return
            except (OSError, ValueError):
                pass
            assert time.monotonic() < deadline and all(one.poll() is None for one in self.processes), "YARN does not start"
            time.sleep(0.2)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
