"""The decoder of Occupancy Networks, with and without normalisation."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from invgraph.errors import InputError
from invgraph.fields import OccupancyDecoder, check_finite
from invgraph.fields.conditioning import ConditionalBatchNorm


def balls(points, radii):
    """(B, P, 3) and (B,) -> (B, P): 1 in the balls."""
    return (points.norm(dim=-1) < radii[:, None]).to(points.dtype)


def train(field, steps=200):
    """Codes are radii: the field is to become a ball of any radius between 0.3 and 0.9."""
    optimizer = torch.optim.Adam(field.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    field.train()
    for _ in range(steps):
        radii, points = torch.rand(4) * 0.6 + 0.3, torch.rand(4, 256, 3) * 2 - 1
        optimizer.zero_grad()
        binary_cross_entropy_with_logits(field(points, radii[:, None]), balls(points, radii)).backward()
        optimizer.step()
        schedule.step()
    return field.eval()


@pytest.mark.parametrize("norm", ["batch", None])
def test_learns_a_family_of_balls(norm):
    field = train(OccupancyDecoder(1, hidden=32, blocks=2, norm=norm))
    radii, points = torch.tensor([0.5, 0.65, 0.8]), torch.rand(3, 4000, 3) * 2 - 1
    truth, found = balls(points, radii) > 0.5, field.inside(field(points, radii[:, None]))
    iou = (truth & found).sum(1) / (truth | found).sum(1)
    assert (iou > 0.85).all(), iou
    one = field(points[1], radii[1:2])  # one code for all points
    torch.testing.assert_close(one, field(points, radii[:, None])[1])
    assert field(points[0, 0], radii[:1]).shape == ()
    assert field(points[:0], radii[:0, None]).shape == (0, 4000)


@pytest.mark.parametrize("code_size", [0, 3])
def test_conditional_norm_starts_as_plain_normalisation(code_size):
    norm, x = ConditionalBatchNorm(4, code_size), torch.randn(2, 50, 4) * 3 + 1
    code = torch.randn(2, code_size) if code_size else None
    y = norm(x, code)
    torch.testing.assert_close(y.mean((0, 1)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var((0, 1), correction=0), torch.ones(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(norm.mean, 0.1 * x.mean((0, 1)))
    plain = torch.nn.BatchNorm1d(4).eval()
    plain.running_mean.copy_(norm.mean), plain.running_var.copy_(norm.var)
    torch.testing.assert_close(norm.eval()(x, code), plain(x.flatten(0, 1)).view_as(x))


@pytest.mark.parametrize("norm", ["batch", None])
@pytest.mark.parametrize("code_size", [0, 2])
def test_twice_differentiable_where_surfaces_are_asked_for(norm, code_size):
    field = OccupancyDecoder(code_size, hidden=8, blocks=2, norm=norm).double()
    for parameter in field.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    code = torch.randn(code_size, dtype=torch.double) if code_size else None
    points = torch.randn(5, 3, dtype=torch.double, requires_grad=True)
    field(points, code)  # in training mode: moves the running averages
    field.eval()
    assert torch.autograd.gradcheck(lambda p: field(p, code), points)
    assert torch.autograd.gradgradcheck(lambda p: field(p, code).square(), points)
    torch.testing.assert_close(field(points, code)[2], field(points[2], code))  # no point depends on another


def test_refuses():
    with pytest.raises(ValueError, match="norm"):
        OccupancyDecoder(norm="layer")
    with pytest.raises(ValueError, match="hidden"):
        OccupancyDecoder(hidden=0)
    field = OccupancyDecoder(2, hidden=8)
    with pytest.raises(ValueError, match="training mode"):
        field(torch.zeros(3), torch.zeros(2))
    with pytest.raises(ValueError, match="code"):
        field(torch.zeros(4, 3), torch.zeros(3))
    check_finite(field)
    field.network.blocks[3].layer0.weight.data[1, 2] = torch.nan
    with pytest.raises(InputError, match=r"network.blocks.3.layer0.weight of OccupancyDecoder.* 1 of 64"):
        check_finite(field)
