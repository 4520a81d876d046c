"""How well silhouettes agree."""

from __future__ import annotations

from torch import Tensor


def silhouette_iou(
    pred: Tensor, target: Tensor, *, known: Tensor | None = None, threshold: float | None = 0.5
) -> Tensor:
    """Intersection over union of silhouettes, one figure a view.

    With a threshold both images are cut there: ``|P and T| / |P or T|`` over pixels. With ``threshold=None`` coverage
    counts as it is: ``sum min(p, t) / sum max(p, t)``, which is 1 for equal soft masks, and only for those.

    Args:
        pred: (..., H, W) in [0, 1].
        target: the same shape.
        known: the same shape, bool; false pixels are left out. None: all count.
        threshold: above it is inside.

    Returns:
        (...) in the dtype of ``pred``; 1 where both are empty. No gradient is intended: see
        :func:`invgraph.losses.silhouette_iou`.

    Raises:
        ValueError: shapes differ.
    """
    for name, x in (("target", target), ("known", known)):
        if x is not None and x.shape != pred.shape:
            raise ValueError(f"{name}: expected shape {tuple(pred.shape)} as pred has, got {tuple(x.shape)}")
    if pred.ndim < 2:
        raise ValueError(f"pred: expected shape (..., H, W), got {tuple(pred.shape)}")
    dtype = pred.dtype
    pred, target = pred.detach(), target.detach()
    if threshold is not None:
        pred, target = pred > threshold, target > threshold
    pred, target = pred.to(dtype), target.to(dtype)
    if known is not None:
        pred, target = pred * known, target * known
    shared = pred.minimum(target).sum((-2, -1))
    covered = pred.sum((-2, -1)) + target.sum((-2, -1)) - shared  # min + max is the sum of both
    return (shared / covered.where(covered > 0, 1)).where(covered > 0, 1)
