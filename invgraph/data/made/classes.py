"""The classes of made shapes, by the names of the ShapeNet synsets that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .parts import Dice, Parts

SYNSETS = {
    "airplane": "02691156",
    "cabinet": "02933112",
    "car": "02958343",
    "chair": "03001627",
    "display": "03211117",
    "lamp": "03636649",
    "rifle": "04090263",
    "sofa": "04256520",
    "table": "04379243",
    "phone": "04401088",
    "boat": "04530566",
    "bottle": "02876657",
    "mug": "03797390",
}
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
