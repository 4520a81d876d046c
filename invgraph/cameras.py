"""Pinhole cameras, a batch at a time, and a converter from and to each convention in use.

The house convention is OpenCV's: x right, y down, z forward, ``x_cam = R x_world + t``. Pixels are measured from the
image's top-left corner, so the centre of pixel (row i, column j) is ``(u, v) = (j + 0.5, i + 0.5)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import camera_conventions as conventions

ArrayLike = Tensor | np.ndarray | Sequence


@dataclass(frozen=True, eq=False)
class Cameras:
    """N pinhole cameras that share an image size.

    Attributes:
        R: (N, 3, 3) rotations, world to camera.
        t: (N, 3) translations in world units, ``x_cam = R x + t``.
        K: (N, 3, 3) upper triangular, pixels: ``[[fx, skew, cx], [0, fy, cy], [0, 0, 1]]``, fx and fy positive.
        image_size: (height, width) in pixels.

    Raises:
        TypeError: R, t, K are not floating tensors of one dtype and device.
        ValueError: a wrong shape; or, naming the camera by its index: NaN or infinity, a matrix R that is not a
            rotation (tolerance 1e-3) or is left-handed, a singular K.
    """

    R: Tensor
    t: Tensor
    K: Tensor
    image_size: tuple[int, int]

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
        object.__setattr__(self, "image_size", _image_size(self.image_size))
        faults = conventions.camera_faults(self.R, self.t, self.K)
        if faults:
            more = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
            raise ValueError(f"camera {faults[0][0]}: {faults[0][1]}{more}")

    def _with(self, R: Tensor, t: Tensor, K: Tensor, image_size: tuple[int, int] | None = None) -> Cameras:
        """A batch derived from this one: sound by construction, so the validation (and its device sync) is skipped."""
        new = object.__new__(Cameras)
        for name, value in (("R", R), ("t", t), ("K", K), ("image_size", image_size or self.image_size)):
            object.__setattr__(new, name, value)
        return new

    def __len__(self) -> int:
        return len(self.R)

    def __repr__(self) -> str:
        H, W = self.image_size
        return f"Cameras({len(self)} of {W}x{H} pixels, {self.R.dtype}, {self.R.device})"

    def __getitem__(self, index: int | slice | Tensor | Sequence[int]) -> Cameras:
        """A subset, always a batch: an int gives a batch of one."""
        if isinstance(index, int):
            if not -len(self) <= index < len(self):
                raise IndexError(f"camera {index} of {len(self)}")
            index = [index]
        if not isinstance(index, slice):
            index = torch.as_tensor(index, device=self.R.device)
            index = index if index.dtype == torch.bool else index.long()
        return self._with(self.R[index], self.t[index], self.K[index])

    def to(self, device: torch.device | str | torch.dtype | None = None, dtype: torch.dtype | None = None) -> Cameras:
        """On another device and/or in another floating dtype; like ``Tensor.to``, a dtype may come first."""
        if isinstance(device, torch.dtype):
            device, dtype = None, device
        R, t, K = (x.to(device=device, dtype=dtype) for x in (self.R, self.t, self.K))
        return self._with(R, t, K)

    @property
    def centers(self) -> Tensor:
        """(N, 3) camera centres in the world, ``-R^T t``."""
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

        Points with z <= 0 are behind the camera; their u and v mean nothing.
        """
        x = self.world_to_camera(points)
        z = x[..., 2:]
        return torch.cat([(x @ self.K.mT)[..., :2] / z, z], -1)

    def resize(self, image_size: tuple[int, int]) -> Cameras:
        """The same views at another (height, width): K scaled by axis about the top-left corner of the image."""
        H, W = _image_size(image_size)
        scale = self.K.new_tensor([W / self.image_size[1], H / self.image_size[0], 1.0])
        return self._with(self.R, self.t, self.K * scale[:, None], (H, W))

    def normalized(self, center: ArrayLike, scale: float) -> Cameras:
        """Cameras that take the same pictures of the world ``x' = (x - center) / scale``; depths come in new units."""
        if not (scale > 0 and math.isfinite(scale)):
            raise ValueError(f"scale must be positive and finite, got {scale}")
        c = torch.as_tensor(center).to(self.t)
        if c.shape != (3,) or not bool(c.isfinite().all()):
            raise ValueError(f"center must be a finite vector of shape (3,), got {c.tolist()}")
        return self._with(self.R, (self.R @ c + self.t) / scale, self.K)

    def to_opengl(self, near: float, far: float) -> Tensor:
        """(N, 4, 4) matrices from the world to OpenGL clip space (x right, y up, w = depth), as nvdiffrast takes them.

        Column vectors: ``clip = M [x, 1]``. Row 0 of an image drawn in OpenGL is at the bottom: flip it vertically.
        """
        return conventions.clip_matrix(self.R, self.t, self.K, self.image_size, near, far)

    def to_pytorch3d(self) -> dict[str, Tensor | bool]:
        """Arguments for ``pytorch3d.renderer.PerspectiveCameras(**...)``, in its normalised device coordinates.

        There (``in_ndc=True``) the shorter image side spans [-1, 1], +x is left and +y is up.
        """
        if bool((self.K[:, 0, 1] != 0).any()):
            raise ValueError("PyTorch3D cameras have no skew: K[:, 0, 1] must be 0")
        H, W = self.image_size
        half = min(H, W) / 2
        middle = self.K.new_tensor([W / 2, H / 2])
        R, T = conventions.pytorch3d_from_opencv(self.R, self.t)
        return {
            "R": R,
            "T": T,
            "focal_length": torch.stack([self.K[:, 0, 0], self.K[:, 1, 1]], -1) / half,
            "principal_point": (middle - self.K[:, :2, 2]) / half,
            "image_size": torch.tensor([[H, W]], device=self.R.device).expand(len(self), 2),
            "in_ndc": True,
        }

    @staticmethod
    def cat(cameras: Sequence[Cameras]) -> Cameras:
        """One batch from several that share image size, dtype and device."""
        if not cameras:
            raise ValueError("cat needs at least one Cameras")
        sizes = {c.image_size for c in cameras}
        if len(sizes) > 1:
            raise ValueError(f"cameras to concatenate must share an image size, got {sorted(sizes)}; resize them first")
        R, t, K = (torch.cat([getattr(c, name) for c in cameras]) for name in ("R", "t", "K"))
        return cameras[0]._with(R, t, K)

    @staticmethod
    def look_at(eye: ArrayLike, at: ArrayLike, up: ArrayLike, fov_deg: float, image_size: tuple[int, int]) -> Cameras:
        """Cameras at ``eye`` looking at ``at``, ``up`` upwards: (3,) or (N, 3); ``fov_deg`` vertical, in degrees."""
        if not 0 < fov_deg < 180:
            raise ValueError(f"fov_deg must lie between 0 and 180 degrees, got {fov_deg}")
        R, t = conventions.look_at_pose(*_batch(eye, at, up, dims=(1, 1, 1)))
        H, W = _image_size(image_size)
        f = R.new_tensor(0.5 * H / math.tan(math.radians(fov_deg) / 2)).expand(len(R))
        K = conventions.intrinsics(f, f, torch.full_like(f, W / 2), torch.full_like(f, H / 2))
        return Cameras(R, t, K, (H, W))

    @staticmethod
    def from_opengl(c2w: ArrayLike, K: ArrayLike, image_size: tuple[int, int]) -> Cameras:
        """OpenGL or Blender camera-to-world (4, 4) or (N, 4, 4): x right, y up, looking along -z; K as in `Cameras`."""
        pose, intrinsics = _batch(c2w, K, dims=(2, 2))
        return Cameras(*conventions.pose_from_opengl(pose), intrinsics, image_size)

    @staticmethod
    def from_nerf(
        transform_matrix: ArrayLike,
        image_size: tuple[int, int],
        *,
        camera_angle_x: float | None = None,
        K: ArrayLike | None = None,
    ) -> Cameras:
        """The ``transform_matrix`` of NeRF-synthetic and nerfstudio, OpenGL camera-to-world, (4, 4) or (N, 4, 4).

        Intrinsics are either ``camera_angle_x``, the horizontal field of view in radians (square pixels, principal
        point in the middle), or K.
        """
        if camera_angle_x is not None and K is None:
            if not 0 < camera_angle_x < math.pi:
                raise ValueError(f"camera_angle_x must lie between 0 and pi radians, got {camera_angle_x}")
            H, W = _image_size(image_size)
            f = 0.5 * W / math.tan(0.5 * camera_angle_x)
            K = [[f, 0.0, W / 2], [0.0, f, H / 2], [0.0, 0.0, 1.0]]
        elif K is None or camera_angle_x is not None:
            raise ValueError("give camera_angle_x or K, one of the two")
        return Cameras.from_opengl(transform_matrix, K, image_size)

    @staticmethod
    def from_colmap(qvec: ArrayLike, tvec: ArrayLike, K: ArrayLike, image_size: tuple[int, int]) -> Cameras:
        """COLMAP's world-to-camera pose: quaternion ``qvec`` (w, x, y, z) and ``tvec``, (4,) and (3,) or batched.

        COLMAP shares the house's axes and its pixel origin.
        """
        q, t, intrinsics = _batch(qvec, tvec, K, dims=(1, 1, 2))
        return Cameras(conventions.rotation_from_quaternion(q), t, intrinsics, image_size)

    @staticmethod
    def from_projection(P: ArrayLike, image_size: tuple[int, int]) -> Cameras:
        """Projection matrices ``P ~ K [R | t]``, (3, 4) or (N, 3, 4), known up to a factor, as Middlebury has them."""
        (matrix,) = _batch(P, dims=(2,))
        if matrix.shape[1:] != (3, 4):
            raise ValueError(f"P must have shape (3, 4) or (N, 3, 4), got {tuple(matrix.shape)}")
        faults = conventions.projection_faults(matrix)
        if faults:
            raise ValueError(f"camera {faults[0][0]}: {faults[0][1]}")
        return Cameras(*conventions.decompose_projection(matrix), image_size)

    @staticmethod
    def from_idr(world_mat: ArrayLike, image_size: tuple[int, int], *, scale_mat: ArrayLike | None = None) -> Cameras:
        """IDR, NeuS and DTU: ``P = (world_mat @ scale_mat)[:3]``, each (4, 4) or (N, 4, 4).

        Without ``scale_mat`` the cameras live in the data set's own world; with it in the frame that ``scale_mat``
        maps to that world, where the object fits the unit sphere.
        """
        if scale_mat is None:
            (P,) = _batch(world_mat, dims=(2,))
        else:
            P = torch.matmul(*_batch(world_mat, scale_mat, dims=(2, 2)))
        return Cameras.from_projection(P[:, :3], image_size)

    @staticmethod
    def from_pytorch3d(
        R: ArrayLike,
        T: ArrayLike,
        focal_length: ArrayLike,
        principal_point: ArrayLike,
        image_size: tuple[int, int],
        *,
        in_ndc: bool = True,
    ) -> Cameras:
        """PyTorch3D's PerspectiveCameras: ``x_view = x R + T`` with row vectors, +x left, +y up, z forward.

        Args:
            R, T: (N, 3, 3), (N, 3).
            focal_length, principal_point: (N, 2) as (x, y); in normalised device coordinates, or in pixels where
                ``in_ndc`` is false (PyTorch3D's screen space).
            image_size: (height, width).
        """
        rows, shift, f, p = _batch(R, T, focal_length, principal_point, dims=(2, 1, 1, 1))
        H, W = _image_size(image_size)
        if in_ndc:
            half = min(H, W) / 2
            f, p = f * half, p.new_tensor([W / 2, H / 2]) - p * half
        K = conventions.intrinsics(f[:, 0], f[:, 1], p[:, 0], p[:, 1])
        return Cameras(*conventions.opencv_from_pytorch3d(rows, shift), K, (H, W))


