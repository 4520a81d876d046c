"""The classes of made shapes, by the names of the ShapeNet synsets that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..image_sets.synsets import NUMBERS

if TYPE_CHECKING:
    from .parts import Dice, Parts

_NMR = ("airplane", "cabinet", "car", "chair", "display", "lamp", "rifle", "sofa", "table", "phone", "boat")
SYNSETS = {name: NUMBERS[name] for name in (*_NMR, "bottle", "mug")}
"""WordNet's number of each class; the first eleven are classes of the NMR set too."""


def builders() -> dict[str, Callable[[Dice], Parts]]:
    """The function that puts together a shape of each class; imports manifold3d."""
    from . import airplanes, boats, bottles, cars, displays, furniture, lamps, mugs, phones, rifles, seats, sofas

    return {
        "airplane": airplanes.airplane,
        "cabinet": furniture.cabinet,
        "car": cars.car,
        "chair": seats.chair,
        "display": displays.display,
        "lamp": lamps.lamp,
        "rifle": rifles.rifle,
        "sofa": sofas.sofa,
        "table": furniture.table,
        "phone": phones.phone,
        "boat": boats.boat,
        "bottle": bottles.bottle,
        "mug": mugs.mug,
    }
