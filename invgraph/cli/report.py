"""The report page of a fit: what `FitResult` holds, as the plain pictures and numbers that `viz` draws."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from ..data import Views
    from ..fit import FitResult
    from ..geometry import Mesh
    from ..viz import ViewPictures

_LONGEST_SIDE = 480  # pixels of a picture on the page


def write_fit_report(
    path: str | Path,
    result: FitResult,
    *,
    title: str,
    options: Mapping[str, Any],
    turntable: str | Path | None = None,
) -> Path:
    """Write the report page of a fit.

    Args:
        path: HTML file to write.
        result: the fit, with its metrics.
        title: heading.
        options: what the command was told, for the page's last table.
        turntable: MP4 to show, or None.

    Returns:
        ``path``.
    """
    from ..viz import write_report

    metrics = result.metrics
    scores = metrics["silhouette_iou"]
    held = None
    if result.held is not None:
        held = _pictures(result.mesh, result.held, scores["held_out"])
    headline = {
        "seconds": metrics["seconds"]["total"],
        "vertices": metrics["vertices"],
        "faces": metrics["faces"],
        "closed": metrics["closed"],
        "Euler characteristic": metrics["euler_characteristic"],
        "peak memory, MB": metrics["peak_memory_mb"],
    }
    shown = {key: value for key, value in metrics.items() if key != "silhouette_iou" and value != ""}
    shown["silhouette IoU"] = {key.replace("_", " "): part["mean"] for key, part in scores.items()}
    return write_report(
        path,
        title=title,
        subtitle=result.train.source,
        train=_pictures(result.mesh, result.train, scores["train"]),
        held=held,
        headline=headline,
        curves=_curves(result.history),
        stages=_stages(result.history),
        metrics=shown,
        options=options,
        turntable=turntable,
    )


@torch.no_grad()
def _pictures(mesh: Mesh, views: Views, scores: Mapping[str, Any]) -> ViewPictures:
    """Views and the mesh seen from them, at the size of the page; the scores are those of the full size."""
    from ..render import render
    from ..viz import ViewPictures, shaded

    height, width = views.cameras.image_size
    scale = _LONGEST_SIDE / max(height, width)
    if scale < 1:
        views = views.resize((max(1, round(height * scale)), max(1, round(width * scale))))
    alphas = []
    for i in range(len(views)):
        alpha = render(mesh, views.cameras[i], mode="antialias").alpha
        assert alpha is not None  # as asked for
        alphas.append(alpha)
    return ViewPictures(
        names=views.names,
        masks=views.masks,
        alphas=torch.cat(alphas),
        images=views.images,
        renders=shaded(mesh, views.cameras),
        known=views.known,
        scores=[scores["views"][name] for name in views.names],
    )


def _curves(history: list[dict[str, Any]]) -> dict[str, dict[str, tuple[list[float], list[float]]]]:
    """Loss with its terms, and silhouette error, by iteration."""
    terms: dict[str, tuple[list[float], list[float]]] = {}
    error: tuple[list[float], list[float]] = ([], [])
    for iteration, entry in enumerate(history):
        for name, value in entry.items():
            if name not in ("stage", "step", "iou"):
                xs, ys = terms.setdefault(name, ([], []))
                xs.append(iteration)
                ys.append(value)
        error[0].append(iteration)
        error[1].append(1 - entry["iou"])
    ordered = {
        name: terms[name] for name in sorted(terms, key=lambda name: name != "loss")
    }  # the whole before its parts
    return {
        "Loss and its weighted terms": ordered,
        "Silhouette error of the views of a step, 1 − IoU": {"error": error},
    }


def _stages(history: list[dict[str, Any]]) -> list[tuple[float, str]]:
    """(first iteration, name) of each stage."""
    names = [entry["stage"] for entry in history]
    return [(float(i), name) for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
