"""Long guns, built along z, muzzle to the viewer of the first view."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .parts import Colour, Dice, Parts, ball, box, pair, prism, ring, rod, soft_box, wheel


@dataclass
class _Gun:
    """What the parts of a gun have to fit: its receiver from z = back to front, its barrel to the muzzle."""

    back: float
    front: float
    high: float
    width: float
    barrel: float
    radius: float
    steel: Colour
    wood: Colour

    @property
    def muzzle(self) -> float:
        return self.front + self.barrel

    @property
    def bore(self) -> float:
        """Height of the barrel's axis."""
        return 0.25 * self.high


_STYLES = {  # receiver's length and height, barrel's length and radius
    "assault": ((0.4, 0.8), (0.11, 0.24), (0.3, 0.8), (0.025, 0.05)),
    "sniper": ((0.4, 0.7), (0.09, 0.17), (0.6, 1.4), (0.025, 0.055)),
    "shotgun": ((0.25, 0.5), (0.09, 0.18), (0.5, 1.2), (0.03, 0.055)),
    "lever": ((0.25, 0.45), (0.1, 0.2), (0.5, 1.1), (0.025, 0.045)),
    "bullpup": ((0.9, 1.3), (0.14, 0.3), (0.15, 0.5), (0.025, 0.05)),
    "sub": ((0.3, 0.6), (0.1, 0.26), (0.08, 0.4), (0.025, 0.07)),
    "musket": ((0.2, 0.35), (0.09, 0.15), (0.7, 1.6), (0.025, 0.06)),
    "machine": ((0.5, 0.8), (0.14, 0.3), (0.5, 1.0), (0.03, 0.07)),
    "launcher": ((0.4, 0.8), (0.12, 0.2), (0.3, 0.7), (0.09, 0.16)),
}


def rifle(dice: Dice) -> Parts:
    """An assault, sniper, lever-action or bullpup rifle, shotgun, musket, submachine or machine gun, or a launcher."""
    parts = Parts()
    steel, wood = dice.grey(0.12, 0.45), dice.wood() if dice.chance(0.5) else dice.grey(0.1, 0.35)
    kind = dice.pick(*_STYLES)
    body, high, barrel, radius = (dice(*bounds) for bounds in _STYLES[kind])
    gun = _Gun(-body / 2, body / 2, high, dice(0.07, 0.2), barrel, radius, steel, wood)
    slant = dice(0.0, 0.15)
    outline = [
        (gun.back, -high / 2),
        (gun.back + slant, high / 2),
        (gun.front - slant, high / 2),
        (gun.front, -high / 2 * dice(0.3, 1.0)),
    ]
    parts.add(steel, prism(outline, gun.width, "x"))
    _barrel(dice, parts, gun, kind)
    if kind != "bullpup":
        _stock(dice, parts, gun, kind)
    trigger = gun.back + dice(0.1, 0.3) * (body if kind != "bullpup" else 1.6 * body)
    _grip(dice, parts, gun, kind, trigger)
    place = gun.back + dice(0.12, 0.25) if kind == "bullpup" else min(trigger + dice(0.16, 0.3), gun.front - 0.08)
    if kind in ("assault", "bullpup", "sub", "machine") or (kind == "sniper" and dice.chance(0.6)):
        _magazine(dice, parts, gun, place)
    _sights(dice, parts, gun, kind)
    if dice.chance({"machine": 0.8, "sniper": 0.6}.get(kind, 0.08)):
        _bipod(dice, parts, gun)
    return parts


