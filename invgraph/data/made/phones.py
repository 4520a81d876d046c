"""Telephones."""

from __future__ import annotations

import math

from .parts import Colour, Dice, Manifold, Parts, ball, bar, box, pair, prism, ring, rod, soft_box, tube, wheel


def phone(dice: Dice) -> Parts:
    """A slab or tablet, keypad brick, flip, slider, field phone with aerial, receiver, desk, wall or pay telephone."""
    parts = Parts()
    case = dice.grey(0.08, 0.9) if dice.chance(0.6) else dice.colour()
    builders = {
        "slab": _slab, "keys": _keypad, "flip": _flip, "slider": _slider, "field": _brick, "receiver": _receiver,
        "desk": _desk, "candle": _candlestick, "cordless": _cordless,
    }  # fmt: skip
    builders[dice.pick("slab", "flip", "desk", *builders)](dice, parts, case)
    return parts


def _slab(dice: Dice, parts: Parts, case: Colour) -> None:
    """From a small phone to a tablet, upright or across; on a stand, in a ring or with a lens that stands out."""
    width, high, thick = dice(0.4, 1.0), dice(0.7, 1.3), dice(0.05, 0.28)
    if dice.chance(0.2):
        width, high = high, width
    glass = dice.grey(0.05, 0.2)
    body = soft_box(width, high, thick, dice(0.1, 0.48) * thick)
    parts.add(case, body)
    parts.add(glass, box(dice(0.75, 0.95) * width, dice(0.7, 0.92) * high, 0.03, (0, 0, thick / 2)))
    lens = dice(0.04, 0.2) * min(width, 0.7)
    for n in range(dice.whole(1, 3)):
        reach = dice(0.03, 0.12)
        parts.add(glass, wheel(lens, 2 * reach, (0.28 * width, 0.36 * high - 2.1 * lens * n, -thick / 2), "z", 14))
    parts.add(case, box(0.05, 0.14 * high, 0.4 * thick, (width / 2, 0.2 * high, 0)))
    extra = dice.pick("none", "none", "stand", "grip", "dock", "turned")
    if extra == "stand":
        reach, foot = dice(0.25, 0.7), -dice(0.2, 0.5) * high
        parts.add(case, bar((0, 0.1 * high, -0.3 * thick), (0, foot, -reach), 0.5 * width, 0.06))
        parts.solids = [solid.rotate((-dice(10, 11), 0, 0)) for solid in parts.solids]
    elif extra == "grip":
        size = dice(0.12, 0.2)
        parts.add(
            dice.colour(),
            rod((0, 0, 0), (0, 0, -thick - 0.1), 0.07),
            wheel(size, 0.05, (0, 0, -thick / 2 - 0.13), "z", 16),
        )
    elif extra == "dock":
        deep, tall = dice(0.3, 0.6), dice(0.1, 0.25)
        parts.add(dice.grey(), soft_box(1.2 * width, tall, deep, 0.04, (0, -high / 2, 0)))
    if extra != "stand":
        _tilt(dice, parts)


def _tilt(dice: Dice, parts: Parts) -> None:
    """Upright, leaning back, or lying on a table."""
    kind = dice.pick("up", "up", "lean", "flat")
    angle = {"up": 0.0, "lean": -dice(15, 65), "flat": -90.0}[kind]
    turn = dice(-25, 25) if kind == "flat" else 0.0
    parts.solids = [solid.rotate((angle, turn, 0)) for solid in parts.solids]


def _keys(dice: Dice, parts: Parts, width: float, high: float, middle: tuple[float, float], z: float) -> None:
    """Three columns of keys in z = const."""
    colour, rows, stand = dice.grey(0.3, 0.95), dice.whole(3, 5), dice(0.03, 0.09)
    for i in (-1, 0, 1):
        for j in range(rows):
            y = middle[1] + high * ((j + 0.5) / rows - 0.5)
            parts.add(colour, box(0.2 * width, 0.6 * high / rows, stand, (middle[0] + 0.27 * width * i, y, z)))


def _aerial(dice: Dice, parts: Parts, case: Colour, x: float, top: float, thick: float) -> None:
    """A stub or a long whip."""
    if dice.chance(0.5):
        parts.add(case, rod((x, top - 0.15, 0), (x, top + dice(0.1, 0.4), 0), 0.4 * thick, 0.3 * thick, 10))
    else:
        parts.add(case, rod((x, top - 0.15, 0), (x, top + dice(0.3, 1.1), 0), 0.045, sides=8))


