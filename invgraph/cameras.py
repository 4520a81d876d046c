"""Cameras, a batch at a time, and a converter from and to each convention in use.

The house convention is OpenCV's: x right, y down, z forward, ``x_cam = R x_world + t``. Pixels are measured from the
image's top-left corner, so the centre of pixel (row i, column j) is ``(u, v) = (j + 0.5, i + 0.5)``.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from . import camera_conventions as conventions
from .camera_batch import ArrayLike, CameraBatch, ProjectionName, as_batch, as_image_size

__all__ = ["Cameras"]


class Cameras(CameraBatch):
    __doc__ = CameraBatch.__doc__

    @staticmethod
    def look_at(eye: ArrayLike, at: ArrayLike, up: ArrayLike, fov_deg: float, image_size: tuple[int, int]) -> Cameras:
        """Cameras at ``eye`` looking at ``at``, ``up`` upwards: (3,) or (N, 3); ``fov_deg`` vertical, in degrees."""
        if not 0 < fov_deg < 180:
            raise ValueError(f"fov_deg must lie between 0 and 180 degrees, got {fov_deg}")
        R, t = conventions.look_at_pose(*as_batch(eye, at, up, dims=(1, 1, 1)))
        H, W = as_image_size(image_size)
        f = R.new_tensor(0.5 * H / math.tan(math.radians(fov_deg) / 2)).expand(len(R))
        K = conventions.intrinsics(f, f, torch.full_like(f, W / 2), torch.full_like(f, H / 2))
        return Cameras(R, t, K, (H, W))

    @staticmethod
    def orthographic(
        eye: ArrayLike, at: ArrayLike, up: ArrayLike, height: float, image_size: tuple[int, int]
    ) -> Cameras:
        """Orthographic cameras, posed as by `look_at`; the picture spans ``height`` world units from top to bottom.

        Pixels are square and ``at`` is in the middle of the picture. What lies before ``eye`` is seen.
        """
        if not (height > 0 and math.isfinite(height)):
            raise ValueError(f"height must be positive and finite, in world units, got {height}")
        R, t = conventions.look_at_pose(*as_batch(eye, at, up, dims=(1, 1, 1)))
        H, W = as_image_size(image_size)
        f = R.new_tensor(H / height).expand(len(R))
        K = conventions.intrinsics(f, f, torch.full_like(f, W / 2), torch.full_like(f, H / 2))
        return Cameras(R, t, K, (H, W), "orthographic")

    @staticmethod
    def from_opengl(c2w: ArrayLike, K: ArrayLike, image_size: tuple[int, int]) -> Cameras:
        """OpenGL or Blender camera-to-world (4, 4) or (N, 4, 4): x right, y up, looking along -z; K as in `Cameras`."""
        pose, intrinsics = as_batch(c2w, K, dims=(2, 2))
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
            H, W = as_image_size(image_size)
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
        q, t, intrinsics = as_batch(qvec, tvec, K, dims=(1, 1, 2))
        return Cameras(conventions.rotation_from_quaternion(q), t, intrinsics, image_size)

    @staticmethod
    def from_projection(P: ArrayLike, image_size: tuple[int, int]) -> Cameras:
        """Projection matrices ``P ~ K [R | t]``, (3, 4) or (N, 3, 4), known up to a factor, as Middlebury has them."""
        (matrix,) = as_batch(P, dims=(2,))
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
            (P,) = as_batch(world_mat, dims=(2,))
        else:
            P = torch.matmul(*as_batch(world_mat, scale_mat, dims=(2, 2)))
        return Cameras.from_projection(P[:, :3], image_size)

    @staticmethod
    def from_opengl_clip(projection: ArrayLike, view: ArrayLike, image_size: tuple[int, int]) -> Cameras:
        """OpenGL's matrices, ``clip = projection @ view @ [x, 1]``, as nvdiffrast's users have them.

        A projection whose w is the depth is perspective (also oblique to the picture's middle), one whose w is 1
        orthographic. ``view`` goes from the world to OpenGL's eye (x right, y up, looking along -z). The near and far
        planes of the projection belong to no camera: give them to :func:`invgraph.render.render`. OpenGL and
        nvdiffrast have row 0 of a picture at the bottom: ``flip(0)`` it to compare.

        Args:
            projection, view: (4, 4) or (N, 4, 4).
            image_size: (height, width).

        Raises:
            ValueError: a projection that is neither, that shears depth into an orthographic picture, that has rows and
                columns which are not the picture's (a rotation in it), or a view that is not a rigid motion.
        """
        matrix, pose = as_batch(projection, view, dims=(2, 2))
        size = as_image_size(image_size)
        K, kind = conventions.intrinsics_from_opengl(matrix, size)
        R, t = conventions.flip(pose[:, :3, :3], 1.0, -1.0, -1.0), conventions.flip(pose[:, :3, 3], 1.0, -1.0, -1.0)
        return Cameras(R, t, K, size, kind)

    @staticmethod
    def from_kornia(camera: Any) -> Cameras:
        """A ``kornia.geometry.camera.PinholeCamera``: world to camera like ours, but pixel centres at whole numbers.

        There the centre of the first pixel is (0, 0), here (0.5, 0.5): the principal point gains half a pixel.

        Raises:
            ValueError: its cameras have several image sizes, or it is not of shape (N, 4, 4).
        """
        extrinsics, intrinsics = camera.extrinsics, camera.intrinsics
        sizes = {(int(h), int(w)) for h, w in zip(camera.height, camera.width)}
        if len(sizes) > 1:
            raise ValueError(f"camera: expected one image size for all its cameras, got {sorted(sizes)}")
        if not sizes or extrinsics.ndim != 3:
            raise ValueError(f"camera: expected matrices of shape (N, 4, 4), N > 0, got {tuple(extrinsics.shape)}")
        K = conventions.shift_pixels(intrinsics[:, :3, :3], 0.5)
        return Cameras(extrinsics[:, :3, :3], extrinsics[:, :3, 3], K, sizes.pop())

    @staticmethod
    def from_pytorch3d(
        R: ArrayLike,
        T: ArrayLike,
        focal_length: ArrayLike,
        principal_point: ArrayLike,
        image_size: tuple[int, int] | Tensor,
        *,
        in_ndc: bool = True,
        projection: ProjectionName = "perspective",
    ) -> Cameras:
        """PyTorch3D's PerspectiveCameras or OrthographicCameras: ``x_view = x R + T`` with row vectors, +x left, +y up,
        z forward.

        Args:
            R, T: (N, 3, 3), (N, 3).
            focal_length, principal_point: (N, 2) as (x, y); in normalised device coordinates, where the shorter side of
                the picture spans [-1, 1], or in pixels where ``in_ndc`` is false (PyTorch3D's screen space).
            image_size: (height, width); as PyTorch3D has it, (1, 2) or (N, 2), too, of one size.
            projection: ``"orthographic"`` for OrthographicCameras.
        """
        rows, shift, f, p = as_batch(R, T, focal_length, principal_point, dims=(2, 1, 1, 1))
        if isinstance(image_size, Tensor):
            sizes = image_size.reshape(-1, 2).unique(dim=0)
            if len(sizes) != 1:
                raise ValueError(f"image_size: expected one size for all cameras, got {sizes.tolist()}")
            image_size = tuple(sizes[0].tolist())
        H, W = as_image_size(image_size)
        if in_ndc:
            half = min(H, W) / 2
            f, p = f * half, p.new_tensor([W / 2, H / 2]) - p * half
        f = f.expand(-1, 2)
        K = conventions.intrinsics(f[:, 0], f[:, 1], p[:, 0], p[:, 1])
        return Cameras(*conventions.opencv_from_pytorch3d(rows, shift), K, (H, W), projection)

    @staticmethod
    def from_pytorch3d_cameras(cameras: Any, image_size: tuple[int, int] | None = None) -> Cameras:
        """Any of PyTorch3D's linear cameras as an object: Perspective, Orthographic, FoVPerspective, FoVOrthographic.

        Their near and far planes are not carried over. ``image_size`` (height, width) may be left out where the object
        has one.
        """
        if image_size is None:
            known = cameras.get_image_size() if hasattr(cameras, "get_image_size") else None
            sizes = set() if known is None else {(int(h), int(w)) for h, w in known}
            if len(sizes) != 1:
                raise ValueError(f"image_size: expected (height, width), as the cameras hold {sorted(sizes) or 'none'}")
            image_size = sizes.pop()
        to_ndc = cameras.get_ndc_camera_transform(image_size=torch.tensor([image_size], device=cameras.device))
        matrix = cameras.get_projection_transform().compose(to_ndc).get_matrix()  # of row vectors
        perspective = bool(cameras.is_perspective())
        f = torch.stack([matrix[:, 0, 0], matrix[:, 1, 1]], -1)
        R, T, p = cameras.R, cameras.T, matrix[:, 2 if perspective else 3, :2]
        kind: ProjectionName = "perspective" if perspective else "orthographic"
        return Cameras.from_pytorch3d(R, T, f, p, image_size, projection=kind)

    def to_opengl(self, near: float, far: float) -> Tensor:
        """(N, 4, 4) matrices from the world to OpenGL clip space (x right, y up), as nvdiffrast takes them.

        Column vectors: ``clip = M [x, 1]``, w the depth, or 1 for orthographic cameras, whose ``near`` may be negative.
        Row 0 of an image drawn in OpenGL is at the bottom: flip it vertically.
        """
        if not near < far or not math.isfinite(near) or not math.isfinite(far) or (self.is_perspective and near <= 0):
            low = "0 < near" if self.is_perspective else "near"
            raise ValueError(f"expected {low} < far, both finite, got near={near}, far={far}")
        return conventions.clip_matrix(self.R, self.t, self.K, self.image_size, near, far, self.is_perspective)

    def to_kornia(self) -> Any:
        """``kornia.geometry.camera.PinholeCamera``: the principal point half a pixel less, as kornia's pixel centres
        are whole numbers. Perspective cameras only."""
        from kornia.geometry.camera import PinholeCamera  # here: it is slow to import

        if not self.is_perspective:
            raise ValueError("kornia's PinholeCamera is perspective; these cameras are orthographic")
        extrinsics, intrinsics = torch.eye(4).to(self.R).repeat(2, len(self), 1, 1)
        extrinsics = torch.cat([torch.cat([self.R, self.t[..., None]], -1), extrinsics[:, 3:]], 1)
        K = conventions.shift_pixels(self.K, -0.5)
        intrinsics = torch.cat([torch.cat([K, torch.zeros_like(K[..., :1])], -1), intrinsics[:, 3:]], 1)
        H, W = (torch.full((len(self),), n, device=self.R.device) for n in self.image_size)
        return PinholeCamera(intrinsics, extrinsics, H, W)

    def to_pytorch3d(self) -> dict[str, Tensor | bool]:
        """Arguments for ``pytorch3d.renderer.PerspectiveCameras(**...)``, in its normalised device coordinates; from
        orthographic cameras for ``OrthographicCameras(**...)``.

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
