"""Antialiasing on CUDA."""

from __future__ import annotations

import torch
from torch import Tensor

from ._batch import batch_of, check_batch, check_bounds, gather
from ._launch import address, kernels, place


def forward(
    image: Tensor,
    depth: Tensor,
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    edge_faces: Tensor,
) -> tuple[Tensor, Tensor]:
    """As ``invgraph::antialias``."""
    check_batch(faces, ranges, points.shape[-2])
    if len(edges) >= 2**30:
        raise ValueError(f"edges: expected fewer than 2^30, got {len(edges)}")
    check_bounds("edges", edges, 0, points.shape[-2])
    check_bounds("edge_faces", edge_faces, -1, len(faces))
    points, batch = points.contiguous(), batch_of(points, faces, ranges)
    if len(image) != batch.images:
        raise ValueError(f"image: expected {batch.images} images, as many as the points or ranges, got {len(image)}")
    image, depth, edges, edge_faces = (t.contiguous() for t in (image, depth, edges, edge_faces))
    count, height, width, _ = image.shape
    double, where = points.dtype == torch.float64, place(points)
    crossing = image.new_full((count, 2, height, width), -1, dtype=torch.int32)
    kernels().antialias_claim(
        double,
        where,
        batch.native,
        address(points),
        address(edges),
        address(edge_faces),
        len(edges),
        height,
        width,
        address(depth),
        address(crossing),
    )
    out = torch.empty_like(image)
    kernels().antialias_blend(
        double,
        where,
        batch.native,
        address(points),
        address(edges),
        *image.shape[1:],
        address(image),
        address(crossing),
        address(out),
    )
    return out, crossing


def backward(
    image: Tensor,
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    edge_faces: Tensor,
    crossing: Tensor,
    grad_out: Tensor,
) -> tuple[Tensor, Tensor]:
    """As ``invgraph::antialias_backward``."""
    points, batch = points.contiguous(), batch_of(points, faces, ranges)
    image, grad_out, edge_faces = image.contiguous(), grad_out.contiguous(), edge_faces.contiguous()
    ends = edges.contiguous()
    grad_image = torch.empty_like(image)
    # packed: an edge may be an outline in the images of both of its faces
    copies = batch.images if ranges is None else 2
    grad_edges = points.new_empty(copies, 2 * len(edges), 2)
    double, where = points.dtype == torch.float64, place(points)
    kernels().antialias_backward_image(
        double,
        where,
        batch.native,
        address(points),
        address(ends),
        *image.shape[1:],
        address(crossing),
        address(grad_out),
        address(grad_image),
    )
    kernels().antialias_backward_edges(
        double,
        where,
        batch.native,
        address(points),
        address(ends),
        address(edge_faces),
        len(edges),
        *image.shape[1:],
        address(image),
        address(crossing),
        address(grad_out),
        address(grad_edges),
    )
    grad_points = torch.zeros_like(points)
    if ranges is None:
        gather(grad_edges, edges, grad_points, images=batch.images)
    else:
        gather(grad_edges, edges, grad_points, repeats=2)
    return grad_image, grad_points
