"""Backends behind one call: chosen by name, checked, and drawing the same.

nvdiffrast runs on CUDA only. What is tested of it here are the conversions on either side of it, through a stand-in
that checks and draws by its documented conventions; PyTorch3D is compared live where it is installed.
"""

import importlib.util
import sys
import threading
import types
from pathlib import Path

import pytest
import torch

import invgraph as ig
from invgraph.geometry import icosphere
from invgraph.render import backends

SIZE = (32, 43)
OUTPUTS = ("alpha", "depth", "normal", "face_id")


def cameras(projection):
    eyes = [[0.3, -0.5, -3.0], [2.5, 1.0, 1.5]]
    if projection == "perspective":
        rig = ig.Cameras.look_at(eyes, [0, 0, 0], [0, 1, 0], 50, SIZE)
    else:
        rig = ig.Cameras.orthographic(eyes, [0, 0, 0], [0, 1, 0], 2.7, SIZE)
    off_centre = torch.tensor([[0.0, 0.2, 4.3], [0, 0, -3.1], [0, 0, 0]])
    return ig.Cameras(rig.R, rig.t, rig.K + off_centre, SIZE, rig.projection)


def dented():
    """A sphere with hollows, which hide parts of it."""
    sphere = icosphere(2)
    return sphere.with_verts(
        sphere.verts * (1 + 0.25 * torch.sin(4 * sphere.verts[:, :1]) * sphere.verts[:, 1:2].cos())
    )


def drawn(backend, mode, projection, near):
    """Pictures, and the gradient of a loss over all of them with respect to verts and K."""
    mesh = dented()
    rig = cameras(projection)
    verts, K = mesh.verts.clone().requires_grad_(), rig.K.clone().requires_grad_()
    moved = ig.Cameras(rig.R, rig.t, K, SIZE, projection)
    out = ig.render(
        mesh.with_verts(verts), moved, mode=mode, sigma=1.0, outputs=OUTPUTS, near=near, far=3.9, backend=backend
    )
    ramp = torch.linspace(-1, 1, SIZE[0] * SIZE[1]).view(SIZE)
    (out.alpha * ramp + out.depth * ramp.flip(0) + out.normal[..., 0] * ramp.flip(1)).sum().backward()
    return out, verts.grad, K.grad


def compare(one, other, atol, grad_rtol):
    assert torch.equal(one[0].face_id, other[0].face_id)
    for name in ("alpha", "depth", "normal"):
        torch.testing.assert_close(getattr(one[0], name), getattr(other[0], name), atol=atol, rtol=0)
    for a, b in zip(one[1:], other[1:]):
        torch.testing.assert_close(a, b, atol=grad_rtol * float(b.abs().max()), rtol=0)


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
@pytest.mark.parametrize("near", [None, 2.3])
@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_pytorch3d_draws_what_native_draws(mode, near, projection, monkeypatch):
    """Live: the same faces, pictures to 1e-5, gradients to 1e-4 of the largest, when no face is left out."""
    pytest.importorskip("pytorch3d")
    monkeypatch.setattr("invgraph.render.backends.pytorch3d.FACES_PER_PIXEL", 200)
    compare(drawn("pytorch3d", mode, projection, near), drawn("native", mode, projection, near), 1e-5, 1e-4)


def test_pytorch3d_warns_of_faces_left_out(monkeypatch):
    pytest.importorskip("pytorch3d")
    monkeypatch.setattr("invgraph.render.backends.pytorch3d.FACES_PER_PIXEL", 3)
    with pytest.warns(UserWarning, match="more than 3 faces"):
        ig.render(icosphere(2), cameras("perspective"), mode="soft", sigma=9.0, backend="pytorch3d")


