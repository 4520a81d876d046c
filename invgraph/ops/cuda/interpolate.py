"""Interpolation on CUDA."""

from __future__ import annotations

import torch
from torch import Tensor

from ._batch import Batch, check_batch, gather
from ._launch import address, kernels, place


def forward(attributes: Tensor, faces: Tensor, ranges: Tensor | None, face_id: Tensor, barycentric: Tensor) -> Tensor:
    """As ``invgraph::interpolate``; but a ``face_id`` that is out of range is background: asking would be a wait."""
    check_batch(faces, ranges, attributes.shape[-2])
    attributes, batch = attributes.contiguous(), _batch(attributes, faces, ranges, face_id)
    face_id, barycentric = face_id.contiguous(), barycentric.contiguous()
    out = attributes.new_empty(*face_id.shape, attributes.shape[-1])
    kernels().interpolate_forward(
        attributes.dtype == torch.float64,
        place(attributes),
        batch.native,
        batch.rows,
        address(attributes),
        attributes.shape[-1],
        face_id[:1].numel(),
        address(face_id),
        address(barycentric),
        address(out),
    )
    return out


def backward(
    attributes: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    face_id: Tensor,
    barycentric: Tensor,
    grad_out: Tensor,
    to_attributes: bool,
    to_barycentric: bool,
) -> tuple[Tensor, Tensor]:
    """As ``invgraph::interpolate_backward``."""
    attributes, batch = attributes.contiguous(), _batch(attributes, faces, ranges, face_id)
    face_id, barycentric, grad_out = face_id.contiguous(), barycentric.contiguous(), grad_out.contiguous()
    double, where = attributes.dtype == torch.float64, place(attributes)
    channels, pixels = attributes.shape[-1], face_id[:1].numel()
    grad_attributes, grad_barycentric = attributes.new_empty(0), barycentric.new_empty(0)
    if to_barycentric:
        grad_barycentric = torch.empty_like(barycentric)
        kernels().interpolate_backward_barycentric(
            double,
            where,
            batch.native,
            batch.rows,
            address(attributes),
            channels,
            pixels,
            address(face_id),
            address(grad_out),
            address(grad_barycentric),
        )
    if to_attributes:
        # the pixels in the order of the faces that they see, each face's in the order of the picture
        slot = torch.empty_like(face_id)
        kernels().visible_slots(where, batch.native, batch.slots, pixels, address(face_id), address(slot))
        slot, order = torch.sort(slot.flatten(), stable=True)
        begin = torch.searchsorted(slot, torch.arange(batch.slots + 1, dtype=torch.int32, device=slot.device))
        grad_faces = attributes.new_empty(batch.slots, 3, channels)
        kernels().interpolate_backward_faces(
            double,
            where,
            batch.slots,
            channels,
            address(order),
            address(begin),
            address(barycentric),
            address(grad_out),
            address(grad_faces),
        )
        apart = batch.images if ranges is None and not batch.shared_rows else 1
        repeats = batch.images if batch.shared_rows else 1
        grad_attributes = gather(grad_faces, faces, torch.empty_like(attributes), images=apart, repeats=repeats)
    return grad_attributes, grad_barycentric


def _batch(attributes: Tensor, faces: Tensor, ranges: Tensor | None, face_id: Tensor) -> Batch:
    packed = ranges is not None
    return Batch(
        faces.contiguous(),
        ranges.contiguous() if ranges is not None else None,
        len(face_id),
        attributes.shape[-2],
        shared_rows=not packed and attributes.dim() == 2,
    )
