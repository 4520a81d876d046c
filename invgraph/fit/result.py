"""What a fit gives back, and how good it is."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..data import Views
from ..geometry import Mesh
from ..metrics import silhouette_iou
from ..render import render
from ..shapes import Shape
from .options import FitOptions


@dataclass
class FitResult:
    """A fitted shape and the record of how it came about.

    Attributes:
        mesh: the surface in the views' world frame and units.
        shape: the fitted shape, in its canonical frame.
        options: the options of the fit.
        train: the views fitted, as given.
        held: the views held out, or None.
        start: what the fit started from: "hull", "sphere", "file" or "shape".
        note: a sentence about the start if there is something to say, else "".
        history: one entry a step: stage, step, weighted terms, loss, iou (of the step's views).
        seconds: wall-clock time by stage.
        interrupted: the schedule was not completed.
        metrics: the content of ``metrics.json``; see :func:`measure`.
    """

    mesh: Mesh
    shape: Shape
    options: FitOptions
    train: Views
    held: Views | None
    start: str
    note: str
    history: list[dict[str, Any]]
    seconds: dict[str, float]
    interrupted: bool
    metrics: dict[str, Any] = field(default_factory=dict)

    def metrics_json(self) -> str:
        """The content of ``metrics.json``."""
        return json.dumps(self.metrics, indent=2) + "\n"


def measure(result: FitResult) -> dict[str, Any]:
    """Numbers about a fit, as plain Python values: what ``metrics.json`` holds.

    Keys: ``init``, ``interrupted``, ``iterations``, ``seconds`` (by stage, and ``total``), ``peak_memory_mb``,
    ``vertices``, ``faces``, ``closed``, ``euler_characteristic``, ``silhouette_iou`` (``train``, and ``held_out`` if
    views were held out; each with the mean and one value a view). 3D metrics against a truth are added by the caller.
    """
    views = {"train": result.train} if result.held is None else {"train": result.train, "held_out": result.held}
    scores: dict[str, Any] = {}
    for name, part in views.items():
        values = score_views(result.mesh, part)
        scores[name] = {
            "mean": round(float(values.mean()), 6),
            "views": {view: round(value, 6) for view, value in zip(part.names, values.tolist())},
        }
    seconds = {name: round(value, 3) for name, value in result.seconds.items()}
    return {
        "init": result.start,
        "note": result.note,
        "interrupted": result.interrupted,
        "iterations": len(result.history),
        "seconds": {**seconds, "total": round(sum(result.seconds.values()), 3)},
        "peak_memory_mb": peak_memory_mb(),
        "vertices": result.mesh.num_verts,
        "faces": result.mesh.num_faces,
        "closed": result.mesh.is_closed,
        "euler_characteristic": result.mesh.euler_characteristic,
        "silhouette_iou": scores,
    }


@torch.no_grad()
def score_views(mesh: Mesh, views: Views, chunk: int = 8) -> Tensor:
    """(N,) silhouette IoU of a world-frame mesh with each view's soft mask, at the views' size."""
    parts = []
    for index in torch.arange(len(views)).split(chunk):
        part = views[index]
        alpha = render(mesh, part.cameras, mode="antialias").alpha
        parts.append(silhouette_iou(alpha, part.masks, known=part.known, threshold=None))
    return torch.cat(parts)


def peak_memory_mb() -> float | None:
    """Largest resident size of this process so far, in MB (10^6 bytes); None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)
