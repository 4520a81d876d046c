"""Every converter reprojects landmarks, off-centre on a non-square image, against plain formulas."""

import copy
import dataclasses
import math
import pickle

import numpy as np
import pytest
import torch

from invgraph.cameras import Cameras

H, W = 240, 320
FX, FY, CX, CY = 310.0, 290.0, 171.5, 112.75
K = torch.tensor([[FX, 0, CX], [0, FY, CY], [0, 0, 1]], dtype=torch.float64)
LANDMARKS = torch.tensor(
    [[0.1, 0.2, -0.3], [-0.4, 0.25, 0.15], [0.3, -0.35, 0.4], [0, 0, 0], [-0.2, -0.3, -0.4]], dtype=torch.float64
)


def rig(n: int = 5) -> Cameras:
    """Random poses that look towards the origin from distance 3, rolled about the axis."""
    g = torch.Generator().manual_seed(3)
    eye = torch.nn.functional.normalize(torch.randn(n, 3, generator=g, dtype=torch.float64), dim=-1) * 3
    at, up = torch.randn(2, n, 3, generator=g, dtype=torch.float64) * torch.tensor([0.1, 1.0])[:, None, None].double()
    pose = Cameras.look_at(eye, at, up, 40.0, (H, W))
    return Cameras(pose.R, pose.t, K.expand(n, 3, 3), (H, W))


def by_hand(cameras: Cameras) -> np.ndarray:
    """u = fx x / z + cx, v = fy y / z + cy, one point and one camera at a time."""
    out = np.zeros((len(cameras), len(LANDMARKS), 3))
    for n, (R, t) in enumerate(zip(cameras.R.numpy(), cameras.t.numpy())):
        for p, X in enumerate(LANDMARKS.numpy()):
            x, y, z = R @ X + t
            out[n, p] = FX * x / z + CX, FY * y / z + CY, z
    return out


def close(got: torch.Tensor, want: np.ndarray, atol: float = 1e-8) -> None:
    np.testing.assert_allclose(got.numpy(), want, atol=atol, rtol=0)


def test_project_is_the_pinhole_formula() -> None:
    cameras = rig()
    close(cameras.project(LANDMARKS), by_hand(cameras))
    close(cameras.project(LANDMARKS.expand(5, -1, -1)), by_hand(cameras))
    close(cameras.world_to_camera(cameras.centers[:, None]), np.zeros((5, 1, 3)))
    # a point one unit along the optical axis is at depth one, on the principal point
    ahead = (cameras.centers + cameras.directions)[:, None]
    close(cameras.project(ahead), np.broadcast_to([CX, CY, 1.0], (5, 1, 3)))


def test_look_at_hand_computed() -> None:
    # from (0, 0, 4) down the -z axis with y up: world +x is right of the middle, world +y above it
    camera = Cameras.look_at((0.0, 0.0, 4.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 60.0, (H, W))
    f = 120 / math.tan(math.radians(30))
    got = camera.project(torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 2.0]]))[0]
    close(got, np.array([[160, 120, 4], [160 + f / 4, 120, 4], [160, 120 - f / 2, 2]]), 1e-4)


def test_from_opengl_and_nerf() -> None:
    cameras = rig()
    # the camera's right, up and backward axes and its centre, as columns
    axes = torch.stack([cameras.R[:, 0], -cameras.R[:, 1], -cameras.R[:, 2], cameras.centers], -1)
    c2w = torch.cat([axes, torch.tensor([0.0, 0, 0, 1]).double().expand(5, 1, 4)], 1)
    close(Cameras.from_opengl(c2w, K, (H, W)).project(LANDMARKS), by_hand(cameras))
    close(Cameras.from_nerf(c2w.numpy(), (H, W), K=K).project(LANDMARKS), by_hand(cameras))
    # Blender's own rule: focal = W / 2 / tan(angle / 2), principal point in the middle; here from (0, 0, 4) unrotated
    pose = torch.eye(4)
    pose[2, 3] = 4
    seen = Cameras.from_nerf(pose, (H, W), camera_angle_x=0.7).project(torch.tensor([[1.0, 0.5, 0.0]]))[0, 0]
    f = 160 / math.tan(0.35)
    close(seen, np.array([160 + f / 4, 120 - f / 8, 4]), 1e-4)


