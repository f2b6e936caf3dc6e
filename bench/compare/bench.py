"""The bench's hands: files generated once, repositories, one server, and the commands that are timed."""
import functools
import pathlib
import shutil
import sys

from compare import data, oracle
from compare.process import run
from compare.repository import Repository
from compare.servers import CapturingProxy, PostgresServer, RedisServer


class Bench:
    """Owns a scratch folder and a Redis server."""

    def __init__(self, scratch, banquet, native, feast):
        self.scratch = pathlib.Path(scratch)
        self.banquet, self.native, self.feast = (str(pathlib.Path(program).absolute()) for program in (banquet, native, feast))
        self.redis = RedisServer()
        self._postgres = None
        self._repositories = {}

    def close(self):
        self.redis.stop()
        if self._postgres:
            self._postgres.stop()

    @property
    def postgres(self):
        """Started at its first use."""
        if not self._postgres:
            folder = self.scratch / "postgres"
            folder.mkdir()
            self._postgres = PostgresServer(folder)
        return self._postgres

    def port_of(self, store):
        return self.postgres.port if store == "postgres" else self.redis.port

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)

    # --- what the runs work on --------------------------------------------------------------------------------------

    def file(self, shape):
        path = self.scratch / f"{shape.rows}-{shape.rows_per_key}-{shape.features}-{shape.order}-{shape.month}.parquet"
        if not path.exists():
            self.say(f"generating {shape}")
            data.write(shape, path)
        return path

    @functools.lru_cache(maxsize=2)
    def winners(self, shape):
        return data.newest_per_key(shape)

    def repository(self, shape, store):
        """In its fresh state, with the shape's file as source."""
        key = shape.features, store
        if key not in self._repositories:
            self._repositories[key] = Repository(self.scratch / f"{store}-{shape.features}", shape.features, store, self.feast,
                                                 self.port_of(store))
        repository = self._repositories[key]
        repository.point_to(self.port_of(store))
        repository.forget()
        repository.use(self.file(shape))
        return repository

    def empty_store(self, store="redis"):
        if store == "postgres":  # Without the table, which Banquet makes in its own form.
            with self.postgres.connect() as connection:
                connection.execute(f'DROP TABLE IF EXISTS "{data.PROJECT}_{data.VIEW}"')
        else:
            self.redis.client.flushall()

    # --- whole commands ---------------------------------------------------------------------------------------------

    def materialize(self, engine, shape, store, *options, fresh=True, check=True):
        """One run of "banquet", "feast" or "feast_best", its store compared with the oracle afterwards."""
        repository = self.repository(shape, store) if fresh else self.again(shape, store)
        if fresh:
            self.empty_store()
        if engine == "banquet":
            argv = [self.banquet, "--json", "--progress", "none", *options, "materialize", *shape.window]
        else:
            best = ["-f", "best.yaml"] if engine == "feast_best" else []
            argv = [self.feast, *best, "materialize", *shape.window]
        outcome = run(argv, repository.path)
        if check:
            self.check(shape, store)
        self.say(f"{engine} to {store}, {shape}: {outcome.wall:.2f} s, {outcome.mib:.0f} MiB")
        return outcome

    def again(self, shape, store):
        """The same repository and the same filled store, another interval, nothing recorded."""
        repository = self._repositories[shape.features, store]
        repository.point_to(self.port_of(store))
        repository.forget(keep_store=True)
        repository.use(self.file(shape))
        return repository

    def check(self, shape, store):
        if store == "redis":
            oracle.check_redis(self.redis.port, self.winners(shape))
        elif store == "postgres":
            with self.postgres.connect() as connection:
                oracle.check_postgres(connection, self.winners(shape))
        else:
            oracle.check_sqlite(self._repositories[shape.features, store].online, self.winners(shape))

    # --- parts ------------------------------------------------------------------------------------------------------

    def part(self, command, shape, store, *arguments, fresh=True):
        """One run of a banquet_bench command that works on a repository; its JSON."""
        repository = self.repository(shape, store) if fresh else self.again(shape, store)
        start, end = shape.window
        return run([self.native, command, "--repo", repository.path, "--start", start, "--end", end, *arguments]).json()

    def read_path(self, shape, level="L1", *arguments):
        result = self.part("read-path", shape, "redis", "--level", level, *arguments)
        assert result["winners"] == shape.keys, result
        # Row groups whose rows cannot win are not read; a figure per row is per row of the file all the same.
        return result | {"rows": shape.rows}

    def write(self, shape, store, *arguments, fresh=True):
        """The write half of a run apart, checked like a whole one."""
        if fresh:
            self.empty_store(store)
        result = self.part("write", shape, store, *arguments, fresh=fresh)
        self.check(shape, store)
        return result

    def decode(self, shape):
        result = run([self.native, "decode", "--file", self.file(shape), "--columns", ",".join(shape.columns)]).json()
        assert result["rows"] == shape.rows
        return result

    def capture(self, shape, *options, fresh=True):
        """A folder with every byte that a run sends to Redis: sent through a proxy that keeps it."""
        repository = self.repository(shape, "redis") if fresh else self.again(shape, "redis")
        if fresh:
            self.empty_store()
        folder = self.scratch / "captured"
        shutil.rmtree(folder, ignore_errors=True)
        with CapturingProxy(self.redis.port, folder) as proxy:
            repository.point_to(proxy.port)
            run([self.banquet, "--json", "--progress", "none", *options, "materialize", *shape.window], repository.path)
        self.check(shape, "redis")
        return folder, proxy.sent_bytes

    def replay(self, folder):
        return run([self.native, "replay-redis", "--captured", folder, "--port", self.redis.port]).json()

    def hset(self, shape):
        """The view as plain HSETs from memory, checked."""
        self.empty_store()
        result = self.part("hset-redis", shape, "redis", "--port", self.redis.port)
        self.check(shape, "redis")
        return result

    def bulk_sqlite(self, shape):
        """The best known bulk load into a file of its own, checked."""
        repository = self.repository(shape, "sqlite")
        for left in repository.online.parent.glob("online.db*"):
            left.unlink()
        start, end = shape.window
        result = run([self.native, "bulk-sqlite", "--repo", repository.path, "--start", start, "--end", end, "--path",
                      repository.online]).json()
        self.check(shape, "sqlite")
        return result

    def bulk_postgres(self, shape, *arguments, fresh=True):
        """The best known bulk load of the table, checked."""
        if fresh:
            self.empty_store("postgres")
        result = self.part("bulk-postgres", shape, "postgres", "--port", str(self.postgres.port), *arguments, fresh=fresh)
        self.check(shape, "postgres")
        return result

    def duckdb(self, shape, form):
        script = pathlib.Path(__file__).with_name("duck.py")
        return run([sys.executable, script, self.file(shape), form, *shape.columns]).json()

    def contest(self, rows, keys):
        return run([self.native, "contest", "--rows", rows, "--keys", keys]).json()

    def encode(self, batches, command):
        return run([self.native, "encode", "--batches", batches, "--frame", command]).json()
