"""Remeshing, step 2: collapse short edges, in rounds of collapses that cannot disturb each other."""

from __future__ import annotations

import torch
from torch import Tensor

from .remesh_split import Surface, dot
from .topology import Topology

_FAR = torch.iinfo(torch.int64).max
_INNER_ROUNDS = 4  # independent sets drawn from one connectivity before it is rebuilt
_MAX_ROUNDS = 100
_FEW = 2e-3  # fewer collapses than this share of the faces end the step; what remains waits for the next iteration
_MIN_COSINE = 0.2  # a face may turn by less than this through a collapse
_SLIVER = 1e-2  # twice the area over the longest squared edge, of a face whose normal means little
_CORNER_COSINE = 0.9  # a boundary that turns by more than this has a corner there


def collapse_short_edges(surface: Surface, short: float, long: float) -> None:
    """Merge the ends of edges shorter than ``short`` targets, if no edge becomes longer than ``long`` targets.

    A collapse must satisfy the link condition (the ends share no neighbour but the vertices opposite the edge; Dey
    et al. 1999), so that the surface keeps its genus and stays manifold, and must not turn a face over. Unused
    vertices are dropped at the end.
    """
    for _ in range(_MAX_ROUNDS):
        if _collapse_round(surface, short, long) <= _FEW * len(surface.faces):
            break
    _drop_unused(surface)


def _collapse_round(surface: Surface, short: float, long: float) -> int:
    """Collapse independent edges of one connectivity; returns how many."""
    topology = surface.topology()
    edges = topology.edges
    relative = surface.relative_lengths(edges)
    candidate, target = _candidates(surface, topology, (relative < short).nonzero().squeeze(1))
    if len(candidate) == 0:
        return 0
    ends, count = edges[candidate], topology.edge_count[candidate]
    # shortest first, in classes: within a class at random, else chains of ever shorter edges would go one by one
    shuffled = torch.randperm(len(candidate), generator=torch.Generator().manual_seed(0)).to(edges.device)
    key = (relative[candidate] / short * 4).long() * len(candidate) + shuffled
    rank = torch.empty_like(key)
    rank[torch.argsort(key)] = torch.arange(len(key), device=key.device)

    n = len(surface.verts)
    merged = torch.zeros(n, dtype=torch.bool, device=edges.device)  # an end of an accepted collapse
    done = torch.zeros(len(candidate), dtype=torch.bool, device=edges.device)
    accepted = []
    active = torch.arange(len(candidate), device=edges.device)
    for _ in range(_INNER_ROUNDS):
        chosen = active[_independent(rank[active], ends[active], edges, n)]
        good = chosen[_acceptable(surface, topology, ends[chosen], count[chosen], target[chosen], long)]
        accepted.append(good)
        done[chosen] = True
        merged[ends[good]] = True
        near = merged.clone()
        near[edges[merged[edges[:, 0]], 1]] = True
        near[edges[merged[edges[:, 1]], 0]] = True
        a, b = ends[active].unbind(1)
        active = active[~(done[active] | near[a] | near[b])]
        if len(active) < 0.05 * len(candidate):
            break
    chosen = torch.cat(accepted)
    _apply(surface, ends[chosen], target[chosen])
    return len(chosen)


def _candidates(surface: Surface, topology: Topology, index: Tensor) -> tuple[Tensor, Tensor]:
    """Of the edges ``index``, those whose kind allows a collapse, and where to: (K,), (K, 3)."""
    a, b = topology.edges[index].unbind(1)
    boundary = topology.boundary_verts
    on_boundary = topology.edge_count[index] == 1
    pinned = surface.locked  # must stay where they are
    if bool(on_boundary.any()):
        pinned = pinned | (boundary if surface.keep_boundary else _corners(surface, topology))
    # an inner edge between two boundary vertices would pinch the surface; a non-manifold one is left alone
    allowed = (topology.edge_count[index] <= 2) & ~(boundary[a] & boundary[b] & ~on_boundary)
    allowed &= ~(pinned[a] & pinned[b]) & ~surface.locked[a] & ~surface.locked[b]
    if surface.keep_boundary:
        allowed &= ~on_boundary
    enough = (topology.degrees >= torch.where(boundary, 3, 4)) & ~surface.locked  # can lose an edge
    for vertex in topology.edge_opposite[index].unbind(1):
        allowed &= (vertex < 0) | enough[vertex]
    index, a, b = index[allowed], a[allowed], b[allowed]
    stay_a = pinned[a] | (boundary[a] & ~boundary[b])
    stay_b = pinned[b] | (boundary[b] & ~boundary[a])
    weight = torch.where(stay_a, 1.0, torch.where(stay_b, 0.0, 0.5)).to(surface.verts.dtype)[:, None]
    return index, weight * surface.verts[a] + (1 - weight) * surface.verts[b]


