"""Alpha along rays: against the rasterizer and formulas, and its gradients against finite differences."""

import math
from dataclasses import replace

import pytest
import torch
from torch.func import functional_call

from invgraph import Cameras, InputError, render
from invgraph.fields import Field, Sphere, Torus, camera_rays, ray_alpha, ray_logits
from invgraph.geometry import icosphere

METHODS = ("closest", "occupancy", "volsdf")
POSES = ([[0, 0.3, -3.0], [3, 0.2, 0]], [0, 0, 0], [0, 1, 0])


def views(projection="perspective", size=(48, 64), dtype=torch.float32):
    make = Cameras.look_at if projection == "perspective" else Cameras.orthographic
    return make(*POSES, 40 if projection == "perspective" else 2.0, size).to(dtype)


class Ball(Field):
    """Logits of occupancy; a code is added to the radius."""

    def __init__(self, sharpness=60.0, code_size=0):
        super().__init__("occupancy", code_size)
        self.sharpness = sharpness

    def forward(self, points, code=None):
        self.check(points, code)
        radius = 0.6 if code is None else 0.6 + code[..., 0].reshape(-1, *[1] * (points.ndim - 2))
        return self.sharpness * (radius - points.norm(dim=-1))


def coverage(cameras, radius):
    """Of a sphere at the origin, from 16 x 16 rays a pixel."""
    H, W = cameras.image_size
    rays = camera_rays(cameras.resize((16 * H, 16 * W)))
    d = torch.nn.functional.normalize(rays.directions, dim=1)
    miss = (rays.origins - (rays.origins * d).sum(1, keepdim=True) * d).norm(dim=1)
    hit = (miss < radius).to(miss).reshape(len(cameras), 1, 16 * H, 16 * W)
    return torch.nn.functional.avg_pool2d(hit, 16)[:, 0]


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
def test_closest_approach_draws_the_antialiased_mask(projection):
    cameras = views(projection)
    alpha = ray_alpha(Sphere(radius=0.6), cameras)
    mask = render(icosphere(5, radius=0.6), cameras, mode="antialias", outputs=("alpha",)).alpha
    assert alpha.shape == mask.shape
    assert (alpha - coverage(cameras, 0.6)).abs().max() < 0.08
    assert (alpha - mask).square().mean().sqrt() < 0.012


@pytest.mark.parametrize(("method", "bias"), [("closest", 0.01), ("occupancy", 0.6), ("volsdf", 0.65)])
def test_where_the_best_radius_lies(method, bias):
    """In pixels beside the true one; what each method claims."""
    cameras, radius = views(size=(48, 48)), 0.6
    target = coverage(cameras, radius)
    pixel = math.sqrt(9.09 - radius**2) / float(cameras.K[0, 0, 0])
    shift = torch.linspace(-0.9, 0.1, 11)
    errors = [
        (ray_alpha(Sphere(radius=radius + float(x) * pixel), cameras, method=method) - target).square().sum()
        for x in shift
    ]
    best = int(torch.stack(errors).argmin())
    left, middle, right = errors[best - 1 : best + 2]
    optimum = float(shift[best] + 0.5 * 0.1 * (left - right) / (left - 2 * middle + right))
    assert abs(optimum) < bias
    assert method == "closest" or optimum < -0.3


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
@pytest.mark.parametrize("method", METHODS)
def test_gradients_against_finite_differences(method, projection):
    cameras = views(projection, (7, 9), torch.float64)
    field = Torus(torch.nn.Parameter(torch.tensor(0.5)), torch.nn.Parameter(torch.tensor(0.2))).double()
    generator = torch.Generator().manual_seed(0)
    pixels = 1 + 6 * torch.rand(2, 12, 2, dtype=torch.float64, generator=generator)
    weight = torch.rand(2, 12, dtype=torch.float64, generator=generator)

    class Called(Field):
        def __init__(self, values):
            super().__init__("sdf")
            self.bounds, self.values = field.bounds, dict(zip(names, values))

        def forward(self, points, code=None):
            return functional_call(field, self.values, (points,))

    names, parameters = zip(*field.named_parameters())

    def loss(t, K, pixels, softness, *parameters):
        moved = replace(cameras, t=t, K=K * torch.tensor([[1.0, 1, 1], [0, 1, 1], [0, 0, 1]]))
        seen = ray_logits(Called(parameters), moved, pixels, method=method, softness=softness, importance=8)
        return (torch.sigmoid(seen) * weight).sum() + 0.01 * (seen * weight).sum()

    near = 1e-3 if method == "closest" else 1e-5  # the closest approach is found that well, by parabolas

    softness = torch.tensor(0.5, dtype=torch.float64)
    inputs = [x.detach().clone().requires_grad_() for x in (cameras.t, cameras.K, pixels, softness, *parameters)]
    gradients = torch.autograd.grad(loss(*inputs), inputs)
    for i, gradient in enumerate(gradients):
        direction = torch.rand(gradient.shape, dtype=torch.float64, generator=generator) - 0.5
        if i == 1:
            direction[:, 2] = 0
        step = 1e-6
        with torch.no_grad():
            there, here = (
                loss(*[x + sign * step * direction if j == i else x for j, x in enumerate(inputs)]) for sign in (1, -1)
            )
        measured = (there - here) / (2 * step)
        torch.testing.assert_close((gradient * direction).sum(), measured, rtol=near, atol=near)


