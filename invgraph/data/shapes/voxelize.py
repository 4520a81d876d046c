"""A mesh as voxels."""

from __future__ import annotations

import torch
from torch import Tensor

from ...geometry.mesh import Mesh
from ...ops.winding_number import winding_number

_MAX_PAIRS = 1_000_000


def voxelize(mesh: Mesh, resolution: int = 32) -> Tensor:
    """Voxels of the unit cube ``[-0.5, 0.5]^3`` that a solid fills or its surface crosses.

    As in the ShapeNet voxels of 3D-R2N2 and Occupancy Networks: the voxel's centre is inside of the mesh (by winding
    number, see :func:`inside`), or a triangle meets the voxel (separating axes; Akenine-Moller, "Fast 3D triangle-box
    overlap testing", 2001).

    Args:
        mesh: one mesh, in the unit cube; what lies outside of it is left out.
        resolution: voxels along an axis.

    Returns:
        (R, R, R) bool, indexed x, y, z; voxel i spans ``[i / R - 0.5, (i + 1) / R - 0.5]``.

    Raises:
        ValueError: a resolution below 1, or a batch of meshes.
    """
    if resolution < 1:
        raise ValueError(f"resolution: expected at least 1, got {resolution}")
    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    axis = (torch.arange(resolution, dtype=mesh.verts.dtype) + 0.5) / resolution - 0.5
    centers = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(-1, 3)
    filled = inside(winding_number(centers, mesh.verts.detach(), mesh.faces))
    triangles = (mesh.detach().triangles().double() + 0.5) * resolution
    filled[_crossed(triangles, resolution)] = True
    return filled.reshape(resolution, resolution, resolution)


def inside(winding: Tensor) -> Tensor:
    """Which winding numbers say inside: of more than a half turn, either way, so that meshes inside out count too."""
    return winding.abs() > 0.5


def _crossed(triangles: Tensor, resolution: int) -> Tensor:
    """Flat indices of the unit cells that triangles (F, 3, 3) meet, with repeats."""
    low = triangles.amin(1).floor().long()
    high = triangles.amax(1).floor().long()
    # the cube's upper faces belong to its last cells
    on_top = (triangles.amin(1) == resolution) & (low == resolution)
    low, high = torch.where(on_top, resolution - 1, low).clamp(min=0), high.clamp(max=resolution - 1)
    size = (high - low + 1).clamp(min=0)
    pairs = size.prod(1)
    found = []
    # faces in runs of bounded work: a few large faces can have as many cells as the cube
    lengths = torch.unique_consecutive(pairs.cumsum(0) // _MAX_PAIRS, return_counts=True)[1].tolist()
    for chosen in torch.arange(len(triangles)).split(lengths):
        face = chosen.repeat_interleave(pairs[chosen])
        first = pairs[chosen].cumsum(0) - pairs[chosen]
        number = torch.arange(len(face)) - first.repeat_interleave(pairs[chosen])
        _, ny, nz = size[face].unbind(1)
        cell = low[face] + torch.stack([number // (ny * nz), number // nz % ny, number % nz], dim=1)
        cell = cell[_overlap(triangles[face] - cell[:, None].double() - 0.5)]
        found.append((cell[:, 0] * resolution + cell[:, 1]) * resolution + cell[:, 2])
    return torch.cat(found) if found else torch.zeros(0, dtype=torch.int64)


def _overlap(corners: Tensor) -> Tensor:
    """(P,) bool: which triangles (P, 3, 3), whose bounding boxes meet it, meet the cube ``[-0.5, 0.5]^3``."""
    edges = corners.roll(-1, dims=1) - corners
    normal = torch.linalg.cross(edges[:, 0], edges[:, 1])
    hit = (normal * corners[:, 0]).sum(1).abs() <= 0.5 * normal.abs().sum(1)
    for axis in torch.eye(3, dtype=corners.dtype):
        for edge in edges.unbind(1):
            across = torch.linalg.cross(edge, axis.expand_as(edge))
            along = torch.einsum("pi,pki->pk", across, corners)
            reach = 0.5 * across.abs().sum(1)
            hit &= (along.amin(1) <= reach) & (along.amax(1) >= -reach)
    return hit
