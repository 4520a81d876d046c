"""What road vehicles share: wheels on axles, outlines that narrow towards the top."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .parts import Colour, Dice, Manifold, Outline, Parts, box, pair, prism, rod, wheel


def on_wheels(
    dice: Dice,
    parts: Parts,
    width: float,
    radius: float,
    axles: Sequence[float],
    *,
    bottom: float,
    tread: float | None = None,
    arches: bool = True,
) -> None:
    """Put a vehicle on wheels that stand at y = 0.

    Args:
        dice: for the tread and the colours.
        parts: the body; arches are cut from it.
        width: from the outer side of a wheel to that of the other.
        radius: of the wheels.
        axles: z of each.
        bottom: y at which there is body above each axle's middle, or body down to the axle itself.
        tread: breadth of a tyre; 0.3 to 0.75 of the radius if None.
        arches: cut room for the wheels from the body.
    """
    tyre, rim = dice.grey(0.08, 0.2), dice.grey(0.4, 0.95)
    tread = tread or dice(0.3, 0.75) * radius
    x, hub = width / 2 - tread / 2, dice(0.35, 0.7) * radius
    if arches:
        parts.cut(*(wheel(1.15 * radius, 2.4 * tread, (i * width / 2, radius, z), "x") for i in (-1, 1) for z in axles))
    for z in axles:
        parts.add(tyre, *pair(wheel(radius, tread, (x, radius, z), "x", 20)))
        parts.add(rim, *pair(wheel(hub, tread + 0.05, (x, radius, z), "x", 12)))
        parts.add(tyre, rod((-x, radius, z), (x, radius, z), 0.25 * radius, sides=8))
        if bottom > radius:
            parts.add(tyre, box(0.3 * width, bottom - radius + 0.1, 0.4 * radius, (0, (bottom + radius) / 2, z)))


def tapered(outline: Outline, width: float, narrow: float, low: float, high: float) -> Manifold:
    """An outline in (z, y) drawn out along x, ``width`` at ``low`` and ``narrow`` of it at ``high``."""
    solid = prism(outline, width, "x")
    lean = width / 2 * (1 - narrow) / (high - low)
    side = math.hypot(1.0, lean)
    for sign in (-1.0, 1.0):
        normal = (-sign / side, -lean / side, 0.0)
        solid = solid.trim_by_plane(normal, -(width / 2 + lean * low) / side)
    return solid


def quad(front: float, rear: float, low: float, high: float, rake: float = 0.0, fall: float = 0.0) -> Outline:
    """Outline (z, y) of a cabin: its screen leans back by ``rake``, its rear forwards by ``fall``."""
    return [(front, low), (front - rake, high), (rear + fall, high), (rear, low)]


def lamps(parts: Parts, width: float, y: float, front: float, size: float) -> None:
    """Two head lamps that stand out of the front."""
    glow: Colour = (0.95, 0.93, 0.8)
    parts.add(glow, *pair(box(1.6 * size, size, 0.1, (0.33 * width, y, front - 0.01))))
