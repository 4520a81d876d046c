"""Cars of old: veterans with mudguards, and round ones."""

from __future__ import annotations

import math

from .bodywork import on_wheels
from .parts import Colour, Dice, Parts, ball, bar, box, pair, wheel


def veteran(dice: Dice, parts: Parts, paint: Colour) -> None:
    """A car of the twenties: a narrow bonnet, a tall cabin, mudguards over thin wheels and running boards."""
    length, width, radius = dice(2.8, 4.6), dice(1.4, 1.9), dice(0.36, 0.55)
    front, rear = length / 2, -length / 2
    floor, belt = dice(0.9, 1.1) * radius, radius + dice(0.45, 0.75)
    start, roof = front - dice(0.3, 0.5) * length, belt + dice(0.55, 0.85)
    slim, dark = dice(0.4, 0.6) * width, dice.grey(0.08, 0.25)
    parts.add(paint, box(slim, belt - floor, front - start, (0, (belt + floor) / 2, (front + start) / 2 - 0.15)))
    end = rear + dice(0.05, 0.25) * length
    parts.add(paint, box(0.75 * width, belt - floor, start - end, (0, (belt + floor) / 2, (start + end) / 2)))
    parts.add(dark, box(0.3 * width, 0.14, length - 0.6, (0, floor + 0.02, 0)))
    if dice.chance(0.7):
        cabin = box(0.75 * width, roof - belt, start - end, (0, (belt + roof) / 2 - 0.01, (start + end) / 2))
        hole = box(2 * width, 0.6 * (roof - belt), 0.36 * (start - end), (0, (belt + roof) / 2, 0))
        middle, step = (start + end) / 2, 0.23 * (start - end)
        parts.add(paint, cabin - hole.translate((0, 0, middle + step)) - hole.translate((0, 0, middle - step)))
        parts.add(dark, box(0.82 * width, 0.08, start - end + dice(0.1, 0.4), (0, roof, middle)))
    else:
        parts.cut(box(0.65 * width, 0.6, 0.8 * (start - end), (0, belt, (start + end) / 2)))
        parts.add(dark, bar((0, belt - 0.05, start - 0.05), (0, roof - 0.1, start - 0.1), 0.7 * width, 0.05))
        parts.add(dice.colour(), box(0.62 * width, 0.6, 0.2, (0, belt, end + 0.35 * (start - end))))
    axles = [front - radius - 0.1, rear + radius + 0.1]
    on_wheels(dice, parts, width, radius, axles, bottom=floor, tread=0.16, arches=False)
    x = width / 2 - 0.12
    for z in axles:
        guard = wheel(1.3 * radius, 0.26, (x, radius, z), "x") - wheel(1.12 * radius, 1.0, (x, radius, z), "x")
        guard = guard.trim_by_plane((0, 1, 0), radius * dice(0.9, 1.2))
        parts.add(dark, *pair(guard, box(x, 0.1, 0.14, (0.55 * x, 2.2 * radius, z))))
        parts.add(dark, box(0.3 * slim, 2.2 * radius - floor, 0.2, (0, (2.2 * radius + floor) / 2, z)))
    parts.add(dark, *pair(box(0.4 * width, 0.06, axles[0] - axles[1] - 1.5 * radius, (0.3 * width, floor - 0.02, 0))))
    lamp = (0.5 * slim, belt - 0.1, front - 0.2)
    parts.add(dice.grey(0.6, 0.9), *pair(ball((0.16, 0.16, 0.2), lamp, 12)))


def bubble(dice: Dice, parts: Parts, paint: Colour) -> None:
    """Round all over, as beetles and bubble cars: an egg for the body, another for the cabin, bulging mudguards."""
    length, width, radius = dice(2.2, 4.4), dice(1.4, 1.9), dice(0.26, 0.4)
    high = dice(0.5, 0.75)
    body = ball((width * dice(0.42, 0.52), high, length / 2), (0, radius + 0.1, 0), 28)
    parts.add(paint, body.trim_by_plane((0, 1, 0), radius * dice(0.6, 0.9)))
    place, long = dice(-0.12, 0.1) * length, dice(0.2, 0.34) * length
    level, rise = radius + 0.15, high + dice(0.2, 0.7)
    cabin = ball((0.42 * width, rise, long), (0, level, place), 24).trim_by_plane((0, 1, 0), level)
    if dice.chance(0.4):
        cabin = cabin - box(2 * width, 0.28 * rise, 1.1 * long, (0, level + 0.72 * rise, place))
        parts.add(
            dice.grey(0.1, 0.3),
            ball((0.3 * width, 0.95 * rise, 0.85 * long), (0, level, place), 16).trim_by_plane((0, 1, 0), level),
        )
    parts.add(paint, cabin)
    axles = [dice(0.25, 0.34) * length, -dice(0.25, 0.34) * length]
    if dice.chance(0.6):
        for z in axles:
            parts.add(
                paint,
                *pair(
                    ball((0.2 * width, 1.45 * radius, 1.6 * radius), (0.34 * width, radius, z), 16).trim_by_plane(
                        (0, 1, 0), 0.6 * radius
                    )
                ),
            )
    on_wheels(dice, parts, width * dice(0.9, 1.08), radius, axles, bottom=radius)
    angle = dice(0.5, 0.9)
    lamp = (0.3 * width, radius + 0.1 + 0.3 * high, 0.5 * length * math.cos(angle))
    parts.add((0.95, 0.93, 0.8), *pair(ball(0.14, lamp, 10)))