def _keypad(dice: Dice, parts: Parts, case: Colour) -> None:
    """A bar with a screen and keys, of straight, waisted or bulging sides."""
    width, high, thick = dice(0.32, 0.62), dice(0.7, 1.25), dice(0.1, 0.36)
    much = dice(-0.25, 0.3)
    side = [
        (0.5 * width * (1 + much * math.sin(math.pi * s / 8) - max(much, 0) / 2), high * (s / 8 - 0.5))
        for s in range(9)
    ]
    parts.add(case, prism([*side, *((-x, y) for x, y in reversed(side))], thick, "z"))
    narrow = width * (1 - abs(much))
    parts.add(dice.grey(0.05, 0.3), box(0.7 * narrow, 0.3 * high, 0.04, (0, 0.24 * high, thick / 2)))
    _keys(dice, parts, narrow, 0.42 * high, (0, -0.22 * high), thick / 2)
    if dice.chance(0.5):
        _aerial(dice, parts, case, 0.25 * narrow, high / 2, thick)
    _tilt(dice, parts)


def _brick(dice: Dice, parts: Parts, case: Colour) -> None:
    """The first mobiles and satellite phones: deep bricks with a stout aerial; some with a strap or a clip."""
    width, high, thick = dice(0.25, 0.5), dice(0.6, 1.1), dice(0.2, 0.5)
    parts.add(case, box(width, high, thick) if dice.chance(0.5) else soft_box(width, high, thick, 0.08))
    if dice.chance(0.6):
        deep = dice(0.05, 0.2)
        parts.add(
            case, *(soft_box(width, 0.28 * high, deep * 2, 0.04, (0, k * 0.36 * high, thick / 2)) for k in (-1, 1))
        )
    _keys(dice, parts, 0.9 * width, 0.4 * high, (0, 0), thick / 2)
    side = (1 if dice.chance(0.5) else -1) * dice(0.2, 0.38) * width
    _aerial(dice, parts, dice.grey(0.05, 0.2), side, high / 2, dice(0.12, 0.24))
    if dice.chance(0.3):
        parts.add(dice.grey(0.1, 0.3), rod((-side, high / 2 - 0.1, 0), (-side, high / 2 + 0.1, 0), 0.07))
    if dice.chance(0.35):
        x = -width / 2
        parts.add(
            case,
            tube(
                [
                    (x + 0.03, 0.35 * high, 0),
                    (x - 0.15, 0.25 * high, 0),
                    (x - 0.15, -0.25 * high, 0),
                    (x + 0.03, -0.35 * high, 0),
                ],
                0.03,
            ),
        )


def _flip(dice: Dice, parts: Parts, case: Colour) -> None:
    """Two halves at a hinge, open at any angle; upright or across as a pocket computer."""
    width, half = dice(0.35, 0.75), dice(0.4, 0.75)
    thick, lid = dice(0.08, 0.24), dice(0.05, 0.16)
    angle = dice(5, 110)
    if dice.chance(0.25):
        width, half = width * 1.5, half * 0.8
    parts.add(case, soft_box(width, half, thick, 0.3 * thick, (0, -half / 2, 0)))
    _keys(dice, parts, width, 0.75 * half, (0, -half / 2), thick / 2)
    long = half * dice(0.6, 1.1)
    upper = soft_box(width, long, lid, 0.3 * lid, (0, long / 2, 0))
    screen = box(0.8 * width, 0.7 * long, 0.04, (0, long / 2, lid / 2))
    parts.add(case, upper.rotate((angle, 0, 0)), wheel(0.55 * max(thick, lid), 0.9 * width, (0, 0, 0), "x", 14))
    parts.add(dice.grey(0.05, 0.3), screen.rotate((angle, 0, 0)))
    if dice.chance(0.4):
        _aerial(dice, parts, case, 0.35 * width, 0.0, thick)
    lean = -dice(0, 90)
    parts.solids = [solid.rotate((lean, 0, 0)) for solid in parts.solids]


