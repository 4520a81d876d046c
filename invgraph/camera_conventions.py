"""The arithmetic between camera conventions: pure tensor functions that `invgraph.cameras.Cameras` names and documents.

Everything here is batched over a leading N and speaks the house convention on one side: OpenCV axes (x right, y down,
z forward), ``x_cam = R x + t``, pixels measured from the image's top-left corner.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

ROTATION_TOLERANCE = 1e-3
"""Largest entry of ``R R^T - I`` that still counts as a rotation; text files with four decimals stay below it."""


def camera_faults(R: Tensor, t: Tensor, K: Tensor) -> list[tuple[int, str]]:
    """Everything wrong with a batch of cameras, as (camera index, sentence about it); empty when all are sound.

    Args:
        R, t, K: (N, 3, 3), (N, 3), (N, 3, 3) of matching float dtype.
    """
    R, t, K = (x.detach().to("cpu", torch.float64) for x in (R, t, K))
    faults: list[tuple[int, str]] = []
    finite = [(name, x.flatten(1).isfinite().all(1)) for name, x in (("R", R), ("t", t), ("K", K))]
    for name, ok in finite:
        faults += [(int(i), f"{name} contains NaN or infinity") for i in (~ok).nonzero()[:, 0]]
    sound_R, _, sound_K = (ok for _, ok in finite)

    deviation = (R @ R.mT - torch.eye(3, dtype=R.dtype)).abs().amax((1, 2))
    # not torch.det: LAPACK refuses NaN on some builds, and the triple product is as good for 3x3
    det = (R[:, 0] * torch.linalg.cross(R[:, 1], R[:, 2])).sum(-1)
    for i in (sound_R & (deviation > ROTATION_TOLERANCE)).nonzero()[:, 0].tolist():
        kind = "singular" if abs(det[i]) < 1e-6 else "not a rotation"
        faults.append((i, f"R is {kind}: R R^T differs from the identity by {deviation[i]:.3g}"))
    for i in (sound_R & (deviation <= ROTATION_TOLERANCE) & (det < 0)).nonzero()[:, 0].tolist():
        faults.append((i, f"R is left-handed (determinant {det[i]:.3f}, expected 1): it mirrors the scene"))

    fx, fy = K[:, 0, 0], K[:, 1, 1]
    facing = torch.minimum(fx, fy) > 0
    for i in (sound_K & ~facing).nonzero()[:, 0].tolist():
        got = f"({float(fx[i]):.6g}, {float(fy[i]):.6g})"
        faults.append((i, f"K is singular or mirrored: focal lengths must be positive, got {got}"))
    last = (K[:, 2] - K.new_tensor([0.0, 0.0, 1.0])).abs().amax(1) <= 1e-6
    triangular = (K[:, 1, 0].abs() <= 1e-6 * fy) & last
    for i in (sound_K & facing & ~triangular).nonzero()[:, 0].tolist():
        faults.append((i, "K must be upper triangular with last row (0, 0, 1)"))
    return sorted(faults)


def projection_faults(P: Tensor) -> list[tuple[int, str]]:
    """Like `camera_faults` for projection matrices (N, 3, 4) that are yet to be decomposed."""
    M = P.detach().to("cpu", torch.float64)
    finite = M.isfinite().flatten(1).all(1)
    M = M[:, :, :3].nan_to_num()
    det = (M[:, 0] * torch.linalg.cross(M[:, 1], M[:, 2])).sum(-1)
    # relative to the product of the row lengths, so that the units of the world do not matter
    singular = det.abs() <= 1e-9 * M.norm(dim=-1).prod(-1)
    faults = [(int(i), "P contains NaN or infinity") for i in (~finite).nonzero()[:, 0]]
    faults += [(int(i), "the left 3x3 block of P is singular") for i in (finite & singular).nonzero()[:, 0]]
    return sorted(faults)


def intrinsics(fx: Tensor, fy: Tensor, cx: Tensor, cy: Tensor) -> Tensor:
    """(N,) focal lengths and principal points in pixels -> K (N, 3, 3)."""
    zero, one = torch.zeros_like(fx), torch.ones_like(fx)
    rows = [torch.stack(row, -1) for row in ((fx, zero, cx), (zero, fy, cy), (zero, zero, one))]
    return torch.stack(rows, -2)


def look_at_pose(eye: Tensor, at: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """Camera centre, target and up direction (N, 3) -> R, t with the target on the optical axis and ``up`` upwards."""
    forward = at - eye
    if bool((forward.norm(dim=-1) == 0).any()):
        raise ValueError("eye and at must differ")
    forward = torch.nn.functional.normalize(forward, dim=-1)
    right = torch.linalg.cross(forward, up)
    if bool((right.norm(dim=-1) <= 1e-6 * up.norm(dim=-1)).any()):
        raise ValueError("up must not be zero or parallel to the viewing direction at - eye")
    right = torch.nn.functional.normalize(right, dim=-1)
    down = torch.linalg.cross(forward, right)
    R = torch.stack([right, down, forward], dim=-2)
    return R, -apply(R, eye)


def apply(A: Tensor, x: Tensor) -> Tensor:
    """Batched matrix times vector, (N, 3, 3) and (N, 3) -> (N, 3)."""
    return (A @ x[..., None])[..., 0]


def flip(x: Tensor, *signs: float) -> Tensor:
    """Scale the three rows (matrix) or entries (vector) along the first tensor axis after the batch by +-1."""
    s = x.new_tensor(signs)
    return x * (s[:, None] if x.ndim == 3 else s)


def pose_from_opengl(c2w: Tensor) -> tuple[Tensor, Tensor]:
    """OpenGL/Blender camera-to-world (N, 3|4, 4): x right, y up, looking along -z -> OpenCV R, t.

    The columns of the 3x3 part are the camera's axes in the world; y and z point the other way in OpenCV.
    """
    axes, center = c2w[:, :3, :3], c2w[:, :3, 3]
    R = flip(axes.mT, 1.0, -1.0, -1.0)
    return R, -apply(R, center)


def rotation_from_quaternion(q: Tensor) -> Tensor:
    """(N, 4) quaternions (w, x, y, z), Hamilton convention, normalised here -> (N, 3, 3)."""
    w, x, y, z = torch.nn.functional.normalize(q, dim=-1).unbind(-1)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def decompose_projection(P: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """P (N, 3, 4) ~ K [R | t] up to any non-zero factor -> R, t, K with positive focal lengths, K[2, 2] = 1, det R = 1.

    Gram-Schmidt on the rows of the left 3x3 block from the last to the first, which is its RQ factorisation
    (Hartley and Zisserman, Multiple View Geometry, 2nd ed., section 6.2.4 and appendix A4.1.1).
    """
    M = P[:, :, :3]
    det = (M[:, 0] * torch.linalg.cross(M[:, 1], M[:, 2])).sum(-1)
    scale = M[:, 2].norm(dim=-1)
    # a negative determinant is the sign of the unknown factor, not a mirrored camera: -P projects alike
    P = P * (torch.where(det < 0, -1.0, 1.0) / scale)[:, None, None]
    m1, m2, r3 = P[:, :, :3].unbind(1)
    cy = (m2 * r3).sum(-1)
    m2 = m2 - cy[:, None] * r3
    fy = m2.norm(dim=-1)
    r2 = m2 / fy[:, None]
    cx, skew = (m1 * r3).sum(-1), (m1 * r2).sum(-1)
    m1 = m1 - cx[:, None] * r3 - skew[:, None] * r2
    fx = m1.norm(dim=-1)
    R = torch.stack([m1 / fx[:, None], r2, r3], -2)
    K = intrinsics(fx, fy, cx, cy)
    K = torch.cat([torch.stack([fx, skew, cx], -1)[:, None], K[:, 1:]], 1)
    t = torch.linalg.solve_triangular(K, P[:, :, 3:], upper=True)[..., 0]
    return R, t, K


def opencv_from_pytorch3d(R: Tensor, T: Tensor) -> tuple[Tensor, Tensor]:
    """Row-vector pose ``x_view = x R + T`` with x left, y up, z forward -> OpenCV R, t."""
    return flip(R.mT, -1.0, -1.0, 1.0), flip(T, -1.0, -1.0, 1.0)


def pytorch3d_from_opencv(R: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """The inverse of `opencv_from_pytorch3d`."""
    return flip(R, -1.0, -1.0, 1.0).mT, flip(t, -1.0, -1.0, 1.0)


def to_pixels(x: Tensor, K: Tensor, perspective: bool, depth: Tensor | None = None) -> Tensor:
    """Camera coordinates (..., V, 3) -> (u, v, z), by K (..., 3, 3); ``depth (..., V, 1)``, if given, instead of z."""
    z = x[..., 2:] if depth is None else depth
    if perspective:
        return torch.cat([(x @ K.mT)[..., :2] / z, z], -1)
    return torch.cat([x[..., :2] @ K[..., :2, :2].mT + K[..., None, :2, 2], z], -1)


def shift_pixels(K: Tensor, by: float) -> Tensor:
    """K (N, 3, 3) with the origin of pixel coordinates moved: (u, v) become (u + by, v + by)."""
    return K + by * K.new_tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])


def clip_matrix(
    R: Tensor, t: Tensor, K: Tensor, image_size: tuple[int, int], near: float, far: float, perspective: bool = True
) -> Tensor:
    """World to OpenGL clip space (N, 4, 4): x right, y up, depth -1 at ``near`` and 1 at ``far``.

    w is the camera depth, so that z is affine in 1 / depth; for orthographic cameras w is 1 and z affine in the depth.
    """
    H, W = image_size
    pose = torch.cat([R, t[..., None]], -1)  # (N, 3, 4)
    depth = pose[:, 2:]
    one = pose.new_tensor([0.0, 0.0, 0.0, 1.0]).expand_as(depth)
    xyw = K @ pose if perspective else K @ torch.cat([pose[:, :2], one], 1)
    # pixels to normalised device coordinates: x = 2 u / W - 1 and y = 1 - 2 v / H, times w
    x, y, w = (K.new_tensor([[2 / W, 0.0, -1.0], [0.0, -2 / H, 1.0], [0.0, 0.0, 1.0]]) @ xyw).split(1, 1)
    middle = far + near
    z = (middle * depth - 2 * far * near * one) if perspective else (2 * depth - middle * one)
    return torch.cat([x, y, z / (far - near), w], 1)


def intrinsics_from_opengl(
    matrix: Tensor, image_size: tuple[int, int]
) -> tuple[Tensor, Literal["perspective", "orthographic"]]:
    """OpenGL projection matrices (N, 4, 4), from the eye (x right, y up, z backward) to clip space -> K, kind."""
    if matrix.shape[1:] != (4, 4):
        raise ValueError(f"projection must have shape (4, 4) or (N, 4, 4), got {tuple(matrix.shape)}")
    H, W = image_size
    P = matrix * matrix.new_tensor([1.0, -1.0, -1.0, 1.0])  # from house axes
    w = P[:, 3]
    scale = P[:, :2].abs().amax((1, 2))  # of the picture's rows
    perspective, parallel = (w[:, k].detach() for k in (2, 3))
    flat = w[:, :2].abs().amax(-1) <= 1e-6 * scale
    if bool((flat & (perspective > 0) & (parallel.abs() <= 1e-6 * perspective)).all()):
        P, zero = P / w[:, None, 2:3], 3
    elif bool((flat & (parallel > 0) & (perspective.abs() <= 1e-6 * parallel)).all()):
        P, zero = P / w[:, None, 3:4], 2
    else:
        raise ValueError(f"projection: expected last rows (0, 0, -1, 0) or (0, 0, 0, 1), got {matrix[:, 3].tolist()}")
    scale = P[:, :2, :2].abs().amax((1, 2))
    if bool((P[:, :2, zero].abs().amax(-1) > 1e-6 * scale).any()):
        what = "a translation in a perspective" if zero == 3 else "depth sheared into an orthographic"
        raise ValueError(f"projection: {what} picture is no camera's: give such a motion in view")
    x, y = P[:, 0], P[:, 1]
    middle = 5 - zero  # the column of the principal point
    rows = (
        (x[:, 0] * W / 2, x[:, 1] * W / 2, (1 + x[:, middle]) * W / 2),
        (-y[:, 0] * H / 2, -y[:, 1] * H / 2, (1 - y[:, middle]) * H / 2),
    )
    last = P.new_tensor([0.0, 0.0, 1.0]).expand(len(P), 1, 3)
    K = torch.cat([torch.stack([torch.stack(row, -1) for row in rows], 1), last], 1)
    return K, "perspective" if zero == 3 else "orthographic"
