"""Airplanes, built along z, heading towards the viewer of the first view."""

from __future__ import annotations

import math
from itertools import pairwise

from .parts import Colour, Dice, Manifold, Parts, ball, box, pair, ring, rod, soft_box, wheel


def airplane(dice: Dice) -> Parts:
    """An airliner, a propeller plane, a jet fighter, a biplane or a glider."""
    parts = Parts()
    paint = dice.grey(0.6, 0.95) if dice.chance(0.5) else dice.colour(0.3)
    mark, dark = dice.colour(), dice.grey(0.1, 0.35)
    kind = dice.pick("liner", "liner", "propeller", "fighter", "biplane", "glider")
    length = {"liner": 4.0, "propeller": 2.8, "fighter": 3.2, "biplane": 2.2, "glider": 2.6}[kind] * dice(0.75, 1.3)
    radius = {"liner": 0.22, "propeller": 0.2, "fighter": 0.2, "biplane": 0.2, "glider": 0.12}[kind] * dice(0.7, 1.5)
    span = {"liner": 3.9, "propeller": 3.2, "fighter": 2.0, "biplane": 2.6, "glider": 4.6}[kind] * dice(0.7, 1.3)
    chord = {"liner": 0.75, "propeller": 0.5, "fighter": 1.3, "biplane": 0.45, "glider": 0.3}[kind] * dice(0.75, 1.5)
    sweep = {"liner": 0.5, "propeller": 0.05, "fighter": 0.55, "biplane": 0.0, "glider": 0.03}[kind] * dice(
        0.5, 1.4
    ) + dice(-0.12, 0.12)
    if kind == "biplane":
        sweep = 0.0  # its struts stand between wings that lie above each other
    parts.add(paint, _fuselage(length, radius, pointed=kind == "fighter"))
    level = dice.pick("low", "low", "high") if kind != "biplane" else "low"
    y = (-0.5 if level == "low" else 0.85) * radius
    root_z, taper = dice(-0.08, 0.14) * length + chord / 2, dice(0.15, 0.9) if kind != "biplane" else 1.0
    rise = dice(-0.08, 0.22) * span / 2 if kind != "biplane" else dice(0.0, 0.08) * span / 2
    wing = _wing(span / 2, chord, taper, sweep * span / 2, rise, 0.09 * chord + 0.02).translate((0, y, root_z))
    parts.add(paint, *pair(wing))
    if kind == "biplane":
        gap = dice(0.4, 0.55)
        parts.add(paint, *pair(wing.translate((0, gap, 0.1))))
        for x in (0.32 * span, 0.12 * span):
            for z in (root_z - 0.1, root_z - chord + 0.15):
                lift = rise * x / (span / 2)
                parts.add(dark, *pair(rod((x, y + lift, z), (x, y + lift + gap, z + 0.1), 0.02)))
    tail_z = -length / 2
    high = dice(0.35, 1.0) * (0.8 if kind == "glider" else 1)
    fin = _wing(high, 0.5, 0.5, 0.3, 0.0, 0.05).rotate((0, 0, 90))
    fins = dice.chance(0.6) and kind == "fighter"
    if fins:
        tilted = fin.rotate((0, 0, dice(-30, -10))).translate((radius * 0.8, 0, tail_z + 0.75))
        parts.add(mark, *pair(tilted))
    else:
        parts.add(mark, fin.translate((0, 0, tail_z + 0.6)))
    high_tail = not fins and dice.chance(0.3)
    stabiliser = _wing(dice(0.12, 0.25) * span + 0.2, dice(0.3, 0.6), 0.6, 0.2 if sweep > 0.1 else 0.03, 0.0, 0.05)
    parts.add(
        paint,
        *pair(stabiliser.translate((0, 0.85 * high if high_tail else 0.04, tail_z + (0.4 if high_tail else 0.5)))),
    )
    if kind == "liner":
        _engines(dice, parts, dark, span, y, root_z, sweep, rise)
    elif kind == "fighter":
        parts.add(dark, rod((0, 0, tail_z - 0.1), (0, 0, tail_z + 0.4), radius * 0.75, radius * 0.8, 16))
        parts.add(paint, *pair(soft_box(0.24, 0.26, 0.38 * length, 0.06, (radius, -0.05, 0.05 * length))))
        parts.add(dark, ball((0.13, 0.16, 0.4), (0, radius * 0.9, 0.22 * length)))
    elif kind != "glider":
        _propeller(dice, parts, mark, length / 2 + 0.03)
        if dice.chance(0.7):
            foot = -radius - dice(0.2, 0.35)
            parts.add(dark, *pair(rod((0.06, -0.6 * radius, root_z), (0.35, foot, root_z), 0.025)))
            parts.add(dark, *pair(wheel(0.11, 0.08, (0.35, foot, root_z), "x", 16)))
    if kind in ("propeller", "glider", "biplane"):
        parts.add(dark, ball((0.7 * radius, 0.75 * radius, 0.35), (0, 0.75 * radius, 0.12 * length)))
    return parts


