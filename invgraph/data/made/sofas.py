"""Sofas: straight, round a corner or curved ones, chesterfields and wing chairs; and the choice among all kinds."""

from __future__ import annotations

import math

from . import couches
from .parts import Dice, Parts, bar, box, lathe, prism, soft_box, wheel
from .upholstery import Style, cushions, feet


def sofa(dice: Dice) -> Parts:
    """One of eleven kinds, of free proportions."""
    cloth = dice.colour()
    wood = dice.wood() if dice.chance(0.7) else dice.grey()
    foot = dice(0.02, 0.08) if dice.chance(0.5) else dice(0.1, 0.34)
    style = Style(
        cloth,
        dice.colour() if dice.chance(0.3) else cloth,
        wood,
        foot,
        dice(0.05, 0.24),
        dice(0.06, 0.24),
        dice(0.12, 0.35) if dice.chance(0.4) else dice(0.35, 0.85),
        dice(0.08, 0.34),
    )
    kinds = (
        _straight,
        _straight,
        _straight,
        _corner,
        _corner,
        couches.chaise,
        couches.bench,
        _chesterfield,
        _wing,
        couches.day_bed,
        couches.futon,
    )
    parts = Parts()
    (*kinds, _curved, couches.settee)[dice.whole(0, len(kinds) + 1)](dice, parts, style)
    return parts


def _seat_and_base(dice: Dice, parts: Parts, style: Style, width: float, depth: float, count: int) -> None:
    parts.add(style.cloth, box(width, style.base, depth, (0, style.foot + style.base / 2, 0)))
    cushions(parts, style, width, depth - style.thick, count, 0, style.thick / 2)
    feet(dice, parts, style, width, depth)


def _back(dice: Dice, parts: Parts, style: Style, width: float, depth: float, count: int) -> None:
    """A back along the rear edge: a slab, cushions, a roll, or one that is arched."""
    kind = dice.pick("slab", "slab", "cushions", "cushions", "roll", "arch")
    z, low = -depth / 2 + style.thick / 2, style.foot + 0.01
    if kind == "slab":
        parts.add(style.cloth, bar((0, low, z), (0, style.top, z - dice(0, 0.25) * style.back), width, style.thick))
    elif kind == "cushions":
        drop = dice(0, 0.1)
        for n in range(count):
            x, high = (n + 0.5) * width / count - width / 2, style.top - low - drop * (n % 2)
            parts.add(style.accent, soft_box(0.985 * width / count, high, style.thick, 0.06, (x, low + high / 2, z)))
        parts.add(style.cloth, box(width, 0.6 * (style.top - low), 0.4 * style.thick, (0, style.level, z)))
    elif kind == "roll":
        parts.add(style.cloth, box(width, style.top - low, 0.5 * style.thick, (0, (style.top + low) / 2, z)))
        parts.add(style.cloth, wheel(0.62 * style.thick, width, (0, style.top, z), "x"))
    else:
        rise = dice(0.2, 0.7) * style.back
        half = [(x / 8, style.top - rise * (1 - math.cos(0.5 * math.pi * x / 8))) for x in range(-8, 9)]
        outline = [(0.5 * width * x, y) for x, y in half]
        parts.add(
            style.cloth, prism([(-width / 2, low), (width / 2, low), *reversed(outline)], style.thick, "z", (0, 0, z))
        )


def _arm(dice: Dice, parts: Parts, style: Style, kind: str, side: int, edge: float, depth: float, size: float) -> None:
    """An arm beside ``edge``, ``size`` (its height over the seat) high: box, roll, frame, slope or wing."""
    wide = {"box": 1.0, "roll": 0.8, "frame": 0.35, "slope": 0.7}[kind] * style.thick
    x, low, top = side * (edge + wide / 2 - 0.01), style.foot, style.seat + size
    if kind == "frame":
        for z in (-0.42 * depth, 0.42 * depth):
            parts.add(style.wood, bar((x, 0, z), (x, top, z), wide))
        parts.add(style.wood, box(wide * 1.3, 0.04, 0.95 * depth, (x, top, 0)))
        parts.add(style.wood, box(wide, 0.05, 0.9 * depth, (x, style.foot + 0.03, 0)))
    elif kind == "slope":
        outline = [
            (-depth / 2, low),
            (depth / 2, low),
            (depth / 2, style.seat),
            (-depth / 2, max(top, style.top - 0.05)),
        ]
        parts.add(style.cloth, prism(outline, wide, "x", (x, 0, 0)))
    else:
        parts.add(style.cloth, box(wide, top - low, depth, (x, (low + top) / 2, 0)))
        if kind == "roll":
            parts.add(style.cloth, wheel(0.7 * wide, depth, (x + side * 0.15 * wide, top, 0), "z"))


def _straight(dice: Dice, parts: Parts, style: Style) -> None:
    """One to four seats in a row, with two arms, one or none; some with a part to lie on."""
    count = dice.whole(1, 4)
    width, depth = count * dice(0.48, 0.75), dice(0.55, 1.2)
    _seat_and_base(dice, parts, style, width, depth, count)
    _back(dice, parts, style, width, depth, count)
    kind, size = dice.pick("box", "box", "roll", "frame", "slope"), dice(0.05, 0.36)
    for side in {"two": (-1, 1), "left": (-1,), "right": (1,), "none": ()}[
        dice.pick("two", "two", "two", "left", "right", "none")
    ]:
        _arm(dice, parts, style, kind, side, width / 2, depth, size)
    if count > 1 and dice.chance(0.3):
        side, wide, reach = dice.whole(0, 1) * 2 - 1, width / count, dice(0.4, 0.9)
        x, z = side * (width - wide) / 2, (depth + reach) / 2
        high = style.seat - style.foot
        parts.add(style.accent, box(wide, high, reach + 0.1, (x, style.foot + high / 2, z - 0.05)))
        parts.add(
            style.wood, box(0.7 * wide, style.foot + 0.01, 0.1, (x, (style.foot + 0.01) / 2, depth / 2 + 0.8 * reach))
        )


