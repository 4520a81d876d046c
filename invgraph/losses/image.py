"""Image losses: silhouette IoU, L1, MSE and binary cross-entropy, each ignoring unknown pixels.

Every function takes ``pred`` and ``target`` of one shape, ``(N, H, W)`` for silhouettes or ``(N, H, W, C)`` for images,
and an optional ``known`` mask of shape ``(N, H, W)``: boolean (False = unknown, ignored) or a non-negative weight.
What lies in an unknown pixel, NaN included, changes neither the value nor the gradient. With no known pixel at all the
loss is 0.
"""

from __future__ import annotations

import torch
from torch import Tensor


def silhouette_iou(pred: Tensor, target: Tensor, *, known: Tensor | None = None) -> Tensor:
    """Soft intersection over union of silhouettes, as a loss in [0, 1]: the mean over views of

        1 - sum(p * t) / sum(p + t - p * t)

    The silhouette loss of Liu et al. 2019, *Soft Rasterizer*, and of Kato et al. 2018, *Neural 3D Mesh Renderer*.
    For binary masks it is one minus the Jaccard index; equal masks with soft edges do not reach 0, as p (1 - p) counts
    as a difference. The score, 1 for equal masks, is :func:`invgraph.metrics.silhouette_iou`. A view whose prediction
    and target are both empty agrees perfectly: its loss is 0.

    Args:
        pred: (N, H, W) coverage in [0, 1].
        target: (N, H, W) coverage in [0, 1].
        known: (N, H, W) bool or weight; None = all known.

    Raises:
        TypeError, ValueError: for dtypes or shapes that do not match.
    """
    if pred.ndim != 3:
        raise ValueError(f"pred: expected silhouettes of shape (N, H, W), got {tuple(pred.shape)}")
    pred, target, weight = _checked(pred, target, known)
    intersection = pred * target
    union = pred + target - intersection
    if weight is not None:
        intersection, union = intersection * weight, union * weight
    numerator, denominator = intersection.sum((1, 2)), union.sum((1, 2))
    empty = denominator <= 0
    iou = torch.where(empty, 1.0, numerator / torch.where(empty, 1.0, denominator))
    return (1 - iou).mean()


def l1(pred: Tensor, target: Tensor, *, known: Tensor | None = None) -> Tensor:
    """Mean absolute difference over known pixels: ``sum w |p - t| / sum w``.

    ``pred``, ``target``: (N, H, W) or (N, H, W, C); ``known``: (N, H, W) bool or weight >= 0; None: all.
    """
    pred, target, weight = _checked(pred, target, known)
    return _weighted_mean((pred - target).abs(), weight)


def mse(pred: Tensor, target: Tensor, *, known: Tensor | None = None) -> Tensor:
    """Mean squared difference over known pixels: ``sum w (p - t)^2 / sum w``.

    ``pred``, ``target``: (N, H, W) or (N, H, W, C); ``known``: (N, H, W) bool or weight >= 0; None: all.
    """
    pred, target, weight = _checked(pred, target, known)
    return _weighted_mean((pred - target).square(), weight)


def bce(pred: Tensor, target: Tensor, *, known: Tensor | None = None, eps: float = 1e-6) -> Tensor:
    """Binary cross-entropy over known pixels: mean of ``-(t log p + (1 - t) log(1 - p))``, in nats.

    ``pred`` is a probability (coverage) in [0, 1], not a logit; it is clamped to ``[eps, 1 - eps]`` so that a saturated
    wrong pixel costs ``-log eps`` rather than infinity (with zero gradient past the clamp).

    Raises:
        ValueError: also for ``eps`` outside (0, 0.5).
    """
    if not 0 < eps < 0.5:
        raise ValueError(f"eps: expected a number in (0, 0.5), got {eps}")
    pred, target, weight = _checked(pred, target, known)
    clamped = pred.clamp(eps, 1 - eps)
    # log1p keeps full precision where p is small, which is nearly everywhere in a silhouette's background
    return _weighted_mean(-(target * clamped.log() + (1 - target) * torch.log1p(-clamped)), weight)


def _checked(pred: Tensor, target: Tensor, known: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Validate, and give (pred, target, weight (N, H, W) or None) with unknown pixels set to zero."""
    if not pred.is_floating_point():
        raise TypeError(f"pred: expected a floating-point tensor, got {pred.dtype}")
    if pred.ndim not in (3, 4):
        raise ValueError(f"pred: expected shape (N, H, W) or (N, H, W, C), got {tuple(pred.shape)}")
    if 0 in pred.shape:
        raise ValueError(f"pred: expected at least one pixel, got shape {tuple(pred.shape)}")
    if target.shape != pred.shape:
        raise ValueError(f"target: expected the shape of pred {tuple(pred.shape)}, got {tuple(target.shape)}")
    target = target.to(pred.dtype)
    if known is None:
        return pred, target, None
    if known.shape != pred.shape[:3]:
        raise ValueError(f"known: expected shape (N, H, W) = {tuple(pred.shape[:3])}, got {tuple(known.shape)}")
    weight = known.to(pred.dtype)
    ignored = weight == 0
    if pred.ndim == 4:
        ignored = ignored[..., None]
    # where, not multiplication: 0 * NaN is NaN, in the value and in the gradient
    return torch.where(ignored, 0.0, pred), torch.where(ignored, 0.0, target), weight


def _weighted_mean(error: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return error.mean()
    if error.ndim == 4:
        error = error.mean(-1)
    total = weight.sum()
    return (error * weight).sum() / torch.where(total > 0, total, 1.0)
