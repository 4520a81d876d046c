"""The feature grid: interpolation against its definition, derivatives of both orders, where it starts."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from invgraph.fields import Box, GridField
from invgraph.fields.corner_sums import corner_sums
from invgraph.fields.lattice import Lattice


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def rand(*shape):
    return torch.rand(shape, generator=seeded(), dtype=torch.float64)


def test_a_level_interpolates_as_its_definition_says():
    lattice = Lattice([(2, 3, 4), (5, 4, 6)], 3, generator=seeded()).double()
    points = rand(50, 3) * 1.2 - 0.1  # some outside, where it is as on the cube's side
    out = lattice(points)
    start = 0
    for level, cells in enumerate([(2, 3, 4), (5, 4, 6)]):
        nodes = [n + 1 for n in cells]
        size = nodes[0] * nodes[1] * nodes[2]
        grid = (
            lattice.table.detach()[start : start + size].view(*nodes, 3).permute(3, 2, 1, 0)[None]
        )  # x last, for torch
        where = (points.clamp(0, 1) * 2 - 1).view(1, 1, 1, -1, 3)
        truth = torch.nn.functional.grid_sample(grid, where, align_corners=True).view(3, -1).T
        assert torch.allclose(out[:, 3 * level : 3 * level + 3], truth, atol=1e-15)
        start += size


def test_levels_that_are_not_active_are_zero():
    lattice = Lattice([(2, 2, 2), (4, 4, 4)], 3, generator=seeded()).double()
    points = rand(10, 3)
    assert torch.equal(lattice(points, 1), torch.cat([lattice(points)[:, :3], torch.zeros(10, 3)], 1))


def test_sums_have_derivatives_of_both_orders():
    table, weights = rand(7, 2).requires_grad_(), rand(4, 3).requires_grad_()
    index = torch.tensor([[0, 1, 6], [2, 2, 1], [5, 0, 0], [3, 6, 6]], dtype=torch.int32)
    assert gradcheck(corner_sums, (table, index, weights), fast_mode=True)
    assert gradgradcheck(corner_sums, (table, index, weights), fast_mode=True)


@pytest.mark.parametrize("hashed", [False, 5])
def test_field_has_derivatives_of_both_orders(hashed):
    field = GridField("sdf", levels=(1, 3), features=1, hidden=2, hashed=hashed, generator=seeded()).double()
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.normal_(generator=seeded())
    table, points = field.lattice.table.detach().clone().requires_grad_(), (rand(2, 3) * 2 - 1).requires_grad_()

    def value(points, table):
        return torch.func.functional_call(field, {"lattice.table": table}, (points,))

    assert len(table) == 8 + (32 if hashed else 64)
    assert gradcheck(value, (points, table), fast_mode=True)
    assert gradgradcheck(value, (points, table), fast_mode=True)


def test_it_starts_as_its_initial_field():
    points = torch.rand((100, 4, 3), generator=seeded()) * 2 - 1
    box = Box((0.5, 0.3, 0.2))
    assert torch.allclose(GridField("sdf", initial=box)(points), box(points), atol=1e-3)
    logits = GridField("occupancy", levels=(10, 20), initial=box)(points)
    assert torch.allclose(logits, -box(points) / 0.2, atol=1e-3)
    sphere = GridField("sdf", bounds=((0, 0, 0), (4, 2, 4)))
    assert float(sphere(torch.tensor([2.0, 1.0, 2.0])).detach()) == pytest.approx(-0.5, abs=1e-3)
    assert sphere.lattice.cells[:, :, 0].T.tolist() == [[8, 4, 8], [16, 8, 16], [32, 16, 32]]


def test_a_point_that_is_no_number_has_no_value_and_no_points_have_no_values():
    field = GridField("sdf", levels=(4,))
    points = torch.tensor([[0.0, 0.0, 0.0], [0.0, torch.nan, 0.0], [torch.inf, 0.0, 0.0]])
    assert field(points).isnan().tolist() == [False, True, False]
    assert field(points[:0]).shape == (0,)


def test_levels_switch_on_one_by_one_and_too_many_are_refused():
    field = GridField("sdf", levels=(2, 4), features=3)
    field.active = 1
    field(torch.rand((50, 3), generator=seeded())).sum().backward()
    assert (field.lattice.table.grad[:27] != 0).any()
    assert (field.lattice.table.grad[27:] == 0).all()
    with pytest.raises(ValueError, match=r"active: expected a number of levels in \[1, 2\], got 3"):
        field.active = 3
    with pytest.raises(ValueError, match=r"nodes of 4000 features take about .* GB of memory"):
        GridField("sdf", levels=(16, 256), features=4000)


def test_curvature_is_that_of_a_parabola():
    lattice = Lattice([(4, 4, 4), (8, 8, 8)], 1, generator=seeded()).double()
    x = torch.cartesian_prod(*[torch.linspace(0, 1, 5, dtype=torch.float64)] * 3)[:, :1]
    with torch.no_grad():
        lattice.table.zero_()
        lattice.table[:125] = 3 * x * x + x
    assert float(lattice.curvature().detach()) == pytest.approx(6**2 / 4**3)


def test_curvature_of_a_hashed_level_is_that_of_independent_nodes():
    values = torch.randn((60, 60, 60), generator=seeded(), dtype=torch.float64)
    dense, hashed = (Lattice([(59, 59, 59)], 1, hashed=size).double() for size in (0, 10))
    with torch.no_grad():
        dense.table.copy_(values.reshape(-1, 1))
        hashed.table.copy_(values.reshape(-1, 1)[:1024])
        assert float(dense.curvature()) == pytest.approx(float(hashed.curvature()), rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": (16, 8)}, "levels: expected numbers of cells >= 1 from coarse to fine"),
        ({"levels": ()}, "levels"),
        ({"features": 0}, "features, hidden: expected at least 1 each, got 0 and 32"),
        ({"hashed": 40}, "hashed: expected False or the log2"),
        ({"levels": (64, 2048)}, r"hash the finer levels"),
        ({"smoothness": -1.0}, "smoothness"),
        ({"initial": GridField("occupancy", levels=(2,))}, "initial: expected a signed distance"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GridField("sdf", **options)
