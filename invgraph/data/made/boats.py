"""Boats and ships, built along z, heading towards the viewer of the first view."""

from __future__ import annotations

from itertools import pairwise

from .parts import Colour, Dice, Manifold, Parts, box, pair, prism, rod, soft_box


def boat(dice: Dice) -> Parts:
    """A sailing boat with one or two masts, a motor boat, a ship with containers, a ferry or an open rowing boat."""
    parts = Parts()
    paint, deck, white = dice.colour(), dice.wood(), dice.grey(0.75, 0.95)
    kind = dice.pick("sail", "sail", "motor", "freighter", "ferry", "rowing")
    length = dice(3.4, 4.4) if kind in ("freighter", "ferry") else dice(2.6, 3.4)
    width = length * (dice(0.17, 0.24) if kind in ("freighter", "ferry") else dice(0.27, 0.38))
    depth = length * dice(0.09, 0.14)
    parts.add(paint, _hull(length, width, depth, dice(0.35, 0.75)))
    if kind in ("rowing", "motor", "sail") and (kind == "rowing" or dice.chance(0.4)):
        inner = _hull(0.93 * length, 0.86 * width, 0.8 * depth, 0.5)
        hollow = inner.translate((0, 0.08 * depth + 0.02, 0))
        if kind != "rowing":
            hollow = hollow.trim_by_plane((0, 0, -1), 0.05 * length)
        parts.cut(hollow)
    else:
        parts.add(deck, _hull(0.9 * length, 0.88 * width, 0.02, 1.0).translate((0, 0.015, 0)))
    if kind == "sail":
        _rig(dice, parts, deck, white, length, width)
        if dice.chance(0.6):
            parts.add(white, soft_box(0.5 * width, 0.2, 0.3 * length, 0.05, (0, 0.08, -0.02 * length)))
        if dice.chance(0.6):
            parts.add(
                paint, prism([(0.12, 0), (-0.12, 0), (-0.06, -0.3), (0.06, -0.3)], 0.05, "x", (0, -depth + 0.02, 0))
            )
    elif kind == "rowing":
        for z in (-0.22, 0.05, 0.28)[: dice.whole(2, 3)]:
            parts.add(deck, box(0.8 * width, 0.04, 0.14, (0, -0.06, z * length)))
        if dice.chance(0.5):
            parts.add(deck, *pair(rod((0.1, 0.04, 0.0), (width * dice(0.8, 1.2), -0.05, -0.5), 0.025)))
    elif kind == "motor":
        low = [(0.22, 0), (0.05, 0.3), (-0.25, 0.32), (-0.28, 0)]
        outline = [(z * length, y) for z, y in low]
        parts.add(white, prism(outline, 0.62 * width, "x"))
        if dice.chance(0.5):
            upper = [(z * 0.55 * length - 0.1, 0.28 + y) for z, y in low]
            parts.add(white, prism(upper, 0.5 * width, "x"))
        parts.add(dice.grey(0.1, 0.3), box(0.64 * width, 0.1, 0.24 * length, (0, 0.18, -0.08 * length)))
        parts.add(dice.grey(0.1, 0.3), soft_box(0.2, 0.35, 0.2, 0.04, (0, -0.05, -0.51 * length)))
    else:
        _ship(dice, parts, white, kind, length, width)
    return parts


def _hull(length: float, width: float, depth: float, keel: float) -> Manifold:
    """From the deck at y = 0 down; pointed in front, with a square stern."""
    stations = [(-0.5, 0.75), (-0.25, 0.97), (0.05, 1.0), (0.25, 0.85), (0.4, 0.5), (0.5, 0.03)]
    sections = []
    for z, wide in stations:
        x, low = 0.5 * width * wide, depth * (1.0 if z < 0.3 else 0.85 if z < 0.45 else 0.4)
        outline = [(-x, 0.0), (-x * keel, -low), (x * keel, -low), (x, 0.0)]
        sections.append(prism(outline, 1e-3, "z", (0, 0, z * length)))
    hull = Manifold()
    for a, b in pairwise(sections):
        hull = hull + Manifold.batch_hull([a, b])
    return hull


def _rig(dice: Dice, parts: Parts, wood: Colour, white: Colour, length: float, width: float) -> None:
    masts = dice.whole(1, 2)
    for n in range(masts):
        z = 0.08 * length if masts == 1 else (0.2 - 0.35 * n) * length
        high = length * dice(0.8, 1.15) * (1.0 if n == 0 else 0.8)
        parts.add(wood, rod((0, -0.05, z), (0, high, z), 0.035, 0.02))
        boom = (0.42 if masts == 1 else 0.3) * length
        swing = dice(-25, 25)
        sail = prism([(0, 0.22), (-boom, 0.22), (-0.03, high * 0.96)], 0.03, "x")
        yard = rod((0, 0.2, 0), (0, 0.2, -boom), 0.025)
        parts.add(white, sail.rotate((0, swing, 0)).translate((0, 0, z)))
        parts.add(wood, yard.rotate((0, swing, 0)).translate((0, 0, z)))
        if n == 0 and dice.chance(0.7):
            bow = 0.48 * length
            jib = prism([(bow - z, 0.04), (0.1, 0.15), (0.02, 0.85 * high)], 0.03, "x", (0, 0, z))
            parts.add(white, jib)


def _ship(dice: Dice, parts: Parts, white: Colour, kind: str, length: float, width: float) -> None:
    if kind == "freighter":
        bridge = -0.38 * length
        parts.add(white, box(0.85 * width, 0.45, 0.1 * length, (0, 0.2, bridge)))
        parts.add(white, box(0.95 * width, 0.1, 0.06 * length, (0, 0.45, bridge)))
        count = dice.whole(3, 6)
        step = 0.62 * length / count
        for n in range(count):
            high = dice(0.08, 0.32)
            middle = (0, high / 2 - 0.01, bridge + 0.1 * length + (n + 0.5) * step)
            parts.add(dice.colour(), box(0.85 * width, high, 0.85 * step, middle))
    else:
        decks = dice.whole(2, 4)
        for n in range(decks):
            long = (0.75 - 0.12 * n) * length
            parts.add(white, box((0.86 - 0.06 * n) * width, 0.15, long, (0, 0.15 * n + 0.07, -0.05 * length)))
    for n in range(dice.whole(1, 3)):
        z = (-0.15 - 0.13 * n) * length
        high = 0.6 if kind == "freighter" else 0.95
        parts.add(dice.colour(), rod((0, 0, z - 0.05), (0, high * dice(0.85, 1.1), z - 0.1), 0.09, 0.07, 16))