@pytest.fixture
def fake_nvdiffrast(monkeypatch):
    spec = importlib.util.spec_from_file_location("nvdiffrast.torch", Path(__file__).parent / "fake_nvdiffrast.py")
    fake = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fake)
    package = types.ModuleType("nvdiffrast")
    package.torch = fake
    monkeypatch.setitem(sys.modules, "nvdiffrast", package)
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", fake)
    monkeypatch.setattr("invgraph.render.backends.nvdiffrast.DEVICE", "cpu")
    monkeypatch.setattr("invgraph.render.backends.nvdiffrast._local", threading.local())


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
@pytest.mark.parametrize("near", [None, 2.3])
@pytest.mark.parametrize("mode", ["hard", "antialias"])
def test_nvdiffrast_conventions(fake_nvdiffrast, mode, near, projection):
    compare(drawn("nvdiffrast", mode, projection, near), drawn("native", mode, projection, near), 1e-4, 1e-3)


@pytest.mark.parametrize("name", ["pytorch3d", "nvdiffrast"])
def test_nothing_to_draw(name, request):
    if name == "pytorch3d":
        pytest.importorskip("pytorch3d")
    else:
        request.getfixturevalue("fake_nvdiffrast")
    rig = cameras("perspective")
    sphere = icosphere(1)
    empty = ig.Mesh(torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64))
    behind = sphere.with_verts(sphere.verts - 50 * rig.directions[0])
    for mesh in (empty, behind):
        out = ig.render(mesh, rig[:1], mode="hard", outputs=OUTPUTS, backend=name)
        assert float(out.alpha.sum()) == float(out.depth.sum()) == 0
        assert bool((out.face_id == -1).all())


def test_nvdiffrast_wants_cuda(fake_nvdiffrast, monkeypatch):
    monkeypatch.setattr("invgraph.render.backends.nvdiffrast.DEVICE", "cuda")
    with pytest.raises(ValueError, match="nvdiffrast draws on cuda devices, the mesh and the cameras are on cpu"):
        ig.render(icosphere(1), cameras("perspective"), backend="nvdiffrast")


def test_choice_by_argument_environment_default(monkeypatch):
    monkeypatch.delenv("INVGRAPH_BACKEND", raising=False)
    assert backends.load(None, "soft").__name__.endswith("native")
    with pytest.raises(ValueError, match=r"backend: expected one of \('native', 'pytorch3d', 'nvdiffrast'\), got 'gl'"):
        ig.render(icosphere(1), cameras("perspective"), backend="gl")
    monkeypatch.setenv("INVGRAPH_BACKEND", "gl")
    with pytest.raises(ValueError, match="INVGRAPH_BACKEND: expected one of"):
        ig.render(icosphere(1), cameras("perspective"))
    assert backends.load("native", "soft").__name__.endswith("native")  # the argument goes first
    monkeypatch.setenv("INVGRAPH_BACKEND", "")
    assert backends.load(None, "soft").__name__.endswith("native")


@pytest.mark.parametrize(("name", "how"), [("pytorch3d", "from source"), ("nvdiffrast", "CUDA")])
def test_a_missing_one_says_how_to_install_it(monkeypatch, name, how):
    for module in [name, *[m for m in sys.modules if m.startswith(f"{name}.")]]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("INVGRAPH_BACKEND", name)
    with pytest.raises(ImportError, match=rf"the {name} backend needs .*{how}.*pip install .*github\.com"):
        ig.render(icosphere(1), cameras("perspective"), mode="hard")


def test_modes_that_a_backend_has_not():
    with pytest.raises(ValueError, match=r"mode: the pytorch3d backend has \('soft', 'hard'\), got 'antialias'"):
        ig.render(icosphere(1), cameras("perspective"), mode="antialias", backend="pytorch3d")
    with pytest.raises(ValueError, match=r"mode: the nvdiffrast backend has \('hard', 'antialias'\), got 'soft'"):
        ig.render(icosphere(1), cameras("perspective"), mode="soft", backend="nvdiffrast")
    with pytest.raises(ValueError, match=r"mode: the pytorch3d backend has rgb in \('hard',\), got 'soft'"):
        ig.render(icosphere(1), cameras("perspective"), mode="soft", outputs=("rgb",), backend="pytorch3d")
