"""Pictures in colour: the outputs position, uv and rgb of every appearance, in every mode, lit and packed."""

import math

import pytest
import torch

import invgraph as ig
from invgraph import ops
from invgraph.geometry import Mesh, icosphere

F64 = torch.float64
EYES = [[0.3, -0.5, -3.0], [2.5, 1.0, 1.5]]
BALL = icosphere(2).to(dtype=F64)


def cameras(**options) -> ig.Cameras:
    found = ig.Cameras.look_at(EYES, [0, 0, 0], [0, 1, 0], 40, (30, 40)).to(F64)
    return ig.Cameras(found.R, found.t, found.K + torch.tensor([[0.0, 0, 2.3], [0, 0, -1.1], [0, 0, 0]]), (30, 40))


CAMERAS = cameras()
LEVEL = ig.Cameras(  # orthographic, from the same sides
    CAMERAS.R, CAMERAS.t, CAMERAS.K * torch.tensor([[1 / 3], [1 / 3], [1.0]]), (30, 40), projection="orthographic"
)
KEY = [ig.AmbientLight(0.2), ig.DirectionalLight((0.4, 1.0, -0.5), (0.8, 0.7, 0.6))]


def textured(mesh: Mesh, filter="linear") -> Mesh:
    """Longitude and height as texture coordinates, each face apart so that no face runs backwards over the seam."""
    corners = mesh.triangles().detach().reshape(-1, 3)
    turn = torch.atan2(corners[:, 2], corners[:, 0]) / (2 * math.pi)
    uv = torch.stack([turn, corners[:, 1] / 2 + 0.5], -1)
    image = torch.rand(7, 9, 3, dtype=mesh.verts.dtype, generator=torch.Generator().manual_seed(1))
    return mesh.with_appearance(
        ig.Texture(image, uv, torch.arange(len(corners)).reshape(-1, 3), wrap="repeat", filter=filter)
    )


def looks(mesh: Mesh) -> list[Mesh]:
    colors = torch.rand(mesh.num_verts + mesh.num_faces, 3, generator=torch.Generator().manual_seed(2)).to(mesh.verts)
    return [
        mesh.with_appearance(ig.VertexColors(colors[: mesh.num_verts])),
        mesh.with_appearance(ig.FaceColors(colors[mesh.num_verts :])),
        textured(mesh),
        textured(mesh, "mipmap"),
        mesh,
    ]


@pytest.mark.parametrize("view", [CAMERAS, LEVEL], ids=["perspective", "orthographic"])
def test_positions_are_where_pixels_look(view):
    """Projecting the position gives the pixel's centre and its depth; on the ball it lies near the unit sphere."""
    out = ig.render(BALL, view, outputs=("position", "depth", "alpha", "face_id"))
    for i in range(2):
        row, column = (out.face_id[i] >= 0).nonzero(as_tuple=True)
        u, v, z = view[i].project(out.position[i, row, column])[0].unbind(-1)
        torch.testing.assert_close(u, column + 0.5, check_dtype=False)
        torch.testing.assert_close(v, row + 0.5, check_dtype=False)
        torch.testing.assert_close(z, out.depth[i, row, column])
    assert bool((out.position[out.face_id < 0] == 0).all())


@pytest.mark.parametrize("view", [CAMERAS, LEVEL], ids=["perspective", "orthographic"])
def test_colors_by_hand(view):
    """Each pixel's colour from its face and position, with barycentrics solved for in space."""
    for mesh in looks(BALL):
        out = ig.render(mesh, view, mode="hard", outputs=("rgb", "position", "face_id"), background=(0.1, 0.2, 0.3))
        seen = (out.face_id >= 0).nonzero(as_tuple=True)
        face = out.face_id[seen]
        weights = torch.linalg.solve(mesh.triangles()[face].mT, out.position[seen])  # sum to 1 on the face
        torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[:, 0]))
        look = mesh.appearance
        if isinstance(look, ig.VertexColors):
            expected = (weights[..., None] * look.colors[mesh.faces[face]]).sum(1)
        elif isinstance(look, ig.FaceColors):
            expected = look.colors[face]
        elif look is None:
            expected = torch.ones_like(out.position[seen])
        elif look.filter == "linear":
            uv = (weights[..., None] * look.uv[look.uv_faces[face]]).sum(1)
            expected = ops.texture(look.image, uv[None, None])[0, 0]
        else:
            continue
        torch.testing.assert_close(out.rgb[seen], expected)
        assert bool((out.rgb[out.face_id < 0] == torch.tensor([0.1, 0.2, 0.3], dtype=F64)).all())


