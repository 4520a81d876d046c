import math
from pathlib import Path

import pytest
import torch

from invgraph.geometry.files import load_mesh
from invgraph.geometry.mesh import Mesh
from invgraph.geometry.nearest import NearestPoint
from invgraph.geometry.remesh import _without_folds, remesh
from invgraph.geometry.remesh_collapse import collapse_short_edges
from invgraph.geometry.remesh_split import Surface
from invgraph.geometry.repair import orient_outward, pinched_verts, remove_bad_faces
from invgraph.geometry.sampling import sample_surface
from invgraph.geometry.templates import icosphere


def _assert_sound(mesh: Mesh, source: Mesh) -> None:
    """Everything that remeshing promises to keep."""
    assert mesh.is_closed == source.is_closed
    assert mesh.topology.is_edge_manifold
    assert not bool(pinched_verts(mesh.topology).any())
    assert mesh.euler_characteristic == source.euler_characteristic
    assert int(mesh.topology.components().max()) == int(source.topology.components().max())
    assert remove_bad_faces(mesh)[1:] == (0, 0)
    assert mesh.face_areas().min() > 0
    assert bool((mesh.topology.degrees > 0).all())
    assert bool(torch.isfinite(mesh.verts).all())


def _smallest_angles(mesh: Mesh) -> torch.Tensor:
    """(F,) in degrees."""
    p = mesh.triangles().double()
    u = torch.nn.functional.normalize(p.roll(-1, 1) - p, dim=2)
    return torch.rad2deg(torch.acos((-u * u.roll(1, 1)).sum(2).clamp(-1, 1))).amin(1)


def _assert_uniform(mesh: Mesh, length: float) -> None:
    lengths = mesh.edge_lengths()
    assert abs(float(lengths.mean()) / length - 1) < 0.08
    assert float(lengths.std() / lengths.mean()) < 0.14
    angles = _smallest_angles(mesh)
    assert float(angles.min()) > 20
    assert float(angles.median()) > 50
    assert float(((mesh.topology.degrees - 6).abs() <= 1).float().mean()) > 0.98


def _assert_unfolded(mesh: Mesh, source: Mesh) -> None:
    """Every face looks where the surface below it looks."""
    normals = mesh.face_normals()
    nearest = NearestPoint(source, 0.02)(mesh.triangles().mean(1), normals)[1]
    assert float((normals * source.face_normals()[nearest]).sum(1).min()) > 0.3


def _distance(mesh: Mesh, source: Mesh) -> tuple[float, float]:
    """Mean and largest distance of points on either surface from the other."""
    there = sample_surface(mesh, 4000, 0)[0]
    back = sample_surface(source, 4000, 1)[0]
    d = torch.cat(
        [
            (NearestPoint(source, 0.02)(there)[0] - there).norm(dim=1),
            (NearestPoint(mesh, 0.02)(back)[0] - back).norm(dim=1),
        ]
    )
    return float(d.mean()), float(d.max())


def _torus(major: int, minor: int) -> Mesh:
    """Radii 1 and 0.3; the faces are as long and thin as the numbers make them."""
    i, j = torch.meshgrid(torch.arange(major), torch.arange(minor), indexing="ij")
    u, v = i.reshape(-1) * (2 * math.pi / major), j.reshape(-1) * (2 * math.pi / minor)
    r = 1 + 0.3 * v.cos()
    verts = torch.stack([r * u.cos(), r * u.sin(), 0.3 * v.sin()], dim=1)
    a, b = (i * minor + j).reshape(-1), ((i + 1) % major * minor + j).reshape(-1)
    c, d = ((i + 1) % major * minor + (j + 1) % minor).reshape(-1), (i * minor + (j + 1) % minor).reshape(-1)
    return Mesh(verts, torch.cat([torch.stack([a, b, c], dim=1), torch.stack([a, c, d], dim=1)]))


