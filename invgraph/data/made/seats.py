"""Chairs."""

from __future__ import annotations

import math

from .parts import Colour, Dice, Manifold, Parts, ball, bar, box, lathe, pair, ring, rod, soft_box, wheel


def chair(dice: Dice) -> Parts:
    """A seat on four legs, on a pedestal, on a swivel star or on sled runners; six kinds of back; arms on some."""
    parts = Parts()
    frame = dice.wood() if dice.chance(0.6) else dice.grey()
    cloth = dice.colour() if dice.chance(0.5) else frame
    width, depth, height = dice(0.42, 0.6), dice(0.4, 0.58), dice(0.38, 0.52)
    thick = dice(0.03, 0.1)
    round_seat = dice.chance(0.2)
    if round_seat:
        parts.add(cloth, lathe([(0, 0), (width / 2, 0), (width / 2, thick), (0, thick)], (0, height, 0)))
        depth = width
    else:
        middle = (0, height + thick / 2, 0)
        soft = dice.chance(0.5)
        parts.add(
            cloth, soft_box(width, thick, depth, 0.4 * thick, middle) if soft else box(width, thick, depth, middle)
        )
    _legs(dice, parts, frame, width * (0.72 if round_seat else 1), depth * (0.72 if round_seat else 1), height)
    inner = 0.7 if round_seat else 1  # a back whose posts stand on the seat
    _back(dice, parts, frame, cloth, width * inner, depth * inner, height + thick)
    if not round_seat and dice.chance(0.4):
        _arms(dice, parts, frame, width, depth, height + thick)
    return parts


def _legs(dice: Dice, parts: Parts, colour: Colour, width: float, depth: float, height: float) -> None:
    kind = dice.pick("four", "four", "four", "pedestal", "star", "sled", "panels")
    size = dice(0.018, 0.035)
    x, z = width / 2 - size, depth / 2 - size
    if kind == "four":
        splay, square = dice(0, 0.08), dice.chance(0.5)
        for i in (-1, 1):
            for k in (-1, 1):
                top, foot = (i * x, height + 0.01, k * z), (i * (x + splay), 0.0, k * (z + splay))
                parts.add(colour, bar(foot, top, 2 * size) if square else rod(foot, top, size * dice(0.6, 1), size))
        if dice.chance(0.4):
            share = dice(0.25, 0.6)
            level, x, z = height * share, x + splay * (1 - share), z + splay * (1 - share)
            parts.add(colour, *(box(2 * x, size, size, (0, level, k * z)) for k in (-1, 1)))
            parts.add(colour, *(box(size, size, 2 * z, (i * x, level, 0)) for i in (-1, 1)))
    elif kind == "pedestal":
        wide = dice(0.18, 0.28)
        parts.add(
            colour, lathe([(0, 0), (wide, 0), (wide, 0.02), (0.035, 0.05), (0.03, height + 0.01), (0, height + 0.01)])
        )
    elif kind == "star":
        arms, reach = dice.whole(4, 5), dice(0.24, 0.32)
        parts.add(colour, rod((0, 0.06, 0), (0, height + 0.01, 0), 0.03))
        for n in range(arms):
            angle = 2 * math.pi * n / arms
            x, z = reach * math.cos(angle), reach * math.sin(angle)
            parts.add(colour, rod((0, 0.1, 0), (x, 0.05, z), 0.025, 0.018), ball(0.035, (x, 0.035, z), 12))
    elif kind == "sled":
        for i in (-1, 1):
            parts.add(colour, rod((i * x, 0, -z), (i * x, 0, z), size), *_uprights(i * x, z, height, size))
    else:
        parts.add(colour, *(box(2 * size, height + 0.02, depth, (i * x, height / 2, 0)) for i in (-1, 1)))


def _uprights(x: float, z: float, height: float, radius: float) -> list[Manifold]:
    return [rod((x, -radius, k * z), (x, height + 0.01, k * z), radius) for k in (-1, 1)]


def _back(dice: Dice, parts: Parts, frame: Colour, cloth: Colour, width: float, depth: float, seat: float) -> None:
    kind = "none" if dice.chance(0.06) else dice.pick("panel", "panel", "slats", "spindles", "ladder", "hoop")
    height, lean, thick = dice(0.35, 0.7), dice(0, 0.12), dice(0.025, 0.06)
    z = -depth / 2 + thick / 2
    if kind == "none":
        return

    def at(x: float, share: float) -> tuple[float, float, float]:
        return x, seat - 0.02 + share * height, z - share * lean

    if kind == "panel":
        low = dice(0.25, 0.4) if dice.chance(0.4) else 0.0
        if low:
            parts.add(frame, *(bar(at(i * width * 0.35, 0), at(i * width * 0.35, 0.6), thick * 0.8) for i in (-1, 1)))
        parts.add(cloth, bar(at(0, low), at(0, 1), width, thick))
    elif kind == "hoop":
        outer, hole = 0.5 * width, dice(0.6, 0.85)
        middle = (0, seat + 0.9 * outer, z)
        parts.add(frame, ring(outer * 0.92, thick * 0.6, middle, "z"))
        if dice.chance(0.6):
            parts.add(cloth, wheel(outer * hole, thick * 0.7, middle, "z"))
            parts.add(frame, box(0.3 * outer, 1.84 * outer, 0.6 * thick, middle))
    else:
        post = max(thick, 0.03)
        x = width / 2 - post / 2
        parts.add(frame, *(bar(at(i * x, 0), at(i * x, 1), post) for i in (-1, 1)))
        parts.add(frame, bar(at(0, 0.86), at(0, 1), width, thick))
        count = dice.whole(2, 5)
        if kind == "ladder":
            for n in range(count - 1):
                share = 0.15 + 0.65 * n / max(count - 1, 1)
                parts.add(frame, bar(at(0, share), at(0, share + 0.1), width, 0.6 * thick))
        else:
            wide = width / (2 * count + 1) if kind == "slats" else 0.02
            for n in range(count):
                place = (n + 1) * 2 * x / (count + 1) - x
                parts.add(frame, bar(at(place, 0), at(place, 0.9), wide, 0.5 * thick))


def _arms(dice: Dice, parts: Parts, colour: Colour, width: float, depth: float, seat: float) -> None:
    rise, size = dice(0.16, 0.26), dice(0.025, 0.05)
    x = width / 2 - size / 2
    arm = box(size * 1.6, size, depth, (x, seat + rise, 0))
    post = bar((x, seat - 0.03, depth * 0.4), (x, seat + rise, depth * 0.4), size)
    parts.add(colour, *pair(arm, post))
    if dice.chance(0.4):
        parts.add(colour, *pair(box(0.6 * size, rise, depth * 0.9, (x, seat + rise / 2, 0))))
    else:
        parts.add(colour, *pair(bar((x, seat - 0.03, -depth * 0.45), (x, seat + rise, -depth * 0.45), size)))
