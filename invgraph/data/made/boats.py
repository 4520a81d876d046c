"""Boats that people sail, row and drive, built along z, heading towards the viewer of the first view."""

from __future__ import annotations

import itertools

from .hulls import hull, oars, pit, shell
from .parts import Colour, Dice, Parts, ball, bar, box, pair, prism, rod, soft_box, wheel
from .ships import cargo, ferry, house_boat, submarine, tug, warship


def boat(dice: Dice) -> Parts:
    """A yacht, junk or galley, catamaran, canoe, rowing or motor boat, tug, cargo ship, ferry, warship or submarine."""
    parts = Parts()
    builders = {
        "yacht": _yacht,
        "square": _square_rigged,
        "catamaran": _catamaran,
        "canoe": _canoe,
        "rowing": _rowing,
        "motor": _motor,
        "raft": house_boat,
        "tug": tug,
        "cargo": cargo,
        "ferry": ferry,
        "warship": warship,
        "submarine": submarine,
    }
    builders[dice.pick("yacht", "motor", *builders)](dice, parts, dice.colour())
    return parts


def _yacht(dice: Dice, parts: Parts, paint: Colour) -> None:
    """One to three masts with sails up or furled; a fin keel on some."""
    length, width, depth = 3.0, dice(0.6, 1.3), dice(0.22, 0.5)
    parts.add(paint, hull(dice, length, width, depth))
    if dice.chance(0.5):
        parts.cut(pit(dice(0.3, 0.6) * length, 0.65 * width, 0.5 * depth, -0.15 * length))
    masts = dice.whole(1, 3) if dice.chance(0.5) else 1
    for n in range(masts):
        z = dice(0.0, 0.15) * length if masts == 1 else (0.3 - 0.3 * n) * length
        high = length * dice(0.6, 1.5) * (1.0 if masts == 1 else 0.8)
        _sail(
            dice,
            parts,
            (-0.65 * depth, z),
            high,
            dice(0.35, 0.48) * length if masts == 1 else 0.24 * length,
            jib=n == 0,
        )
    if dice.chance(0.4):
        long, high = dice(0.15, 0.35) * length, dice(0.15, 0.35)
        parts.add(
            dice.grey(0.7, 0.95), soft_box(0.55 * width, high + 0.1, long, 0.05, (0, high / 2 - 0.05, 0.1 * length))
        )
    if dice.chance(0.5):
        reach, foot = dice(0.3, 1.0), dice(0.1, 0.25)
        fin = [(0.25, 0), (-0.25, 0), (-0.2 - foot, -reach), (0.2 - foot, -reach)]
        parts.add(paint, prism(fin, 0.09, "x", (0, -0.7 * depth, 0)))
        if dice.chance(0.5):
            parts.add(paint, ball((0.1, 0.1, 0.4), (0, -0.7 * depth - reach, -foot), 12))


def _sail(dice: Dice, parts: Parts, foot: tuple[float, float], high: float, boom: float, jib: bool) -> None:
    """A mast with a triangular, a gaff or a lug sail or one furled on the boom, and perhaps a foresail.

    ``foot`` is the mast's, (y, z).
    """
    base, z = foot
    wood, white = dice.wood(), dice.colour() if dice.chance(0.3) else dice.grey(0.75, 0.95)
    parts.add(wood, rod((0, base, z), (0, high, z), 0.045, 0.03, 8))
    swing, low = dice(-50, 50), dice(0.15, 0.4)
    kind = dice.pick("triangle", "triangle", "gaff", "lug", "furled")
    sails = {
        "triangle": [(0.02, low), (-boom, low), (0.0, high * 0.97)],
        "gaff": [(0.02, low), (-boom, low), (-0.75 * boom, high), (0.02, 0.7 * high)],
        "lug": [(0.3 * boom, low), (-0.8 * boom, low), (-0.9 * boom, 0.95 * high), (0.2 * boom, 0.8 * high)],
        "furled": [(0.02, low), (-boom, low), (-boom, low + 0.1), (0.02, low + 0.12)],
    }
    thick = 0.11 if kind == "furled" else 0.05
    sheet = prism(sails[kind], thick, "x") + rod((0, low, 0), (0, low, -boom), 0.035, sides=8)
    parts.add(white, sheet.rotate((0, swing, 0)).translate((0, 0, z)))
    if jib and kind != "furled" and dice.chance(0.6):
        top, bow = dice(0.5, 0.95) * high, 1.45
        parts.add(white, prism([(bow - z, -0.05), (0.15, dice(0.05, 0.5)), (0.0, top)], 0.05, "x", (0, 0, z)))


