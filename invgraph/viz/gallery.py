"""A page of figures, tables and pictures of many objects: what evaluation and prediction show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..atomic import write_atomically
from .arrays import as_picture
from .encode import picture_uri
from .overlay import BACKGROUND
from .page import rendered, text_of

Picture = Tensor | np.ndarray


@dataclass(frozen=True)
class Table:
    """Rows of values below their column's heading; the first one names the row."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    strong: int | None = None
    """A column to stand out."""


@dataclass(frozen=True)
class Card:
    """An object: its name, a figure, pictures (H, W), (H, W, 3) or (H, W, 4) by their captions, and remarks."""

    name: str
    figure: str
    tiles: Sequence[tuple[str, Picture]]
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Group:
    """Objects under a heading."""

    heading: str
    cards: Sequence[Card]
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """A large picture under a heading, and what its colours (sRGB in [0, 1]) mean."""

    heading: str
    picture: Picture
    legend: Sequence[tuple[str, Sequence[float]]] = ()
    note: str = ""


def write_gallery(
    path: str | Path,
    *,
    kind: str,
    title: str,
    subtitle: str = "",
    leads: Sequence[tuple[str, Any]] = (),
    figures: Sequence[tuple[str, Any]] = (),
    tables: Sequence[Table] = (),
    groups: Sequence[Group] = (),
    panels: Sequence[Panel] = (),
) -> Path:
    """Write a self-contained HTML page, in the look of :func:`write_report`. The file appears when it is complete.

    Args:
        path: HTML file to write.
        kind: of page, in lower case: "evaluation".
        title: heading.
        subtitle: a line below it.
        leads: (label, value), shown largest.
        figures: (label, value), shown large.
        tables, groups, panels: what the page holds, in the order tables, groups of pictures, panels.

    Returns:
        ``path``.

    Raises:
        ValueError: a row that is not as long as its table is wide, or pictures of other shapes.
        InputError: the file cannot be written.
    """
    for table in tables:
        for row in table.rows:
            if len(row) != len(table.columns):
                raise ValueError(f"tables: expected rows of {len(table.columns)} values, got {row!r}")
    page = rendered(
        "gallery.html.j2",
        kind=kind,
        title=title,
        subtitle=subtitle,
        leads=[(label, text_of(value)) for label, value in leads],
        figures=[(label, text_of(value)) for label, value in figures],
        tables=[_table(table) for table in tables],
        groups=[
            {"heading": group.heading, "note": group.note, "cards": [_card(card) for card in group.cards]}
            for group in groups
        ],
        panels=[
            {
                "heading": panel.heading,
                "note": panel.note,
                "uri": picture_uri(_flat(panel.picture), photograph=False),
                "legend": [
                    (name, "#" + "".join(f"{round(255 * c):02x}" for c in color)) for name, color in panel.legend
                ],
            }
            for panel in panels
        ],
    )
    path = Path(path)
    write_atomically(path, page.encode())
    return path


def _table(table: Table) -> dict[str, Any]:
    rows = [[value if isinstance(value, str) else text_of(value) for value in row] for row in table.rows]
    return {
        "heading": table.heading,
        "columns": table.columns,
        "rows": rows,
        "note": table.note,
        "strong": table.strong,
    }


def _card(card: Card) -> dict[str, Any]:
    tiles = []
    for caption, picture in card.tiles:
        flat = _flat(picture)
        tiles.append((caption, picture_uri(flat, photograph=True), flat.shape[1], flat.shape[0]))
    return {"name": card.name, "figure": card.figure, "tiles": tiles, "remarks": card.remarks}


def _flat(picture: Picture) -> Tensor:
    """A picture without alpha, before the tiles' background."""
    value = as_picture(picture, "picture")
    if value.ndim == 3 and value.shape[-1] == 4:
        return value[..., :3] * value[..., 3:] + value.new_tensor(BACKGROUND) * (1 - value[..., 3:])
    if value.ndim == 2 or (value.ndim == 3 and value.shape[-1] == 3):
        return value
    raise ValueError(f"picture: expected (H, W), (H, W, 3) or (H, W, 4), got {tuple(value.shape)}")
