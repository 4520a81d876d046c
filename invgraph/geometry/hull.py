"""The visual hull: the largest shape that has the given silhouettes (Laurentini 1994), as a closed mesh."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cameras import Cameras
from ..errors import InputError
from .hull_bounds import search_bounds, why_empty
from .hull_field import HullField
from .hull_grid import close_in_box, extract, keep_large, sample_near_zero, smooth
from .hull_topology import cut_bridges
from .mesh import Mesh


def visual_hull(
    cameras: Cameras,
    masks: Tensor,
    *,
    known: Tensor | None = None,
    bounds: tuple[Tensor, Tensor] | None = None,
    resolution: int = 160,
    min_votes: int = 1,
    min_views: int | None = None,
    min_volume: float = 0.01,
    smoothing: float = 0.7,
    cut_loops: bool = True,
) -> Mesh:
    """Intersect the cones through the silhouettes of soft masks.

    Sampled coarse to fine, only near the surface, as a continuous field whose zero lies where silhouette outlines
    (found in the masks to a fraction of a pixel) project to, then extracted by marching cubes. Each view carves only
    where it sees: a point outside of its image, on an unknown pixel or behind the camera is left to the other views, so
    the object may leave the image in some views.

    Args:
        cameras: N cameras.
        masks: (N, H, W) coverage in [0, 1]; the outline is at 0.5.
        known: (N, H, W) bool, false where a mask says nothing; None: all is known.
        bounds: lowest and highest corner (3,), (3,) of the box to search, world units; None: found by
            :func:`carve_bounds`. A hull that reaches out of the box is cut and closed there.
        resolution: grid cells along the longest side of the box, 8 to 1024. Time and faces grow with its square.
        min_votes: a point is carved only if this many views say so; above 1 it forgives masks that miss a part, at the
            price of a fatter hull.
        min_views: a point is carved if fewer images than this contain it, seen or not as part of the object; None:
            three quarters of the views. The object may leave some images, but space that many do not see is not
            filled: half the views leave phantoms round the dino of Middlebury, two thirds and more leave none.
        min_volume: drop components smaller than this fraction of the largest.
        smoothing: standard deviation, in cells, of a Gaussian average of the field, 0 to 2. It rounds the creases where
            the cones meet, which the object seldom has: normals come nearer to the truth, distances too or hardly
            change. Parts thinner than about three times this thin out; 0 gives the hull itself.
        cut_loops: cut bridges, under two cells thick, that only add a handle to the shape (:func:`cut_bridges`).

    Returns:
        A closed mesh in the world's units, counter-clockwise outside, in the masks' dtype and on their device.

    Raises:
        InputError: no point is inside all silhouettes, or nothing bounds the hull.
        ValueError, TypeError: shapes, dtypes or ranges that do not fit.
    """
    if not 8 <= resolution <= 1024:
        raise ValueError(f"resolution: expected 8 to 1024 cells, got {resolution}")
    if not 0 <= min_volume <= 1:
        raise ValueError(f"min_volume: expected a fraction in [0, 1], got {min_volume}")
    if not 0 <= smoothing <= 2:
        raise ValueError(f"smoothing: expected 0 to 2 cells, got {smoothing}")
    field, cameras, masks = _prepare(cameras, masks, known, min_votes, min_views, resolution)
    if bounds is None:
        low, high = search_bounds(field, cameras, masks)
    else:
        low, high = _check_bounds(bounds, masks)
    values, origin, step = sample_near_zero(field.within(low, high), low, high, resolution)
    values = smooth(values, smoothing)
    mesh = extract(close_in_box(values, origin, step, low, high), origin, step)
    if mesh is None:
        raise InputError(why_empty(cameras, masks))
    mesh = keep_large(mesh, min_volume)
    if cut_loops and _handles(mesh) > 0:
        simpler = extract(close_in_box(cut_bridges(values, step), origin, step, low, high), origin, step)
        if simpler is not None:
            simpler = keep_large(simpler, min_volume)
            if _handles(simpler) < _handles(mesh):
                return simpler
    return mesh


def _handles(mesh: Mesh) -> int:
    """Genus, summed over the components of a closed mesh without unused vertices."""
    return int(mesh.topology.components().max()) + 1 - mesh.euler_characteristic // 2


def carve_bounds(
    cameras: Cameras,
    masks: Tensor,
    *,
    known: Tensor | None = None,
    min_votes: int = 1,
    min_views: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Lowest and highest corner (3,), (3,) of a box that contains the visual hull, some 2% larger than it.

    Arguments and errors as for :func:`visual_hull`.
    """
    field, cameras, masks = _prepare(cameras, masks, known, min_votes, min_views, 64)
    return search_bounds(field, cameras, masks)


