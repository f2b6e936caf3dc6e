"""Servers of our own, and a proxy that keeps what passes through it."""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import redis

sys.path.append(str(pathlib.Path(__file__).parents[2] / "tests/support"))
from postgres_server import PostgresServer  # noqa: E402, F401
from spark_cluster import SparkCluster  # noqa: E402, F401


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    """Without persistence, in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="banquet-bench-redis-")
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port)
        for _ in range(200):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("redis-server did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class CapturingProxy:
    """Passes connections on to a local port and keeps what the clients sent: one file per connection."""

    def __init__(self, target_port, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.target_port = target_port
        self.sent_bytes = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target_port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            kept = open(self.folder / f"{len(self.threads) // 2}.commands", "wb")
            for source, sink, keep in ((client, server, kept), (server, client, None)):
                thread = threading.Thread(target=self._pump, args=(source, sink, keep), daemon=True)
                self.threads.append(thread)
                thread.start()

    def _pump(self, source, sink, keep):
        try:
            while data := source.recv(1 << 20):
                sink.sendall(data)
                if keep:
                    keep.write(data)
                    self.sent_bytes += len(data)
        except OSError:
            pass
        if keep:
            keep.close()
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """After the clients are gone: waits until all is kept."""
        self.listener.close()
        for thread in self.threads:
            thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