def _barrel(dice: Dice, parts: Parts, gun: _Gun, kind: str) -> None:
    """The barrel, or two, with its fore-end, brake, silencer, horn or bayonet."""
    bore, radius, front, muzzle = gun.bore, gun.radius, gun.front, gun.muzzle
    start = gun.back + 0.1 if kind == "launcher" else front - 0.1
    parts.add(gun.steel, rod((0, bore, start), (0, bore, muzzle), radius, radius * dice(0.7, 1.0)))
    if kind == "shotgun" or (kind == "lever" and dice.chance(0.7)):
        if dice.chance(0.35):
            x = 0.9 * radius
            parts.add(gun.steel, *pair(rod((x, bore, front - 0.1), (x, bore, muzzle), radius)))
        else:
            under = bore - 1.8 * radius
            parts.add(
                gun.steel, rod((0, under, front - 0.1), (0, under, front + dice(0.6, 1.0) * gun.barrel), 0.95 * radius)
            )
    if kind == "launcher":
        parts.add(
            gun.wood, rod((0, bore, muzzle - 0.05), (0, bore, muzzle + dice(0.2, 0.4)), dice(0.15, 0.22), 0.02, 16)
        )
        parts.add(
            gun.steel,
            rod((0, bore, gun.back - dice(0.2, 0.7)), (0, bore, gun.back + 0.2), dice(0.1, 0.2), 0.8 * radius, 14),
        )
        return
    if dice.chance(0.85):
        long, high = dice(0.3, 0.85) * gun.barrel, dice(0.09, 0.22)
        wide, level = dice(0.09, 0.18), bore - dice(0.1, 0.5) * high
        middle = (0, level, front + long / 2 - 0.02)
        guard = (
            box(wide, high, long + 0.04, middle)
            if dice.chance(0.5)
            else soft_box(wide, high, long + 0.04, 0.03, middle)
        )
        if dice.chance(0.3):  # slots to see through
            count = max(2, int(long / 0.14))
            for n in range(count):
                guard = guard - box(1, 0.4 * high, 0.5 * long / count, (0, level, front + (n + 0.5) * long / count))
        parts.add(gun.wood, guard)
        if dice.chance(0.2):
            tall = dice(0.15, 0.3)
            parts.add(
                gun.wood,
                rod(
                    (0, level, front + 0.6 * long),
                    (0, level - tall - high / 2, front + 0.6 * long + dice(-0.05, 0.08)),
                    0.04,
                ),
            )
    end = dice.pick("plain", "plain", "brake", "silencer", "bell", "bayonet")
    if end == "brake":
        parts.add(gun.steel, wheel(dice(1.4, 2.0) * radius, dice(0.08, 0.18), (0, bore, muzzle), "z", 12))
    elif end == "silencer":
        parts.add(
            gun.steel, rod((0, bore, muzzle - 0.1), (0, bore, muzzle + dice(0.2, 0.5)), dice(0.045, 0.09), sides=14)
        )
    elif end == "bell" and kind in ("musket", "machine", "shotgun"):
        parts.add(
            gun.steel, rod((0, bore, muzzle - 0.2), (0, bore, muzzle + 0.05), radius, dice(1.8, 3.0) * radius, 16)
        )
    elif end == "bayonet" and kind in ("musket", "assault", "sniper"):
        tip = muzzle + dice(0.2, 0.5)
        parts.add(gun.steel, prism([(muzzle - 0.1, bore), (muzzle - 0.1, bore - 0.1), (tip, bore - 0.06)], 0.035, "x"))


