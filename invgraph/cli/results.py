"""What a fit leaves in its folder, and what it says in the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..geometry import Mesh

TRUTH_FIGURES = {
    "volume_iou": "volume IoU",
    "chamfer_l1": "Chamfer-L1",
    "chamfer_l1_of_radius": "Chamfer-L1 / radius",
    "f1_1": "F1 at 1%",
    "f1_2": "F1 at 2%",
    "normal_consistency": "normal consistency",
}


def write_meshes(out: Path, mesh: Mesh) -> None:
    """mesh.ply and mesh.glb, in the data set's own world frame and units."""
    from ..geometry import save_mesh

    for name in ("mesh.ply", "mesh.glb"):
        save_mesh(out / name, mesh)


def headline(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The few figures that a reader wants first, from the content of metrics.json."""
    figures: dict[str, Any] = {}
    for name, label in TRUTH_FIGURES.items():
        if name in metrics.get("truth", {}):
            figures[label] = metrics["truth"][name]
    figures |= {"vertices": metrics["vertices"], "closed": metrics["closed"]}
    return figures | {"seconds": metrics["seconds"]["total"]}


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
