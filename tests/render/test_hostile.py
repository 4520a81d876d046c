"""render with meshes and cameras that nobody should have: pictures in range, or an error that names the argument."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import invgraph as ig
from invgraph.geometry import Mesh, icosphere

few = settings(max_examples=25, deadline=None, derandomize=True)
SPHERE = icosphere(1)
NONE = torch.zeros(0, 3, dtype=torch.int64)
CAMERAS = ig.Cameras.look_at([[0.3, -0.5, -3.0], [2.5, 1.0, 1.5]], [0, 0, 0], [0, 1, 0], 40, (12, 16))
MODES = ("hard", "antialias", "soft", "outline")
OUTPUTS = ("alpha", "depth", "normal", "position", "rgb", "face_id")
SPECIAL = [0.0, 1e-30, 1e15, -1e15, 1e20, 1e30, -1e30, 3e38, math.inf, -math.inf, math.nan]


def draw(mesh, cameras, mode="antialias", **options):
    """Every output, after checks of what holds for all pictures."""
    out = ig.render(mesh, cameras, mode=mode, outputs=OUTPUTS, **options)
    for name in OUTPUTS:
        picture = getattr(out, name)
        assert picture.shape[:3] == (len(cameras), *cameras.image_size)
        assert bool(picture.isfinite().all()), name
    assert bool(((out.alpha >= 0) & (out.alpha <= 1.0001)).all())
    assert bool(((out.rgb >= -1e-4) & (out.rgb <= 1.001)).all())
    return out


@few
@given(
    st.sampled_from(MODES),
    st.lists(st.tuples(st.integers(0, 41), st.integers(0, 2), st.sampled_from(SPECIAL)), max_size=4),
    st.sampled_from([None, 0.1, 1e-20, 2.5]),
    st.booleans(),
)
def test_vertices_beyond_reason(mode, changes, near, orthographic):
    verts = SPHERE.verts.clone()
    for vertex, axis, value in changes:
        verts[vertex, axis] = value
    verts.requires_grad_()
    cameras = CAMERAS
    if orthographic:
        K = CAMERAS.K * torch.tensor([0.2, 0.2, 1])[:, None]
        cameras = ig.Cameras(CAMERAS.R, CAMERAS.t, K, CAMERAS.image_size, projection="orthographic")
    out = draw(SPHERE.with_verts(verts), cameras, mode, near=near)
    (grad,) = torch.autograd.grad(out.alpha.sum() + out.depth.sum(), verts)
    assert not bool(grad.isnan().any())


def test_one_lost_vertex_costs_its_own_faces_only():
    verts = SPHERE.verts.clone()
    verts[5] = math.nan
    kept = SPHERE.faces[(SPHERE.faces != 5).all(1)]
    a = ig.render(SPHERE.with_verts(verts), CAMERAS, near=0.1).alpha
    b = ig.render(Mesh(SPHERE.verts, kept), CAMERAS, near=0.1).alpha
    assert torch.equal(a, b)
    assert bool((a.sum((1, 2)) > 0).all())


@pytest.mark.parametrize("far_end", [1e12, 1e16, 1e20, 1e25])
def test_a_road_to_infinity_fills_the_picture_below_the_horizon(far_end):
    camera = ig.Cameras(
        torch.eye(3)[None], torch.zeros(1, 3), torch.tensor([[[20.0, 0, 8], [0, 20, 8], [0, 0, 1]]]), (16, 16)
    )
    verts = torch.tensor([[-1e3, 1, -1e3], [1e3, 1, -1e3], [0, 1, far_end]])
    alpha = ig.render(Mesh(verts, torch.tensor([[0, 1, 2]])), camera, mode="hard", near=0.1).alpha[0]
    assert bool((alpha[:8] == 0).all())
    assert bool((alpha[9:] == 1).all())


@pytest.mark.parametrize("mode", MODES)
def test_faces_behind_across_and_on_the_near_plane(mode):
    K = torch.tensor([[[20.0, 0, 8], [0, 20, 6], [0, 0, 1]]])
    camera = ig.Cameras(torch.eye(3)[None], torch.zeros(1, 3), K, (12, 16))

    def z(*depths):
        return torch.tensor([[x * d, y * d, d] for (x, y), d in zip([(-0.3, -0.3), (0.3, -0.3), (0.0, 0.3)], depths)])

    face = torch.tensor([[0, 1, 2]])
    assert not bool(draw(Mesh(z(-1.0, -2.0, -3.0), face), camera, mode, near=0.5).alpha.any())
    assert not bool(draw(Mesh(z(0.4, 0.4, 0.4), face), camera, mode, near=0.5).alpha.any())
    assert bool((draw(Mesh(z(0.51, 0.51, 0.51), face), camera, mode, near=0.5).alpha > 0.5).any())
    assert bool((draw(Mesh(z(0.2, 3.0, 3.0), face), camera, mode, near=0.5).alpha > 0.5).any())
    draw(Mesh(z(0.5, 0.5, 0.5), face), camera, mode, near=0.5)


@pytest.mark.parametrize("mode", MODES)
def test_nothing_to_draw_and_nobody_to_see_it(mode):
    for mesh in (Mesh(torch.zeros(0, 3), NONE), Mesh(SPHERE.verts, NONE)):
        out = draw(mesh, CAMERAS, mode)
        assert not bool(out.alpha.any())
        assert bool((out.face_id == -1).all())
    assert draw(SPHERE, CAMERAS[:0], mode).alpha.shape == (0, 12, 16)


@pytest.mark.parametrize("size", [(1, 1), (1, 8192), (8192, 1)])
def test_thin_pictures(size):
    K = torch.tensor([[[20.0, 0, size[1] / 2], [0, 20, size[0] / 2], [0, 0, 1]]]).expand(2, 3, 3)
    cameras = ig.Cameras(CAMERAS.R, CAMERAS.t, K, size)
    for mode in MODES:
        assert bool((draw(SPHERE, cameras, mode).alpha.amax((1, 2)) > 0.5).all())


def test_what_is_wrong_is_named():
    for name, changed in {"R": CAMERAS.R / 0, "t": CAMERAS.t * math.nan, "K": CAMERAS.K * math.inf}.items():
        with pytest.raises(ValueError, match=f"{name} contains NaN or infinity"):
            ig.Cameras(**{"R": CAMERAS.R, "t": CAMERAS.t, "K": CAMERAS.K, name: changed}, image_size=(4, 4))
    for options, message in [
        ({"near": math.nan}, "near: expected"),
        ({"far": math.nan}, "far: expected"),
        ({"mode": "soft", "sigma": math.nan}, "sigma: expected"),
        ({"mode": "soft", "sigma": -1.0}, "sigma: expected"),
        ({"mode": "outline", "sigma": math.inf}, "sigma: expected"),
        ({"mode": "soft", "gamma": 0.0}, "gamma: expected"),
    ]:
        with pytest.raises(ValueError, match=message):
            draw(SPHERE, CAMERAS, **options)
    for dtype in (torch.float16, torch.float64):
        with pytest.raises(TypeError, match="dtype"):
            draw(SPHERE.to(dtype=dtype), CAMERAS)


def test_arrays_with_negative_strides():
    eyes = np.array([[2.5, 1.0, 1.5], [0.3, -0.5, -3.0]])
    turned = ig.Cameras.look_at(eyes[::-1], [0, 0, 0], [0, 1, 0], 40, (12, 16))
    torch.testing.assert_close(turned.t.float(), CAMERAS.t)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_meshes_and_cameras_are_copied_whole(again):
    colored = Mesh(SPHERE.verts, SPHERE.faces, ig.VertexColors(SPHERE.verts * 0.5 + 0.5))
    assert colored.topology.edges.shape[1] == 2  # something cached goes with it
    a, b = draw(colored, CAMERAS), draw(again(colored), again(CAMERAS))
    for name in OUTPUTS:
        assert torch.equal(getattr(a, name), getattr(b, name))