def _stock(dice: Dice, parts: Parts, gun: _Gun, kind: str) -> None:
    """A butt: solid, with a hole for the thumb, a frame, a wire, a tube with a plate, folded to a side, or none."""
    long, drop, butt = dice(0.3, 0.75), dice(0.0, 0.3), dice(0.14, 0.36)
    back, high = gun.back, gun.high
    end, thick = back - long, dice(0.06, 0.15)
    old = ("solid", "solid", "english", "hole")
    new = ("solid", "hole", "frame", "wire", "tube", "tube")
    form = dice.pick(*(old if kind in ("musket", "lever", "shotgun") else (*old, *new) if kind == "sniper" else new))
    if kind in ("sub", "launcher") and dice.chance(0.35):
        return
    top, low = 0.45 * high - 0.6 * drop, 0.45 * high - 0.6 * drop - butt
    outline = [(back + 0.06, 0.45 * high), (back + 0.06, -0.45 * high), (end, low), (end - 0.02, top)]
    if form in ("solid", "hole"):
        solid = prism(outline, thick, "x")
        if form == "hole":
            share = dice(0.35, 0.7)
            hole = [
                (back - 0.08, 0.22 * high),
                (back - 0.08, -0.22 * high),
                (back - share * long - 0.03, -0.22 * high - 0.3 * drop),
                (back - share * long, 0.15 * high - 0.3 * drop),
            ]
            solid = solid - prism(hole, 1.0, "x")
        parts.add(gun.wood, solid)
    elif form == "english":  # a thin wrist, then the butt
        wrist = back - 0.3 * long
        line = [
            (back + 0.06, 0.4 * high),
            (back + 0.06, -0.45 * high),
            (wrist, -0.45 * high - 0.2 * drop),
            (wrist - 0.1, -0.5 * high - 0.4 * drop),
            (end, low - 0.05),
            (end, top),
            (wrist, 0.1 * high - 0.1 * drop),
        ]
        parts.add(gun.wood, prism(line, thick, "x"))
    elif form in ("frame", "wire"):
        size = dice(0.035, 0.05) if form == "frame" else 0.026
        parts.add(gun.steel, rod((0, 0.25 * high, back + 0.06), (0, top, end), size, sides=8))
        parts.add(gun.steel, rod((0, -0.25 * high, back + 0.06), (0, low, end), size, sides=8))
        parts.add(gun.steel, box(dice(0.05, 0.12), butt + 2 * size, 2 * size, (0, (top + low) / 2, end)))
    else:
        parts.add(gun.steel, rod((0, 0.1 * high, back + 0.06), (0, 0.1 * high, end), dice(0.03, 0.055), sides=10))
        deep = dice(0.05, 0.6) * long
        plate = [
            (end - 0.03, 0.3 * high),
            (end + deep, 0.3 * high),
            (end + 0.6 * deep, -0.05 * high),
            (end + 0.06, 0.3 * high - butt),
            (end - 0.03, 0.3 * high - butt),
        ]
        parts.add(gun.wood, prism(plate, thick, "x"))


def _grip(dice: Dice, parts: Parts, gun: _Gun, kind: str, trigger: float) -> None:
    """Trigger, its guard or a lever, and a pistol grip where the butt has none."""
    low = -gun.high / 2
    if kind == "lever":
        long, deep = dice(0.12, 0.2), dice(0.06, 0.12)
        parts.add(
            gun.steel,
            ring(deep, 0.02, (0, low - 0.7 * deep, trigger), "x"),
            ring(deep, 0.02, (0, 0, 0), "x")
            .scale((1, 0.7, long / deep))
            .translate((0, low - 0.5 * deep, trigger - long)),
        )
        return
    size = dice(0.05, 0.09)
    parts.add(gun.steel, ring(size, 0.016, (0, low - 0.6 * size, trigger), "x"))
    parts.add(gun.steel, rod((0, low + 0.02, trigger), (0, low - size, trigger + 0.01), 0.014, sides=6))
    if kind in ("musket", "shotgun") or (kind == "sniper" and dice.chance(0.5)):
        return
    wide, deep, lean = dice(0.08, 0.15), dice(0.18, 0.42), dice(0.0, 0.18)
    at = trigger - size - wide / 2
    outline = [
        (at + wide / 2, low + 0.04),
        (at - wide / 2, low + 0.04),
        (at - wide / 2 - lean, low - deep),
        (at + wide / 2 - lean, low - deep),
    ]
    parts.add(gun.wood, prism(outline, dice(0.07, 0.13), "x"))
    if at < gun.back + wide / 2:
        parts.add(gun.steel, box(0.06, 0.06, gun.back - at + wide + 0.1, (0, low + 0.05, (gun.back + at) / 2)))