def test_from_colmap() -> None:
    # a quarter turn about z: (x, y, z) -> (-y, x, z); w = cos 45, z = sin 45; any length of quaternion
    h = 3 * math.sqrt(0.5)
    camera = Cameras.from_colmap((h, 0.0, 0.0, h), (0.1, 0.2, 3.0), K, (H, W))
    X = LANDMARKS.numpy()
    x, y, z = -X[:, 1] + 0.1, X[:, 0] + 0.2, X[:, 2] + 3
    close(camera.project(LANDMARKS)[0], np.stack([FX * x / z + CX, FY * y / z + CY, z], -1), 1e-8)
    # general rotations against SciPy, which writes the scalar last
    scipy_rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    cameras = rig()
    xyzw = scipy_rotation.from_matrix(cameras.R.numpy()).as_quat()
    close(Cameras.from_colmap(xyzw[:, [3, 0, 1, 2]], cameras.t, K, (H, W)).project(LANDMARKS), by_hand(cameras))


@pytest.mark.parametrize("factor", [1.0, -2.5])
def test_from_projection_ignores_the_factor(factor: float) -> None:
    cameras = rig()
    skewed = K.clone()
    skewed[0, 1] = 4.0
    P = factor * skewed @ torch.cat([cameras.R, cameras.t[..., None]], -1)
    got = Cameras.from_projection(P, (H, W))
    want = P @ torch.cat([LANDMARKS, torch.ones(5, 1).double()], -1).T
    close(got.project(LANDMARKS)[..., :2], (want[:, :2] / want[:, 2:]).mT.numpy())
    close(got.R, cameras.R.numpy())
    close(got.K, skewed.expand(5, 3, 3).numpy())


def test_from_idr_in_both_frames() -> None:
    cameras = rig()
    world = torch.eye(4).double().repeat(5, 1, 1)
    world[:, :3] = K @ torch.cat([cameras.R, cameras.t[..., None]], -1)
    scale = torch.diag(torch.tensor([2.0, 2, 2, 1])).double()
    scale[:3, 3] = torch.tensor([0.3, -0.1, 0.2])
    close(Cameras.from_idr(world, (H, W)).project(LANDMARKS), by_hand(cameras))
    unit = Cameras.from_idr(world, (H, W), scale_mat=scale)
    inside = (LANDMARKS - scale[:3, 3]) / 2  # the landmarks in the unit-sphere frame
    close(unit.project(inside)[..., :2], by_hand(cameras)[..., :2])
    close(unit.project(inside)[..., 2] * 2, by_hand(cameras)[..., 2])


def test_pytorch3d_both_ways() -> None:
    cameras = rig()
    p3d = cameras.to_pytorch3d()
    # PyTorch3D's own formula: x_view = X R + T; ndc = f x / z + p, +x left, +y up; the shorter side spans [-1, 1]
    view = LANDMARKS @ p3d["R"] + p3d["T"][:, None]
    ndc = p3d["focal_length"][:, None] * view[..., :2] / view[..., 2:] + p3d["principal_point"][:, None]
    pixels = torch.tensor([W / 2, H / 2]) - ndc * min(H, W) / 2
    close(torch.cat([pixels, view[..., 2:]], -1), by_hand(cameras))
    assert p3d["image_size"].tolist() == [[H, W]] * 5
    args = (p3d["R"], p3d["T"], p3d["focal_length"], p3d["principal_point"], (H, W))
    close(Cameras.from_pytorch3d(*args).project(LANDMARKS), by_hand(cameras))
    close(Cameras.from_pytorch3d(**p3d).project(LANDMARKS), by_hand(cameras))  # image_size (N, 2), as PyTorch3D has it
    with pytest.raises(ValueError, match="image_size: expected one size"):
        Cameras.from_pytorch3d(*args[:4], torch.tensor([[H, W], [H, W + 1]]))
    f, p = torch.tensor([[FX, FY]]).double(), torch.tensor([[CX, CY]]).double()
    screen = Cameras.from_pytorch3d(p3d["R"], p3d["T"], f, p, (H, W), in_ndc=False)
    close(screen.project(LANDMARKS), by_hand(cameras))


