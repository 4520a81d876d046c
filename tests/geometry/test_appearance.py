import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invgraph.errors import InputError
from invgraph.geometry import Mesh, icosphere, load_mesh, save_mesh
from invgraph.geometry.appearance import FaceColors, Texture, VertexColors
from invgraph.geometry.repair import keep_largest_components, orient_outward, remove_bad_faces, split_pinched_verts

BALL = icosphere(1)


def textured(mesh: Mesh = BALL) -> Mesh:
    """Every face has its own piece of an asymmetric picture: all its edges are seams."""
    uv = torch.rand(3 * mesh.num_faces, 2)
    image = torch.randint(0, 256, (6, 9, 3)) / 255
    return mesh.with_appearance(Texture(image, uv, torch.arange(3 * mesh.num_faces).reshape(-1, 3)))


def corners_of(mesh: Mesh) -> torch.Tensor:
    """What each corner of each face looks like: (F, 3, C)."""
    look = mesh.appearance
    if isinstance(look, VertexColors):
        return look.colors[mesh.faces]
    if isinstance(look, FaceColors):
        return look.colors[:, None].expand(-1, 3, -1)
    assert isinstance(look, Texture)
    return look.uv[mesh.faces if look.uv_faces is None else look.uv_faces]


def looks(mesh: Mesh) -> list[Mesh]:
    return [
        mesh.with_appearance(VertexColors(torch.rand(mesh.num_verts, 3))),
        mesh.with_appearance(FaceColors(torch.rand(mesh.num_faces, 3))),
        mesh.with_appearance(Texture(torch.rand(2, 2, 3), torch.rand(mesh.num_verts, 2))),
        textured(mesh),
    ]


def by_place(mesh: Mesh) -> dict[tuple, tuple]:
    """Corner looks by the face's corner positions, in an order that does not depend on the corner that comes first."""
    out: dict[tuple, tuple] = {}
    for places, look in zip(mesh.triangles().tolist(), corners_of(mesh).tolist()):
        pairs = sorted((tuple(p), tuple(c)) for p, c in zip(places, look))
        out.setdefault(tuple(p for p, _ in pairs), tuple(c for _, c in pairs))
    return out


def test_repairs_keep_the_appearance() -> None:
    """Colours and coordinates stay at the corners where they were."""
    far = BALL.verts * 0.5 + 3
    broken = Mesh(
        torch.cat([BALL.verts, far, torch.zeros(1, 3)]),
        torch.cat([BALL.faces, BALL.faces[:1], BALL.faces[5:, [0, 2, 1]] + BALL.num_verts]),
    )
    for mesh in looks(broken):
        before = by_place(mesh)
        cleaned, _, repeated = remove_bad_faces(mesh)
        assert repeated == 1
        for repaired in (cleaned, keep_largest_components(cleaned), orient_outward(cleaned)):
            after = by_place(repaired)
            assert len(after) == repaired.num_faces
            assert all(before[place] == look for place, look in after.items())
    pinched = Mesh(torch.rand(5, 3), torch.tensor([[0, 1, 2], [0, 3, 4]]))
    for mesh in looks(pinched):
        assert by_place(split_pinched_verts(mesh)) == by_place(mesh)
        assert split_pinched_verts(mesh).num_verts == 6


def test_moves_and_poses_keep_the_appearance() -> None:
    for mesh in looks(BALL):
        look = mesh.appearance
        assert mesh.with_verts(mesh.verts * 2).appearance is look
        moved = mesh.to(dtype=torch.float64)
        torch.testing.assert_close(corners_of(moved), corners_of(mesh).double())
        assert moved.topology is mesh.topology
        assert type(look).__name__ in repr(mesh)
    colors = torch.rand(BALL.num_verts, 3, requires_grad=True)
    mesh = BALL.with_appearance(VertexColors(colors))
    assert mesh.appearance.colors.requires_grad
    assert not mesh.detach().appearance.colors.requires_grad


def test_an_appearance_must_fit() -> None:
    with pytest.raises(ValueError, match="colors: expected one for each of 42 vertices"):
        BALL.with_appearance(VertexColors(torch.rand(3, 3)))
    with pytest.raises(ValueError, match="colors: expected one for each of 80 faces"):
        Mesh(BALL.verts, BALL.faces, FaceColors(torch.rand(42, 3)))
    with pytest.raises(ValueError, match=r"uv_faces: expected indices within 0\.\.4, got 41"):
        BALL.with_appearance(Texture(torch.rand(2, 2, 3), torch.rand(5, 2), BALL.faces))
    with pytest.raises(ValueError, match="uv: expected 42"):
        BALL.with_appearance(Texture(torch.rand(2, 2, 3), torch.rand(5, 2)))
    with pytest.raises(TypeError, match="image: expected a floating-point"):
        Texture(torch.zeros(2, 2, 3, dtype=torch.uint8), torch.rand(5, 2))
    with pytest.raises(ValueError, match="wrap"):
        Texture(torch.rand(2, 2, 3), torch.rand(5, 2), wrap="around")  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "exact"), [("ply", False), ("glb", False), ("obj", True)])
