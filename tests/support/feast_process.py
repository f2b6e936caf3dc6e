"""The test's end of feast_worker.py."""
import json
import os
import subprocess
import sys
from pathlib import Path


class FeastError(Exception):
    pass


class FeastProcess:
    """Real Feast in one long-lived process. Not for several threads."""

    def __init__(self, log_path):
        self.log_path = log_path
        self.log = open(log_path, "w")
        environment = {**os.environ, "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
                       "PYTHONWARNINGS": "ignore", "FEAST_USAGE": "False",
                       "PYTHONPATH": str(Path(__file__).parents[2] / "python")}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("feast_worker.py"))], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment)

    def call(self, repository, action, **arguments):
        request = {"repository": str(repository.path), "environment": repository.environment, "action": action,
                   "arguments": arguments}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise FeastError(f"the Feast process ended:\n{Path(self.log_path).read_text()[-4000:]}")
        answer = json.loads(line)
        if not answer["ok"]:
            raise FeastError(answer["error"])
        return answer["result"]

    def apply(self, repository):
        self.call(repository, "apply")

    def materialize(self, repository, start, end, views=None):
        self.call(repository, "materialize", start=start, end=end, views=views)

    def materialize_incremental(self, repository, end, views=None):
        self.call(repository, "materialize_incremental", end=end, views=views)

    def jobs_of(self, repository, *window, **arguments):
        """As the worker's: `window` is start and end, or the end alone."""
        times = dict(zip(("start", "end") if len(window) == 2 else ("end",), window))
        return self.call(repository, "jobs_of", **times, **arguments)

    def online(self, repository, requests):
        return self.call(repository, "online", requests=requests)

    def intervals(self, repository, view):
        return self.call(repository, "intervals", view=view)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
