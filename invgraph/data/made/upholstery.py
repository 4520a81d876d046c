"""What sofas of all kinds share: colours and lengths, feet, and seat cushions."""

from __future__ import annotations

from dataclasses import dataclass

from .parts import Colour, Dice, Parts, bar, box, rod, soft_box


@dataclass
class Style:
    """Colours of a sofa, and the lengths that its seat and back have."""

    cloth: Colour
    accent: Colour
    wood: Colour
    foot: float  # height of the feet
    base: float
    cushion: float
    back: float  # height above the cushions
    thick: float  # of the back

    @property
    def level(self) -> float:
        """Height of the base's upper side."""
        return self.foot + self.base

    @property
    def seat(self) -> float:
        """Height that one sits at."""
        return self.level + self.cushion - 0.01

    @property
    def top(self) -> float:
        """Height of the back's upper edge."""
        return self.seat + self.back


def feet(dice: Dice, parts: Parts, style: Style, width: float, depth: float, x: float = 0.0, z: float = 0.0) -> None:
    """What a base of this width and depth, about (x, z), stands on."""
    if style.foot < 0.09:
        parts.add(style.cloth, box(0.95 * width, style.foot + 0.01, 0.92 * depth, (x, (style.foot + 0.01) / 2, z)))
        return
    kind, size, inset = dice.pick("round", "square", "runners", "plinth"), dice(0.02, 0.04), dice(0.8, 0.96)
    a, b, top = inset * width / 2 - size, inset * depth / 2 - size, style.foot + 0.02
    if kind == "plinth":
        parts.add(style.wood, box(0.6 * width, top, 0.6 * depth, (x, top / 2, z)))
        return
    splay = dice(0, 0.06) if kind == "round" else 0.0
    places = (-1, 0, 1) if width > 2 else (-1, 1)
    for i in places:
        for k in (-1, 1):
            head, end = (x + i * a, top, z + k * b), (x + i * (a + splay), 0.0, z + k * (b + splay))
            parts.add(style.wood, rod(end, head, 0.6 * size, size) if kind == "round" else bar(end, head, 2 * size))
        if kind == "runners":
            parts.add(style.wood, box(2 * size, 0.03, 2 * b + 2 * size, (x + i * a, 0.015, z)))


def cushions(parts: Parts, style: Style, width: float, depth: float, count: int, x: float, z: float) -> None:
    """A row of seat cushions on the base, about (x, z)."""
    for n in range(count):
        middle = (x + (n + 0.5) * width / count - width / 2, style.level + style.cushion / 2 - 0.01, z)
        parts.add(style.accent, soft_box(0.985 * width / count, style.cushion, depth, 0.04, middle))
