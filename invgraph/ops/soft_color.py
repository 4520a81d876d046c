"""Soft colour: depth-weighted aggregation of all faces near each pixel."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from . import _native
from ._batch import check_drawing, check_softness, dense, image_count, is_double, native_batch
from ._precision import full_precision
from ._register import primitives, register


@full_precision
def soft_color(
    points: Tensor,
    faces: Tensor,
    colors: Tensor,
    image_size: tuple[int, int],
    sigma: float,
    gamma: float,
    *,
    background: float | Tensor = 0.0,
    near: float = 1.0,
    far: float = 100.0,
    eps: float = 1e-3,
    ranges: Tensor | None = None,
    min_probability: float = 1e-4,
) -> tuple[Tensor, Tensor]:
    """Colour of each pixel as the mean of all faces near it, nearer ones weighing more.

    ``rgb = sum_f w_f c_f + w_b background`` with ``w_f = p_f exp(zhat_f / gamma) / total``, ``w_b = exp(eps / gamma) /
    total`` and the total that makes all weights sum to 1 (Liu et al., Soft Rasterizer, ICCV 2019, eqs. 3 and 4).
    ``p_f = sigmoid(x_f)`` is that of :func:`soft_silhouette`, and ``zhat_f = (far - z_f) / (far - near)``, clamped to
    [0, 1]. Depth and colour of a face at a pixel are those of one point of it: the pixel's barycentrics in the image,
    clipped to [0, 1] and divided by their sum, made perspective-correct; of a face of no area its middle. No limit on
    the number of faces, no sorting, and no overflow for any gamma.

    Args:
        points: ``(B, V, 3)`` pixel u, pixel v and depth z of the vertices; with ``ranges``: ``(P, 3)``. float32 or
            float64. A face with a depth outside of 1e-15..1e15, or a u or v beyond 1e15, or a NaN, is not drawn.
        faces: ``(F, 3)`` int64.
        colors: of each face's corners, any number of channels: ``(F, 3, C)`` or, without ``ranges``, ``(B, F, 3, C)``.
            From colours of vertices ``c[..., faces, :]``; from colours of faces ``c[..., None, :].expand(..., 3, -1)``.
        image_size: ``(height, width)``.
        sigma: softness in the image, squared pixels, > 0.
        gamma: softness in depth, in units of ``far - near``, > 0: towards 0 only the nearest face counts. Faces
            closer together than ``gamma * (far - near)`` mix, so the range should be no wider than the scene.
        background: a number, or a tensor that broadcasts to ``(B, height, width, C)``.
        near, far: depths that nearness is measured between, 0 <= near < far. Beyond them a face counts as at the limit.
        eps: zhat of the background, whose probability is 1.
        ranges: ``(B, 2)`` int64, as in :func:`soft_silhouette`.
        min_probability: faces whose ``p_f`` is below this are left out of a pixel; in (0, 0.5).

    Returns:
        ``rgb (B, height, width, C)`` and ``alpha (B, height, width)``, the latter as :func:`soft_silhouette` gives.
        Both differentiable once with respect to ``points``, ``colors`` and ``background``; the same bytes for any
        number of threads.
    """
    check_drawing(points, faces, ranges, image_size, channels=3)
    _check_colors(colors, points, faces, ranges)
    sigma, gamma = check_softness("sigma", sigma, points), check_softness("gamma", gamma, points, "far - near")
    limits = torch.finfo(points.dtype)
    if not (0 <= near < far <= limits.max and limits.tiny <= far - near):
        raise ValueError(f"near, far: expected 0 <= near < far, in {points.dtype}, got {near} and {far}")
    if not 0 <= eps <= 1:
        raise ValueError(f"eps: expected within [0, 1], got {eps}")
    if not 0 < min_probability < 0.5:
        raise ValueError(f"min_probability: expected within (0, 0.5), got {min_probability}")
    numbers = [float(v) for v in (sigma, gamma, math.log(1 / min_probability - 1), near, far, eps)]
    color, share, transmittance, _, _ = primitives.soft_color(points, faces, ranges, colors, *image_size, numbers)
    if isinstance(background, Tensor):
        _check_background(background, color)
    elif background == 0:
        return color, 1 - transmittance
    return color + share[..., None] * background, 1 - transmittance


def _check_colors(colors: Tensor, points: Tensor, faces: Tensor, ranges: Tensor | None) -> None:
    shapes = [(len(faces), 3)] + ([(points.shape[0], len(faces), 3)] if ranges is None else [])
    if tuple(colors.shape[:-1]) not in shapes or colors.shape[-1] == 0:
        expected = " or ".join(str((*shape, "C")).replace("'", "") for shape in shapes)
        raise ValueError(f"colors: expected shape {expected}, got {tuple(colors.shape)}")
    if colors.dtype != points.dtype:
        raise TypeError(f"colors: expected {points.dtype} as points are, got {colors.dtype}")
    if colors.device != points.device:
        raise ValueError(f"colors: expected on {points.device} as points are, got {colors.device}")


def _check_background(background: Tensor, color: Tensor) -> None:
    if background.dtype != color.dtype:
        raise TypeError(f"background: expected {color.dtype} as points are, got {background.dtype}")
    if background.device != color.device:
        raise ValueError(f"background: expected on {color.device} as points are, got {background.device}")
    trailing = zip(reversed(background.shape), reversed(color.shape))
    if background.dim() > color.dim() or any(b not in (1, c) for b, c in trailing):
        raise ValueError(
            f"background: expected a number or a shape that broadcasts to {tuple(color.shape)}, got "
            f"{tuple(background.shape)}"
        )


def _forward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    colors: Tensor,
    height: int,
    width: int,
    numbers: list[float],
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    points, faces, ranges, colors = dense(points, faces, ranges, colors)
    outputs = _outputs(points, ranges, colors, height, width)
    _native.soft_color_forward(
        is_double(points),
        native_batch(points, faces, ranges),
        points.data_ptr(),
        colors.data_ptr(),
        _images_share(colors, ranges),
        colors.shape[-1],
        height,
        width,
        *numbers,
        torch.get_num_threads(),
        *(tensor.data_ptr() for tensor in outputs),
    )
    return outputs


def _outputs(
    points: Tensor, ranges: Tensor | None, colors: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Colour without the background's share, that share, transmittance, peak and total."""
    share, transmittance, peak, total = (points.new_empty(image_count(points, ranges), height, width) for _ in range(4))
    return points.new_empty(*share.shape, colors.shape[-1]), share, transmittance, peak, total


