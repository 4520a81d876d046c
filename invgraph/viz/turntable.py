"""A video of a mesh going round once."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..cameras import Cameras
from ..geometry import Mesh
from .arrays import to_bytes
from .overlay import BACKGROUND
from .shading import shaded


def guess_up(cameras: Cameras) -> Tensor:
    """The world's upward direction, (3,) unit, from how the cameras were held.

    Cameras held level have horizontal x axes, so up is the direction perpendicular to all of them, towards the mean of
    the cameras' own up. Where the x axes do not lie in one plane (cameras rolled) or do not span it (all looking one
    way), it is that mean itself; +y if there is none.
    """
    right, mean_up = cameras.R[:, 0].double(), -cameras.R[:, 1].double().mean(0)
    spread, axes = torch.linalg.eigh(right.mT @ right / len(right))
    level = torch.where(axes[:, 0] @ mean_up < 0, -axes[:, 0], axes[:, 0])
    if spread[0] < 0.01 and spread[1] > 0.05 and level @ mean_up > 0.1:
        return level.to(cameras.R.dtype)
    if torch.linalg.vector_norm(mean_up) < 0.1:
        return cameras.R.new_tensor([0.0, 1.0, 0.0])
    return torch.nn.functional.normalize(mean_up, dim=0).to(cameras.R.dtype)


def orbit_cameras(
    mesh: Mesh,
    *,
    frames: int,
    image_size: tuple[int, int],
    up: Tensor | Sequence[float],
    front: Tensor | Sequence[float] | None = None,
    elevation_deg: float = 18.0,
    fov_deg: float = 30.0,
    margin: float = 1.08,
) -> Cameras:
    """Cameras on a circle about the mesh, at one height and distance, as near as all of it stays in every picture.

    Args:
        mesh: verts (V, 3) in world coordinates.
        frames: number of cameras, evenly spaced over one counter-clockwise turn seen from above.
        image_size: (H, W) in pixels.
        up: (3,) axis of the circle.
        front: (3,) direction from the mesh towards the first camera (its part along ``up`` is ignored); None = any.
        elevation_deg: angle of the cameras above the horizon.
        fov_deg: vertical field of view.
        margin: room left around the mesh, as a factor of its size in the picture.
    """
    if frames < 1:
        raise ValueError(f"frames: expected at least 1, got {frames}")
    verts = mesh.verts.detach().double()
    if verts.ndim != 2 or len(verts) == 0:
        raise ValueError(f"mesh: expected one mesh with verts (V, 3), got {tuple(verts.shape)}")
    axis = torch.as_tensor(up, dtype=torch.float64, device=verts.device)
    if axis.shape != (3,) or not bool(torch.isfinite(axis).all()) or not bool(axis.norm() > 0):
        raise ValueError(f"up: expected a direction of 3 finite numbers, not all zero; got {axis.tolist()}")
    axis = torch.nn.functional.normalize(axis, dim=0)
    start = _perpendicular(axis, front)
    side = torch.linalg.cross(axis, start)

    turn = torch.arange(frames, device=verts.device, dtype=torch.float64)[:, None] * (2 * math.pi / frames)
    level = math.radians(elevation_deg)
    towards = math.cos(level) * (turn.cos() * start + turn.sin() * side) + math.sin(level) * axis  # (frames, 3)
    low, high = mesh.bounding_box()
    center = 0.5 * (low + high).detach().double()

    # a point p is inside the picture from distance d if |x| <= tan * (d - p . towards), and the same for y
    H, W = image_size
    tan_y = math.tan(math.radians(fov_deg) / 2)
    distance = torch.zeros((), dtype=torch.float64, device=verts.device)
    for direction in towards:
        right = torch.nn.functional.normalize(torch.linalg.cross(axis, direction), dim=0)
        above = torch.linalg.cross(direction, right)
        frame = (verts - center) @ torch.stack([right / (tan_y * W / H), above / tan_y, direction], 1)
        needed = margin * torch.maximum(frame[:, 0].abs(), frame[:, 1].abs()) + frame[:, 2]
        distance = torch.maximum(distance, needed.max())
    distance = distance.clamp(min=1e-6)
    eye = center + distance * towards
    dtype = mesh.verts.dtype
    at, above_all = center.expand_as(eye), axis.expand_as(eye)
    return Cameras.look_at(eye.to(dtype), at.to(dtype), above_all.to(dtype), fov_deg, image_size)


def turntable(
    mesh: Mesh,
    path: str | Path,
    *,
    frames: int = 60,
    size: int | tuple[int, int] = 512,
    fps: float = 20,
    up: Tensor | Sequence[float] | None = None,
    cameras: Cameras | None = None,
    elevation_deg: float = 18.0,
    background: tuple[float, float, float] = BACKGROUND,
) -> Path:
    """Write an MP4 of the mesh going round once; it loops without a seam and plays in every browser.

    H.264, yuv420p, index first. The file appears when it is complete.

    Args:
        mesh: verts (V, 3), world coordinates.
        path: file to write, ending in ``.mp4``.
        frames: pictures in the turn.
        size: (height, width) in pixels, or both; raised to even numbers.
        fps: frames per second.
        up: (3,) world direction that is up in the picture; None takes :func:`guess_up` of ``cameras``.
        cameras: cameras of the data, in the mesh's world: they give ``up``, and the first one the side the turn begins
            at. With neither, +y is up.
        elevation_deg: how far above the horizon the camera stands.
        background: sRGB colour in [0, 1].

    Returns:
        ``path``.
    """
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise ValueError(f"path: expected a file name ending in .mp4, got {path}")
    if not fps > 0:
        raise ValueError(f"fps: expected a positive number, got {fps}")
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 16:
        raise ValueError(f"size: expected at least 16 pixels, got {size}")
    image_size = (height + height % 2, width + width % 2)  # yuv420p halves the colour planes
    if up is None:
        up = (0.0, 1.0, 0.0) if cameras is None else guess_up(cameras)
    front = None
    if cameras is not None and len(cameras):
        low, high = mesh.bounding_box()
        front = cameras.centers[0].to(low) - 0.5 * (low + high).detach()
    orbit = orbit_cameras(mesh, frames=frames, image_size=image_size, up=up, front=front, elevation_deg=elevation_deg)

    import imageio.v2 as imageio

    unfinished = path.with_name(f".{path.stem}.partial.mp4")
    writer = imageio.get_writer(
        unfinished,
        fps=fps,
        codec="libx264",
        pixelformat="yuv420p",
        macro_block_size=2,
        quality=None,
        # crf 20: no visible loss; faststart: a browser plays before it has read to the end
        output_params=["-crf", "20", "-movflags", "+faststart"],
        ffmpeg_log_level="error",
    )
    try:
        with writer:
            base = torch.tensor(background)
            for i in range(len(orbit)):
                picture = shaded(mesh, orbit[i : i + 1])[0].cpu().float()
                writer.append_data(to_bytes(picture[..., :3] * picture[..., 3:] + base * (1 - picture[..., 3:])))
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _perpendicular(axis: Tensor, front: Tensor | Sequence[float] | None) -> Tensor:
    """A unit vector perpendicular to ``axis``, on the side of ``front`` where that is possible."""
    if front is not None:
        wish = torch.as_tensor(front, dtype=axis.dtype, device=axis.device)
        wish = wish - (wish @ axis) * axis
        if wish.norm() > 1e-6:
            return torch.nn.functional.normalize(wish, dim=0)
    other = torch.eye(3, dtype=axis.dtype, device=axis.device)[axis.abs().argmin()]
    return torch.nn.functional.normalize(other - (other @ axis) * axis, dim=0)