def test_product_and_optical_depth_by_hand():
    """One ray through the middle, all samples in the middle of their strata."""
    cameras = Cameras.orthographic([0, 0, -3.0], [0, 0, 0], [0, 1, 0], 2.0, (1, 1)).to(torch.float64)
    depth = torch.linspace(-1, 1, 9, dtype=torch.float64)
    z = (depth[1:] + depth[:-1]) / 2
    ball = Ball(sharpness=2.0).double()
    by_hand = 1 - (1 - torch.sigmoid(2 * (0.6 - z.abs()))).prod()
    alpha = ray_alpha(ball, cameras, method="occupancy", samples=8, importance=0)
    torch.testing.assert_close(alpha.reshape(()), by_hand)

    sphere, beta = Sphere(radius=0.3, bounds=((-1, -1, -1), (1, 1, 1))).double(), 0.5  # one pixel is 2 units
    distance = z.abs() - 0.3
    laplace = torch.where(distance > 0, 0.5 * torch.exp(-distance / beta), 1 - 0.5 * torch.exp(distance / beta))
    alpha = ray_alpha(sphere, cameras, method="volsdf", softness=beta / 2, samples=8, importance=0)
    torch.testing.assert_close(alpha.reshape(()), 1 - torch.exp(-(laplace / beta * 0.25).sum()))
    fine = ray_alpha(sphere, cameras, method="volsdf", softness=beta / 2, samples=4000, importance=100)
    coarse = ray_alpha(sphere, cameras, method="volsdf", softness=beta / 2, samples=32)
    torch.testing.assert_close(coarse, fine, rtol=1e-3, atol=0)


def test_optical_depth_is_measured_along_the_ray():
    """On the surface everywhere: density 1 / (2 beta), with beta as large as the pixels, which grow with the depth."""

    class Surface(Field):
        def forward(self, points, code=None):
            return 0 * points[..., 0]

    cameras = Cameras.look_at([0, 0, -3.0], [0, 0, 0], [0, 1, 0], 90, (2, 2)).to(torch.float64)  # f is 1 pixel
    pixels = torch.tensor([[[1.24, 1.0]]], dtype=torch.float64)
    logit = ray_logits(Surface("sdf").double(), cameras, pixels, method="volsdf", softness=2.0, samples=500)
    length = math.hypot(1, 0.24) * 0.5 / 2 * math.log(4 / 2)  # the box lies between depths 2 and 4
    assert float(torch.sigmoid(logit)) == pytest.approx(1 - math.exp(-length), rel=1e-5)


def test_a_thin_ring_is_not_missed():
    """Thinner than the distance of samples: the second pass finds it between them."""
    cameras = views(size=(64, 64))
    ring = Torus(0.6, 0.03)
    near = ray_alpha(ring, cameras, samples=16, importance=16)
    sure = ray_alpha(ring, cameras, samples=512, importance=8)
    assert ((near > 0.5) != (sure > 0.5)).double().mean() < 0.002


