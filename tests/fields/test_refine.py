"""Refinement and normals against shapes whose distance is known."""

import math

import pytest
import torch

from invgraph.errors import InputError
from invgraph.fields import Box, Sphere, Torus, extract_mesh, field_normals, refine_mesh
from invgraph.geometry import Mesh, sample_surface
from invgraph.ops import winding_number


def errors(mesh, field):
    """Root mean square distance from the surface, and of the normals from the field's."""
    points, normals, _ = sample_surface(mesh, 20_000, 0)
    return float(field(points).square().mean().sqrt()), float(
        (field_normals(field, points) - normals).norm(dim=1).mean()
    )


@pytest.mark.parametrize("field", [Torus(0.5, 0.2), Box((0.5, 0.25, 0.375))], ids=["torus", "box"])
@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_nearer_in_distance_and_normals_at_any_scale(field, scale):
    mesh = extract_mesh(field, subdivisions=0).mesh
    terms = []
    if scale == 1:
        refined = refine_mesh(field, mesh, progress=lambda step, steps, t: terms.append((step, steps, t)))
        assert [step for step, *_ in terms] == list(range(1, 31))
        assert terms[-1][2]["value"] < terms[0][2]["value"]
    else:  # logits of a larger shape
        function = lambda p: -7 * field(p / scale)  # noqa: E731
        larger = refine_mesh(function, mesh.with_verts(mesh.verts * scale), bounds=field.bounds * scale)
        refined = larger.with_verts(larger.verts / scale)
    assert refined.is_closed
    before, after = errors(mesh, field), errors(refined, field)
    assert after[0] < 0.4 * before[0]
    assert after[1] < before[1]


def test_repeatable_and_none():
    field = Torus(0.5, 0.2)
    mesh = extract_mesh(field, resolution=16, subdivisions=0).mesh
    a, b = (refine_mesh(field, mesh, steps=3, batch=500) for _ in range(2))
    assert torch.equal(a.verts, b.verts)
    assert torch.equal(refine_mesh(field, mesh, steps=0).verts, mesh.verts)
    assert all(p.grad is None for p in field.parameters())


def test_where_the_bounds_cut_it_the_mesh_stays():
    field = Sphere(0.8, bounds=((-1, -1, -1), (0.3, 1, 1)))
    mesh = extract_mesh(field, subdivisions=0).mesh
    refined = refine_mesh(field, mesh)
    flat = mesh.verts[:, 0] == field.bounds[1, 0]
    assert int(flat.sum()) > 50
    assert torch.equal(refined.verts[flat, 0], mesh.verts[flat, 0])
    inner = flat & (mesh.verts.norm(dim=1) < 0.6)
    assert torch.equal(refined.verts[inner], mesh.verts[inner])
    round_part = ~flat[mesh.faces].all(1)
    before, after = (errors(Mesh(m.verts, m.faces[round_part]), field) for m in (mesh, refined))
    assert after[0] < 0.6 * before[0]


def test_normals_point_outward_whatever_the_kind():
    points = torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = points / points.norm(dim=1, keepdim=True)
    assert torch.allclose(field_normals(Sphere(0.5), points, batch=7), expected)
    assert torch.allclose(field_normals(lambda p: torch.sigmoid(3 - p.norm(dim=1)), points), expected)
    assert torch.equal(field_normals(lambda p: 0 * p.sum(1), points), torch.zeros_like(points))


def test_what_cannot_be_refined():
    mesh = extract_mesh(Sphere(0.5), resolution=8, subdivisions=0).mesh
    wrapped = lambda p: winding_number(p, mesh.verts, mesh.faces)  # noqa: E731
    with pytest.raises(ValueError, match="field: expected values with a gradient"):
        refine_mesh(wrapped, mesh, level=0.5)
    with pytest.raises(ValueError, match="field: expected values with a gradient"):
        field_normals(wrapped, mesh.verts)
    with pytest.raises(InputError, match="has a slope of 0"):
        refine_mesh(lambda p: 0 * p.sum(1), mesh)
    with pytest.raises(ValueError, match="steps"):
        refine_mesh(Sphere(0.5), mesh, steps=-1)
    with pytest.raises(ValueError, match="learning_rate"):
        refine_mesh(Sphere(0.5), mesh, learning_rate=math.nan)
    with pytest.raises(ValueError, match="mesh: expected one mesh with faces"):
        refine_mesh(Sphere(0.5), Mesh(mesh.verts, mesh.faces[:0]))
    with pytest.raises(ValueError, match="points: expected shape"):
        field_normals(Sphere(0.5), torch.zeros(3))
