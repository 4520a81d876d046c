"""Sofas to lie on or without a closed back: chaises longues, benches, day beds, futons, settees."""

from __future__ import annotations

from .parts import Dice, Parts, bar, box, prism, soft_box, wheel
from .upholstery import Style, cushions, feet


def chaise(dice: Dice, parts: Parts, style: Style) -> None:
    """A long seat for one, with a raised head, and a back that falls towards the foot."""
    width, depth, side = dice(1.3, 2.1), dice(0.5, 0.85), dice.whole(0, 1) * 2 - 1
    parts.add(style.cloth, box(width, style.base, depth, (0, style.foot + style.base / 2, 0)))
    cushions(parts, style, width, depth, 1, 0, 0)
    feet(dice, parts, style, width, depth)
    head, lean = dice(0.2, 0.7), dice(0, 0.35)
    start, end = (
        (side * (width / 2 - 0.06), style.level, 0.0),
        (side * (width / 2 - 0.06 + lean), style.seat + head, 0.0),
    )
    parts.add(style.cloth, bar(start, end, 0.14, depth))
    if dice.chance(0.5):
        parts.add(style.accent, wheel(0.1, 1.02 * depth, end, "z"))
    if dice.chance(0.6):
        share, fall = dice(0.3, 1.0), dice(0, 0.8)
        x0, x1 = side * width / 2, side * (0.5 - share) * width
        top = style.seat + 0.9 * head
        middle = style.seat + (1 - fall) * 0.9 * head
        outline = [
            (x0, style.foot),
            (x1, style.foot),
            (x1, style.seat + 0.02),
            (0.4 * x0 + 0.6 * x1, middle),
            (x0, top),
        ]
        parts.add(style.cloth, prism(outline, 0.1, "z", (0, 0, -depth / 2 + 0.04)))


def bench(dice: Dice, parts: Parts, style: Style) -> None:
    """No back: a bench on feet, a pouf, or one with rolled ends."""
    width, depth = dice(0.6, 1.9), dice(0.45, 0.9)
    style.foot = style.foot if dice.chance(0.4) else dice(0.15, 0.4)
    parts.add(style.cloth, box(width, style.base, depth, (0, style.foot + style.base / 2, 0)))
    cushions(parts, style, width * dice(0.97, 1.05), depth * dice(0.97, 1.05), dice.whole(1, 3), 0, 0)
    feet(dice, parts, style, width, depth)
    rise = dice(0.1, 0.45)
    for side in {"two": (-1, 1), "one": (1,), "none": ()}[dice.pick("two", "two", "one", "none")]:
        x, out = side * (width / 2 - 0.03), dice(0, 0.2)
        end = (x + side * out, style.seat + rise, 0.0)
        parts.add(style.cloth, bar((x, style.foot, 0), end, 0.1, depth), wheel(0.09, depth, end, "z"))


def day_bed(dice: Dice, parts: Parts, style: Style) -> None:
    """A mattress on a frame with boards or bars at its ends, and at the rear of some."""
    width, depth, post = dice(1.5, 2.1), dice(0.65, 1.1), dice(0.03, 0.07)
    style.foot, style.base = dice(0.1, 0.34), dice(0.05, 0.12)
    parts.add(style.wood, box(width, style.base, depth, (0, style.foot + style.base / 2, 0)))
    cushions(parts, style, 0.97 * width, 0.96 * depth, 1, 0, 0)
    tops = [style.seat + dice(0.1, 0.7)] * 2
    if dice.chance(0.5):
        tops[1] = style.seat + dice(0.0, 0.2)
    boards = dice.chance(0.4)
    for side, top in zip((-1, 1), tops):
        x, z = side * width / 2, depth / 2 - post / 2
        parts.add(style.wood, *(bar((x, 0, k * z), (x, top, k * z), post) for k in (-1, 1)))
        parts.add(style.wood, box(post, post, depth, (x, top - post / 2, 0)))
        if boards:
            parts.add(style.wood, box(0.6 * post, top - style.foot, depth - post, (x, (top + style.foot) / 2, 0)))
        else:
            spindles = dice.whole(2, 5)
            places = [(n + 1) * depth / (spindles + 1) - depth / 2 for n in range(spindles)]
            parts.add(style.wood, *(bar((x, style.foot, z), (x, top - 0.01, z), 0.03) for z in places))
        if dice.chance(0.5):
            parts.add(style.accent, wheel(0.1, 0.9 * depth, (side * (width / 2 - 0.12), style.seat + 0.08, 0), "z"))
    if dice.chance(0.5):
        top = min(tops) - 0.02
        parts.add(style.wood, box(width, top - style.foot, 0.6 * post, (0, (top + style.foot) / 2, -depth / 2)))


