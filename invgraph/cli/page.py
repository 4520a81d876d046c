"""The pages of a fit: what `FitResult` holds, as the video, pictures and numbers that `viz` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .results import headline

if TYPE_CHECKING:
    from ..data import Views
    from ..fit import FitResult
    from ..geometry import Mesh
    from ..viz import ViewPictures

PICTURE_SIDE = 480
"""Longest side, in pixels, of the pictures that the report is made from."""

Curves = dict[str, tuple[list[float], list[float]]]


def write_page(out: Path, title: str, result: FitResult, options: Mapping[str, Any]) -> None:
    """Write turntable.mp4 and report.html.

    Args:
        out: folder of the results.
        title: heading of the page.
        result: a fit with its metrics complete.
        options: names to values, as the page shows them.
    """
    from ..viz import turntable, write_report

    video = turntable(result.mesh, out / "turntable.mp4", cameras=result.train.cameras)
    scores = result.metrics["silhouette_iou"]
    shown = {name: value for name, value in result.metrics.items() if name != "silhouette_iou" and value != ""}
    if "truth" in shown:  # the figures; how they were measured is in metrics.json
        shown["truth"] = {name: v for name, v in shown["truth"].items() if not isinstance(v, Mapping)}
    write_report(
        out / "report.html",
        title=title,
        subtitle="; ".join(filter(None, (result.train.source, result.note))),
        train=_pictures(result.mesh, result.train, scores["train"]),
        held=None if result.held is None else _pictures(result.mesh, result.held, scores["held_out"]),
        headline=headline(result.metrics),
        curves=_curves(result.history),
        stages=_stages(result.history),
        metrics={**shown, "silhouette IoU": {name.replace("_", " "): part["mean"] for name, part in scores.items()}},
        options=options,
        turntable=video,
    )


def _pictures(mesh: Mesh, views: Views, scores: Mapping[str, Any]) -> ViewPictures:
    """Views beside a world-frame mesh drawn from their cameras, at the size of the page; scores are at full size."""
    import torch

    from ..render import render
    from ..viz import ViewPictures, shaded

    height, width = views.cameras.image_size
    shrink = min(1.0, PICTURE_SIDE / max(height, width))
    views = views.resize((max(1, round(height * shrink)), max(1, round(width * shrink))))
    with torch.no_grad():
        alphas = [render(mesh, views.cameras[i], mode="antialias").alpha for i in range(len(views))]
        renders = shaded(mesh, views.cameras)
    return ViewPictures(
        names=views.names,
        masks=views.masks,
        alphas=torch.cat(alphas),
        images=views.images,
        renders=renders,
        known=views.known,
        scores=list(scores["views"].values()),
    )


def _curves(history: Sequence[Mapping[str, Any]]) -> dict[str, Curves]:
    """The loss, then its weighted terms; and the silhouette error: each by step."""
    steps = [float(i + 1) for i in range(len(history))]
    if not steps:
        return {}
    others = [name for name in history[0] if name not in ("stage", "step", "iou", "loss")]
    names = [name for name in others if any(entry[name] for entry in history)]  # not those of no weight
    return {
        "Loss and its weighted terms": {name: (steps, [e[name] for e in history]) for name in ("loss", *names)},
        "Silhouette error of each step's views, 1 − IoU": {"error": (steps, [1 - e["iou"] for e in history])},
    }


def _stages(history: Sequence[Mapping[str, Any]]) -> list[tuple[float, str]]:
    """(first step, name) of each stage."""
    names = [entry["stage"] for entry in history]
    return [(float(i + 1), name) for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