def _fuselage(length: float, radius: float, pointed: bool) -> Manifold:
    """A round body along z with its nose in front, tapering towards the tail."""
    nose = 0.45 if pointed else 0.16
    stations = [(-0.5, 0.18), (-0.42, 0.4), (-0.3, 0.75), (-0.15, 1.0), (0.5 - nose, 1.0)]
    steps = [(0.3, 0.93), (0.6, 0.74), (0.85, 0.42), (1.0, 0.04)]
    stations += [(0.5 - nose + nose * s, r) for s, r in steps]
    rings = [
        wheel(radius * r, 1e-3, (0, 0.25 * radius * (1 - r) if z < 0 else 0, z * length), "z", 20) for z, r in stations
    ]
    body = Manifold()
    for a, b in pairwise(rings):
        body = body + Manifold.batch_hull([a, b])
    return body


def _wing(span: float, chord: float, taper: float, sweep: float, rise: float, thick: float) -> Manifold:
    """Half a wing along x: from its leading edge at z = 0 backwards."""

    def section(x: float, y: float, z: float, depth: float, high: float) -> Manifold:
        front = rod((x, y, z - 0.15 * depth), (x + 1e-3, y, z - 0.15 * depth), high / 2, sides=8)
        return Manifold.batch_hull([front, box(1e-3, 0.15 * high, 0.05 * depth, (x, y, z - 0.97 * depth))])

    tip = section(span, rise, -sweep, chord * taper, thick * max(taper, 0.5))
    return Manifold.batch_hull([section(0, 0, 0, chord, thick), tip])


def _engines(
    dice: Dice, parts: Parts, dark: Colour, span: float, y: float, root_z: float, sweep: float, rise: float
) -> None:
    radius = dice(0.1, 0.15)
    for share in (0.3, 0.55) if dice.chance(0.35) else (0.33,):
        x = share * span / 2
        z = root_z - sweep * x + 0.1
        low = y + rise * share - radius - 0.04
        parts.add(dark, *pair(rod((x, low, z - 0.5), (x, low, z), 0.75 * radius, radius, 16)))
        parts.add(dark, *pair(box(0.05, radius + 0.1, 0.3, (x, low + radius * 0.8, z - 0.3))))
        parts.add(dark, *pair(ring(0.93 * radius, 0.25 * radius, (x, low, z), "z")))


def _propeller(dice: Dice, parts: Parts, mark: Colour, z: float) -> None:
    blades, reach = dice.whole(2, 4), dice(0.35, 0.5)
    start = dice(0, 3)
    for n in range(blades):
        angle = math.degrees(2 * math.pi * n / blades + start)
        blade = soft_box(reach, 0.08, 0.04, 0.015, (reach / 2, 0, 0)).rotate((0, 0, angle))
        parts.add(mark, blade.translate((0, 0, z)))
    parts.add(mark, ball((0.08, 0.08, 0.14), (0, 0, z)))
