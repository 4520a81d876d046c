"""The report: one self-contained HTML page about a reconstruction, readable without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..atomic import write_atomically
from .arrays import as_picture
from .chart import Series, bar_chart, line_chart
from .encode import fitted, picture_uri, video_uri
from .overlay import BACKGROUND, overlay
from .page import rendered, text_of

_SIDES = (480, 400, 320, 256, 192, 128, 96, 64)
_OPEN_CARDS = 60  # further views wait, folded, below


@dataclass(frozen=True)
class ViewPictures:
    """The pictures of N views that the report sets side by side; tensors or arrays.

    Attributes:
        names: N names.
        masks: (N, H, W) true coverage in [0, 1].
        alphas: (N, H, W) rendered coverage in [0, 1].
        images: (N, H, W, 3) photographs in [0, 1], or None.
        renders: (N, H, W, 3) or (N, H, W, 4) shaded pictures of the mesh; None shows ``alphas``.
        known: (N, H, W) bool, False where the truth is unknown; None = all known.
        scores: (N,) silhouette IoU if it was measured already, say on larger pictures; None = of these pictures.
    """

    names: Sequence[str]
    masks: Tensor | np.ndarray
    alphas: Tensor | np.ndarray
    images: Tensor | np.ndarray | None = None
    renders: Tensor | np.ndarray | None = None
    known: Tensor | np.ndarray | None = None
    scores: Sequence[float] | Tensor | None = None

    def __post_init__(self) -> None:
        shape = tuple(self.masks.shape)
        if len(shape) != 3 or shape[0] != len(self.names):
            raise ValueError(f"masks: expected shape (N, H, W) with N = {len(self.names)} names, got {shape}")
        for name, last in (("alphas", ((),)), ("known", ((),)), ("images", ((3,),)), ("renders", ((3,), (4,)))):
            value = getattr(self, name)
            if value is not None and tuple(value.shape) not in {shape + end for end in last}:
                raise ValueError(f"{name}: expected shape {shape + last[0]}, got {tuple(value.shape)}")
        if self.scores is not None and len(self.scores) != len(self.names):
            raise ValueError(f"scores: expected {len(self.names)} values, one a view, got {len(self.scores)}")

    def __len__(self) -> int:
        return len(self.names)

    def iou(self) -> Tensor:
        """(N,) ``scores``, or IoU over known pixels: sum of minima over sum of maxima of mask and coverage."""
        if self.scores is not None:
            return torch.as_tensor(self.scores, dtype=torch.float32)
        m, a = as_picture(self.masks, "masks"), as_picture(self.alphas, "alphas")
        low, high = torch.minimum(m, a), torch.maximum(m, a)
        if self.known is not None:
            known = as_picture(self.known, "known") > 0.5
            low, high = low * known, high * known
        union = high.sum((1, 2))
        return torch.where(union > 0, low.sum((1, 2)) / union.clamp(min=1e-12), 1.0)


def write_report(
    path: str | Path,
    *,
    title: str,
    train: ViewPictures,
    held: ViewPictures | None = None,
    subtitle: str = "",
    headline: Mapping[str, Any] | None = None,
    curves: Mapping[str, Mapping[str, Series]] | None = None,
    stages: Sequence[tuple[float, str]] = (),
    metrics: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    turntable: str | Path | None = None,
    max_megabytes: float = 10.0,
) -> Path:
    """Write the report page: headline figures, turntable, every view beside its render and error, curves and tables.

    Pictures, video and charts are inside the file, which asks nothing of the network; all text is escaped. Pictures are
    reduced, never enlarged, as far as needed to keep the page under ``max_megabytes``. The file appears when complete.

    Args:
        path: HTML file to write.
        title: heading, for example the name of the object.
        train: the views that were fitted.
        held: views kept out of the fit, or None.
        subtitle: a line under the heading, for example where the views came from.
        headline: label -> value shown large, after the silhouette IoU, which the page works out by itself. Numbers are
            formatted, truth values written yes or no, strings left as they are.
        curves: chart title -> curve name -> (iterations, values).
        stages: (first iteration, name) of each stage, marked in the charts.
        metrics: names to values, nested mappings as groups.
        options: names to values, as ``metrics``.
        turntable: MP4 to show, or None.
        max_megabytes: size to stay under, in MB (10^6 bytes).

    Returns:
        ``path``.
    """
    path = Path(path)
    sets = [("Held-out views", "held", held)] if held is not None and len(held) else []
    sets.append(("Training views" if sets else "Views", "train", train))
    video = video_uri(Path(turntable)) if turntable is not None else None
    charts = [
        {"title": name, "names": list(lines), "svg": line_chart(lines, label=name, stages=stages)}
        for name, lines in (curves or {}).items()
    ]
    spent = len(video or "") + sum(len(chart["svg"]) for chart in charts) + 100_000
    side = _side_within(max_megabytes * 1e6 - spent, [views for _, _, views in sets])

    groups: list[dict[str, Any]] = []
    leads: list[tuple[str, str]] = []
    bars: list[tuple[str, float, int, str]] = []
    for name, key, views in sets:
        iou, series = views.iou(), 0 if key == "train" else 1
        cards = [_card(views, i, f"{key}-{i}", float(iou[i]), side) for i in range(len(views))]
        mean, lowest = f"{float(iou.mean()):.4f}", f"{float(iou.min()):.4f}"
        groups.append({"name": name, "series": series, "cards": cards, "mean": mean, "lowest": lowest})
        leads.insert(0, (f"silhouette IoU, {_count(views, held is not None, key)}", mean))
        bars += [(c["name"], 1 - float(v), series, f"#{c['id']}") for c, v in zip(cards, iou)]

    page = rendered(
        "report.html.j2",
        title=title,
        subtitle=subtitle,
        leads=leads,
        figures=[(label, text_of(value)) for label, value in (headline or {}).items()],
        video=video,
        groups=groups,
        error_bars=bar_chart(bars, label="Silhouette error of each view, one minus IoU"),
        open_cards=_OPEN_CARDS,
        charts=charts,
        tables=[("Metrics", _tables(metrics or {})), ("Options", _tables(options or {}))],
        any_unknown=any(views.known is not None for _, _, views in sets),
    )
    write_atomically(path, page.encode())
    return path


def _count(views: ViewPictures, with_held: bool, key: str) -> str:
    kind = {"train": "training", "held": "held-out"}[key] + " " if with_held else ""
    return f"{len(views)} {kind}view{'s' if len(views) != 1 else ''}"


def _tiles(views: ViewPictures, i: int, side: int) -> list[tuple[str, str]]:
    """(caption, data URI) of each picture of view i."""
    tile = torch.tensor(BACKGROUND)

    def small(value: Any, name: str) -> Tensor:
        return fitted(as_picture(value[i], name), side)

    def on_tile(color: Tensor, coverage: Tensor) -> Tensor:
        return color * coverage[..., None] + tile * (1 - coverage[..., None])

    tiles = []
    if views.images is not None:
        tiles.append(("photograph", picture_uri(small(views.images, "images"), photograph=True)))
    tiles.append(("mask", picture_uri(on_tile(torch.ones(3), small(views.masks, "masks")), photograph=False)))
    if views.renders is None:
        coverage = on_tile(torch.ones(3), small(views.alphas, "alphas"))
        tiles.append(("render", picture_uri(coverage, photograph=False)))
    else:
        render = small(views.renders, "renders")
        if render.shape[-1] == 4:
            render = on_tile(render[..., :3], render[..., 3])
        tiles.append(("render", picture_uri(render, photograph=True)))
    known = None if views.known is None else views.known[i]
    error = overlay(views.masks[i], views.alphas[i], known=known)
    tiles.append(("error", picture_uri(fitted(error, side), photograph=False)))
    return tiles


def _card(views: ViewPictures, i: int, name: str, iou: float, side: int) -> dict[str, Any]:
    height, width = views.masks.shape[1:]
    scale = min(1.0, side / max(height, width))
    return {
        "id": name,
        "name": str(views.names[i]),
        "iou": f"{iou:.4f}",
        "tiles": _tiles(views, i, side),
        "width": round(width * scale),
        "height": round(height * scale),
    }


def _side_within(budget: float, sets: Sequence[ViewPictures]) -> int:
    """The largest picture side with which all views fit into ``budget`` bytes, judged by a few of them."""
    for side in _SIDES:
        estimate = 0.0
        for views in sets:
            sample = np.unique(np.linspace(0, len(views) - 1, min(len(views), 5)).astype(int))
            sizes = [sum(len(uri) for _, uri in _tiles(views, int(i), side)) for i in sample]
            estimate += len(views) * (max(sizes, default=0) + 800)
        if estimate <= budget:
            return side
    return _SIDES[-1]


def _tables(values: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(caption, rows) of the plain values and of each group; the names of deeper groups are joined."""
    plain = [(key, text_of(value)) for key, value in values.items() if not isinstance(value, Mapping)]
    groups = [(str(key), _rows(value)) for key, value in values.items() if isinstance(value, Mapping) and value]
    if groups:
        return [("general", plain), *groups] if plain else groups
    half = len(plain) if len(plain) <= 8 else -(-len(plain) // 2)  # one long table stands in two columns
    return [("", part) for part in (plain[:half], plain[half:]) if part]


def _rows(values: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{before}{key}"
        rows += _rows(value, f"{name} · ") if isinstance(value, Mapping) else [(name, text_of(value))]
    return rows