def _marching_cubes_sphere() -> Mesh:
    """Radius 1, thousands of slivers."""
    from skimage.measure import marching_cubes

    x = torch.linspace(-1.3, 1.3, 42)
    grid = torch.stack(torch.meshgrid(x, x, x, indexing="ij")).square().sum(0).sqrt() - 1
    verts, faces, _, _ = marching_cubes(grid.numpy(), 0.0)
    verts = torch.from_numpy(verts.copy()) * float(x[1] - x[0]) - 1.3
    return orient_outward(Mesh(verts, torch.from_numpy(faces.astype("int64"))))


def test_marching_cubes_become_uniform() -> None:
    source = _marching_cubes_sphere()
    assert float(_smallest_angles(source).min()) < 10
    mesh = remesh(source, 0.12)
    _assert_sound(mesh, source)
    _assert_uniform(mesh, 0.12)
    _assert_unfolded(mesh, source)
    mean, worst = _distance(mesh, source)
    assert mean < 0.0012
    assert worst < 0.006
    torch.testing.assert_close(mesh.volume(), source.volume(), rtol=1e-3, atol=0)


@pytest.mark.parametrize("project", [True, False])
@pytest.mark.parametrize(("major", "minor"), [(12, 8), (600, 6)])
def test_torus_keeps_its_hole(major: int, minor: int, project: bool) -> None:
    source = _torus(major, minor)
    mesh = remesh(source, 0.1, project=project)
    _assert_sound(mesh, source)
    _assert_uniform(mesh, 0.1)
    _assert_unfolded(mesh, source)
    assert mesh.euler_characteristic == 0
    torch.testing.assert_close(mesh.volume(), source.volume(), rtol=0.01 if project else 0.05, atol=0)


def _sponge(seed: int) -> Mesh:
    """The zero surface of smooth noise on a 32^3 grid: some ten parts, a dozen handles, walls of all thicknesses."""
    from scipy.ndimage import gaussian_filter
    from skimage.measure import marching_cubes

    noise = torch.randn(32, 32, 32, generator=torch.Generator().manual_seed(seed)).numpy()
    field = gaussian_filter(noise, 1.6)
    field[[0, -1]] = field[:, [0, -1]] = field[:, :, [0, -1]] = -1
    verts, faces, _, _ = marching_cubes(field, 0.4 * field.clip(-0.1).std(), gradient_direction="ascent")
    return Mesh(torch.from_numpy(verts.copy()), torch.from_numpy(faces.astype("int64")))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("length", [1.0, 3.0, 10.0])
def test_many_handles_and_parts_at_any_target(seed: int, length: float) -> None:
    source = _sponge(seed)
    assert source.euler_characteristic != 2 * int(source.topology.components().max() + 1)
    mesh = remesh(source, length)
    _assert_sound(mesh, source)


def test_a_target_larger_than_the_hole_does_not_close_it() -> None:
    source = _torus(40, 20)
    _assert_sound(remesh(source, 2.0), source)


def test_sphere_grows_from_a_coarse_one() -> None:
    source = icosphere(0)
    mesh = remesh(source, 0.1)
    _assert_sound(mesh, source)
    assert float(_distance(mesh, source)[0]) < 0.003  # near the icosahedron, edges a little rounded
    assert _smallest_angles(mesh).min() > 20


