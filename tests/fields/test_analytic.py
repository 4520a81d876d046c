"""Shapes with a formula: distances by hand, gradients of length one, gradients with respect to the shape."""

import math

import pytest
import torch
from torch import nn

from invgraph.fields import Box, Capsule, Difference, Field, Intersection, Moved, SmoothUnion, Sphere, Torus, Union

TURN = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # x to y
SHAPES = {
    "sphere": Sphere(0.6, (0.1, 0.0, 0.2)),
    "box": Box((0.3, 0.5, 0.2)),
    "torus": Torus(0.5, 0.2),
    "capsule": Capsule((-0.3, 0.0, 0.1), (0.4, 0.2, 0.0), 0.2),
    "moved": Moved(Box((0.2, 0.4, 0.1)), translation=(0.1, 0.2, 0.3), rotation=TURN, scale=1.5),
}


def at(field, *point):
    return float(field(torch.tensor(point)))


def test_distances_by_hand():
    assert at(Sphere(0.5, (1.0, 0.0, 0.0)), 1.0, 2.0, 0.0) == pytest.approx(1.5)
    box = Box((1.0, 2.0, 3.0))
    assert at(box, 0.0, 0.0, 0.0) == pytest.approx(-1.0)
    assert at(box, 2.0, 3.0, 0.0) == pytest.approx(math.sqrt(2))
    torus = Torus(2.0, 0.5)
    assert at(torus, 0.0, 0.0, 0.0) == pytest.approx(1.5)
    assert at(torus, 2.0, 1.0, 0.0) == pytest.approx(0.5)
    capsule = Capsule((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 0.25)
    assert at(capsule, 0.5, 1.0, 0.0) == pytest.approx(0.75)
    assert at(capsule, 3.0, 0.0, 0.0) == pytest.approx(1.75)
    assert at(Capsule((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.25), 1.0, 0.0, 0.0) == pytest.approx(0.75)
    moved = Moved(
        Capsule((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 0.25), translation=(0.0, 0.0, 1.0), rotation=TURN, scale=2.0
    )
    assert at(moved, 0.0, 4.0, 1.0) == pytest.approx(1.5)  # beyond the end (0, 2, 1), radius 0.5


@pytest.mark.parametrize("name", SHAPES)
def test_the_slope_is_one_and_the_bounds_hold_the_shape(name):
    field = SHAPES[name]
    points = (torch.rand(40000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 0.5) * 4
    values = field(points.requires_grad_())
    (slope,) = torch.autograd.grad(values.sum(), points)
    assert (slope.norm(dim=-1) - 1).abs().max() < 1e-6
    inside = points[field.inside(values)]
    assert len(inside) > 20
    assert ((inside > field.bounds[0]) & (inside < field.bounds[1])).all()


def test_set_operations():
    a, b = Sphere(0.5, (-0.3, 0.0, 0.0)), Sphere(0.5, (0.3, 0.0, 0.0))
    points = torch.rand(2000, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    in_a, in_b = a(points) < 0, b(points) < 0
    assert torch.equal(Union(a, b)(points) < 0, in_a | in_b)
    assert torch.equal(Intersection(a, b)(points) < 0, in_a & in_b)
    assert torch.equal(Difference(a, b)(points) < 0, in_a & ~in_b)
    smooth, sharp = SmoothUnion(a, b, radius=0.2)(points), Union(a, b)(points)
    apart = (a(points) - b(points)).abs() > 0.2
    assert torch.equal(smooth[apart], sharp[apart])
    assert (smooth[~apart] < sharp[~apart]).all()
    assert at(SmoothUnion(a, b, radius=0.2), 0.0, 0.0, 0.0) == pytest.approx(-0.2 - 0.05)


def test_parameters_take_gradients():
    radius = torch.tensor(0.5, requires_grad=True)
    sphere = Moved(Sphere(radius * 2), scale=nn.Parameter(torch.tensor(2.0)))
    sphere(torch.tensor([[3.0, 0.0, 0.0]])).sum().backward()
    assert float(radius.grad) == pytest.approx(-4)
    assert [name for name, _ in sphere.named_parameters()] == ["scale"]
    assert sphere(torch.zeros(5, 2, 3, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize("name", SHAPES)
def test_second_derivatives_are_finite_at_special_points(name):
    points = torch.zeros(1, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(SHAPES[name](points).sum(), points, create_graph=True)
    if slope.requires_grad:
        (second,) = torch.autograd.grad(slope.square().sum(), points)
        assert second.isfinite().all()
    assert slope.isfinite().all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sphere(-1.0), "radius: expected finite numbers above 0, got -1.0"),
        (lambda: Box((1.0, 0.0, 1.0)), "half_sizes: expected finite numbers above 0"),
        (lambda: Capsule(start=(0.0, 1.0)), r"start: expected shape \(3,\), got \(2,\)"),
        (lambda: Torus(float("nan")), "major: expected finite"),
        (lambda: Moved(Sphere(), rotation=2 * torch.eye(3)), "rotation: expected an orthonormal matrix"),
        (lambda: Union(), "fields: expected at least one"),
        (
            lambda: Union(Sphere(), Field("occupancy")),
            "fields: expected signed distances without a code, got occupancy",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
