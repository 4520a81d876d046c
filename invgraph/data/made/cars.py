"""Cars and other road vehicles, built along z, heading towards the viewer of the first view."""

from __future__ import annotations

from .bodywork import lamps, on_wheels, quad, tapered
from .old_cars import bubble, veteran
from .parts import Colour, Dice, Parts, ball, bar, box, pair, prism, ring, rod, soft_box, wheel
from .trucks import bus, pickup, truck


def car(dice: Dice) -> Parts:
    """A car from small to long, a convertible, jeep, racing car, cart, veteran, beetle, pickup, truck or bus."""
    parts = Parts()
    builders = {
        "saloon": _saloon,
        "convertible": _convertible,
        "jeep": _jeep,
        "racer": _racer,
        "cart": _cart,
        "veteran": veteran,
        "bubble": bubble,
        "pickup": pickup,
        "truck": truck,
        "bus": bus,
    }
    rest = [name for name in builders if name != "saloon"]
    builders[dice.pick("saloon", "saloon", "truck", *rest)](dice, parts, dice.colour())
    return parts


def _saloon(dice: Dice, parts: Parts, paint: Colour) -> None:
    """Sedan, hatchback, coupe, wagon, van and all between them; free of bonnet, boot and rakes."""
    length, width = dice(2.3, 5.6), dice(1.3, 2.2)
    radius = dice(0.24, 0.5)
    clear = radius * dice(0.35, 1.3)
    belt = max(clear, 0.8 * radius) + dice(0.4, 0.8)
    roof = belt + (dice(0.7, 1.4) if dice.chance(0.25) else dice(0.28, 0.65))
    front, rear = length / 2, -length / 2
    bonnet, boot = dice(0.02, 0.42) * length, dice(0.0, 0.28) * length if dice.chance(0.6) else 0.02
    nose, tail = belt - dice(0.0, 0.4) * (belt - clear), belt - dice(0.0, 0.25) * (belt - clear)
    under = clear + dice(0.1, 0.3) * (nose - clear)
    body = [
        (front, under), (front, nose - 0.1), (front - 0.12, nose), (front - bonnet - 0.13, belt),
        (rear + boot + 0.13, belt), (rear + 0.12, tail), (rear, tail - 0.1), (rear, under), (rear + 0.2, clear),
        (front - 0.2, clear),
    ]  # fmt: skip
    narrow = dice(0.72, 0.97)
    start, end = front - bonnet, rear + boot
    room = start - end
    rake, fall = dice(0.02, 0.32) * room, dice(0.0, 0.35) * room
    parts.add(paint, prism(body, width, "x"))
    parts.add(paint, tapered(quad(start, end, belt - 0.06, roof, rake, fall), width, narrow, belt, roof))
    glass = dice.grey(0.1, 0.3)
    pane = quad(start - 0.14 * room, end + 0.1 * room, belt + 0.03, roof - 0.08, 0.85 * rake, 0.85 * fall)
    if dice.chance(0.35):  # no glass: one sees through
        parts.cut(prism(pane, 2 * width, "x"))
    else:
        parts.add(glass, tapered(pane, width + 0.03, narrow, belt, roof))
        lean = rake * (1 - 0.08 / (roof - belt))
        shield = quad(start + 0.04, start - 0.2, belt - 0.02, roof - 0.08, lean, -lean)
        parts.add(glass, tapered(shield, 0.84 * width, narrow, belt, roof))
    axles = [front - dice(0.13, 0.22) * length, rear + dice(0.13, 0.24) * length]
    on_wheels(dice, parts, width + dice(-0.02, 0.15), radius, axles, bottom=clear)
    lamps(parts, width, (under + nose - 0.1) / 2, front, 0.12)
    _extras(dice, parts, paint, (width * narrow, roof, start - rake, end + fall), (width, tail, rear))


