"""Everything that can be chosen about a fit."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FitOptions:
    """Options of a multi-view fit; the defaults are the measured ones."""

    shape: Literal["mesh", "sdf", "occupancy"] = "mesh"
    """What is fitted: a mesh, which keeps the holes and parts of its start; or a field of signed distances or of
    occupancies, whose surface may take on any."""
    init: str = "auto"
    """Starting surface: auto (the visual hull, or a sphere where there is none), hull, sphere, or a mesh file in the
    data set's world frame."""
    vertices: int = 10_000
    """Number of vertices aimed at; the mesh has that many within about a tenth."""
    effort: float = 1.0
    """Multiplies the number of steps of every stage."""
    image_size: int = 640
    """Longest side, in pixels, of the finest images used; larger ones are area-averaged down."""
    hull_resolution: int = 128
    """Cells along the longest side of the visual hull's grid."""
    resolution: int = 64
    """Of a field: cells along each axis of its finest grid."""
    silhouette_by: Literal["both", "surface", "rays"] = "both"
    """Of a field: through its surface and the rasterizer, along rays without a mesh, or both: rays first, which open
    holes, then the surface, which is exact."""
    polish: bool = True
    """Of a field: optimize its surface as a mesh in the end, else the field's own surface is the result."""
    optimizer: Literal["large-steps", "adam"] = "large-steps"
    """large-steps: AdamUniform on (I + lambda L) x (Nicolet et al. 2021); adam: Adam on the vertices themselves."""
    smoothing: float = 1.0
    """lambda of large-steps: a pixel's pull spreads over about sqrt(lambda) edges; a stage multiplies it."""
    learning_rate: float = 1.0
    """Multiplies the step size of every stage."""
    silhouette: Literal["mse", "l1", "iou"] = "mse"
    """Silhouette term: squared or absolute error over the area of the masks, or one minus intersection over union."""
    bending: float = 1e-4
    """Weight of the thin-plate energy, which decides the surface where no silhouette does; a stage multiplies it."""
    eikonal: float = 0.01
    """Weight of the term that keeps signed distances distances; a stage multiplies it."""
    holdout: int = 0
    """Views, evenly spread, kept out of the fit and used to score it."""
    seed: int = 0
    """Seed of the order of views; on a CPU the same seed gives the same bytes."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0 writes one at the end of each stage only."""

    def __post_init__(self) -> None:
        def require(ok: bool, field: str, expected: str) -> None:
            if not ok:
                raise ValueError(f"{field}: expected {expected}, got {getattr(self, field)!r}")

        require(bool(self.init), "init", "auto, hull, sphere or a mesh file")
        require(self.shape in ("mesh", "sdf", "occupancy"), "shape", "mesh, sdf or occupancy")
        require(self.vertices >= 100, "vertices", "at least 100")
        require(0 < self.effort < 1e6, "effort", "a positive number")
        require(self.image_size >= 16, "image_size", "at least 16 pixels")
        require(8 <= self.hull_resolution <= 1024, "hull_resolution", "8 to 1024 cells")
        require(8 <= self.resolution <= 1024, "resolution", "8 to 1024 cells")
        require(self.silhouette_by in ("both", "surface", "rays"), "silhouette_by", "both, surface or rays")
        require(self.optimizer in ("large-steps", "adam"), "optimizer", "large-steps or adam")
        require(self.silhouette in ("mse", "l1", "iou"), "silhouette", "mse, l1 or iou")
        require(0 <= self.smoothing < 1e6, "smoothing", "a number >= 0")
        require(0 < self.learning_rate < 1e6, "learning_rate", "a positive number")
        require(0 <= self.bending < float("inf"), "bending", "a number >= 0")
        require(0 <= self.eikonal < float("inf"), "eikonal", "a number >= 0")
        require(self.holdout >= 0, "holdout", "a number of views >= 0")
        require(-(2**63) <= self.seed < 2**63, "seed", "a 64-bit integer")
        require(self.checkpoint_every >= 0, "checkpoint_every", "a number of steps >= 0")

    def to_json(self) -> str:
        """The content of ``options.json``."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> FitOptions:
        """Options written by :meth:`to_json`."""
        return cls(**json.loads(text))
