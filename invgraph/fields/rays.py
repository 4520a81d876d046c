"""Rays of cameras, and the stretch of each that lies in a box."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..cameras import Cameras

NEAR_FRACTION = 1e-3  # a perspective camera within the box begins at this fraction of the depth at which it leaves it


@dataclass(frozen=True, eq=False)
class Rays:
    """M rays, each measured by the depth z of its points: ``x(z) = origin + z direction``.

    Attributes:
        origins: (M, 3) world points of depth 0.
        directions: (M, 3) world steps that add 1 to the depth; their lengths are 1 on a camera's axis, more beside it.
        view: (M,) int64, the camera of each.
        focal: (M,) pixels that one world unit across the ray spans at depth 1; at any depth for orthographic cameras.
        perspective: whether that shrinks with the depth.
    """

    origins: Tensor
    directions: Tensor
    view: Tensor
    focal: Tensor
    perspective: bool

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, index: Tensor | slice) -> Rays:
        """Some of the rays."""
        return Rays(self.origins[index], self.directions[index], self.view[index], self.focal[index], self.perspective)

    def points(self, depth: Tensor) -> Tensor:
        """(M, S, 3) world points at depths (M, S)."""
        return self.origins[:, None] + depth[..., None] * self.directions[:, None]

    def pixel_size(self, depth: Tensor) -> Tensor:
        """World units that one pixel spans at depths (M, S): (M, S), or (M, 1) where the depth does not matter.

        The geometric mean of both axes of the picture; beside the axis of a wide perspective camera, where the picture
        is stretched, it is the size in the middle.
        """
        return (depth if self.perspective else 1.0) / self.focal[:, None]

    def within(self, bounds: Tensor) -> tuple[Tensor, Tensor]:
        """Depths (M,) at which the rays enter and leave the box ``bounds`` (2, 3); ``near >= far`` for those that miss.

        What lies behind the camera is cut off. Differentiable with respect to the rays.
        """
        least = torch.finfo(self.directions.dtype).tiny ** 0.5
        step = torch.where(self.directions.abs() < least, least, self.directions)
        crossing = (bounds[:, None] - self.origins) / step
        near, far = crossing.amin(0).amax(-1), crossing.amax(0).amin(-1)
        return torch.maximum(near, far * NEAR_FRACTION if self.perspective else far.new_zeros(())), far


def camera_rays(cameras: Cameras, pixels: Tensor | None = None) -> Rays:
    """The rays through points of the pictures, view after view.

    Args:
        cameras: N of them.
        pixels: (N, P, 2) pixel coordinates (u, v) in each picture, as ``cameras.project`` gives them: the centre of
            pixel (row i, column j) is ``(j + 0.5, i + 0.5)``. None: the centres of all pixels, row by row.

    Returns:
        N * P rays, or N * H * W; differentiable with respect to the cameras and the pixels.

    Raises:
        TypeError, ValueError: ``pixels`` of another dtype or shape.
    """
    if pixels is None:
        pixels = pixel_centers(cameras).expand(len(cameras), -1, 2)
    elif not isinstance(pixels, Tensor) or pixels.dtype != cameras.R.dtype:
        got = pixels.dtype if isinstance(pixels, Tensor) else type(pixels).__name__
        raise TypeError(f"pixels: expected coordinates (u, v) of the cameras' dtype {cameras.R.dtype}, got {got}")
    elif pixels.ndim != 3 or pixels.shape[0] != len(cameras) or pixels.shape[2] != 2:
        raise ValueError(f"pixels: expected shape ({len(cameras)}, P, 2), got {tuple(pixels.shape)}")
    count = pixels.shape[1]
    ones = pixels.new_ones(len(cameras), count, 1)
    plane = torch.linalg.solve_triangular(cameras.K, torch.cat([pixels, ones], -1).mT, upper=True).mT  # at depth 1
    if cameras.is_perspective:
        origins = cameras.centers[:, None].expand(-1, count, 3)
        directions = plane @ cameras.R
    else:
        flat = torch.cat([plane[..., :2], torch.zeros_like(ones)], -1)
        origins = (flat - cameras.t[:, None]) @ cameras.R
        directions = cameras.directions[:, None].expand(-1, count, 3)
    focal = (cameras.K[:, 0, 0] * cameras.K[:, 1, 1]).sqrt()
    view = torch.arange(len(cameras), device=pixels.device)
    return Rays(
        origins.reshape(-1, 3),
        directions.reshape(-1, 3),
        view.repeat_interleave(count),
        focal.repeat_interleave(count),
        cameras.is_perspective,
    )


def pixel_centers(cameras: Cameras) -> Tensor:
    """(H * W, 2) coordinates (u, v) of the centres of a picture's pixels, row by row."""
    H, W = cameras.image_size
    u, v = (torch.arange(n, dtype=cameras.R.dtype, device=cameras.R.device) + 0.5 for n in (W, H))
    return torch.stack([u.expand(H, W), v[:, None].expand(H, W)], -1).reshape(-1, 2)
