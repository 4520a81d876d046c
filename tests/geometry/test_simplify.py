"""Fewer faces: as many as asked for, on the same surface, closed as before."""

import warnings

import pytest
import torch

from invgraph.geometry import Mesh, icosphere, simplify


def torus(n: int = 40, m: int = 20) -> Mesh:
    u, v = torch.meshgrid(torch.arange(n), torch.arange(m), indexing="ij")
    a, b = u * 2 * torch.pi / n, v * 2 * torch.pi / m
    r = 1 + 0.3 * b.cos()
    at = torch.stack([r * a.cos(), r * a.sin(), 0.3 * b.sin()], -1).reshape(-1, 3).double()
    corner = [(((u + i) % n) * m + (v + j) % m).reshape(-1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    faces = torch.cat([torch.stack([corner[i] for i in pick], 1) for pick in ((0, 1, 2), (0, 2, 3))])
    return Mesh(at, faces)


def test_reaches_the_number_and_stays_on_the_surface_in_any_units():
    sphere = icosphere(4).to(dtype=torch.float64)
    moved = simplify(Mesh(sphere.verts * 1000 + 5000, sphere.faces), 500)
    assert moved.num_faces == 500
    assert moved.is_closed
    assert moved.verts.dtype == torch.float64
    assert moved.num_verts == 252
    radius = ((moved.verts - 5000) / 1000).norm(dim=1)
    assert float((radius - 1).abs().max()) < 0.02
    assert float(moved.volume()) > 0.98 * 1e9 * float(sphere.volume())


def test_a_closed_surface_keeps_its_kind_and_a_warning_says_at_what_price():
    mesh = torus()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        few = simplify(mesh, 200)
    assert (few.num_faces, few.is_closed, few.euler_characteristic) == (200, True, 0)
    with pytest.warns(UserWarning, match=r"simplify: \d+ faces, as 6 would tear or pinch"):
        fewest = simplify(mesh, 6)
    assert fewest.is_closed
    assert fewest.euler_characteristic == 0
    assert 14 <= fewest.num_faces < 100  # 14 is the least for a torus


def test_open_mesh_and_one_that_has_no_more():
    mesh = torus()
    assert simplify(mesh, mesh.num_faces) is mesh
    sheet = Mesh(mesh.verts, mesh.faces[mesh.verts[mesh.faces][:, :, 2].amax(1) > 0])
    assert not sheet.is_closed
    assert simplify(sheet, 100).num_faces == 100


def test_wrong_arguments():
    mesh = icosphere(1)
    with pytest.raises(ValueError, match="faces: expected at least 4"):
        simplify(mesh, 0)
    with pytest.raises(TypeError, match=r"faces: expected a whole number, got 10\.5"):
        simplify(mesh, 10.5)
    with pytest.raises(ValueError, match="batch"):
        simplify(mesh.with_verts(mesh.verts[None]), 20)
    with pytest.raises(ValueError, match="finite"):
        simplify(mesh.with_verts(mesh.verts * float("nan")), 20)
