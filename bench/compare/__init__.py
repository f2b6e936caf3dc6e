"""Banquet beside Feast, DuckDB and its own ceilings: `make bench`."""
