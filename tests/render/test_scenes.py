"""What is drawn: lists of meshes, one pose or look for each camera, nothing, and what does not fit."""

import math
from dataclasses import replace

import pytest
import torch
from colored import BALL, CAMERAS, F64, KEY, looks, textured

import invgraph as ig
from invgraph.geometry import Mesh, icosphere


@pytest.mark.parametrize("mode", ["antialias", "soft", "hard", "outline"])
def test_lists_of_meshes_are_drawn_as_each_alone(mode):
    """Different topologies and pictures of different size, one mesh for each camera."""
    small = icosphere(1).to(dtype=F64)
    for one, two in zip(looks(BALL), looks(small.with_verts(small.verts * 0.7))):
        if isinstance(two.appearance, ig.Texture):
            other = replace(two.appearance, image=torch.rand(4, 3, 3, dtype=F64))
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
        (([BALL, BALL.to(dtype=torch.float32)], CAMERAS), {}, TypeError, "mesh: expected torch.float64 as the cameras"),
        ((BALL.verts, CAMERAS), {}, TypeError, "mesh: expected a Mesh or a list of them, got Tensor"),
        (([BALL, None], CAMERAS), {}, TypeError, "got NoneType in it"),
        ((BALL, None), {}, TypeError, "cameras: expected Cameras, got NoneType"),
        ((BALL, CAMERAS), {"outputs": ("rgb",), "background": torch.rand(4)}, ValueError, "background: expected"),
        ((BALL, CAMERAS), {"outputs": ("rgb",), "background": "white"}, ValueError, "background: expected .* 'white'"),
        (
            (BALL, CAMERAS),
            {"outputs": ("rgb",), "lights": KEY, "material": ig.Phong(torch.rand(2))},
            ValueError,
            "specular: expected a number or shape",
        ),
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


def test_an_appearance_is_taken_in_the_dtype_of_the_vertices():
    for mesh in looks(BALL)[:3]:
        half = mesh.with_appearance(mesh.appearance.to(dtype=torch.float16))
        for given in (half, [half, half]):
            rgb = ig.render(given, CAMERAS, outputs=("rgb",)).rgb
            torch.testing.assert_close(rgb, ig.render(mesh, CAMERAS, outputs=("rgb",)).rgb, atol=0.02, rtol=0)
    layer = torch.nn.Linear(3, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        painted = BALL.with_appearance(ig.VertexColors(layer(BALL.verts.float())))
        assert painted.appearance.dtype == torch.bfloat16
        ig.render(painted, CAMERAS, outputs=("rgb",)).rgb.sum().backward()
    assert bool(layer.weight.grad.any())


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
