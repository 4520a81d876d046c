"""Antialiasing on CUDA."""

from __future__ import annotations

import torch
from torch import Tensor

from ._batch import batch_of, check_batch, check_bounds, gather
from ._launch import address, kernels, place


def forward(
    image: Tensor | None,
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
    if len(depth) != batch.images:
        name = "depth" if image is None else "image"
        raise ValueError(f"{name}: expected {batch.images} images, as many as the points or ranges, got {len(depth)}")
    image = None if image is None else image.contiguous()
    depth, edges, edge_faces = depth.contiguous(), edges.contiguous(), edge_faces.contiguous()
    count, height, width = depth.shape
    double, where = points.dtype == torch.float64, place(points)
    crossing = depth.new_full((count, 2, height, width), -1, dtype=torch.int32)
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
    out = depth.new_empty(count, height, width, 1 if image is None else image.shape[-1])
    kernels().antialias_blend(
        double,
        where,
        batch.native,
        address(points),
        address(edges),
        *out.shape[1:],
        address(depth),
        0 if image is None else address(image),
        address(crossing),
        address(out),
    )
    return out, crossing


def backward(
    image: Tensor | None,
    depth: Tensor,
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    edge_faces: Tensor,
    crossing: Tensor,
    grad_out: Tensor,
    image_gradient: bool,
) -> tuple[Tensor, Tensor]:
    """As ``invgraph::antialias_backward``."""
    points, batch = points.contiguous(), batch_of(points, faces, ranges)
    image = None if image is None else image.contiguous()
    depth, grad_out, edge_faces = depth.contiguous(), grad_out.contiguous(), edge_faces.contiguous()
    ends = edges.contiguous()
    grad_image = grad_out.new_empty(grad_out.shape if image_gradient else 0)
    # packed: an edge may be an outline in the images of both of its faces
    copies = batch.images if ranges is None else 2
    grad_edges = points.new_empty(copies, 2 * len(edges), 2)
    double, where = points.dtype == torch.float64, place(points)
    if image_gradient:
        kernels().antialias_backward_image(
            double,
            where,
            batch.native,
            address(points),
            address(ends),
            *grad_out.shape[1:],
            address(depth),
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
        *grad_out.shape[1:],
        address(depth),
        0 if image is None else address(image),
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
