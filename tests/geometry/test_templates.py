import math

import pytest
import torch

from invgraph.geometry.templates import icosphere, subdivide, unit_sphere


@pytest.mark.parametrize("level", [0, 1, 3])
def test_icosphere(level: int) -> None:
    mesh = icosphere(level, radius=2.0, center=(1.0, -1.0, 3.0), dtype=torch.float64)
    assert mesh.num_faces == 20 * 4**level
    assert mesh.is_closed
    assert mesh.euler_characteristic == 2
    center = torch.tensor([1.0, -1, 3], dtype=torch.float64)
    radius = torch.linalg.vector_norm(mesh.verts - center, dim=1)
    torch.testing.assert_close(radius, torch.full_like(radius, 2.0))
    assert mesh.volume() > 0
    assert mesh.topology.degrees.bincount()[5] == 12
    lengths = mesh.edge_lengths()
    assert lengths.max() / lengths.min() < 1.3


def test_icosphere_tends_to_the_ball() -> None:
    torch.testing.assert_close(icosphere(5).volume(), torch.tensor(4 / 3 * math.pi), rtol=2e-3, atol=0)


def test_subdivision_keeps_the_surface() -> None:
    mesh = icosphere(0)
    verts, faces = subdivide(mesh.verts, mesh.faces)
    torch.testing.assert_close(
        (verts[faces[:, 1]] - verts[faces[:, 0]]).norm(dim=1), mesh.edge_lengths().mean().expand(80) / 2
    )


def test_unit_sphere_round_trip() -> None:
    mesh = icosphere(2, radius=0.3, center=(5.0, 0.0, -2.0))
    unit, center, scale = unit_sphere(mesh)
    torch.testing.assert_close(unit.bounding_sphere()[1], torch.tensor(1.0))
    torch.testing.assert_close(unit.verts * scale + center, mesh.verts)
    with pytest.raises(ValueError, match="vertices that differ"):
        unit_sphere(mesh.with_verts(torch.ones_like(mesh.verts)))


@pytest.mark.parametrize(("level", "radius", "name"), [(-1, 1.0, "level"), (10, 1.0, "level"), (1, 0.0, "radius")])
def test_bad_arguments_are_named(level: int, radius: float, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        icosphere(level, radius)
