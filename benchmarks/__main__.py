"""Command line of the benchmarks."""

from __future__ import annotations

import argparse
import importlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from invgraph.ops import _native

TABLES = {
    "soft": ("kernels", "soft silhouette against PyTorch3D"),
    "coverage": ("kernels", "rasterize + antialias against DEODR"),
    "memory": ("kernels", "memory of the soft silhouette"),
    "growth": ("kernels", "time against pixel-face pairs"),
    "fits": ("fits", "reconstructions against their true meshes"),
}


def machine() -> str:
    """One line: processor, cores, instruction set and versions, for the head of every table."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model

    def of(package: str) -> str:
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return f"{package} not installed"

    packages = ", ".join(of(name) for name in ("invgraph", "torch", "pytorch3d", "deodr"))
    threads = torch.get_num_threads()
    return f"{model}, {threads} threads, {_native.isa()} kernels, Python {platform.python_version()}, {packages}"


def main() -> None:
    """Print the chosen tables as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", help=", ".join(f"{k}: {text}" for k, (_, text) in TABLES.items()))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of spot, bob and dino")
    parser.add_argument("--repeats", type=int, default=9, help="runs of each measurement, of which the median counts")
    arguments = parser.parse_args()
    unknown = set(arguments.tables) - set(TABLES)
    if unknown:
        parser.error(f"unknown table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    print(machine())
    for name in arguments.tables or TABLES:
        module, title = TABLES[name]
        print(f"\n### {title}\n", flush=True)
        getattr(importlib.import_module(f"benchmarks.{module}"), name)(arguments)


if __name__ == "__main__":
    main()
