"""Soft colour on CUDA."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ._batch import batch_of, bin_faces, check_batch, gather
from ._launch import address, kernels, place


def forward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    colors: Tensor,
    height: int,
    width: int,
    numbers: list[float],
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """As ``invgraph::soft_color``."""
    check_batch(faces, ranges, points.shape[-2])
    points, colors, batch = points.contiguous(), colors.contiguous(), batch_of(points, faces, ranges)
    sigma, _, reach, *_ = numbers
    begin, bins = bin_faces("soft_color", points, batch, math.sqrt(reach * sigma), height, width)
    shape = (batch.images, height, width)
    outputs = (points.new_empty(*shape, colors.shape[-1]), *(points.new_empty(shape) for _ in range(4)))
    kernels().soft_color_forward(
        points.dtype == torch.float64,
        place(points),
        batch.native,
        address(points),
        address(colors),
        _images_share(colors, ranges),
        colors.shape[-1],
        address(begin),
        address(bins),
        height,
        width,
        numbers,
        *(address(tensor) for tensor in outputs),
    )
    color, background, transmittance, peak, total = outputs
    return color, background, transmittance, peak, total


def backward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    colors: Tensor,
    numbers: list[float],
    wants_colors: bool,
    outputs: list[Tensor],
    grads: list[Tensor],
) -> tuple[Tensor, Tensor]:
    """As ``invgraph::soft_color_backward``."""
    points, colors, batch = points.contiguous(), colors.contiguous(), batch_of(points, faces, ranges)
    outputs, grads = [t.contiguous() for t in outputs], [t.contiguous() for t in grads]
    share, channels = _images_share(colors, ranges), colors.shape[-1]
    terms = torch.empty((3, *outputs[1].shape), dtype=points.dtype, device=points.device)
    grad_faces = points.new_empty(batch.slots, 3, 3)
    grad_colors = points.new_empty(batch.slots, 3, channels) if wants_colors else None
    kernels().soft_color_backward(
        points.dtype == torch.float64,
        place(points),
        batch.native,
        batch.slots,
        address(points),
        address(colors),
        share,
        channels,
        *outputs[1].shape[1:],
        numbers,
        *(address(tensor) for tensor in (*outputs, *grads)),
        address(terms),
        address(grad_faces),
        address(grad_colors),
    )
    images = 1 if ranges is not None else batch.images
    grad_points = gather(grad_faces, faces, torch.empty_like(points), images=images)
    if grad_colors is None:
        return grad_points, colors.new_empty(0)
    if share:
        grad_colors = grad_colors.view(batch.images, *colors.shape).sum(0)
    return grad_points, grad_colors.view(colors.shape)


def _images_share(colors: Tensor, ranges: Tensor | None) -> bool:
    return ranges is None and colors.dim() == 3
