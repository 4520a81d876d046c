"""Benchmarks: ``python -m benchmarks [TABLE ...]`` prints the tables that the README quotes."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, and before torch
