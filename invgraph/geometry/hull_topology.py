"""Cut the thin bridges that noise leaves in a hull, so that it has no more handles than what is thick enough to trust.

Where silhouettes almost carve, single nodes of the grid stay and join what should be apart. A bridge costs a few nodes
of volume, but its handle would stay in every mesh that is deformed from the hull.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor


def cut_bridges(values: Tensor, step: float, *, depth: float = 0.9, levels: int = 4) -> Tensor:
    """Grid values (X, Y, Z), positive inside, made negative where thin bridges add handles to the deep part.

    The part deeper than ``depth`` nodes is grown back, deepest nodes first, by nodes that do not change its topology
    (simple points: Malandain and Bertrand, Fast Characterization of 3D Simple Points, 1992; inside, neighbours share a
    face, outside a corner). Of what remains, groups that only close a loop are cut, with the shallow nodes around them,
    because marching cubes may join what touches at a corner. Groups that join separate parts, fill a hole or stand
    alone stay: a thin plate or rod is part of the object.

    Args:
        values: positive inside by about the distance to the surface; the three outermost layers negative or unused.
        step: distance between nodes.
        depth: in nodes; bridges at most twice as thick are cut.
        levels: steps in which growing goes from deep to shallow.
    """
    values = torch.nn.functional.pad(values, (2,) * 6, value=-step)
    inside = (values > 0).flatten()
    grown = (values > depth * step).flatten()
    shape = values.shape
    stride = torch.tensor([shape[1] * shape[2], shape[2], 1], device=values.device)
    shallow = (inside & ~grown).nonzero()[:, 0]
    x = torch.stack([shallow // stride[0], shallow // stride[1] % shape[1], shallow % shape[2]])
    field = ((x % 2) * torch.tensor([[4], [2], [1]], device=x.device)).sum(0)  # nodes of one parity are not neighbours
    value = values.flatten()[shallow]
    offsets = (_neighbours().to(values.device) * stride).sum(1)
    for level in range(levels - 1, -1, -1):
        above = value > depth * step * level / levels
        rest = [shallow[above & (field == parity)] for parity in range(8)]
        changed = True
        while changed:
            changed = False
            for parity in range(8):
                nodes = rest[parity]
                if not len(nodes):
                    continue
                simple = _simple(grown[nodes[:, None] + offsets])
                grown[nodes[simple]] = True
                rest[parity] = nodes[~simple]
                changed |= bool(simple.any())
    loops = _loops(inside & ~grown, grown, shape, offsets).nonzero()[:, 0]
    around = (loops[:, None] + offsets).flatten()
    flat = values.flatten()
    cut = torch.cat([loops, around[flat[around].abs() < depth * step]])
    flat[cut] = -0.5 * step
    return flat.view(shape)[2:-2, 2:-2, 2:-2]


def _simple(near: Tensor) -> Tensor:
    """(P,) bool: adding the middle of the 3x3x3 neighbourhood ``near (P, 26)`` keeps the topology."""
    corner_adjacent, face_adjacent, face, edge = _graphs(near.device)
    outside = 1 - near.to(torch.float32)
    one_outside = outside.any(1) & (_flood(outside, outside, corner_adjacent) >= outside).all(1)
    inside = (1 - outside) * edge  # face and edge neighbours
    touching = inside * face
    one_inside = touching.any(1) & (_flood(touching, inside, face_adjacent) >= touching).all(1)
    return one_inside & one_outside


def _flood(seeds: Tensor, allowed: Tensor, adjacent: Tensor) -> Tensor:
    """From the first seed of each row to all that is connected to it."""
    first = (seeds.cumsum(1) == 1) & (seeds > 0)
    reached = first.to(seeds.dtype)
    while True:
        wider = (reached @ adjacent).clamp(max=1) * allowed
        if torch.equal(wider, reached):
            return reached
        reached = wider


def _loops(rest: Tensor, grown: Tensor, shape: torch.Size, offsets: Tensor) -> Tensor:
    """The nodes of ``rest`` in groups that would close loops of ``grown``, flat bool."""
    from scipy.ndimage import label

    nodes = rest.nonzero()[:, 0]
    out = torch.zeros_like(rest)
    if not len(nodes):
        return out
    corner = np.ones((3, 3, 3))
    groups, count = label(rest.view(shape).cpu().numpy(), corner)
    parts, _ = label(grown.view(shape).cpu().numpy())
    group_of, part_of = (torch.from_numpy(a).to(rest.device).flatten().long() for a in (groups, parts))
    group = group_of[nodes]
    steps = _neighbours().to(nodes.device)
    touched = part_of[nodes[:, None] + offsets[steps.abs().sum(1) == 1]]
    base = int(part_of.max()) + 1
    pairs = torch.unique(group[:, None] * base + touched)
    parts_touched = torch.bincount(pairs[pairs % base > 0] // base, minlength=count + 1)
    loops = -_euler_change(nodes, group, count, grown, rest, shape) - (parts_touched - 1)
    out[nodes] = ((loops > 0) & (parts_touched > 0))[group]
    return out


def _euler_change(nodes: Tensor, group: Tensor, count: int, grown: Tensor, rest: Tensor, shape: torch.Size) -> Tensor:
    """(count + 1,) change of the Euler characteristic, nodes - edges + faces - cells, if a group were added.

    An edge, face or cell of the grid counts if all its nodes are inside. Groups do not touch, not even at corners.
    """
    stride = torch.tensor([shape[1] * shape[2], shape[2], 1], device=nodes.device)
    change = torch.bincount(group, minlength=count + 1)
    total = len(grown)
    inside = grown | rest
    for kind in range(1, 8):  # bit k: it extends along axis k
        axes = [k for k in range(3) if kind >> k & 1]
        shifts = torch.tensor(
            [sum(int(stride[k]) for j, k in enumerate(axes) if i >> j & 1) for i in range(2 ** len(axes))]
        )
        shifts = shifts.to(nodes.device)
        cell = nodes[:, None] - shifts  # those of this kind that have the node, named by their lowest node
        full = inside[cell[:, :, None] + shifts].all(2)
        keys = torch.unique((group[:, None] * total + cell)[full])
        sign = -1 if len(axes) % 2 else 1
        change = change + sign * torch.bincount(keys // total, minlength=count + 1)
    return change


@lru_cache(1)
def _neighbours() -> Tensor:
    """(26, 3) steps to the neighbours of a node."""
    axis = torch.arange(-1, 2)
    steps = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).view(-1, 3)
    return steps[(steps != 0).any(1)]


@lru_cache(4)
def _graphs(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Adjacency (26, 26) by corners and by faces, each node to itself too; which are at a face, or at an edge too."""
    steps = _neighbours()
    apart = (steps[:, None] - steps).abs()
    corner, face = apart.amax(2) <= 1, apart.sum(2) <= 1
    size = steps.abs().sum(1)
    return tuple(a.float().to(device) for a in (corner, face, size == 1, size <= 2))  # type: ignore[return-value]
