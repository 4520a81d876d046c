"""The same pictures as PyTorch3D's: always against recorded ones (`record_pytorch3d.py`), live where it can be had."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import invgraph as ig
from invgraph.geometry import Mesh
from invgraph.render import backends
from invgraph.render.projection import project

FOLDER = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("record_pytorch3d", FOLDER / "record_pytorch3d.py")
recorder = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recorder)
CAMERAS = recorder.CAMERAS


@pytest.fixture(scope="module")
def recorded():
    with np.load(FOLDER / "pytorch3d.npz") as file:
        return {name: file[name] for name in file.files}


def of(recorded, name):
    """Our cameras and the recorded tensors of one of PyTorch3D's."""
    i = list(CAMERAS).index(name)
    kind, size, focal, principal, in_ndc = CAMERAS[name]
    projection = "orthographic" if "Ortho" in kind else "perspective"
    R, T = (torch.tensor(recorded[key][i : i + 1]) for key in ("R", "T"))
    cameras = ig.Cameras.from_pytorch3d(R, T, [focal], [principal], size, in_ndc=in_ndc, projection=projection)
    return cameras, {
        key.split("/")[1]: torch.tensor(value) for key, value in recorded.items() if key.startswith(name + "/")
    }


def test_the_recording_is_of_the_real_one(recorded):
    assert str(recorded["version"]) == "0.7.9"
    verts, faces = recorder.scene()
    np.testing.assert_allclose(recorded["verts"], verts, atol=1e-6)
    assert np.array_equal(recorded["faces"], faces)
    for name in CAMERAS:
        share = float((recorded[f"{name}/face"] >= 0).mean())
        assert 0.15 < share < 0.95, name  # an object on a background


@pytest.mark.parametrize("backend", ["native", "pytorch3d"])
@pytest.mark.parametrize("name", CAMERAS)
def test_hard_pictures_and_gradients(recorded, name, backend):
    """Face for face; depth to 1e-5 of it, barycentrics to 2e-4, gradients to 1e-3 of the largest."""
    if backend == "pytorch3d":
        pytest.importorskip("pytorch3d")
    cameras, theirs = of(recorded, name)
    verts = torch.tensor(recorded["verts"], requires_grad=True)
    mesh = Mesh(verts, torch.tensor(recorded["faces"]).long())
    out = ig.render(mesh, cameras, mode="hard", outputs=("alpha", "depth", "face_id"), backend=backend)
    assert torch.equal(out.face_id[0].int(), theirs["face"].int())
    on = out.face_id[0] >= 0
    assert torch.equal(out.alpha[0] > 0, on)
    torch.testing.assert_close(out.depth[0][on], theirs["depth"][on], rtol=1e-5, atol=0)

    weights = barycentrics(mesh, cameras, backend)
    torch.testing.assert_close(weights[on], theirs["barycentric"][on], atol=2e-4, rtol=0)
    loss = (out.depth[0] * recorder.weights(cameras.image_size))[on].sum()
    loss = loss + (weights * recorder.weights((*cameras.image_size, 3)))[on].sum()
    loss.backward()
    tolerance = 1e-3 * float(theirs["hard_grad"].abs().max())
    torch.testing.assert_close(verts.grad, theirs["hard_grad"], atol=tolerance, rtol=0)


def barycentrics(mesh, cameras, backend):
    """(H, W, 3) weights of the visible face's corners."""
    engine = backends.load(backend, "hard")
    projection = project(mesh.verts, mesh.topology, cameras)
    seen = engine.rasterize(projection.points, projection.drawing, cameras.image_size, True)
    return projection.fragments(seen).barycentric[0]


