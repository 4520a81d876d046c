"""Tables, cabinets, lamps and displays."""

from __future__ import annotations

import math

from .parts import Colour, Dice, Manifold, Parts, ball, bar, box, lathe, pair, prism, ring, rod, soft_box, tube, wheel


def table(dice: Dice) -> Parts:
    """A round, square or oval top on legs, a column, trestles or walls; some with a shelf or drawers."""
    parts = Parts()
    wood = dice.wood() if dice.chance(0.7) else dice.grey()
    other = dice.grey() if dice.chance(0.4) else wood
    width, depth = dice(0.7, 1.4), dice(0.5, 0.9)
    height, thick = dice(0.3, 0.8), dice(0.02, 0.08)
    top = (0, height + thick / 2, 0)
    kind = dice.pick("box", "box", "soft", "round", "oval", "octagon")
    if kind in ("round", "oval", "octagon"):
        sides = 8 if kind == "octagon" else 32
        squash = depth / width if kind == "oval" else 1.0
        depth = width * squash
        disc = wheel(width / 2, thick, (0, 0, 0), "y", sides).scale((1, 1, squash)).translate(top)
        parts.add(wood, disc)
    elif kind == "soft":
        parts.add(wood, soft_box(width, thick, depth, 0.4 * thick, top))
    else:
        parts.add(wood, box(width, thick, depth, top))
    reach = 0.6 if kind in ("round", "oval", "octagon") else 0.92
    x, z, size = reach * width / 2, reach * depth / 2, dice(0.02, 0.045)
    splay = 0.0
    legs = dice.pick("four", "four", "four", "column", "trestle", "walls", "three", "cross")
    if legs == "four":
        splay = _four_legs(dice, parts, other, x, z, height, size)
    elif legs == "column":
        foot = dice(0.4, 0.75) * min(x, z) / 0.6
        waist = dice(0.03, 0.08)
        parts.add(
            other, lathe([(0, 0), (foot, 0), (foot, 0.03), (waist, 0.07), (waist, height + 0.01), (0, height + 0.01)])
        )
    elif legs == "three":
        for n in range(3):
            angle = 2 * math.pi * n / 3 + math.pi / 2
            a, b = x * math.cos(angle), z * math.sin(angle)
            parts.add(other, rod((a, 0, b), (0.7 * a, height + 0.01, 0.7 * b), size))
    elif legs == "cross":
        for k in (-1, 1):
            parts.add(other, bar((-x, 0, k * z), (x, height + 0.01, k * z), 1.5 * size))
            parts.add(other, bar((x, 0, k * z), (-x, height + 0.01, k * z), 1.5 * size))
        parts.add(other, box(size, size, 2 * z, (0, height / 2, 0)))
    elif legs == "trestle":
        for i in (-1, 1):
            parts.add(other, box(2 * size, height + 0.02, 0.3 * depth, (i * 0.8 * x, height / 2, 0)))
            parts.add(other, box(2 * size, 0.05, 2 * z, (i * 0.8 * x, 0.025, 0)))
        parts.add(other, box(1.6 * x, 2 * size, size, (0, 0.4 * height, 0)))
    else:
        parts.add(other, *pair(box(1.5 * size, height + 0.01, 2 * z, (x, height / 2, 0))))
        if dice.chance(0.5):
            parts.add(other, box(2 * x, height * 0.6, size, (0, 0.7 * height, -z)))
    if legs in ("four", "walls") and dice.chance(0.4):
        share = dice(0.15, 0.45)
        out = splay * (1 - share)
        parts.add(wood, box(2 * (x + out), 0.025, 2 * (z + out), (0, share * height, 0)))
    if kind in ("box", "soft") and legs in ("four", "walls") and dice.chance(0.25):
        wide = dice(0.3, 0.5) * width
        drawers = box(wide, 0.7 * height, 1.8 * z, (x - wide / 2, 0.66 * height, 0))
        parts.add(wood, drawers, *(pair(drawers)[1:] if dice.chance(0.4) else []))
    return parts


def _four_legs(dice: Dice, parts: Parts, colour: Colour, x: float, z: float, height: float, size: float) -> float:
    """Legs, with or without an apron; how far their feet stand out."""
    square, splay = dice.chance(0.5), dice(0, 0.1)
    for i in (-1, 1):
        for k in (-1, 1):
            foot, top = (
                (i * (x - size + splay), 0, k * (z - size + splay)),
                (i * (x - size), height + 0.01, k * (z - size)),
            )
            parts.add(colour, bar(foot, top, 2 * size) if square else rod(foot, top, 0.7 * size, size))
    if dice.chance(0.5):
        apron = dice(0.04, 0.12)
        level = height - apron / 2 + 0.005
        parts.add(colour, *(box(2 * x - 2 * size, apron, size, (0, level, k * (z - size))) for k in (-1, 1)))
        parts.add(colour, *(box(size, apron, 2 * z - 2 * size, (i * (x - size), level, 0)) for i in (-1, 1)))
    return splay


