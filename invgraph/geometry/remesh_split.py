"""Remeshing, step 1: split every edge that is too long, all at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .topology import Topology


def dot(u: Tensor, v: Tensor) -> Tensor:
    """Inner products over the last dimension (several times faster than ``(u * v).sum(-1)`` for three columns)."""
    return torch.einsum("...i,...i->...", u, v)


@dataclass
class Surface:
    """What the remeshing steps hand on: float64 positions, faces, and what each vertex carries.

    Attributes:
        verts: (V, 3) float64.
        faces: (F, 3) int64.
        size: (V,) float64 target edge length.
        locked: (V,) bool, where the surface is not manifold: never moved, merged or flipped away.
        keep_boundary: leave boundary edges as they are.
    """

    verts: Tensor
    faces: Tensor
    size: Tensor
    locked: Tensor
    keep_boundary: bool

    def topology(self) -> Topology:
        """Connectivity of the present faces."""
        return Topology(self.faces, len(self.verts))

    def relative_lengths(self, edges: Tensor) -> Tensor:
        """(E,) length of each edge in units of the target there, the mean of its ends'."""
        a, b = edges.unbind(1)
        length = torch.linalg.vector_norm(self.verts[a] - self.verts[b], dim=1)
        return length / (0.5 * (self.size[a] + self.size[b]))


def split_long_edges(surface: Surface, threshold: float) -> None:
    """Split edges longer than ``threshold`` targets at their midpoints, again and again.

    All long edges split at once: a face with one, two or three of them becomes two, three or four, which leaves no
    hanging vertex whatever the neighbours do and keeps every edge's faces and orientation. The number of passes is
    what it takes to halve the longest edge down to the threshold: beside a long border that must stay whole, ever
    shorter edges would be cut without end.
    """
    topology, long, ratio = _long_edges(surface, threshold)
    for _ in range(math.ceil(math.log2(ratio))):
        _split(surface, topology, long)
        topology, long, ratio = _long_edges(surface, threshold)
        if ratio <= 1:
            break


def _long_edges(surface: Surface, threshold: float) -> tuple[Topology, Tensor, float]:
    """The connectivity, the edges to split, and the longest of them in units of the threshold (1 if there is none)."""
    topology = surface.topology()
    ratio = surface.relative_lengths(topology.edges) / threshold
    long = ratio > 1
    if surface.keep_boundary:
        long &= topology.edge_count != 1
    return topology, long, float(torch.where(long, ratio, 1.0).amax())


def _split(surface: Surface, topology: Topology, long: Tensor) -> None:
    first_new = len(surface.verts)
    ends = topology.edges[long]
    surface.verts = torch.cat([surface.verts, surface.verts[ends].mean(1)])
    surface.size = torch.cat([surface.size, surface.size[ends].mean(1)])
    surface.locked = torch.cat([surface.locked, topology.edge_count[long] > 2])

    middle = torch.where(long, torch.cumsum(long, 0) - 1 + first_new, -1)[topology.face_edges]  # (F, 3), -1: not split
    split = middle >= 0
    count = split.sum(1)
    parts = [surface.faces[count == 0]]

    # one: turn each face so that its split edge is v0 v1
    (v0, v1, v2), (m, _, _) = _turned(surface.faces, middle, (count == 1), split.int().argmax(1))
    parts += [_faces(v0, m, v2), _faces(m, v1, v2)]
    # two: turn so that the whole edge is v0 v1; cut the quad v0 v1 x y along its shorter diagonal
    (v0, v1, v2), (_, x, y) = _turned(surface.faces, middle, (count == 2), split.int().argmin(1))
    p = surface.verts
    shorter = dot(p[v0] - p[x], p[v0] - p[x]) < dot(p[v1] - p[y], p[v1] - p[y])
    parts += [_faces(x, v2, y), _faces(v0, v1, torch.where(shorter, x, y))]
    parts += [torch.where(shorter[:, None], _faces(v0, x, y), _faces(y, v1, x))]
    # three: a face at each corner and one between
    (v0, v1, v2), (x, y, z) = _turned(surface.faces, middle, (count == 3), torch.zeros_like(count))
    parts += [_faces(v0, x, z), _faces(v1, y, x), _faces(v2, z, y), _faces(x, y, z)]
    surface.faces = torch.cat(parts)


def _faces(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return torch.stack([a, b, c], dim=1)


def _turned(faces: Tensor, middle: Tensor, chosen: Tensor, start: Tensor) -> tuple[tuple[Tensor, ...], ...]:
    """Corners and edge midpoints of the chosen faces, cyclically shifted so that edge ``start`` comes first."""
    order = (start[chosen, None] + torch.arange(3, device=faces.device)) % 3
    return faces[chosen].gather(1, order).unbind(1), middle[chosen].gather(1, order).unbind(1)