def _slider(dice: Dice, parts: Parts, case: Colour) -> None:
    """Two slabs above each other, pushed apart upwards or sideways, or turned about a corner."""
    width, high, thick = dice(0.4, 0.7), dice(0.6, 1.0), dice(0.06, 0.16)
    lower = soft_box(width, high, thick, 0.3 * thick)
    _keys(dice, parts, width, 0.35 * high, (0, -0.3 * high), thick / 2)
    way = dice.pick("up", "side", "turn")
    upper, glass = soft_box(width, high, thick, 0.3 * thick), box(0.8 * width, 0.75 * high, 0.04, (0, 0, thick / 2))
    for colour, solid in ((case, upper), (dice.grey(0.05, 0.2), glass)):
        solid = solid.translate((0, 0, 0.95 * thick))
        if way == "up":
            solid = solid.translate((0, 0.45 * high, 0))
        elif way == "side":
            solid = solid.translate((0.55 * width, 0, 0))
        else:
            solid = solid.translate((0, -0.4 * high, 0)).rotate((0, 0, 90)).translate((0, 0.4 * high, 0))
        parts.add(colour, solid)
    parts.add(case, lower)
    _tilt(dice, parts)


def _receiver(dice: Dice, parts: Parts, case: Colour) -> None:
    """A handset alone, straight or arched, lying, standing or hung; some with a cord in waves."""
    parts.add(case, *_handset(dice, dice(0.8, 1.2), dice(0.05, 0.1)))
    if dice.chance(0.4):
        waves, step = dice.whole(4, 9), dice(0.05, 0.1)
        line = [(-0.45 - step * n, -0.15 - 0.08 * (-1) ** n, 0.0) for n in range(waves)]
        parts.add(case, tube([(-0.4, -0.05, 0.0), *line], 0.03, 8))
    turn = dice.pick("lying", "upright", "tilted")
    angle = {"lying": 0.0, "upright": 90.0, "tilted": dice(20, 70)}[turn]
    parts.solids = [solid.rotate((0, 0, angle)) for solid in parts.solids]


def _handset(dice: Dice, long: float, thick: float) -> list[Manifold]:
    """A grip along x with an ear and a mouth piece that hang down from its ends."""
    x, arch, cup = long / 2 - 0.12, dice(0.0, 0.25), dice(0.1, 0.18)
    drop = dice(0.08, 0.22)
    grip = tube([(-x, 0, 0), (-0.5 * x, 0.8 * arch, 0), (0, arch, 0), (0.5 * x, 0.8 * arch, 0), (x, 0, 0)], thick)
    lean = dice(0.0, 0.08)
    ends = rod((x, 0.05, 0), (x + lean, -drop, 0), 0.8 * cup, cup, 16)
    if dice.chance(0.3):
        ends = box(1.8 * cup, drop + 0.1, 2 * cup, (x, -drop / 2 + 0.03, 0))
    return [grip, *pair(ends)]


