"""Lamps: for tables, desks and floors, arcs, tripods, chandeliers, pendants, lanterns, on walls and on posts."""

from __future__ import annotations

import math

from .parts import Colour, Dice, Manifold, Parts, ball, bar, box, lathe, ring, rod, soft_box, tube, wheel


def lamp(dice: Dice) -> Parts:
    """One of ten kinds, of free proportions."""
    parts = Parts()
    metal = dice.grey() if dice.chance(0.5) else dice.colour()
    shade = dice.colour(0.5, 1.0)
    kinds = (_table, _table, _table, _desk, _desk, _floor, _arc, _tripod, _chandelier, _pendant, _pendant, _lantern)
    (*kinds, _wall, _post)[dice.whole(0, len(kinds) + 1)](dice, parts, metal, shade)
    return parts


def _shade(dice: Dice, radius: float, high: float) -> Manifold:
    """A shade from height 0 to ``high``, which holds the axis at its top: hollow, or a closed globe, box or paper."""
    kind = dice.pick("cone", "cone", "drum", "bell", "dome", "globe", "box", "pyramid", "paper")
    if kind == "globe":
        return ball((radius, high / 2, radius), (0, high / 2, 0))
    if kind == "box":
        return soft_box(1.6 * radius, high, 1.6 * radius, 0.02, (0, high / 2, 0))
    if kind == "paper":
        ribs = dice.whole(2, 5)
        line = [(radius * (1 - 0.25 * (n % 2)), high * n / (2 * ribs)) for n in range(2 * ribs + 1)]
        return lathe([(0, 0), *line, (0, high)])
    top = {"drum": 1.0, "dome": 0.08}.get(kind, dice(0.15, 0.75)) * radius
    bend = {"bell": -0.25, "dome": 0.35}.get(kind, 0.0) * radius
    steps = [s / 5 for s in range(6)]
    outer = [(max(radius + (top - radius) * s + bend * math.sin(math.pi * s), 0.02), high * s) for s in steps]
    inner = [(max(r - 0.02, 0.01), y) for r, y in reversed(outer)]
    sides = dice.whole(4, 8) if kind == "pyramid" else 24
    span = 2 * top * math.cos(math.pi / sides) - 0.01  # within the flat sides
    return lathe([*outer, *inner], sides=sides) + box(max(span, 0.03), 0.02, 0.03, (0, high - 0.01, 0))


def _foot(dice: Dice, parts: Parts, metal: Colour, x: float, size: float) -> None:
    """A plate, a block, a dome or crossed bars under a stem at x."""
    kind, high = dice.pick("plate", "block", "dome", "cross"), dice(0.02, 0.08)
    if kind == "plate":
        parts.add(metal, wheel(size, high, (x, high / 2, 0), "y"))
    elif kind == "block":
        parts.add(metal, box(2 * size, high, dice(1.0, 2.0) * size, (x, high / 2, 0)))
    elif kind == "dome":
        rise = dice(0.5, 1.0) * size
        outline = [(size * math.cos(a), rise * math.sin(a)) for a in (0.0, 0.4, 0.8, 1.2)]
        parts.add(metal, lathe([(0, 0), *outline, (0, rise)], (x, 0, 0)))
    else:
        parts.add(metal, box(2.2 * size, 0.03, 0.05, (x, 0.015, 0)), box(0.05, 0.03, 2.2 * size, (x, 0.015, 0)))


def _body(dice: Dice, parts: Parts, colour: Colour, stem: float) -> None:
    """What a table lamp has below its shade, up to the height ``stem``."""
    wide = dice(0.06, 0.24)
    kind = dice.pick("vase", "turned", "balls", "block", "cylinder", "stem", "legs", "loop")
    if kind == "vase":
        place, neck = dice(0.25, 0.75), dice(0.02, 0.05)
        line = [(neck + (wide - neck) * math.exp(-(((s / 8 - place) / 0.3) ** 2)), stem * s / 8) for s in range(9)]
        parts.add(colour, lathe([(0, 0), *line, (0, stem)]))
    elif kind == "turned":
        line = [(dice(0.02, 1.0) * wide + 0.015, stem * s / 7) for s in range(8)]
        parts.add(colour, lathe([(0, 0), (wide, 0), *line[1:], (0, stem)]))
    elif kind == "balls":
        count = dice.whole(2, 4)
        size = 0.54 * stem / count
        parts.add(colour, *(ball(size, (0, (n + 0.5) * stem / count, 0), 16) for n in range(count)))
    elif kind == "block":
        parts.add(colour, bar((0, 0, 0), (0, stem, 0), 2 * wide, dice(0.5, 2) * wide))
    elif kind == "cylinder":
        parts.add(colour, rod((0, 0, 0), (0, stem, 0), wide, wide * dice(0.4, 1.2), 20))
    elif kind == "stem":
        _foot(dice, parts, colour, 0, wide + 0.05)
        parts.add(colour, rod((0, 0, 0), (0, stem, 0), dice(0.012, 0.035)))
    elif kind == "legs":
        count = dice.whole(3, 4)
        for n in range(count):
            angle = 2 * math.pi * n / count + 0.4
            foot = (1.3 * wide * math.cos(angle), 0.0, 1.3 * wide * math.sin(angle))
            parts.add(colour, rod(foot, (0, stem, 0), 0.018))
    else:
        parts.add(colour, ring(0.46 * stem, dice(0.02, 0.04), (0, 0.52 * stem, 0), "z"))
        parts.add(colour, rod((0, 0.9 * stem, 0), (0, stem, 0), 0.02))
        _foot(dice, parts, colour, 0, wide + 0.05)
    parts.add(colour, rod((0, stem - 0.03, 0), (0, stem + 0.01, 0), 0.025))