def _corners(surface: Surface, topology: Topology) -> Tensor:
    """(V,) bool: boundary vertices where the boundary turns sharply or branches."""
    a, b = topology.edges[topology.edge_count == 1].unbind(1)
    along = torch.nn.functional.normalize(surface.verts[b] - surface.verts[a], dim=1)
    total = torch.zeros_like(surface.verts).index_add_(0, a, along).index_add_(0, b, -along)
    number = torch.bincount(torch.cat([a, b]), minlength=len(surface.verts))
    # unit vectors to both neighbours sum to length 2 sin(turn / 2)
    turn = 1 - 0.5 * dot(total, total)
    return (number > 0) & ((number != 2) | (turn < _CORNER_COSINE))


def _independent(rank: Tensor, ends: Tensor, edges: Tensor, n: int) -> Tensor:
    """Mask of the candidates that come first among all that they could disturb.

    Two collapses are independent if no edge joins an end of one to an end of the other: then neither changes the
    neighbours or moves the faces on which the other's checks rely. (Of the neighbours of a vertex opposite both there
    are six or more, as its ring holds the four ends and one between each two: it can lose two edges.)
    """
    best = torch.full((n,), _FAR, dtype=torch.int64, device=edges.device)
    best.scatter_reduce_(0, ends.reshape(-1), rank.repeat_interleave(2), "amin")
    around = best.clone()
    a, b = edges.unbind(1)
    around.scatter_reduce_(0, a, best[b], "amin")
    around.scatter_reduce_(0, b, best[a], "amin")
    return (around[ends] == rank[:, None]).all(1)


def _acceptable(
    surface: Surface, topology: Topology, ends: Tensor, count: Tensor, target: Tensor, long: float
) -> Tensor:
    """Check K independent collapses: link condition, no edge too long, no face turned over. (K,) bool."""
    edges, faces, n = topology.edges, topology.faces, len(surface.verts)
    slot = torch.full((n,), -1, dtype=torch.int64, device=edges.device)  # which collapse merges the vertex
    slot[ends] = torch.arange(len(ends), device=edges.device)[:, None]
    moved = surface.verts.clone()
    moved[ends] = target[:, None]
    good = torch.ones(len(ends), dtype=torch.bool, device=edges.device)

    # an edge touches at most one collapse: its new length, and its other end as a neighbour of that collapse
    (u, v), (at_u, at_v) = edges.unbind(1), slot[edges].unbind(1)
    touching = (at_u != at_v).nonzero().squeeze(1)
    u, v, at_u, at_v = u[touching], v[touching], at_u[touching], at_v[touching]
    which = torch.maximum(at_u, at_v)
    length = torch.linalg.vector_norm(moved[u] - moved[v], dim=1)
    good[which[length > long * 0.5 * (surface.size[u] + surface.size[v])]] = False
    pairs = torch.sort(which * n + torch.where(at_u >= 0, v, u)).values
    twice = torch.div(pairs[1:][pairs[1:] == pairs[:-1]], n, rounding_mode="floor")
    good &= torch.bincount(twice, minlength=len(ends)) == count

    p, q, r = slot[faces].unbind(1)
    which = torch.maximum(torch.maximum(p, q), r)
    ends_in_face = (p >= 0).int() + (q >= 0).int() + (r >= 0).int()
    lives = (ends_in_face == 1).nonzero().squeeze(1)
    good[which[lives][~_keeps_side(surface.verts, moved, faces[lives])]] = False
    return good


def _keeps_side(verts: Tensor, moved: Tensor, faces: Tensor) -> Tensor:
    """(F,) bool: faces that do not turn over (slivers, whose normals mean nothing, may) and become no worse slivers."""
    before, old_quality = _normals(verts, faces)
    after, quality = _normals(moved, faces)
    same_side = (dot(before, after) > _MIN_COSINE) | (old_quality < _SLIVER)
    return same_side & (quality >= torch.clamp(0.25 * old_quality, max=0.05))


def _normals(verts: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Unit normals (F, 3), and twice the area over the longest squared edge (F,): 0.87 if equilateral."""
    a, b, c = (verts[faces[:, i]] for i in range(3))
    cross = torch.linalg.cross(b - a, c - a)
    double_area = torch.linalg.vector_norm(cross, dim=1)
    longest = torch.maximum(torch.maximum(dot(b - a, b - a), dot(c - b, c - b)), dot(a - c, a - c))
    tiny = torch.finfo(verts.dtype).tiny
    return cross / double_area.clamp(min=tiny)[:, None], double_area / longest.clamp(min=tiny)


def _apply(surface: Surface, ends: Tensor, target: Tensor) -> None:
    kept, gone = ends.unbind(1)
    surface.verts = surface.verts.index_copy(0, kept, target)
    surface.size = surface.size.index_copy(0, kept, surface.size[ends].mean(1))
    index = torch.arange(len(surface.verts), device=ends.device)
    index[gone] = kept
    faces = index[surface.faces]
    a, b, c = faces.unbind(1)
    surface.faces = faces[(a != b) & (b != c) & (c != a)]


def _drop_unused(surface: Surface) -> None:
    used = torch.zeros(len(surface.verts), dtype=torch.bool, device=surface.faces.device)
    used[surface.faces.reshape(-1)] = True
    surface.faces = (torch.cumsum(used, 0) - 1)[surface.faces]
    surface.verts, surface.size, surface.locked = surface.verts[used], surface.size[used], surface.locked[used]
