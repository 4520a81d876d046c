"""Bottles, flasks, jugs and canisters."""

from __future__ import annotations

import math

from .parts import (
    Colour,
    Dice,
    Manifold,
    Outline,
    Parts,
    ball,
    box,
    lathe,
    pair,
    prism,
    ring,
    rod,
    soft_box,
    tube,
    wheel,
)


def bottle(dice: Dice) -> Parts:
    """A wine bottle, gourd, carafe, jar, jug, flask, perfume, canister or spray; free of aspect, with a closure."""
    parts = Parts()
    glass = dice.colour(0.1, 0.8)
    builders = {"turned": _turned, "gourd": _gourd, "flat": _flat, "cube": _cube, "canister": _canister, "tube": _disc}
    kind = dice.pick("turned", "turned", "turned", "gourd", *builders)
    neck, end = builders[kind](dice, parts, glass)
    _closure(dice, parts, glass, neck, end)
    return parts


def _turned(dice: Dice, parts: Parts, glass: Colour) -> tuple[float, float]:
    """Wine, beer, milk, decanter and jar: a body, shoulders and a neck of any share, on round or cornered ground."""
    radius, body = dice(0.12, 0.5), dice(0.15, 1.1)
    neck, shoulder, throat = dice(0.22, 0.9) * radius, dice(0.03, 0.5), dice(0.03, 0.6)
    lean, bulge = dice(-0.35, 0.35) * radius, dice(-0.3, 0.3) * radius if dice.chance(0.5) else 0.0
    foot = dice.chance(0.2)
    low = dice(0.05, 0.3) if foot else 0.0
    profile = [(0.0, 0.0)]
    if foot:
        profile += [(dice(0.5, 1.0) * radius, 0.0), (dice(0.5, 1.0) * radius, 0.03), (0.3 * radius, low)]
    wide = [
        (
            radius + max(lean, 0.0) * (s / 6 - 1) + bulge * math.sin(math.pi * s / 6),
            low + body * s / 6,
        )
        for s in range(7)
    ]
    top, power = low + body, dice(0.5, 2.0)
    last = wide[-1][0]
    curve = [
        (neck + (last - neck) * 0.5 * (1 + math.cos(math.pi * (s / 6) ** power)), top + shoulder * s / 6)
        for s in range(1, 7)
    ]
    end = top + shoulder + throat
    mouth = neck * dice(0.8, 1.5)
    sides = 24 if dice.chance(0.75) else dice.whole(4, 8)
    solid = lathe([*profile, *wide, *curve, (mouth, end), (0.0, end)], sides=sides)
    if dice.chance(0.25):  # squeezed
        solid = solid.scale((1.0, 1.0, dice(0.35, 0.8)))
        mouth *= 0.8
    parts.add(glass, solid.rotate((0, 45 if sides == 4 else 0, 0)))
    if dice.chance(0.2):
        _ear(
            dice,
            parts,
            (last * (0.7 if sides == 4 else 0.97), low + 0.6 * body),
            (0.6 * neck, end - 0.4 * throat),
            dice(0.1, 0.35),
        )
    return min(mouth, neck) * (0.75 if sides == 4 else 1), end


def _ear(dice: Dice, parts: Parts, low: tuple[float, float], top: tuple[float, float], reach: float) -> None:
    """A handle from a wall to a neck; two on some."""
    side = max(low[0], top[0]) + reach
    line = [(low[0] - 0.08, low[1], 0.0), (side, low[1] + 0.08, 0.0), (side, top[1] - 0.06, 0.0), (top[0], top[1], 0.0)]
    grip = tube(line, dice(0.025, 0.05))
    parts.add(dice.colour(0.1, 0.8), *(pair(grip) if dice.chance(0.35) else [grip]))


def _gourd(dice: Dice, parts: Parts, glass: Colour) -> tuple[float, float]:
    """Bulbs above each other: a gourd, a dumb-bell, a retort."""
    level, bulbs = 0.0, dice.whole(1, 3)
    size = dice(0.2, 0.5)
    for n in range(bulbs):
        tall = size * dice(0.6, 1.6)
        solid = ball((size, tall, size), (0, level + tall, 0), 20)
        parts.add(glass, solid.trim_by_plane((0, 1, 0), 0.1 * tall) if n == 0 else solid)
        level += 2 * tall - 0.25 * min(tall, size)
        size *= dice(0.5, 1.1)
    neck, throat = dice(0.2, 0.5) * min(size, 0.3), dice(0.1, 0.7)
    parts.add(glass, rod((0, level - 0.15, 0), (0, level + throat, 0), neck, neck * dice(0.8, 1.6), 18))
    if dice.chance(0.25):
        _ear(dice, parts, (0.1, 0.6 * level), (0.5 * neck, level + 0.6 * throat), dice(0.2, 0.4))
    return neck * 0.8, level + throat


