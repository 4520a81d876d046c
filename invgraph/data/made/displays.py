"""Displays: monitors, televisions, sets with a tube, laptops, several screens on a stand; on ten kinds of stands."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .parts import Colour, Dice, Manifold, Parts, Point, bar, box, prism, ring, rod, soft_box, wheel


@dataclass
class _Screen:
    """Size of a screen, and its two colours."""

    width: float
    high: float
    thick: float
    case: Colour
    glass: Colour


def display(dice: Dice) -> Parts:
    """A screen of free proportions, form and lean, on one of ten stands; a laptop, a tube set, or several screens."""
    parts = Parts()
    shape = dice.pick("wide", "wide", "old", "old", "portrait", "long", "square")
    aspect = {
        "wide": dice(0.5, 0.65),
        "old": dice(0.7, 0.85),
        "portrait": dice(1.2, 1.9),
        "long": dice(0.3, 0.45),
        "square": dice(0.9, 1.1),
    }[shape]
    thick = dice(0.02, 0.06) if dice.chance(0.5) else dice(0.06, 0.2)
    screen = _Screen(1.0, aspect, thick, dice.grey(0.05, 0.85), dice.grey(0.05, 0.25))
    kind = dice.pick("flat", "flat", "flat", "flat", "flat", "flat", "tube", "tube", "laptop", "several")
    if kind == "laptop":
        _laptop(dice, parts, screen)
    elif kind == "tube":
        _tube(dice, parts, screen)
    elif kind == "several":
        _several(dice, parts, screen)
    else:
        form = dice.pick("flat", "flat", "soft", "bulge", "curved")
        _stand(dice, parts, screen, _panel(dice, screen, form))
    return parts


def _panel(dice: Dice, screen: _Screen, form: str) -> list[tuple[Colour, Manifold]]:
    """A screen about the origin, whose front looks along z: flat, with a bulging back, or curved."""
    w, h, t = screen.width, screen.high, screen.thick
    rim = dice(0.015, 0.08) * min(w, h)
    if form == "curved":
        bend = dice(0.15, 0.5)
        radius = w / (2 * bend)
        angles = [bend * n / 6 for n in range(-6, 7)]

        def slab(front: float, back: float, high: float, share: float) -> Manifold:
            arc = [(math.sin(share * a), math.cos(share * a)) for a in angles]
            line = [((radius - front) * x, radius - (radius - front) * z) for x, z in arc]
            line += [((radius + back) * x, radius - (radius + back) * z) for x, z in reversed(arc)]
            return prism(line, high, "y")

        return [(screen.case, slab(t / 2, t / 2, h, 1)), (screen.glass, slab(t / 2 + 0.006, 0, h - 2 * rim, 0.95))]
    body = soft_box(w, h, t, dice(0.2, 0.5) * t) if form != "flat" else box(w, h, t)
    panel = [(screen.case, body), (screen.glass, box(w - 2 * rim, h - 2 * rim, t, (0, 0, 0.006)))]
    if form == "bulge":
        deep, share = dice(0.05, 0.25), dice(0.4, 0.8)
        outer, inner = (
            box(0.95 * w, 0.95 * h, 0.01, (0, 0, -t / 2)),
            box(share * w, share * h, 0.01, (0, 0, -t / 2 - deep)),
        )
        panel.append((screen.case, Manifold.batch_hull([outer, inner])))
    return panel


def _stand(dice: Dice, parts: Parts, screen: _Screen, panel: list[tuple[Colour, Manifold]]) -> None:
    """Put a screen up: leaning, turned, and on something."""
    kind = dice.pick("column", "column", "feet", "slab", "arm", "tripod", "pole", "easel", "trolley", "wall", "bow")
    h, gap = screen.high, dice(0.03, 0.3)
    lean, turn = dice(-5, 25) if dice.chance(0.5) else 0.0, dice(-35, 35) if dice.chance(0.35) else 0.0
    if kind in ("tripod", "pole", "trolley"):
        gap = dice(0.3, 1.2)
    if kind in ("feet", "slab", "easel", "trolley", "wall"):
        turn = 0.0
    if kind == "easel":
        lean = dice(10, 35)
    middle = (0.0, gap + h / 2, 0.0)
    for colour, solid in panel:
        parts.add(colour, solid.rotate((-lean, 0, 0)).rotate((0, turn, 0)).translate(middle))
    back = -0.3 * screen.thick
    hub: Point = (0.0, middle[1], back - 0.02)
    build = {
        "column": _column,
        "feet": _two_feet,
        "slab": _slab,
        "arm": _arm,
        "tripod": _tripod,
        "pole": _pole,
        "easel": _easel,
        "trolley": _trolley,
        "wall": _wall,
        "bow": _bow,
    }[kind]
    build(dice, parts, screen, gap, hub)


def _column(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    x, z = hub[0], hub[2] - dice(0.02, 0.12)
    wide = dice(0.04, 0.3)
    parts.add(screen.case, bar((x, 0, z), (x, hub[1], z), wide, dice(0.03, 0.08)))
    parts.add(screen.case, box(0.16, 0.16, 2 * abs(z - hub[2]) + 0.08, (x, hub[1], z)))
    foot, thin = dice(0.14, 0.42), dice(0.015, 0.06)
    kind = dice.pick("plate", "round", "oval", "fork", "ring")
    if kind == "fork":
        for side in (-1, 1):
            parts.add(screen.case, bar((x, thin / 2, z), (x + side * foot, thin / 2, z + foot), 0.06, 0.04))
        parts.add(screen.case, bar((x, thin / 2, z + 0.02), (x, thin / 2, z - 0.15), 0.06))
    elif kind == "plate":
        parts.add(screen.case, box(2 * foot, thin, dice(0.15, 0.35), (x, thin / 2, z + 0.05)))
    elif kind == "ring":
        parts.add(screen.case, ring(foot, 0.03, (x, 0.03, z + foot)))
    else:
        plate = wheel(foot, thin, (0, thin / 2, 0), "y").scale((1, 1, 1 if kind == "round" else 0.55))
        parts.add(screen.case, plate.translate((x, 0, z + 0.05)))


def _two_feet(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    place, reach, size = dice(0.2, 0.46) * screen.width, dice(0.1, 0.25), dice(0.02, 0.05)
    for side in (-1, 1):
        x, top = side * place, (side * place, gap + 0.3 * screen.high, 0.0)
        parts.add(
            screen.case, bar((x, 0, reach), (x, gap + 0.05, 0), size), bar((x, 0, -reach), (x, gap + 0.05, 0), size)
        )
        parts.add(screen.case, bar((x, gap, 0), top, size))
    # behind the middle, where even a screen that is bent or leans is: what the feet hold
    parts.add(screen.case, bar((-place, top[1], 0.0), (place, top[1], 0.0), size), bar((0, top[1], 0), hub, 2 * size))
    parts.add(screen.case, box(0.15, 0.15, 0.1, hub))


def _slab(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    wide, deep = dice(0.6, 1.1) * screen.width, dice(0.12, 0.4)
    outline = [(-deep / 2, 0.0), (deep / 2, 0.0), (0.1 * deep, gap + 0.04), (-0.3 * deep, gap + 0.04)]
    parts.add(screen.case, prism(outline, wide, "x"))
    parts.add(screen.case, bar((0, 0, hub[2]), hub, 0.5 * wide, 0.04))


def _arm(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    """A jointed arm from the wall behind."""
    reach, side, drop = dice(0.15, 0.45), dice(-0.5, 0.5), dice(-0.3, 0.3)
    wall = (side, hub[1] + drop, hub[2] - reach)
    elbow = (side + dice(-0.3, 0.3), hub[1] + 0.5 * drop, hub[2] - 0.5 * reach)
    size = dice(0.02, 0.045)
    parts.add(
        screen.case,
        rod(hub, elbow, size),
        rod(elbow, wall, size),
        rod((elbow[0], elbow[1] - 0.06, elbow[2]), (elbow[0], elbow[1] + 0.06, elbow[2]), 1.4 * size),
    )
    parts.add(screen.case, box(dice(0.1, 0.3), dice(0.15, 0.5), 0.03, wall), box(0.2, 0.2, 0.04, hub))


def _tripod(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    spread, size, x, z = dice(0.2, 0.5), dice(0.018, 0.035), hub[0], hub[2] - 0.05
    joint = (x, gap * dice(0.6, 1.0), z)
    parts.add(screen.case, rod(joint, (x, hub[1], z), 1.3 * size), box(0.2, 0.2, 0.14, hub))
    for n in range(3):
        angle = 2 * math.pi * n / 3 + math.pi / 2
        parts.add(screen.case, rod((x + spread * math.cos(angle), 0, z + spread * math.sin(angle)), joint, size))


def _pole(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    """A pillar as of a signpost, with a plate below."""
    wide, z = dice(0.06, 0.5), hub[2] - 0.03
    parts.add(screen.case, box(wide, hub[1], 0.1, (0, hub[1] / 2, z)), box(0.2, 0.2, 0.12, hub))
    parts.add(screen.case, box(wide + dice(0.05, 0.4), 0.03, dice(0.25, 0.5), (0, 0.015, z)))


def _easel(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    """Rests on a strut behind it, like a picture frame."""
    size, reach = dice(0.03, 0.2), dice(0.15, 0.5)
    parts.add(screen.case, bar((0, 0, hub[2] - reach), hub, size, 0.04), box(0.15, 0.15, 0.1, hub))
    for side in (-1, 1):
        top = (side * 0.35, hub[1], hub[2])
        parts.add(screen.case, bar((side * 0.4, 0, 0.1 + 0.3 * screen.high), top, 0.03), bar(top, hub, 0.03))


def _trolley(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    """Two posts on a base with wheels, and a shelf."""
    place, z, deep = dice(0.1, 0.35), hub[2] - 0.02, dice(0.2, 0.35)
    parts.add(screen.case, *(bar((i * place, 0.06, z), (i * place, hub[1], z), 0.05) for i in (-1, 1)))
    parts.add(screen.case, box(2 * place + 0.05, 0.05, 0.08, hub))
    for side in (-1, 1):
        parts.add(screen.case, box(0.06, 0.06, 2 * deep, (side * place, 0.08, z)))
        parts.add(screen.case, *(wheel(0.05, 0.04, (side * place, 0.05, z + k * 0.9 * deep), "x", 12) for k in (-1, 1)))
    if dice.chance(0.7):
        parts.add(screen.case, box(2 * place + 0.2, 0.03, 1.6 * deep, (0, dice(0.3, 0.7) * gap, z)))


def _wall(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    """Flat on the wall; some with a bar of loudspeakers below."""
    parts.add(screen.case, box(dice(0.3, 0.7), dice(0.4, 0.8) * screen.high, 0.1, hub))
    if dice.chance(0.6):
        low = hub[1] - screen.high / 2 - dice(0.04, 0.12)
        parts.add(
            screen.case,
            box(dice(0.5, 0.9), 0.08, 0.1, (0, low, 0)),
            box(0.1, hub[1] - low, 0.04, (0, (hub[1] + low) / 2, hub[2])),
        )


def _bow(dice: Dice, parts: Parts, screen: _Screen, gap: float, hub: Point) -> None:
    """A bent sheet: forward on the table, and up behind the screen."""
    wide, reach, thin = dice(0.15, 0.6), dice(0.15, 0.4), dice(0.02, 0.05)
    top, low = (0.0, hub[1], hub[2]), (0.0, thin / 2, hub[2] - dice(0.05, 0.3))
    parts.add(screen.case, bar(low, top, wide, thin), box(wide, thin, reach + 0.1, (0, thin / 2, low[2] + reach / 2)))
    parts.add(screen.case, box(0.6 * wide, 0.15, 0.1, hub))


def _laptop(dice: Dice, parts: Parts, screen: _Screen) -> None:
    """A screen hinged to a keyboard, opened by any angle."""
    high, thick, deep = dice(0.5, 0.8), dice(0.015, 0.07), dice(0.5, 0.8)
    screen.high, screen.thick = high, thick
    lean = dice(-15, 70)
    for colour, solid in _panel(dice, screen, "soft"):
        parts.add(colour, solid.translate((0, high / 2, 0)).rotate((-lean, 0, 0)))
    base = dice(0.03, 0.09)
    parts.add(screen.case, soft_box(1, base, deep + 0.02, 0.012, (0, 0.0, deep / 2)))
    parts.add(screen.glass, box(0.88, base + 0.012, 0.45 * deep, (0, 0.0, 0.34 * deep)))


def _tube(dice: Dice, parts: Parts, screen: _Screen) -> None:
    """An old set: a deep body that narrows, on a foot, on legs, or with an aerial."""
    high = screen.high = dice(0.65, 1.0)
    front, deep, share = dice(0.1, 0.5), dice(0.1, 0.7), dice(0.4, 0.85)
    kind = dice.pick("desk", "legs", "plain")
    foot = {"desk": dice(0.05, 0.14), "legs": dice(0.2, 0.6), "plain": 0.0}[kind]
    y = foot + high / 2
    parts.add(screen.case, soft_box(1, high, front, dice(0.01, 0.06), (0, y, 0)))
    side = dice(0.0, 0.3)
    parts.add(screen.glass, box(0.88 - side, 0.85 * high, front, (-side / 2, y, 0.008)))
    first = box(0.94, 0.94 * high, 0.01, (0, y, -front / 2 + 0.01))
    parts.add(
        screen.case,
        Manifold.batch_hull([first, box(share, share * high, 0.01, (0, y - dice(0, 0.1) * high, -front / 2 - deep))]),
    )
    if kind == "desk":
        parts.add(
            screen.case,
            wheel(dice(0.2, 0.4), foot, (0, foot / 2, -0.2 * deep), "y"),
            box(0.2, 0.1, 0.2, (0, foot, -0.2 * deep)),
        )
    elif kind == "legs":
        for i in (-1, 1):
            for z in (front / 2 - 0.05, -front / 2 + 0.05):
                parts.add(screen.case, rod((i * dice(0.4, 0.5), 0, 1.5 * z), (i * 0.4, foot + 0.03, z), 0.02, 0.03))
    if dice.chance(0.3):
        tip = foot + high + dice(0.2, 0.5)
        parts.add(
            screen.case, *(rod((0, foot + high - 0.03, 0), (i * dice(0.15, 0.4), tip, 0), 0.015) for i in (-1, 1))
        )


def _several(dice: Dice, parts: Parts, screen: _Screen) -> None:
    """Two or three screens on a stand, side by side or above each other."""
    screen.high, screen.thick = dice(0.5, 0.85), dice(0.03, 0.1)
    count, stacked, angle = dice.whole(2, 3), dice.chance(0.35), dice(0, 30)
    gap = dice(0.1, 0.5)
    y = gap + screen.high / 2
    for n in range(count):
        place = n - (count - 1) / 2
        for colour, solid in _panel(dice, screen, "flat"):
            if stacked:
                solid = solid.translate((0, y + n * 1.05 * screen.high, 0))
            else:
                lift = abs(place) * math.sin(math.radians(angle)) * 0.6
                solid = solid.rotate((0, -angle * place, 0)).translate((place * 1.04, y, lift))
            parts.add(colour, solid)
    z, size = -0.5 * screen.thick - 0.03, dice(0.03, 0.08)
    top = y + (count - 1) * 1.05 * screen.high if stacked else y
    parts.add(screen.case, box(size, top, size, (0, top / 2, z)))
    wide = 0.3 if stacked else (count - 1) * 1.04
    for n in range(count if stacked else 1):
        level = y + n * 1.05 * screen.high
        parts.add(screen.case, box(wide, size, size, (0, level, z)), box(0.15, 0.15, 0.1, (0, level, z)))
    if not stacked:
        for n in range(count):
            place = n - (count - 1) / 2
            lift = abs(place) * math.sin(math.radians(angle)) * 0.6
            parts.add(screen.case, bar((place * 0.9, y - 0.05, z), (place * 1.0, y + 0.05, lift), size, 0.08 + abs(z)))
    parts.add(screen.case, box(dice(0.4, 0.9), 0.03, dice(0.25, 0.4), (0, 0.015, z)))
