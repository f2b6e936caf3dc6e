"""Postgres for tests, and dumps of its tables in the form of the golden files."""
import getpass
import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg
from stores import free_port, hex_of

ACCOUNT = "nobody"  # Postgres refuses to run as root


def program(name):
    """Debian keeps the server's programs out of the PATH, in a folder per version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"{name} is missing; run scripts/bootstrap build test"
    return path


class PostgresServer:
    """A server of its own on a free loopback port; superuser feast, password feast, database golden."""

    def __init__(self, folder):
        self.port = free_port()
        self.folder = Path(folder)
        self.as_account = []
        if getpass.getuser() == "root":
            for parent in [self.folder, *self.folder.parents]:
                if parent.owner() == "root" and not parent.stat().st_mode & 0o001:
                    parent.chmod(parent.stat().st_mode | 0o011)
            shutil.chown(self.folder, ACCOUNT)
            self.as_account = ["setpriv", f"--reuid={ACCOUNT}", "--regid=nogroup", "--clear-groups"]
        password = self.folder / "password"
        password.write_text("feast\n")
        self.data = self.folder / "data"
        self.run(program("initdb"), "--no-sync", f"--pgdata={self.data}", "--username=feast", "--auth=scram-sha-256",
                 "--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={password}")
        self.process = self.start()
        with self.connect("postgres") as connection:
            connection.execute("CREATE DATABASE golden")

    def run(self, *command):
        done = subprocess.run([*self.as_account, *command], capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stderr

    def start(self):
        process = subprocess.Popen(
            [*self.as_account, program("postgres"), "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect("postgres").close()
                return process
            except psycopg.OperationalError:
                assert time.monotonic() < deadline and process.poll() is None, "Postgres does not start"
                time.sleep(0.05)

    def connect(self, database="golden"):
        return psycopg.connect(host="127.0.0.1", port=self.port, user="feast", password="feast", dbname=database,
                               autocommit=True, options="-c timezone=UTC")

    def empty(self):
        """Keeps the tables, which Feast makes once, in its apply."""
        with self.connect() as connection:
            for name, in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
                connection.execute(f'TRUNCATE "{name}"')

    def tables(self, project):
        """table -> rows, as in expected/postgres.json."""
        with self.connect() as connection:
            names = [name for name, in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
            tables = {}
            for name in names:
                if not name.startswith(project + "_"):
                    continue
                cursor = connection.execute(f'SELECT * FROM "{name}" ORDER BY entity_key, feature_name')
                columns = [column.name for column in cursor.description]
                tables[name] = [{c: plain(v) for c, v in zip(columns, row)} for row in cursor]
        return tables

    def stop(self):
        """At once, by the number of the process that was started."""
        if self.process.poll() is None:
            os.kill(self.process.pid, 3)
            self.process.wait()


def plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else hex_of(value)
