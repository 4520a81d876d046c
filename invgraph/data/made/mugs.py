"""Mugs and cups."""

from __future__ import annotations

import itertools
import math

from .parts import Colour, Dice, Manifold, Outline, Parts, ball, lathe, pair, ring, rod, tube, wheel


def mug(dice: Dice) -> Parts:
    """A mug, tea or espresso cup, tankard or stein, round, square or cornered, with one handle or two of many forms.

    Some stand on a foot or a saucer, some have a lid.
    """
    parts = Parts()
    clay = dice.colour()
    radius = dice(0.28, 0.6)
    high = radius * (dice(0.7, 1.5) if dice.chance(0.5) else dice(1.5, 4.2))
    wall = dice(0.05, 0.14) * radius + 0.01
    lines = _profile(dice, radius)
    sides = {"round": 28, "square": 4, "cornered": dice.whole(6, 9)}[
        dice.pick("round", "round", "round", "square", "cornered")
    ]
    if sides == 4:
        sharp = dice(0.02, 0.3)
        outer, inner = (_boxy(lines, high, cut, sharp) for cut in (0.0, wall))
    else:
        outer, inner = (_turned(lines, high, cut, sides) for cut in (0.0, wall))
    floor = dice(0.04, 0.3) * high if dice.chance(0.3) else wall
    lid = dice.chance(0.15)
    parts.add(clay, outer if lid and dice.chance(0.5) else outer - inner.trim_by_plane((0, 1, 0), floor))
    _handles(dice, parts, clay, outer, [(r, y * high) for r, y in lines])
    _below(dice, parts, clay, lines[0][0])
    if lid:
        top = lines[-1][0]
        rise = dice(0.05, 0.4)
        parts.add(
            dice.colour(),
            lathe(
                [
                    (0, high - 0.04),
                    (1.05 * top, high - 0.04),
                    (1.05 * top, high + 0.03),
                    (0.2 * top, high + rise),
                    (0, high + rise),
                ]
            ),
        )
        parts.add(dice.colour(), ball(dice(0.05, 0.12), (0, high + rise + 0.03, 0), 12))
    return parts


def _profile(dice: Dice, radius: float) -> list[tuple[float, float]]:
    """(radius, share of the height) of the outside, from the bottom to the rim."""
    kind = dice.pick("straight", "cone", "cone", "round", "waisted", "belly", "tulip")
    much = dice(0.15, 0.6)
    forms = {
        "straight": lambda s: 1.0,
        "cone": lambda s: 1 - much * (1 - s),
        "round": lambda s: 1 - much * (1 - s) ** 2.5,
        "waisted": lambda s: 1 - 0.6 * much * math.sin(math.pi * s),
        "belly": lambda s: 1 - 0.7 * much * (2 * s - 1) ** 2,
        "tulip": lambda s: 0.75 - 0.5 * much * math.sin(2 * math.pi * s - 0.6) + 0.15 * s,
    }
    flip = kind == "cone" and dice.chance(0.3)
    return [(radius * forms[kind](1 - n / 8 if flip else n / 8), n / 8) for n in range(9)]


def _turned(lines: Outline, high: float, cut: float, sides: int) -> Manifold:
    rim = [(0.0, lines[-1][1] * high), (0.0, 0.0)]
    if cut:  # up beyond the rim, so that the mouth is open
        rim = [(lines[-1][0] - cut, 1.2 * high), (0.0, 1.2 * high), (0.0, 0.0)]
    return lathe([*((r - cut, y * high) for r, y in lines), *rim], sides=sides)


def _boxy(lines: Outline, high: float, cut: float, soft: float) -> Manifold:
    """Square with round corners, as wide below and above as the lines; ``cut`` within them."""
    low, top = lines[0][0] - cut, lines[-1][0] - cut
    edge = soft * min(low, top)
    discs = []
    for y, reach in ((0.0, low), (high if not cut else 1.2 * high, top)):
        x = 0.9 * reach - edge
        discs += [wheel(edge, 1e-3, (i * x, y, k * x), "y", 12) for i in (-1, 1) for k in (-1, 1)]
    return Manifold.batch_hull(discs)