def _square_rigged(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A galley, a longship or a junk, with high stems and one to three square sails."""
    length, width, depth = 3.2, dice(0.55, 1.1), dice(0.3, 0.6)
    parts.add(paint, hull(dice, length, width, depth, double=dice.chance(0.5)))
    wood = dice.wood()
    for z, sign in ((0.48 * length, 1), (-0.48 * length, -1)):
        if dice.chance(0.6):
            rise = dice(0.15, 0.8)
            stem = [(z - 0.3 * sign, -0.1), (z, -0.2), (z + 0.12 * sign, rise), (z - 0.03 * sign, rise)]
            parts.add(wood, prism(stem, 0.14, "x"))
    if dice.chance(0.6):
        high = dice(0.2, 0.7)
        parts.add(
            wood,
            prism(
                [(-0.2 * length, -0.1), (-0.2 * length, high * 0.8), (-0.5 * length, high), (-0.46 * length, -0.1)],
                0.66 * width,
                "x",
            ),
        )
    masts = dice.whole(1, 3)
    for n in range(masts):
        z = ((n + 0.5) / masts - 0.5) * 0.75 * length + 0.1
        high = dice(0.8, 2.0)
        parts.add(wood, rod((0, -0.1, z), (0, high, z), 0.05, 0.035, 8))
        rows, turn = dice.whole(1, 2), dice(-40, 40)
        for k in range(rows):
            base, step = 0.25 + k * (high - 0.3) / rows, (high - 0.3) / rows
            wide = dice(0.6, 1.5) * (1 - 0.3 * k)
            sheet = prism(
                [
                    (-wide / 2, base),
                    (wide / 2, base),
                    (0.42 * wide, base + 0.9 * step),
                    (-0.42 * wide, base + 0.9 * step),
                ],
                0.05,
                "z",
            )
            sheet = sheet + rod((-wide / 2, base + 0.9 * step, 0), (wide / 2, base + 0.9 * step, 0), 0.04, sides=8)
            parts.add(dice.colour(0.4), sheet.rotate((0, turn, 0)).translate((0, 0, z)))
    if dice.chance(0.4):
        oars(dice, parts, length, width, dice.whole(3, 6))


def _catamaran(dice: Dice, parts: Parts, paint: Colour) -> None:
    """Two hulls, or one with outriggers, under a deck; with a sail or with a cabin."""
    length, width = 3.0, dice(1.0, 2.2)
    slim, depth = dice(0.22, 0.42), dice(0.25, 0.5)
    one = hull(dice, length, slim, depth)
    if dice.chance(0.3):
        parts.add(paint, one, *pair(one.scale((0.7, 0.7, 0.75)).translate((width / 2, 0, 0))))
    else:
        parts.add(paint, *pair(one.translate((width / 2 - slim / 2, 0, 0))))
    beams = (0.25 * length, -0.3 * length)
    parts.add(dice.grey(), *(box(width, 0.1, 0.14, (0, -0.02, z)) for z in beams))
    deck = dice(0.2, 0.6) * length
    if dice.chance(0.75):
        parts.add(dice.colour(), box(width - slim, 0.06, deck, (0, 0.0, -0.05 * length)))
        parts.add(dice.grey(), box(0.1, 0.08, 0.58 * length, (0, 0, -0.02 * length)))
    else:
        parts.add(dice.grey(), box(0.14, 0.1, 0.6 * length, (0, -0.02, -0.025 * length)))
    if dice.chance(0.65):
        _sail(dice, parts, (-0.1, 0.25 * length), dice(1.4, 3.8), dice(0.4, 0.6) * length, jib=dice.chance(0.5))
    if dice.chance(0.5):
        high = dice(0.2, 0.6)
        parts.add(
            dice.grey(0.7, 0.95),
            prism(
                [(0.2 * length, -0.05), (0.1 * length, high), (-0.25 * length, high), (-0.3 * length, -0.05)],
                0.7 * width,
                "x",
            ),
        )


def _canoe(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A canoe, kayak or gondola: pointed at both ends, hollow or decked over; some with an outrigger or a paddler."""
    length, width, depth = 3.2, dice(0.32, 0.75), dice(0.18, 0.42)
    rise = dice(0.0, 0.6)
    wall = shell(length, width, depth, rise, hollow=dice.chance(0.7))
    parts.add(paint, wall)
    for z in (0.22, -0.02, -0.25)[: dice.whole(1, 3)]:
        parts.add(dice.wood(), box(0.85 * width, 0.06, 0.16, (0, -0.25 * depth, z * length)))
    who = dice.pick("none", "paddler", "outrigger", "tent", "none")
    if who == "paddler":
        cloth = dice.colour()
        parts.add(cloth, rod((0, -0.9 * depth, -0.1), (0, 0.45, -0.1), 0.14, 0.1), ball(0.12, (0, 0.56, -0.1), 12))
        parts.add(dice.wood(), rod((-dice(0.5, 0.9), 0.1, 0.1), (dice(0.5, 0.9), 0.4, 0.1), 0.04, sides=8))
        parts.add(cloth, bar((-0.25, 0.22, 0.1), (0.25, 0.34, 0.1), 0.09), box(0.2, 0.1, 0.25, (0, 0.3, 0.0)))
    elif who == "outrigger":
        reach = dice(0.5, 1.1)
        parts.add(dice.wood(), *(rod((-0.3 * width, 0, z), (reach, -0.05, z), 0.04, sides=8) for z in (0.6, -0.6)))
        parts.add(dice.wood(), shell(0.6 * length, 0.15, 0.16, 0.0, hollow=False).translate((reach, 0.03, 0)))
    elif who == "tent":
        high = dice(0.3, 0.6)
        parts.add(
            dice.colour(),
            wheel(0.45 * width, dice(0.6, 1.4), (0, 0, 0), "z")
            .scale((1, high / (0.45 * width), 1))
            .translate((0, -0.3 * depth, -0.2))
            .trim_by_plane((0, 1, 0), -0.6 * depth),
        )


def _rowing(dice: Dice, parts: Parts, paint: Colour) -> None:
    """An open boat with thwarts and oars, or an inflatable one with a round rim."""
    length, width, depth = 3.0, dice(0.8, 1.7), dice(0.3, 0.7)
    if dice.chance(0.3):
        thick, x, back = dice(0.12, 0.26), 0.42 * width, -0.45 * length
        line = [(x, 0, back), (x, 0, 0.2 * length), (0.6 * x, 0.08, 0.4 * length), (0, 0.12, 0.47 * length)]
        parts.add(paint, *pair(*(rod(a, b, thick, sides=10) + ball(thick, b, 10) for a, b in itertools.pairwise(line))))
        parts.add(dice.grey(0.2, 0.5), box(2 * x, 0.08, 0.62 * length, (0, -0.6 * thick, -0.12 * length)))
        parts.add(dice.grey(0.2, 0.5), box(2 * x, thick, 0.1, (0, 0, -0.4 * length)))
    else:
        outer = hull(dice, length, width, depth, double=dice.chance(0.3))
        inner = outer.scale((0.86, 0.85, 0.93)).translate((0, 0.08 * depth + 0.02, 0))
        parts.add(paint, outer - inner)
        for z in (-0.22, 0.05, 0.28)[: dice.whole(2, 3)]:
            parts.add(
                dice.wood(), box(0.8 * width, 0.06, 0.2, (0, -0.1, z * length)).trim_by_plane((0, 0, 1), -2) ^ outer
            )
    if dice.chance(0.6):
        oars(dice, parts, length, width, 1)
    if dice.chance(0.4):
        parts.add(
            dice.grey(0.1, 0.4),
            soft_box(0.3, 0.45, 0.3, 0.06, (0, 0.12, -0.5 * length)),
            box(0.1, 0.8, 0.1, (0, -0.2, -0.5 * length)),
        )


def _motor(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A speed boat, cabin cruiser or fisher: free of bridge, screen, arch, outriggers and fly bridge."""
    length, width, depth = 3.2, dice(0.7, 1.4), dice(0.3, 0.6)
    parts.add(paint, hull(dice, length, width, depth))
    white, glass = dice.grey(0.7, 0.95), dice.grey(0.1, 0.3)
    if dice.chance(0.6):
        parts.cut(pit(dice(0.25, 0.45) * length, 0.75 * width, 0.6 * depth, -0.22 * length))
    start, end = dice(0.0, 0.3) * length, dice(-0.3, -0.05) * length
    high, rake = dice(0.25, 0.9), dice(0.0, 0.5)
    kind = dice.pick("screen", "cabin", "cabin", "wheelhouse", "console")
    if kind == "cabin":
        body = prism(
            [(start, -0.06), (start - rake, high), (end + 0.1, high), (end, -0.06)], dice(0.55, 0.85) * width, "x"
        )
        parts.add(white, body)
        parts.add(
            glass, box(0.87 * width, 0.25 * high, 0.5 * (start - end - rake), (0, 0.6 * high, (start - rake + end) / 2))
        )
        if dice.chance(0.5):
            parts.add(white, box(0.5 * width, 0.3, 0.4 * (start - end), (0, high + 0.1, (start - rake + end) / 2)))
    elif kind == "wheelhouse":
        high += 0.5
        body = box(0.5 * width, high, 0.6, (0, high / 2 - 0.05, start - 0.3))
        parts.add(
            white,
            body - box(2, 0.3 * high, 0.36, (0, 0.7 * high, start - 0.3)),
            box(0.62 * width, 0.07, 0.75, (0, high - 0.05, start - 0.3)),
        )
        if dice.chance(0.6):
            tall, tip = dice(0.9, 1.6), dice(0.3, 0.8)
            parts.add(
                dice.grey(),
                rod((0, -0.75 * depth, -0.9), (0, tall, -0.9), 0.06, sides=8),
                rod((0, 0.3, -0.9), (0, tall - 0.1, -0.9 - tip), 0.05, sides=8),
            )
    else:
        parts.add(glass, bar((0, -0.1, start), (0, 0.3, start - 0.3), 0.75 * width, 0.07))
        if kind == "console":
            x, roof = 0.32 * width, dice(0.7, 1.1)
            parts.add(
                dice.grey(),
                *pair(
                    *(rod((x, -0.3 * depth, z), (x, roof, z - 0.05), 0.04, sides=8) for z in (start - 0.2, start - 0.8))
                ),
            )
            parts.add(dice.colour(), box(0.8 * width, 0.07, 0.9, (0, roof, start - 0.55)))
            parts.add(
                dice.grey(),
                box(0.72 * width, 0.1, 0.9, (0, -0.3 * depth, start - 0.5)),
                box(0.4 * width, 0.5, 0.2, (0, 0.0, start - 0.45)),
            )
    for n in range(dice.whole(0, 3) if dice.chance(0.6) else 0):
        x = (n - 1) * 0.22 * width
        parts.add(
            glass,
            soft_box(0.18, 0.4, 0.3, 0.05, (x, 0.1, -0.5 * length)),
            box(0.1, 0.8, 0.12, (x, -0.25, -0.5 * length)),
        )