def _images_share(colors: Tensor, ranges: Tensor | None) -> bool:
    return ranges is None and colors.dim() == 3


def _forward_fake(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    colors: Tensor,
    height: int,
    width: int,
    numbers: list[float],
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    return _outputs(points, ranges, colors, height, width)


def _backward(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    colors: Tensor,
    numbers: list[float],
    wants_colors: bool,
    outputs: list[Tensor],
    grads: list[Tensor],
) -> tuple[Tensor, Tensor]:
    points, faces, ranges, colors = dense(points, faces, ranges, colors)
    outputs, grads = dense(*outputs), dense(*grads)
    grad_points, share = torch.zeros_like(points), _images_share(colors, ranges)
    # where images share the colours, each has its own gradient, and they are summed
    images = (points.shape[0],) if share else ()
    grad_colors = colors.new_zeros(*images, *colors.shape) if wants_colors else colors.new_empty(0)
    _native.soft_color_backward(
        is_double(points),
        native_batch(points, faces, ranges, checked=True),
        points.data_ptr(),
        colors.data_ptr(),
        share,
        colors.shape[-1],
        *outputs[1].shape[1:],
        *numbers[:-1],
        torch.get_num_threads(),
        *(tensor.data_ptr() for tensor in (*outputs, *grads)),
        grad_points.data_ptr(),
        grad_colors.data_ptr() if wants_colors else 0,
    )
    return grad_points, grad_colors.sum(0) if share and wants_colors else grad_colors


def _backward_fake(
    points: Tensor,
    faces: Tensor,
    ranges: Tensor | None,
    colors: Tensor,
    numbers: list[float],
    wants_colors: bool,
    outputs: list[Tensor],
    grads: list[Tensor],
) -> tuple[Tensor, Tensor]:
    like = torch.contiguous_format
    grad_colors = torch.empty_like(colors, memory_format=like) if wants_colors else colors.new_empty(0)
    return torch.empty_like(points, memory_format=like), grad_colors


def _setup(ctx, inputs, output) -> None:
    points, faces, ranges, colors, _, _, ctx.numbers = inputs
    ctx.save_for_backward(points, faces, ranges, colors, *output)
    ctx.mark_non_differentiable(*output[3:])


def _gradient(ctx, *grads):
    points, faces, ranges, colors, *outputs = ctx.saved_tensors
    wants_colors = ctx.needs_input_grad[3]
    grad_points, grad_colors = primitives.soft_color_backward(
        points, faces, ranges, colors, ctx.numbers, wants_colors, outputs, grads[:3]
    )
    return grad_points, None, None, grad_colors if wants_colors else None, None, None, None


register(
    "soft_color(Tensor points, Tensor faces, Tensor? ranges, Tensor colors, int height, int width, float[] numbers)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
    _forward,
    _forward_fake,
    setup=_setup,
    gradient=_gradient,
    image_dims={"points": 3, "colors": 4},
)
register(
    "soft_color_backward(Tensor points, Tensor faces, Tensor? ranges, Tensor colors, float[] numbers,"
    " bool wants_colors, Tensor[] outputs, Tensor[] grads) -> (Tensor, Tensor)",
    _backward,
    _backward_fake,
    image_dims={"points": 3, "colors": 4, "outputs": (3, 4), "grads": (3, 4)},
)
