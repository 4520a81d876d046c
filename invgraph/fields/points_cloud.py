"""Points on or near a surface, checked."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..errors import InputError

FEWEST = 16  # points from which a solid is worth guessing
_FLAT = 1e-4  # thickness over length below which points lie in a plane


@dataclass(frozen=True)
class PointCloud:
    """Points of a surface, with or without normals.

    Made by :func:`load_points`, or from tensors of any floating-point dtype; kept as float64 on the CPU. Points that
    are there several times are merged, with a warning.

    Args:
        points: (N, 3), in any frame and unit.
        normals: (N, 3), outward, of any length above 0; None if there are none.
        source: what errors and warnings call the cloud, as the path it was read from.

    Raises:
        InputError: coordinates that are not finite, fewer than 16 different points, points in a plane or on a line, or
            normals without a direction.
        ValueError, TypeError: the shapes disagree, or the numbers are not floating point.
    """

    points: Tensor
    normals: Tensor | None = None
    source: str = "points"

    def __post_init__(self) -> None:
        points, normals = self.points, self.normals
        if points.ndim != 2 or points.shape[1] != 3:
            raise ValueError(f"{self.source}: expected points (N, 3), got shape {tuple(points.shape)}")
        if normals is not None and normals.shape != points.shape:
            expected = f"expected normals of shape {tuple(points.shape)}"
            raise ValueError(f"{self.source}: {expected}, as the points, got {tuple(normals.shape)}")
        if not all(x.is_floating_point() for x in (points, normals) if x is not None):
            raise TypeError(f"{self.source}: expected floating point coordinates, got {points.dtype}")
        points = points.detach().cpu().double()
        bad = int((~points.isfinite().all(1)).sum())
        if bad:
            raise InputError(f"{self.source}: {bad} of {len(points)} points are not finite (NaN or infinity)")
        if normals is not None:
            normals = self._unit(normals.detach().cpu().double())
        points, normals = self._merged(points, normals)
        self._check_spread(points)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "normals", normals)

    def __len__(self) -> int:
        return len(self.points)

    def _unit(self, normals: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(normals, dim=1)
        bad = int((~(length.isfinite() & (length > 0))).sum())
        if bad:
            raise InputError(
                f"{self.source}: {bad} of {len(normals)} normals have no direction (zero, NaN or infinity)"
            )
        return normals / length[:, None]

    def _merged(self, points: Tensor, normals: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Each place once, with the mean of its normals; in the order of first appearance."""
        import numpy as np

        _, first, which = np.unique(points.numpy() + 0.0, axis=0, return_index=True, return_inverse=True)
        if len(first) == len(points):
            return points, normals
        warnings.warn(
            f"{self.source}: {len(points) - len(first)} of {len(points)} points are duplicates and were merged",
            stacklevel=4,
        )
        order = np.argsort(first)
        kept = torch.from_numpy(first[order])
        if normals is not None:
            label = torch.from_numpy(np.argsort(order)[which.reshape(-1)])
            total = torch.zeros((len(first), 3), dtype=normals.dtype).index_add_(0, label, normals)
            cancelled = torch.linalg.vector_norm(total, dim=1, keepdim=True) < 1e-6
            normals = normalize(torch.where(cancelled, normals[kept], total), dim=1)
        return points[kept], normals

    def _check_spread(self, points: Tensor) -> None:
        if len(points) < FEWEST:
            raise InputError(f"{self.source}: expected at least {FEWEST} different points, got {len(points)}")
        spread = torch.linalg.svdvals(points - points.mean(0)) / math.sqrt(len(points))
        if not float(spread[2]) > _FLAT * float(spread[0]):
            where = "in a plane" if float(spread[1]) > _FLAT * float(spread[0]) else "on a line"
            raise InputError(f"{self.source}: the points lie {where}, which bounds no volume")

    def frame(self) -> tuple[Tensor, float]:
        """Centre (3,) of the bounding box, and half its longest side."""
        low, high = self.points.amin(0), self.points.amax(0)
        return 0.5 * (low + high), 0.5 * float((high - low).max())

    def subset(self, count: int, generator: torch.Generator) -> PointCloud:
        """At most ``count`` of the points, chosen at random."""
        if count >= len(self):
            return self
        chosen = torch.randperm(len(self), generator=generator)[:count].sort().values
        return PointCloud(self.points[chosen], None if self.normals is None else self.normals[chosen], self.source)
