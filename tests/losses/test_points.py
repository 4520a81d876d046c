"""Point-set distances against hand-computed values, brute force, and gradients."""

import itertools

import pytest
import torch

from invgraph.losses import chamfer_l1, chamfer_l2_squared, earth_movers_distance, nearest_point
from invgraph.losses import points as points_module

X = torch.tensor([[0.0, 0, 0], [3, 0, 0]], dtype=torch.float64)
Y = torch.tensor([[0.0, 1, 0], [0, 2, 0], [3, 0, 2]], dtype=torch.float64)


def _random(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, 3, dtype=torch.float64)


def test_chamfer_by_hand():
    # nearest distances: x -> y 1, 2; y -> x 1, 2, 2
    assert chamfer_l2_squared(X, Y).item() == pytest.approx((1 + 4) + (1 + 4 + 4))
    assert chamfer_l2_squared(X, Y, reduction="mean").item() == pytest.approx(5 / 2 + 9 / 3)
    assert chamfer_l1(X, Y).item() == pytest.approx(0.5 * (3 / 2 + 5 / 3))


def test_batches_are_averaged_and_a_shared_set_broadcasts():
    x, y = _random(3, 7), _random(7)
    for distance in (chamfer_l1, chamfer_l2_squared, earth_movers_distance):
        single = [distance(part, y).item() for part in x]
        assert distance(x, y).item() == pytest.approx(sum(single) / 3)
        assert distance(x, y.expand(3, -1, -1)).item() == pytest.approx(sum(single) / 3)


def test_nearest_point_tree_and_chunks_agree(monkeypatch):
    x, to = _random(300), _random(200)
    expected = (x[:, None] - to).square().sum(-1).argmin(1)
    monkeypatch.setattr(points_module, "_CHUNK_PAIRS", 1000)
    assert torch.equal(nearest_point(x, to), expected)
    monkeypatch.setattr(points_module, "_TREE_PAIRS", 1)
    assert torch.equal(nearest_point(x, to), expected)
    assert torch.equal(nearest_point(x.reshape(3, 100, 3), to), expected.reshape(3, 100))


def test_emd_by_hand_and_by_enumeration():
    # both x would take the y at 0: the bijection makes one of them travel
    x = torch.tensor([[0.0, 0, 0], [1, 0, 0]])
    y = torch.tensor([[0.5, 0, 0], [5, 0, 0]])
    assert earth_movers_distance(x, y).item() == pytest.approx((0.5 + 4) / 2)
    x, y = _random(5), _random(5)
    best = min((x - y[list(p)]).norm(dim=-1).mean().item() for p in itertools.permutations(range(5)))
    assert earth_movers_distance(x, y, method="exact").item() == pytest.approx(best)


def test_sinkhorn_approaches_the_exact_distance():
    x, y = _random(2, 200), _random(2, 200) + 0.3
    exact = earth_movers_distance(x, y, method="exact").item()
    value = earth_movers_distance(x, y, method="sinkhorn").item()
    assert exact <= value <= exact * 1.02
    # unequal sizes: doubling every point changes no measure
    assert earth_movers_distance(x.repeat(1, 2, 1), y).item() == pytest.approx(value, rel=2e-3)


def test_sinkhorn_of_identical_and_distant_sets_is_finite():
    x = torch.zeros(4, 3, requires_grad=True)
    for other in (torch.zeros(5, 3), 1e6 + torch.rand(5, 3), 1e-12 * torch.rand(5, 3)):
        value = earth_movers_distance(x, other)
        (grad,) = torch.autograd.grad(value, x)
        assert torch.isfinite(value)
        assert torch.isfinite(grad).all()
    assert earth_movers_distance(x, torch.zeros(5, 3)).item() == 0


@pytest.mark.parametrize(
    "distance",
    [
        chamfer_l2_squared,
        chamfer_l1,
        lambda x, y: earth_movers_distance(x, y[:, :4], method="exact"),
        # epsilon far below the gaps between the points: the plan is a vertex of the polytope and does not move
        lambda x, y: earth_movers_distance(x, y[:, :4], method="sinkhorn", epsilon=1e-3, iterations=1000),
    ],
)
def test_gradcheck_in_both_sets(distance):
    x, y = _random(2, 4).requires_grad_(), _random(2, 6).requires_grad_()
    assert torch.autograd.gradcheck(distance, (x, y), atol=1e-4)


def test_coincident_points_have_zero_gradient():
    x = _random(4).requires_grad_()
    for distance in (chamfer_l1, chamfer_l2_squared, earth_movers_distance):
        value = distance(x, x.detach().clone())
        (grad,) = torch.autograd.grad(value, x)
        assert value.item() == 0
        assert (grad == 0).all()


def test_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"x: expected shape .* got \(4, 2\)"):
        chamfer_l1(torch.rand(4, 2), torch.rand(4, 3))
    with pytest.raises(ValueError, match="P >= 1"):
        chamfer_l1(torch.rand(0, 3), torch.rand(4, 3))
    with pytest.raises(ValueError, match="y: expected x's batch"):
        chamfer_l1(torch.rand(2, 4, 3), torch.rand(3, 4, 3))
    with pytest.raises(ValueError, match="exact assignment needs 2 points"):
        earth_movers_distance(X, Y, method="exact")
    with pytest.raises(TypeError, match="dtype of x"):
        chamfer_l1(torch.rand(4, 3), torch.rand(4, 3).double())