def _flat(dice: Dice, parts: Parts, glass: Colour) -> tuple[float, float]:
    """A flask: flat, with straight, round, arched or waisted sides seen from the front."""
    wide, high, deep = dice(0.25, 0.6), dice(0.5, 1.2), dice(0.12, 0.4)
    much = dice(-0.35, 0.35)
    side = [(wide * (1 + much * math.sin(math.pi * s / 8) - max(much, 0) * 0.5), high * s / 8) for s in range(9)]
    edge = dice(0.3, 1.0)
    side += [(wide * edge * 0.8, high + 0.06), (0.1, high + dice(0.1, 0.3))]
    solid = prism([*side, *((-x, y) for x, y in reversed(side))], deep, "z")
    if dice.chance(0.25):
        hole = soft_box(dice(0.2, 0.5) * wide, dice(0.2, 0.45) * high, 2, 0.05, (dice(-0.4, 0.4) * wide, 0.5 * high, 0))
        solid = solid - hole
    parts.add(glass, solid)
    neck = dice(0.06, 0.11)
    end = side[-1][1] + dice(0.02, 0.35)
    parts.add(glass, rod((0, side[-1][1] - 0.15, 0), (0, end, 0), neck, sides=16))
    return neck, end


def _cube(dice: Dice, parts: Parts, glass: Colour) -> tuple[float, float]:
    """Perfume: a block, ball, pyramid or prism of glass with a short neck and often a large stopper."""
    wide, high, deep = dice(0.3, 0.8), dice(0.3, 0.9), dice(0.15, 0.7)
    kind = dice.pick("block", "ball", "pyramid", "heart", "hexagon")
    if kind == "block":
        parts.add(glass, soft_box(wide, high, deep, dice(0.01, 0.12), (0, high / 2, 0)))
    elif kind == "ball":
        parts.add(
            glass, ball((wide / 2, high / 2, deep / 2), (0, high / 2, 0), 20).trim_by_plane((0, 1, 0), 0.06 * high)
        )
    elif kind == "pyramid":
        up, down = (0.4, 1.0) if dice.chance(0.6) else (1.0, 0.5)
        parts.add(
            glass,
            Manifold.batch_hull([box(down * wide, 0.01, down * deep), box(up * wide, 0.01, up * deep, (0, high, 0))]),
        )
    else:
        count = dice.whole(5, 8) if kind == "hexagon" else 3
        turn = -math.pi / 2 + math.pi / count
        points = [
            (
                math.cos(turn + 2 * math.pi * n / count) * wide * 0.6,
                (0.5 + 0.55 * math.sin(turn + 2 * math.pi * n / count)) * high,
            )
            for n in range(count)
        ]
        parts.add(glass, prism(points, deep, "z"))
    neck = min(dice(0.05, 0.14), 0.4 * deep)
    end = high + dice(0.05, 0.2)
    parts.add(glass, rod((0, 0.6 * high, 0), (0, end, 0), neck, sides=16))
    if dice.chance(0.5):
        size = dice(0.1, 0.3)
        parts.add(
            dice.colour(),
            ball((size, size, min(size, deep)), (0, end + 0.6 * size, 0), 12)
            if dice.chance(0.5)
            else box(1.6 * size, 1.5 * size, min(1.6 * size, deep), (0, end + 0.7 * size, 0)),
        )
    return neck, end


def _canister(dice: Dice, parts: Parts, glass: Colour) -> tuple[float, float]:
    """A jerry can or a jug for milk or detergent: a block with a neck to a side and a handle one reaches through."""
    wide, high, deep = dice(0.4, 0.9), dice(0.5, 1.1), dice(0.25, 0.5)
    slope = dice(0.0, 0.5) * high
    outline = [(-wide / 2, 0), (wide / 2, 0), (wide / 2, high - slope), (0.1 * wide, high), (-wide / 2, high)]
    solid = prism(outline, deep, "z")
    tall, long = dice(0.2, 0.5) * (high - slope), dice(0.15, 0.4) * wide
    place = (0.5 * wide - 0.08 - long / 2, 0.65 * (high - slope))
    if dice.chance(0.75):
        solid = solid - soft_box(long, tall, 2, 0.06, (*place, 0))
    else:
        parts.add(
            glass,
            tube(
                [
                    (0.0, high - 0.05, 0),
                    (0.05, high + 0.2, 0),
                    (0.4 * wide, high + 0.2 - 0.5 * slope, 0),
                    (0.42 * wide, high - slope - 0.05, 0),
                ],
                0.045,
            ),
        )
    parts.add(glass, solid)
    neck, x = dice(0.07, 0.12), -0.28 * wide
    end = high + dice(0.05, 0.2)
    parts.add(glass, rod((x, high - 0.1, 0), (x, end, 0), neck, sides=16))
    parts.solids = [solid.translate((-x, 0, 0)) for solid in parts.solids]  # the closure stands over the origin
    return neck, end


