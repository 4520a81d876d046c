"""Pictures in colour: the outputs position, uv and rgb of every appearance, in every mode."""

import pytest
import torch
from colored import BALL, CAMERAS, F64, KEY, LEVEL, looks, textured

import invgraph as ig
from invgraph import ops
from invgraph.geometry import Mesh, icosphere


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


@pytest.mark.parametrize("view", [CAMERAS, LEVEL], ids=["perspective", "orthographic"])
@pytest.mark.parametrize("scale", [1e-10, 1e10])
def test_the_unit_of_length_does_not_matter(view, scale):
    mesh = looks(BALL)[0].to(dtype=torch.float32)
    small = mesh.with_verts(mesh.verts * scale)
    view = view.to(torch.float32)
    K = view.K if view.is_perspective else view.K * torch.tensor([[1 / scale] * 2 + [1]] * 2 + [[1.0] * 3])
    far_off = ig.Cameras(view.R, view.t * scale, K, view.image_size, projection=view.projection)
    for mode in ("antialias", "soft", "outline"):
        options = {"mode": mode, "outputs": ("alpha", "depth", "rgb", "face_id")}
        one, other = ig.render(mesh, view, **options), ig.render(small, far_off, **options)
        for name in ("alpha", "rgb"):
            torch.testing.assert_close(getattr(other, name), getattr(one, name), atol=2e-3, rtol=0)
        assert torch.equal(other.face_id, one.face_id)
        torch.testing.assert_close(other.depth / scale, one.depth, atol=1e-4, rtol=0)


@pytest.mark.parametrize("view", [CAMERAS, LEVEL], ids=["perspective", "orthographic"])
@pytest.mark.parametrize("planes", [{"far": 0.5}, {"near": 9.0}, {"near": 9.0, "far": 10.0}, {"near": 0.1, "far": 0.5}])
def test_planes_that_leave_nothing(view, planes):
    for mode in ("antialias", "soft", "outline", "hard"):
        out = ig.render(BALL, view, mode=mode, outputs=("rgb", "alpha"), background=0.5, **planes)
        assert bool((out.rgb == 0.5).all())
        assert bool((out.alpha == 0).all())


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
