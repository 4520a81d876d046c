"""Soft silhouette without a limit on faces per pixel."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from . import _native
from ._batch import check_drawing, check_softness, dense, image_count, is_double, native_batch
from ._precision import full_precision
from ._register import primitives, register
from ._silhouette_pairs import gradient_by_pairs


@full_precision
def soft_silhouette(
    points: Tensor,
    faces: Tensor,
    image_size: tuple[int, int],
    sigma: float,
    *,
    ranges: Tensor | None = None,
    min_probability: float = 1e-4,
) -> Tensor:
    """Probability that each pixel is covered: ``alpha = 1 - prod_f (1 - sigmoid(x_f))``, ``x_f = +-d_f^2 / sigma``.

    ``d_f`` is the pixel centre's distance to the outline of face ``f`` in the image, positive inside. The product has
    no order and no limit on the number of faces (Liu et al., Soft Rasterizer, ICCV 2019, eqs. 1 and 5). At an outline
    where ``k`` faces meet alpha is ``1 - 0.5^k``, so a fit through it alone settles a fraction of the blur beside the
    surface.

    Args:
        points: ``(B, V, 2)`` pixel coordinates (u, v) of the vertices; with ``ranges``: ``(P, 2)``. float32 or float64.
            A face with a coordinate that is not finite, or beyond 1e15, is not drawn.
        faces: ``(F, 3)`` int64.
        image_size: ``(height, width)``.
        sigma: softness, squared pixels, > 0.
        ranges: ``(B, 2)`` int64: image ``b`` draws faces ``ranges[b, 0]`` up to ``ranges[b, 1]`` (ascending, disjoint),
            whose indices count through all ``P`` points.
        min_probability: faces whose own ``sigmoid(x_f)`` is below this are left out of a pixel; in (0, 0.5).
            The same as PyTorch3D's ``blur_radius = log(1 / min_probability - 1) * sigma``.

    Returns:
        alpha ``(B, height, width)`` in [0, 1], differentiable with respect to ``points``, to any order (beyond the
        first in torch operations over all pairs of a pixel and a face within reach, which needs memory for these); the
        same bytes for any number of threads.
    """
    check_drawing(points, faces, ranges, image_size, channels=2)
    sigma = check_softness("sigma", sigma, points)
    if not 0 < min_probability < 0.5:
        raise ValueError(f"min_probability: expected within (0, 0.5), got {min_probability}")
    reach = math.log(1 / min_probability - 1)
    height, width = image_size
    alpha, _ = primitives.soft_silhouette(points, faces, ranges, height, width, sigma, reach)
    return alpha


def _forward(
    points: Tensor, faces: Tensor, ranges: Tensor | None, height: int, width: int, sigma: float, reach: float
) -> tuple[Tensor, Tensor]:
    points, faces, ranges = dense(points, faces, ranges)
    alpha = points.new_empty(image_count(points, ranges), height, width)
    transmittance = torch.empty_like(alpha)
    _native.soft_silhouette_forward(
        is_double(points),
        native_batch(points, faces, ranges),
        points.data_ptr(),
        height,
        width,
        sigma,
        reach,
        torch.get_num_threads(),
        alpha.data_ptr(),
        transmittance.data_ptr(),
    )
    return alpha, transmittance


def _forward_fake(
    points: Tensor, faces: Tensor, ranges: Tensor | None, height: int, width: int, sigma: float, reach: float
) -> tuple[Tensor, Tensor]:
    alpha = points.new_empty(image_count(points, ranges), height, width)
    return alpha, torch.empty_like(alpha)


def _backward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    sigma: float,
    reach: float,
    transmittance: Tensor,
    grad_alpha: Tensor,
) -> Tensor:
    points, faces, ranges, transmittance, grad_alpha = dense(points, faces, ranges, transmittance, grad_alpha)
    grad_points = torch.zeros_like(points)
    _native.soft_silhouette_backward(
        is_double(points),
        native_batch(points, faces, ranges, checked=True),
        points.data_ptr(),
        *grad_alpha.shape[1:],
        sigma,
        reach,
        torch.get_num_threads(),
        transmittance.data_ptr(),
        grad_alpha.data_ptr(),
        grad_points.data_ptr(),
    )
    return grad_points


def _backward_fake(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    sigma: float,
    reach: float,
    transmittance: Tensor,
    grad_alpha: Tensor,
) -> Tensor:
    return torch.empty_like(points)


def _setup(ctx, inputs, output) -> None:
    points, faces, ranges, _, _, ctx.sigma, ctx.reach = inputs
    ctx.save_for_backward(points, faces, ranges, output[1])
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(output[1])


def _gradient(ctx, grad_alpha, _):
    if grad_alpha is None:
        return (None,) * 7
    points, faces, ranges, transmittance = ctx.saved_tensors
    grad = primitives.soft_silhouette_backward(points, faces, ranges, ctx.sigma, ctx.reach, transmittance, grad_alpha)
    return grad, None, None, None, None, None, None


def _setup_second(ctx, inputs, output) -> None:
    points, faces, ranges, ctx.sigma, ctx.reach, _, grad_alpha = inputs
    ctx.save_for_backward(points, faces, ranges, grad_alpha)


def _second_gradient(ctx, grad):
    points, faces, ranges, grad_alpha = ctx.saved_tensors
    first = partial(gradient_by_pairs, faces=faces, ranges=ranges, sigma=ctx.sigma, reach=ctx.reach)
    to_points, to_grad_alpha = torch.func.vjp(first, points, grad_alpha)[1](grad)
    return to_points, None, None, None, None, None, to_grad_alpha


register(
    "soft_silhouette(Tensor points, Tensor faces, Tensor? ranges, int height, int width, float sigma, float reach)"
    " -> (Tensor, Tensor)",
    _forward,
    _forward_fake,
    setup=_setup,
    gradient=_gradient,
    image_dims={"points": 3},
)
register(
    "soft_silhouette_backward(Tensor points, Tensor faces, Tensor? ranges, float sigma, float reach,"
    " Tensor transmittance, Tensor grad_alpha) -> Tensor",
    _backward,
    _backward_fake,
    setup=_setup_second,
    gradient=_second_gradient,
    image_dims={"points": 3, "transmittance": 3, "grad_alpha": 3},
)