def test_pictures_are_upright():
    """A square towards the camera shows the picture as a viewer of files does: row 0 at the top."""
    image = torch.rand(8, 8, 3, dtype=F64)
    square = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=F64)
    mesh = Mesh(square, torch.tensor([[0, 1, 2], [0, 2, 3]]), ig.Texture(image, square[:, :2], filter="nearest"))
    front = ig.Cameras.look_at([[0.5, 0.5, 4.0]], [0.5, 0.5, 0.0], [0, 1, 0], 40, (32, 32)).to(F64)
    K = front.K.clone()
    K[:, :2, :2] *= 32 / (K[:, 0, 0] / 4)  # the square fills the picture: four pixels a texel
    out = ig.render(mesh, ig.Cameras(front.R, front.t, K, (32, 32)), mode="hard", outputs=("rgb", "uv"))
    torch.testing.assert_close(out.rgb[0, 2::4, 2::4], image)
    assert float(out.uv[0, 0, 0, 0]) < 0.05
    assert float(out.uv[0, 0, 0, 1]) > 0.95


def test_a_ball_lit_from_a_direction():
    """n . l of the true sphere, in the shade too; flat: the faces' own normals."""
    light = ig.DirectionalLight((0.3, 0.9, -0.4))
    fine = icosphere(5).to(dtype=F64)
    out = ig.render(fine, CAMERAS, mode="hard", lights=light, outputs=("rgb", "position", "face_id", "normal"))
    seen = out.face_id >= 0
    normal = torch.nn.functional.normalize(out.position[seen], dim=-1)
    direction = torch.nn.functional.normalize(torch.tensor([0.3, 0.9, -0.4], dtype=F64), dim=0)
    torch.testing.assert_close(
        out.rgb[seen], (normal @ direction).clamp_min(0)[:, None].expand(-1, 3), atol=3e-3, rtol=0
    )
    flat = ig.render(BALL, CAMERAS, mode="hard", lights=light, outputs=("rgb", "normal", "face_id"), flat=True)
    seen = flat.face_id >= 0
    torch.testing.assert_close(flat.normal[seen], BALL.face_normals()[flat.face_id[seen]])
    expected = (BALL.face_normals() @ direction).clamp_min(0)[flat.face_id[seen]]
    torch.testing.assert_close(flat.rgb[seen], expected[:, None].expand(-1, 3))


@pytest.mark.parametrize("view", [CAMERAS, LEVEL], ids=["perspective", "orthographic"])
def test_highlights_are_where_the_mirror_is(view):
    """Blinn-Phong per pixel by hand: half vectors towards the eye, which an orthographic camera has far away."""
    light, material = ig.DirectionalLight((0.4, 0.6, -0.9)), ig.Phong(0.5, 20.0)
    out = ig.render(
        BALL, view, mode="hard", lights=light, material=material, outputs=("rgb", "position", "face_id", "normal")
    )
    towards = torch.nn.functional.normalize(torch.tensor([0.4, 0.6, -0.9], dtype=F64), dim=0)
    for i in range(2):
        for row, column in (out.face_id[i] >= 0).nonzero().tolist():
            n, x = out.normal[i, row, column], out.position[i, row, column]
            eye = -view.directions[i] if view is LEVEL else view.centers[i] - x
            h = towards + eye / eye.norm()
            cosine, mirror = float(n @ towards), float(n @ h / h.norm())
            expected = max(cosine, 0) + (0.5 * max(mirror, 0) ** 20 if cosine > 0 else 0)
            assert float(out.rgb[i, row, column, 0]) == pytest.approx(expected, abs=1e-7)


