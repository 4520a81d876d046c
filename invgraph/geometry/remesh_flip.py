"""Remeshing, step 3: flip edges, in rounds of flips that share no vertex."""

from __future__ import annotations

import torch
from torch import Tensor

from .remesh_collapse import _FAR, _normals
from .remesh_split import Surface, dot
from .topology import Topology

_INNER_ROUNDS = 3
_MIN_COSINE = 0.8  # between the faces of an edge that may flip: a sharper edge is a feature of the shape
_MIN_QUALITY = 0.1


def flip_edges(surface: Surface, *, delaunay: bool, rounds: int) -> None:
    """Flip edges towards valence six (four on a boundary), or until each is locally Delaunay.

    A flip needs two faces that are nearly in a plane, must not make an edge that exists (which also leaves each
    vertex three edges), and must not turn a face over. The first criterion lowers the sum of squared valence errors
    (Botsch and Kobbelt 2004), the second the sum of the cotangents opposite the edge.
    """
    for _ in range(rounds):
        if _flip_round(surface, delaunay) == 0:
            return


def _flip_round(surface: Surface, delaunay: bool) -> int:
    topology = surface.topology()
    half = topology._edge_halfedges
    inner = (topology.edge_count == 2).nonzero().squeeze(1)
    faces = surface.faces
    corner = faces.reshape(-1)
    one = half[inner, 0]
    # faces (a, b, c) and (b, a, d) over the edge a b become (a, d, c) and (d, b, c)
    a, b = corner[one], corner[one - one % 3 + (one + 1) % 3]
    c, d = topology.edge_opposite[inner].unbind(1)
    consistent = corner[half[inner, 1]] == b
    gain = _delaunay_gain(surface.verts, a, b, c, d) if delaunay else _valence_gain(topology, a, b, c, d)
    wanted = consistent & (gain > 0) & (c != d) & ~surface.locked[a] & ~surface.locked[b]
    index = wanted.nonzero().squeeze(1)
    if len(index) == 0:
        return 0
    quad = torch.stack([a, b, c, d], dim=1)[index]
    gain = gain[index]
    good = _may_flip(surface, topology, quad)
    quad, gain, inner_edge = quad[good], gain[good], inner[index[good]]
    if len(quad) == 0:
        return 0
    # best gain first; ties at random, so that long rows of equal gains do not go one by one
    shuffled = torch.randperm(len(quad), generator=torch.Generator().manual_seed(0)).to(quad.device)
    order = shuffled[torch.argsort(gain[shuffled], descending=True, stable=True)]
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(quad), device=quad.device)
    taken = torch.zeros(len(surface.verts), dtype=torch.bool, device=quad.device)
    flipped = torch.zeros(len(quad), dtype=torch.bool, device=quad.device)
    active = torch.arange(len(quad), device=quad.device)
    for _ in range(_INNER_ROUNDS):
        best = torch.full((len(surface.verts),), _FAR, dtype=torch.int64, device=quad.device)
        best.scatter_reduce_(0, quad[active].reshape(-1), rank[active].repeat_interleave(4), "amin")
        won = active[(best[quad[active]] == rank[active, None]).all(1)]
        flipped[won] = True
        taken[quad[won].reshape(-1)] = True
        active = active[~taken[quad[active]].any(1)]
        if len(active) == 0:
            break
    a, b, c, d = quad[flipped].unbind(1)
    first, second = topology.edge_faces[inner_edge[flipped]].unbind(1)
    faces = faces.clone()
    faces[first] = torch.stack([a, d, c], dim=1)
    faces[second] = torch.stack([d, b, c], dim=1)
    surface.faces = faces
    return int(flipped.sum())


def _valence_gain(topology: Topology, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Decrease of the sum of squared valence errors through the flip."""
    excess = topology.degrees - torch.where(topology.boundary_verts, 4, 6)
    # (x - 1)^2 - x^2 = 1 - 2x at the ends of the old edge, (x + 1)^2 - x^2 = 1 + 2x at those of the new
    return (2 * (excess[a] + excess[b] - excess[c] - excess[d]) - 4).double()


def _delaunay_gain(verts: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Minus the sum of the cotangents opposite the edge, less a margin: positive where the angles exceed pi."""
    pa, pb, pc, pd = verts[a], verts[b], verts[c], verts[d]
    return -_cotangent(pa - pc, pb - pc) - _cotangent(pa - pd, pb - pd) - 1e-3


def _cotangent(u: Tensor, v: Tensor) -> Tensor:
    sine = torch.linalg.vector_norm(torch.linalg.cross(u, v), dim=1)
    return dot(u, v) / sine.clamp(min=torch.finfo(u.dtype).tiny)


def _may_flip(surface: Surface, topology: Topology, quad: Tensor) -> Tensor:
    """(K,) bool: the new edge does not exist, and both new faces lie on the old ones' side and are no slivers."""
    a, b, c, d = quad.unbind(1)
    n = len(surface.verts)
    key = torch.minimum(c, d) * n + torch.maximum(c, d)
    keys = topology.edge_keys
    at = torch.searchsorted(keys, key).clamp(max=len(keys) - 1)
    good = keys[at] != key
    old_one, q1 = _normals(surface.verts, torch.stack([a, b, c], dim=1))
    old_two, q2 = _normals(surface.verts, torch.stack([b, a, d], dim=1))
    new_one, q3 = _normals(surface.verts, torch.stack([a, d, c], dim=1))
    new_two, q4 = _normals(surface.verts, torch.stack([d, b, c], dim=1))
    sliver = torch.minimum(q1, q2) < 0.05  # its normal says little about the surface
    flat = dot(old_one, old_two) > _MIN_COSINE
    side = old_one + old_two
    stays = dot(new_one, side) > 0
    stays &= dot(new_two, side) > 0
    stays &= dot(new_one, new_two) > torch.where(sliver, 0.0, 0.5)
    better = torch.minimum(q3, q4) > torch.minimum(torch.minimum(q1, q2), q1.new_tensor(_MIN_QUALITY))
    return good & (flat | sliver) & stays & better
