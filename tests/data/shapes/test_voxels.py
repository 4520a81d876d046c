"""Voxels of a mesh, and their files."""

import numpy as np
import pytest
import torch

from invgraph import InputError, Mesh
from invgraph.data import Voxels, load_binvox, save_binvox, voxelize
from invgraph.geometry import icosphere, sample_surface
from invgraph.ops import winding_number


def box(size):
    """An axis-aligned box around the origin."""
    corners = torch.tensor([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return Mesh(corners * torch.tensor(size), torch.tensor([[q[0], q[i], q[i + 1]] for q in quads for i in (1, 2)]))


def test_a_box_fills_its_voxels_axis_by_axis():
    filled = voxelize(box([0.9, 0.45, 0.15]), 10)  # no face on a border between voxels
    truth = torch.zeros(10, 10, 10, dtype=torch.bool)
    truth[0:10, 2:8, 4:6] = True
    assert torch.equal(filled, truth)


def test_the_unit_cube_fills_all():
    assert bool(voxelize(box([1.0, 1.0, 1.0]), 7).all())


def test_every_voxel_with_a_piece_of_the_surface_is_filled_and_none_far_from_it():
    mesh = icosphere(2)
    mesh = Mesh(mesh.verts * 0.5, mesh.faces)
    filled = voxelize(mesh, 16)
    points = sample_surface(mesh, 20000, 0)[0]
    cell = ((points + 0.5) * 16).floor().long().clamp(0, 15)
    assert bool(filled[tuple(cell.T)].all())
    center = (torch.stack(torch.meshgrid(*[torch.arange(16)] * 3, indexing="ij"), -1) + 0.5) / 16 - 0.5
    radius = torch.linalg.vector_norm(center, dim=-1)
    assert bool(filled[radius < 0.48].all())
    assert not bool(filled[radius > 0.5 + 0.5 * 3**0.5 / 16].any())
    # of a shell alone, the inside stays empty; and turned inside out it is as full as before
    assert torch.equal(voxelize(Mesh(mesh.verts, mesh.faces.flip(1)), 16), filled)
    sheet = voxelize(Mesh(mesh.verts, torch.cat([mesh.faces, mesh.faces.flip(1)])), 16)
    assert not bool(sheet[radius < 0.35].any())
    assert bool(sheet[tuple(cell.T)].all())


def test_a_face_larger_than_the_cube_is_clipped():
    mesh = Mesh(torch.tensor([[-9.0, -9.0, 0.01], [9.0, -9.0, 0.01], [0.0, 9.0, 0.01]]), torch.tensor([[0, 1, 2]]))
    filled = voxelize(mesh, 8)
    assert bool(filled[:, :, 4].all())
    assert int(filled.sum()) == 64


@pytest.mark.parametrize("open_", [False, True])
def test_a_voxel_is_filled_where_its_centre_is_inside_or_the_surface_crosses_it(open_):
    ball = icosphere(2)
    shells = [(0.49, False), (0.3, True), (0.12, False)]  # a ball in the hollow of a ball, beside a third
    verts = torch.cat([radius * ball.verts for radius, _ in shells] + [0.13 * ball.verts + 0.36])
    flips = [flipped for _, flipped in shells] + [False]
    count = ball.num_verts
    faces = torch.cat([(ball.faces.flip(1) if flipped else ball.faces) + i * count for i, flipped in enumerate(flips)])
    mesh = Mesh(verts, faces[:-40] if open_ else faces)
    assert mesh.is_closed != open_
    axis = (torch.arange(24) + 0.5) / 24 - 0.5
    centres = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    held = winding_number(centres, mesh.verts, mesh.faces).reshape(24, 24, 24).abs() > 0.5
    surface = voxelize(Mesh(mesh.verts, torch.cat([mesh.faces, mesh.faces.flip(1)])), 24)  # winds around nothing
    assert bool((held & ~surface).any())
    assert torch.equal(voxelize(mesh, 24), held | surface)


def test_vertices_that_are_not_finite_are_told():
    with pytest.raises(ValueError, match="verts: expected finite"):
        voxelize(Mesh(torch.full((3, 3), torch.nan), torch.tensor([[0, 1, 2]])), 8)


def test_binvox_runs_through_x_then_z_then_y(tmp_path):
    filled = torch.zeros(2, 2, 2, dtype=torch.bool)
    filled[0, 1, 0] = True  # x 0, y 1, z 0: second in the file
    save_binvox(tmp_path / "a.binvox", Voxels(filled, torch.tensor([-1.0, 0.0, 0.5]), 2.0))
    expected = b"#binvox 1\ndim 2 2 2\ntranslate -1.0 0.0 0.5\nscale 2.0\ndata\n" + bytes([0, 1, 1, 1, 0, 6])
    assert (tmp_path / "a.binvox").read_bytes() == expected


def test_binvox_there_and_back_and_as_trimesh_reads_it(tmp_path):
    import trimesh

    filled = torch.rand(32, 32, 32, generator=torch.Generator().manual_seed(0)) < 0.5
    filled[5:20] = True  # runs longer than 255
    save_binvox(tmp_path / "a.binvox", Voxels(filled, torch.tensor([1.0, 2.0, 3.0]).double(), 0.1))
    read = load_binvox(tmp_path / "a.binvox")
    assert torch.equal(read.filled, filled)
    assert read.low.tolist() == [1.0, 2.0, 3.0]
    assert read.side == 0.1
    assert np.array_equal(trimesh.load(tmp_path / "a.binvox").matrix, filled.numpy())


HEAD = b"#binvox 1\ndim 2 2 2\ntranslate 0 0 0\nscale 1\ndata\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"ply\n", "not a binvox file"),
        (HEAD[:-5], "no line 'data'"),
        (HEAD + bytes([0, 7]), "'data' holds 7 voxels, 'dim' says 8"),
        (HEAD + bytes([0, 9]), "'data' holds 9 voxels"),
        (HEAD + bytes([0, 8, 0]), "broken"),
        (HEAD + bytes([2, 8]), "'data' has the value 2"),
        (HEAD.replace(b"2 2 2", b"2 2 3") + bytes([0, 12]), "'dim' is [2, 2, 3]"),
        (HEAD.replace(b"2 2 2", b"9999999 9999999 9999999"), "'dim' is [9999999"),
        (HEAD.replace(b"dim 2 2 2\n", b"") + bytes([0, 8]), "'dim' expected 3 numbers, got nothing"),
        (HEAD.replace(b"scale 1", b"scale nan") + bytes([0, 8]), "'scale' expected 1 numbers, got nan"),
        (HEAD.replace(b"scale 1", b"scale 0") + bytes([0, 8]), "'scale' is 0.0"),
    ],
)
def test_broken_binvox_is_named(tmp_path, content, words):
    (tmp_path / "a.binvox").write_bytes(content)
    with pytest.raises(InputError) as error:
        load_binvox(tmp_path / "a.binvox")
    assert str(tmp_path / "a.binvox") in str(error.value)
    assert words in str(error.value)
