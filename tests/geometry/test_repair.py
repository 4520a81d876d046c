import pytest
import torch

from invgraph.geometry.mesh import Mesh
from invgraph.geometry.repair import (
    keep_largest_components,
    orient_outward,
    pinched_verts,
    remove_bad_faces,
    remove_unused_verts,
    split_pinched_verts,
)
from invgraph.geometry.templates import icosphere


def _two_spheres() -> Mesh:
    big, small = icosphere(2), icosphere(1, radius=0.1, center=(3.0, 0.0, 0.0))
    return Mesh(torch.cat([small.verts, big.verts]), torch.cat([small.faces, big.faces + small.num_verts]))


def _pinched() -> Mesh:
    """Two tetrahedra that share the origin."""
    verts = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    other = torch.where(faces > 0, faces + 3, 0).flip(1)
    return Mesh(torch.cat([verts, -verts[1:]]), torch.cat([faces, other]))


def test_largest_component_by_area() -> None:
    mesh = keep_largest_components(_two_spheres())
    assert torch.equal(mesh.verts, icosphere(2).verts)
    assert torch.equal(mesh.faces, icosphere(2).faces)
    assert keep_largest_components(_two_spheres(), count=5).num_faces == _two_spheres().num_faces


def test_orientation_is_restored() -> None:
    mesh = _two_spheres()
    flip = torch.rand(mesh.num_faces) < 0.5
    mixed = Mesh(mesh.verts, torch.where(flip[:, None], mesh.faces.flip(1), mesh.faces))
    assert not mixed.is_closed
    fixed = orient_outward(mixed)
    assert fixed.is_closed
    torch.testing.assert_close(fixed.volume(), mesh.volume())
    inside_out = Mesh(mesh.verts, mesh.faces.flip(1))
    torch.testing.assert_close(orient_outward(inside_out).volume(), mesh.volume())
    assert orient_outward(mesh) is mesh


def test_a_moebius_strip_has_no_orientation() -> None:
    i = torch.arange(5)
    faces = torch.stack([i, (i + 1) % 5, (i + 2) % 5], dim=1)  # the five-vertex strip
    with pytest.raises(ValueError, match="orientable"):
        orient_outward(Mesh(torch.rand(5, 3), faces))


def test_pinched_vertices_are_found_and_split() -> None:
    mesh = _pinched()
    assert mesh.is_closed  # edges alone do not show it
    assert pinched_verts(mesh.topology).nonzero().tolist() == [[0]]
    split = split_pinched_verts(mesh)
    assert split.num_verts == 8
    assert split.is_closed
    assert split.euler_characteristic == 4
    assert torch.equal(split.triangles(), mesh.triangles())
    assert not bool(pinched_verts(split.topology).any())
    assert split_pinched_verts(split) is split


def test_bad_faces() -> None:
    sphere = icosphere(1)
    assert remove_bad_faces(sphere)[0] is sphere
    extra = torch.tensor([[0, 0, 1], [5, 5, 5]])
    faces = torch.cat([extra, sphere.faces, sphere.faces[:3].roll(1, dims=1), sphere.faces[4:5].flip(1)])
    mesh, degenerate, duplicate = remove_bad_faces(Mesh(sphere.verts, faces))
    assert (degenerate, duplicate) == (2, 4)
    assert torch.equal(mesh.faces, sphere.faces)


def test_flat_faces_that_close_a_surface_are_kept() -> None:
    sphere = icosphere(1)
    verts = sphere.verts.clone()
    a, b = sphere.topology.edges[0]
    verts[a] = verts[b]  # its two faces have no area now
    assert remove_bad_faces(sphere.with_verts(verts))[0].is_closed
    half = Mesh(verts, sphere.faces[:-1])
    assert remove_bad_faces(half)[1] == 2


def test_unused_vertices() -> None:
    sphere = icosphere(0)
    padded = Mesh(torch.cat([torch.ones(2, 3), sphere.verts]), sphere.faces + 2)
    assert torch.equal(remove_unused_verts(padded).verts, sphere.verts)
    assert torch.equal(remove_unused_verts(padded).faces, sphere.faces)
