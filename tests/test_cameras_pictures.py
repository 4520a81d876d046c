"""Converters proven by pictures: drawn by brute force in the other convention, and by render with our cameras."""

import math

import numpy as np
import pytest
import torch

import invgraph as ig
from invgraph.geometry import Mesh, icosphere

SIZE = (30, 44)
EYES = torch.tensor([[0.3, -0.5, -3.0], [2.5, 1.0, 1.5]], dtype=torch.float64)


def cameras(projection):
    if projection == "perspective":
        rig = ig.Cameras.look_at(EYES, [0, 0.1, 0], [0.2, 1, 0], 45, SIZE)
    else:
        rig = ig.Cameras.orthographic(EYES, [0, 0.1, 0], [0.2, 1, 0], 2.6, SIZE)
    off_centre = torch.tensor([[4.0, 0, 5.3], [0, -3.0, -3.1], [0, 0, 0]], dtype=torch.float64)
    return ig.Cameras(rig.R, rig.t, rig.K + off_centre, SIZE, rig.projection)


def scene():
    """A dented sphere and a large triangle through it."""
    sphere = icosphere(1).to(dtype=torch.float64)
    x, y, _ = sphere.verts.split(1, 1)
    verts = sphere.verts * (1 + 0.3 * torch.sin(4 * x) * torch.cos(y))
    extra = torch.tensor([[-1.3, -0.9, 0.2], [1.2, -1.0, -0.4], [0.3, 1.4, 0.5]], dtype=torch.float64)
    faces = torch.cat([sphere.faces, len(verts) + torch.tensor([[0, 1, 2]])])
    return Mesh(torch.cat([verts, extra]), faces)


def draw(window, faces, columns, rows):
    """Nearest face (H, W) at points (column, row), -1 for none, of vertices (V, 3) in the same window coordinates.

    The third coordinate must be linear in the window and rise with depth: -1 / z, z / w, or an orthographic z.
    """
    points = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
    best = torch.full(points.shape[:2], math.inf, dtype=torch.float64)
    face = torch.full(points.shape[:2], -1)
    for f, corners in enumerate(window[faces]):
        a, b, c = corners[:, :2]
        system = torch.stack([b - a, c - a], -1)
        if abs(float(torch.linalg.det(system))) < 1e-9:
            continue
        p, q = torch.linalg.solve(system, (points - a)[..., None])[..., 0].unbind(-1)
        z = corners[0, 2] * (1 - p - q) + corners[1, 2] * p + corners[2, 2] * q
        nearer = (p >= 0) & (q >= 0) & (p + q <= 1) & (z < best)
        best, face = torch.where(nearer, z, best), torch.where(nearer, f, face)
    return face


def picture(mesh, rig):
    return ig.render(mesh, rig, mode="hard", outputs=("face_id",)).face_id


def same(one, other):
    """All pixels alike, and enough of them, with an object on a background."""
    assert torch.equal(one, other)
    assert 0.15 < float((one >= 0).double().mean()) < 0.9
    assert len(one.unique()) > 20


def by_opengl(mesh, clip):
    """What OpenGL shows of one camera's clip-space matrix, row 0 at the bottom (the specification's chapter 13)."""
    height, width = SIZE
    position = torch.cat([mesh.verts, torch.ones_like(mesh.verts[:, :1])], 1) @ clip.mT
    ndc = position[:, :3] / position[:, 3:]
    assert float(ndc[:, 2].abs().max()) < 1  # nothing is clipped
    window = torch.stack([(ndc[:, 0] + 1) * width / 2, (ndc[:, 1] + 1) * height / 2, ndc[:, 2]], -1)
    centres = [torch.arange(n, dtype=torch.float64) + 0.5 for n in (width, height)]
    return draw(window, mesh.faces, *centres)


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
def test_to_opengl(projection):
    mesh, rig = scene(), cameras(projection)
    clip = rig.to_opengl(0.8, 7.0)
    for n in range(2):
        same(by_opengl(mesh, clip[n]).flip(0), picture(mesh, rig)[n])


