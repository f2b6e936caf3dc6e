"""How much is measured: small in minutes, brief in a quarter of an hour, default in about one, full in hours."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    name: str
    rounds: int                # Of what is quick.
    feast_rounds: int          # Of what Feast takes part in.
    feast_sqlite_rounds: int   # The same on SQLite, where Feast takes minutes for a million keys.
    feast_cases: tuple         # (rows, rows per key)
    load_rows: int             # Rows = keys of the store goals (G1, G4, G9).
    wide_rows: int             # The same with 100 features (G3).
    read_rows: int             # Of the read-path goals (G5, G6); ten rows per key.
    contest: tuple             # (rows, keys) of G7.
    curve_rows: tuple          # Of the curve of time and memory against rows (G12).
    curve_feast_rows_max: int  # Feast's part of the curve ends here.
    limit_rows: int            # Rows = keys of the memory limit's goal (G14).
    spark_rows: int            # Rows = keys of the Spark engines (G16); 0: not measured.


SCALES = {scale.name: scale for scale in (
    Scale("small", rounds=1, feast_rounds=1, feast_sqlite_rounds=1, feast_cases=((10_000, 1),), load_rows=20_000, wide_rows=2_000,
          read_rows=300_000, contest=(1_000_000, 100_000), curve_rows=(50_000, 200_000), curve_feast_rows_max=0,
          limit_rows=50_000, spark_rows=0),
    Scale("brief", rounds=2, feast_rounds=1, feast_sqlite_rounds=1, feast_cases=((1_000_000, 10), (100_000, 1)), load_rows=300_000,
          wide_rows=20_000, read_rows=10_000_000, contest=(20_000_000, 2_000_000), curve_rows=(100_000, 1_000_000),
          curve_feast_rows_max=0, limit_rows=2_000_000, spark_rows=300_000),
    Scale("default", rounds=3, feast_rounds=2, feast_sqlite_rounds=1,
          feast_cases=((1_000_000, 1), (1_000_000, 10), (100_000, 1)), load_rows=300_000, wide_rows=50_000, read_rows=10_000_000, contest=(20_000_000, 2_000_000),
          curve_rows=(100_000, 1_000_000, 10_000_000), curve_feast_rows_max=1_000_000, limit_rows=2_000_000, spark_rows=1_000_000),
    Scale("full", rounds=5, feast_rounds=5, feast_sqlite_rounds=5,
          feast_cases=((1_000_000, 1), (1_000_000, 10), (100_000, 1)), load_rows=1_000_000, wide_rows=200_000, read_rows=10_000_000, contest=(100_000_000, 10_000_000),
          curve_rows=(100_000, 1_000_000, 10_000_000, 100_000_000), curve_feast_rows_max=1_000_000,
          limit_rows=10_000_000, spark_rows=3_000_000),
)}
