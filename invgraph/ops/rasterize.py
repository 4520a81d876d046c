"""Visible face, barycentrics and depth at every pixel centre."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from . import _native
from ._batch import check_drawing, dense, image_count, is_double, native_batch
from ._precision import full_precision
from ._register import primitives, register


class Fragments(NamedTuple):
    """What ``rasterize`` sees at each pixel centre.

    Attributes:
        face_id: ``(B, H, W)`` int32: index of the face (in packed batches: local to the image's range), -1 for
            background.
        barycentric: ``(B, H, W, 3)``: perspective-correct weights of the face's corners, 0 on background;
            ``(B, H, W, 0)`` unless asked for.
        depth: ``(B, H, W)``: camera depth z in world units, infinity on background.
    """

    face_id: Tensor
    barycentric: Tensor
    depth: Tensor


@full_precision
def rasterize(
    points: Tensor,
    faces: Tensor,
    image_size: tuple[int, int],
    *,
    ranges: Tensor | None = None,
    barycentric: bool = True,
) -> Fragments:
    """Find the nearest face at every pixel centre.

    Watertight: a centre on an edge or a corner that faces share belongs to exactly one of them. No face is culled for
    its orientation. Faces that cross the near plane must be clipped first (``invgraph.render.clip``).

    Args:
        points: ``(B, V, 3)`` pixel u, pixel v and depth z of the vertices; with ``ranges``: ``(P, 3)``.
            A face with a depth outside of 1e-15..1e15, or a u or v beyond 1e15, or a NaN, is not drawn.
        faces: ``(F, 3)`` int64.
        image_size: ``(height, width)``.
        ranges: ``(B, 2)`` int64, as in :func:`soft_silhouette`.
        barycentric: whether they are wanted; visibility alone is faster.

    Returns:
        :class:`Fragments`; barycentrics and depth are differentiable (once) with respect to ``points``, at fixed
        visibility. Equal depths: the lower face index wins. The same bytes for any number of threads.
    """
    check_drawing(points, faces, ranges, image_size, channels=3)
    weights, depth, face_id = primitives.rasterize(points, faces, ranges, *image_size, barycentric)
    return Fragments(face_id, weights, depth)


def _forward(
    points: Tensor, faces: Tensor, ranges: Tensor | None, height: int, width: int, barycentric: bool
) -> tuple[Tensor, Tensor, Tensor]:
    points, faces, ranges = dense(points, faces, ranges)
    outputs = _empty(points, faces, ranges, height, width, barycentric)
    _native.rasterize_forward(
        is_double(points),
        native_batch(points, faces, ranges),
        points.data_ptr(),
        height,
        width,
        torch.get_num_threads(),
        *(out.data_ptr() if out.shape[-1] else 0 for out in outputs),
    )
    return outputs


def _empty(
    points: Tensor, faces: Tensor, ranges: Tensor | None, height: int, width: int, barycentric: bool
) -> tuple[Tensor, Tensor, Tensor]:
    shape = (image_count(points, ranges), height, width)
    return (
        points.new_empty(*shape, 3 if barycentric else 0),
        points.new_empty(shape),
        points.new_empty(shape, dtype=torch.int32),
    )


def _backward(
    points: Tensor, faces: Tensor, ranges: Tensor | None, face_id: Tensor, grad_barycentric: Tensor, grad_depth: Tensor
) -> Tensor:
    points, faces, ranges, face_id = dense(points, faces, ranges, face_id)
    grad_barycentric, grad_depth = dense(grad_barycentric, grad_depth)
    grad_points = torch.zeros_like(points)
    _native.rasterize_backward(
        is_double(points),
        native_batch(points, faces, ranges, checked=True),
        points.data_ptr(),
        *face_id.shape[1:],
        torch.get_num_threads(),
        face_id.data_ptr(),
        grad_barycentric.data_ptr(),
        grad_depth.data_ptr(),
        grad_points.data_ptr(),
    )
    return grad_points


def _backward_fake(
    points: Tensor, faces: Tensor, ranges: Tensor | None, face_id: Tensor, grad_barycentric: Tensor, grad_depth: Tensor
) -> Tensor:
    return torch.empty_like(points)


def _setup(ctx, inputs, output) -> None:
    points, faces, ranges, _, _, ctx.barycentric = inputs
    ctx.save_for_backward(points, faces, ranges, output[2])
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(output[2])


def _gradient(ctx, grad_barycentric, grad_depth, _):
    if grad_barycentric is None and grad_depth is None:
        return (None,) * 6
    *saved, face_id = ctx.saved_tensors
    if grad_depth is None:
        grad_depth = saved[0].new_zeros(face_id.shape)
    if grad_barycentric is None or not ctx.barycentric:
        grad_barycentric = grad_depth.new_zeros(*face_id.shape, 3)
    grad = primitives.rasterize_backward(*saved, face_id, grad_barycentric, grad_depth)
    return grad, None, None, None, None, None


register(
    "rasterize(Tensor points, Tensor faces, Tensor? ranges, int height, int width, bool barycentric)"
    " -> (Tensor, Tensor, Tensor)",
    _forward,
    _empty,
    setup=_setup,
    gradient=_gradient,
    image_dims={"points": 3},
)
register(
    "rasterize_backward(Tensor points, Tensor faces, Tensor? ranges, Tensor face_id,"
    " Tensor grad_barycentric, Tensor grad_depth) -> Tensor",
    _backward,
    _backward_fake,
    image_dims={"points": 3, "face_id": 3, "grad_barycentric": 4, "grad_depth": 3},
)