def test_antialias_blends_over_the_background():
    """A white ball over black is its own alpha; over any picture, alpha of it lets that through."""
    out = ig.render(BALL, CAMERAS, outputs=("alpha", "rgb"))
    torch.testing.assert_close(out.rgb, out.alpha[..., None].expand(-1, -1, -1, 3))
    assert torch.equal(out.alpha, ig.render(BALL, CAMERAS).alpha)
    behind = torch.tensor([0.2, 0.5, 0.9], dtype=F64)
    over = ig.render(BALL, CAMERAS, outputs=("rgb",), background=behind).rgb
    torch.testing.assert_close(over, out.rgb + (1 - out.alpha[..., None]) * behind)
    picture = torch.rand(2, 30, 40, 3, dtype=F64)
    hard = ig.render(BALL, CAMERAS, mode="hard", outputs=("rgb", "alpha"), background=picture)
    torch.testing.assert_close(hard.rgb, torch.where(hard.alpha[..., None] > 0, 1.0, picture))


def test_outline_coverage_is_half_on_the_outline():
    """Softer than antialias about the same outline; colours are blended where antialias blends them."""
    out = ig.render(BALL, CAMERAS, mode="outline", sigma=4.0, outputs=("alpha", "rgb"))
    sharp = ig.render(BALL, CAMERAS, outputs=("alpha", "rgb"))
    assert torch.equal(out.rgb, sharp.rgb)
    sure = (sharp.alpha - 0.5).abs() > 0.45
    assert bool(((out.alpha > 0.5) == (sharp.alpha > 0.5))[sure].all())
    assert int(((out.alpha > 0.01) & (out.alpha < 0.99)).sum()) > 2 * int((~sure).sum())


@pytest.mark.parametrize("view", [CAMERAS, LEVEL], ids=["perspective", "orthographic"])
def test_soft_pictures(view):
    """As sharp as can be, colours are the nearest face's but for pixels on edges; alpha is the silhouette's."""
    red = torch.tensor([1.0, 0, 0], dtype=F64)
    for mesh in looks(BALL):
        out = ig.render(mesh, view, mode="soft", sigma=1e-4, gamma=1e-5, outputs=("rgb", "alpha"), background=red)
        hard = ig.render(mesh, view, mode="hard", outputs=("rgb", "alpha"), background=red)
        change = (out.rgb - hard.rgb).abs().amax(-1)
        if mesh.appearance is None or not isinstance(mesh.appearance, ig.Texture):
            assert float((change < 0.02).double().mean()) > 0.97
        alone = ig.render(mesh, view, mode="soft", sigma=1e-4).alpha
        torch.testing.assert_close(out.alpha, alone, atol=1e-12, rtol=0)


def test_soft_pictures_of_cut_faces():
    """Faces cut by the near plane keep their colours: what is in front looks as the hard picture does."""
    floor = torch.tensor([[-9.0, 1, -9], [9, 1, -9], [9, 1, 9], [-9, 1, 9]], dtype=F64)
    mesh = Mesh(floor, torch.tensor([[0, 2, 1], [0, 3, 2]]), ig.VertexColors(torch.rand(4, 3, dtype=F64)))
    inside = ig.Cameras.look_at([[0.0, 0, 0], [0.1, 0.2, 0]], [[0, 0, 1], [1, 0, 1.0]], [0, -1, 0], 60, (20, 20)).to(
        F64
    )
    options = {"near": 0.1, "far": 20.0, "outputs": ("rgb", "alpha")}
    soft = ig.render(mesh, inside, mode="soft", sigma=1e-4, gamma=1e-4, **options)
    hard = ig.render(mesh, inside, mode="hard", **options)
    sure = (soft.alpha > 0.999) & (hard.alpha == 1)
    assert int(sure.sum()) > 100
    torch.testing.assert_close(soft.rgb[sure], hard.rgb[sure], atol=2e-3, rtol=0)


