"""Fits to samples of shapes with a formula: what they reach, that they resume, and what they refuse."""

import os
import signal

import pytest
import torch

from invgraph import InputError
from invgraph.fields import Field, GridField, Torus, fit_samples

TORUS = Torus(0.6, 0.25)
POINTS = torch.rand((20000, 3), generator=torch.Generator().manual_seed(0)) * 2 - 1


def grid(kind):
    return GridField(kind, levels=(8, 16), features=2, generator=torch.Generator().manual_seed(1))


def fit(field, values, **options):
    return fit_samples(field, POINTS, values, **{"steps": 60, "batch": 2048, **options})


def unseen_iou(field):
    points = torch.rand((20000, 3), generator=torch.Generator().manual_seed(9)) * 2 - 1
    with torch.no_grad():
        a, b = field.inside(field(points)), TORUS.inside(TORUS(points))
    return float((a & b).sum() / (a | b).sum())


def test_occupancies():
    field = grid("occupancy")
    history = fit(field, TORUS(POINTS) < 0)
    assert unseen_iou(field) > 0.95
    assert len(history["samples"]) == len(history["curvature"]) == 60
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    assert not field.training


def test_hashed_levels_do_not_fill_empty_space_with_noise():
    field = GridField("occupancy", levels=(8, 64), features=2, hashed=12, generator=torch.Generator().manual_seed(1))
    fit(field, TORUS(POINTS) < 0, steps=150)
    assert unseen_iou(field) > 0.92  # 0.86 without the regularizer


def test_distances_are_exact_near_the_surface_only():
    field = grid("sdf")
    fit(field, TORUS(POINTS), truncation=0.1)
    with torch.no_grad():
        error = (field(POINTS) - TORUS(POINTS)).abs()
    assert unseen_iou(field) > 0.96
    assert error[TORUS(POINTS).abs() < 0.1].mean() < 0.01


class Stop:
    """Presses Ctrl-C at a step."""

    def __init__(self, at):
        self.at = at

    def __call__(self, step, steps, terms):
        if step == self.at:
            os.kill(os.getpid(), signal.SIGINT)


def test_interrupted_and_resumed_gives_the_same_bytes(tmp_path):
    values = TORUS(POINTS) < 0
    whole, part, rest = (grid("occupancy") for _ in range(3))
    history = fit(whole, values, steps=12)
    assert len(fit(part, values, steps=12, checkpoint=tmp_path / "c.pt", progress=Stop(5))["loss"]) == 5
    assert fit(rest, values, steps=12, checkpoint=tmp_path / "c.pt", resume=True) == history
    for a, b in zip(whole.parameters(), rest.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(InputError, match="another module"):
        fit(GridField("occupancy", levels=(4,)), values, checkpoint=tmp_path / "c.pt", resume=True)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("occupancy", lambda p, v: (p, v[:-1]), r"values: expected one for each of 20000 points, got shape \(19999,\)"),
        ("occupancy", lambda p, v: (p[:, :2], v), r"points: expected shape \(P, 3\)"),
        (
            "occupancy",
            lambda p, v: (p.clone().index_fill_(0, torch.tensor([3]), torch.nan), v),
            "points: .* got 3 of 60000",
        ),
        ("sdf", lambda p, v: (p, v.index_fill(0, torch.tensor([3]), torch.inf)), "values: expected finite .* got 1 of"),
        ("occupancy", lambda p, v: (p, v * 2), r"values: expected occupancies in \[0, 1\], got a range of \[0, 2\]"),
        ("occupancy", lambda p, v: (p, v * 0 + 1), "20000 that are all inside"),
        ("occupancy", lambda p, v: (p, v * 0), "20000 that are all outside"),
        ("sdf", lambda p, v: (p, v + 0.5), r"all outside, with values in \[0.5, 1.5\]"),
    ],
)
def test_samples_that_cannot_be_fitted(kind, change, message):
    points, values = change(POINTS, (TORUS(POINTS) < 0).float())
    with pytest.raises(InputError, match=message):
        fit_samples(grid(kind), points, values)


def test_arguments_and_a_fit_that_diverges():
    values = TORUS(POINTS) < 0
    with pytest.raises(ValueError, match="steps: expected at least 1, got 0"):
        fit(grid("occupancy"), values, steps=0)
    with pytest.raises(ValueError, match="learning_rate: expected a finite number above 0, got -1"):
        fit(grid("occupancy"), values, learning_rate=-1)
    with pytest.raises(ValueError, match="field: expected parameters that require a gradient, Torus has none"):
        fit(TORUS, TORUS(POINTS))
    with pytest.raises(ArithmeticError, match="smaller learning rate"):
        fit(grid("occupancy"), values, learning_rate=1e30)


def test_any_field_will_do():
    class Ball(Field):
        def __init__(self):
            super().__init__("sdf")
            self.radius = torch.nn.Parameter(torch.tensor(0.9))

        def forward(self, points, code=None):
            return points.norm(dim=-1) - self.radius

    ball = Ball()
    fit(ball, POINTS.norm(dim=-1) - 0.4, learning_rate=0.05)
    assert float(ball.radius.detach()) == pytest.approx(0.4, abs=0.01)
