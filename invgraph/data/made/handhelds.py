"""Mugs, bottles, rifles and telephones."""

from __future__ import annotations

import math
from itertools import pairwise

from .parts import Colour, Dice, Parts, ball, box, lathe, pair, prism, ring, rod, soft_box, tube, wheel


def mug(dice: Dice) -> Parts:
    """A hollow cup with a handle of one of four forms, straight, flared, round or waisted; some with a foot."""
    parts = Parts()
    clay = dice.colour()
    radius, high = dice(0.32, 0.5), dice(0.55, 1.1)
    wall = dice(0.03, 0.06)
    kind = dice.pick("straight", "straight", "flared", "round", "waisted")
    flare = dice(0.1, 0.3)

    def at(share: float) -> float:
        if kind == "flared":
            return radius * (1 - flare + flare * share)
        if kind == "round":
            return radius * (0.8 + 0.2 * math.sin(math.pi * min(share + 0.1, 1.0)))
        if kind == "waisted":
            return radius * (1 - 0.6 * flare * math.sin(math.pi * share))
        return radius

    steps = [s / 8 for s in range(9)]
    outer = [(at(s), high * s) for s in steps]
    floor = dice(0.04, 0.1)
    inner = [(at(s) - wall, max(high * s, floor)) for s in reversed(steps) if high * s >= floor or s == 0]
    cup = lathe([(0, 0), *outer, *inner, (0, floor)], sides=32)
    if dice.chance(0.2):
        parts.add(clay, lathe([(0, -0.06), (0.75 * at(0), -0.06), (0.75 * at(0), 0.01), (0, 0.01)]))
    low, top = dice(0.12, 0.25) * high, dice(0.75, 0.9) * high
    reach, thick = dice(0.2, 0.36), dice(0.035, 0.06)
    if kind == "round" or dice.chance(0.5):
        grip = [
            (
                at((low + (top - low) * s) / high) - 0.4 * wall + reach * math.sin(math.pi * s),
                low + (top - low) * s,
                0.0,
            )
            for s in (n / 10 for n in range(11))
        ]
    else:
        a, b = at(low / high) - 0.4 * wall, at(top / high) - 0.4 * wall
        drop = dice(0.0, 0.3) * (top - low)
        grip = [(b, top, 0.0), (b + reach, top - 0.03, 0.0), (a + reach, low + drop, 0.0), (a, low, 0.0)]
    handle = tube(grip, thick)
    parts.add(clay if dice.chance(0.7) else dice.colour(), handle - lathe([(0, 0), *outer, (0, high)], sides=32))
    parts.add(clay, cup)
    if dice.chance(0.3):
        band = dice(0.3, 0.7) * high
        parts.add(dice.colour(), ring(at(band / high) - 0.01, 0.03, (0, band, 0)))
    return parts


