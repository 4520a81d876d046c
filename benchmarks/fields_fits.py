"""Whole reconstructions by ``invgraph fit --shape sdf|occupancy``, against the true meshes."""

from __future__ import annotations

import argparse

from benchmarks.fits import table

WAYS = (
    "--shape sdf --init sphere",
    "--shape sdf --init sphere --no-polish",
    "--shape sdf --init sphere --silhouette-by rays --no-polish",
    "--shape sdf --no-polish",
    "--shape occupancy --init sphere --no-polish",
)


def fits(arguments: argparse.Namespace) -> None:
    """From a sphere or the visual hull, polished as a mesh or not, seen along rays alone or through the surface too."""
    cases = {f"{name} {way}": (f"{name}/views24", way.split()) for way in WAYS for name in ("spot", "bob")}
    table(arguments, cases)