@pytest.mark.parametrize("mode", ["antialias", "soft", "hard", "outline"])
def test_lists_of_meshes_are_drawn_as_each_alone(mode):
    """Different topologies and pictures of different size, one mesh for each camera."""
    small = icosphere(1).to(dtype=F64)
    for one, two in zip(looks(BALL), looks(small.with_verts(small.verts * 0.7))):
        if isinstance(two.appearance, ig.Texture):
            other = ig.Texture(torch.rand(4, 3, 3, dtype=F64), two.appearance.uv, two.appearance.uv_faces,
                               filter=two.appearance.filter)  # fmt: skip
            two = two.with_appearance(other)
        outputs = ("alpha", "depth", "normal", "position", "rgb", "face_id")
        outputs += ("uv",) if isinstance(one.appearance, ig.Texture) else ()
        options = {"mode": mode, "outputs": outputs, "lights": KEY, "material": ig.Phong(), "near": 0.5, "far": 6.0}
        both = ig.render([one, two], CAMERAS, **options)
        for i, mesh in enumerate((one, two)):
            alone = ig.render(mesh, CAMERAS[i], **options)
            for name in outputs:
                torch.testing.assert_close(getattr(both, name)[i], getattr(alone, name)[0], atol=1e-12, rtol=1e-9)


def test_each_camera_has_its_own():
    """Poses, colours, pictures and lights with one set a camera."""
    poses = torch.stack([BALL.verts, BALL.verts * 0.6])
    colors = torch.rand(2, BALL.num_verts, 3, dtype=F64)
    images = torch.rand(2, 4, 5, 3, dtype=F64)
    light = ig.DirectionalLight(torch.randn(2, 3), torch.rand(2, 3))
    texture = textured(BALL).appearance
    for mode in ("antialias", "soft"):
        for own, alone in (
            (ig.VertexColors(colors), [ig.VertexColors(c) for c in colors]),
            (
                ig.Texture(images, texture.uv, texture.uv_faces),
                [ig.Texture(image, texture.uv, texture.uv_faces) for image in images],
            ),
        ):
            options = {"mode": mode, "outputs": ("rgb",), "near": 0.5, "far": 6.0}
            both = ig.render(BALL.with_verts(poses).with_appearance(own), CAMERAS, lights=light, **options).rgb
            for i in range(2):
                mine = ig.DirectionalLight(light.direction[i], light.color[i])
                mesh = BALL.with_verts(poses[i]).with_appearance(alone[i])
                one = ig.render(mesh, CAMERAS[i], lights=mine, **options).rgb[0]
                torch.testing.assert_close(both[i], one)


def test_mip_levels_stop_flicker():
    """Far away a fine picture is its mean, where single look-ups are noise."""
    image = torch.rand(64, 64, 3, dtype=F64)
    means = []
    for filter in ("mipmap", "linear"):
        ball = textured(BALL)
        mesh = ball.with_appearance(ig.Texture(image, ball.appearance.uv * 8, ball.appearance.uv_faces, filter=filter))
        out = ig.render(mesh, CAMERAS, mode="hard", outputs=("rgb", "alpha"))
        means.append(float((out.rgb - image.mean((0, 1)))[out.alpha > 0].abs().mean()))
    assert means[0] < 0.2 * means[1]


def test_feature_pictures():
    """Without lights the appearance may have any number of channels."""
    mesh = BALL.with_appearance(ig.VertexColors(torch.rand(BALL.num_verts, 7, dtype=F64)))
    assert ig.render(mesh, CAMERAS, outputs=("rgb",)).rgb.shape == (2, 30, 40, 7)
    with pytest.raises(ValueError, match="expected colours of 1 or 3 channels to be lit, got 7"):
        ig.render(mesh, CAMERAS, outputs=("rgb",), lights=KEY)


