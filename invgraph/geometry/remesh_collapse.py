"""Remeshing, step 2: collapse short edges, in rounds of collapses that cannot disturb each other."""

from __future__ import annotations

import torch
from torch import Tensor

from .remesh_split import Surface
from .topology import Topology

_FAR = torch.iinfo(torch.int64).max
_INNER_ROUNDS = 4  # independent sets drawn from one connectivity before it is rebuilt
_MAX_ROUNDS = 60
_MIN_COSINE = 0.2  # a face may turn by less than this through a collapse
_MIN_QUALITY = 1e-2  # twice the area over the longest squared edge; below it a face counts as a sliver
_CORNER_COSINE = 0.9  # a boundary that turns by more than this has a corner there


def collapse_short_edges(surface: Surface, short: float, long: float) -> None:
    """Merge the ends of edges shorter than ``short`` targets, if no edge becomes longer than ``long`` targets.

    A collapse must satisfy the link condition (the ends share no neighbour but the vertices opposite the edge; Dey
    et al. 1999), so that the surface keeps its genus and stays manifold, and must not turn a face over. Unused
    vertices are dropped at the end.
    """
    for _ in range(_MAX_ROUNDS):
        candidates, collapsed = _collapse_round(surface, short, long)
        if collapsed == 0 or collapsed < 0.02 * candidates:
            break
    _drop_unused(surface)


def _collapse_round(surface: Surface, short: float, long: float) -> tuple[int, int]:
    """Collapse one set of edges; returns the numbers of candidates and of collapses."""
    topology = surface.topology()
    edges, count = topology.edges, topology.edge_count
    relative = surface.relative_lengths(edges)
    target, allowed = _targets(surface, topology)
    candidate = ((relative < short) & allowed).nonzero().squeeze(1)
    if len(candidate) == 0:
        return 0, 0
    ends = edges[candidate]
    opposite = topology.edge_opposite[candidate]  # -1 beside a boundary edge
    opposite = torch.where(opposite < 0, opposite.amax(1, keepdim=True), opposite)
    # shortest first, in classes: within a class at random, else chains of ever shorter edges would go one by one
    shuffled = torch.randperm(len(candidate), generator=torch.Generator().manual_seed(0)).to(edges.device)
    key = (relative[candidate] / short * 4).long() * len(candidate) + shuffled
    rank = torch.empty_like(key)
    rank[torch.argsort(key)] = torch.arange(len(key), device=key.device)

    n = len(surface.verts)
    owner = torch.full((n,), -1, dtype=torch.int64, device=edges.device)  # the accepted collapse that merges a vertex
    active = torch.arange(len(candidate), device=edges.device)
    blocked = torch.zeros(n, dtype=torch.bool, device=edges.device)  # next to an accepted collapse
    blocked_opposite = torch.zeros_like(blocked)
    for _ in range(_INNER_ROUNDS):
        if len(active) == 0:
            break
        chosen = active[_independent(rank[active], ends[active], opposite[active], edges, n)]
        good = _acceptable(surface, topology, chosen, ends[chosen], count[candidate[chosen]], target[candidate], long)
        accepted = chosen[good]
        owner[ends[accepted]] = accepted[:, None]
        blocked[ends[accepted].reshape(-1)] = True
        touched = blocked[edges].any(1) & (owner[edges] >= 0).any(1)
        blocked[edges[touched].reshape(-1)] = True
        blocked_opposite[opposite[accepted].reshape(-1)] = True
        remaining = torch.ones(len(candidate), dtype=torch.bool, device=edges.device)
        remaining[chosen] = False
        keep = remaining[active] & ~blocked[ends[active]].any(1) & ~blocked_opposite[opposite[active]].any(1)
        active = active[keep]
    accepted = torch.unique(owner[owner >= 0])
    _apply(surface, ends[accepted], target[candidate[accepted]])
    return len(candidate), len(accepted)


def _targets(surface: Surface, topology: Topology) -> tuple[Tensor, Tensor]:
    """Where each edge would collapse to, (E, 3), and whether its kind allows it, (E,) bool."""
    a, b = topology.edges.unbind(1)
    boundary = topology.boundary_verts
    pinned = surface.locked.clone()  # must stay where they are
    on_boundary = topology.edge_count == 1
    if bool(on_boundary.any()):
        pinned |= boundary if surface.keep_boundary else _corners(surface, topology)
    # an inner edge between two boundary vertices would pinch the surface; a non-manifold one is left alone
    allowed = (topology.edge_count <= 2) & ~(boundary[a] & boundary[b] & ~on_boundary)
    allowed &= ~(pinned[a] & pinned[b]) & ~surface.locked[a] & ~surface.locked[b]
    if surface.keep_boundary:
        allowed &= ~on_boundary
    opposite = topology.edge_opposite
    degree_needed = torch.where(boundary, 3, 4)
    for side in range(2):
        vertex = opposite[:, side]
        allowed &= (vertex < 0) | (topology.degrees[vertex] >= degree_needed[vertex])
    stay_a = pinned[a] | (boundary[a] & ~boundary[b])
    stay_b = pinned[b] | (boundary[b] & ~boundary[a])
    weight = torch.where(stay_a, 1.0, torch.where(stay_b, 0.0, 0.5)).to(surface.verts.dtype)[:, None]
    return weight * surface.verts[a] + (1 - weight) * surface.verts[b], allowed


