"""Banquet: Feast's materialization, fast."""
