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
    points: Tensor, groups: Tensor, colors: Sequence[Color], *, size: int = 1000, radius: float = 0.0
) -> Tensor:
    """A picture of points.

    Args:
        points: (N, 2) in [0, 1], x to the right and y up.
        groups: (N,) index into ``colors``.
        colors: sRGB in [0, 1].
        size: pixels along a side.
        radius: of a point in pixels; 0 for one that suits their number.

    Returns:
        (size, size, 3) float32 in [0, 1].

    Raises:
        ValueError: shapes that do not agree.
    """
    from PIL import Image, ImageDraw

    if points.ndim != 2 or points.shape[1] != 2 or groups.shape != points.shape[:1]:
        raise ValueError(f"points: expected (N, 2) and groups (N,), got {tuple(points.shape)}, {tuple(groups.shape)}")
    import numpy as np

    fine, margin = 3, 0.03
    radius = radius or min(9.0, max(2.5, 0.12 * size / max(1.0, len(points)) ** 0.5))
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
    return torch.from_numpy(np.array(small)).float() / 255