def test_to_opengl_clip_space() -> None:
    cameras = rig()
    near, far = 0.5, 9.0
    M = cameras.to_opengl(near, far)
    clip = torch.cat([LANDMARKS, torch.ones(5, 1).double()], -1) @ M.mT
    ndc = (clip[..., :3] / clip[..., 3:]).numpy()
    want = by_hand(cameras)
    np.testing.assert_allclose((ndc[..., 0] + 1) * W / 2, want[..., 0], atol=1e-8)
    np.testing.assert_allclose((1 - ndc[..., 1]) * H / 2, want[..., 1], atol=1e-8)
    z = want[..., 2]
    np.testing.assert_allclose(ndc[..., 2], (far + near) / (far - near) - 2 * far * near / (far - near) / z, atol=1e-12)
    on_planes = cameras.centers[0] + cameras.directions[0] * torch.tensor([[near], [far]]).double()
    ends = torch.cat([on_planes, torch.ones(2, 1).double()], -1) @ M[0].T
    np.testing.assert_allclose((ends[:, 2] / ends[:, 3]).numpy(), [-1, 1], atol=1e-9)


def test_resize_and_normalized_keep_the_picture() -> None:
    cameras = rig()
    want = by_hand(cameras)
    close(cameras.resize((120, 480)).project(LANDMARKS), want * [1.5, 0.5, 1.0])
    center, scale = torch.tensor([0.3, -1.0, 2.0]), 5.0
    moved = (LANDMARKS - center) / scale
    close(cameras.normalized(center, scale).project(moved), want * [1, 1, 1 / scale])


def test_indexing_cat_to() -> None:
    cameras = rig()
    assert len(cameras[2]) == 1
    assert torch.equal(cameras[-1].t, cameras.t[4:])
    assert torch.equal(cameras[1:3].t, cameras[torch.tensor([1, 2])].t)
    assert torch.equal(Cameras.cat([cameras[[0, 1]], cameras[2:]]).K, cameras.K)
    assert cameras.to(torch.float32).R.dtype == torch.float32
    with pytest.raises(IndexError):
        cameras[5]
    with pytest.raises(ValueError, match="share an image size"):
        Cameras.cat([cameras, cameras.resize((10, 10))])


def parallel(n: int = 5) -> Cameras:
    """The same poses, orthographic: 40 and 35 pixels a unit, with skew."""
    K = torch.tensor([[40.0, 3.0, CX], [0, 35.0, CY], [0, 0, 1]], dtype=torch.float64)
    return Cameras(rig(n).R, rig(n).t, K.expand(n, 3, 3), (H, W), "orthographic")


def parallel_by_hand(cameras: Cameras) -> np.ndarray:
    """u = fx x + s y + cx, v = fy y + cy: no division."""
    out = np.zeros((len(cameras), len(LANDMARKS), 3))
    for n, (R, t) in enumerate(zip(cameras.R.numpy(), cameras.t.numpy())):
        for p, X in enumerate(LANDMARKS.numpy()):
            x, y, z = R @ X + t
            out[n, p] = 40 * x + 3 * y + CX, 35 * y + CY, z
    return out