@pytest.mark.parametrize("backend", ["native", "pytorch3d"])
@pytest.mark.parametrize("name", CAMERAS)
def test_soft_silhouettes_and_gradients(recorded, name, backend):
    """sigmoid_alpha_blend over all faces: alpha to 1e-5, gradients to 1e-4 of the largest."""
    if backend == "pytorch3d":
        pytest.importorskip("pytorch3d")
    cameras, theirs = of(recorded, name)
    verts = torch.tensor(recorded["verts"], requires_grad=True)
    mesh = Mesh(verts, torch.tensor(recorded["faces"]).long())
    sigma = ig.sigma_from_ndc(recorder.SIGMA_NDC, cameras.image_size)
    alpha = ig.render(mesh, cameras, mode="soft", sigma=sigma, backend=backend).alpha[0]
    torch.testing.assert_close(alpha, theirs["alpha"], atol=1e-5, rtol=0)
    (alpha * recorder.weights(cameras.image_size)).sum().backward()
    tolerance = 1e-4 * float(theirs["soft_grad"].abs().max())
    torch.testing.assert_close(verts.grad, theirs["soft_grad"], atol=tolerance, rtol=0)


@pytest.mark.skipif("pytorch3d" not in sys.modules and not importlib.util.find_spec("pytorch3d"), reason="no PyTorch3D")
class TestLive:
    """Against the PyTorch3D that is installed."""

    def test_the_recording_can_be_made_again(self, recorded):
        again = recorder.record()
        assert set(again) == set(recorded)
        for name, value in again.items():
            if value.dtype.kind in "iu":
                assert np.array_equal(value, recorded[name]), name
            elif value.dtype.kind == "f":
                np.testing.assert_allclose(value, recorded[name], atol=1e-4 * np.abs(value).max(), err_msg=name)

    @pytest.mark.parametrize("name", CAMERAS)
    def test_cameras_both_ways(self, recorded, name):
        """PyTorch3D draws with our arguments what it drew with its own, and its object becomes our cameras."""
        import pytorch3d.renderer as p3d
        from pytorch3d.structures import Meshes

        cameras, theirs = of(recorded, name)
        back = getattr(p3d, CAMERAS[name][0])(**cameras.to_pytorch3d())
        settings = p3d.RasterizationSettings(cameras.image_size, bin_size=0)
        mesh = Meshes([torch.tensor(recorded["verts"])], [torch.tensor(recorded["faces"]).long()])
        seen = p3d.MeshRasterizer(back, settings)(mesh)
        assert torch.equal(seen.pix_to_face[0, ..., 0].int(), theirs["face"].int())
        torch.testing.assert_close(seen.zbuf[0, ..., 0], theirs["depth"], rtol=1e-5, atol=1e-5)
        again = ig.Cameras.from_pytorch3d_cameras(back)
        assert again.projection == cameras.projection
        for one, other in ((again.R, cameras.R), (again.t, cameras.t), (again.K, cameras.K)):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("kind", ["FoVPerspectiveCameras", "FoVOrthographicCameras"])
    def test_field_of_view_cameras_become_ours(self, recorded, kind):
        import pytorch3d.renderer as p3d
        from pytorch3d.structures import Meshes

        R, T = (torch.tensor(recorded[key][:2]) for key in ("R", "T"))
        options = {"fov": 55.0, "aspect_ratio": 1.2} if "Persp" in kind else {"min_x": -1.5, "max_x": 1.9, "max_y": 2.0}
        object_ = getattr(p3d, kind)(R=R, T=T, znear=0.5, zfar=20.0, **options)
        verts, faces = torch.tensor(recorded["verts"]), torch.tensor(recorded["faces"]).long()
        settings = p3d.RasterizationSettings((30, 44), bin_size=0)
        seen = p3d.MeshRasterizer(object_, settings)(Meshes([verts, verts], [faces, faces]))
        cameras = ig.Cameras.from_pytorch3d_cameras(object_, (30, 44))
        out = ig.render(Mesh(verts, faces), cameras, mode="hard", outputs=("face_id", "depth"))
        face = seen.pix_to_face[..., 0]
        face = torch.where(face >= 0, face % len(faces), -1)
        assert float((out.face_id != face).float().mean()) < 1e-3  # but for centres on edges, to rounding
        same = (out.face_id == face) & (face >= 0)
        torch.testing.assert_close(out.depth[same], seen.zbuf[..., 0][same], rtol=1e-4, atol=0)
        with pytest.raises(ValueError, match="image_size"):
            ig.Cameras.from_pytorch3d_cameras(object_)
