"""Hulls of boats and ships, from the deck at y = 0 down, along z."""

from __future__ import annotations

import math
from itertools import pairwise

from .parts import Dice, Manifold, Parts, box, pair, prism, rod, soft_box, union

Stations = list[tuple[float, float, float]]


def hull(dice: Dice, length: float, width: float, depth: float, *, double: bool = False) -> Manifold:
    """A hull of the given size, pointed in front, and behind too if ``double``; free of bow, stern and keel.

    Args:
        dice: for its lines.
        length: along z.
        width: along x, at its broadest.
        depth: along y, at its deepest.
        double: pointed at both ends.
    """
    full, rake, keel = dice(0.3, 0.85), dice(0.1, 0.8), dice(0.05, 0.85)
    stern = 0.04 if double else dice(0.55, 1.0)
    stations = [
        (-0.5, stern, 1 - 0.8 * rake if double else dice(0.6, 1.0)),
        (-0.25, max(0.9 * (0.4 + 0.6 * full), stern) if double else 0.5 + 0.5 * stern, 1.0),
        (0.05, 1.0, 1.0),
        (0.28, 0.7 + 0.3 * full, 1.0),
        (0.42, 0.25 + 0.65 * full, 1 - 0.3 * rake),
        (0.5, 0.04, 1 - rake),
    ]
    return _lofted(stations, length, width, depth, keel)


def shell(length: float, width: float, depth: float, rise: float, *, hollow: bool) -> Manifold:
    """A canoe's hull: pointed at both ends, which stand up by ``rise``; hollow or with a deck."""
    stations = [(s, math.cos(math.pi * s) * 0.96 + 0.04, 1.0 - 0.7 * (2 * abs(s)) ** 4) for s in _steps(8)]
    solid = _lofted(stations, length, width, depth, 0.45, rise)
    if not hollow:
        return solid
    inner = _lofted(stations, 0.95 * length, 0.84 * width, 0.84 * depth, 0.45, rise)
    return solid - inner.translate((0, 0.1 * depth, 0))


def _steps(count: int) -> list[float]:
    return [n / count - 0.5 for n in range(count + 1)]


def _lofted(stations: Stations, length: float, width: float, depth: float, keel: float, rise: float = 0.0) -> Manifold:
    """Through stations of (place, share of the width, share of the depth); ``keel`` is the breadth at the bottom."""
    sections = []
    for s, wide, deep in stations:
        x, low, lift = 0.5 * width * wide, depth * deep, rise * (2 * abs(s)) ** 3
        outline = [(-x, lift), (-x * keel, lift - low), (x * keel, lift - low), (x, lift)]
        sections.append(prism(outline, 1e-3, "z", (0, 0, s * length)))
    return union(*(Manifold.batch_hull([a, b]) for a, b in pairwise(sections)))


def pit(length: float, width: float, depth: float, z: float) -> Manifold:
    """What is cut from a deck for a cockpit or a hold."""
    return soft_box(width, 2 * depth, length, 0.08, (0, 0, z))


def oars(dice: Dice, parts: Parts, length: float, width: float, count: int) -> None:
    """Pairs of oars, out over the sides, each on its rowlock."""
    reach, dip, slant = dice(0.5, 1.1), dice(0.0, 0.5), dice(-0.4, 0.4)
    colour = dice.wood()
    for n in range(count):
        z = ((n + 0.5) / count - 0.5) * 0.5 * length
        tip = (0.4 * width + reach, -dip, z + slant)
        parts.add(colour, *pair(rod((0.2 * width, 0.06, z), tip, 0.045, sides=8)))
        parts.add(colour, *pair(box(0.3, 0.05, 0.14, tip)), box(0.86 * width, 0.1, 0.1, (0, 0.0, z)))