def test_orthographic_formula_and_what_keeps_it() -> None:
    cameras = parallel()
    want = parallel_by_hand(cameras)
    close(cameras.project(LANDMARKS), want)
    assert "orthographic" in repr(cameras)
    assert not cameras.is_perspective
    kept = {
        "getitem": (cameras[[0, 1, 2, 3, 4]], want),
        "cat": (Cameras.cat([cameras[:2], cameras[2:]]), want),
        "to": (cameras.to(torch.float64), want),
        "pickle": (pickle.loads(pickle.dumps(cameras)), want),
        "copy": (copy.deepcopy(cameras), want),
        "replace": (dataclasses.replace(cameras, t=cameras.t + 0.0), want),
        "resize": (cameras.resize((120, 480)), want * [1.5, 0.5, 1.0]),
    }
    for name, (made, expected) in kept.items():
        assert made.projection == "orthographic", name
        assert isinstance(made, Cameras), name
        close(made.project(LANDMARKS), expected)
    center, scale = torch.tensor([0.3, -1.0, 2.0]), 5.0
    unit = cameras.normalized(center, scale)
    close(unit.project((LANDMARKS - center) / scale), want * [1, 1, 1 / scale])
    with pytest.raises(ValueError, match="share a projection"):
        Cameras.cat([cameras, rig()])
    with pytest.raises(ValueError, match="projection: expected one of"):
        Cameras(rig().R, rig().t, rig().K, (H, W), "fisheye")  # type: ignore[arg-type]


def test_orthographic_look_at() -> None:
    camera = Cameras.orthographic((0.0, 0.0, 4.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 3.0, (H, W))
    got = camera.project(torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.5, 2.0]]))[0]
    close(got, np.array([[160, 120, 4], [160 + 80, 120, 4], [160, 0, 2]]), 1e-4)
    for height in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="height"):
            Cameras.orthographic((0.0, 0.0, 4.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), height, (H, W))


def with_entry(name: str, index: tuple[int, ...], value: float) -> dict[str, torch.Tensor]:
    cameras = rig()
    parts = {"R": cameras.R.clone(), "t": cameras.t.clone(), "K": cameras.K.clone()}
    parts[name][index] = value
    return parts


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (with_entry("R", (2, 0, 0), math.nan), "camera 2: R contains NaN"),
        (with_entry("t", (1, 0), math.inf), "camera 1: t contains NaN or infinity"),
        (with_entry("K", (3, 0, 2), math.nan), "camera 3: K contains NaN"),
        (with_entry("K", (4, 0, 0), 0.0), "camera 4: K is singular"),
        (with_entry("K", (0, 2, 2), 2.0), "camera 0: K must be upper triangular"),
        ({**with_entry("t", (0, 0), 0.0), "R": -rig().R}, "camera 0: R is left-handed"),
        ({**with_entry("t", (0, 0), 0.0), "R": rig().R * 0}, "camera 0: R is singular"),
        ({**with_entry("t", (0, 0), 0.0), "R": rig().R * 1.1}, "camera 0: R is not a rotation"),
        (
            {**with_entry("t", (0, 0), 0.0), "t": torch.zeros(4, 3).double()},
            r"t must have shape \(5, 3\), got \(4, 3\)",
        ),
    ],
)
def test_bad_cameras_are_refused_by_index(parts: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cameras(**parts, image_size=(H, W))


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match=r"R must be a floating-point tensor, got torch\.int64"):
        Cameras(torch.eye(3).long()[None], torch.zeros(1, 3), K[None], (H, W))
    for size in ((0, 5), (4.5, 5), (4,), 48, None):
        with pytest.raises(ValueError, match="image_size must be two positive integers"):
            Cameras(rig().R, rig().t, rig().K, size)
    with pytest.raises(TypeError, match=r"points must have the cameras' dtype torch\.float64, got torch\.float32"):
        rig().project(LANDMARKS.float())
    with pytest.raises(ValueError, match="parallel"):
        Cameras.look_at((0.0, 0.0, 4.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 40.0, (H, W))
    with pytest.raises(ValueError, match="camera 0: the left 3x3 block of P is singular"):
        Cameras.from_projection(torch.zeros(3, 4), (H, W))
