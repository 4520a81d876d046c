"""Rasterization on CUDA."""

from __future__ import annotations

import torch
from torch import Tensor

from ._batch import batch_of, bin_faces, check_batch, gather
from ._launch import address, kernels, place


def forward(
    points: Tensor, faces: Tensor, ranges: Tensor | None, height: int, width: int, barycentric: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """As ``invgraph::rasterize``."""
    check_batch(faces, ranges, points.shape[-2])
    points, batch = points.contiguous(), batch_of(points, faces, ranges)
    begin, bins = bin_faces("rasterize", points, batch, 0.0, height, width)
    shape = (batch.images, height, width)
    weights = points.new_empty(*shape, 3 if barycentric else 0)
    depth, face_id = points.new_empty(shape), points.new_empty(shape, dtype=torch.int32)
    kernels().rasterize_forward(
        points.dtype == torch.float64,
        place(points),
        batch.native,
        address(points),
        address(begin),
        address(bins),
        height,
        width,
        address(face_id),
        address(weights) if barycentric else 0,
        address(depth),
    )
    return weights, depth, face_id


def backward(
    points: Tensor, faces: Tensor, ranges: Tensor | None, face_id: Tensor, grad_barycentric: Tensor, grad_depth: Tensor
) -> Tensor:
    """As ``invgraph::rasterize_backward``."""
    points, batch = points.contiguous(), batch_of(points, faces, ranges)
    face_id, grad_barycentric, grad_depth = face_id.contiguous(), grad_barycentric.contiguous(), grad_depth.contiguous()
    grad_faces = points.new_empty(batch.slots, 3, 3)
    kernels().rasterize_backward(
        points.dtype == torch.float64,
        place(points),
        batch.native,
        batch.slots,
        address(points),
        *face_id.shape[1:],
        address(face_id),
        address(grad_barycentric),
        address(grad_depth),
        address(grad_faces),
    )
    return gather(grad_faces, faces, torch.empty_like(points), images=1 if ranges is not None else batch.images)
