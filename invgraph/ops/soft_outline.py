"""Soft silhouette without bias at the contour."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from . import _native
from ._batch import (
    check_drawing,
    check_edge_indices,
    check_edges,
    check_softness,
    dense,
    image_count,
    is_double,
    native_batch,
)
from ._precision import full_precision
from ._register import primitives, register
from .rasterize import rasterize

_MIN_ALPHA = 1e-4  # where alpha is this small the reach of sigma ends, as soft_silhouette's does by default


@full_precision
def soft_outline(
    points: Tensor,
    faces: Tensor,
    edges: Tensor,
    edge_faces: Tensor,
    image_size: tuple[int, int],
    sigma: float,
    *,
    ranges: Tensor | None = None,
    depth: Tensor | None = None,
) -> Tensor:
    """Soft coverage from the signed distance to the visible outline: 1/2 exactly on it, at any ``sigma``.

    With ``d`` the distance in pixels from a pixel's centre to the outline of the union of the faces in the image,
    positive where a face covers the centre,

        alpha = 1/2 exp(d / s) outside, 1 - 1/2 exp(-d / s) inside,   s = sqrt(sigma ln(1e4 - 1)) / ln(5000)
              = 0.356 sqrt(sigma),

    the probability that the centre is covered if the outline is off by a Laplace-distributed distance of scale ``s``.
    The scale is such that alpha falls to 1e-4 where :func:`soft_silhouette`'s factors do, ``sqrt(9.2 sigma)`` pixels
    from the outline; beyond, alpha is exactly 0 or 1. There is one outline, however many faces meet at it, and the
    slope is greatest on it: where a disc of radius ``R`` is fitted to its true mask by squared error, the optimum lies
    ``s^2 / (4 R) = 0.032 sigma / R`` pixels inside. That of a logistic profile of the same reach lies 2.6 times, that
    of :func:`soft_silhouette` some hundred times as far off.

    The outline is made of those parts of silhouette edges (whose faces lie on one side of them) that no other face
    hides from the outside, cut exactly where edges cross. It is seen at the resolution of the pixels: between four
    neighbouring centres that are all covered there is none, so cracks between faces and holes smaller than a pixel are
    filled; a part so thin that it covers no centre has an outline, and alpha stays below 1/2 around it.

    Args:
        points: ``(B, V, 3)`` (u, v, depth) or, with ``ranges``, ``(P, 3)``: as given to :func:`rasterize`. Depth
            matters only in that a face that is not in front of the camera is not drawn.
        faces: ``(F, 3)`` int64.
        edges: ``(E, 2)`` int64, each edge once (``Topology.edges``).
        edge_faces: ``(E, 2)`` int64, the faces on it, -1 for none (``Topology.edge_faces``).
        image_size: ``(height, width)``.
        sigma: softness, squared pixels, > 0.
        ranges: ``(B, 2)`` int64, as in :func:`soft_silhouette`.
        depth: ``(B, height, width)`` that :func:`rasterize` gave for these points, if at hand; None: it is called.

    Returns:
        alpha ``(B, height, width)`` in [0, 1], differentiable once with respect to the (u, v) of ``points``. The same
        bytes for any number of threads.
    """
    check_drawing(points, faces, ranges, image_size, channels=3)
    sigma = check_softness("sigma", sigma, points)
    check_edges(points, edges, edge_faces)
    if depth is None:
        depth = rasterize(points.detach(), faces, image_size, ranges=ranges, barycentric=False).depth
    expected = (image_count(points, ranges), *image_size)
    if depth.shape != expected:
        raise ValueError(f"depth: expected shape {expected}, got {tuple(depth.shape)}")
    if depth.dtype != points.dtype:
        raise TypeError(f"depth: expected {points.dtype} as points are, got {depth.dtype}")
    if depth.device != points.device:
        raise ValueError(f"depth: expected on {points.device} as points are, got {depth.device}")
    reach = math.sqrt(math.log(1 / _MIN_ALPHA - 1)) * math.sqrt(sigma)
    scale = reach / math.log(0.5 / _MIN_ALPHA)
    # what is covered is a decision without a gradient: detached, so that no backward pass runs for it
    return primitives.soft_outline(points, faces, ranges, edges, edge_faces, depth.detach(), scale, reach)[0]


def _forward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    edge_faces: Tensor,
    depth: Tensor,
    scale: float,
    reach: float,
) -> tuple[Tensor, Tensor, Tensor]:
    points, faces, ranges, depth = dense(points, faces, ranges, depth)
    edges, edge_faces = dense(edges, edge_faces)
    batch = native_batch(points, faces, ranges)
    check_edge_indices(points, faces, edges, edge_faces)
    alpha, fraction = torch.empty_like(depth), torch.empty_like(depth)
    count, height, width = depth.shape
    nearest = depth.new_empty(count, 2, height, width, dtype=torch.int32)
    _native.soft_outline_forward(
        is_double(points),
        batch,
        points.data_ptr(),
        edges.data_ptr(),
        edge_faces.data_ptr(),
        len(edges),
        depth.data_ptr(),
        height,
        width,
        scale,
        reach,
        torch.get_num_threads(),
        alpha.data_ptr(),
        nearest.data_ptr(),
        fraction.data_ptr(),
    )
    return alpha, nearest, fraction


def _forward_fake(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    edges: Tensor,
    edge_faces: Tensor,
    depth: Tensor,
    scale: float,
    reach: float,
) -> tuple[Tensor, Tensor, Tensor]:
    count, height, width = depth.shape
    alpha = torch.empty_like(depth, memory_format=torch.contiguous_format)
    return alpha, depth.new_empty(count, 2, height, width, dtype=torch.int32), torch.empty_like(alpha)


def _backward(
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
    points, faces, ranges, depth = dense(points, faces, ranges, depth)
    edges, grad_alpha = dense(edges, grad_alpha)
    grad_points = torch.zeros_like(points)
    _native.soft_outline_backward(
        is_double(points),
        native_batch(points, faces, ranges, checked=True),
        points.data_ptr(),
        edges.data_ptr(),
        depth.data_ptr(),
        *depth.shape[1:],
        scale,
        torch.get_num_threads(),
        nearest.data_ptr(),
        fraction.data_ptr(),
        grad_alpha.data_ptr(),
        grad_points.data_ptr(),
    )
    return grad_points


def _backward_fake(
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
    return torch.empty_like(points, memory_format=torch.contiguous_format)


def _setup(ctx, inputs, output) -> None:
    points, faces, ranges, edges, _, depth, ctx.scale, _ = inputs
    ctx.save_for_backward(points, faces, ranges, edges, depth, *output[1:])
    ctx.mark_non_differentiable(*output[1:])


def _gradient(ctx, grad_alpha, *_):
    points, faces, ranges, edges, depth, nearest, fraction = ctx.saved_tensors
    grad = primitives.soft_outline_backward(
        points, faces, ranges, edges, depth, ctx.scale, nearest, fraction, grad_alpha
    )
    return grad, None, None, None, None, None, None, None


register(
    "soft_outline(Tensor points, Tensor faces, Tensor? ranges, Tensor edges, Tensor edge_faces, Tensor depth,"
    " float scale, float reach) -> (Tensor, Tensor, Tensor)",
    _forward,
    _forward_fake,
    setup=_setup,
    gradient=_gradient,
    image_dims={"points": 3, "depth": 3},
)
register(
    "soft_outline_backward(Tensor points, Tensor faces, Tensor? ranges, Tensor edges, Tensor depth, float scale,"
    " Tensor nearest, Tensor fraction, Tensor grad_alpha) -> Tensor",
    _backward,
    _backward_fake,
    image_dims={"points": 3, "depth": 3, "nearest": 4, "fraction": 3, "grad_alpha": 3},
)
