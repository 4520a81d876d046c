import logging

import pytest
import torch

from invgraph import Cameras, InputError, Views, save_mesh
from invgraph.fit import FitOptions, initial_mesh
from invgraph.geometry import Mesh, icosphere
from invgraph.render import render

CENTER = torch.tensor([3.0, -1.0, 2.0])


@pytest.fixture(scope="module")
def views() -> Views:
    """Six views of a sphere of radius 2, along the axes."""
    eye = CENTER + 10 * torch.cat([torch.eye(3), -torch.eye(3)])
    up = torch.eye(3).roll(1, 0).repeat(2, 1)
    cameras = Cameras.look_at(eye, CENTER.expand(6, 3), up, 40.0, (48, 64))
    return Views(cameras, render(icosphere(4, radius=2.0, center=CENTER), cameras).alpha)


def test_auto_is_the_hull(views):
    initial = initial_mesh(views, FitOptions(hull_resolution=32))
    assert (initial.kind, initial.note) == ("hull", "")
    low, high = initial.mesh.bounding_box()
    torch.testing.assert_close(high - low, torch.full((3,), 4.0), atol=0.2, rtol=0)
    assert initial.mesh.is_closed


def test_sphere_is_in_the_middle_of_what_the_cameras_see(views):
    initial = initial_mesh(views, FitOptions(init="sphere"))
    center, radius = initial.mesh.bounding_sphere()
    torch.testing.assert_close(center, CENTER, atol=0.2, rtol=0)
    assert 1.0 < float(radius) < 2.4
    assert initial.radius == pytest.approx(2 * float(radius), rel=1e-4)


def test_auto_without_a_hull_says_so_and_starts_from_a_sphere(views, monkeypatch, caplog):
    def empty(*args, **kwargs):
        raise InputError("nothing is inside all silhouettes")

    monkeypatch.setattr("invgraph.fit.initial.visual_hull", empty)
    with caplog.at_level(logging.WARNING):
        initial = initial_mesh(views, FitOptions())
    assert initial.kind == "sphere"
    assert "nothing is inside all silhouettes" in initial.note
    assert initial.note in caplog.text
    with pytest.raises(InputError, match="nothing is inside"):
        initial_mesh(views, FitOptions(init="hull"))


def test_a_file_is_taken_as_it_is(views, tmp_path):
    path = tmp_path / "start.ply"
    save_mesh(path, icosphere(1, radius=2.5, center=CENTER))
    initial = initial_mesh(views, FitOptions(init=str(path)))
    assert initial.kind == "file"
    assert initial.mesh.num_verts == 42
    with pytest.raises(InputError, match="expected auto, hull, sphere or a mesh file, got 'spher'"):
        initial_mesh(views, FitOptions(init="spher"))
    with pytest.raises(InputError, match="missing"):
        initial_mesh(views, FitOptions(init=str(tmp_path / "missing.ply")))
    open_mesh = icosphere(1, radius=2.5, center=CENTER)
    save_mesh(path, Mesh(open_mesh.verts, open_mesh.faces[1:]))
    with pytest.raises(InputError, match=r"expected a closed, consistently oriented mesh .* 3 open"):
        initial_mesh(views, FitOptions(init=str(path)))
