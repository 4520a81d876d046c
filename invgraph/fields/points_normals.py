"""Normals for points that have none: a plane through each point's neighbours, and one side of it that is outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .conjugate_gradients import conjugate_gradients
from .points_grid import HALF, SpectralGrid

_NEIGHBOURS, _MOST_NEIGHBOURS = 24, 192
_MOST = 20_000  # points from which the sides are found; the others take what these decide
_RESOLUTIONS = (64, 96, 128)  # of the grid in which sides are found
_GAUSS_STEPS = 15  # of conjugate gradients: the guess need not be exact
_ROUNDS = 30


@dataclass(frozen=True)
class Planes:
    """What each point's neighbours say about the surface there.

    Attributes:
        normals: (N, 3) unit, of either side.
        areas: (N,) of the surface that a point stands for, from how far its neighbours are.
        noise: typical distance of the points from the planes through their neighbours.
        spacing: typical distance between points, the root of an area.
    """

    normals: Tensor
    areas: Tensor
    noise: float
    spacing: float


def fit_planes(points: Tensor) -> Planes:
    """Fit a plane to every point's neighbours (Hoppe et al., Surface Reconstruction from Unorganized Points, 1992).

    There are more neighbours the noisier the points are: as many as it takes for the patch to be wider than thick.

    Args:
        points: (N, 3), all different.
    """
    from scipy.spatial import cKDTree

    where = points.detach().cpu().double().numpy()
    tree = cKDTree(where)
    count = min(_NEIGHBOURS, len(points) - 1)
    while True:
        planes, radius = _planes_of(points, *tree.query(where, k=count + 1))
        if planes.noise < 0.25 * radius or count >= min(_MOST_NEIGHBOURS, len(points) - 1):
            return planes
        count = min(2 * count, len(points) - 1)


def _planes_of(points: Tensor, distance: np.ndarray, index: np.ndarray) -> tuple[Planes, float]:
    """Planes through the points' (N, K + 1) neighbours, themselves included, and how far these reach."""
    where, count = points.detach().cpu().double(), index.shape[1] - 1
    normals, noise = [], []
    for some in torch.from_numpy(index).split(16384):
        near = where[some]
        near = near - near.mean(1, keepdim=True)
        spread, axes = torch.linalg.eigh(near.mT @ near / (count + 1))
        normals.append(axes[:, :, 0])
        noise.append(spread[:, 0].clamp(min=0).sqrt())
    reach = torch.from_numpy(distance[:, -1])
    areas = reach**2 * (torch.pi / count)
    planes = Planes(
        normals=torch.cat(normals).to(points),
        areas=areas.to(points),
        noise=float(torch.cat(noise).median()),
        spacing=float(areas.median().sqrt()),
    )
    return planes, float(reach.median())


def orient_normals(points: Tensor, planes: Planes, *, seed: int = 0) -> Tensor:
    """Turn normals outward, whatever the topology, without walking from point to point.

    First a guess that knows no normals: of all vectors at the points whose potential is 1/2 at every point and 0 far
    away, the smallest (Lin et al., Surface Reconstruction from Point Clouds without Normals by Parametrizing the Gauss
    Formula, 2022; here the potential is solved on a grid by Fourier). Its gradient chooses a side for each plane.
    Then, until no normal turns, the potential of the normals chooses again (Hou et al., Iterative Poisson Surface
    Reconstruction for Unoriented Points, 2022).

    Args:
        points: (N, 3) in [-1, 1]^3.
        planes: of these points.
        seed: of the choice of the points that decide where there are many.

    Returns:
        (N, 3) unit normals, outward.
    """
    chosen = torch.arange(len(points), device=points.device)
    if len(points) > _MOST:
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(points), generator=generator)[:_MOST].to(points.device)
    # cells must be smaller than the shape is thick; finer than the points are dense is of no use
    cell = max(planes.spacing, 2 * planes.noise)
    resolution = next((r for r in _RESOLUTIONS if 2 * HALF / r <= cell), _RESOLUTIONS[-1])
    grid = SpectralGrid(points[chosen], resolution, HALF, blur=2 * HALF / resolution)
    normals, areas = planes.normals[chosen], planes.areas[chosen] * (len(points) / len(chosen))
    normals = _towards(normals, -grid.gradient(_gauss_potential(grid, len(chosen), seed)))
    for _ in range(_ROUNDS):
        potential = grid.potential(-normals * areas[:, None])
        turned = _towards(normals, -grid.gradient(potential))
        changed = int(((turned * normals).sum(1) < 0).sum())
        normals = turned
        if changed == 0:
            break
    every = SpectralGrid(points, resolution, HALF, blur=2 * HALF / resolution)
    return _towards(planes.normals, -every.gradient(grid.potential(-normals * areas[:, None])))


def _gauss_potential(grid: SpectralGrid, count: int, seed: int) -> Tensor:
    """(R, R, R) grid: the potential of the smallest vectors that make it 1/2 at the points and 0 at the box's sides."""
    sides = torch.zeros(grid.shape)
    sides[0], sides[:, 0], sides[:, :, 0] = 1, 1, 1
    sides /= sides.sum()

    def values(vectors: Tensor) -> Tensor:
        potential = grid.potential(vectors)
        return grid.read(potential) - (potential * sides).sum()

    def transposed(weights: Tensor) -> Tensor:
        return grid.potential_transposed(grid.spread(weights) - sides * weights.sum())

    probe = torch.randint(0, 2, (count,), generator=torch.Generator().manual_seed(seed)) * 2.0 - 1
    diagonal = float((probe * values(transposed(probe))).mean())  # Hutchinson's estimate of its mean
    half = torch.full((count,), 0.5)
    weights = conjugate_gradients(lambda x: values(transposed(x)) + diagonal * x, half, steps=_GAUSS_STEPS)
    return grid.potential(transposed(weights))


def _towards(normals: Tensor, directions: Tensor) -> Tensor:
    return torch.where((normals * directions).sum(1, keepdim=True) < 0, -normals, normals)
