"""Meshes of one's own in the files of the NMR set."""

import pytest
import torch

import invgraph as ig
from invgraph import InputError
from invgraph.data import NmrShapes, PictureOptions, nmr_pictures, nmr_voxels, picture_meshes

FEW = PictureOptions(split=(1, 1, 0), points=200)


def bird():
    """Red and lopsided: a long body, a fin up at its back, on its left; 1 long in x, closed."""
    body, fin = ig.geometry.icosphere(2), ig.geometry.icosphere(1)
    parts = body.verts * torch.tensor([0.5, 0.2, 0.3]), fin.verts * 0.1 + torch.tensor([-0.3, 0.25, -0.1])
    verts, faces = torch.cat(parts), torch.cat([body.faces, fin.faces + body.num_verts])
    red = torch.tensor([[0.8, 0.1, 0.1]]).repeat(len(verts), 1)
    return ig.Mesh(verts, faces, ig.geometry.VertexColors(red))


def z_up(mesh):
    """As files have it whose up is z and whose front is -y."""
    return mesh.with_verts(mesh.verts[:, [0, 2, 1]] * torch.tensor([1.0, -1.0, 1.0]))


def in_the_cube(mesh):
    low, high = mesh.verts.amin(0), mesh.verts.amax(0)
    return mesh.with_verts((mesh.verts - (low + high) / 2) / (high - low).max())


@pytest.mark.parametrize("up", ["y", "z"])
def test_a_mesh_is_drawn_upright_in_the_cube_with_its_colours(tmp_path, up):
    mesh = bird()
    file = mesh if up == "y" else z_up(mesh)
    for name in "ab":
        ig.save_mesh(tmp_path / f"{name}.ply", file.with_verts(7 * file.verts + torch.tensor([5.0, -3.0, 40.0])))
    meshes = {name: tmp_path / f"{name}.ply" for name in "ab"}
    report = picture_meshes(meshes, tmp_path / "out", PictureOptions(up=up, split=(1, 1, 0), points=200))
    assert (report.done, report.failed) == (2, [])
    assert sorted(map(tuple, report.written.values())) == [("a",), ("b",)]
    data, true = NmrShapes(tmp_path / "out", split="train"), in_the_cube(mesh)
    assert data.classes == ("shapes",)
    difference = data.images(0).movedim(-1, 1).int() - nmr_pictures(true).int()
    assert difference.abs().max() <= 3  # colours of a file are bytes
    seen = data.images(0)[data.images(0)[..., 3] == 255].float().mean(0)
    assert seen[0] > 3 * seen[1]
    filled = nmr_voxels(true).filled
    assert (data.filled([0])[0] != filled).sum() < 0.02 * filled.sum()  # triangles touch voxels, to rounding
    points = data.points(0)
    inside = ig.ops.winding_number(points.points, true.verts, true.faces).abs() > 0.5
    assert (inside != points.occupancies).sum() <= 1  # the mesh went through float32 twice
    assert points.occupancies.any()


def test_what_cannot_be_drawn_is_named_and_drawn_once_it_is_mended(tmp_path):
    (tmp_path / "birds").mkdir()
    for name in ("b1", "b2", "b3", "b4"):
        ig.save_mesh(tmp_path / "birds" / f"{name}.ply", bird())
    meshes = {f"birds/{name}": tmp_path / "birds" / f"{name}.ply" for name in ("b1", "b2", "b3", "b4")}
    (tmp_path / "birds/b2.ply").write_text("ply\n")
    out = tmp_path / "out"
    report = picture_meshes(meshes, out, FEW, workers=2)
    assert report.done == 3
    assert len(report.failed) == 1
    assert report.failed[0].startswith(f"birds/b2: {tmp_path / 'birds/b2.ply'}: ")
    assert sum(len(NmrShapes(out, split=split)) for split in ("train", "val")) == 3
    assert all("birds/b2" not in names for names in report.written.values())

    ig.save_mesh(tmp_path / "birds" / "b2.ply", bird())
    report = picture_meshes(meshes, out, FEW)
    assert (report.done, report.there, report.failed) == (1, 3, [])
    assert [len(NmrShapes(out, split=split)) for split in ("train", "val")] == [2, 2]
    assert not (out / ".pieces").exists()
    names = {path.name: path.read_bytes() for path in out.glob("*.npz")}
    picture_meshes(meshes, tmp_path / "again", FEW)
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == names


def test_what_is_not_seen_is_refused_and_warnings_come_through(tmp_path):
    ig.save_mesh(tmp_path / "bird.ply", bird())
    speck = ig.Mesh(torch.tensor([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 1e-6, 0.0]]), torch.tensor([[0, 1, 2]]))
    ig.save_mesh(tmp_path / "speck.ply", speck)
    doubled = bird()
    doubled = ig.Mesh(doubled.verts, torch.cat([doubled.faces, doubled.faces[:1]]))
    ig.save_mesh(tmp_path / "doubled.ply", doubled)
    meshes = {f"{name}/{name}": tmp_path / f"{name}.ply" for name in ("bird", "speck", "doubled")}
    with pytest.warns(UserWarning, match="doubled.ply"):
        report = picture_meshes(meshes, tmp_path / "out", PictureOptions(split=(1, 0, 0), points=0), workers=2)
    assert report.failed == ["speck/speck: nothing of it is seen in view 0"]
    assert NmrShapes(tmp_path / "out", split="train").classes == ("bird", "doubled")


def test_a_sheet_has_no_inside_and_is_drawn_without_points(tmp_path):
    corners = torch.tensor([[-0.5, 0.0, 0.5], [0.5, 0.0, 0.5], [0.5, 0.0, -0.5], [-0.5, 0.0, -0.5]])
    ig.save_mesh(tmp_path / "sheet.ply", ig.Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]])))
    meshes = {"sheet": tmp_path / "sheet.ply"}
    report = picture_meshes(meshes, tmp_path / "out", PictureOptions(split=(1, 0, 0)))
    assert len(report.failed) == 1
    assert "encloses none of 100,000 points" in report.failed[0]
    assert not picture_meshes(meshes, tmp_path / "drawn", PictureOptions(split=(1, 0, 0), points=0)).failed


def test_every_split_has_a_mesh_of_a_class(tmp_path):
    with pytest.raises(InputError, match="class 'shapes': expected at least 3 meshes, one for each split, got 2"):
        picture_meshes({"a": "a.ply", "b": "b.ply"}, tmp_path)
    for name in "abcd":
        ig.save_mesh(tmp_path / f"{name}.ply", bird())
    report = picture_meshes({name: tmp_path / f"{name}.ply" for name in "abcd"}, tmp_path / "out")
    assert [len(names) for names in report.written.values()] == [2, 1, 1]  # shares of 0.7, 0.1 and 0.2
    with pytest.raises(InputError, match="mesh name 'a/b/c': expected CLASS/MODEL or MODEL"):
        picture_meshes({"a/b/c": "a.ply"}, tmp_path)
    with pytest.raises(ValueError, match="up: expected 'y' or 'z', got 'x'"):
        PictureOptions(up="x")


def test_from_the_front_left_is_on_the_left():
    seen = nmr_pictures(bird().with_appearance(None))
    assert seen.shape == (24, 4, 64, 64)
    rows, columns = (seen[0, 3] > 127).nonzero().unbind(1)
    assert columns[rows == rows.min()].float().mean() < 32  # the fin, its highest part
