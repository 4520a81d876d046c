"""The network of sines and its objective."""

import pytest
import torch

from invgraph.fields import Siren, Sphere, siren_loss


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_sums_before_every_sine_are_normal_of_variance_one() -> None:
    field = Siren(hidden=256, layers=3, generator=generator())
    x = torch.rand((4000, 3), generator=generator()) * 2 - 1
    for i, linear in enumerate(field.linear[:-1]):
        if i > 0:
            assert float((field.omega * (linear(x) - linear.bias)).detach().std()) == pytest.approx(1, abs=0.1)
        x = torch.sin(field.omega * linear(x))


def test_second_derivatives() -> None:
    field = Siren(hidden=8, layers=1, omega=3.0, generator=generator()).double()
    x = (torch.rand((4, 3), dtype=torch.float64, generator=generator()) * 2 - 1).requires_grad_()
    assert torch.autograd.gradcheck(field, (x,))
    assert torch.autograd.gradgradcheck(field, (x,))


def test_objective_of_a_true_distance_is_zero_but_for_the_points_off_the_surface() -> None:
    normals = torch.nn.functional.normalize(torch.randn((500, 3), generator=generator()), dim=1)
    space = torch.tensor([[0.1, 0.0, 0.0], [0.0, 0.0, 0.9], [0.0, 0.51, 0.0]])
    inside = torch.tensor([True, False, False])
    terms = siren_loss(Sphere(0.5), 0.5 * normals, normals, space, inside)
    assert {name: float(value.detach()) for name, value in terms.items()} == pytest.approx(
        {"surface": 0, "normal": 0, "eikonal": 0, "side": 0, "off_surface": 100 * torch.e**-1 / 3}, abs=1e-3
    )
    turned = siren_loss(Sphere(0.5), 0.5 * normals, -normals, space, ~inside)
    assert float(turned["normal"].detach()) == pytest.approx(200, abs=1e-3)
    assert float(turned["side"].detach()) == pytest.approx(1000 * (0.4 + 0.4 + 0.01) / 3, abs=1e-2)
    assert "side" not in siren_loss(Sphere(0.5), 0.5 * normals, normals, space)


def test_objective_trains_a_ball() -> None:
    field, rng = Siren(hidden=32, layers=1, omega=10.0, generator=generator()), generator()
    adam = torch.optim.Adam(field.parameters(), lr=2e-3)
    for _ in range(100):
        normals = torch.nn.functional.normalize(torch.randn((200, 3), generator=rng), dim=1)
        space = torch.rand((200, 3), generator=rng) * 2 - 1
        terms = siren_loss(field, 0.5 * normals, normals, space, torch.linalg.vector_norm(space, dim=1) < 0.5)
        adam.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        adam.step()
    at = torch.tensor([[0.3, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, -0.7]])
    assert torch.allclose(field(at).detach(), torch.tensor([-0.2, 0.0, 0.2]), atol=0.08)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="hidden, layers"):
        Siren(hidden=0)
    with pytest.raises(ValueError, match="omega"):
        Siren(omega=float("nan"))
    some = torch.zeros(5, 3)
    with pytest.raises(ValueError, match="kind 'sdf'"):
        siren_loss(_Occupancy(), some, some, some)
    with pytest.raises(ValueError, match=r"\(5, 3\), \(4, 3\)"):
        siren_loss(Siren(8, 0), some, some[:4], some)
    with pytest.raises(ValueError, match="inside"):
        siren_loss(Siren(8, 0), some, some, some, torch.zeros(3, dtype=torch.bool))


class _Occupancy(Siren):
    def __init__(self) -> None:
        super().__init__(8, 0)
        self.kind = "occupancy"