def test_vertex_colors_round_trip(tmp_path: Path, kind: str, exact: bool) -> None:
    path, mesh = tmp_path / f"a.{kind}", looks(BALL)[0]
    save_mesh(path, mesh)
    back = load_mesh(path)
    assert torch.equal(back.verts, mesh.verts)
    torch.testing.assert_close(corners_of(back), corners_of(mesh), atol=0 if exact else 0.5 / 255 + 1e-6, rtol=0)
    assert load_mesh(path, appearance=False).appearance is None


def test_face_colors_round_trip(tmp_path: Path) -> None:
    mesh = looks(BALL)[1]
    save_mesh(tmp_path / "a.ply", mesh)
    back = load_mesh(tmp_path / "a.ply")
    assert isinstance(back.appearance, FaceColors)
    torch.testing.assert_close(corners_of(back), corners_of(mesh), atol=0.5 / 255 + 1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["glb", "obj"])
@pytest.mark.parametrize("seams", [True, False])
def test_textures_round_trip(tmp_path: Path, kind: str, seams: bool) -> None:
    """Positions welded, seams in the texture alone, the picture upright."""
    path, mesh = tmp_path / f"a.{kind}", textured()
    if not seams:
        mesh = BALL.with_appearance(Texture(mesh.appearance.image, torch.rand(42, 2)))
    save_mesh(path, mesh)
    back = load_mesh(path)
    assert torch.equal(back.verts, mesh.verts)
    assert torch.equal(back.faces, mesh.faces)
    assert back.is_closed
    torch.testing.assert_close(corners_of(back), corners_of(mesh))
    torch.testing.assert_close(back.appearance.image, mesh.appearance.image, atol=1e-6, rtol=0)


def test_what_a_format_does_not_hold_is_said(tmp_path: Path) -> None:
    for mesh, kind in ((textured(), "ply"), (looks(BALL)[1], "obj"), (looks(BALL)[0], "stl"), (textured(), "off")):
        with pytest.warns(UserWarning, match=f"{kind} files hold no {type(mesh.appearance).__name__}"):
            save_mesh(tmp_path / f"a.{kind}", mesh)
        assert load_mesh(tmp_path / f"a.{kind}").appearance is None


QUAD = """mtllib quad.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl m
f -4/-4 -3/-3 -2/-2 -1/-1
"""


def write_quad(folder: Path, text: str = QUAD, mtl: str | None = "newmtl m\nmap_Kd -s 1 1 1 my picture.png\n") -> Path:
    if mtl is not None:
        (folder / "quad.mtl").write_text(mtl)
    Image.fromarray(np.array([[[255, 0, 0], [0, 0, 255]], [[0, 255, 0], [255, 255, 255]]], np.uint8)).save(
        folder / "my picture.png"
    )
    (folder / "quad.obj").write_text(text)
    return folder / "quad.obj"


def test_an_obj_by_hand(tmp_path: Path) -> None:
    """Negative indices, a polygon, a picture whose name holds a space."""
    mesh = load_mesh(write_quad(tmp_path))
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert isinstance(mesh.appearance, Texture)
    torch.testing.assert_close(corners_of(mesh), mesh.triangles()[..., :2])
    assert mesh.appearance.image[0, 0].tolist() == [1, 0, 0]  # row 0 is the top


def test_an_obj_in_many_hands(tmp_path: Path) -> None:
    """Tabs, indents, comments, blanks, continued lines and corners written in several ways are all the same file."""
    plain = load_mesh(write_quad(tmp_path))
    faces = "f 1/1 2/2 3/3 4/4"
    for text in (
        QUAD.replace("v 1 0 0", "  v\t1   0 0 # a corner\n\n"),
        QUAD.replace("vt 1 1", "vt\t1 1 0").replace("\n", "\r\n"),
        QUAD.replace("f -4/-4 -3/-3 -2/-2 -1/-1", "vn 0 0 1\nf 1/1/1 2/2/1 3/3\\\n 4/4/1"),
        QUAD.replace("f -4/-4 -3/-3 -2/-2 -1/-1", "f 1/1 2/2 3/3\nf -4/1 3/-2/ 4/4"),
        QUAD.replace("f -4/-4 -3/-3 -2/-2 -1/-1", f"l 1 2\ng some\ns off\n{faces}\nv 5 5 5"),
    ):
        mesh = load_mesh(write_quad(tmp_path, text))
        assert mesh.faces.tolist() == plain.faces.tolist()
        assert torch.equal(mesh.verts[:4], plain.verts)
        assert torch.equal(corners_of(mesh), corners_of(plain))


