"""The solid that oriented points bound: screened Poisson surface reconstruction on a regular grid."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry import Mesh
from ..geometry.repair import remove_unused_verts
from .conjugate_gradients import conjugate_gradients
from .extract import extract_mesh
from .points_grid import HALF, SpectralGrid
from .points_normals import Planes

_RESOLUTIONS = (96, 128, 160, 192)  # their Fourier transforms are fast
_STEPS = 20  # of conjugate gradients
_FEWEST, _LEAST = 8, 0.001  # points that make a piece of the surface, in number and as a part of all


def poisson_mesh(points: Tensor, normals: Tensor, planes: Planes) -> Mesh:
    """Closed surface through or near oriented points.

    The u with the smallest ``int |grad u - v|^2 + s sum_i a_i u(x_i)^2`` is zero there (Kazhdan and Hoppe, Screened
    Poisson Surface Reconstruction, 2013): v are the inward normals times the areas a that their points stand for,
    blurred. The grid, the blur and the screening s follow the spacing and the noise of the points: what is smaller than
    either is smoothed away, holes are closed, and single points far off are left out. Normals that point inward, all
    together, are taken for outward ones.

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
    return _level_set(values, grid, points)


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


def _level_set(values: Tensor, grid: SpectralGrid, points: Tensor) -> Mesh:
    """The surface of ``values > 0`` where the points are."""
    box = torch.tensor([[-grid.half] * 3, [grid.half] * 3])
    mesh = extract_mesh(
        lambda where: grid.read_at(values, where), bounds=box, resolution=grid.resolution // 2, subdivisions=1
    ).mesh
    return pieces_near(mesh, points)


def pieces_near(mesh: Mesh, points: Tensor) -> Mesh:
    """The connected pieces of a mesh to which a good part of the points (N, 3) is nearest; at least 8, and 0.1%."""
    from scipy.spatial import cKDTree

    label = mesh.topology.components()
    _, nearest = cKDTree(mesh.verts.numpy()).query(points.numpy())
    votes = torch.bincount(label[torch.from_numpy(nearest)], minlength=int(label.max()) + 1)
    kept = votes >= max(_FEWEST, _LEAST * len(points))
    if bool(kept.all()) or not bool(kept.any()):
        return mesh
    return remove_unused_verts(Mesh(mesh.verts, mesh.faces[kept[label[mesh.faces[:, 0]]]]))
