"""Tables and cabinets."""

from __future__ import annotations

import math

from .parts import Colour, Dice, Manifold, Parts, ball, bar, box, lathe, pair, rod, soft_box, wheel


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