def _extras(
    dice: Dice,
    parts: Parts,
    paint: Colour,
    roof: tuple[float, float, float, float],
    tail: tuple[float, float, float],
) -> None:
    """Some of: a wing on the boot, a loaded rack, a box or a sign on the roof, mirrors."""
    width, y, front, rear = roof
    middle, long = (front + rear) / 2, abs(front - rear)
    kind = dice.pick("none", "none", "rack", "load", "sign")
    if kind in ("rack", "load") and long > 0.5:
        parts.add(
            dice.grey(0.1, 0.4),
            *(box(0.85 * width, 0.12, 0.06, (0, y + 0.05, middle + k * 0.3 * long)) for k in (-1, 1)),
        )
        if kind == "load":
            high = dice(0.12, 0.5)
            parts.add(
                dice.wood(),
                soft_box(dice(0.4, 0.85) * width, high, dice(0.75, 1.0) * long, 0.05, (0, y + 0.09 + high / 2, middle)),
            )
        else:
            parts.add(
                dice.grey(0.1, 0.4), *pair(rod((0.4 * width, y + 0.1, rear), (0.4 * width, y + 0.1, front), 0.04))
            )
    elif kind == "sign":
        parts.add(dice.colour(), soft_box(dice(0.2, 0.7) * width, 0.2, 0.22, 0.05, (0, y + 0.08, middle)))
    wide, level, back = tail
    if kind != "load" and dice.chance(0.25):
        rise = dice(0.15, 0.5)
        parts.add(paint, box(dice(0.8, 1.0) * wide, 0.06, 0.32, (0, level + rise, back + 0.14)))
        parts.add(paint, *pair(box(0.07, rise + 0.15, 0.16, (0.33 * wide, level + rise / 2 - 0.05, back + 0.15))))


def _convertible(dice: Dice, parts: Parts, paint: Colour) -> None:
    """No roof: seats, a wheel and a screen; a roll bar or a folded hood on some."""
    length, width = dice(3.0, 5.2), dice(1.4, 2.1)
    radius, clear = dice(0.26, 0.42), dice(0.14, 0.25)
    belt, front, rear = dice(0.6, 0.95), length / 2, -length / 2
    nose, tail = dice(0.55, 0.95) * belt, dice(0.8, 1.1) * belt
    start, end = front - dice(0.25, 0.48) * length, rear + dice(0.12, 0.3) * length
    body = [
        (front, clear + 0.1),
        (front - 0.05, nose),
        (start, belt),
        (end, belt),
        (rear + 0.1, tail),
        (rear, clear + 0.15),
    ]
    parts.add(paint, prism([*body, (rear + 0.2, clear), (front - 0.2, clear)], width, "x"))
    parts.cut(box(0.82 * width, 1.0, start - end, (0, belt + 0.5 - dice(0.25, 0.4), (start + end) / 2)))
    leather, glass = dice.colour(), dice.grey(0.2, 0.4)
    rise, lean = dice(0.3, 0.55), dice(0.1, 0.45)
    parts.add(glass, bar((0, belt - 0.08, start), (0, belt + rise, start - lean), 0.85 * width, 0.06))
    place = end + dice(0.25, 0.45) * (start - end)
    for z in (place, end + 0.1) if start - end > 1.6 else (place,):
        parts.add(leather, *pair(soft_box(0.33 * width, 0.75, 0.2, 0.07, (0.2 * width, belt - 0.05, z))))
        parts.add(leather, box(0.8 * width, 0.35, 0.5, (0, belt - 0.45, z + 0.25)))
    kind = dice.pick("none", "bar", "hood", "fin")
    if kind == "bar":
        parts.add(dice.grey(), ring(0.3 * width, 0.05, (0, belt, end - 0.02), "z"))
    elif kind == "hood":
        parts.add(leather, soft_box(0.85 * width, 0.3, 0.4, 0.12, (0, belt + 0.08, end - 0.05)))
    elif kind == "fin":
        fin = [(end, belt - 0.1), (rear, tail - 0.15), (rear - 0.15, tail + dice(0.15, 0.4)), (end, belt)]
        parts.add(paint, *pair(prism(fin, 0.1, "x", (0.45 * width, 0, 0))))
    on_wheels(dice, parts, width + 0.05, radius, [front - 0.19 * length, rear + 0.2 * length], bottom=clear)
    lamps(parts, width, nose - 0.15, front - 0.03, 0.14)


