"""Command line of the benchmarks."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from benchmarks.fields import ROWS

TABLES = {
    "soft": ("silhouette", "soft silhouette against PyTorch3D"),
    "growth": ("silhouette", "time of the soft silhouette against pixel-face pairs"),
    "memory": ("silhouette", "memory of the soft silhouette"),
    "limits": ("limits", "tests a second against the bound of the processor"),
    "coverage": ("primitives", "rasterize + antialias against DEODR"),
    "mitsuba": ("primitives", "rasterize + antialias against Mitsuba 3"),
    "primitives": ("primitives", "the other primitives"),
    "color": ("primitives", "soft colour against PyTorch3D"),
    "cuda": ("gpu", "on a GPU, against PyTorch3D and nvdiffrast"),
    "training": ("svr", "a training step of single-view reconstruction, against PyTorch3D's rasterizer"),
    "overfit": ("svr_overfit", "single-view reconstruction of one shape, against a fit to the same silhouettes"),
    "fits": ("fits", "reconstructions against their true meshes"),
    "fields": ("fields", "fields: fits to samples and points, extraction, isosurfaces; names after it choose its rows"),
}


def main() -> None:
    """Print the chosen tables as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", help=", ".join(f"{k}: {text}" for k, (_, text) in TABLES.items()))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of spot, bob and dino")
    parser.add_argument("--repeats", type=int, default=9, help="runs of each measurement, of which the median counts")
    arguments = parser.parse_args()
    arguments.rows = []
    if "fields" in arguments.tables:
        place = arguments.tables.index("fields") + 1
        arguments.tables, arguments.rows = arguments.tables[:place], arguments.tables[place:]
    for kind, names, known in (("table", arguments.tables, TABLES), ("row of fields", arguments.rows, ROWS)):
        unknown = set(names) - set(known)
        if unknown:
            parser.error(f"unknown {kind} {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    for name in arguments.tables or TABLES:
        module, title = TABLES[name]
        print(f"\n### {title}\n", flush=True)
        getattr(importlib.import_module(f"benchmarks.{module}"), name)(arguments)


if __name__ == "__main__":
    main()
