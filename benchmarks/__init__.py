"""Benchmarks: ``python -m benchmarks [TABLE ...]`` prints the tables that the README quotes."""