def _jeep(dice: Dice, parts: Parts, paint: Colour) -> None:
    """Upright and high on its wheels; a hard top, a canvas, a roll cage or nothing; a spare wheel behind."""
    length, width, radius = dice(2.6, 4.2), dice(1.4, 2.0), dice(0.35, 0.75)
    clear = radius * dice(0.9, 1.5)
    belt = clear + dice(0.5, 0.85)
    roof, front, rear = belt + dice(0.5, 0.9), length / 2, -length / 2
    start = front - dice(0.28, 0.42) * length
    parts.add(paint, box(0.8 * width, belt - clear, length, (0, (belt + clear) / 2, 0)))
    parts.add(
        paint, box(width, 0.6 * (belt - clear), start - rear, (0, clear + 0.3 * (belt - clear), (start + rear) / 2))
    )
    top = dice.pick("hard", "cage", "cage", "open")
    if top == "hard":
        parts.add(paint, box(0.8 * width, roof - belt + 0.05, start - rear, (0, (belt + roof) / 2, (start + rear) / 2)))
        parts.cut(box(2 * width, 0.6 * (roof - belt), 0.7 * (start - rear), (0, (belt + roof) / 2, (start + rear) / 2)))
    else:
        parts.cut(box(0.7 * width, 1.0, start - rear - 0.15, (0, clear + 0.65, (start + rear) / 2)))
        parts.add(
            dice.colour(), *pair(soft_box(0.26 * width, 0.8, 0.2, 0.05, (0.18 * width, clear + 0.5, start - 0.9)))
        )
        parts.add(dice.grey(0.2, 0.4), bar((0, belt - 0.03, start), (0, belt + 0.5, start - 0.1), 0.8 * width, 0.06))
    if top == "cage":
        steel, x = dice.grey(0.1, 0.5), 0.375 * width
        posts = [start - 0.06, rear + 0.08, (start + rear) / 2][: dice.whole(2, 3)]
        parts.add(steel, *(q for z in posts for q in pair(rod((x, belt - 0.05, z), (x, roof, z), 0.05))))
        parts.add(steel, *(rod((-x - 0.05, roof, z), (x + 0.05, roof, z), 0.05) for z in posts))
        parts.add(steel, *pair(rod((x, roof, start), (x, roof, rear + 0.03), 0.05)))
        if dice.chance(0.5):
            parts.add(dice.colour(), box(0.8 * width, 0.06, start - rear, (0, roof + 0.03, (start + rear) / 2)))
    axles = [front - dice(0.15, 0.24) * length, rear + dice(0.15, 0.25) * length]
    on_wheels(dice, parts, width + dice(0.0, 0.5), radius, axles, bottom=clear)
    if dice.chance(0.7):
        spare = (dice(-0.2, 0.2) * width, belt - 0.1 + dice(0.0, 0.2), rear - 0.1)
        parts.add(dice.grey(0.08, 0.2), wheel(0.9 * radius, 0.24, spare, "z", 20))
    if dice.chance(0.5):
        parts.add(dice.grey(0.1, 0.5), box(width, 0.2, 0.2, (0, clear + 0.15, front + 0.05)))
    lamps(parts, 0.8 * width, belt - 0.25, front, 0.2)


