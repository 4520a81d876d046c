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
    from . import boats, furniture, handhelds, seats, sofas, vehicles

    return {
        "airplane": vehicles.airplane,
        "cabinet": furniture.cabinet,
        "car": vehicles.car,
        "chair": seats.chair,
        "display": furniture.display,
        "lamp": furniture.lamp,
        "rifle": handhelds.rifle,
        "sofa": sofas.sofa,
        "table": furniture.table,
        "phone": handhelds.phone,
        "boat": boats.boat,
        "bottle": handhelds.bottle,
        "mug": handhelds.mug,
    }
