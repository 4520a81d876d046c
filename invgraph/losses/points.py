"""Distances between point sets: Chamfer in its two forms and the Earth Mover's distance.

Point sets are ``(P, 3)`` or batches ``(B, P, 3)``; the two sets may differ in size. Nearest neighbours and transport
plans are found without gradient and held fixed; the distances to them are differentiable with respect to both sets
(wherever the nearest neighbour is unique, this is the true gradient).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

_CHUNK_PAIRS = 1 << 22  # distances held at once by the brute-force search: 32 MB in float64
_TREE_PAIRS = 1 << 21  # from here on a KD-tree is faster on CPU
_EXACT_LIMIT = 2048  # the assignment grows as P^3: about a second here


def nearest_point(points: Tensor, to: Tensor) -> Tensor:
    """Index into ``to`` of the point nearest to each of ``points``: (P,) int64, or (B, P) for batched input.

    Exact: by a KD-tree for large sets on CPU, by chunks of the distance matrix otherwise. Not differentiable.

    Args:
        points: (P, 3) or (B, P, 3).
        to: (Q, 3), shared by a whole batch, or (B, Q, 3).
    """
    points, to = _checked_pair(points, to, "points", "to")
    points, to = points.detach(), to.detach()
    if points.ndim == 3:
        others = to if to.ndim == 3 else [to] * len(points)
        return torch.stack([_nearest(p, q) for p, q in zip(points, others)])
    return _nearest(points, to)


def chamfer_l2_squared(x: Tensor, y: Tensor, *, reduction: Literal["sum", "mean"] = "sum") -> Tensor:
    """Chamfer distance, squared form: ``sum_x min_y |x - y|^2 + sum_y min_x |x - y|^2``.

    Source: Fan et al. 2017, *A Point Set Generation Network*, Chamfer distance. ``reduction="mean"`` replaces each sum
    by the mean over its own set. Not in units of length, and dominated by outliers: see :func:`chamfer_l1`.

    Args:
        x: (P, 3) or (B, P, 3); a batch is averaged.
        y: (Q, 3) or (B, Q, 3).
    """
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction: expected 'sum' or 'mean', got {reduction!r}")
    forward, backward = (d.square().sum(-1) for d in _two_way_differences(x, y))
    if reduction == "sum":
        return forward.sum(-1).mean() + backward.sum(-1).mean()
    return forward.mean() + backward.mean()


def chamfer_l1(x: Tensor, y: Tensor) -> Tensor:
    """Chamfer distance, unsquared form: ``1/2 (mean_x min_y |x - y| + mean_y min_x |x - y|)``, a length.

    The mean of accuracy and completeness, "Chamfer-L1" of Mescheder et al. 2019, *Occupancy Networks*; the name
    notwithstanding, ``|.|`` is the Euclidean norm. Gradient 0 at coincident points.

    Args:
        x: (P, 3) or (B, P, 3); a batch is averaged.
        y: (Q, 3) or (B, Q, 3).
    """
    forward, backward = (torch.linalg.vector_norm(d, dim=-1) for d in _two_way_differences(x, y))
    return 0.5 * (forward.mean() + backward.mean())


def earth_movers_distance(
    x: Tensor,
    y: Tensor,
    *,
    method: Literal["auto", "exact", "sinkhorn"] = "auto",
    epsilon: float = 0.01,
    iterations: int = 200,
) -> Tensor:
    """Earth Mover's distance between point sets of equal total mass 1: ``min_T sum_ij T_ij |x_i - y_j|``, a length.

    For sets of one size this is the mean of ``|x - phi(x)|`` under the best bijection phi; times P it is the sum of Fan
    et al. 2017, *A Point Set Generation Network*.

    ``exact`` solves the assignment problem (sets of one size; time grows as P^3). ``sinkhorn`` works for any sizes and
    on any device: Cuturi 2013, *Sinkhorn Distances*, in the log domain, the regularisation lowered in steps from the
    largest distance to its final value. The value is the cost of its plan, without the entropy: never below the exact
    distance and, unless the iterations run out, above it by at most ``epsilon * log(min(P, Q))`` mean distances, in
    practice by about ``epsilon``. The gradient holds the plan fixed, which is exact for ``exact`` and, as epsilon goes
    to 0, for ``sinkhorn``.

    Args:
        x: (P, 3) or (B, P, 3); a batch is averaged.
        y: (Q, 3) or (B, Q, 3).
        method: ``auto`` is ``exact`` for sets of one size up to 2048 points, else ``sinkhorn``.
        epsilon: final regularisation of ``sinkhorn``, as a fraction of the mean distance between x and y.
        iterations: most Sinkhorn iterations at the final epsilon. Each takes O(P Q) time and memory.

    Raises:
        ValueError: for sets of different sizes with ``exact``, or options out of range.
    """
    if method not in ("auto", "exact", "sinkhorn"):
        raise ValueError(f"method: expected 'auto', 'exact' or 'sinkhorn', got {method!r}")
    if not epsilon > 0 or iterations < 1:
        raise ValueError(f"epsilon, iterations: expected positive numbers, got {epsilon}, {iterations}")
    x, y = _checked_pair(x, y, "x", "y")
    if x.ndim == 2:
        x = x[None]
    y = y.expand(len(x), -1, -1)
    same_size = x.shape[1] == y.shape[1]
    if method == "exact" and not same_size:
        raise ValueError(f"y: an exact assignment needs {x.shape[1]} points as in x, got {y.shape[1]}")
    if method == "exact" or (method == "auto" and same_size and x.shape[1] <= _EXACT_LIMIT):
        from scipy.optimize import linear_sum_assignment

        costs = _distances(x.detach(), y.detach()).cpu().numpy()
        assigned = torch.stack([torch.from_numpy(linear_sum_assignment(cost)[1]) for cost in costs]).to(x.device)
        matched = torch.gather(y, 1, assigned[..., None].expand(-1, -1, 3))
        return torch.linalg.vector_norm(x - matched, dim=-1).mean()
    with torch.no_grad():
        plan = _sinkhorn_plan(_distances(x, y), epsilon, iterations)
    return (plan * _distances(x, y)).sum((1, 2)).mean()


def _sinkhorn_plan(cost: Tensor, epsilon: float, iterations: int, tolerance: float = 1e-3) -> Tensor:
    """Entropic transport plan (B, P, Q), rows of sum 1/P and columns of 1/Q, for uniform weights and cost (B, P, Q).

    Updates in the log domain alternate with a run of the much cheaper matrix-vector form on the plan they give, whose
    scalings are then absorbed into the potentials (Schmitzer 2019, *Stabilized sparse scaling algorithms*).
    """
    p, q = cost.shape[1:]
    a, b = 1 / p, 1 / q
    tiny = torch.finfo(cost.dtype).tiny
    target = (epsilon * cost.mean((1, 2), keepdim=True)).clamp(min=tiny)
    eps = torch.maximum(cost.amax((1, 2), keepdim=True), target)
    f, g = cost.new_zeros(len(cost), p, 1), cost.new_zeros(len(cost), 1, q)
    run, done = 20, 0
    while True:
        g = -eps * torch.logsumexp((f - cost) / eps - math.log(p), 1, keepdim=True)
        f = -eps * torch.logsumexp((g - cost) / eps - math.log(q), 2, keepdim=True)
        plan = ((f + g - cost) / eps - math.log(p * q)).exp_()
        u = cost.new_ones(len(cost), p, 1)
        for _ in range(run):
            v = b / (u.mT @ plan).clamp_(min=tiny)
            u = a / (plan @ v.mT).clamp_(min=tiny)
        at_target = bool((eps <= target).all())
        done += run if at_target else 0
        error = (v * (u.mT @ plan) * q - 1).abs().mean((1, 2))
        if at_target and (done >= iterations or bool((error < tolerance).all())):
            break
        # annealing: each pair of potentials is a good start for the next smaller epsilon
        f, g = f + eps * u.log(), g + eps * v.log()
        eps = torch.maximum(0.5 * eps, target)
    # onto the exact marginals (Altschuler et al. 2017, algorithm 2): the cost is then never below the exact distance
    plan = plan.mul_(u).mul_(v)
    plan *= (b / plan.sum(1, keepdim=True).clamp(min=tiny)).clamp(max=1)
    short_rows, short_columns = a - plan.sum(2, keepdim=True), b - plan.sum(1, keepdim=True)
    return plan.addcmul_(short_rows, short_columns / short_rows.sum((1, 2), keepdim=True).clamp(min=tiny))


def _two_way_differences(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """x - nearest in y, (B, P, 3), and y - nearest in x, (B, Q, 3)."""
    x, y = _checked_pair(x, y, "x", "y")
    if x.ndim == 2:
        x = x[None]
    y = y.expand(len(x), -1, -1)

    def difference(a: Tensor, b: Tensor) -> Tensor:
        return a - torch.gather(b, 1, nearest_point(a, b)[..., None].expand(-1, -1, 3))

    return difference(x, y), difference(y, x)


def _distances(x: Tensor, y: Tensor) -> Tensor:
    # the matrix-product form loses half the digits of small distances
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _nearest(points: Tensor, to: Tensor) -> Tensor:
    if points.device.type == "cpu" and len(points) * len(to) >= _TREE_PAIRS:
        from scipy.spatial import cKDTree

        index = cKDTree(to.double().numpy()).query(points.double().numpy(), workers=-1)[1]
        return torch.from_numpy(index).to(torch.int64)
    chunk = max(1, _CHUNK_PAIRS // len(to))
    return torch.cat([_distances(part, to).argmin(-1) for part in points.split(chunk)])


def _checked_pair(x: Tensor, y: Tensor, x_name: str, y_name: str) -> tuple[Tensor, Tensor]:
    for name, value in ((x_name, x), (y_name, y)):
        if not value.is_floating_point():
            raise TypeError(f"{name}: expected a floating-point tensor, got {value.dtype}")
        if value.ndim not in (2, 3) or value.shape[-1] != 3 or 0 in value.shape:
            raise ValueError(f"{name}: expected shape (P, 3) or (B, P, 3) with P >= 1, got {tuple(value.shape)}")
    if y.ndim == 3 and (x.ndim != 3 or len(x) != len(y)):
        raise ValueError(f"{y_name}: expected {x_name}'s batch, {tuple(x.shape)}, got {tuple(y.shape)}")
    if x.dtype != y.dtype:
        raise TypeError(f"{y_name}: expected the dtype of {x_name}, {x.dtype}, got {y.dtype}")
    return x, y
