"""Attributes of vertices at the pixels that see their faces."""

from __future__ import annotations

import torch
from torch import Tensor

from . import _native
from ._batch import dense, is_double
from ._precision import full_precision
from ._register import primitives, register
from .rasterize import Fragments


@full_precision
def interpolate(attributes: Tensor, faces: Tensor, fragments: Fragments, *, ranges: Tensor | None = None) -> Tensor:
    """Interpolate attributes over the visible faces: at each pixel ``sum_k barycentric_k attribute(corner k)``.

    Args:
        attributes: ``(B, V, C)``, or ``(V, C)`` for all images; with ``ranges``: packed, ``(P, C)``. Any C.
        faces: ``(F, 3)`` int64, the corners' rows of ``attributes``, in the order of the faces that were rasterized:
            the faces themselves, or others for attributes that have seams, such as texture coordinates.
        fragments: of :func:`rasterize`, with barycentrics.
        ranges: ``(B, 2)`` int64, as given to :func:`rasterize`.

    Returns:
        ``(B, H, W, C)``, 0 on background; differentiable (once) with respect to ``attributes`` and
        ``fragments.barycentric``, and through these to the points. The gradient of an attribute is summed in fixed
        order: the same bytes for any number of threads.

    Raises:
        ValueError, TypeError: a shape or dtype is wrong, or an index or face_id is out of range.
    """
    face_id, barycentric, _ = fragments
    if faces.dim() != 2 or faces.shape[1] != 3:
        raise ValueError(f"faces: expected shape (F, 3), got {tuple(faces.shape)}")
    if faces.dtype != torch.int64:
        raise TypeError(f"faces: expected int64, got {faces.dtype}")
    if face_id.dim() != 3 or barycentric.shape != (*face_id.shape, 3):
        raise ValueError(
            "fragments: expected face_id (B, H, W) and barycentric (B, H, W, 3), "
            f"got {tuple(face_id.shape)} and {tuple(barycentric.shape)}"
        )
    if face_id.dtype != torch.int32:
        raise TypeError(f"fragments.face_id: expected int32, got {face_id.dtype}")
    if barycentric.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"fragments.barycentric: expected float32 or float64, got {barycentric.dtype}")
    if attributes.dtype != barycentric.dtype:
        raise TypeError(f"attributes: expected {barycentric.dtype} as the barycentrics are, got {attributes.dtype}")
    count = face_id.shape[0]
    if ranges is None:
        if attributes.dim() not in (2, 3) or (attributes.dim() == 3 and attributes.shape[0] != count):
            raise ValueError(f"attributes: expected shape ({count}, V, C) or (V, C), got {tuple(attributes.shape)}")
    else:
        if attributes.dim() != 2:
            raise ValueError(f"attributes: expected shape (P, C) with ranges, got {tuple(attributes.shape)}")
        if ranges.shape != (count, 2):
            raise ValueError(f"ranges: expected shape ({count}, 2), got {tuple(ranges.shape)}")
        if ranges.dtype != torch.int64:
            raise TypeError(f"ranges: expected int64, got {ranges.dtype}")
    for name, tensor in (("faces", faces), ("fragments", face_id), ("fragments", barycentric), ("ranges", ranges)):
        if tensor is not None and tensor.device != attributes.device:
            raise ValueError(f"{name}: expected on {attributes.device} as attributes are, got {tensor.device}")
    out: Tensor = primitives.interpolate(attributes, faces, ranges, face_id, barycentric)
    return out


def _native_batch(
    attributes: Tensor, faces: Tensor, ranges: Tensor | None, face_id: Tensor
) -> tuple[int, int, int, int, int]:
    """As ``_batch.native_batch``, for attributes; one set for all images: an offset of 0 from image to image."""
    rows = attributes.shape[-2]
    if faces.numel():
        low, high = (int(v) for v in torch.aminmax(faces))
        if low < 0 or high >= rows:
            raise ValueError(f"faces: expected indices within 0..{rows - 1}, got {low if low < 0 else high}")
    if ranges is not None and ranges.numel():
        flat = ranges.flatten()
        if int(flat[0]) < 0 or int(flat[-1]) > len(faces) or bool((flat[1:] < flat[:-1]).any()):
            raise ValueError(f"ranges: expected ascending, not overlapping ranges within 0..{len(faces)}")
    if face_id.numel():
        limit = len(faces) if ranges is None else (ranges[:, 1] - ranges[:, 0])
        if bool((face_id.amax((1, 2)) >= limit).any()):
            raise ValueError(
                "fragments.face_id: expected indices of the faces (in packed batches: of the image's range)"
            )
    if ranges is not None:
        return faces.data_ptr(), ranges.data_ptr(), len(ranges), len(faces), rows
    return faces.data_ptr(), 0, len(face_id), len(faces), rows if attributes.dim() == 3 else 0


