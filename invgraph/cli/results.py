"""What a fit leaves in its folder, and what it says in the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..data import Views
    from ..fit import FitResult
    from ..geometry import Mesh
    from ..viz import ViewPictures

PICTURE_SIDE = 640
"""Longest side, in pixels, of the pictures that the report is made from."""


def write_meshes(out: Path, mesh: Mesh) -> None:
    """mesh.ply and mesh.glb, in the data set's own world frame and units."""
    from ..geometry import save_mesh

    for name in ("mesh.ply", "mesh.glb"):
        save_mesh(out / name, mesh)


def write_page(out: Path, title: str, result: FitResult, options: Mapping[str, Any]) -> None:
    """turntable.mp4 and report.html.

    Args:
        out: folder of the results.
        title: heading of the page.
        result: a fit with its metrics complete.
        options: names to values, as the page shows them.
    """
    from ..viz import turntable, write_report

    video = turntable(result.mesh, out / "turntable.mp4", cameras=result.train.cameras)
    steps = list(range(1, len(result.history) + 1))
    curves = {
        "Loss": {"loss": (steps, [float(entry["loss"]) for entry in result.history])},
        "Silhouette IoU of the step's views": {"IoU": (steps, [float(entry["iou"]) for entry in result.history])},
    }
    starts: dict[str, float] = {}
    for step, entry in zip(steps, result.history):
        starts.setdefault(entry["stage"], step)
    write_report(
        out / "report.html",
        title=title,
        subtitle=" ".join(filter(None, (result.train.source, result.note))),
        train=view_pictures(result.mesh, result.train),
        held=None if result.held is None else view_pictures(result.mesh, result.held),
        headline=headline(result.metrics),
        curves=curves if steps else None,
        stages=[(first, name) for name, first in starts.items()],
        metrics=result.metrics,
        options=options,
        turntable=video,
    )


def view_pictures(mesh: Mesh, views: Views) -> ViewPictures:
    """Views beside a world-frame mesh drawn from their cameras, none larger than PICTURE_SIDE."""
    import torch

    from ..render import render
    from ..viz import ViewPictures, shaded

    height, width = views.cameras.image_size
    shrink = min(1.0, PICTURE_SIDE / max(height, width))
    views = views.resize((max(1, round(height * shrink)), max(1, round(width * shrink))))
    with torch.no_grad():
        alphas = [render(mesh, views.cameras[i], mode="antialias").alpha for i in range(len(views))]
        renders = shaded(mesh, views.cameras)
    return ViewPictures(views.names, views.masks, torch.cat(alphas).clamp(0, 1), views.images, renders, views.known)


def headline(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The few figures that a reader wants first, from the content of metrics.json."""
    figures: dict[str, Any] = {}
    for name, label in TRUTH_FIGURES.items():
        if name in metrics.get("truth", {}):
            figures[label] = metrics["truth"][name]
    figures |= {"vertices": metrics["vertices"], "closed": metrics["closed"]}
    return figures | {"seconds": metrics["seconds"]["total"]}


TRUTH_FIGURES = {
    "volume_iou": "volume IoU",
    "chamfer_l1": "Chamfer-L1",
    "f1_1": "F1 at 1%",
    "f1_2": "F1 at 2%",
    "normal_consistency": "normal consistency",
}


def summary(metrics: Mapping[str, Any]) -> str:
    """The same in a few lines of text."""
    closed = "closed" if metrics["closed"] else "not closed"
    lines = [
        f"{metrics['vertices']:,} vertices, {metrics['faces']:,} faces, {closed}, "
        f"Euler characteristic {metrics['euler_characteristic']}",
        f"{metrics['iterations']} steps in {metrics['seconds']['total']:.1f} s",
        "silhouette IoU "
        + ", ".join(
            f"{part['mean']:.4f} on {len(part['views'])} {'held-out' if name == 'held_out' else 'training'} views"
            for name, part in metrics["silhouette_iou"].items()
        ),
    ]
    scores = [f"{label} {metrics['truth'][name]:.4f}" for name, label in TRUTH_FIGURES.items() if "truth" in metrics]
    return "\n".join(lines + ([", ".join(scores)] if scores else []))


def plain(options: Any) -> dict[str, Any]:
    """A dataclass as nested names and plain values, for JSON and for the page."""
    content = dataclasses.asdict(options)
    return {key: str(value) if isinstance(value, Path) else value for key, value in content.items()}
