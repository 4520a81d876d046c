"""Pickups, trucks with what they carry, and buses."""

from __future__ import annotations

from .bodywork import lamps, on_wheels, quad, tapered
from .parts import Colour, Dice, Manifold, Parts, ball, bar, box, pair, prism, rod, wheel


def pickup(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A cabin for two or five in front of an open bed; some with a hoop, a load or a tailgate let down."""
    length, width, radius = dice(3.8, 5.8), dice(1.5, 2.2), dice(0.3, 0.6)
    clear = radius * dice(0.7, 1.4)
    belt, front, rear = clear + dice(0.45, 0.8), length / 2, -length / 2
    roof, bed = belt + dice(0.4, 0.75), dice(0.3, 0.55) * length
    bonnet = dice(0.05, 0.3) * length
    start, end = front - bonnet, rear + bed
    parts.add(paint, box(width, belt - clear, length, (0, (belt + clear) / 2, 0)))
    rake = dice(0.05, 0.4) * (start - end)
    parts.add(paint, tapered(quad(start, end, belt - 0.05, roof, rake, 0.05), width, dice(0.8, 0.95), belt, roof))
    pane = quad(start - 0.25, end + 0.15, belt + 0.03, roof - 0.1, 0.8 * rake, 0.05)
    if dice.chance(0.4):
        parts.cut(prism(pane, 2 * width, "x"))
    else:
        parts.add(dice.grey(0.1, 0.3), tapered(pane, width + 0.03, 0.92, belt, roof))
    wall, deep = dice(0.05, 0.14) * width, dice(0.4, 0.8) * (belt - clear)
    gate = 0.0 if dice.chance(0.3) else 0.12
    parts.cut(box(width - 2 * wall, 2 * deep, bed - gate, (0, belt, rear + gate + (bed - gate) / 2 - 0.04)))
    extra = dice.pick("none", "none", "hoop", "load", "cover")
    if extra == "hoop":
        x = width / 2 - 0.08
        parts.add(dice.grey(0.1, 0.3), *pair(rod((x, belt - 0.1, end - 0.15), (x, roof + 0.05, end - 0.15), 0.06)))
        parts.add(
            dice.grey(0.1, 0.3), rod((-x - 0.05, roof + 0.02, end - 0.15), (x + 0.05, roof + 0.02, end - 0.15), 0.06)
        )
    elif extra == "load":
        high = deep + dice(0.1, 0.5)
        parts.add(dice.wood(), box(0.6 * width, high, 0.6 * bed, (0, belt - deep - 0.02 + high / 2, rear + bed / 2)))
    elif extra == "cover":
        rise = roof - belt - 0.06
        parts.add(dice.colour(), box(0.92 * width, rise + 0.1, bed - 0.1, (0, belt + rise / 2 - 0.05, rear + bed / 2)))
    axles = [front - dice(0.15, 0.22) * length, rear + dice(0.16, 0.26) * length]
    on_wheels(dice, parts, width + dice(0.0, 0.3), radius, axles, bottom=clear)
    lamps(parts, width, belt - 0.2, front, 0.16)


def truck(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A cab, with or without a bonnet, and a box, flat bed, tank, tipper, crane, logs or drum on a frame."""
    length, width, radius = dice(4.2, 8.0), dice(1.8, 2.5), dice(0.38, 0.6)
    front, rear, frame = length / 2, -length / 2, radius * dice(1.2, 1.7)
    cab = max(dice(0.16, 0.3) * length, 1.1)
    high = frame + dice(1.1, 2.0)
    bonnet = dice(0.6, 1.2) if dice.chance(0.35) else 0.0
    steel = dice.grey(0.1, 0.35)
    parts.add(steel, box(0.4 * width, 0.25, length - 0.1, (0, frame, 0)))
    start, end = front - bonnet, front - bonnet - cab
    low = frame - dice(0.1, 0.4)
    body = prism(quad(start, end, low, high, dice(0.0, 0.25) * cab), width, "x")
    hole = box(2 * width, 0.3 * (high - low), 0.4 * cab, (0, low + 0.7 * (high - low), end + 0.48 * cab))
    parts.add(paint, body - hole if dice.chance(0.5) else body)
    if bonnet:
        rise = dice(0.35, 0.6) * (high - low)
        parts.add(paint, box(0.75 * width, rise, bonnet + 0.1, (0, low + rise / 2, front - bonnet / 2 - 0.05)))
    if dice.chance(0.35):
        x = 0.42 * width
        parts.add(dice.grey(0.6, 0.9), *pair(rod((x, low, end - 0.06), (x, high + dice(0.1, 0.6), end - 0.06), 0.09)))
    _load(dice, parts, width, (rear, end - dice(0.05, 0.3)), frame + 0.1)
    axles = [front - max(radius + 0.1, 0.6 * bonnet), rear + radius + dice(0.05, 0.6)]
    if dice.chance(0.5) and length > 5:
        axles.append(axles[1] + 2.15 * radius)
    on_wheels(dice, parts, width * dice(0.95, 1.05), radius, axles, bottom=frame)
    lamps(parts, width, low + 0.2, front, 0.18)


def _load(dice: Dice, parts: Parts, width: float, span: tuple[float, float], floor: float) -> None:
    """What a truck carries from z = span[0] to span[1], on a floor at this height."""
    long, middle = span[1] - span[0], (span[0] + span[1]) / 2
    colour = dice.colour()
    kind = dice.pick("box", "box", "flat", "tank", "tipper", "crane", "logs", "drum", "stakes")
    if kind == "box":
        high = dice(0.9, 2.3)
        parts.add(colour, box(width * dice(0.9, 1.1), high, long, (0, floor + high / 2 - 0.02, middle)))
        return
    parts.add(dice.wood(), box(width * dice(0.85, 1.0), 0.14, long, (0, floor, middle)))
    if kind == "tank":
        round_, slim = dice(0.3, 0.5) * width, dice(0.8, 1.0)
        parts.add(
            colour,
            wheel(round_, 0.96 * long, (0, 0, 0), "z")
            .scale((1 / slim, slim, 1))
            .translate((0, floor + slim * round_, middle)),
        )
    elif kind == "tipper":
        high, angle = dice(0.5, 1.1), dice(0, 40)
        tub = prism([(-0.2, 0), (long, 0), (long, high), (-0.1, high)], 0.96 * width, "x")
        tub = tub - box(0.82 * width, high, long - 0.2, (0, high / 2 + 0.12, long / 2))
        parts.add(colour, tub.rotate((-angle, 0, 0)).translate((0, floor, span[0])))
        if angle > 8:
            parts.add(dice.grey(), _ram(angle, long, floor, span[0]))
    elif kind == "crane":
        reach, angle = dice(0.7, 1.1) * long, dice(0.15, 0.9)
        foot = (0.0, floor, span[1] - 0.3 * long)
        tip = (0.0, floor + 0.6 + reach * angle, foot[2] - reach)
        parts.add(colour, rod(foot, (0, floor + 0.7, foot[2]), 0.25), bar((0, floor + 0.6, foot[2]), tip, 0.22))
        parts.add(dice.grey(0.1, 0.4), rod(tip, (0, tip[1] - dice(0.3, 0.5), tip[2]), 0.05))
    elif kind == "logs":
        thick = dice(0.13, 0.2) * width
        spots = [(-1.9, 0.9), (0.0, 0.9), (1.9, 0.9), (-0.95, 2.5), (0.95, 2.5), (0.0, 4.1)][: dice.whole(3, 6)]
        parts.add(dice.wood(), *(wheel(thick, long, (x * thick, floor + y * thick, middle), "z", 10) for x, y in spots))
    elif kind == "drum":
        tilt, wide = dice(8, 22), 0.42 * width
        drum = rod((0, 0, -0.45 * long), (0, 0, 0), 0.45 * wide, wide, 16) + rod(
            (0, 0, -0.01), (0, 0, 0.4 * long), wide, 0.6 * wide, 16
        )
        parts.add(colour, drum.rotate((tilt, 0, 0)).translate((0, floor + 0.85 * wide, middle)))
        parts.add(colour, box(0.5 * width, 0.8 * wide, 0.2, (0, floor + 0.4 * wide, middle)))
    elif kind == "stakes":
        high = dice(0.4, 1.0)
        count = max(2, round(long / dice(0.5, 0.9)))
        for n in range(count + 1):
            z = span[0] + 0.05 + n * (long - 0.1) / count
            parts.add(dice.wood(), *pair(box(0.08, high, 0.1, (0.42 * width, floor + high / 2, z))))
        parts.add(
            dice.wood(), *pair(*(box(0.06, 0.16, long, (0.42 * width, floor + high * s, middle)) for s in (0.5, 0.95)))
        )


def _ram(angle: float, long: float, floor: float, rear: float) -> Manifold:
    """The post that lifts a tipping bed."""
    import math

    z = 0.5 * long
    top = math.radians(angle)
    return rod((0, floor, rear + z), (0, floor + z * math.sin(top) + 0.05, rear + z * math.cos(top)), 0.1)


def bus(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A coach, city bus, minibus or double decker; some with an open top, windows to see through or a round nose."""
    length, width, radius = dice(4.0, 9.5), dice(1.7, 2.5), dice(0.34, 0.5)
    decks = 2 if dice.chance(0.25) else 1
    clear, storey = radius * dice(0.5, 1.0), dice(1.1, 1.7)
    roof, front, rear = clear + 0.5 + decks * storey, length / 2, -length / 2
    nose = dice(0.5, 1.2) if dice.chance(0.25) else 0.0
    rake, fall = dice(0.0, 0.25) * storey, dice(0.0, 0.15) * storey
    parts.add(paint, prism(quad(front - nose, rear, clear, roof, rake, fall), width, "x"))
    if nose:
        parts.add(
            paint,
            box(
                0.85 * width,
                0.5 + 0.35 * storey,
                nose + 0.1,
                (0, clear + 0.25 + 0.175 * storey, front - nose / 2 - 0.05),
            ),
        )
    room = length - nose - rake - fall - 0.5
    count, open_ = max(2, round(room / dice(0.7, 1.4))), dice.chance(0.5)
    glass = dice.grey(0.1, 0.3)
    for deck in range(decks):
        y = clear + 0.5 + storey * (deck + 0.55)
        panes = [
            box(width + 0.04, 0.5 * storey, 0.8 * room / count, (0, y, rear + fall + 0.25 + (n + 0.5) * room / count))
            for n in range(count)
        ]
        if open_:
            parts.cut(*panes)
        else:
            parts.add(glass, *panes)
    if decks == 2 and dice.chance(0.4):
        parts.cut(box(0.88 * width, 0.7 * storey, 0.85 * length, (0, roof, 0)))
    elif dice.chance(0.4):
        parts.add(
            dice.grey(0.5, 0.9),
            box(0.6 * width, 0.3, dice(0.15, 0.5) * length, (0, roof + 0.1, dice(-0.2, 0.15) * length)),
        )
    elif dice.chance(0.2):
        parts.add(dice.colour(), ball((0.3, 0.25, 0.3), (0, roof, 0.3 * length), 12))
    axles = [front - nose - dice(0.12, 0.2) * length, rear + dice(0.14, 0.26) * length]
    on_wheels(dice, parts, width + 0.03, radius, axles, bottom=clear)
    lamps(parts, width, clear + 0.3, front, 0.2)