def bottle(dice: Dice) -> Parts:
    """Round, square or flat; with long or short shoulders, a cork, a screw cap, a pump or an ear."""
    parts = Parts()
    glass = dice.colour(0.1, 0.8)
    radius, body, neck = dice(0.17, 0.3), dice(0.4, 0.8), dice(0.05, 0.1)
    shoulder, throat = dice(0.08, 0.4), dice(0.05, 0.4)
    bulge = dice(-0.04, 0.04) if dice.chance(0.5) else 0.0
    top = body + shoulder
    kind = dice.pick("round", "round", "round", "square", "flat")
    if kind == "round":
        profile = [(0, 0.03), (0.6 * radius, 0.03), (0.85 * radius, 0), (radius, 0.03)]
        profile += [
            (radius + bulge * math.sin(math.pi * s / 6), body * s / 6 + 0.03 * (1 - s / 6)) for s in range(1, 7)
        ]
        curve = [n / 6 for n in range(1, 7)]
        profile += [(neck + (radius - neck) * 0.5 * (1 + math.cos(math.pi * s)), body + shoulder * s) for s in curve]
        parts.add(glass, lathe([*profile, (neck, top + throat), (0, top + throat)]))
    else:
        deep = radius * (1.0 if kind == "square" else dice(0.4, 0.65))
        parts.add(glass, soft_box(2 * radius, body + 0.08, 2 * deep, 0.06, (0, body / 2 + 0.02, 0)))
        cone = min(deep, radius) * 0.9
        parts.add(
            glass, lathe([(0, body - 0.05), (cone, body - 0.05), (neck, top), (neck, top + throat), (0, top + throat)])
        )
    end = top + throat
    closure = dice.pick("none", "cork", "cap", "cap", "pump", "rim")
    lid = dice.colour()
    if closure == "cork":
        parts.add(dice.wood(), rod((0, end - 0.02, 0), (0, end + 0.06, 0), 0.75 * neck, 0.85 * neck, 16))
    elif closure == "cap":
        parts.add(lid, wheel(1.25 * neck, dice(0.06, 0.14), (0, end - 0.01, 0), "y"))
    elif closure == "rim":
        parts.add(glass, ring(neck, 0.022, (0, end - 0.03, 0)))
    elif closure == "pump":
        parts.add(lid, wheel(1.3 * neck, 0.08, (0, end, 0), "y"), rod((0, end, 0), (0, end + 0.16, 0), 0.025))
        parts.add(lid, soft_box(0.2, 0.045, 0.08, 0.015, (0.06, end + 0.17, 0)))
    else:
        parts.cut(rod((0, end - 0.5 * throat, 0), (0, end + 0.1, 0), 0.65 * neck, sides=16))
    if kind == "round" and dice.chance(0.6):
        low = dice(0.1, 0.3) * body
        high = low + dice(0.25, 0.5) * body
        wide = radius + max(bulge, 0.0) + 0.008
        band = lathe([(wide - 0.04, low), (wide, low), (wide, high), (wide - 0.04, high)])
        parts.add(dice.colour(0.5), band)
    if dice.chance(0.12):
        x = radius - 0.03
        parts.add(
            lid,
            tube([(x, 0.55 * body, 0), (x + 0.18, 0.65 * body, 0), (x + 0.16, body, 0), (neck - 0.01, top, 0)], 0.03),
        )
    return parts


def rifle(dice: Dice) -> Parts:
    """A long gun along z: stock, receiver, barrel, guard and trigger, with magazine, sight or bipod."""
    parts = Parts()
    steel, wood = dice.grey(0.12, 0.4), dice.wood() if dice.chance(0.5) else dice.grey(0.1, 0.35)
    body, high = dice(0.5, 0.8), dice(0.1, 0.15)
    width = 0.1
    barrel, radius = dice(0.5, 1.1), dice(0.022, 0.035)
    parts.add(steel, box(width, high, body, (0, 0, 0)))
    front, back = body / 2, -body / 2
    parts.add(steel, rod((0, 0.25 * high, front - 0.02), (0, 0.25 * high, front + barrel), radius))
    if dice.chance(0.3):
        parts.add(
            steel,
            rod(
                (0, 0.25 * high - 2 * radius, front - 0.02), (0, 0.25 * high - 2 * radius, front + 0.8 * barrel), radius
            ),
        )
    if dice.chance(0.7):
        long = dice(0.4, 0.8) * barrel
        parts.add(wood, soft_box(0.09, 0.1, long, 0.02, (0, 0.05 * high, front + long / 2 - 0.01)))
    if dice.chance(0.35):
        parts.add(
            steel, rod((0, 0.25 * high, front + barrel - 0.12), (0, 0.25 * high, front + barrel + 0.08), 1.9 * radius)
        )
    _stock(dice, parts, wood, back, high)
    trigger = back + dice(0.14, 0.24)
    parts.add(steel, ring(0.06, 0.012, (0, -high / 2 - 0.04, trigger), "x"))
    parts.add(steel, rod((0, -high / 2, trigger), (0, -high / 2 - 0.06, trigger + 0.01), 0.01))
    kind = dice.pick("box", "box", "curved", "drum", "none")
    place = trigger + dice(0.16, 0.24)
    if kind == "box":
        parts.add(steel, box(0.06, dice(0.15, 0.32), 0.12, (0, -high / 2 - 0.08, place)).rotate((dice(-8, 0), 0, 0)))
    elif kind == "curved":
        bend = [(0.0, -high / 2 + 0.02 - 0.07 * n, place + 0.012 * n * n) for n in range(5)]
        for a, b in pairwise(bend):
            parts.add(
                steel,
                prism([(a[2] - 0.06, a[1]), (a[2] + 0.06, a[1]), (b[2] + 0.06, b[1]), (b[2] - 0.06, b[1])], 0.055, "x"),
            )
    elif kind == "drum":
        parts.add(steel, wheel(0.12, 0.1, (0, -high / 2 - 0.09, place), "x"))
    _sights(dice, parts, steel, high, front, barrel, radius)
    return parts


