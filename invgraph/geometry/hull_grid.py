"""Coarse-to-fine sampling of a field and extraction of its zero surface, closed whatever the field does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .hull_field import HullField
from .marching_cubes import march_cells, mixed_cells
from .mesh import Mesh

_COARSEST = 16  # cells along the longest side of the first grid, at least


def classify_cells(field: HullField, origin: Tensor, shape: Sequence[int], edge: float, halvings: int) -> Tensor:
    """State int8 of cubic cells: 1 inside, -1 outside, 0 not sure, looking only into cells that are not sure.

    Args:
        origin: (3,) lowest corner of the grid.
        shape: coarse cells along each axis, of length ``edge``.
        halvings: the result has ``2**halvings`` times as many along each axis.
    """
    state = torch.zeros(tuple(shape), dtype=torch.int8, device=origin.device)
    for level in range(halvings + 1):
        if level:
            for axis in range(3):
                state = state.repeat_interleave(2, dim=axis)
        size = edge / 2**level
        unsure = (state == 0).nonzero()
        state[tuple(unsure.T)] = field.classify(origin + (unsure + 0.5) * size, 0.5 * 3**0.5 * size)
    return state


def sample_near_zero(field: HullField, low: Tensor, high: Tensor, resolution: int) -> tuple[Tensor, Tensor, float]:
    """Values of ``field`` on the nodes of a grid over a box, exact at all corners of cells that the zero surface meets.

    Cells are cubes. A cell where the field is known to have one sign is not looked into: its nodes get plus or minus
    twice the cells' size. The grid is at least a cell larger than the box on each side.

    Args:
        field: its ``classify(points, radius)`` decides which cells are subdivided.
        low, high: (3,) corners of the box.
        resolution: cells along the longest side, at least 8.

    Returns:
        values (X, Y, Z), the position (3,) of node (0, 0, 0), and the edge length of a cell.
    """
    step = float((high - low).max()) / resolution
    levels = max(0, (resolution // _COARSEST).bit_length() - 1)
    block = 2**levels
    shape = [-(-int(n) // block) for n in (torch.ceil((high - low) / step - 1e-4).long() + 2).tolist()]
    origin = 0.5 * (low + high) - 0.5 * step * block * torch.tensor(shape).to(low)
    state = classify_cells(field, origin, shape, step * block, levels)

    nodes = [n + 1 for n in state.shape]
    inside, near = (torch.zeros(nodes, dtype=torch.bool, device=low.device) for _ in range(2))
    for i in range(8):
        corner = tuple(slice(i >> k & 1, (i >> k & 1) + state.shape[k]) for k in range(3))
        inside[corner] |= state == 1
        near[corner] |= state == 0
    values = torch.where(inside, 2 * step, -2 * step).to(low.dtype)
    index = near.nonzero()
    values[tuple(index.T)] = field(origin + index.to(low) * step)
    return values, origin, step


def smooth(values: Tensor, sigma: float) -> Tensor:
    """Gaussian average of grid values (X, Y, Z), ``sigma`` in nodes; border values repeat outward."""
    if sigma == 0:
        return values
    reach = math.ceil(3 * sigma)
    weights = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(reach + 1)]
    total = weights[0] + 2 * sum(weights[1:])
    for axis in range(3):
        n = values.shape[axis]
        padding = [0] * 6
        padding[2 * (2 - axis)] = padding[2 * (2 - axis) + 1] = reach
        wide = torch.nn.functional.pad(values[None, None], padding, mode="replicate")[0, 0]
        values = wide.narrow(axis, reach, n) * (weights[0] / total)
        for i in range(1, reach + 1):
            pair = wide.narrow(axis, reach - i, n) + wide.narrow(axis, reach + i, n)
            values.add_(pair, alpha=weights[i] / total)
    return values


def close_in_box(values: Tensor, origin: Tensor, step: float, low: Tensor, high: Tensor) -> Tensor:
    """Grid values cut at the faces of a box that lies inside the grid."""
    for axis in range(3):
        x = origin[axis] + step * torch.arange(values.shape[axis]).to(low)
        inward = torch.minimum(x - low[axis], high[axis] - x)
        values = torch.minimum(values, inward.view([-1 if k == axis else 1 for k in range(3)]))
    return values


def extract(values: Tensor, origin: Tensor, step: float) -> Mesh | None:
    """Zero surface of grid values, positive inside and not on the outermost nodes; None if there is none."""
    verts, faces = march_cells(*mixed_cells(values.cpu().numpy()))
    if not len(faces):
        return None
    return Mesh(origin + torch.from_numpy(verts).to(origin) * step, torch.from_numpy(faces).to(origin.device))


def keep_large(mesh: Mesh, fraction: float) -> Mesh:
    """The connected components whose volume is at least ``fraction`` of the largest's; cavities are filled."""
    label = mesh.topology.components()[mesh.faces[:, 0]]
    a, b, c = (mesh.triangles() - mesh.verts.mean(0)).double().unbind(1)
    count = int(label.max()) + 1
    volume = a.new_zeros(count).index_add_(0, label, (a * torch.linalg.cross(b, c)).sum(1) / 6)
    keep = (volume >= fraction * volume.max()) & (volume > 0)
    if bool(keep.all()):
        return mesh
    faces = mesh.faces[keep[label]]
    used = torch.zeros(mesh.num_verts, dtype=torch.bool, device=faces.device)
    used[faces.reshape(-1)] = True
    return Mesh(mesh.verts[used], (used.cumsum(0) - 1)[faces])