def test_no_gradient_vanishes():
    """A ball that no ray sees, and one that fills the picture, are still drawn towards their target."""
    cameras = views(size=(8, 8))
    for start, wanted in ((0.02, 1.0), (0.9, 0.0)):
        for method in METHODS:
            radius = torch.nn.Parameter(torch.tensor(start))
            field = Sphere(radius=radius, bounds=((-1, -1, -1), (1, 1, 1)))
            logits = ray_logits(field, cameras, method=method)
            torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted)).backward()
            (gradient,) = (p.grad for p in field.parameters())
            assert gradient.isfinite()
            assert gradient * (0.5 - wanted) > 0.01


def test_rays_that_miss_and_a_camera_within():
    away = Cameras.look_at([0, 0, -3.0], [0, 0, -9], [0, 1, 0], 40, (4, 5))
    field = Sphere(radius=0.5, bounds=((-1, -1, -1), (1, 1, 1)))
    for method in METHODS:
        assert (ray_alpha(field, away, method=method) == 0).all()
        inside = Cameras.look_at([0, 0, -0.8], [0, 0, 1], [0, 1, 0], 60, (5, 5))
        alpha = ray_alpha(field, inside, method=method)
        assert alpha[0, 2, 2] > 0.99
        behind = Cameras.look_at([0, 0, -0.8], [0, 0, -2], [0, 1, 0], 60, (5, 5))
        assert (ray_alpha(field, behind, method=method) < 0.01).all()
        within = Cameras.look_at([0, 0, 0], [0, 0, 1], [0, 1, 0], 60, (5, 5))
        assert (ray_alpha(field, within, method=method) > 0.99).all()
    assert (ray_logits(field, away) < -100).all()


@pytest.mark.parametrize("method", METHODS)
def test_chunks_change_nothing(method):
    cameras = views(size=(12, 16))
    results = []
    for chunk in (2**18, 4000):
        radius = torch.nn.Parameter(torch.tensor(0.6))
        field = Sphere(radius=radius)
        generator = torch.Generator().manual_seed(3)
        alpha = ray_alpha(field, cameras, method=method, chunk=chunk, softness=0.5, generator=generator)
        (gradient,) = torch.autograd.grad(alpha.square().sum(), list(field.parameters()))
        results.append((alpha.detach(), gradient))
    torch.testing.assert_close(results[0], results[1])
    jittered = ray_alpha(Sphere(radius=0.6), cameras, method=method, softness=0.5)
    assert method == "closest" or not torch.equal(jittered, results[0][0])


def test_codes():
    cameras, field = views(size=(12, 16)), Ball(code_size=1)
    codes = torch.tensor([[0.1], [-0.2]], requires_grad=True)
    for method in ("closest", "occupancy"):
        alpha = ray_alpha(field, cameras, method=method, code=codes)
        for i in range(2):
            torch.testing.assert_close(alpha[i : i + 1], ray_alpha(field, cameras[i], method=method, code=codes[i]))
    assert alpha[0].sum() > alpha[1].sum()
    alpha.sum().backward()
    assert (codes.grad > 0).all()


def test_wrong_arguments():
    cameras, sphere = views(size=(4, 4)), Sphere(radius=0.5)
    for options, message in (
        ({"method": "nerf"}, "method: expected one of"),
        ({"softness": 0.0}, "softness: expected a positive number"),
        ({"samples": 1}, "samples: expected at least 2"),
        ({"code": torch.zeros(3)}, "code: expected None"),
    ):
        with pytest.raises(ValueError, match=message):
            ray_alpha(sphere, cameras, **options)
    with pytest.raises(ValueError, match="'volsdf' needs a field of signed distances"):
        ray_alpha(Ball(), cameras, method="volsdf")
    with pytest.raises(TypeError, match=r"cameras: expected the field's torch\.float32"):
        ray_alpha(sphere, cameras.to(torch.float64))
    with pytest.raises(TypeError, match="field: expected a Field, got function"):
        ray_alpha(lambda x: x[..., 0], cameras)
    with pytest.raises(ValueError, match=r"code: expected \(1,\) or \(2, 1\), got \(3, 1\)"):
        ray_alpha(Ball(code_size=1), cameras, code=torch.zeros(3, 1))
    with pytest.raises(InputError, match="field: expected finite values, got"):
        ray_alpha(Ball(sharpness=float("nan")), cameras)