def _corners(surface: Surface, topology: Topology) -> Tensor:
    """(V,) bool: boundary vertices where the boundary turns sharply or branches."""
    a, b = topology.edges[topology.edge_count == 1].unbind(1)
    along = torch.nn.functional.normalize(surface.verts[b] - surface.verts[a], dim=1)
    total = torch.zeros_like(surface.verts).index_add_(0, a, along).index_add_(0, b, -along)
    number = torch.bincount(torch.cat([a, b]), minlength=len(surface.verts))
    # unit vectors to both neighbours sum to length 2 sin(turn / 2)
    turn = 1 - 0.5 * total.square().sum(1)
    return (number > 0) & ((number != 2) | (turn < _CORNER_COSINE))


def _independent(rank: Tensor, ends: Tensor, opposite: Tensor, edges: Tensor, n: int) -> Tensor:
    """Mask of the candidates that come first among all that they could disturb.

    Two collapses are independent if no edge joins an end of one to an end of the other and no vertex is opposite
    both: then neither changes the faces, neighbours or positions on which the other's checks rely.
    """
    best = torch.full((n,), _FAR, dtype=torch.int64, device=edges.device)
    best.scatter_reduce_(0, ends.reshape(-1), rank.repeat_interleave(2), "amin")
    around = best.clone()
    a, b = edges.unbind(1)
    around.scatter_reduce_(0, a, best[b], "amin")
    around.scatter_reduce_(0, b, best[a], "amin")
    across = torch.full_like(best, _FAR)
    across.scatter_reduce_(0, opposite.reshape(-1), rank.repeat_interleave(2), "amin")
    return (around[ends] == rank[:, None]).all(1) & (across[opposite] == rank[:, None]).all(1)


def _acceptable(
    surface: Surface, topology: Topology, chosen: Tensor, ends: Tensor, count: Tensor, target: Tensor, long: float
) -> Tensor:
    """Check independent collapses: link condition, no edge too long, no face turned over. (K,) bool."""
    edges, faces, n = topology.edges, topology.faces, len(surface.verts)
    slot = torch.full((n,), -1, dtype=torch.int64, device=edges.device)  # which chosen collapse merges the vertex
    k = torch.arange(len(chosen), device=edges.device)
    slot[ends] = k[:, None]
    moved = surface.verts.clone()
    moved[ends] = target[chosen][:, None]
    good = torch.ones(len(chosen), dtype=torch.bool, device=edges.device)

    # an edge touches at most one collapse: its new length, and its other end as a neighbour of that collapse
    at = slot[edges]
    touching = (at >= 0).any(1)
    edge, at = edges[touching], at[touching]
    outer = at[:, 0] != at[:, 1]
    edge, at = edge[outer], at[outer]
    which = at.amax(1)
    size = 0.5 * (surface.size[edge[:, 0]] + surface.size[edge[:, 1]])
    length = torch.linalg.vector_norm(moved[edge[:, 0]] - moved[edge[:, 1]], dim=1)
    good[which[length > long * size]] = False
    neighbour = torch.where(at[:, 0] >= 0, edge[:, 1], edge[:, 0])
    pairs = torch.sort(which * n + neighbour).values
    twice = torch.div(pairs[1:][pairs[1:] == pairs[:-1]], n, rounding_mode="floor")
    good &= torch.bincount(twice, minlength=len(chosen)) == count

    at = slot[faces].sort(dim=1).values
    lives = (at[:, 2] >= 0) & (at[:, 1] != at[:, 2])
    face, which = faces[lives], at[lives, 2]
    good[which[~_keeps_side(surface.verts, moved, face)]] = False
    return good


def _keeps_side(verts: Tensor, moved: Tensor, faces: Tensor) -> Tensor:
    """(F,) bool: faces that neither turn over nor become slivers; what was a sliver before only needs not to be one."""
    before, _ = _normals(verts, faces)
    after, quality = _normals(moved, faces)
    _, old_quality = _normals(verts, faces)
    cosine = (before * after).sum(1)
    return ((cosine > _MIN_COSINE) | (old_quality < _MIN_QUALITY)) & (
        quality > torch.minimum(old_quality, quality.new_tensor(0.1))
    )


def _normals(verts: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Unit normals (F, 3), and twice the area over the longest squared edge (F,): 0.87 if equilateral."""
    a, b, c = (verts[faces[:, i]] for i in range(3))
    cross = torch.linalg.cross(b - a, c - a)
    double_area = torch.linalg.vector_norm(cross, dim=1)
    longest = torch.stack([(b - a).square().sum(1), (c - b).square().sum(1), (a - c).square().sum(1)]).amax(0)
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
