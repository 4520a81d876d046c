"""What a batch of cameras is and does; `invgraph.cameras.Cameras` adds its constructors and converters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from . import camera_conventions as conventions

if TYPE_CHECKING:
    from typing_extensions import Self

ArrayLike = Tensor | np.ndarray | Sequence
ProjectionName = Literal["perspective", "orthographic"]


@dataclass(frozen=True, eq=False)
class CameraBatch:
    """N cameras that share an image size and a kind of projection.

    A perspective camera sees ``(u, v, 1) ~ K x_cam``; an orthographic one ``(u, v, 1) = K (x, y, 1)``: its pixels are
    camera units scaled by fx and fy, without division by the depth.

    Attributes:
        R: (N, 3, 3) rotations, world to camera.
        t: (N, 3) translations in world units, ``x_cam = R x + t``.
        K: (N, 3, 3) upper triangular, pixels: ``[[fx, skew, cx], [0, fy, cy], [0, 0, 1]]``, fx and fy positive;
            for orthographic cameras fx, fy and skew are pixels per world unit.
        image_size: (height, width) in pixels.
        projection: ``"perspective"`` or ``"orthographic"``.

    Raises:
        TypeError: R, t, K are not floating tensors of one dtype and device.
        ValueError: a wrong shape; or, naming the camera by its index: NaN or infinity, a matrix R that is not a
            rotation (tolerance 1e-3) or is left-handed, a singular K; an unknown projection.
    """

    R: Tensor
    t: Tensor
    K: Tensor
    image_size: tuple[int, int]
    projection: ProjectionName = "perspective"

    def __post_init__(self) -> None:
        for name, shape in (("R", (3, 3)), ("t", (3,)), ("K", (3, 3))):
            x = getattr(self, name)
            if not isinstance(x, Tensor) or not x.is_floating_point():
                got = x.dtype if isinstance(x, Tensor) else type(x).__name__
                raise TypeError(f"{name} must be a floating-point tensor, got {got}")
            if x.ndim != len(shape) + 1 or tuple(x.shape[1:]) != shape or len(x) != len(self.R):
                want = ("N" if name == "R" else str(len(self.R)), *map(str, shape))
                raise ValueError(f"{name} must have shape ({', '.join(want)}), got {tuple(x.shape)}")
            if x.dtype != self.R.dtype or x.device != self.R.device:
                raise TypeError(
                    f"R, t and K must share dtype and device: R is {self.R.dtype} on {self.R.device}, "
                    f"{name} is {x.dtype} on {x.device}"
                )
        object.__setattr__(self, "image_size", as_image_size(self.image_size))
        if self.projection not in get_args(ProjectionName):
            raise ValueError(f"projection: expected one of {get_args(ProjectionName)}, got {self.projection!r}")
        faults = conventions.camera_faults(self.R, self.t, self.K)
        if faults:
            more = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
            raise ValueError(f"camera {faults[0][0]}: {faults[0][1]}{more}")

    def _with(self, R: Tensor, t: Tensor, K: Tensor, image_size: tuple[int, int] | None = None) -> Self:
        """A batch derived from this one: sound by construction, so the validation (and its device sync) is skipped."""
        new = object.__new__(type(self))
        size = image_size or self.image_size
        for name, value in (("R", R), ("t", t), ("K", K), ("image_size", size), ("projection", self.projection)):
            object.__setattr__(new, name, value)
        return new

    def __len__(self) -> int:
        return len(self.R)

    def __repr__(self) -> str:
        kind = "" if self.is_perspective else f"{self.projection}, "
        size = f"image_size={self.image_size}"
        return f"{type(self).__name__}({len(self)}, {size}, {kind}{self.R.dtype}, {self.R.device})"

    def __getitem__(self, index: int | slice | Tensor | Sequence[int]) -> Self:
        """A subset, always a batch: an int gives a batch of one."""
        if isinstance(index, int):
            if not -len(self) <= index < len(self):
                raise IndexError(f"camera {index} of {len(self)}")
            index = [index]
        if not isinstance(index, slice):
            index = torch.as_tensor(index, device=self.R.device)
            index = index if index.dtype == torch.bool else index.long()
        return self._with(self.R[index], self.t[index], self.K[index])

    def to(self, device: torch.device | str | torch.dtype | None = None, dtype: torch.dtype | None = None) -> Self:
        """On another device and/or in another floating dtype; like ``Tensor.to``, a dtype may come first."""
        if isinstance(device, torch.dtype):
            device, dtype = None, device
        R, t, K = (x.to(device=device, dtype=dtype) for x in (self.R, self.t, self.K))
        return self._with(R, t, K)

    @property
    def is_perspective(self) -> bool:
        """Rays meet in the camera's centre; otherwise (orthographic) they are parallel."""
        return self.projection == "perspective"

    @property
    def centers(self) -> Tensor:
        """(N, 3) camera centres in the world, ``-R^T t``; of orthographic cameras: where camera coordinates are 0."""
        return -conventions.apply(self.R.mT, self.t)

    @property
    def directions(self) -> Tensor:
        """(N, 3) unit optical axes in the world: where each camera looks."""
        return self.R[:, 2]

    def world_to_camera(self, points: Tensor) -> Tensor:
        """(V, 3) or per-camera (N, V, 3) world points -> (N, V, 3) camera coordinates."""
        if points.ndim not in (2, 3) or points.shape[-1] != 3 or (points.ndim == 3 and len(points) != len(self)):
            raise ValueError(f"points must have shape (V, 3) or ({len(self)}, V, 3), got {tuple(points.shape)}")
        if points.dtype != self.R.dtype:
            raise TypeError(f"points must have the cameras' dtype {self.R.dtype}, got {points.dtype}")
        return points @ self.R.mT + self.t[:, None]

    def project(self, points: Tensor) -> Tensor:
        """World points (V, 3) or (N, V, 3) -> (N, V, 3): pixel u, pixel v, and depth z in world units.

        Points with z <= 0 are behind the camera; to a perspective one their u and v mean nothing.
        """
        return conventions.to_pixels(self.world_to_camera(points), self.K, self.is_perspective)

    def resize(self, image_size: tuple[int, int]) -> Self:
        """The same views at another (height, width): K scaled by axis about the top-left corner of the image."""
        H, W = as_image_size(image_size)
        scale = self.K.new_tensor([W / self.image_size[1], H / self.image_size[0], 1.0])
        return self._with(self.R, self.t, self.K * scale[:, None], (H, W))

    def normalized(self, center: ArrayLike, scale: float) -> Self:
        """Cameras that take the same pictures of the world ``x' = (x - center) / scale``; depths come in new units."""
        if not (scale > 0 and math.isfinite(scale)):
            raise ValueError(f"scale must be positive and finite, got {scale}")
        c = torch.as_tensor(center).to(self.t)
        if c.shape != (3,) or not bool(c.isfinite().all()):
            raise ValueError(f"center must be a finite vector of shape (3,), got {c.tolist()}")
        K = self.K
        if not self.is_perspective:  # an orthographic camera magnifies: its units are the world's
            K = K * K.new_tensor([[scale, scale, 1.0], [scale, scale, 1.0], [1.0, 1.0, 1.0]])
        return self._with(self.R, (self.R @ c + self.t) / scale, K)

    @classmethod
    def cat(cls, cameras: Sequence[Self]) -> Self:
        """One batch from several that share image size, projection, dtype and device."""
        if not cameras:
            raise ValueError("cat needs at least one Cameras")
        sizes = {c.image_size for c in cameras}
        if len(sizes) > 1:
            raise ValueError(f"cameras to concatenate must share an image size, got {sorted(sizes)}; resize them first")
        kinds = sorted({c.projection for c in cameras})
        if len(kinds) > 1:
            raise ValueError(f"cameras to concatenate must share a projection, got {kinds}")
        R, t, K = (torch.cat([getattr(c, name) for c in cameras]) for name in ("R", "t", "K"))
        return cameras[0]._with(R, t, K)