def test_materials_without_pictures(tmp_path: Path) -> None:
    text = QUAD.replace("f -4/-4 -3/-3 -2/-2 -1/-1", "f 1 2 3\nusemtl n\nf 1 3 4").replace("vt ", "# ")
    mesh = load_mesh(write_quad(tmp_path, text, "newmtl m\nKd 1 0 0\nnewmtl n\nKd 0 0.5 1\n"))
    assert mesh.appearance.colors.tolist() == [[1, 0, 0], [0, 0.5, 1]]
    white = load_mesh(write_quad(tmp_path, mtl="newmtl m\n"))
    assert white.appearance.image.tolist() == [[[1, 1, 1]]]  # coordinates are kept for a picture to come


@pytest.mark.parametrize(
    ("text", "mtl", "match"),
    [
        (QUAD, "newmtl m\nmap_Kd gone.png\n", "the texture .*gone.png is missing"),
        (QUAD, "newmtl m\nmap_Kd quad.obj\n", "not a readable picture"),
        (QUAD.replace("-1/-1", "4/5"), None, "texture coordinate 5, but there are 4"),
        (QUAD.replace("-1/-1", "4/-5"), None, "past the"),
        (QUAD.replace("vt 1 1", "vt 1 nan"), None, "1 of 4 texture coordinates are not finite"),
        (QUAD.replace("vt 1 1", "vt 1 x"), None, "after vt"),
    ],
)
def test_broken_appearances_are_one_sentence(tmp_path: Path, text: str, mtl: str | None, match: str) -> None:
    path = write_quad(tmp_path, text, mtl)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match=match) as caught:
            load_mesh(path)
    assert "\n" not in str(caught.value)


def test_a_lost_material_file_costs_the_picture_only(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"quad\.mtl is missing"):
        mesh = load_mesh(write_quad(tmp_path, mtl=None))
    assert mesh.num_faces == 2


def test_gltf_tints_in_linear_light(tmp_path: Path) -> None:
    """A base colour factor multiplies the picture's light, not its numbers; alone it is the faces' colour."""
    import trimesh

    factor = np.array([255, 128, 0, 255], np.uint8)
    for picture in (Image.new("RGBA", (2, 2), (188, 188, 188, 255)), None):
        material = trimesh.visual.material.PBRMaterial(baseColorFactor=factor, baseColorTexture=picture)
        uv = np.random.default_rng(0).random((BALL.num_verts, 2))
        visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
        ball = trimesh.Trimesh(BALL.verts.numpy(), BALL.faces.numpy(), visual=visual, process=False)
        ball.export(tmp_path / "a.glb")
        look = load_mesh(tmp_path / "a.glb").appearance
        found = look.image[0, 0] if isinstance(look, Texture) else look.colors[0]
        expected = [1.0, 0.7360, 0.0] if picture is None else [188 / 255, 0.5371, 0.0]
        torch.testing.assert_close(found, torch.tensor(expected), atol=3e-3, rtol=0)


def test_parts_with_the_same_look_are_joined(tmp_path: Path) -> None:
    """Two balls of one picture keep it; a picture and colours together are left out, and that is said."""
    import trimesh

    def ball(mesh: Mesh, name: str) -> trimesh.Trimesh:
        save_mesh(tmp_path / name, mesh)
        return trimesh.load(tmp_path / name, process=False, force="mesh")

    one = textured()
    shift = trimesh.transformations.translation_matrix([3, 0, 0])
    for other, kept in ((one, True), (looks(BALL)[0], False)):
        scene = trimesh.Scene()
        scene.add_geometry(ball(one, "one.glb"))
        scene.add_geometry(ball(other, "other.glb"), transform=shift)
        scene.export(tmp_path / "scene.glb")
        if kept:
            mesh = load_mesh(tmp_path / "scene.glb")
            torch.testing.assert_close(corners_of(mesh), corners_of(one).repeat(2, 1, 1))
            assert mesh.is_closed
        else:
            with pytest.warns(UserWarning, match="2 parts have of several kinds"):
                assert load_mesh(tmp_path / "scene.glb").appearance is None


def test_a_tensor_is_no_appearance():
    with pytest.raises(TypeError, match="expected VertexColors, FaceColors or Texture, got a tensor"):
        Mesh(BALL.verts, BALL.faces, BALL.verts)
