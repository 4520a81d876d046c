"""Signed distances at the nodes of a lattice, from a mesh."""

from __future__ import annotations

import torch
from torch import Tensor

from ..fields.isosurface.box import check_memory
from ..geometry import Mesh
from ..geometry.nearest import NearestPoint
from ..ops import winding_number

_EXACT = 4.5  # cells from the surface within which distances are measured to the mesh


def lattice_points(resolution: int, bounds: Tensor) -> Tensor:
    """(R + 1, R + 1, R + 1, 3) nodes of a lattice of ``resolution`` cells along each axis of a box (2, 3).

    Raises:
        InputError: a lattice that cannot fit in memory.
    """
    check_memory(2 * (resolution + 1) ** 3, resolution)  # as many again are in the middles of the cells
    share = torch.linspace(0, 1, resolution + 1, dtype=bounds.dtype, device=bounds.device)
    axes = [low + share * (high - low) for low, high in bounds.unbind(1)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)


def signed_distances(mesh: Mesh, points: Tensor, inside: Tensor | None = None) -> Tensor:
    """Distances (X, Y, Z), negative inside, of lattice nodes from a mesh.

    Within some cells of the surface they are measured to it; farther away they are those from the nearest node on the
    other side, right to about half a cell, which is all that a field's far values have to be.

    Args:
        mesh: one mesh.
        points: (X, Y, Z, 3) nodes of a lattice of equal steps along the axes.
        inside: (X, Y, Z) bool; None: where the winding number says so.
    """
    from scipy.ndimage import distance_transform_edt

    mesh = mesh.detach().to("cpu", points.dtype)
    x = points.detach().cpu()
    if inside is None:
        inside = winding_number(x.reshape(-1, 3), mesh.verts, mesh.faces).view(x.shape[:3]) > 0.5
    solid = inside.cpu()
    cell = (x[1, 1, 1] - x[0, 0, 0]).tolist()
    out, into = (distance_transform_edt(part.numpy(), sampling=cell) for part in (~solid, solid))
    half = 0.5 * max(cell)
    distance = (torch.from_numpy(out + into).to(x) - half).clamp_min(0.0)
    near = distance < _EXACT * max(cell)
    nearest = NearestPoint(mesh, max(cell))(x[near])[0]
    distance[near] = torch.linalg.vector_norm(nearest - x[near], dim=-1)
    return torch.where(solid, -distance, distance).to(points)