def _stock(dice: Dice, parts: Parts, wood: Colour, back: float, high: float) -> None:
    long, drop = dice(0.35, 0.6), dice(0.03, 0.12)
    end = back - long
    kind = dice.pick("solid", "solid", "thumbhole", "frame")
    if kind == "frame":
        parts.add(wood, rod((0, 0.02, back + 0.03), (0, 0.0, end), 0.025))
        parts.add(wood, rod((0, -0.03, back + 0.03), (0, -drop - 0.12, end), 0.02))
        parts.add(wood, box(0.06, drop + 0.22, 0.04, (0, -drop / 2 - 0.05, end)))
    else:
        outline = [(back + 0.03, high / 2), (back + 0.03, -high / 2), (end, -drop - 0.14), (end, 0.03)]
        solid = prism(outline, 0.08, "x")
        if kind == "thumbhole":
            solid = solid - wheel(0.045, 0.2, (0, -0.25 * drop - 0.02, back - 0.35 * long), "x")
        parts.add(wood, solid)
    if kind != "solid" or dice.chance(0.5):
        outline = [
            (back + 0.14, -high / 2 + 0.02),
            (back + 0.04, -high / 2 + 0.02),
            (back - 0.05, -0.28),
            (back + 0.05, -0.3),
        ]
        parts.add(wood, prism(outline, 0.07, "x"))


def _sights(dice: Dice, parts: Parts, steel: Colour, high: float, front: float, barrel: float, radius: float) -> None:
    if dice.chance(0.5):
        level, long = high / 2 + 0.07, dice(0.2, 0.45)
        parts.add(steel, rod((0, level, -long / 2), (0, level, long / 2), 0.03))
        parts.add(steel, rod((0, level, long / 2 - 0.02), (0, level, long / 2 + 0.08), 0.03, 0.045))
        parts.add(steel, *(box(0.03, 0.07, 0.04, (0, high / 2 + 0.03, z * long)) for z in (-0.3, 0.3)))
    elif dice.chance(0.4):
        parts.add(steel, *(box(0.03, 0.1, 0.03, (0, high / 2 + 0.04, z)) for z in (-0.15, 0.15)))
        parts.add(steel, box(0.03, 0.03, 0.36, (0, high / 2 + 0.085, 0)))
    parts.add(steel, box(0.015, 0.07, 0.03, (0, 0.25 * high + radius + 0.02, front + barrel - 0.05)))
    if dice.chance(0.25):
        foot = front + 0.7 * barrel
        parts.add(steel, *pair(rod((0.0, 0.2 * high, foot), (0.14, -0.32, foot + 0.03), 0.015)))