def test_nothing_to_see():
    none = Mesh(torch.zeros(0, 3, dtype=F64), torch.zeros(0, 3, dtype=torch.int64))
    away = BALL.with_verts(BALL.verts + torch.tensor([0, 0, -100.0], dtype=F64))
    for mesh in (none, away, [none, away]):
        for mode in ("antialias", "soft", "hard", "outline"):
            out = ig.render(mesh, CAMERAS, mode=mode, outputs=("rgb", "normal", "position"), lights=KEY, background=0.5)
            assert bool((out.rgb[0] == 0.5).all())
    assert ig.render([], CAMERAS[:0], outputs=("rgb",)).rgb.shape == (0, 30, 40, 3)


def test_bad_arguments_are_named():
    vertex = looks(BALL)[0]
    for arguments, options, error, match in [
        ((BALL, CAMERAS), {"outputs": ("uv",)}, ValueError, "uv needs a mesh whose appearance is a Texture, got no"),
        ((vertex, CAMERAS), {"outputs": ("uv",)}, ValueError, "Texture, got VertexColors"),
        (([BALL], CAMERAS), {}, ValueError, "a list of 2"),
        (([BALL, vertex], CAMERAS), {}, ValueError, "kind of appearance"),
        (([BALL, BALL.to(dtype=torch.float32)], CAMERAS), {}, ValueError, "one dtype"),
        ((BALL, CAMERAS), {"outputs": ("rgb",), "background": torch.rand(4)}, ValueError, "background: expected"),
        ((BALL, CAMERAS), {"lights": [3.0]}, TypeError, "lights: expected AmbientLight"),
        (
            (BALL, CAMERAS),
            {"lights": ig.PointLight(torch.rand(3, 3))},
            ValueError,
            "expected position for 2 cameras",
        ),
        ((BALL, CAMERAS), {"material": "shiny"}, TypeError, "material: expected Lambert"),
        (
            (BALL.with_appearance(ig.VertexColors(torch.rand(3, BALL.num_verts, 3, dtype=F64))), CAMERAS),
            {"outputs": ("rgb",)},
            ValueError,
            "appearance: expected one for all or 2",
        ),
    ]:
        with pytest.raises(error, match=match):
            ig.render(*arguments, **options)


@pytest.mark.parametrize("mode", ["antialias", "soft", "hard"])
@pytest.mark.parametrize("flat", [False, True])
def test_vertices_that_are_no_numbers_spoil_nothing_else(mode, flat):
    """Their faces are left out: pictures and gradients are those of the mesh without them."""
    broken = BALL.verts.clone()
    broken[7] = math.nan
    broken[30, 1] = math.inf
    whole = ~torch.isin(BALL.faces, torch.tensor([7, 30])).any(1)
    colors = torch.rand(BALL.num_verts, 3, dtype=F64)
    results = []
    for verts, faces in ((broken, BALL.faces), (BALL.verts, BALL.faces[whole])):
        verts, tint = verts.clone().requires_grad_(), torch.ones(3, dtype=F64, requires_grad=True)
        lights = [ig.DirectionalLight((0.4, 1.0, -0.5), tint), ig.PointLight((1.0, 2.0, -2.0), tint)]
        names = ("rgb",) if mode == "soft" else ("rgb", "normal", "position", "depth")
        out = ig.render(
            Mesh(verts, faces, ig.VertexColors(colors)),
            CAMERAS,
            mode=mode,
            outputs=names,
            lights=lights,
            material=ig.Phong(),
            flat=flat,
            near=0.5,
            far=8.0,
        )
        pictures = [getattr(out, name) for name in names]
        results.append([*pictures, *torch.autograd.grad(sum(p.square().sum() for p in pictures), (verts, tint))])
    for a, b in zip(*results):
        torch.testing.assert_close(a, b)