def futon(dice: Dice, parts: Parts, style: Style) -> None:
    """A mattress folded over a frame of slats that leans; open below and at the sides."""
    width, depth, post = dice(0.9, 2.1), dice(0.6, 1.0), dice(0.04, 0.07)
    seat, mat, back, lean = dice(0.2, 0.42), dice(0.06, 0.18), dice(0.3, 0.75), dice(0.1, 0.5)
    z, arm = -depth / 2, seat + dice(0.15, 0.35)
    for side in (-1, 1):
        x = side * width / 2
        parts.add(
            style.wood,
            bar((x, 0, z + post), (x, arm, z + post), post),
            bar((x, 0, -z - post), (x, arm, -z - post), post),
        )
        parts.add(style.wood, box(post, post, depth, (x, seat, 0)), box(1.6 * post, 0.04, 1.05 * depth, (x, arm, 0)))
    parts.add(style.wood, *(box(width, post, post, (0, seat, k * (depth / 2 - post))) for k in (-1, 1)))
    slats = dice.whole(4, 9)
    for n in range(slats):
        x = (n + 0.5) * width / slats - width / 2
        parts.add(style.wood, bar((x, seat, z + post), (x, seat + back, z - lean * back), 0.04))
        parts.add(style.wood, box(0.05, 0.03, depth - post, (x, seat + 0.01, 0)))
    parts.add(style.wood, box(width, 0.05, 0.05, (0, seat + back, z - lean * back)))
    if dice.chance(0.8):
        parts.add(style.cloth, soft_box(width - post, mat, depth, 0.05, (0, seat + mat / 2 + 0.01, 0.02)))
        start, end = (0.0, seat + 0.02, z + mat / 2), (0.0, seat + 0.95 * back, z + mat / 2 - lean * 0.95 * back)
        parts.add(style.cloth, bar(start, end, width - post, mat))


def settee(dice: Dice, parts: Parts, style: Style) -> None:
    """A padded seat in an open wooden frame, with spindles, rails or an oval in the back."""
    count = dice.whole(2, 3)
    width, depth, post = count * dice(0.45, 0.65), dice(0.5, 0.7), dice(0.03, 0.06)
    seat, back, lean = dice(0.3, 0.48), dice(0.3, 0.65), dice(0, 0.15)
    parts.add(style.cloth, soft_box(width, style.cushion, depth, 0.03, (0, seat + style.cushion / 2, 0)))
    x, z, arm = width / 2 - post / 2, depth / 2 - post / 2, seat + style.cushion + dice(0.12, 0.25)
    for side in (-1, 1):
        parts.add(
            style.wood, bar((side * x, 0, -z), (side * x, seat, -z), post), box(post, post, depth, (side * x, seat, 0))
        )
        parts.add(style.wood, bar((side * x, seat, -z), (side * x, seat + back, -z - lean), post))
        parts.add(
            style.wood, bar((side * x, 0, z), (side * x, arm, z), post), box(post, 0.035, depth, (side * x, arm, 0))
        )
    parts.add(style.wood, box(width, 0.07, post, (0, seat + back - 0.03, -z - lean)))
    parts.add(style.wood, *(box(width, post, post, (0, seat, k * z)) for k in (-1, 1)))
    spindles = dice.whole(3, 11)
    if dice.chance(0.6):
        for n in range(spindles):
            place = (n + 1) * 2 * x / (spindles + 1) - x
            parts.add(style.wood, bar((place, seat, -z), (place, seat + back - 0.02, -z - lean), 0.03))
    else:
        middle = (0.0, seat + 0.3 * back, -z - 0.3 * lean), (0.0, seat + 0.9 * back, -z - 0.9 * lean)
        parts.add(style.cloth, bar(*middle, 0.99 * width - post, 0.06))
