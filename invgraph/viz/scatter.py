"""Points in the plane, coloured by what they are."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import torch
from torch import Tensor

from .overlay import BACKGROUND

Color = tuple[float, float, float]


def class_colors(count: int) -> list[Color]:
    """Colours (sRGB in [0, 1]) for classes: hues evenly apart, neighbours of unlike lightness."""
    found = []
    for k in range(count):
        lightness = (0.64, 0.78, 0.52)[k % 3]
        found.append(colorsys.hls_to_rgb(k / max(count, 1), lightness, 0.75))
    return found


def scatter(
    points: Tensor, groups: Tensor, colors: Sequence[Color], *, names: Sequence[str] = (), size: int = 1000
) -> Tensor:
    """A picture of points, and below it the names of the groups, if they are given.

    Args:
        points: (N, 2) in [0, 1], x to the right and y up.
        groups: (N,) index into ``colors``.
        colors: sRGB in [0, 1].
        names: as many as ``colors``, or none.
        size: pixels along a side.

    Returns:
        (H, size, 3) float32 in [0, 1]; H is ``size`` without names.

    Raises:
        ValueError: shapes that do not agree.
    """
    import numpy as np
    from PIL import Image, ImageDraw

    if points.ndim != 2 or points.shape[1] != 2 or groups.shape != points.shape[:1]:
        raise ValueError(f"points: expected (N, 2) and groups (N,), got {tuple(points.shape)}, {tuple(groups.shape)}")
    fine, margin = 3, 0.03
    radius = min(9.0, max(2.5, 0.12 * size / max(1.0, len(points)) ** 0.5))
    side = fine * size
    image = Image.new("RGB", (side, side), tuple(round(255 * c) for c in BACKGROUND))
    pen = ImageDraw.Draw(image)
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(0)).tolist()  # none always on top
    for i in order:
        x, y = ((margin + (1 - 2 * margin) * float(v)) * side for v in (points[i, 0], 1 - points[i, 1]))
        r = fine * radius
        fill = tuple(round(255 * c) for c in colors[int(groups[i])])
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=(18, 20, 24), width=fine)
    small = image.resize((size, size), Image.Resampling.BOX)
    picture = torch.from_numpy(np.array(small)).float() / 255
    return torch.cat([picture, _legend(names, colors, size)]) if names else picture


def _legend(names: Sequence[str], colors: Sequence[Color], width: int) -> Tensor:
    """(H, width, 3): a dot of each colour beside its name, in columns."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(20)
    column = 60 + max(round(font.getlength(name)) for name in names)
    columns = max(1, (width - 20) // column)
    image = Image.new("RGB", (width, 34 * -(-len(names) // columns) + 20), tuple(round(255 * c) for c in BACKGROUND))
    pen = ImageDraw.Draw(image)
    for k, (name, color) in enumerate(zip(names, colors, strict=True)):
        x, y = 24 + k % columns * column, 26 + k // columns * 34
        pen.ellipse((x, y - 7, x + 14, y + 7), fill=tuple(round(255 * c) for c in color))
        pen.text((x + 24, y), name, font=font, fill=(225, 228, 234), anchor="lm")
    return torch.from_numpy(np.array(image)).float() / 255