def cabinet(dice: Dice) -> Parts:
    """A case with doors, drawers or open shelves, on feet or a plinth; wardrobes, sideboards and book cases."""
    parts = Parts()
    wood = dice.wood() if dice.chance(0.7) else dice.colour(0.4)
    front = wood if dice.chance(0.4) else dice.colour(0.3)
    width, height, depth = dice(0.4, 1.5), dice(0.4, 1.6), dice(0.28, 0.6)
    foot, wall = dice(0.02, 0.2), dice(0.02, 0.05)
    middle = foot + height / 2
    parts.add(wood, box(width, height, depth, (0, middle, 0)))
    columns = max(1, round(width / dice(0.35, 0.7)))
    rows = max(1, round(height / dice(0.25, 0.6)))
    cell_w, cell_h = (width - wall) / columns, (height - wall) / rows
    open_share = 1.0 if dice.chance(0.3) else dice(0, 0.4)
    holes: list[Manifold] = []
    for i in range(columns):
        for j in range(rows):
            x, y = (i + 0.5) * cell_w - (width - wall) / 2, foot + wall / 2 + (j + 0.5) * cell_h
            if dice.chance(open_share):
                holes.append(box(cell_w - wall, cell_h - wall, depth, (x, y, wall)))
            else:
                parts.add(front, box(cell_w - 0.4 * wall, cell_h - 0.4 * wall, 0.03, (x, y, depth / 2 + 0.01)))
                parts.add(dice.grey(0.2, 0.5), ball(0.018, (x + 0.3 * cell_w, y, depth / 2 + 0.035), 10))
    if holes:
        parts.solids[0] = parts.solids[0] - holes[0] if len(holes) == 1 else _without(parts.solids[0], holes)
    if dice.chance(0.5):
        parts.add(wood, box(width + 0.06, 0.03, depth + 0.05, (0, foot + height + 0.01, 0.01)))
    if foot > 0.07:
        size = dice(0.02, 0.04)
        for i in (-1, 1):
            for k in (-1, 1):
                x, z = i * (width / 2 - size), k * (depth / 2 - size)
                parts.add(wood, bar((x, 0, z), (x, foot + 0.01, z), 2 * size))
    else:
        parts.add(wood, box(0.96 * width, foot + 0.01, 0.9 * depth, (0, (foot + 0.01) / 2, 0)))
    return parts


def _without(solid: Manifold, holes: list[Manifold]) -> Manifold:
    for hole in holes:
        solid = solid - hole
    return solid


def lamp(dice: Dice) -> Parts:
    """A floor, table, desk or hanging lamp, with a hollow shade, a ball or several."""
    parts = Parts()
    metal = dice.grey() if dice.chance(0.5) else dice.colour()
    shade = dice.colour(0.5, 1.0)
    kind = dice.pick("floor", "table", "table", "desk", "hanging", "ball")
    if kind == "desk":
        _desk_lamp(dice, parts, metal, shade)
        return parts
    radius, high = dice(0.14, 0.3), dice(0.16, 0.36)
    if kind == "hanging":
        drop, count = dice(0.3, 0.7), dice.whole(1, 3)
        spread = dice(1.1, 1.4) * radius
        for n in range(count):
            x = (n - (count - 1) / 2) * 2 * spread
            low = -drop * (1.0 if count == 1 else dice(0.8, 1.2))
            parts.add(shade, _shade(dice, radius * 0.9, high).translate((x, low - high, 0)))
            parts.add(metal, rod((x, low - 0.01, 0), (x, 0.01, 0), 0.012))
        wide = max(0.2, (count - 1) * 2 * spread + 0.15)
        parts.add(metal, box(wide, 0.03, 0.1, (0, 0.015, 0)))
        return parts
    stem = dice(0.8, 1.3) if kind == "floor" else dice(0.2, 0.45)
    foot = dice(0.1, 0.2)
    turned = kind == "table" and dice.chance(0.6)
    if turned:
        belly, neck = dice(0.08, 0.16), dice(0.02, 0.04)
        profile = [(0, 0), (foot, 0), (foot, 0.02), (neck * 1.5, 0.05)]
        profile += [(neck + belly * math.sin(math.pi * s / 8) ** 2, 0.05 + (stem - 0.05) * s / 8) for s in range(1, 8)]
        parts.add(metal, lathe([*profile, (neck, stem), (0, stem)]))
    elif dice.chance(0.3):
        for n in range(3):
            angle = 2 * math.pi * (n + 0.25) / 3
            parts.add(metal, rod((foot * 1.4 * math.cos(angle), 0, foot * 1.4 * math.sin(angle)), (0, stem, 0), 0.016))
    else:
        parts.add(metal, lathe([(0, 0), (foot, 0), (foot, 0.025), (0.018, 0.04), (0.018, stem), (0, stem)]))
    if kind == "ball":
        parts.add(shade, ball(radius * 0.8, (0, stem + 0.7 * radius, 0)))
    else:
        parts.add(shade, _shade(dice, radius, high).translate((0, stem - 0.3 * high, 0)))
        parts.add(metal, rod((0, stem - 0.02, 0), (0, stem + 0.69 * high, 0), 0.014))
        parts.add(
            metal, wheel(radius * 0.95, 0.01, (0, stem + 0.69 * high, 0), "y") ^ _cylinder(radius * 0.5, stem + 2)
        )
    return parts


