"""Soft outline on CUDA."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._batch import (
    LIMIT,
    TILE,
    Batch,
    batch_of,
    check_batch,
    check_bounds,
    gather,
    memory_for,
    prefix_sum,
    sort_into_bins,
)
from ._launch import address, kernels, place

CELLS = 16  # a side of a tile of cells, as kCellTile in csrc/soft_outline/cells.h
NAME = "soft_outline"


def forward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    edge_faces: Tensor,
    depth: Tensor,
    scale: float,
    reach: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """As ``invgraph::soft_outline``; waits four times, for the lengths of its lists."""
    check_batch(faces, ranges, points.shape[-2])
    if len(edges) >= 2**30:
        raise ValueError(f"edges: expected fewer than 2^30, got {len(edges)}")
    check_bounds("edges", edges, 0, points.shape[-2])
    check_bounds("edge_faces", edge_faces, -1, len(faces))
    points, depth, batch = points.contiguous(), depth.contiguous(), batch_of(points, faces, ranges)
    edges, edge_faces = edges.contiguous(), edge_faces.contiguous()
    count, height, width = depth.shape
    tiles = count * -(-height // TILE) * -(-width // TILE)
    if tiles >= LIMIT:
        raise ValueError(f"{NAME}: expected fewer than 2^31 tiles of {TILE}^2 pixels, got {tiles}")
    parts, cuts = _outline(points, batch, edges, edge_faces, depth, reach)

    double, where = points.dtype == torch.float64, place(points)
    counts = points.new_empty(len(parts), dtype=torch.int32)
    arguments: tuple[Any, ...] = (
        double,
        where,
        batch.native,
        len(parts),
        address(points),
        address(edges),
        address(parts),
    )
    arguments = (*arguments, address(cuts), height, width, reach, address(counts))
    kernels().outline_tiles(*arguments, 0, 0, 0)
    pairs = f"pairs of outline part and {TILE}^2 tile"
    ends, total = prefix_sum(NAME, pairs, counts)
    with memory_for(NAME, pairs, total, points.device):
        tile, part = points.new_empty(2, total, dtype=torch.int32)
        kernels().outline_tiles(*arguments, address(ends), address(tile), address(part))
        begin, part = sort_into_bins(tile, part, tiles)

    alpha, fraction = torch.empty_like(depth), torch.empty_like(depth)
    nearest = depth.new_empty(count, 2, height, width, dtype=torch.int32)
    kernels().soft_outline_forward(
        double,
        where,
        batch.native,
        address(points),
        address(edges),
        address(parts),
        address(cuts),
        address(begin),
        address(part),
        address(depth),
        height,
        width,
        scale,
        reach,
        address(alpha),
        address(nearest),
        address(fraction),
    )
    return alpha, nearest, fraction


def _outline(
    points: Tensor, batch: Batch, edges: Tensor, edge_faces: Tensor, depth: Tensor, reach: float
) -> tuple[Tensor, Tensor]:
    """The visible outline: parts (n, 4) int32 and cuts (n, 2), as csrc/cuda/kernels.h has them."""
    double, where, native = points.dtype == torch.float64, place(points), batch.native
    count, height, width = depth.shape
    mesh = (address(points), address(edges), address(edge_faces))
    slots = len(edges) * (count if batch.ranges is None else 2)
    wanted = points.new_zeros(count * (height // CELLS + 1) * (width // CELLS + 1), dtype=torch.uint8)

    counts = points.new_empty(slots, dtype=torch.int32)
    arguments: tuple[Any, ...] = (
        double,
        where,
        native,
        slots,
        *mesh,
        len(edges),
        address(depth),
        height,
        width,
        reach,
        address(counts),
    )
    kernels().outline_candidates(*arguments, 0, 0, 0, 0)
    ends, candidate_count = prefix_sum(NAME, "parts of silhouette edges", counts)
    with memory_for(NAME, "parts of silhouette edges", candidate_count, points.device):
        candidates = points.new_empty(candidate_count, 3, dtype=torch.int32)
        candidate_cuts = points.new_empty(candidate_count, 2)
        kernels().outline_candidates(
            *arguments, address(ends), address(candidates), address(candidate_cuts), address(wanted)
        )

    counts = points.new_empty(batch.slots, dtype=torch.int32)
    arguments = (double, where, native, batch.slots, address(points), height, width, reach, address(wanted))
    kernels().outline_faces(*arguments, address(counts), 0, 0, 0)
    pairs = f"pairs of face and {CELLS}^2 tile at the outline"
    ends, total = prefix_sum(NAME, pairs, counts)
    with memory_for(NAME, pairs, total, points.device):
        tile, face = points.new_empty(2, total, dtype=torch.int32)
        kernels().outline_faces(*arguments, address(counts), address(ends), address(tile), address(face))
        begin, face = sort_into_bins(tile, face, len(wanted))

    counts = points.new_empty(candidate_count, dtype=torch.int32)
    arguments = (double, where, native, candidate_count, *mesh, height, width, address(candidates))
    arguments = (*arguments, address(candidate_cuts), address(begin), address(face), address(counts))
    kernels().outline_parts(*arguments, 0, 0, 0)
    ends, total = prefix_sum(NAME, "parts of the outline", counts)
    with memory_for(NAME, "parts of the outline", total, points.device):
        parts, cuts = points.new_empty(total, 4, dtype=torch.int32), points.new_empty(total, 2)
        kernels().outline_parts(*arguments, address(ends), address(parts), address(cuts))
    return parts, cuts


def backward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    depth: Tensor,
    scale: float,
    nearest: Tensor,
    fraction: Tensor,
    grad_alpha: Tensor,
) -> Tensor:
    """As ``invgraph::soft_outline_backward``."""
    points, depth, batch = points.contiguous(), depth.contiguous(), batch_of(points, faces, ranges)
    nearest, fraction, grad_alpha = nearest.contiguous(), fraction.contiguous(), grad_alpha.contiguous()
    ends = edges.contiguous()
    double, where, images = points.dtype == torch.float64, place(points), 1 if ranges is not None else batch.images
    # the pixels that pull on each edge, and on each face that crosses one, in the order of the picture
    units = (images * len(edges), batch.slots)
    edge, face = torch.empty_like(grad_alpha, dtype=torch.int32), torch.empty_like(grad_alpha, dtype=torch.int32)
    kernels().outline_pulled(
        where,
        batch.native,
        depth[:1].numel(),
        len(edges),
        address(nearest),
        *units,
        address(edge),
        address(face),
    )
    grad_points = torch.zeros_like(points)
    for index, unit, count, corners in ((edges, edge, units[0], 2), (faces, face, units[1], 3)):
        unit, order = torch.sort(unit.flatten(), stable=True)
        begin = torch.searchsorted(unit, torch.arange(count + 1, dtype=torch.int32, device=unit.device))
        grads = points.new_empty(count, corners, 2)
        kernels().soft_outline_backward(
            double,
            where,
            batch.native,
            count,
            corners,
            address(points),
            address(ends),
            address(depth),
            *depth.shape[1:],
            scale,
            address(nearest),
            address(fraction),
            address(grad_alpha),
            address(order),
            address(begin),
            address(grads),
        )
        grad_points += gather(grads, index, torch.zeros_like(points), images=images)
    return grad_points
