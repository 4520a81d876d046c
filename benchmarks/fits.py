"""Whole reconstructions by the command, with its default options, against the true meshes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import header, machine, row
from invgraph.data import load_views
from invgraph.geometry import load_mesh
from invgraph.metrics import silhouette_iou
from invgraph.render import render

CASES = {
    "spot/views24": ("spot/views24", []),
    "bob/views24": ("bob/views24", []),
    "spot/views24 --init sphere": ("spot/views24", ["--init", "sphere"]),
    "spot/views8_ring": ("spot/views8_ring", []),
    "spot/wild": ("spot/wild", []),
    "dino --holdout 4": ("dino", ["--holdout", "4"]),
}


def fits(arguments: argparse.Namespace) -> None:
    """Meshes."""
    table(arguments, CASES)


def table(arguments: argparse.Namespace, cases: dict[str, tuple[str, list[str]]]) -> None:
    """One row a case, a folder of views and flags, from the metrics.json that the command writes."""
    print(machine() + "\n")
    header(
        "case",
        "volume IoU",
        "Chamfer-L1",
        "F1@1%",
        "normal cons.",
        "vertices",
        "closed, Euler",
        "silhouette IoU",
        "fit s",
    )
    for name, (folder, flags) in cases.items():
        views = arguments.data / folder
        if not views.is_dir():
            row(name, f"skipped: no {views}", *[""] * 7)
            continue
        truth = views / "gt.ply"
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-m", "invgraph", "fit", str(views), "--out", f"{out}/run", *flags]
            command += ["--truth", str(truth)] if truth.exists() else []
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            print_case(name, json.loads((Path(out) / "run" / "metrics.json").read_text()))
            if folder == "dino":
                score = held_out_by_recipe(views, Path(out) / "run" / "mesh.ply", holdout=4)
                row(f"{name}, held out, masks by its authors' recipe", *[""] * 6, f"{score:.4f}", "")


def held_out_by_recipe(data: Path, mesh: Path, holdout: int) -> float:
    """Silhouette IoU on the held-out views against masks made as the data's authors make them."""
    _, held = load_views(data, masks="middlebury").split(holdout)
    alpha = render(load_mesh(mesh), held.cameras).alpha
    return float(silhouette_iou(alpha, held.masks, threshold=None).mean())


def print_case(name: str, metrics: dict) -> None:
    """One row of the table."""
    truth = metrics.get("truth", {})

    def score(key: str) -> str:
        return f"{truth[key]:.4f}" if key in truth else ""

    silhouettes = metrics["silhouette_iou"]
    seen = f"{silhouettes['train']['mean']:.4f}"
    if "held_out" in silhouettes:
        seen += f", held out {silhouettes['held_out']['mean']:.4f}"
    row(
        name,
        *(score(key) for key in ("volume_iou", "chamfer_l1_of_radius", "f1_1", "normal_consistency")),
        f"{metrics['vertices']:,}",
        f"{'yes' if metrics['closed'] else 'no'}, {metrics['euler_characteristic']}",
        seen,
        f"{metrics['seconds']['total']:.1f}",
    )
