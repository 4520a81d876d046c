"""Where in the world the object is, from its silhouettes alone."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cameras import Cameras
from ..errors import InputError
from .hull_field import HullField
from .hull_grid import classify_cells

_CELLS = 12  # along the box's longest side, halved _HALVINGS times where the hull may reach
_HALVINGS = 3
_GROWTH = 6  # times that the box may double


def search_bounds(field: HullField, cameras: Cameras, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Box (3,), (3,) around the hull: from the silhouettes' directions and sizes, grown or shrunk until it fits.

    Raises:
        InputError: the rays through the silhouettes meet nowhere in front of the cameras, the hull is empty, or the
            views leave it unbounded.
    """
    middle, radius = _first_guess(cameras, masks)
    half = (1.5 * radius).expand(3)
    for _ in range(_GROWTH):
        low, high, step = _occupied(field, middle, half, cameras, masks)
        # where the hull reaches the wall of the box, look further out on that side
        at_low, at_high = low < middle - half + 0.5 * step, high > middle + half - 0.5 * step
        if not bool((at_low | at_high).any()):
            if float((high - low).max()) < 0.5 * float(half.max()):  # small in this box: look again in its own
                low, high, _ = _occupied(field, 0.5 * (low + high), 0.5 * (high - low) + step, cameras, masks)
            return low, high
        middle = middle + 0.5 * half * (at_high.to(half) - at_low.to(half))
        half = half * (1 + 0.5 * (at_high.to(half) + at_low.to(half)))
    raise InputError(
        "the views do not bound the object: seen from these cameras it may reach arbitrarily far; give the bounds"
    )


def _occupied(
    field: HullField, middle: Tensor, half: Tensor, cameras: Cameras, masks: Tensor
) -> tuple[Tensor, Tensor, float]:
    """Lowest and highest corner (3,), (3,) of the cells of the box that the hull may reach into, and their size."""
    from scipy.ndimage import label

    edge = 2 * float(half.max()) / _CELLS
    shape = torch.ceil(2 * half / edge - 1e-3).long()
    origin = middle - 0.5 * edge * shape
    state = classify_cells(field, origin, shape.tolist(), edge, _HALVINGS)
    step = edge / 2**_HALVINGS
    # Cells stay unsure along the borders of images, far from the object: a group of cells counts if the hull is there
    groups, count = label((state >= 0).cpu().numpy(), torch.ones(3, 3, 3).numpy())
    cells, group = (state >= 0).nonzero(), torch.from_numpy(groups).to(state.device).long()[state >= 0]
    solid = state[state >= 0] > 0
    solid |= field(origin + (cells + 0.5) * step) > 0
    cells = cells[(torch.bincount(group[solid], minlength=count + 1) > 0)[group]]
    if not len(cells):
        raise InputError(why_empty(cameras, masks))
    return origin + cells.amin(0) * step, origin + (cells.amax(0) + 1) * step, step


def _first_guess(cameras: Cameras, masks: Tensor) -> tuple[Tensor, Tensor]:
    """The point nearest to the rays through the silhouettes' centroids, and the largest silhouette's radius there."""
    H, W = cameras.image_size
    v, u = torch.meshgrid(
        torch.arange(H, device=masks.device) + 0.5, torch.arange(W, device=masks.device) + 0.5, indexing="ij"
    )
    pixels = torch.stack([u, v, torch.ones_like(u)], -1).to(masks).view(-1, 3)
    weight = (masks > 0.5).to(masks).view(len(masks), -1)
    area = weight.sum(1)
    shown = area > 0
    if int(shown.sum()) < 2:
        raise InputError(why_empty(cameras, masks))
    cameras, weight, area = cameras[shown], weight[shown], area[shown]
    centroid = weight @ pixels / area[:, None]
    rays = (cameras.R.mT @ torch.linalg.inv(cameras.K) @ centroid[:, :, None])[:, :, 0]
    rays = rays / rays.norm(dim=1, keepdim=True)
    across = torch.eye(3).to(rays) - rays[:, :, None] * rays[:, None, :]  # (N, 3, 3), projects across each ray
    middle = cameras.centers.mean(0)
    right = (across @ (cameras.centers - middle)[:, :, None]).sum(0)
    focus = middle + torch.linalg.lstsq(across.sum(0).double(), right.double()).solution[:, 0].to(rays)
    depth = cameras.world_to_camera(focus[None])[:, 0, 2]
    if not bool((depth > 0).any()) or not bool(focus.isfinite().all()):
        raise InputError(
            "the masks and cameras have no common region: the rays through the silhouettes meet behind the cameras; "
            "are the camera poses in the stated convention?"
        )
    spread = ((pixels[None, :, :2] - centroid[:, None, :2]).norm(dim=2) * weight).amax(1)
    focal = (cameras.K[:, 0, 0] * cameras.K[:, 1, 1]).abs().sqrt()
    return focus, (spread * depth / focal)[depth > 0].max()


def why_empty(cameras: Cameras, masks: Tensor) -> str:
    """What to tell a user whose hull is empty."""
    empty = (masks.flatten(1).amax(1) <= 0.5).nonzero()[:, 0].tolist()
    if empty:
        names = ", ".join(str(i) for i in empty[:8]) + (", ..." if len(empty) > 8 else "")
        return f"the masks and cameras have no common region: nothing is marked in the masks of views {names}"
    return (
        f"the masks and cameras have no common region: no point of space is inside the silhouettes of all {len(masks)} "
        "views that see it; are the camera poses and the masks' order right?"
    )
