"""Soft silhouette on CUDA."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ._batch import batch_of, bin_faces, check_batch, gather
from ._launch import address, kernels, place


def forward(
    points: Tensor, faces: Tensor, ranges: Tensor | None, height: int, width: int, sigma: float, reach: float
) -> tuple[Tensor, Tensor]:
    """As ``invgraph::soft_silhouette``."""
    check_batch(faces, ranges, points.shape[-2])
    points, batch = points.contiguous(), batch_of(points, faces, ranges)
    begin, bins = bin_faces("soft_silhouette", points, batch, math.sqrt(reach * sigma), height, width)
    alpha = points.new_empty(batch.images, height, width)
    transmittance = torch.empty_like(alpha)
    kernels().soft_silhouette_forward(
        points.dtype == torch.float64,
        place(points),
        batch.native,
        address(points),
        address(begin),
        address(bins),
        height,
        width,
        sigma,
        reach,
        address(alpha),
        address(transmittance),
    )
    return alpha, transmittance


def backward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    sigma: float,
    reach: float,
    transmittance: Tensor,
    grad_alpha: Tensor,
) -> Tensor:
    """As ``invgraph::soft_silhouette_backward``."""
    points, batch = points.contiguous(), batch_of(points, faces, ranges)
    transmittance, grad_alpha = transmittance.contiguous(), grad_alpha.contiguous()
    grad_faces = points.new_empty(batch.slots, 3, 2)
    kernels().soft_silhouette_backward(
        points.dtype == torch.float64,
        place(points),
        batch.native,
        batch.slots,
        address(points),
        *grad_alpha.shape[1:],
        sigma,
        reach,
        address(transmittance),
        address(grad_alpha),
        address(grad_faces),
    )
    return gather(grad_faces, faces, torch.empty_like(points), images=1 if ranges is not None else batch.images)
