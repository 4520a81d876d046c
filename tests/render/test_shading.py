"""Lights and materials against closed forms and loops over single points."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from invgraph.render import AmbientLight, DirectionalLight, Lambert, Phong, PointLight, SphericalHarmonics, shade

GENERATOR = torch.Generator().manual_seed(3)


def points(count: int) -> tuple[torch.Tensor, ...]:
    """Albedo, normal, position, view and image of surface points in two images."""
    albedo = torch.rand(count, 3, dtype=torch.float64, generator=GENERATOR)
    normal, position, view = torch.randn(3, count, 3, dtype=torch.float64, generator=GENERATOR)
    normal, view = (torch.nn.functional.normalize(x, dim=-1) for x in (normal, view))
    return albedo, normal, position, view, (torch.arange(count) >= count // 2).long()


def literal(albedo, normal, position, view, image, lights, material):
    """One point in plain numbers."""

    def dot(a, b):
        return sum(x * y for x, y in zip(a, b))

    def unit(a):
        length = math.sqrt(dot(a, a))
        return [x / length for x in a]

    def of(value, size=3):
        value = torch.as_tensor(value, dtype=torch.float64)
        if value.ndim == 2:
            value = value[image]
        return value.expand(size).tolist()

    out = [0.0, 0.0, 0.0]
    for light in lights:
        color = of(light.color)
        if isinstance(light, AmbientLight):
            out = [o + a * c for o, a, c in zip(out, albedo, color)]
            continue
        if isinstance(light, DirectionalLight):
            towards = unit(of(light.direction))
        else:
            offset = [a - b for a, b in zip(of(light.position), position)]
            towards = unit(offset)
            if light.falloff:
                color = [c / dot(offset, offset) for c in color]
        cosine = dot(normal, towards)
        if cosine <= 0:
            continue
        out = [o + a * c * cosine for o, a, c in zip(out, albedo, color)]
        if isinstance(material, Phong):
            half = max(0.0, dot(normal, unit([a + b for a, b in zip(towards, view)])))
            out = [o + s * c * half**material.shininess for o, s, c in zip(out, of(material.specular), color)]
    return out


@pytest.mark.parametrize("material", [Lambert(), Phong(0.4, 12.0), Phong((0.1, 0.2, 0.9), 3.5)])
def test_equals_the_loop(material):
    lights = [
        AmbientLight((0.1, 0.2, 0.3)),
        DirectionalLight((0.2, 3.0, -0.4), 0.7),
        DirectionalLight(torch.randn(2, 3), torch.rand(2, 3)),
        PointLight((0.5, 0.1, 2.0), (1.0, 0.5, 0.2), falloff=True),
        PointLight(torch.randn(2, 3), 0.5),
    ]
    given = points(30)
    found = shade(*given, lights, material)
    expected = [literal(*(x[i].tolist() for x in given), lights, material) for i in range(30)]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-6, atol=1e-7)


def harmonics(d: torch.Tensor) -> torch.Tensor:
    """The nine real spherical harmonics in the directions (M, 3), as the source tabulates them (its eq. 3)."""
    x, y, z = d.unbind(-1)
    return torch.stack(
        [
            torch.full_like(x, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        -1,
    )


def sphere(count: int = 40_000) -> torch.Tensor:
    """Directions spread evenly (Fibonacci)."""
    k = torch.arange(count, dtype=torch.float64) + 0.5
    z, turn = 1 - 2 * k / count, k * math.pi * (1 + 5**0.5)
    r = (1 - z * z).sqrt()
    return torch.stack([r * turn.cos(), r * turn.sin(), z], -1)


def test_harmonics_are_the_cosine_integral():
    """Irradiance over pi of an environment that the harmonics span, by summing its light over the hemisphere."""
    coefficients = torch.randn(9, 3, dtype=torch.float64, generator=GENERATOR)
    directions = sphere()
    radiance = harmonics(directions) @ coefficients
    normal = torch.nn.functional.normalize(torch.randn(8, 3, dtype=torch.float64, generator=GENERATOR), dim=-1)
    cosine = (normal @ directions.T).clamp_min(0)
    expected = cosine @ radiance * (4 * math.pi / len(directions)) / math.pi
    found = SphericalHarmonics(coefficients).irradiance(normal, torch.zeros(8, dtype=torch.int64))
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-3)


def test_a_constant_environment_is_ambient_light():
    coefficients = torch.zeros(9, 1, dtype=torch.float64)
    coefficients[0] = math.sqrt(4 * math.pi)
    given = points(10)
    torch.testing.assert_close(
        shade(*given, [SphericalHarmonics(coefficients)], Lambert()), shade(*given, [AmbientLight()], Lambert())
    )


def test_gradients_of_everything():
    albedo, normal, position, view, image = points(12)
    names = ("color", "direction", "place", "specular", "shininess", "coefficients")
    shapes = ((3,), (2, 3), (3,), (3,), (), (9, 3))
    values = [torch.rand(s, dtype=torch.float64, generator=GENERATOR) + 0.5 for s in shapes]

    def picture(albedo, normal, position, view, *parameters):
        p = dict(zip(names, parameters))
        lights = [
            DirectionalLight(p["direction"], p["color"]),
            PointLight(p["place"], p["color"], falloff=True),
            AmbientLight(p["color"]),
            SphericalHarmonics(p["coefficients"]),
        ]
        return shade(albedo, normal, position, view, image, lights, Phong(p["specular"], p["shininess"]))

    inputs = [x.clone().requires_grad_() for x in (albedo, normal, position, view, *values)]
    assert gradcheck(picture, inputs)


def test_bad_parameters_are_named():
    given = points(4)
    with pytest.raises(ValueError, match=r"direction: expected shape \(3,\) or \(N, 3\)"):
        shade(*given, [DirectionalLight((1.0, 2.0))], Lambert())
    with pytest.raises(ValueError, match=r"coefficients: expected shape \(9, 3\)"):
        shade(*given, [SphericalHarmonics(torch.rand(4, 3))], Lambert())
