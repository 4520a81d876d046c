"""Gradients of every picture with respect to everything it is made of, against finite differences in float64."""

import math
from functools import partial

import pytest
import torch

import invgraph as ig
from invgraph import ops
from invgraph.geometry import Mesh, icosphere

F64 = torch.float64
BALL = icosphere(1).to(dtype=F64)
BALL = BALL.with_verts(BALL.verts @ torch.tensor([[0.9, 0.1, 0], [-0.2, 1, 0.1], [0, 0.2, 1.1]], dtype=F64))
FIXED = {"near": 0.5, "far": 8.0}  # chosen by the mesh, they would have a part in the change but not in the gradient


def start() -> dict[str, torch.Tensor]:
    """All parameters of a scene of two cameras."""
    generator = torch.Generator().manual_seed(5)

    def rand(*shape):
        return torch.rand(*shape, dtype=F64, generator=generator)

    view = ig.Cameras.look_at([[0.3, -0.5, -3.2], [2.5, 1.0, 1.7]], [0, 0, 0], [0, 1, 0], 40, (14, 17)).to(F64)
    coefficients = rand(9, 3) * 0.3
    coefficients[0] += 2
    return {
        "verts": BALL.verts.clone(),
        "colors": rand(BALL.num_verts, 3),
        "face_colors": rand(BALL.num_faces, 3),
        "image": rand(5, 6, 3),
        "uv": rand(3 * BALL.num_faces, 2) * 2,
        "direction": torch.tensor([0.4, 1.0, -0.9], dtype=F64),
        "color": rand(3),
        "place": torch.tensor([1.0, 1.5, -2.0], dtype=F64),
        "coefficients": coefficients,
        "specular": rand(3),
        "shininess": torch.tensor(7.0, dtype=F64),
        "background": rand(3),
        "R": view.R,
        "t": view.t,
        "K": view.K,
    }


def picture(p: dict[str, torch.Tensor], look: str, projection: str = "perspective", **options) -> ig.render.Rendered:
    appearance = {
        "vertex": lambda: ig.VertexColors(p["colors"]),
        "face": lambda: ig.FaceColors(p["face_colors"]),
        "texture": lambda: ig.Texture(p["image"], p["uv"], torch.arange(3 * BALL.num_faces).reshape(-1, 3)),
        "none": lambda: None,
    }[look]()
    lights = [
        ig.AmbientLight(p["color"]),
        ig.DirectionalLight(p["direction"], p["color"]),
        ig.PointLight(p["place"], p["color"], falloff=True),
        ig.SphericalHarmonics(p["coefficients"]),
    ]
    K = p["K"]
    if projection == "orthographic":
        K = K * torch.tensor([[1 / 3], [1 / 3], [1.0]], dtype=F64)
    view = ig.Cameras(p["R"], p["t"], K, (14, 17), projection=projection)
    mesh = Mesh(p["verts"], BALL.faces, appearance)
    options = {"lights": lights, "material": ig.Phong(p["specular"], p["shininess"])} | FIXED | options
    return ig.render(mesh, view, background=p["background"], **options)


def check(function, names, tolerance=1e-5, step=1e-6):
    """The derivative of a weighted sum of pixels in a random direction of each parameter."""
    p = start()
    generator = torch.Generator().manual_seed(7)
    weights = torch.randn(function(p).shape, dtype=F64, generator=generator)
    for name in names:
        leaf = p[name].clone().requires_grad_()
        (grad,) = torch.autograd.grad((function(p | {name: leaf}) * weights).sum(), leaf)
        direction = torch.randn(leaf.shape, dtype=F64, generator=generator)
        if name == "K":
            direction = direction.triu() * (1 - torch.tensor([0.0, 0, 1], dtype=F64)[:, None])  # the last row stays
        high, low = ((function(p | {name: p[name] + s * step * direction}) * weights).sum() for s in (1, -1))
        expected = float(high - low) / (2 * step)
        found = float((grad * direction).sum())
        assert math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance), (name, found, expected)
        assert bool((grad != 0).any()), name


GEOMETRY = ("verts", "R", "t", "K")
LIGHTS = ("direction", "color", "place", "coefficients", "specular", "shininess")
LOOKS = {"vertex": ("colors",), "face": ("face_colors",), "texture": ("image", "uv"), "none": ()}


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
@pytest.mark.parametrize("output", ["depth", "position", "normal", "uv"])
def test_geometry(output, projection):
    names = ("verts", "R", "t", "K", "uv") if output == "uv" else GEOMETRY

    def function(p):
        return getattr(picture(p, "texture", projection, mode="hard", outputs=(output,)), output)

    check(function, names)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("look", list(LOOKS))
@pytest.mark.parametrize(
    ("mode", "projection"), [("antialias", "perspective"), ("soft", "perspective"), ("soft", "orthographic")]
)
def test_colors(mode, projection, look, flat, monkeypatch):
    # soft pictures leave out faces below a probability, and jump by it: below what differences see here
    monkeypatch.setattr(ops, "soft_color", partial(ops.soft_color, min_probability=1e-12))

    def function(p):
        return picture(p, look, projection, mode=mode, sigma=2.0, gamma=0.3, flat=flat, outputs=("rgb",)).rgb

    check(function, GEOMETRY + LIGHTS + LOOKS[look] + ("background",))


def test_colors_of_a_packed_batch():
    def function(p):
        meshes = [Mesh(s * p["verts"], BALL.faces, ig.VertexColors(s * p["colors"])) for s in (1.0, 0.8)]
        view = ig.Cameras(p["R"], p["t"], p["K"], (14, 17))
        return ig.render(meshes, view, lights=ig.DirectionalLight(p["direction"]), outputs=("rgb",), **FIXED).rgb

    check(function, (*GEOMETRY, "colors", "direction"))


@pytest.mark.parametrize("look", ["vertex", "texture"])
@pytest.mark.parametrize("mode", ["antialias", "soft"])
def test_same_bytes_for_any_number_of_threads(mode, look):
    threads = torch.get_num_threads()
    names = ("verts", "t", "color", *LOOKS[look])
    found = []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            p = {name: value.clone().requires_grad_(name in names) for name, value in start().items()}
            rgb = picture(p, look, mode=mode, sigma=2.0, outputs=("rgb",)).rgb
            found.append([rgb, *torch.autograd.grad(rgb.square().sum(), [p[name] for name in names])])
    finally:
        torch.set_num_threads(threads)
    for name, a, b in zip(("rgb", *names), *found):
        assert torch.equal(a, b), name