def test_tetrahedron_stays_whatever_the_target() -> None:
    verts = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    source = Mesh(verts, torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    assert remesh(source, 10.0).num_verts == 4
    _assert_sound(remesh(source, 0.2), source)


def test_thin_wall_is_not_folded() -> None:
    verts = icosphere(4).verts * torch.tensor([1.0, 1.0, 0.02])  # a lens thinner than the target
    source = icosphere(4).with_verts(verts)
    mesh = remesh(source, 0.1)
    _assert_sound(mesh, source)
    normals = mesh.face_normals()
    upper = mesh.triangles().mean(1)[:, 2] > 0.008
    assert bool((normals[upper, 2] > 0).all())


@pytest.mark.parametrize(("x", "y", "collapses"), [(-0.2, 0.1, True), (0.05, 0.05, False)])
def test_a_collapse_that_turns_a_face_over_is_refused(x: float, y: float, collapses: bool) -> None:
    # a flat patch with one short inner edge, from 0 to 1; for x = 0.05 its middle is beyond face 0 6 5
    verts = torch.tensor([[0, 0], [0.2, 0], [0.1, 0.5], [-1, 0], [1, 0], [y, -0.25], [x, -1], [0.4, -0.8]])
    faces = [[0, 1, 2], [0, 2, 3], [0, 3, 6], [1, 4, 2], [1, 7, 4], [0, 6, 5], [0, 5, 1], [5, 6, 7], [5, 7, 1]]
    flat = torch.cat([verts, torch.zeros(8, 1)], dim=1).double()
    surface = Surface(flat, torch.tensor(faces), torch.ones(8).double(), torch.zeros(8, dtype=torch.bool), False)
    assert Mesh(flat, surface.faces).face_normals()[:, 2].min() == 1
    collapse_short_edges(surface, 0.201, 10.0)
    assert len(surface.faces) == (7 if collapses else 9)
    assert Mesh(surface.verts, surface.faces).face_normals()[:, 2].min() == 1


def test_a_move_that_folds_is_taken_back() -> None:
    mesh = icosphere(2)
    moved = mesh.verts * 1.01
    moved[0] = mesh.verts[1]  # far across its ring
    safe = _without_folds(mesh, moved, mesh.vertex_normals())
    assert torch.equal(safe[0], mesh.verts[0])
    assert torch.equal(safe[1], moved[1])
    assert float((mesh.with_verts(safe).face_normals() * mesh.face_normals()).sum(1).min()) > 0.9


def test_target_of_each_vertex() -> None:
    source = icosphere(4)
    target = 0.03 + 0.06 * (source.verts[:, 2] + 1)  # 0.03 at the bottom, 0.15 at the top
    mesh = remesh(source, target)
    _assert_sound(mesh, source)
    middle = mesh.verts[mesh.topology.edges].mean(1)
    relative = mesh.edge_lengths() / (0.03 + 0.06 * (middle[:, 2] + 1))
    assert abs(float(relative.mean()) - 1) < 0.08
    assert float(relative.std()) < 0.15
    assert torch.equal(remesh(source, torch.tensor(0.1)).verts, remesh(source, 0.1).verts)


def test_small_parts_and_far_frames() -> None:
    source = icosphere(3)
    both = Mesh(
        torch.cat([source.verts, source.verts * 0.01 + torch.tensor([2.0, 0, 0])]),
        torch.cat([source.faces, source.faces + source.num_verts]),
    )
    _assert_sound(remesh(both, 0.2), both)
    far = source.with_verts(source.verts * 50 + torch.tensor([1000.0, -500, 20]))
    mesh = remesh(far, 10.0)
    _assert_sound(mesh, far)
    torch.testing.assert_close(mesh.volume(), far.volume(), rtol=0.01, atol=0)


def test_faces_without_area_are_cleaned_up() -> None:
    source = icosphere(3)
    verts = source.verts.clone()
    # collapse a whole cap into one point: a hundred coincident vertices and their zero faces
    verts[verts[:, 2] > 0.7] = torch.tensor([0.0, 0, 1])
    crushed = source.with_verts(verts)
    assert int((crushed.face_areas() == 0).sum()) > 100
    mesh = remesh(crushed, 0.15)
    _assert_sound(mesh, crushed)
    assert _smallest_angles(mesh).min() > 15
    with pytest.raises(ValueError, match="mesh: expected faces"):
        remesh(Mesh(verts, torch.zeros((4, 3), dtype=torch.int64)), 0.15)


def _sheet() -> Mesh:
    """[0, 1] x [0, 2], 8 x 16 squares."""
    i, j = torch.meshgrid(torch.arange(9), torch.arange(17), indexing="ij")
    verts = torch.stack([i.reshape(-1) / 8, j.reshape(-1) / 8, torch.zeros(153)], dim=1)
    a = (i * 17 + j)[:-1, :-1].reshape(-1)
    return Mesh(verts, torch.cat([torch.stack([a, a + 17, a + 18], 1), torch.stack([a, a + 18, a + 1], 1)]))


@pytest.mark.parametrize("length", [0.06, 0.3])
def test_open_borders(length: float) -> None:
    source = _sheet()
    mesh = remesh(source, length)
    _assert_sound(mesh, source)
    torch.testing.assert_close(mesh.area(), torch.tensor(2.0))  # the corners are still there
    assert bool((mesh.face_normals()[:, 2] > 0.999).all())
    assert abs(float(mesh.edge_lengths().mean()) / length - 1) < 0.15
    kept = remesh(source, length, boundary="keep")
    _assert_sound(kept, source)
    border = kept.verts[kept.topology.boundary_verts]
    expected = source.verts[source.topology.boundary_verts]
    assert len(border) == len(expected)
    assert float(torch.cdist(expected, border).amin(1).max()) == 0


def test_a_pinched_vertex_stays_as_it_is() -> None:
    one = icosphere(1)
    faces = torch.cat([one.faces, one.faces.flip(1) + one.num_verts])
    faces[faces == one.num_verts] = 0  # a sphere and its image in vertex 0 touch there
    source = Mesh(torch.cat([one.verts, 2 * one.verts[0] - one.verts]), faces)
    mesh = remesh(source, 0.2)
    assert mesh.is_closed
    assert mesh.euler_characteristic == source.euler_characteristic == 3
    assert torch.equal(mesh.verts[pinched_verts(mesh.topology)], one.verts[:1])


def test_dtype_gradients_and_repeatability() -> None:
    source = icosphere(2, dtype=torch.float64)
    leaf = source.verts.clone().requires_grad_()
    first, second = remesh(source.with_verts(leaf), 0.2), remesh(source, 0.2)
    assert first.verts.dtype == torch.float64
    assert not first.verts.requires_grad
    assert torch.equal(first.verts, second.verts)
    assert torch.equal(first.faces, second.faces)


@pytest.mark.parametrize(
    ("length", "options", "match"),
    [
        (0.0, {}, "edge_length: .*above 0"),
        (math.nan, {}, "edge_length: .*finite"),
        (1e-6, {}, "edge_length: .*faces"),
        (torch.ones(3), {}, r"edge_length: .*\(42,\).*\(3,\)"),
        (0.5, {"iterations": 0}, "iterations"),
        (0.5, {"boundary": "fixed"}, "boundary"),
    ],
)
def test_bad_arguments_are_named(length: float, options: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        remesh(icosphere(1), length, **options)


def test_bad_meshes_are_refused() -> None:
    mesh = icosphere(1)
    for bad in (
        mesh.with_verts(mesh.verts[None]),
        mesh.with_verts(mesh.verts * torch.nan),
        Mesh(mesh.verts, mesh.faces[:0]),
    ):
        with pytest.raises(ValueError, match="mesh: expected"):
            remesh(bad, 0.5)


@pytest.mark.parametrize(("name", "euler"), [("spot", 2), ("bob", 0)])
def test_real_shapes(shared_data: Path, name: str, euler: int) -> None:
    source = load_mesh(shared_data / name / "views24" / "gt.ply")
    mesh = remesh(source, 0.04)
    _assert_sound(mesh, source)
    _assert_uniform(mesh, 0.04)
    _assert_unfolded(mesh, source)
    assert mesh.euler_characteristic == euler
    assert _distance(mesh, source)[0] < 0.001