def _prepare(
    cameras: Cameras, masks: Tensor, known: Tensor | None, min_votes: int, min_views: int | None, resolution: int
) -> tuple[HullField, Cameras, Tensor]:
    """Checked and, where the images are much finer than the grid, shrunk inputs; the field over them."""
    n, (H, W) = len(cameras), cameras.image_size
    if not cameras.is_perspective:
        raise ValueError("cameras: a visual hull takes perspective ones, got orthographic")
    if not masks.is_floating_point():
        raise TypeError(f"masks: expected floating point values in [0, 1], got {masks.dtype}")
    if masks.shape != (n, H, W):
        raise ValueError(f"masks: expected shape {(n, H, W)} as the cameras have, got {tuple(masks.shape)}")
    if not bool(((masks >= 0) & (masks <= 1)).all()):
        raise ValueError("masks: expected values in [0, 1]")
    if known is not None and (known.dtype != torch.bool or known.shape != masks.shape):
        raise ValueError(f"known: expected bool of shape {(n, H, W)}, got {known.dtype} {tuple(known.shape)}")
    if n < 2:
        raise InputError(f"a visual hull takes at least 2 views, got {n}")
    if not 1 <= min_votes <= n:
        raise ValueError(f"min_votes: expected 1 to {n}, got {min_votes}")
    if int((masks.flatten(1).amax(1) <= 0.5).sum()) >= min_votes:
        raise InputError(why_empty(cameras, masks))
    least = (3 * n + 3) // 4 if min_views is None else min_views
    if not 0 <= least <= n:
        raise ValueError(f"min_views: expected 0 to {n}, got {min_views}")
    masks = masks.detach()
    cameras = cameras.to(device=masks.device, dtype=masks.dtype)
    factor = min(H, W) // (2 * resolution)
    if factor > 1:
        cameras, masks, known = _shrink(cameras, masks, known, factor)
    return HullField(cameras, masks, known, min_votes, least), cameras, masks


def _shrink(cameras: Cameras, masks: Tensor, known: Tensor | None, k: int) -> tuple[Cameras, Tensor, Tensor | None]:
    """Average blocks of k x k pixels; a block is known if all of it is. Coverage keeps the outline's position."""
    H, W = cameras.image_size
    h, w = -(-H // k), -(-W // k)
    if (h * k, w * k) != (H, W):  # what the last blocks lack is unknown
        known = torch.ones_like(masks, dtype=torch.bool) if known is None else known
        known = torch.nn.functional.pad(known, (0, w * k - W, 0, h * k - H))
        masks = torch.nn.functional.pad(masks, (0, w * k - W, 0, h * k - H))
    small = torch.nn.functional.avg_pool2d(masks[:, None], k)[:, 0]
    if known is not None:
        known = known.view(len(masks), h, k, w, k).all(4).all(2)
    scale = cameras.K.new_tensor([1 / k, 1 / k, 1])
    return Cameras(cameras.R, cameras.t, cameras.K * scale[:, None], (h, w)), small, known


def _check_bounds(bounds: tuple[Tensor, Tensor], masks: Tensor) -> tuple[Tensor, Tensor]:
    low, high = (torch.as_tensor(b).to(masks) for b in bounds)
    if (
        low.shape != (3,)
        or high.shape != (3,)
        or not bool((low < high).all())
        or not bool((high - low).isfinite().all())
    ):
        raise ValueError(f"bounds: expected two corners (3,), the first below the second, got {bounds}")
    return low, high