def _image_size(size: Sequence[int]) -> tuple[int, int]:
    H, W = (int(n) for n in size)
    if len(size) != 2 or H <= 0 or W <= 0 or tuple(size) != (H, W):
        raise ValueError(f"image_size must be two positive integers (height, width), got {size}")
    return H, W


def _floats(*values: ArrayLike) -> tuple[Tensor, ...]:
    """Tensors of one float dtype on one device: those of the first tensor or array given, else the defaults."""
    # sequences pass through float64 so that no digit is lost on the way to a float64 result
    tensors = [torch.as_tensor(v, dtype=torch.float64 if isinstance(v, Sequence) else None) for v in values]
    typed = [x for x, v in zip(tensors, values, strict=True) if not isinstance(v, Sequence) and x.is_floating_point()]
    like = typed[0] if typed else torch.empty(0)
    return tuple(x.to(like) for x in tensors)


def _batch(*values: ArrayLike, dims: tuple[int, ...]) -> tuple[Tensor, ...]:
    """`_floats`, with a leading N added where it is missing and expanded to the longest."""
    tensors = [x if x.ndim > d else x[None] for x, d in zip(_floats(*values), dims, strict=True)]
    n = max(len(x) for x in tensors)
    if any(x.ndim != d + 1 or len(x) not in (1, n) for x, d in zip(tensors, dims, strict=True)):
        raise ValueError(f"expected one value or {n} for each argument, got shapes {[tuple(x.shape) for x in tensors]}")
    return tuple(x.expand(n, *x.shape[1:]) for x in tensors)