def gl_frustum(left, right, bottom, top, near, far):
    """glFrustum, as the OpenGL 2.1 specification has it."""
    return [
        [2 * near / (right - left), 0, (right + left) / (right - left), 0],
        [0, 2 * near / (top - bottom), (top + bottom) / (top - bottom), 0],
        [0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)],
        [0, 0, -1, 0],
    ]


def gl_ortho(left, right, bottom, top, near, far):
    """glOrtho, likewise."""
    return [
        [2 / (right - left), 0, 0, -(right + left) / (right - left)],
        [0, 2 / (top - bottom), 0, -(top + bottom) / (top - bottom)],
        [0, 0, -2 / (far - near), -(far + near) / (far - near)],
        [0, 0, 0, 1],
    ]


def gl_views():
    """World to eye as gluLookAt makes it: x right, y up, looking along -z."""
    views = []
    for eye in EYES:
        back = eye / eye.norm()
        right = torch.linalg.cross(torch.tensor([0.2, 1, 0]).double(), back)
        right = right / right.norm()
        axes = torch.stack([right, torch.linalg.cross(back, right), back])
        view = torch.eye(4, dtype=torch.float64)
        view[:3, :3], view[:3, 3] = axes, -axes @ eye
        views.append(view)
    return torch.stack(views)


@pytest.mark.parametrize(
    ("kind", "matrix"),
    [
        ("perspective", gl_frustum(-0.45, 0.6, -0.4, 0.3, 0.9, 8.0)),
        ("perspective", (np.array(gl_frustum(-0.45, 0.6, -0.4, 0.3, 0.9, 8.0)) * 3.0).tolist()),  # up to a factor
        ("orthographic", gl_ortho(-2.1, 1.7, -1.2, 1.9, 0.5, 8.0)),
    ],
)
def test_from_opengl_clip(kind, matrix):
    mesh, view, P = scene(), gl_views(), torch.tensor(matrix, dtype=torch.float64)
    rig = ig.Cameras.from_opengl_clip(P, view, SIZE)
    assert rig.projection == kind
    for n in range(2):
        same(by_opengl(mesh, P @ view[n]).flip(0), picture(mesh, rig)[n])
    # and back: the same matrix, with its near and far
    scale = 3.0 if matrix[3][2] == -3.0 else 1.0
    near, far = (0.5, 8.0) if kind == "orthographic" else (0.9, 8.0)
    torch.testing.assert_close(rig.to_opengl(near, far) * scale, P @ view, atol=1e-12, rtol=0)


def test_what_is_no_camera_is_refused():
    view = gl_views()
    for change, message in (
        ({(3, 2): 0.0, (3, 3): 0.0}, "last rows"),
        ({(3, 0): 0.1}, "last rows"),
        ({(0, 3): 0.1}, "a translation in a perspective picture"),
        ({(0, 0): -1.0}, "mirrored"),
        ({(1, 0): 0.5}, "upper triangular"),
    ):
        P = torch.tensor(gl_frustum(-0.4, 0.4, -0.3, 0.3, 0.9, 8.0), dtype=torch.float64)
        for at, value in change.items():
            P[at] = value
        with pytest.raises(ValueError, match=message):
            ig.Cameras.from_opengl_clip(P, view, SIZE)
    P = torch.tensor(gl_ortho(-0.4, 0.4, -0.3, 0.3, 0.9, 8.0), dtype=torch.float64)
    P[0, 2] = 0.2
    with pytest.raises(ValueError, match="depth sheared into an orthographic picture"):
        ig.Cameras.from_opengl_clip(P, view, SIZE)
    with pytest.raises(ValueError, match="R is not a rotation"):
        ig.Cameras.from_opengl_clip(gl_ortho(-1, 1, -1, 1, 0, 9), view * 2, SIZE)
    for near, far in ((0.0, 1.0), (2.0, 1.0), (1.0, math.inf), (math.nan, 1.0)):
        with pytest.raises(ValueError, match="0 < near < far"):
            cameras("perspective").to_opengl(near, far)
    assert cameras("orthographic").to_opengl(-1.0, 1.0).shape == (2, 4, 4)