def _disc(dice: Dice, parts: Parts, glass: Colour) -> tuple[float, float]:
    """A round flat canteen or pilgrim's flask, a ring on some, on feet or with a strap's ears."""
    radius, deep = dice(0.35, 0.55), dice(0.14, 0.4)
    body = wheel(radius, deep, (0, radius, 0), "z", 28)
    if dice.chance(0.3):
        body = body - wheel(dice(0.3, 0.6) * radius, 2, (0, radius, 0), "z", 20)
    parts.add(glass, body)
    if dice.chance(0.5):
        parts.add(glass, *pair(box(0.2, 0.2, deep, (0.35 * radius, 0.06, 0))))
    neck, end = min(dice(0.06, 0.12), 0.45 * deep), 2 * radius + dice(0.1, 0.45)
    parts.add(glass, rod((0, 1.8 * radius, 0), (0, end, 0), neck, sides=16))
    if dice.chance(0.4):
        parts.add(glass, *pair(ring(0.1, 0.03, (0.75 * radius, 1.75 * radius, 0), "z")))
    return neck, end


def _closure(dice: Dice, parts: Parts, glass: Colour, neck: float, end: float) -> None:
    """A cork, screw cap, pump, trigger spray, swing top, dropper, teat or rim, or an open mouth."""
    lid = dice.colour()
    kind = dice.pick("open", "cork", "cap", "cap", "wide", "pump", "trigger", "rim", "sport", "drop")
    if kind == "cork":
        parts.add(dice.wood(), rod((0, end - 0.04, 0), (0, end + dice(0.04, 0.12), 0), 0.75 * neck, 0.9 * neck, 14))
    elif kind in ("cap", "wide"):
        high = dice(0.06, 0.2) if kind == "cap" else dice(0.15, 0.45)
        parts.add(lid, wheel(neck * (1.2 if kind == "cap" else 1.6), high, (0, end + high / 2 - 0.04, 0), "y", 18))
    elif kind == "rim":
        parts.add(glass, ring(neck, 0.03, (0, end - 0.03, 0)))
    elif kind == "pump":
        rise, reach = dice(0.12, 0.35), dice(0.12, 0.3)
        parts.add(lid, wheel(1.25 * neck, 0.1, (0, end, 0), "y"), rod((0, end, 0), (0, end + rise, 0), 0.03))
        parts.add(lid, soft_box(reach, 0.06, 0.1, 0.02, (0.5 * reach - 0.05, end + rise, 0)))
        parts.add(lid, rod((reach - 0.08, end + rise, 0), (reach - 0.06, end + rise - 0.08, 0), 0.025, sides=8))
    elif kind == "trigger":
        reach = dice(0.2, 0.35)
        head = [
            (-0.16, end + 0.14),
            (-0.1, end + 0.26),
            (reach, end + 0.26),
            (reach, end + 0.16),
            (0.06, end + 0.12),
            (0.06, end - 0.02),
            (-0.06, end - 0.02),
        ]
        parts.add(lid, prism(head, 0.11, "z"), _lever(reach, end), wheel(1.2 * neck, 0.08, (0, end, 0), "y"))
    elif kind == "sport":
        parts.add(
            lid,
            rod((0, end - 0.03, 0), (0, end + 0.12, 0), 1.3 * neck, 0.6 * neck, 16),
            wheel(0.5 * neck, 0.16, (0, end + 0.14, 0), "y", 12),
        )
        if dice.chance(0.5):
            parts.add(lid, ring(0.12, 0.03, (0, end + 0.26, 0), "z"))
    elif kind == "drop":
        parts.add(
            lid,
            wheel(1.2 * neck, 0.12, (0, end, 0), "y"),
            ball((0.8 * neck, dice(0.1, 0.25), 0.8 * neck), (0, end + 0.08, 0), 12),
        )


def _lever(reach: float, end: float) -> Manifold:
    """The lever of a spray."""
    outline: Outline = [
        (0.3 * reach, end + 0.2),
        (0.55 * reach, end + 0.2),
        (0.5 * reach, end - 0.04),
        (0.42 * reach, end - 0.06),
    ]
    return prism(outline, 0.06, "z")
