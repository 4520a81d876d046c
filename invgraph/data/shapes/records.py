"""What is known of one solid: points with their occupancy, points of its surface, voxels."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ShapePoints:
    """Points of space, each inside or outside of a shape.

    Coordinates are those of the unit cube: the shape's bounding box is centred at the origin and its longest side is 1.
    ``scale * points + loc`` are the coordinates in the mesh's own frame.
    """

    points: Tensor
    """(N, 3) float32."""
    occupancies: Tensor
    """(N,) bool, True inside."""
    loc: Tensor
    """(3,) float64: centre of the shape's bounding box in its own frame."""
    scale: float
    """Longest side of that box."""
    sigmas: Tensor | None = None
    """(N,) float32: the standard deviation of the distance, along each axis, at which a point was drawn from a point of
    the surface; None for points drawn uniformly."""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class ShapeCloud:
    """Points of a shape's surface, uniform by area, in the unit cube as in :class:`ShapePoints`."""

    points: Tensor
    """(N, 3) float32."""
    normals: Tensor
    """(N, 3) float32, unit length, outward."""
    loc: Tensor
    """(3,) float64."""
    scale: float

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class Voxels:
    """A cube of voxels: ``filled[i, j, k]`` is the one around ``low + (i + 0.5, j + 0.5, k + 0.5) * side / R``."""

    filled: Tensor
    """(R, R, R) bool, indexed x, y, z."""
    low: Tensor
    """(3,) float64: the cube's lowest corner in the shape's own frame."""
    side: float
    """Length of the cube's side."""