def phone(dice: Dice) -> Parts:
    """A slab, a phone with keys, an open flip phone, or a desk telephone with its receiver."""
    parts = Parts()
    case, glass = (dice.grey(0.08, 0.9) if dice.chance(0.6) else dice.colour()), dice.grey(0.05, 0.2)
    kind = dice.pick("slab", "slab", "keys", "flip", "desk")
    if kind == "desk":
        _desk_phone(dice, parts, case)
        return parts
    width, high, thick = dice(0.42, 0.6), dice(0.9, 1.15), dice(0.05, 0.14)
    if kind == "slab":
        parts.add(case, soft_box(width, high, thick, 0.45 * thick))
        parts.add(glass, box(0.9 * width, dice(0.75, 0.9) * high, 0.02, (0, 0, thick / 2)))
        for n in range(dice.whole(1, 3)):
            parts.add(glass, wheel(0.04, 0.03, (0.3 * width, 0.4 * high - 0.1 * n, -thick / 2), "z", 12))
        parts.add(case, box(0.03, 0.12, 0.4 * thick, (width / 2, 0.2 * high, 0)))
    elif kind == "keys":
        thick += 0.06
        parts.add(case, soft_box(width, high, thick, 0.4 * thick))
        parts.add(glass, box(0.8 * width, 0.36 * high, 0.02, (0, 0.24 * high, thick / 2)))
        _keys(dice, parts, width, 0.4 * high, (0, -0.24 * high), thick / 2)
        if dice.chance(0.6):
            parts.add(
                case, rod((0.35 * width, 0.4 * high, 0), (0.35 * width, 0.5 * high + dice(0.1, 0.3), 0), 0.05, 0.035)
            )
    else:
        half = high * 0.6
        angle = dice(10, 70)
        parts.add(case, soft_box(width, half, thick, 0.4 * thick, (0, -half / 2, 0)))
        _keys(dice, parts, width, 0.75 * half, (0, -half / 2), thick / 2)
        upper = soft_box(width, half, thick, 0.4 * thick, (0, half / 2, 0))
        screen = box(0.8 * width, 0.7 * half, 0.02, (0, half / 2, thick / 2))
        parts.add(case, upper.rotate((angle, 0, 0)), wheel(0.55 * thick, 0.9 * width, (0, 0, 0), "x", 16))
        parts.add(glass, screen.rotate((angle, 0, 0)))
    return parts


def _keys(dice: Dice, parts: Parts, width: float, high: float, middle: tuple[float, float], z: float) -> None:
    colour, rows = dice.grey(0.3, 0.95), dice.whole(3, 5)
    for i in (-1, 0, 1):
        for j in range(rows):
            y = middle[1] + high * ((j + 0.5) / rows - 0.5)
            parts.add(colour, box(0.2 * width, 0.6 * high / rows, 0.04, (middle[0] + 0.27 * width * i, y, z)))


def _desk_phone(dice: Dice, parts: Parts, case: Colour) -> None:
    width, deep, high = dice(0.8, 1.0), dice(0.6, 0.8), dice(0.22, 0.36)
    outline = [(deep / 2, 0), (deep / 2, 0.3 * high), (-0.1 * deep, high), (-deep / 2, high), (-deep / 2, 0)]
    parts.add(case, prism(outline, width, "x"))
    slope = math.degrees(math.atan2(0.7 * high, 0.6 * deep))
    face = (0, 0.66 * high, 0.2 * deep)
    if dice.chance(0.5):
        dial = wheel(0.19, 0.06, (0, 0, 0), "z") - ring(0.13, 0.025, (0, 0, 0.035), "z")
        parts.add(dice.grey(0.6, 0.95), dial.rotate((slope - 90, 0, 0)).translate(face))
    else:
        keys = Parts()
        _keys(dice, keys, 0.55 * width, 0.6 * deep, (0, 0), 0.0)
        parts.add(dice.grey(0.6, 0.95), *(key.rotate((slope - 90, 0, 0)).translate(face) for key in keys.solids))
    level, z, x = high + 0.12, -0.28 * deep, width / 2 + dice(-0.05, 0.06)
    parts.add(case, *pair(box(0.06, 0.14, 0.2, (0.26 * width, high + 0.03, z))))
    parts.add(
        case,
        tube(
            [(-x, level - 0.02, z), (-0.5 * x, level + 0.06, z), (0.5 * x, level + 0.06, z), (x, level - 0.02, z)], 0.06
        ),
    )
    parts.add(case, *pair(ball((0.11, 0.09, 0.12), (x - 0.03, level - 0.06, z))))