def as_image_size(size: Sequence[int]) -> tuple[int, int]:
    """(height, width), checked."""
    wrong = f"image_size must be two positive integers (height, width), got {size}"
    try:
        H, W = (int(n) for n in size)
    except (TypeError, ValueError) as error:
        raise ValueError(wrong) from error
    if H <= 0 or W <= 0 or tuple(size) != (H, W):
        raise ValueError(wrong)
    return H, W


def _floats(*values: ArrayLike) -> tuple[Tensor, ...]:
    """Tensors of one float dtype on one device: those of the first tensor or array given, else the defaults."""
    # sequences pass through float64 so that no digit is lost on the way to a float64 result
    # and arrays through a copy where a stride is negative, which torch has not
    tensors = [
        torch.as_tensor(v, dtype=torch.float64)
        if isinstance(v, Sequence)
        else torch.as_tensor(v.copy() if isinstance(v, np.ndarray) and min(v.strides, default=0) < 0 else v)
        for v in values
    ]
    typed = [x for x, v in zip(tensors, values, strict=True) if not isinstance(v, Sequence) and x.is_floating_point()]
    like = typed[0] if typed else torch.empty(0)
    return tuple(x.to(like) for x in tensors)


def as_batch(*values: ArrayLike, dims: tuple[int, ...]) -> tuple[Tensor, ...]:
    """`_floats`, with a leading N added where it is missing and expanded to the longest."""
    tensors = [x if x.ndim > d else x[None] for x, d in zip(_floats(*values), dims, strict=True)]
    n = max(len(x) for x in tensors)
    if any(x.ndim != d + 1 or len(x) not in (1, n) for x, d in zip(tensors, dims, strict=True)):
        got = [tuple(x.shape) for x in _floats(*values)]
        raise ValueError(f"expected arguments of {dims} axes, or with a leading one of 1 or {n} more, got shapes {got}")
    return tuple(x.expand(n, *x.shape[1:]) for x in tensors)