def _desk(dice: Dice, parts: Parts, case: Colour) -> None:
    """A case, sloped, stepped or upright on a wall, with dial or keys and the receiver on it, beside it or hung up."""
    width, deep, high = dice(0.55, 1.15), dice(0.45, 1.0), dice(0.15, 0.6)
    back, lip = dice(0.1, 0.45), dice(0.1, 0.6)
    outline = [(deep / 2, 0), (deep / 2, lip * high), (-(0.5 - back) * deep, high), (-deep / 2, high), (-deep / 2, 0)]
    parts.add(case, prism(outline, width, "x"))
    slope = math.degrees(math.atan2((1 - lip) * high, (1 - back) * deep))
    face = (0, (0.5 + lip / 2) * high, 0.5 * back * deep)
    x = dice(-0.2, 0.2) * width
    if dice.chance(0.5):
        dial = wheel(0.32 * min(width, deep), 0.1, (x, 0, 0), "z", 20)
        parts.add(dice.grey(0.6, 0.95), dial.rotate((slope - 90, 0, 0)).translate(face))
    else:
        keys = Parts()
        _keys(dice, keys, 0.55 * width, 0.6 * deep, (x, 0), 0.0)
        parts.add(dice.grey(0.6, 0.95), *(key.rotate((slope - 90, 0, 0)).translate(face) for key in keys.solids))
    set_ = _handset(dice, dice(0.7, 1.2), dice(0.05, 0.09))
    place = dice.pick("across", "across", "along", "high")
    rise = dice(0.18, 0.24)
    if place == "along":  # at the left, from front to back
        spot, level = -0.36 * width, lip * high
        set_ = [s.rotate((0, 90, 0)).translate((spot, high + rise, 0)) for s in set_]
        parts.add(
            case,
            *(
                box(0.14, high + 0.2 - level * 0.5, 0.16, (spot, (high + 0.2 + level * 0.5) / 2, k * 0.3 * deep))
                for k in (-1, 1)
            ),
        )
        parts.add(case, box(0.1, 0.22, 0.6 * deep, (spot, high + 0.15, 0)))
    else:
        z, lift = -(0.5 - back / 2) * deep, dice(0.2, 0.6) if place == "high" else 0.0
        set_ = [s.translate((0, high + rise + lift, z)) for s in set_]
        parts.add(case, *pair(box(0.1, lift + 0.3, 0.16, (0.2 * width, high + lift / 2 + 0.1, z))))
        parts.add(case, box(0.4 * width + 0.1, 0.1, 0.16, (0, high + lift + 0.2, z)))
        parts.add(case, box(0.1, 0.3, 0.12, (0, high + lift + 0.3, z)))
    parts.add(case, *set_)
    if dice.chance(0.25):  # on a wall
        parts.solids = [s.rotate((90, 0, 0)) for s in parts.solids]


def _candlestick(dice: Dice, parts: Parts, case: Colour) -> None:
    """A stem on a round foot, a horn to speak into, and the ear piece on its hook."""
    high, foot = dice(0.7, 1.3), dice(0.2, 0.42)
    parts.add(case, rod((0, 0, 0), (0, 0.1, 0), foot, 0.7 * foot, 20), rod((0, 0, 0), (0, high, 0), dice(0.05, 0.1)))
    tip = dice(0.1, 0.2)
    parts.add(
        case, rod((0, high - 0.04, -0.08), (0, high + 0.06, 0.3), 0.06, tip, 14), ball(0.12, (0, high - 0.02, 0), 12)
    )
    x, level, long = dice(0.18, 0.3), high * dice(0.6, 0.85), dice(0.3, 0.55)
    parts.add(case, rod((0, level, 0), (-x, level + 0.02, 0), 0.04, sides=8))
    parts.add(
        dice.grey(0.1, 0.4),
        rod((-x, level + 0.15, 0), (-x, level + 0.15 - long, 0), 0.06, 0.08, 12),
        wheel(dice(0.09, 0.13), 0.08, (-x, level + 0.15, 0), "y", 14),
    )


def _cordless(dice: Dice, parts: Parts, case: Colour) -> None:
    """A slim handset that stands or leans in a base."""
    width, high, thick = dice(0.22, 0.36), dice(0.7, 1.2), dice(0.1, 0.22)
    lean = -dice(0, 35)
    hand = Parts()
    hand.add(case, soft_box(width, high, thick, 0.4 * thick, (0, high / 2, 0)))
    hand.add(dice.grey(0.1, 0.4), box(0.75 * width, 0.2 * high, 0.04, (0, 0.75 * high, thick / 2)))
    _keys(dice, hand, width, 0.35 * high, (0, 0.4 * high), thick / 2)
    if dice.chance(0.4):
        _aerial(dice, hand, case, 0.25 * width, high, thick)
    for colour, solid in zip(hand.colours, hand.solids, strict=True):
        parts.add(colour, solid.rotate((lean, 0, 0)))
    wide, deep, tall = dice(0.35, 1.0), dice(0.3, 0.8), dice(0.1, 0.3)
    spot = dice(-0.3, 0.3) * (wide - width)
    if dice.chance(0.5):
        parts.add(case, soft_box(wide, tall, deep, 0.06, (spot, 0.1, -0.05)))
    else:
        outline = [(deep / 2, 0), (deep / 2, 0.3 * tall), (-deep / 2, 1.6 * tall), (-deep / 2, 0)]
        parts.add(case, prism(outline, wide, "x", (spot, 0, 0)))
    if dice.chance(0.3):
        parts.add(case, ring(0.1, 0.035, (spot, 0.1, -deep / 2 - 0.08), "y"))