def _forward(attributes: Tensor, faces: Tensor, ranges: Tensor | None, face_id: Tensor, barycentric: Tensor) -> Tensor:
    attributes, faces, ranges, face_id, barycentric = dense(attributes, faces, ranges, face_id, barycentric)
    out = _empty(attributes, faces, ranges, face_id, barycentric)
    _native.interpolate_forward(
        is_double(attributes),
        _native_batch(attributes, faces, ranges, face_id),
        attributes.data_ptr(),
        attributes.shape[-1],
        face_id[:1].numel(),
        torch.get_num_threads(),
        face_id.data_ptr(),
        barycentric.data_ptr(),
        out.data_ptr(),
    )
    return out


def _empty(attributes: Tensor, faces: Tensor, ranges: Tensor | None, face_id: Tensor, barycentric: Tensor) -> Tensor:
    return attributes.new_empty(*face_id.shape, attributes.shape[-1])


def _backward(
    attributes: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    face_id: Tensor,
    barycentric: Tensor,
    grad_out: Tensor,
    to_attributes: bool,
    to_barycentric: bool,
) -> tuple[Tensor, Tensor]:
    attributes, faces, ranges = dense(attributes, faces, ranges)
    face_id, barycentric, grad_out = dense(face_id, barycentric, grad_out)
    grad_attributes, grad_barycentric = (
        torch.zeros_like(attributes) if to_attributes else attributes.new_empty(0),
        torch.empty_like(barycentric) if to_barycentric else barycentric.new_empty(0),
    )
    _native.interpolate_backward(
        is_double(attributes),
        _native_batch(attributes, faces, ranges, face_id),
        attributes.data_ptr(),
        attributes.shape[-1],
        face_id[:1].numel(),
        torch.get_num_threads(),
        face_id.data_ptr(),
        barycentric.data_ptr(),
        grad_out.data_ptr(),
        grad_attributes.data_ptr() if to_attributes else 0,
        grad_barycentric.data_ptr() if to_barycentric else 0,
    )
    return grad_attributes, grad_barycentric


def _backward_fake(
    attributes: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    face_id: Tensor,
    barycentric: Tensor,
    grad_out: Tensor,
    to_attributes: bool,
    to_barycentric: bool,
) -> tuple[Tensor, Tensor]:
    return (
        torch.empty_like(attributes, memory_format=torch.contiguous_format)
        if to_attributes
        else attributes.new_empty(0),
        torch.empty_like(barycentric, memory_format=torch.contiguous_format)
        if to_barycentric
        else barycentric.new_empty(0),
    )


def _setup(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs)


def _gradient(ctx, grad_out):
    wanted = ctx.needs_input_grad[0], ctx.needs_input_grad[4]
    grads = primitives.interpolate_backward(*ctx.saved_tensors, grad_out, *wanted)
    attributes, barycentric = (grad if want else None for grad, want in zip(grads, wanted))
    return attributes, None, None, None, barycentric


register(
    "interpolate(Tensor attributes, Tensor faces, Tensor? ranges, Tensor face_id, Tensor barycentric) -> Tensor",
    _forward,
    _empty,
    setup=_setup,
    gradient=_gradient,
    image_dims={"attributes": 3, "face_id": 3, "barycentric": 4},
)
register(
    "interpolate_backward(Tensor attributes, Tensor faces, Tensor? ranges, Tensor face_id, Tensor barycentric,"
    " Tensor grad_out, bool to_attributes, bool to_barycentric) -> (Tensor, Tensor)",
    _backward,
    _backward_fake,
    image_dims={"attributes": 3, "face_id": 3, "barycentric": 4, "grad_out": 4},
)
