"""Analytic coverage at visible silhouette edges."""

from __future__ import annotations

import torch
from torch import Tensor

from . import _native
from ._batch import check_drawing, check_edge_indices, check_edges, dense, is_double, native_batch
from ._precision import full_precision
from ._register import primitives, register


@full_precision
def antialias(
    image: Tensor | None,
    depth: Tensor,
    points: Tensor,
    faces: Tensor,
    edges: Tensor,
    edge_faces: Tensor,
    *,
    ranges: Tensor | None = None,
) -> Tensor:
    """Blend neighbouring pixels by how far the visible outline between their centres covers them.

    A silhouette edge that crosses between two neighbouring pixel centres at distance ``t`` in [0, 1] from the inner one
    gives ``1/2 - t`` of the outer pixel to the inner one (``t < 1/2``) or ``t - 1/2`` of the inner pixel to the outer
    one: along a row the sum is the exact position of the crossing, and the gradient is exact at the contour. The blend
    is that of Laine et al., Modular Primitives (nvdiffrast), 2020, section 3.6; here the crossings are found from the
    silhouette edges themselves, so that faces smaller than a pixel lose none, the outermost crossing of a gap counts,
    and rows are blended before columns, so that every value stays between those of ``image``.

    Args:
        image: ``(B, H, W, C)``, what :func:`rasterize` saw: colours, normals ...; None: the mask, 1 where there is a
            depth and 0 on background, with C = 1.
        depth: ``(B, H, W)`` from :func:`rasterize`, infinity on background.
        points: ``(B, V, 3)`` or, with ``ranges``, ``(P, 3)``: as given to :func:`rasterize`.
        faces: ``(F, 3)`` int64.
        edges: ``(E, 2)`` int64, each edge once (``Topology.edges``).
        edge_faces: ``(E, 2)`` int64, the faces on it, -1 for none (``Topology.edge_faces``).
        ranges: ``(B, 2)`` int64, as in :func:`soft_silhouette`.

    Returns:
        ``(B, H, W, C)``, differentiable (once) with respect to ``image`` and the (u, v) of ``points``. The same bytes
        for any number of threads.
    """
    if image is None:
        if depth.dim() != 3:
            raise ValueError(f"depth: expected shape (B, H, W), got {tuple(depth.shape)}")
    elif image.dim() != 4:
        raise ValueError(f"image: expected shape (B, H, W, C), got {tuple(image.shape)}")
    elif depth.shape != image.shape[:3]:
        raise ValueError(f"depth: expected shape {tuple(image.shape[:3])} as image has, got {tuple(depth.shape)}")
    check_drawing(points, faces, ranges, (depth.shape[1], depth.shape[2]), channels=3)
    for name, tensor in (("image", image), ("depth", depth)):
        if tensor is None:
            continue
        if tensor.dtype != points.dtype:
            raise TypeError(f"{name}: expected {points.dtype} as points are, got {tensor.dtype}")
        if tensor.device != points.device:
            raise ValueError(f"{name}: expected on {points.device} as points are, got {tensor.device}")
    check_edges(points, edges, edge_faces)
    # which pixel is in front is a decision without a gradient: detached, so that no backward pass runs for it
    out, _ = primitives.antialias(image, depth.detach(), points, faces, ranges, edges, edge_faces)
    return out


def _forward(
    image: Tensor | None,
    depth: Tensor,
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    edge_faces: Tensor,
) -> tuple[Tensor, Tensor]:
    image, depth, points, faces, ranges = dense(image, depth, points, faces, ranges)
    edges, edge_faces = dense(edges, edge_faces)
    batch = native_batch(points, faces, ranges)
    if len(depth) != batch[2]:
        name = "depth" if image is None else "image"
        raise ValueError(f"{name}: expected {batch[2]} images, as many as the points or ranges, got {len(depth)}")
    check_edge_indices(points, faces, edges, edge_faces)
    out, crossing = _empty(image, depth)
    _, height, width, channels = out.shape
    _native.antialias_forward(
        is_double(points),
        batch,
        points.data_ptr(),
        edges.data_ptr(),
        edge_faces.data_ptr(),
        len(edges),
        height,
        width,
        channels,
        torch.get_num_threads(),
        depth.data_ptr(),
        0 if image is None else image.data_ptr(),
        out.data_ptr(),
        crossing.data_ptr(),
    )
    return out, crossing


def _forward_fake(
    image: Tensor | None,
    depth: Tensor,
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    edge_faces: Tensor,
) -> tuple[Tensor, Tensor]:
    return _empty(image, depth)


def _empty(image: Tensor | None, depth: Tensor) -> tuple[Tensor, Tensor]:
    """The result, and for each gap between pixels which edge crosses it."""
    count, height, width = depth.shape
    channels = 1 if image is None else image.shape[-1]
    return depth.new_empty(count, height, width, channels), depth.new_empty(count, 2, height, width, dtype=torch.int32)


def _backward(
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
    image, depth, points, faces, ranges = dense(image, depth, points, faces, ranges)
    edges, crossing, grad_out = dense(edges, crossing, grad_out)
    grad_image = grad_out.new_empty(grad_out.shape if image_gradient else 0)
    grad_points = torch.zeros_like(points)
    _native.antialias_backward(
        is_double(points),
        native_batch(points, faces, ranges, checked=True),
        points.data_ptr(),
        edges.data_ptr(),
        *grad_out.shape[1:],
        torch.get_num_threads(),
        depth.data_ptr(),
        0 if image is None else image.data_ptr(),
        crossing.data_ptr(),
        grad_out.data_ptr(),
        grad_image.data_ptr() if image_gradient else 0,
        grad_points.data_ptr(),
    )
    return grad_image, grad_points


def _backward_fake(
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
    return grad_out.new_empty(grad_out.shape if image_gradient else 0), torch.empty_like(points)


def _setup(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs, output[1])
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(output[1])


def _gradient(ctx, grad_out, _):
    if grad_out is None:
        return (None,) * 7
    wanted = ctx.needs_input_grad[0]
    grad_image, grad_points = primitives.antialias_backward(*ctx.saved_tensors, grad_out, wanted)
    return grad_image if wanted else None, None, grad_points, None, None, None, None


register(
    "antialias(Tensor? image, Tensor depth, Tensor points, Tensor faces, Tensor? ranges,"
    " Tensor edges, Tensor edge_faces) -> (Tensor, Tensor)",
    _forward,
    _forward_fake,
    setup=_setup,
    gradient=_gradient,
    image_dims={"points": 3, "image": 4, "depth": 3},
)
register(
    "antialias_backward(Tensor? image, Tensor depth, Tensor points, Tensor faces, Tensor? ranges,"
    " Tensor edges, Tensor edge_faces, Tensor crossing, Tensor grad_out, bool image_gradient) -> (Tensor, Tensor)",
    _backward,
    _backward_fake,
    image_dims={"points": 3, "image": 4, "depth": 3, "crossing": 4, "grad_out": 4},
)