def _handles(dice: Dice, parts: Parts, clay: Colour, outer: Manifold, lines: Outline) -> None:
    """One handle to any side of the right, or two, cut where they would stand inside."""
    high = lines[-1][1]
    long, reach = dice(0.25, 0.8) * high, dice(0.12, 0.55)
    thick = min(dice(0.03, 0.085), 0.12 * high)
    low = dice(0.04 * high, 0.97 * high - long - thick)  # the top end stays below the rim
    kind = dice.pick("loop", "loop", "corner", "ear", "ring", "strap", "open")
    start = -0.75 * min(r for r, _ in lines)  # from well inside of the wall
    a, b = (_at(lines, y) for y in (low, low + long))
    middle, side = low + long / 2, max(a, b)
    if kind == "ring":
        size = max(0.5 * long, 1.6 * thick)
        grip = ring(size, thick, (_at(lines, middle) + 0.6 * size, middle, 0), "z")
    elif kind in ("corner", "strap"):
        drop = dice(0.0, 0.4) * long
        line = [
            (b + start, low + long, 0.0),
            (side + reach, low + long, 0.0),
            (side + reach * dice(0.4, 1.0), low + drop, 0.0),
            (a + start, low, 0.0),
        ]
        grip = tube(line, thick)
        if kind == "strap":
            grip = grip.scale((1, 1, dice(1.5, 3.0)))
    else:
        lean = {"loop": 0.0, "ear": 0.5, "open": 0.2}[kind]
        line = [
            (
                a + (b - a) * s - 0.5 * abs(start) * (s in (0.0, 1.0)) + reach * math.sin(math.pi * s ** (1 - lean)),
                low + long * s,
                0.0,
            )
            for s in (n / 8 for n in range(9))
        ]
        grip = tube(line[3:] if kind == "open" else line, thick)
    grip = grip - outer
    turn = dice(-45, 45) if dice.chance(0.3) else 0.0
    colour = clay if dice.chance(0.7) else dice.colour()
    parts.add(colour, *((pair(grip)) if dice.chance(0.12) else [grip.rotate((0, turn, 0))]))


def _at(lines: Outline, y: float) -> float:
    """Radius at a height."""
    for (r0, y0), (r1, y1) in itertools.pairwise(lines):
        if y <= y1:
            return r0 + (r1 - r0) * (y - y0) / (y1 - y0)
    return lines[-1][0]


def _below(dice: Dice, parts: Parts, clay: Colour, radius: float) -> None:
    """Some of: a foot, a stem with a foot, a saucer with or without a spoon, three small feet."""
    kind = dice.pick("none", "none", "none", "foot", "stem", "saucer", "saucer", "feet")
    thin = 0.75 * radius
    if kind == "foot":
        deep = dice(0.04, 0.14)
        parts.add(clay, lathe([(0, -deep), (thin * dice(0.7, 1.3), -deep), (0.7 * thin, 0.02), (0, 0.02)]))
    elif kind == "stem":
        deep, slim = dice(0.15, 0.5), dice(0.15, 0.4) * radius
        wide = dice(0.8, 1.3) * radius
        parts.add(
            clay,
            lathe(
                [
                    (0, -deep),
                    (wide, -deep),
                    (wide, 0.03 - deep),
                    (slim, 0.1 - deep),
                    (slim, -0.04),
                    (0.9 * radius, 0.02),
                    (0, 0.02),
                ]
            ),
        )
    elif kind == "saucer":
        wide, rise = dice(1.4, 2.4) * radius + 0.1, dice(0.0, 0.16)
        parts.add(
            dice.colour() if dice.chance(0.2) else clay,
            lathe(
                [
                    (0, -0.06),
                    (0.5 * wide, -0.06),
                    (wide, rise - 0.03),
                    (wide, rise + 0.02),
                    (0.6 * wide, 0.0),
                    (0, 0.02),
                ]
            ),
        )
        if dice.chance(0.3):
            z = 0.5 * (wide + radius)
            parts.add(
                dice.grey(0.6, 0.9),
                rod((-0.3, -0.01 + rise / 3, z), (0.9 * wide, 0.04 + rise / 2, z), 0.035, sides=8),
                ball((0.14, 0.06, 0.09), (-0.35, 0.0 + rise / 3, z), 10),
            )
    elif kind == "feet":
        for n in range(3):
            x, z = thin * math.cos(2.1 * n), thin * math.sin(2.1 * n)
            parts.add(clay, ball(0.08, (x, -0.03, z), 10))