def _corner(dice: Dice, parts: Parts, style: Style) -> None:
    """Two runs at a right angle, to the left or to the right, or three: each with its back."""
    width, depth, reach = dice(1.5, 3.0), dice(0.6, 1.0), dice(0.5, 1.8)
    turns = {"left": (-1,), "right": (1,), "both": (-1, 1)}[dice.pick("left", "left", "right", "right", "both")]
    _seat_and_base(dice, parts, style, width, depth, max(1, round(width / 0.7)))
    z = -depth / 2 + style.thick / 2
    parts.add(style.cloth, box(width, style.top - style.foot, style.thick, (0, (style.top + style.foot) / 2, z)))
    backed = dice.chance(0.7)
    for side in turns:
        x, middle = side * (width - depth) / 2, (depth + reach) / 2 - 0.02
        parts.add(style.cloth, box(depth, style.base, reach + 0.04, (x, style.foot + style.base / 2, middle)))
        cushions(parts, style, depth, reach + 0.04, 1, x, middle)
        feet(dice, parts, style, depth, reach, x, middle)
        if backed:
            edge, run = side * (width - style.thick) / 2, depth + reach
            high = style.top - style.foot
            parts.add(style.cloth, box(style.thick, high, run, (edge, style.foot + high / 2, reach / 2)))
        if dice.chance(0.3):
            low, end = style.foot, depth / 2 + reach
            high = style.seat + 0.6 * style.back - low
            parts.add(style.cloth, box(depth, high, 0.7 * style.thick, (x, low + high / 2, end)))
    if len(turns) == 1 and dice.chance(0.7):
        _arm(dice, parts, style, dice.pick("box", "roll", "slope"), -turns[0], width / 2, depth, dice(0.05, 0.35))


def _chesterfield(dice: Dice, parts: Parts, style: Style) -> None:
    """Arms as high as the back, all rolled over."""
    count = dice.whole(1, 3)
    width, depth = count * dice(0.5, 0.7), dice(0.7, 1.0)
    rise, roll = dice(0.15, 0.45), dice(0.08, 0.17)
    _seat_and_base(dice, parts, style, width, depth, count)
    top = style.seat + rise
    high, edge = top - style.foot, width / 2 + 0.5 * roll
    z = -depth / 2
    parts.add(style.cloth, box(width + 2 * roll, high, 1.2 * roll, (0, style.foot + high / 2, z)))
    parts.add(style.cloth, wheel(roll, width + 2 * roll, (0, top, z - 0.3 * roll), "x"))
    for side in (-1, 1):
        parts.add(style.cloth, box(1.2 * roll, high, depth, (side * edge, style.foot + high / 2, 0)))
        parts.add(style.cloth, wheel(roll, depth + roll, (side * (edge + 0.4 * roll), top, 0), "z"))


def _wing(dice: Dice, parts: Parts, style: Style) -> None:
    """A high back with wings, for one or two."""
    count = dice.whole(1, 2)
    width, depth = count * dice(0.5, 0.65), dice(0.6, 0.85)
    style.back, style.thick = dice(0.5, 0.95), dice(0.08, 0.16)
    _seat_and_base(dice, parts, style, width, depth, count)
    z, lean = -depth / 2 + style.thick / 2, dice(0, 0.15)
    parts.add(style.cloth, bar((0, style.foot, z), (0, style.top, z - lean), width, style.thick))
    arm, reach = style.seat + dice(0.1, 0.3), dice(0.2, 0.5) * depth
    low, front, back = style.foot, dice(0.4, 0.5) * depth, -depth / 2
    outline = [
        (back, low),
        (front, low),
        (front, arm),
        (back + reach, arm + 0.03),
        (back + reach - lean, style.top - 0.08),
    ]
    outline += [(back + 0.03 - lean, style.top - 0.02)]
    for side in (-1, 1):
        parts.add(style.cloth, prism(outline, 0.1, "x", (side * (width / 2 + 0.03), 0, 0)))


def _curved(dice: Dice, parts: Parts, style: Style) -> None:
    """Bent in plan around the one who looks at it, or nearly closed as a tub."""
    inner, depth = dice(0.25, 1.4), dice(0.5, 0.85)
    outer = inner + depth
    half = dice(0.35, 1.0) * math.pi * min(1.0, 1.3 / outer)
    thick = min(style.thick, 0.4 * depth)

    def sector(near: float, far: float, low: float, high: float) -> None:
        steps = [half * n / 12 for n in range(-12, 13)]
        arc = [(math.sin(a), -math.cos(a)) for a in steps]
        outline = [(far * x, far * z) for x, z in arc] + [(near * x, near * z) for x, z in reversed(arc)]
        parts.add(style.cloth, prism(outline, high - low, "y", (0, (low + high) / 2, 0)))

    sector(inner, outer, style.foot, style.seat)
    sector(outer - thick, outer + dice(0, 0.1), style.foot, style.top)
    middle = (inner + outer) / 2
    for n in range(-2, 3):
        x, z = middle * math.sin(0.4 * n * half), -middle * math.cos(0.4 * n * half)
        parts.add(
            style.wood, lathe([(0, 0), (0.05, 0), (0.09, style.foot + 0.01), (0, style.foot + 0.01)], (x, 0, z), 10)
        )
