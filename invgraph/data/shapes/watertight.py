"""A closed mesh from any soup of triangles: what no view from outside sees into is solid."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...errors import InputError
from ...geometry.mesh import Mesh
from ...geometry.nearest import NearestPoint
from ...ops.rasterize import rasterize

_OFFSET = 1.0  # in voxels; see watertight_mesh
_BAND = 2.75  # distances are truncated here: beyond the far corner of a cell that the offset surface crosses
_MARGIN = 4  # voxels around the mesh
_BLOCK = 4  # nodes along an axis that are decided at once far from the surface
_VIEWS_TO_AGREE = 2


def watertight_mesh(mesh: Mesh, *, resolution: int = 256, views: int = 100) -> Mesh:
    """A closed mesh, oriented outward, around a mesh that bounds nothing: loose, doubled or disagreeing walls.

    Depth maps from ``views`` directions spread over the sphere are fused into a truncated signed distance on a grid,
    whose zero set marching cubes extracts (Stutz and Geiger, CVPR 2018; the pipeline behind the data of Occupancy
    Networks). A node is outside if at least two views see it before the surface. Where theirs averages the distances
    along the rays, in which the two sides of a sheet cancel, ours is the distance to the triangles. The surface is
    taken one voxel outside of the mesh: walls without thickness become two voxels thick, and a wall that pixels miss
    by less than their size stays closed. Cavities that nobody sees are filled; one seen through an opening stays.

    Args:
        mesh: one mesh.
        resolution: voxels along the longest side of its bounding box, from 16 to 512.
        views: number of depth maps, from 8 on.

    Returns:
        Mesh in the frame of ``mesh``, float32, on the CPU. It has about ``5 resolution^2`` faces.

    Raises:
        ValueError: a batch, or a resolution or number of views out of range.
        InputError: no faces, vertices that are not finite, or no extent.
    """
    from skimage.measure import marching_cubes

    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    if not 16 <= resolution <= 512:
        raise ValueError(f"resolution: expected 16 to 512 voxels along an axis, got {resolution}")
    if views < 8:
        raise ValueError(f"views: expected at least 8, got {views}")
    verts = mesh.verts.detach().cpu().double()
    used = verts[mesh.faces.cpu().unique()]
    if len(used) == 0 or not bool(used.isfinite().all()) or float((used.amax(0) - used.amin(0)).max()) == 0:
        raise InputError("the mesh has no faces, no extent, or vertices that are not finite")
    low, high = used.amin(0), used.amax(0)
    voxel = float((high - low).max()) / resolution
    nodes = ((high - low) / voxel).ceil().long() + 2 * _MARGIN + 1
    nodes = (nodes + _BLOCK - 1) // _BLOCK * _BLOCK
    # in voxels from here on
    origin = 0.5 * (low + high) / voxel - 0.5 * (nodes - 1)
    solid = Mesh((verts / voxel - origin).float(), mesh.faces.cpu())
    grid = _distances(solid, nodes, DepthMaps(solid, views))
    corners, faces, _, _ = marching_cubes(grid.numpy(), 0.0, gradient_direction="descent")
    place = (torch.from_numpy(corners.copy()).double() + origin) * voxel
    return Mesh(place.float(), torch.from_numpy(faces.copy()).long())


class DepthMaps:
    """Depth maps of a mesh from many directions, orthographic, of pixels as large as one unit of length.

    Args:
        mesh: one mesh; its unused vertices do not count.
        views: number of directions, on a Fibonacci spiral over the sphere.
    """

    def __init__(self, mesh: Mesh, views: int) -> None:
        verts = mesh.verts.double()
        used = verts[mesh.faces.unique()]
        self._center = 0.5 * (used.amin(0) + used.amax(0))
        radius = float(torch.linalg.vector_norm(used - self._center, dim=1).max()) + 1
        self._size = math.ceil(2 * radius) + 1
        self._radius = radius
        self._rotations = _spread_rotations(views)
        self.depths = torch.stack([self._render(mesh, verts, rotation) for rotation in self._rotations])

    def count_seen(self, points: Tensor, enough: int) -> Tensor:
        """(P,) int64: number of views that see each of the points (P, 3), counted up to ``enough``."""
        seen = torch.zeros(len(points), dtype=torch.int64)
        left = torch.arange(len(points))
        for rotation, depth in zip(self._rotations, self.depths, strict=True):
            u, v, z = self._project(points[left].float(), rotation.float()).unbind(1)
            pixel = v.floor().long() * self._size + u.floor().long()
            seen[left] += z < depth.reshape(-1)[pixel.clamp(0, self._size**2 - 1)]
            left = left[seen[left] < enough]
        return seen

    def _render(self, mesh: Mesh, verts: Tensor, rotation: Tensor) -> Tensor:
        drawn = self._project(verts, rotation).float()
        return rasterize(drawn[None], mesh.faces, (self._size, self._size), barycentric=False).depth[0]

    def _project(self, points: Tensor, rotation: Tensor) -> Tensor:
        """(P, 3) pixel u, pixel v, and depth, which is positive all around the mesh."""
        turned = (points - self._center.to(points)) @ rotation.T
        middle = 0.5 * self._size
        return turned + turned.new_tensor([middle, middle, 2 * self._radius])


def _distances(mesh: Mesh, nodes: Tensor, maps: DepthMaps) -> Tensor:
    """(X, Y, Z) float32: distance to the mesh less the offset, negative inside, in voxels, at the nodes of the grid."""
    nearest = NearestPoint(mesh, spacing=1.0)
    blocks = (nodes // _BLOCK).tolist()
    index = torch.stack(torch.meshgrid(*map(torch.arange, blocks), indexing="ij"), dim=-1).reshape(-1, 3)
    middle = (_BLOCK * index + 0.5 * (_BLOCK - 1)).float()
    reach = 0.5 * (_BLOCK - 1) * math.sqrt(3) + _BAND + 1  # the nearest point found may be one spacing too far
    close = _distance(nearest, middle) < reach
    far = ~close
    value = torch.full((len(index),), _BAND)
    value[far] = _signed(value[far], middle[far], maps)
    # blocks of nodes, then nodes in order
    grid = value[:, None].repeat(1, _BLOCK**3)
    local = torch.stack(torch.meshgrid(*[torch.arange(_BLOCK)] * 3, indexing="ij"), dim=-1).reshape(-1, 3)
    points = (_BLOCK * index[close][:, None] + local).reshape(-1, 3).float()
    grid[close] = _signed(_distance(nearest, points), points, maps).clamp(-_BAND, _BAND).reshape(-1, _BLOCK**3)
    return grid.reshape(*blocks, _BLOCK, _BLOCK, _BLOCK).permute(0, 3, 1, 4, 2, 5).reshape(nodes.tolist()).contiguous()


def _signed(distance: Tensor, points: Tensor, maps: DepthMaps) -> Tensor:
    outside = maps.count_seen(points, _VIEWS_TO_AGREE) >= _VIEWS_TO_AGREE
    return torch.where(outside, distance, -distance) - _OFFSET


def _distance(nearest: NearestPoint, points: Tensor) -> Tensor:
    """(P,) distance to the surface; in parts, for memory."""
    parts = [torch.linalg.vector_norm(nearest(p, candidates=1)[0] - p, dim=1) for p in points.split(200_000)]
    return torch.cat(parts) if parts else points.new_zeros(0)


def _spread_rotations(count: int) -> Tensor:
    """(count, 3, 3) rotations whose third rows, the viewing directions, are spread evenly over the sphere."""
    number = torch.arange(count, dtype=torch.float64)
    z = 1 - (2 * number + 1) / count
    turn = number * math.pi * (3 - math.sqrt(5))
    flat = (1 - z * z).sqrt()
    forward = torch.stack([flat * turn.cos(), flat * turn.sin(), z], dim=1)
    right = torch.stack([-turn.sin(), turn.cos(), torch.zeros_like(z)], dim=1)
    return torch.stack([right, torch.linalg.cross(forward, right), forward], dim=1)
