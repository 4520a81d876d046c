"""A closed mesh from any soup of triangles: what hardly a view from outside sees is solid."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...geometry.marching_cubes import march_cells, mixed_cells
from ...geometry.mesh import Mesh
from ...geometry.nearest import NearestPoint
from .depth_maps import DepthMaps

# lengths in voxels
_OFFSET = 0.4  # of the surface from solid walls: more than the half diagonal of a pixel, by which depth maps may err
_SHEET_OFFSET = 1.0  # from thin ones: no cell of the grid slips through 2 of these
_SHEET = 1.5  # a wall is thin if it is seen from the other side, this far behind its face
_BAND = 2.0  # distances are truncated here: beyond every edge of the grid that the surface crosses
_MARGIN = 4  # around the mesh
_BLOCK = 4  # nodes along an axis that are decided at once far from the surface
_PIXEL = 0.5


def watertight_mesh(mesh: Mesh, *, resolution: int = 256, views: int = 100, seen: float = 0.04) -> Mesh:
    """A closed mesh, oriented outward, around a mesh that bounds nothing: loose, doubled or disagreeing walls.

    Depth maps from directions spread over the sphere are fused into a truncated signed distance on a grid, whose zero
    set marching cubes extracts (Stutz and Geiger, CVPR 2018, by which the data of Occupancy Networks were made). Theirs
    averages distances along the rays, in which the two sides of a sheet cancel; ours is the distance to the triangles,
    and the depth maps give its sign: a node is outside if enough views see it before the surface.

    The result lies 0.4 voxels outside of walls that have a solid behind them. Walls thinner than 1.5 voxels, sheets
    among them, become thicker by a voxel on each side, so that none is lost. Cavities that hardly a view sees are
    filled, and so are those that become closed.

    Args:
        mesh: one mesh.
        resolution: voxels along the longest side of its bounding box, from 16 to 512. 256 takes 0.3 GB of memory,
            512 eight times as much.
        views: number of depth maps, from 8 on.
        seen: share of the views, above 0, that must see a point for it to be outside. Larger closes larger holes, and
            fills deeper concavities: at a hole's solid angle, over 4 pi.

    Returns:
        Mesh in the frame of ``mesh``, float32, on the CPU; its faces are about as large as the voxels.

    Raises:
        ValueError: a batch, or a resolution, number of views or share out of range.
        InputError: no faces, vertices that are not finite, or no extent.
    """
    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    if not 16 <= resolution <= 512:
        raise ValueError(f"resolution: expected 16 to 512 voxels along an axis, got {resolution}")
    if views < 8:
        raise ValueError(f"views: expected at least 8, got {views}")
    if not 0 < seen < 1:
        raise ValueError(f"seen: expected a share between 0 and 1, got {seen}")
    verts = mesh.verts.detach().cpu().double()
    used = verts[mesh.faces.cpu().unique()]
    if len(used) == 0 or not bool(used.isfinite().all()) or float((used.amax(0) - used.amin(0)).max()) == 0:
        raise InputError("the mesh has no faces, no extent, or vertices that are not finite")
    low, high = used.amin(0), used.amax(0)
    voxel = float((high - low).max()) / resolution
    nodes = ((high - low) / voxel).ceil().long() + 2 * _MARGIN + 1
    nodes = (nodes + _BLOCK - 1) // _BLOCK * _BLOCK
    # in voxels from here on, from the grid's first node
    origin = 0.5 * (low + high) / voxel - 0.5 * (nodes - 1)
    soup = Mesh((verts / voxel - origin).float(), mesh.faces.cpu())
    grid = _without_specks(_Fusion(soup, views, seen).distances(nodes))
    corners, faces = march_cells(*mixed_cells(-grid.numpy()))
    place = (torch.from_numpy(corners) + origin) * voxel
    return Mesh(place.float(), torch.from_numpy(faces))


class _Fusion:
    """The truncated signed distance of a mesh in units of voxels."""

    def __init__(self, mesh: Mesh, views: int, seen: float) -> None:
        self._nearest = NearestPoint(mesh, spacing=1.0)
        self._maps = DepthMaps(mesh, views, _PIXEL)
        self._enough = max(1, round(seen * views))

    def distances(self, nodes: Tensor) -> Tensor:
        """(X, Y, Z) float32: distance to the mesh less the offset, negative inside, at the nodes of a grid."""
        blocks = (nodes // _BLOCK).tolist()
        index = _lattice(blocks)
        middle = (_BLOCK * index + 0.5 * (_BLOCK - 1)).float()
        reach = 0.5 * (_BLOCK - 1) * math.sqrt(3) + _BAND + 0.7  # the nearest point found may be so much too far
        close = _length(self._to_surface(middle)) < reach
        points = (_BLOCK * index[close][:, None] + _lattice([_BLOCK] * 3)).float()
        # far from the surface a block has the sign of its middle
        outside = self._outside(middle)[:, None].repeat(1, _BLOCK**3)
        outside[close] = self._outside(points.reshape(-1, 3)).reshape(-1, _BLOCK**3)
        values = torch.where(outside, _BAND, -_BAND)
        # no edge of the grid is crossed but those of nodes outside and their neighbours
        wanted = _blocks(_dilated(_grid(outside, blocks)), blocks) & close[:, None]
        distance = self._near(points[wanted[close]], outside[wanted])
        values[wanted] = distance.clamp(-_BAND, _BAND)
        return _grid(values, blocks)

    def _near(self, points: Tensor, outside: Tensor) -> Tensor:
        """(P,) signed distance to the offset surface."""
        step = self._to_surface(points)
        distance = _length(step)
        offset = torch.full_like(distance, _OFFSET)
        # within the smaller offset a node is solid either way; beyond the band no crossing is left
        asked = (outside & (distance > _OFFSET) & (distance < _BAND)).nonzero()[:, 0]
        behind = points[asked] + step[asked] * (1 + _SHEET / distance[asked, None])
        offset[asked[self._outside(behind)]] = _SHEET_OFFSET
        return torch.where(outside, distance, -distance) - offset

    def _to_surface(self, points: Tensor) -> Tensor:
        """(P, 3) steps to the nearest points of the mesh; in parts, for memory."""
        parts = [self._nearest(part, candidates=1)[0] - part for part in points.split(200_000)]
        return torch.cat(parts) if parts else points

    def _outside(self, points: Tensor) -> Tensor:
        return self._maps.are_seen(points, self._enough)


def _without_specks(grid: Tensor) -> Tensor:
    """The grid without what stray views leave: solids with no part of the mesh in them, and bubbles in the solid."""
    from scipy import ndimage

    values = grid.numpy()
    solids, count = ndimage.label(values < 0)
    empty = np.ones(count + 1, bool)
    # a piece of the mesh in it is within half a cell's diagonal of some node
    empty[solids[values > -(1 + _OFFSET)]] = False
    empty[0] = False
    free, _ = ndimage.label(values > 0)
    bubble = (free != free[0, 0, 0]) & (free > 0)
    return torch.from_numpy(np.where(empty[solids] | bubble, -values, values))


def _dilated(mask: Tensor) -> Tensor:
    """What is marked in a grid, and the neighbours of that along the axes."""
    from scipy import ndimage

    return torch.from_numpy(ndimage.binary_dilation(mask.numpy()))


def _grid(values: Tensor, blocks: list[int]) -> Tensor:
    """(X, Y, Z) values of a grid, from those of its blocks (X Y Z / B^3, B^3), each in order."""
    split = values.reshape(*blocks, _BLOCK, _BLOCK, _BLOCK).permute(0, 3, 1, 4, 2, 5)
    return split.reshape([_BLOCK * n for n in blocks])


def _blocks(grid: Tensor, blocks: list[int]) -> Tensor:
    """The way back."""
    x, y, z = blocks
    return grid.reshape(x, _BLOCK, y, _BLOCK, z, _BLOCK).permute(0, 2, 4, 1, 3, 5).reshape(-1, _BLOCK**3)


def _lattice(size: list[int]) -> Tensor:
    """(X Y Z, 3) int64 indices of a grid in order."""
    return torch.stack(torch.meshgrid(*map(torch.arange, size), indexing="ij"), dim=-1).reshape(-1, 3)


def _length(steps: Tensor) -> Tensor:
    return torch.linalg.vector_norm(steps, dim=1)
