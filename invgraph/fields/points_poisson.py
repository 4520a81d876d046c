"""The solid that oriented points bound: screened Poisson surface reconstruction on a regular grid."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..errors import InputError
from ..geometry import Mesh
from .conjugate_gradients import conjugate_gradients
from .points_grid import HALF, SpectralGrid
from .points_normals import Planes

_RESOLUTIONS = (96, 128, 160, 192, 256)  # their Fourier transforms are fast
_STEPS = 30  # of conjugate gradients


def poisson_mesh(points: Tensor, normals: Tensor, planes: Planes) -> Mesh:
    """Closed surface through or near oriented points.

    The smallest of ``int |grad u - v|^2 + s sum_i a_i u(x_i)^2`` has its zero there (Kazhdan and Hoppe, Screened Poisson
    Surface Reconstruction, 2013): v are the inward normals, each blurred over the area that its point stands for. The
    grid, the blur and the screening s follow the spacing and the noise of the points: what is smaller than either is
    smoothed away, holes are closed. Normals that point inward, all together, are taken for outward ones.

    Args:
        points: (N, 3) in [-1, 1]^3.
        normals: (N, 3) unit, of one side of the surface.
        planes: of the points; see :func:`fit_planes`.

    Returns:
        Mesh in the points' frame, float32, faces counter-clockwise seen from outside.

    Raises:
        InputError: the points bound nothing.
    """
    cell = max(0.75 * planes.spacing, 1.6 * planes.noise)
    resolution = next((r for r in _RESOLUTIONS if 2 * HALF / r <= cell), _RESOLUTIONS[-1])
    blur = max(2 * HALF / resolution, 1.5 * planes.noise)
    grid = SpectralGrid(points, resolution, HALF, blur)
    # a lone point far off stands for no large area
    areas = planes.areas.clamp(max=8 * float(planes.areas.median()))
    values = _screened(grid, -normals * areas[:, None], areas, min(max(0.3 / max(planes.noise, 1e-3), 4.0), 100.0))
    if float(values[0].mean()) > 0:  # outside of everything
        values = -values
    if not bool((values > 0).any()):
        raise InputError("the points bound no volume")
    return _level_set(values, grid)


def _screened(grid: SpectralGrid, vectors: Tensor, areas: Tensor, screening: float) -> Tensor:
    """(R, R, R) potential of the vectors that is near zero at the points."""
    values = grid.potential(vectors)
    values = values - (grid.read(values) * areas).sum() / areas.sum()
    shift = screening * float(areas.sum()) / (2 * HALF) ** 3
    return conjugate_gradients(
        lambda u: grid.laplace(u) + screening * grid.spread(areas * grid.read(u)),
        grid.laplace(values),
        steps=_STEPS,
        start=values,
        preconditioner=lambda r: grid.smooth(r, shift),
        tolerance=1e-3,
    )


def _level_set(values: Tensor, grid: SpectralGrid) -> Mesh:
    """The surface of ``values > 0``, closed where it would leave the box."""
    from skimage.measure import marching_cubes

    padded = pad(values, (1, 1) * 3, value=-float(values.abs().max())).double().numpy()
    # descent: the gradient points inward
    verts, faces, _, _ = marching_cubes(padded, 0.0, gradient_direction="ascent", allow_degenerate=False)
    places = (torch.from_numpy(verts.copy()).to(values) - 1) * grid.cell - grid.half
    mesh = Mesh(places, torch.from_numpy(faces.astype("int64")))
    return mesh if float(mesh.volume()) > 0 else Mesh(places, mesh.faces.flip(1))
