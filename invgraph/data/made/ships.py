"""Ships: tugs, cargo ships, ferries, warships and submarines."""

from __future__ import annotations

from .hulls import hull, pit
from .parts import Colour, Dice, Parts, ball, bar, box, pair, prism, rod, soft_box, wheel


def tug(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A tug or trawler: short and stout, a tall bridge, a funnel, a mast or a gallows."""
    length, width, depth = dice(2.0, 3.0), dice(0.9, 1.3), dice(0.4, 0.8)
    parts.add(paint, hull(dice, length, width, depth))
    white, z = dice.grey(0.7, 0.95), dice(-0.1, 0.2) * length
    floor = 0.0
    for n in range(dice.whole(1, 3)):
        high, long = dice(0.3, 0.5), dice(0.25, 0.45) * length * (1 - 0.2 * n)
        parts.add(white, box((0.68 - 0.1 * n) * width, high + 0.05, long, (0, floor + high / 2 - 0.03, z)))
        floor += high
    parts.add(dice.colour(), box(0.6 * width, 0.07, 0.4 * length, (0, floor, z)))
    stack, round_ = z - dice(0.12, 0.3) * length, dice(0.08, 0.2)
    parts.add(
        dice.colour(), rod((0, -0.1, stack), (0, floor + dice(-0.1, 0.6), stack - 0.05), round_, 0.8 * round_, 14)
    )
    if dice.chance(0.5):
        tall = floor + dice(0.3, 1.0)
        parts.add(
            dice.grey(),
            rod((0, floor - 0.1, z), (0, tall, z), 0.05, sides=8),
            rod((-0.3, tall - 0.2, z), (0.3, tall - 0.2, z), 0.04, sides=8),
        )
    if dice.chance(0.5):
        back, x, high = -0.42 * length, 0.3 * width, dice(0.4, 1.1)
        parts.add(
            dice.grey(0.1, 0.5),
            *pair(bar((x, -0.1, back), (0.8 * x, high, back), 0.09)),
            box(2 * x, 0.1, 0.1, (0, high, back)),
        )


def cargo(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A container ship, a tanker, a freighter with cranes or a bulk carrier with open holds."""
    length, width, depth = dice(3.4, 4.6), dice(0.5, 1.1), dice(0.25, 0.6)
    parts.add(paint, hull(dice, length, width, depth))
    white, steel = dice.grey(0.7, 0.95), dice.grey(0.2, 0.6)
    bridge = dice(-0.42, -0.3) * length if dice.chance(0.7) else dice(-0.1, 0.3) * length
    high = dice(0.4, 1.1)
    parts.add(white, box(0.85 * width, high + 0.1, 0.09 * length, (0, high / 2 - 0.05, bridge)))
    parts.add(white, box(dice(0.9, 1.1) * width, 0.12, 0.06 * length, (0, high, bridge)))
    parts.add(dice.colour(), rod((0, 0.0, bridge - 0.28), (0, high + dice(0.0, 0.4), bridge - 0.28), 0.12, 0.1, 14))
    kind, count = dice.pick("stacks", "stacks", "cranes", "holds", "tanks"), dice.whole(3, 6)
    step = 0.74 * length / count
    for n in range(count):
        z = -0.4 * length + (n + 0.5) * step
        if abs(z - bridge) < 0.045 * length + step / 2:
            continue
        wide = 0.85 * width * (1.0 if z < 0.2 * length else 0.75)
        if kind == "stacks":
            tall = dice(0.1, 0.9)
            parts.add(dice.colour(), box(wide, tall + 0.05, dice(0.7, 0.95) * step, (0, tall / 2 - 0.04, z)))
        elif kind == "cranes":
            tall, reach = dice(0.5, 1.1), dice(0.5, 1.1) * step
            parts.add(
                steel,
                rod((0, -0.1, z), (0, tall, z), 0.07, sides=8),
                bar((0, 0.5 * tall, z), (0, 0.9 * tall, z + reach), 0.08),
            )
        elif kind == "holds":
            parts.cut(pit(0.75 * step, 0.72 * wide, 0.6 * depth, z))
        else:
            parts.add(steel, ball((0.42 * wide, 0.42 * wide, 0.44 * step), (0, 0.05, z), 14))


def ferry(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A liner, ferry or paddle steamer: decks above each other, open or closed, and one to four funnels."""
    length, width, depth = dice(3.0, 4.4), dice(0.6, 1.2), dice(0.25, 0.55)
    parts.add(paint, hull(dice, length, width, depth))
    white, storey = dice.grey(0.75, 0.95), dice(0.14, 0.3)
    decks, middle = dice.whole(1, 5), dice(-0.1, 0.06) * length
    for n in range(decks):
        long, wide = (dice(0.6, 0.74) - 0.09 * n) * length, (0.86 - 0.07 * n) * width
        at = (0, storey * (n + 0.5) - 0.02, middle)
        if dice.chance(0.35):  # an open deck: posts, and what lies within them
            posts = max(3, round(long / 0.4))
            parts.add(white, box(0.3 * wide, storey + 0.04, 0.8 * long, at))
            for k in range(posts):
                z = middle + (k / (posts - 1) - 0.5) * 0.96 * long
                parts.add(white, *pair(box(0.06, storey + 0.06, 0.06, (0.46 * wide, at[1], z))))
            parts.add(
                white,
                box(wide, 0.05, long, (0, storey * (n + 1) - 0.02, middle)),
                box(wide, 0.05, long, (0, storey * n, middle)),
            )
        else:
            parts.add(white, box(wide, storey + 0.03, long, at))
    top, stacks, high = decks * storey, dice.whole(1, 4), dice(0.25, 0.8)
    span = (0.5 - 0.09 * decks) * length
    for n in range(stacks):
        z = middle + ((n + 0.5) / stacks - 0.5) * span
        parts.add(dice.colour(), rod((0, top - 0.1, z), (0, top + high, z - dice(0.0, 0.15)), 0.1, 0.09, 14))
    if dice.chance(0.3):
        radius = dice(0.3, 0.55)
        parts.add(paint, *pair(wheel(radius, 0.25, (0.5 * width + 0.05, 0.05, middle), "x", 16)))
    if dice.chance(0.4):
        parts.add(dice.wood(), rod((0, -0.1, 0.38 * length), (0, dice(0.8, 1.5), 0.38 * length), 0.045, sides=8))


def warship(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A cruiser with turrets and masts, or a carrier with a flat deck and an island."""
    paint = dice.grey(0.35, 0.7) if dice.chance(0.7) else paint
    length, width, depth = 4.4, dice(0.4, 0.8), dice(0.2, 0.45)
    parts.add(paint, hull(dice, length, width, depth))
    if dice.chance(0.3):
        wide, side = width * dice(1.2, 1.9), dice(0.25, 0.42)
        deck = [
            (-wide / 2, -0.48),
            (wide / 2, -0.48),
            (wide / 2, 0.1),
            (0.3 * wide, 0.45),
            (0.1 * wide, 0.5),
            (-0.3 * wide, 0.5),
            (-wide / 2, 0.2),
        ]
        parts.add(paint, prism([(x, z * length) for x, z in deck], 0.1, "y", (0, 0.02, 0)))
        high, z = dice(0.3, 0.8), dice(-0.2, 0.1) * length
        parts.add(
            paint,
            box(0.15 * wide, high, 0.15 * length, (side * wide, high / 2, z)),
            rod((side * wide, 0, z), (side * wide, high + 0.4, z), 0.05, sides=8),
        )
        return
    for z in (0.3, 0.18, -0.3, -0.18)[: dice.whole(1, 4)]:
        sign, size, reach = (1 if z > 0 else -1), dice(0.12, 0.2), dice(0.25, 0.5)
        lift = 0.0 if abs(z) > 0.2 else 0.12
        parts.add(paint, soft_box(1.6 * size, 0.2 + lift, 2 * size, 0.04, (0, 0.06 + lift / 2, z * length)))
        tip = (0.05, 0.12 + lift + dice(0.0, 0.25), z * length + sign * (size + reach))
        parts.add(paint, *pair(rod((0.05, 0.1 + lift, z * length), tip, 0.035, sides=8)))
    floor = 0.0
    for n in range(dice.whole(1, 4)):
        high, long = dice(0.15, 0.35), dice(0.12, 0.24) * length * (1 - 0.18 * n)
        parts.add(paint, box((0.7 - 0.1 * n) * width, high + 0.06, long, (0, floor + high / 2 - 0.03, 0.02 * length)))
        floor += high
    tall = floor + dice(0.3, 0.9)
    parts.add(paint, rod((0, floor - 0.1, 0), (0, tall, 0), 0.06, 0.04, 8), box(0.5, 0.05, 0.1, (0, tall - 0.2, 0)))
    if dice.chance(0.6):
        parts.add(paint, rod((0, -0.1, -0.11 * length), (0, floor + 0.1, -0.13 * length), 0.13, 0.1, 12))


def submarine(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A round body with a tower, rudders and planes; short for research or long for war."""
    length, radius = dice(1.8, 4.4), dice(0.2, 0.42)
    tall = dice(0.8, 1.3)
    nose, tail = dice(0.3, 0.9), dice(0.6, 0.95)
    middle = rod((0, 0, -0.5 * length + tail), (0, 0, 0.5 * length - nose), radius, sides=18)
    body = middle + ball((radius, radius, nose), (0, 0, 0.5 * length - nose), 18)
    body = body + rod((0, 0, -0.5 * length), (0, 0, -0.5 * length + tail + 1e-3), 0.2 * radius, radius, 18)
    parts.add(paint, body.scale((1, tall, 1)))
    top, z, high, long = tall * radius, dice(-0.05, 0.25) * length, dice(0.15, 0.55), dice(0.12, 0.25) * length
    tower = prism(
        [(-0.1, -long / 2), (0.1, -long / 2), (0.12, 0.2 * long), (0, long / 2), (-0.12, 0.2 * long)], high + 0.3, "y"
    )
    parts.add(paint, tower.translate((0, top + high / 2 - 0.15, z)))
    if dice.chance(0.6):
        parts.add(
            dice.grey(),
            *(rod((0, top, z + k), (0, top + high + dice(0.1, 0.5), z + k), 0.04, sides=8) for k in (0.0, -0.15)),
        )
    if dice.chance(0.5):
        planes = box(dice(0.7, 1.1), 0.06, 0.2, (0, top + 0.6 * high, z))
        parts.add(paint, planes)
    back, reach = -0.5 * length + 0.16, dice(0.8, 1.5) * radius
    parts.add(paint, box(2 * reach, 0.06, 0.28, (0, 0, back)), box(0.06, 2 * reach, 0.28, (0, 0, back)))
    if dice.chance(0.4):
        parts.add(
            dice.grey(),
            *pair(
                rod(
                    (0.8 * radius, -0.6 * top, -0.25 * length),
                    (0.8 * radius, -0.6 * top, 0.25 * length),
                    0.35 * radius,
                    sides=10,
                )
            ),
        )
    parts.add(dice.grey(0.5, 0.8), wheel(0.7 * radius, 0.06, (0, 0, -0.5 * length), "z", 8))


def house_boat(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A house boat or barge: a house with a roof, a paddle wheel on some, on a flat float or two round ones."""
    length, width = dice(2.2, 3.8), dice(1.0, 1.6)
    if dice.chance(0.5):
        thick = dice(0.14, 0.24)
        parts.add(paint, *pair(rod((0.36 * width, 0, -length / 2), (0.36 * width, 0, length / 2), thick, sides=12)))
        parts.add(dice.wood(), box(width, 0.1, length, (0, 0.9 * thick, 0)))
        floor = 0.9 * thick
    else:
        deep = dice(0.2, 0.45)
        barge = [(length / 2, 0), (length / 2 - 0.4, -deep), (-length / 2 + 0.3, -deep), (-length / 2, 0)]
        parts.add(paint, prism(barge, width, "x"))
        floor = 0.0
    storeys, z = dice.whole(1, 3), dice(-0.15, 0.1) * length
    long, wide = dice(0.45, 0.8) * length, 0.82 * width
    for n in range(storeys):
        high = 0.5
        house = box(wide, high, long, (0, floor + 0.25, z))
        count = max(2, round(long / 0.55))
        if dice.chance(0.6):
            for k in range(count):
                house = house - box(
                    2 * width, 0.26, 0.6 * long / count, (0, floor + 0.28, z + ((k + 0.5) / count - 0.5) * long)
                )
        parts.add(dice.grey(0.6, 0.95) if n else dice.colour(), house)
        parts.add(dice.wood(), box(wide * 1.1, 0.08, long * 1.08, (0, floor + high, z)))
        floor, long, wide = floor + high, long * dice(0.6, 0.95), wide * 0.9
    if dice.chance(0.4):
        parts.add(
            dice.colour(),
            *pair(rod((0.2 * width, floor - 0.1, z), (0.2 * width, floor + dice(0.4, 0.9), z), 0.08, 0.11)),
        )
    if dice.chance(0.4):
        radius, back = dice(0.3, 0.5), -length / 2 - 0.2
        spokes = [box(0.7 * width, 0.05, 2 * radius).rotate((angle, 0, 0)) for angle in (0, 45, 90, 135)]
        parts.add(dice.colour(), *(s.translate((0, 0.1, back)) for s in spokes))
        parts.add(dice.wood(), *pair(bar((0.4 * width, 0.0, -0.4 * length), (0.4 * width, 0.1, back - 0.06), 0.12)))
        parts.add(dice.wood(), rod((-0.42 * width, 0.1, back), (0.42 * width, 0.1, back), 0.06, sides=8))
