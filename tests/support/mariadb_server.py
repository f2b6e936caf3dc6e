"""MariaDB for tests: what Feast keeps its SQL registry in on MySQL."""
import getpass
import subprocess
import time
from pathlib import Path

import pymysql
from stores import free_port


class MariadbServer:
    """A server of its own on a free loopback port; user feast, password feast, with all rights."""

    def __init__(self, folder):
        self.port = free_port()
        data = Path(folder) / "data"
        socket = Path(folder) / "socket"
        done = subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--user={getpass.getuser()}", "--skip-test-db",
             "--auth-root-authentication-method=normal", f"--datadir={data}"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.process = subprocess.Popen(
            ["/usr/sbin/mariadbd", "--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}", f"--socket={socket}",
             "--bind-address=127.0.0.1", f"--port={self.port}", "--innodb-buffer-pool-size=16M",
             "--innodb-flush-log-at-trx-commit=0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                root = pymysql.connect(unix_socket=str(socket), user="root")
                break
            except pymysql.OperationalError:
                assert time.monotonic() < deadline and self.process.poll() is None, "MariaDB does not start"
                time.sleep(0.05)
        with root, root.cursor() as cursor:
            cursor.execute("CREATE USER feast@'127.0.0.1' IDENTIFIED BY 'feast'")
            cursor.execute("GRANT ALL ON *.* TO feast@'127.0.0.1'")

    def execute(self, statement, database=None):
        with pymysql.connect(host="127.0.0.1", port=self.port, user="feast", password="feast", database=database,
                             autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def stop(self):
        self.process.kill()
        self.process.wait()
