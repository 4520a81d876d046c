"""Do the silhouettes and the cameras agree? Where the views look, and a coarse carving that lets them vote.

Rough by intention: it works on a 64^3 grid and on masks reduced until a voxel is about a pixel, with a tolerance of a
pixel and a half, so what it calls a disagreement is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .views import Views

GRID = 64


@dataclass(frozen=True)
class Target:
    """What the views look at.

    Attributes:
        center: (3,) point nearest to all rays through the masks' centroids, robustly.
        radius: of the object about it, world units, from the extents of the masks.
        miss: (N,) distance of each view's centroid ray from ``center``, relative to the camera's distance from it.
        depth: (N,) of ``center`` before each camera; negative where it lies behind.
    """

    center: Tensor
    radius: float
    miss: Tensor
    depth: Tensor


def find_target(views: Views) -> Target:
    """Least squares for the point nearest to the rays through the masks' centroids, reweighted to stand wrong views.

    Iterated weights 1 / distance give the point of least summed distance (Weiszfeld); a minority cannot drag it away.
    """
    cameras = views.cameras.to("cpu", torch.float64)
    masks = views.masks.cpu().double()
    _, H, W = masks.shape
    u, v = torch.arange(W).double() + 0.5, torch.arange(H).double() + 0.5
    area = masks.sum((1, 2)).clamp(min=1e-9)
    mean_u, mean_v = (masks.sum(1) @ u) / area, (masks.sum(2) @ v) / area
    pixel = torch.stack([mean_u, mean_v, torch.ones_like(mean_u)], -1)[..., None]
    ray = torch.linalg.solve_triangular(cameras.K, pixel, upper=True)
    ray = torch.nn.functional.normalize((cameras.R.mT @ ray)[..., 0], dim=-1)

    across = torch.eye(3).double() - ray[:, :, None] * ray[:, None, :]  # projects onto the plane across the ray
    weight = torch.ones(len(views)).double()
    center = cameras.centers.mean(0)
    for _ in range(20):
        A = (weight[:, None, None] * across).sum(0)
        b = (weight[:, None, None] * across @ cameras.centers[..., None]).sum(0)[:, 0]
        center = torch.linalg.lstsq(A + 1e-9 * A.trace() * torch.eye(3), b).solution
        off = (across @ (center - cameras.centers)[..., None])[..., 0].norm(dim=-1)
        weight = 1 / (off + 1e-3 * off.median() + 1e-12)
        weight = weight / weight.sum()
    distance = (center - cameras.centers).norm(dim=-1).clamp(min=1e-12)

    seen = cameras.project(center[None])[:, 0]
    du, dv = (u - seen[:, :1]).abs(), (v - seen[:, 1:2]).abs()
    object_ = masks > 0.5
    reach = torch.maximum((object_.any(1) * du).amax(1), (object_.any(2) * dv).amax(1))
    focal = torch.minimum(cameras.K[:, 0, 0], cameras.K[:, 1, 1])
    extents = (reach * seen[:, 2].abs() / focal).sort().values
    return Target(center, float(extents[len(extents) // 2]) * 1.2, off / distance, seen[:, 2])


@dataclass(frozen=True)
class Consensus:
    """The outcome of the vote.

    Attributes:
        covered: (N,) the share of each mask that the hull explains; for a view in ``outvoted`` the hull of the others.
        outvoted: views without which the others agree much better.
    """

    covered: Tensor
    outvoted: tuple[int, ...]


def vote(views: Views, target: Target) -> Consensus:
    """Carve a coarse grid with all masks, and find the views without which the rest agree.

    A point is carved by a view that sees it and sees background there. A wrong view betrays itself by carving many
    points that few others carve.
    """
    points = _grid(target)
    focal = views.cameras.K[:, 0, 0].cpu().double()
    voxel = float((focal / target.depth.abs().clamp(min=1e-9)).median()) * 2 * target.radius / GRID  # in pixels
    H, W = (max(8, round(n / max(1.0, voxel))) for n in views.cameras.image_size)
    small = views.resize((H, W))
    cameras = small.cameras.to("cpu", torch.float32)
    # tolerant: anything of the object in reach of a pixel and a half counts, and so does what nobody knows
    tolerant = small.masks.cpu() > 0.02
    if small.known is not None:
        tolerant |= ~small.known.cpu()
    tolerant = _grow(tolerant)
    solid = small.masks.cpu() > 0.5

    pixels = torch.empty(len(views), len(points), dtype=torch.int64)
    carved = torch.empty(len(views), len(points), dtype=torch.bool)
    seen = torch.zeros(len(points), dtype=torch.int32)
    for i in range(len(views)):  # a view at a time bounds the memory
        uvz = cameras[i].project(points)[0]
        u, v = uvz[:, 0].floor(), uvz[:, 1].floor()
        inside = (uvz[:, 2] > 0) & (u >= 0) & (u < W) & (v >= 0) & (v < H)
        pixels[i] = torch.where(inside, v * W + u, torch.full_like(u, H * W)).long()
        carved[i] = inside & ~torch.cat([tolerant[i].flatten(), torch.tensor([False])])[pixels[i]]
        seen += inside
    enough = seen * 2 >= len(views)

    def coverage(left: list[int]) -> Tensor:
        """(N,) how much of every mask the hull of the views in ``left`` explains."""
        hull = enough & ~carved[left].any(0)
        shadow = torch.zeros(len(views), H * W + 1, dtype=torch.bool)
        shadow.scatter_(1, pixels[:, hull], True)
        shadow = _grow(shadow[:, :-1].reshape(-1, H, W))
        return (shadow & solid).sum((1, 2)) / solid.sum((1, 2)).clamp(min=1)

    everyone = list(range(len(views)))
    outvoted = _outvoted(everyone, carved[:, enough], lambda left: float(coverage(left)[left].mean()))
    return Consensus(coverage([i for i in everyone if i not in outvoted]), outvoted)


def _outvoted(everyone: list[int], carved: Tensor, agreement: Callable[[list[int]], float]) -> tuple[int, ...]:
    """The fewest views without which the others agree as well as they can, if that is much better than with them.

    Greedy: leave out, up to a third, the view that carves most where few others do, a point counting 1 / votes^2; then
    take back whoever does no harm.
    """
    left, trail = everyone, [(everyone, agreement(everyone))]
    while len(left) > max(2, 2 * len(everyone) // 3) and trail[-1][1] < 0.99:
        votes = carved[left].sum(0)
        blame = (carved[left] / votes.clamp(min=1) ** 2).sum(1)
        suspect = left[int(blame.argmax())]
        left = [i for i in left if i != suspect]
        trail.append((left, agreement(left)))
    best = max(agreed for _, agreed in trail)
    if best < trail[0][1] + 0.03:
        return ()
    left, agreed = next(step for step in trail if step[1] > best - 0.01)
    for i in sorted(set(everyone) - set(left)):
        if agreement([*left, i]) > agreed - 0.01:
            left = [*left, i]
    return tuple(sorted(set(everyone) - set(left)))


def _grid(target: Target) -> Tensor:
    """(GRID^3, 3) cell centres of the cube about the target."""
    axis = (torch.arange(GRID) + 0.5) * (2 / GRID) - 1
    return target.center.float() + torch.cartesian_prod(axis, axis, axis) * target.radius


def _grow(masks: Tensor) -> Tensor:
    """(N, H, W) bool, grown by one pixel in all eight directions."""
    return torch.nn.functional.max_pool2d(masks.float()[:, None], 3, 1, 1)[:, 0] > 0


def worst_tangency(directions: Tensor) -> tuple[float, Tensor]:
    """How badly some side of the object is seen by silhouettes from these unit directions (N, 3) object to camera.

    A silhouette shows the surface where it is seen edge-on, so the surface with normal n is measured well if some view
    direction is across n. Returns the largest angle over n (degrees, 0 best, 90 worst) by which the best view fails to
    be, and that n (3,).
    """
    n = 2000
    k = torch.arange(n, dtype=directions.dtype) + 0.5
    z, phi = 1 - 2 * k / n, k * (torch.pi * (3 - 5**0.5))  # Fibonacci sphere
    normals = torch.stack([phi.cos() * (1 - z * z).sqrt(), phi.sin() * (1 - z * z).sqrt(), z], -1)
    off = (normals @ directions.mT).abs().amin(1)
    worst = int(off.argmax())
    return float(torch.rad2deg(torch.asin(off[worst].clamp(max=1)))), normals[worst]
