import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from invgraph.errors import InputError
from invgraph.geometry.files import load_mesh, save_mesh
from invgraph.geometry.mesh import Mesh
from invgraph.geometry.templates import icosphere

CORNERS = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"
PLY = """ply
format ascii 1.0
element vertex 3
property float x
property float y
property float z
element face {count}
property list uchar int vertex_indices
end_header
0 0 0
1 0 0
0 {y} 0
{face}
"""


def _odd_mesh() -> Mesh:
    """Coordinates of very different size and no symmetry, so that rounding or a turned axis would show."""
    mesh = icosphere(2)
    return mesh.with_verts(mesh.verts * torch.tensor([1e-5, 3e3, 1.0]) + torch.tensor([3e-3, -1.0, 2.0]))


@pytest.mark.parametrize("kind", ["ply", "glb", "obj", "off", "stl"])
def test_round_trip_is_exact(tmp_path: Path, kind: str) -> None:
    mesh, path = _odd_mesh(), tmp_path / f"a.{kind}"
    save_mesh(path, mesh)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = load_mesh(path)
    assert torch.equal(back.triangles(), mesh.triangles())
    assert back.is_closed
    if kind != "stl":  # a list of triangles
        assert torch.equal(back.verts, mesh.verts)
        assert torch.equal(back.faces, mesh.faces)
    assert os.listdir(tmp_path) == [f"a.{kind}"]


@pytest.mark.parametrize("kind", ["ply", "glb", "obj"])
def test_normals_are_written(tmp_path: Path, kind: str) -> None:
    mesh, path = icosphere(1), tmp_path / f"a.{kind}"
    save_mesh(path, mesh, normals=True)
    found = trimesh.load(path, process=False, force="mesh").vertex_normals
    np.testing.assert_allclose(found, mesh.vertex_normals().numpy(), atol=1e-6)
    assert torch.equal(load_mesh(path).verts, mesh.verts)
    with pytest.raises(InputError, match="no vertex normals"):
        save_mesh(tmp_path / "a.stl", mesh, normals=True)


def test_scenes_are_concatenated_under_their_transforms(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    shift = trimesh.transformations.translation_matrix([3, 0, 0])
    scene.add_geometry(trimesh.creation.box(), transform=shift)
    scene.add_geometry(trimesh.creation.box(), transform=np.diag([1.0, 1, -2, 1]))  # a mirror
    scene.export(tmp_path / "scene.glb")
    mesh = load_mesh(tmp_path / "scene.glb")
    assert mesh.is_closed
    assert mesh.euler_characteristic == 4
    torch.testing.assert_close(mesh.volume(), torch.tensor(3.0))
    torch.testing.assert_close(torch.stack(mesh.bounding_box()), torch.tensor([[-0.5, -0.5, -1], [3.5, 0.5, 1]]))


def test_texture_seams_are_welded(tmp_path: Path) -> None:
    path = tmp_path / "seams.obj"
    faces = "f 1/1 3/3 2/2\nf 1/4 2/1 4/2\nf 1/2 4/3 3/1\nf 2/1 3/4 4/2\n"
    path.write_text(CORNERS + "vt 0 0\nvt 1 0\nvt 0 1\nvt 1 1\n" + faces)
    assert load_mesh(path).is_closed
    assert load_mesh(path).num_verts == 4
    assert load_mesh(path, weld=False).is_closed  # an obj's seams are cut into the texture alone
    save_mesh(tmp_path / "seams.glb", load_mesh(path))
    assert load_mesh(tmp_path / "seams.glb").is_closed
    assert not load_mesh(tmp_path / "seams.glb", weld=False).is_closed


def test_coincident_vertices_inside_surfaces_are_kept(tmp_path: Path) -> None:
    one = icosphere(0)
    mesh = Mesh(torch.cat([one.verts, one.verts]), torch.cat([one.faces, one.faces + 12]))
    save_mesh(tmp_path / "two.ply", mesh)
    assert load_mesh(tmp_path / "two.ply").num_verts == 24


def test_bad_faces_are_removed_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "bad.obj"
    path.write_text(CORNERS + "v 2 0 0\nf 1 2 3\nf 1 2 2\nf 1 2 5\nf 3 1 2\nf 2 1 3\nf 1 4 3\n")
    with pytest.warns(UserWarning, match=r"bad\.obj: removed 2 degenerate and 2 duplicate of 6 faces"):
        mesh = load_mesh(path)
    assert mesh.num_faces == 2


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("none.obj", CORNERS, "no faces"),
        ("past.obj", CORNERS + "f 1 2 9\n", "8|9"),
        ("past.ply", PLY.format(count=1, y=1, face="3 0 1 7"), "vertices 0 to 7, but there are 3"),
        ("negative.ply", PLY.format(count=1, y=1, face="3 0 1 -1"), "vertices -1 to 1"),
        ("nan.ply", PLY.format(count=1, y="nan", face="3 0 1 2"), "1 of 3 vertices are not finite"),
        ("huge.obj", "v 1e300 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "1 of 3 vertices are not finite"),
        ("short.ply", PLY.format(count=2, y=1, face="3 0 1 2"), "declares 2 faces and holds 1"),
        ("short.off", "OFF\n3 2 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n", "declares 2 faces and holds 1"),
        ("past.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 5\n", "outside the range"),
        ("point.obj", CORNERS + "f 1 1 1\n", "none of the mesh's 1 faces"),
        ("text.glb", "not a mesh", "not a readable .glb"),
        ("mesh.xyz", "", "ending in .glb"),
        ("mesh", "", "ending in .glb"),
    ],
)
def test_broken_files_are_one_sentence(tmp_path: Path, name: str, text: str, match: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=match) as caught:
        load_mesh(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["ply", "glb", "off", "stl"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.98])
def test_truncated_files_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / f"a.{kind}"
    save_mesh(path, icosphere(2))
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=f"a.{kind}: "):
        load_mesh(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such mesh file"):
        load_mesh(tmp_path / "gone.ply")


def test_failed_writes_leave_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ply"
    save_mesh(path, icosphere(0))
    old = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        save_mesh(path, icosphere(1))
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["a.ply"]


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    mesh = icosphere(0)
    with pytest.raises(InputError, match="cannot write here"):
        save_mesh(tmp_path / "no" / "folder" / "a.ply", mesh)
    with pytest.raises(InputError, match="ending in"):
        save_mesh(tmp_path / "a.xyz", mesh)
    with pytest.raises(ValueError, match="batch"):
        save_mesh(tmp_path / "a.ply", mesh.with_verts(mesh.verts[None]))
    with pytest.raises(ValueError, match="finite"):
        save_mesh(tmp_path / "a.ply", mesh.with_verts(mesh.verts * torch.nan))
    assert os.listdir(tmp_path) == []