def _magazine(dice: Dice, parts: Parts, gun: _Gun, place: float) -> None:
    """Straight, curved, a drum, a pan on top, to the side, or a box with its belt."""
    low, width = -gun.high / 2, dice(0.05, 0.1)
    deep, long = dice(0.12, 0.55), dice(0.08, 0.2)
    kind = dice.pick("box", "box", "curved", "curved", "drum", "pan", "side", "belt")
    if kind == "box":
        lean = dice(-0.12, 0.15)
        outline = [
            (place - long / 2, low + 0.04),
            (place + long / 2, low + 0.04),
            (place + long / 2 + lean, low - deep),
            (place - long / 2 + lean, low - deep),
        ]
        parts.add(gun.steel, prism(outline, width, "x"))
    elif kind == "curved":
        bend = dice(0.006, 0.02)
        line = [(low + 0.03 - deep * n / 4, place + bend * n * n) for n in range(5)]
        for (y0, z0), (y1, z1) in pairwise(line):
            parts.add(
                gun.steel,
                prism([(z0 - long / 2, y0), (z0 + long / 2, y0), (z1 + long / 2, y1), (z1 - long / 2, y1)], width, "x"),
            )
    elif kind == "drum":
        size = dice(0.1, 0.22)
        parts.add(gun.steel, wheel(size, dice(0.1, 0.25), (0, low - 0.8 * size, place), "x", 18))
    elif kind == "pan":
        parts.add(gun.steel, wheel(dice(0.14, 0.26), dice(0.06, 0.12), (0, gun.high / 2 + 0.03, place), "y", 18))
    elif kind == "side":
        parts.add(gun.steel, box(deep, 0.08, long, (-deep / 2, 0.1 * gun.high, place)))
    else:
        wide = dice(0.15, 0.3)
        parts.add(gun.steel, box(wide, 0.8 * deep, 1.3 * long, (-0.3 * wide, low - 0.4 * deep + 0.03, place)))


def _sights(dice: Dice, parts: Parts, gun: _Gun, kind: str) -> None:
    """A telescope, a carrying handle, a rail with a reflex sight or iron ones."""
    top = gun.high / 2
    form = dice.pick("scope", "handle", "reflex", "iron", "iron") if kind != "sniper" else "scope"
    if kind in ("musket", "lever") and dice.chance(0.7):
        form = "iron"
    room = gun.front - gun.back - 0.3
    if form == "scope":
        size, lift, long = dice(0.035, 0.07), dice(0.05, 0.12), dice(0.3, 0.7)
        level, z = top + lift + size, dice(-0.1, 0.15)
        parts.add(gun.steel, rod((0, level, z - long / 2), (0, level, z + long / 2), 0.7 * size, sides=10))
        parts.add(
            gun.steel, rod((0, level, z + 0.3 * long), (0, level, z + long / 2 + 0.06), size, dice(1.0, 1.6) * size)
        )
        parts.add(gun.steel, rod((0, level, z - long / 2 - 0.03), (0, level, z - 0.3 * long), 1.1 * size, size))
        parts.add(gun.steel, ball(1.1 * size, (0, level, z), 8))
        parts.add(
            gun.steel,
            *(
                box(0.05, lift + size + 0.06, 0.06, (0, top + (lift + size) / 2 - 0.03, k * 0.35 * room))
                for k in (-1, 1)
            ),
        )
        parts.add(gun.steel, box(0.05, 0.05, 0.8 * room + 0.06, (0, level, 0)))
    elif form == "handle":
        lift, long = dice(0.1, 0.22), dice(0.5, 1.0) * room
        parts.add(gun.steel, *(box(0.05, lift + 0.06, 0.06, (0, top + lift / 2 - 0.02, k * long / 2)) for k in (-1, 1)))
        parts.add(gun.steel, box(0.05, 0.05, long + 0.1, (0, top + lift, 0)))
    elif form == "reflex":
        lift = dice(0.08, 0.16)
        parts.add(
            gun.steel,
            box(0.07, 0.05, room, (0, top, 0)),
            soft_box(0.09, lift + 0.04, 0.14, 0.02, (0, top + lift / 2, dice(-0.3, 0.3) * room)),
        )
    parts.add(gun.steel, box(0.03, gun.radius + 0.12, 0.05, (0, gun.bore + (gun.radius + 0.12) / 2, gun.muzzle - 0.08)))


def _bipod(dice: Dice, parts: Parts, gun: _Gun) -> None:
    """Two legs under the barrel, apart and down."""
    z, long, apart = gun.front + dice(0.3, 0.85) * gun.barrel, dice(0.25, 0.55), dice(0.1, 0.35)
    foot = (apart, gun.bore - long, z + dice(-0.1, 0.15))
    parts.add(gun.steel, *pair(rod((0, gun.bore, z), foot, 0.026, sides=8), ball(0.04, foot, 8)))