def _racer(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A narrow body between bare wheels, with wings in front and behind."""
    length, width, radius = dice(3.6, 5.4), dice(1.5, 2.2), dice(0.28, 0.5)
    front, rear = length / 2, -length / 2
    slim, high, clear = dice(0.22, 0.42) * width, dice(0.5, 0.85), dice(0.1, 0.2)
    cockpit = dice(-0.1, 0.12) * length
    parts.add(
        paint,
        tapered(
            [
                (front, clear + 0.1),
                (front, clear + 0.25),
                (cockpit + 0.3, high),
                (rear + 0.3, high - 0.1),
                (rear + 0.1, clear),
            ],
            slim,
            0.75,
            clear,
            high,
        ),
    )
    if dice.chance(0.7):
        pod = soft_box(
            dice(0.55, 0.7) * width, 0.6 * high, dice(0.22, 0.36) * length, 0.1, (0, clear + 0.3 * high, -0.12 * length)
        )
        parts.add(paint, pod)
    parts.cut(box(0.7 * slim, 0.5, 0.7, (0, high + 0.1, cockpit)))
    parts.add(
        dice.colour(), ball(0.17, (0, high, cockpit - 0.1), 12), box(0.2, 0.4, 0.3, (0, high - 0.2, cockpit - 0.1))
    )
    if dice.chance(0.6):
        rise = dice(0.15, 0.5)
        scoop = [
            (cockpit - 0.35, high - 0.1),
            (cockpit - 0.4, high + rise),
            (rear + 0.4, high - 0.05),
            (rear + 0.4, high - 0.2),
        ]
        parts.add(paint, prism(scoop, 0.6 * slim, "x"))
    if dice.chance(0.85):
        level = high + dice(-0.05, 0.55)
        wide, deep = dice(0.5, 1.0) * width, dice(0.25, 0.5)
        parts.add(
            paint,
            box(wide, 0.07, deep, (0, level, rear + 0.1)),
            *pair(box(0.06, 0.36, deep + 0.1, (wide / 2, level - 0.05, rear + 0.1))),
        )
        parts.add(paint, *pair(box(0.06, level - clear, 0.16, (0.2 * slim, (level + clear) / 2 + 0.02, rear + 0.2))))
    if dice.chance(0.85):
        parts.add(paint, box(dice(0.6, 1.0) * width, 0.07, dice(0.25, 0.5), (0, clear + 0.14, front - 0.1)))
    fat = dice(0.5, 1.2) * radius
    on_wheels(
        dice,
        parts,
        width,
        radius,
        [front - dice(0.14, 0.24) * length, rear + dice(0.1, 0.2) * length],
        bottom=0,
        tread=fat,
        arches=False,
    )


def _cart(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A golf cart, a tuk-tuk or a shuttle: a roof on posts over benches."""
    length, width, radius = dice(2.0, 4.2), dice(1.1, 1.7), dice(0.2, 0.36)
    floor, front, rear = radius * dice(0.9, 1.5), length / 2, -length / 2
    roof, steel = floor + dice(1.1, 1.7), dice.grey(0.2, 0.9)
    parts.add(paint, box(width, 0.16, length, (0, floor, 0)))
    prow, lip = dice(0.1, 0.35) * length, floor + dice(0.4, 0.75)
    parts.add(
        paint, prism([(front, floor), (front, lip - 0.2), (front - prow / 2, lip), (front - prow, floor)], width, "x")
    )
    count = max(1, int((length - prow) / 1.0))
    for n in range(count):
        z = rear + 0.3 + n * (length - prow - 0.4) / count
        parts.add(
            dice.colour(),
            box(0.92 * width, 0.45, 0.45, (0, floor + 0.25, z)),
            box(0.92 * width, 0.5, 0.12, (0, floor + 0.65, z - 0.2)),
        )
    lean = dice(0.0, 0.3)
    for z, tilt in ((front - prow / 2, -lean), (rear + 0.08, 0.0), *([(0.0, 0.0)] if dice.chance(0.4) else [])):
        x = width / 2 - 0.06
        parts.add(steel, *pair(bar((x, floor, z), (x, roof, z + tilt), 0.08)))
    deep = dice(0.0, 0.3)
    parts.add(
        dice.colour() if dice.chance(0.5) else paint,
        soft_box(width * dice(1.0, 1.15), dice(0.06, 0.2), length - prow / 2 + deep, 0.03, (0, roof, -prow / 4)),
    )
    on_wheels(
        dice,
        parts,
        width,
        radius,
        [front - 1.1 * radius - 0.05, rear + 1.1 * radius + 0.05],
        bottom=floor - 0.05,
        arches=False,
    )
