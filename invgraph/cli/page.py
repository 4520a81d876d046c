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
    """The loss, then its weighted terms, where a stage has them; and the silhouette error: each by step."""
    if not history:
        return {}

    def values(name: str) -> tuple[list[float], list[float]]:
        has = [(float(i + 1), e[name]) for i, e in enumerate(history) if name in e]
        return [step for step, _ in has], [value for _, value in has]

    others = dict.fromkeys(name for e in history for name in e if name not in ("stage", "step", "iou", "loss"))
    names = [name for name in others if any(values(name)[1])]  # not those of no weight
    error = [1 - value for value in values("iou")[1]]
    return {
        "Loss and its weighted terms": {name: values(name) for name in ("loss", *names)},
        "Silhouette error of each step's views, 1 − IoU": {"error": (values("iou")[0], error)},
    }


def _stages(history: Sequence[Mapping[str, Any]]) -> list[tuple[float, str]]:
    """(first step, name) of each stage."""
    names = [entry["stage"] for entry in history]
    return [(float(i + 1), name) for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
