"""A mesh as voxels."""

from __future__ import annotations

import torch
from torch import Tensor

from ...geometry.mesh import Mesh
from ...ops.winding_number import winding_number

_RUN_PAIRS = 1 << 15


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
    triangles = (mesh.detach().triangles().double() + 0.5) * resolution
    winding_number(mesh.verts.new_empty(0, 3), mesh.verts.detach(), mesh.faces)  # tells of vertices that are not finite
    crossed = torch.zeros(resolution**3, dtype=torch.bool)
    crossed[_crossed(triangles, resolution)] = True
    return crossed.reshape((resolution,) * 3) | _held(mesh.detach(), crossed, resolution)


def inside(winding: Tensor) -> Tensor:
    """Which winding numbers say inside: of more than a half turn, either way, so that meshes inside out count too."""
    return winding.abs() > 0.5


def _held(mesh: Mesh, crossed: Tensor, resolution: int) -> Tensor:
    """(R, R, R) bool: cells that are not ``crossed`` (R^3,) and whose centres a mesh holds."""
    axis = (torch.arange(resolution, dtype=mesh.verts.dtype) + 0.5) / resolution - 0.5
    free = ~crossed.reshape((resolution,) * 3)
    if mesh.is_closed:
        # a closed surface winds as often around neighbours that it does not pass between: one of each run along z is
        # asked, and none of a run that leaves the mesh's box
        before = torch.nn.functional.pad(free, (1, 0))[..., :-1]
        after = torch.nn.functional.pad(free, (0, 1))[..., 1:]
        starts, ends = (free & ~before).nonzero(), (free & ~after).nonzero()
        low, high = mesh.triangles().flatten(0, 1).aminmax(dim=0)
        asked = ((axis[starts] >= low) & (axis[ends] <= high)).all(1)
        points, run = axis[starts[asked]], (free & ~before).flatten().cumsum(0) - 1
        held = torch.zeros(len(starts) + 1, dtype=torch.bool)  # one more: run is -1 before the first
        held[:-1][asked] = inside(winding_number(points, mesh.verts, mesh.faces))
        return free & held[run].reshape(free.shape)
    cells = free.nonzero()
    held = torch.zeros_like(free)
    held[free] = inside(winding_number(axis[cells], mesh.verts, mesh.faces))
    return held


def _crossed(triangles: Tensor, resolution: int) -> Tensor:
    """Flat indices of the unit cells that triangles (F, 3, 3) meet, with repeats."""
    low = triangles.amin(1).floor().long()
    high = triangles.amax(1).floor().long()
    # the cube's upper faces belong to its last cells
    on_top = (triangles.amin(1) == resolution) & (low == resolution)
    low, high = torch.where(on_top, resolution - 1, low).clamp(min=0), high.clamp(max=resolution - 1)
    size = (high - low + 1).clamp(min=0)
    pairs = size.prod(1)
    rows, lowest, sides = _Rows(triangles), low.T.contiguous(), size.T.contiguous()
    found = []
    # faces in runs of bounded work, which fits in a cache; a single large face can have as many cells as the cube
    lengths = torch.unique_consecutive(pairs.cumsum(0) // _RUN_PAIRS, return_counts=True)[1].tolist()
    for chosen in torch.arange(len(triangles)).split(lengths):
        count = pairs[chosen]
        face = chosen.repeat_interleave(count)
        number = torch.arange(len(face)) - (count.cumsum(0) - count).repeat_interleave(count)
        _, ny, nz = _columns(sides, face)
        line = number // nz
        x = line // ny
        cell = torch.stack([x, line - x * ny, number - line * nz]) + _columns(lowest, face)
        near = rows.cut_by_plane(face, cell)
        face, cell = face[near], _columns(cell, near)
        cell = cell[:, rows.overlap_along_edges(face, cell)]
        found.append((cell[0] * resolution + cell[1]) * resolution + cell[2])
    return torch.cat(found) if found else torch.zeros(0, dtype=torch.int64)


class _Rows:
    """Triangles against unit cells by separating axes; numbers of a kind in a row, so that loops run along memory."""

    def __init__(self, triangles: Tensor) -> None:
        edges = triangles.roll(-1, dims=1) - triangles
        normal = torch.linalg.cross(edges[:, 0], edges[:, 1])
        self._corners = triangles.permute(1, 2, 0).contiguous()  # corner, axis, face; edges likewise
        self._edges = edges.permute(1, 2, 0).contiguous()
        self._normal = normal.T.contiguous()
        self._reach = 0.5 * normal.abs().sum(1)

    def cut_by_plane(self, face: Tensor, cell: Tensor) -> Tensor:
        """Which pairs (P,) of a face and a cell (3, P) remain after the test of the face's plane: their numbers."""
        corner = _columns(self._corners[0], face).sub_(cell + 0.5)
        x, y, z = corner.mul_(_columns(self._normal, face))
        return ((x + y + z).abs_() <= self._reach.gather(0, face)).nonzero()[:, 0]

    def overlap_along_edges(self, face: Tensor, cell: Tensor) -> Tensor:
        """(P,) bool: which pairs overlap along the nine products of the face's edges and the cell's."""
        middle = cell + 0.5
        # axis, corner, pair
        corners = torch.stack([_columns(corner, face).sub_(middle) for corner in self._corners], dim=1)
        hit = torch.ones(len(face), dtype=torch.bool)
        for edges in self._edges:
            edge = _columns(edges, face)
            half = 0.5 * edge.abs()
            for u, v in ((1, 2), (2, 0), (0, 1)):
                a, b, c = corners[u] * edge[v] - corners[v] * edge[u]
                reach = half[u] + half[v]
                hit &= torch.minimum(torch.minimum(a, b), c) <= reach
                hit &= torch.maximum(torch.maximum(a, b), c) >= -reach
        return hit


def _columns(rows: Tensor, chosen: Tensor) -> Tensor:
    """(K, P) of (K, N): some columns, as ``rows[:, chosen]``, which takes three times as long."""
    return rows.gather(1, chosen.expand(len(rows), -1))