def by_kornia(mesh, camera, n):
    """What a kornia camera shows, by its own projection, at the pixel centres that kornia enumerates."""
    from kornia.geometry.grid import create_meshgrid

    uv = camera.project(mesh.verts.expand(2, -1, -1))[n]
    ones = torch.ones_like(mesh.verts[:, :1])
    depth = (camera.extrinsics[n] @ torch.cat([mesh.verts, ones], 1).mT)[2]
    grid = create_meshgrid(*SIZE, normalized_coordinates=False, dtype=torch.float64)[0]
    return draw(torch.cat([uv, -1 / depth[:, None]], 1), mesh.faces, grid[0, :, 0], grid[:, 0, 1])


def test_kornia_both_ways():
    from kornia.geometry.camera import PinholeCamera

    mesh, rig = scene(), cameras("perspective")
    camera = rig.to_kornia()
    for n in range(2):
        same(by_kornia(mesh, camera, n), picture(mesh, rig)[n])
    # points that kornia lifts from our depth lie on the triangles that were seen
    out = ig.render(mesh, rig, mode="hard", outputs=("depth", "face_id"))
    rows, columns = torch.meshgrid(*(torch.arange(n).double() for n in SIZE), indexing="ij")
    grid = torch.stack([columns, rows], -1).reshape(1, -1, 2).expand(2, -1, -1)
    lifted = camera.unproject(grid, out.depth.reshape(2, -1, 1)).view(2, *SIZE, 3)
    seen = out.face_id >= 0
    a, b, c = mesh.triangles()[out.face_id[seen]].unbind(1)
    normal = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=-1)
    assert float(((lifted[seen] - a) * normal).sum(-1).abs().max()) < 1e-7  # kornia adds 1e-8 to depths

    # another's own: centred, as kornia says, by (W - 1) / 2
    K = torch.eye(4).double().repeat(2, 1, 1)
    K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2] = 40.0, 37.0, (SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2
    size = [torch.full((2,), n) for n in SIZE]
    own = PinholeCamera(K, camera.extrinsics, *size)
    back = ig.Cameras.from_kornia(own)
    assert back.K[0, :2, 2].tolist() == [SIZE[1] / 2, SIZE[0] / 2]
    for n in range(2):
        same(by_kornia(mesh, own, n), picture(mesh, back)[n])
    again = back.to_kornia()
    torch.testing.assert_close(again.intrinsics, own.intrinsics, atol=1e-12, rtol=0)
    torch.testing.assert_close(again.extrinsics, own.extrinsics, atol=0, rtol=0)
    assert again.height.tolist() == own.height.tolist()

    with pytest.raises(ValueError, match="perspective"):
        cameras("orthographic").to_kornia()
    mixed = PinholeCamera(K, camera.extrinsics, torch.tensor([30, 31]), size[1])
    with pytest.raises(ValueError, match="one image size"):
        ig.Cameras.from_kornia(mixed)


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
@pytest.mark.parametrize("in_ndc", [True, False])
def test_pytorch3d_conventions(projection, in_ndc):
    """By its documented formulas; `render/test_pytorch3d_parity.py` has its own pictures."""
    mesh, rig = scene(), cameras(projection)
    height, width = SIZE
    p3d = rig.to_pytorch3d()
    f, p = p3d["focal_length"], p3d["principal_point"]
    half = min(SIZE) / 2
    if not in_ndc:
        f, p = f * half, torch.tensor([width, height]) / 2 - p * half
    again = ig.Cameras.from_pytorch3d(p3d["R"], p3d["T"], f, p, SIZE, in_ndc=in_ndc, projection=projection)
    for n in range(2):
        view = mesh.verts @ p3d["R"][n] + p3d["T"][n]  # +x left, +y up
        scale = 1 / view[:, 2:] if rig.is_perspective else 1.0
        ndc = p3d["focal_length"][n] * view[:, :2] * scale + p3d["principal_point"][n]
        window = torch.cat([ndc, -1 / view[:, 2:] if rig.is_perspective else view[:, 2:]], 1)
        # pixel centres from +1 on the left and above down to -1, in units of half the shorter side
        columns = (width / 2 - torch.arange(width).double() - 0.5) / half
        rows = (height / 2 - torch.arange(height).double() - 0.5) / half
        expected = draw(window, mesh.faces, columns, rows)
        same(expected, picture(mesh, rig)[n])
        same(expected, picture(mesh, again)[n])