def _table(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    stem, radius, high = dice(0.12, 0.6), dice(0.1, 0.36), dice(0.1, 0.42)
    _body(dice, parts, metal, stem)
    _on_stem(dice, parts, metal, shade, stem, radius, high)


def _on_stem(
    dice: Dice, parts: Parts, metal: Colour, shade: Colour, stem: float, radius: float, high: float, x: float = 0.0
) -> None:
    """A shade about the top of a stem at x, held by a rod up to the shade's top; or one that is open above."""
    low = stem - dice(0, 0.4) * high
    parts.add(shade, _shade(dice, radius, high).translate((x, low, 0)))
    parts.add(metal, rod((x, stem - 0.02, 0), (x, low + high - 0.005, 0), 0.014))


def _desk(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """Two jointed arms or a bent neck, and a hood that looks down."""
    lower, upper, fall, bend = dice(0.15, 0.5), dice(0.15, 0.5), dice(-0.6, 1.0), dice(-0.2, 0.7)
    knee = (-lower * math.sin(bend), 0.02 + lower * math.cos(bend), 0.0)
    end = (knee[0] + upper * math.cos(fall), max(knee[1] + upper * math.sin(fall), 0.2), 0.0)
    _foot(dice, parts, metal, 0, dice(0.07, 0.17))
    size = dice(0.012, 0.025)
    if dice.chance(0.35):
        parts.add(metal, tube([(0, 0.02, 0), (0.8 * knee[0], 0.7 * knee[1], 0), knee, end], size))
    else:
        twice = (0.02,) if dice.chance(0.5) else (-0.03, 0.03)  # a single bar, or a pair of them
        for z in twice:
            start, middle, tip = (0.0, 0.02, z), (knee[0], knee[1], z), (end[0], end[1], z)
            parts.add(metal, rod(start, middle, size), rod(middle, tip, size))
        for x, y, _ in ((0.0, 0.02, 0.0), knee, end):
            parts.add(metal, wheel(1.7 * size, 0.1, (x, y, 0), "z", 12))
    radius, high, tilt = dice(0.06, 0.18), dice(0.07, 0.2), dice(-10, 60)
    if dice.chance(0.25):
        long = dice(0.25, 0.5)
        hood = box(long, 0.05, 0.1)
    else:
        hood = lathe([(0, 0), (radius, 0), (0.3 * radius, high), (0, high)]).translate((0, -0.7 * high, 0))
        hood = hood - lathe([(0, -0.01), (0.9 * radius, -0.01), (0.2 * radius, 0.8 * high), (0, 0.8 * high)]).translate(
            (0, -0.85 * high, 0)
        )
    parts.add(shade, hood.rotate((0, 0, tilt)).translate(end))


def _floor(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """A tall stem with a shade, with a bowl that lights the ceiling, or with several arms."""
    stem, size = dice(0.7, 1.5), dice(0.012, 0.035)
    _foot(dice, parts, metal, 0, dice(0.1, 0.24))
    parts.add(metal, rod((0, 0, 0), (0, stem, 0), size))
    kind = dice.pick("shade", "shade", "bowl", "arms", "column")
    if kind == "bowl":
        radius, high = dice(0.1, 0.3), dice(0.05, 0.25)
        outline = [(0, 0), (0.3 * radius, 0), (radius, high), (radius - 0.02, high), (0.3 * radius, 0.03), (0, 0.03)]
        parts.add(shade, lathe(outline, (0, stem - 0.01, 0)))
    elif kind == "arms":
        for n in range(dice.whole(2, 4)):
            level, angle, reach = stem * (1 - 0.2 * n), dice(0, 2 * math.pi), dice(0.12, 0.35)
            end = (reach * math.cos(angle), level + 0.08, reach * math.sin(angle))
            parts.add(metal, rod((0, level - 0.02, 0), end, 0.014))
            parts.add(shade, rod(end, (1.4 * end[0], end[1] - 0.15, 1.4 * end[2]), 0.03, dice(0.05, 0.11)))
    elif kind == "column":
        low = dice(0.05, 0.5) * stem
        wide = dice(0.07, 0.18)
        square = dice.chance(0.5)
        parts.add(shade, bar((0, low, 0), (0, stem, 0), 2 * wide) if square else rod((0, low, 0), (0, stem, 0), wide))
    else:
        _on_stem(dice, parts, metal, shade, stem, dice(0.12, 0.34), dice(0.12, 0.4))


def _arc(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """A shade that hangs from a bow over the floor."""
    stem, reach, rise, drop = dice(0.5, 1.2), dice(0.35, 1.1), dice(0.1, 0.5), dice(0.05, 0.3)
    angles = [math.pi * n / 8 * dice(0.8, 1.0) for n in range(9)]
    half = reach / 2
    bow = [(half - half * math.cos(a), stem + rise * math.sin(a), 0.0) for a in angles]
    _foot(dice, parts, metal, 0, dice(0.12, 0.22))
    parts.add(metal, rod((0, 0, 0), (0, stem, 0), 0.02), tube([(0, stem, 0), *bow[1:]], 0.02, 8))
    _hang(dice, parts, metal, shade, bow[-1], drop, dice(0.1, 0.26), dice(0.08, 0.24))


def _hang(
    dice: Dice,
    parts: Parts,
    metal: Colour,
    shade: Colour,
    place: tuple[float, float, float],
    drop: float,
    radius: float,
    high: float,
) -> None:
    x, y, z = place
    parts.add(metal, rod((x, y - drop - 0.01, z), (x, y + 0.01, z), 0.014))
    parts.add(shade, _shade(dice, radius, high).translate((x, y - drop - high, z)))


def _tripod(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """Three or four long legs that meet below a shade."""
    stem, spread, size = dice(0.4, 1.2), dice(0.12, 0.45), dice(0.014, 0.03)
    count, high = dice.whole(3, 4), dice(0.6, 1.0) * stem
    for n in range(count):
        angle = 2 * math.pi * n / count + 0.3
        parts.add(metal, rod((spread * math.cos(angle), 0, spread * math.sin(angle)), (0, high, 0), 0.7 * size, size))
    if dice.chance(0.4):
        parts.add(metal, wheel(0.55 * spread, 0.025, (0, 0.45 * high, 0), "y"))
    parts.add(metal, rod((0, high - 0.03, 0), (0, stem, 0), 1.5 * size))
    _on_stem(dice, parts, metal, shade, stem, dice(0.14, 0.4), dice(0.14, 0.4))


def _chandelier(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """Arms around a column, with a light on each; up or down; or all of them on a ring."""
    count, reach, drop, sag = dice.whole(3, 8), dice(0.2, 0.55), dice(0.2, 0.8), dice(-0.15, 0.2)
    parts.add(metal, rod((0, -drop, 0), (0, 0, 0), dice(0.012, 0.03)), wheel(0.08, 0.03, (0, 0, 0), "y"))
    parts.add(metal, ball(dice(0.03, 0.1), (0, -drop, 0), 12))
    size, high, up, form = dice(0.03, 0.1), dice(0.06, 0.18), dice.chance(0.6), dice.pick("cone", "ball", "candle")
    for n in range(count):
        angle = 2 * math.pi * n / count
        a, b = math.cos(angle), math.sin(angle)
        end = (reach * a, -drop + 0.1 * sag, reach * b)
        parts.add(metal, tube([(0, -drop, 0), (0.5 * reach * a, -drop - sag, 0.5 * reach * b), end], 0.014, 6))
        tip = (end[0], end[1] + (high if up else -high), end[2])
        if form == "ball":
            parts.add(shade, ball(size, end, 12))
        else:
            parts.add(shade, rod(end, tip, 0.02, size if form == "cone" else 0.02))
    if dice.chance(0.3):
        parts.add(metal, ring(reach, 0.015, (0, -drop + 0.1 * sag, 0)))


def _pendant(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """One shade on a cord or a pole; several in a row, or around a plate; or a long box on two cords."""
    kind, drop = dice.pick("one", "one", "row", "cluster", "beam"), dice(0.05, 0.9)
    radius, high = dice(0.08, 0.4), dice(0.08, 0.5)
    if kind == "one":
        _hang(dice, parts, metal, shade, (0, 0, 0), drop, radius, high)
        parts.add(metal, wheel(dice(0.04, 0.12), 0.03, (0, 0, 0), "y"))
    elif kind == "beam":
        wide = dice(0.6, 1.3)
        parts.add(shade, soft_box(wide, dice(0.05, 0.2), dice(0.08, 0.4), 0.02, (0, -drop - 0.02, 0)))
        parts.add(metal, *(rod((i * 0.4 * wide, -drop, 0), (i * 0.3 * wide, 0, 0), 0.012) for i in (-1, 1)))
        parts.add(metal, box(0.7 * wide, 0.03, 0.08))
    else:
        count, radius = dice.whole(2, 5), min(radius, 0.18)
        spread = dice(1.0, 1.4) * radius
        around = spread / math.sin(math.pi / count)
        for n in range(count):
            angle = 2 * math.pi * n / count
            place = ((n - (count - 1) / 2) * 2 * spread, 0.0, 0.0)
            if kind == "cluster":
                place = (around * math.cos(angle), 0.0, around * math.sin(angle))
            _hang(dice, parts, metal, shade, place, drop * dice(0.4, 1.2), 0.95 * radius, min(high, 0.25))
        row = box((count - 1) * 2 * spread + 0.1, 0.03, 0.1)
        parts.add(metal, row if kind == "row" else wheel(around + 0.04, 0.03, (0, 0, 0), "y"))


def _lantern(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """A light between posts under a roof, with a ring to carry it by."""
    wide, high, sides, post = dice(0.12, 0.3), dice(0.2, 0.7), dice.whole(4, 6), dice(0.012, 0.03)
    parts.add(metal, wheel(1.15 * wide, 0.04, (0, 0.02, 0), "y", sides))
    for n in range(sides):
        angle = 2 * math.pi * n / sides
        x, z = wide * math.cos(angle), wide * math.sin(angle)
        parts.add(metal, rod((x, 0.02, z), (dice(0.99, 1) * x, high, z), post))
    rise = dice(0.04, 0.35)
    roof = lathe([(0, 0), (1.2 * wide, 0), (1.2 * wide, 0.02), (0.03, rise), (0, rise)], (0, high - 0.005, 0), sides)
    parts.add(metal, roof)
    parts.add(shade, rod((0, 0.02, 0), (0, dice(0.4, 1.0) * high, 0), dice(0.2, 0.8) * wide))
    if dice.chance(0.7):
        size = dice(0.05, 0.15)
        parts.add(metal, ring(size, 0.015, (0, high + rise + size - 0.02, 0), "z"))


def _wall(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """An arm or two from a plate on the wall behind."""
    plate, reach, radius, high = dice(0.1, 0.4), dice(0.1, 0.45), dice(0.07, 0.2), dice(0.1, 0.35)
    parts.add(metal, box(dice(0.08, 0.3), plate, 0.03))
    for side in (-1, 1) if dice.chance(0.4) else (0,):
        x = side * (radius + 0.03)
        end = (x, dice(0, 0.3), reach)
        parts.add(metal, tube([(0, 0, 0), (0.8 * x, -0.05, 0.6 * reach), end], 0.018, 8))
        _hang(dice, parts, metal, shade, end, 0.0, radius, high)


def _post(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    """A street light: lights on arms that reach out from a tall post."""
    stem, size, reach, count = dice(0.9, 1.6), dice(0.02, 0.045), dice(0.15, 0.6), dice.whole(1, 3)
    _foot(dice, parts, metal, 0, dice(0.06, 0.14))
    parts.add(metal, rod((0, 0, 0), (0, stem, 0), 1.4 * size, size))
    for n in range(count):
        angle = 2 * math.pi * n / count
        a, b = math.cos(angle), math.sin(angle)
        end = (reach * a, stem + dice(-0.1, 0.2), reach * b)
        parts.add(metal, tube([(0, stem - 0.02, 0), (0.6 * reach * a, end[1] + 0.04, 0.6 * reach * b), end], size, 8))
        if dice.chance(0.5):
            flat = box(dice(0.2, 0.35), 0.06, 0.12, (0.08, 0, 0)).rotate((0, -math.degrees(angle), 0))
            parts.add(shade, flat.translate(end))
        else:
            _hang(dice, parts, metal, shade, end, 0.02, dice(0.07, 0.14), dice(0.1, 0.22))