def _cylinder(radius: float, high: float) -> Manifold:
    return rod((0, -1, 0), (0, high, 0), radius, sides=24)


def _shade(dice: Dice, radius: float, high: float) -> Manifold:
    """A hollow cone, drum or bell, from height 0 on, with a spider across its top."""
    top = radius * (1.0 if dice.chance(0.3) else dice(0.3, 0.8))
    wall = 0.02
    bend = dice(-0.15, 0.15) * radius
    steps = [s / 4 for s in range(5)]
    outer = [(radius + (top - radius) * s + bend * math.sin(math.pi * s), high * s) for s in steps]
    inner = [(max(r - wall, 0.01), y) for r, y in reversed(outer)]
    spider = box(2 * top - wall, 0.02, 0.03, (0, high - 0.01, 0))
    return lathe([*outer, *inner]) + spider


def _desk_lamp(dice: Dice, parts: Parts, metal: Colour, shade: Colour) -> None:
    foot, lower, upper = dice(0.09, 0.15), dice(0.25, 0.4), dice(0.2, 0.4)
    bend, fall = dice(0.1, 0.5), dice(-0.3, 0.6)
    knee = (-lower * math.sin(bend), 0.02 + lower * math.cos(bend), 0.0)
    end = (knee[0] + upper * math.cos(fall), knee[1] + upper * math.sin(fall), 0.0)
    parts.add(metal, lathe([(0, 0), (foot, 0), (foot, 0.03), (0, 0.03)]))
    if dice.chance(0.4):
        parts.add(metal, tube([(0, 0.02, 0), (0.5 * knee[0], 0.6 * knee[1], 0), knee, end], 0.015))
    else:
        parts.add(metal, rod((0, 0.02, 0), knee, 0.014), rod(knee, end, 0.014), ball(0.025, knee, 12))
    radius, high = dice(0.07, 0.13), dice(0.1, 0.16)
    wall = 0.015
    hood = lathe([(radius, 0), (0.03, high), (0, high), (0, high - wall), (0.03, high - wall), (radius - wall, 0)])
    parts.add(shade, hood.rotate((0, 0, dice(0, 40))).translate((end[0], end[1] - 0.7 * high, 0)))


def display(dice: Dice) -> Parts:
    """A flat screen or an old set with a deep back, on a foot, on two feet, or as a laptop."""
    parts = Parts()
    case, glass = dice.grey(0.05, 0.8), dice.grey(0.05, 0.25)
    width = dice(0.6, 1.1)
    high, thick = width * dice(0.52, 0.8), dice(0.03, 0.08)
    kind = dice.pick("foot", "foot", "two feet", "laptop", "tube")
    gap = 0.0 if kind in ("laptop", "tube") else dice(0.05, 0.18)
    middle = (0.0, gap + high / 2, 0.0)
    parts.add(case, soft_box(width, high, thick, 0.3 * thick, middle))
    rim = dice(0.02, 0.06)
    parts.add(glass, box(width - 2 * rim, high - 2 * rim, thick, (0, middle[1], 0.006)))
    if kind == "laptop":
        lean = math.degrees(dice(0.1, 0.4))
        parts.solids = [solid.rotate((-lean, 0, 0)) for solid in parts.solids]
        parts.add(case, soft_box(width, 0.04, high, 0.012, (0, 0.0, high / 2)))
        parts.add(glass, box(0.88 * width, 0.012, 0.45 * high, (0, 0.02, 0.36 * high)))
    elif kind == "tube":
        deep = dice(0.3, 0.6) * width
        back = [
            (0.5 * deep, 0.46 * high),
            (0.5 * deep, -0.46 * high),
            (-0.5 * deep, -0.3 * high),
            (-0.5 * deep, 0.3 * high),
        ]
        shell = prism(back, 0.86 * width, "x", (0, middle[1], -deep / 2))
        parts.add(case, shell, box(0.6 * width, 0.06, 0.6 * deep, (0, -0.02, -0.3 * deep)))
    elif kind == "two feet":
        for i in (-1, 1):
            parts.add(case, bar((i * 0.34 * width, 0, 0.14), (i * 0.3 * width, gap + 0.03, 0), 0.03))
            parts.add(case, bar((i * 0.34 * width, 0, -0.14), (i * 0.3 * width, gap + 0.03, 0), 0.03))
    else:
        foot = dice(0.2, 0.4) * width
        parts.add(case, box(dice(0.04, 0.16), gap + 0.1, 0.03, (0, (gap + 0.1) / 2, -0.3 * thick)))
        flat = dice.chance(0.5)
        plate = box(2 * foot, 0.02, 0.24, (0, 0.01, 0)) if flat else wheel(foot, 0.02, (0, 0.01, 0), "y")
        parts.add(case, plate if flat else plate.scale((1, 1, 0.6)))
        if dice.chance(0.2):
            parts.add(case, ring(0.05, 0.012, (0, gap + high + 0.04, 0), "z"))
    return parts
