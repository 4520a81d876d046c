"""Convolutional Occupancy Networks, their interpolation, and the made shapes they are trained on."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from invgraph.fields import Box, ConvONet, Sphere, random_shape, sample_zero_set
from invgraph.fields.local_pointnet import max_in_cells, mean_in_cells
from invgraph.fields.multilinear import interpolate_grid

SMALL = {"resolution": 8, "channels": 8, "width": 8, "levels": 2, "blocks": 2}
GRIDS = pytest.mark.parametrize("grid", ["planes", "volume"])


@pytest.mark.parametrize("sizes", [(5, 4), (4, 3, 6), (1, 2)])
def test_interpolation_is_exact_on_linear_functions_and_twice_differentiable(sizes):
    dims = len(sizes)
    centres = torch.stack(
        torch.meshgrid(*[(torch.arange(R, dtype=torch.double) + 0.5) / R for R in sizes], indexing="ij"), -1
    )
    slope = torch.randn(dims, 2, dtype=torch.double)
    features = (centres @ slope).expand(3, *sizes, 2)
    margin = 0.5 / torch.tensor(sizes)
    u = margin + (1 - 2 * margin) * torch.rand(3, 7, dims, dtype=torch.double)
    torch.testing.assert_close(interpolate_grid(features, u), u @ slope)
    features = torch.randn(1, *sizes, 2, dtype=torch.double)
    beyond = torch.tensor([[[-0.2] * dims, [1.3] * dims]], dtype=torch.double)
    first, last = (features[(slice(None), *[k] * dims)] for k in (0, -1))  # the value at the nearest centre
    torch.testing.assert_close(interpolate_grid(features, beyond), torch.stack([first, last], 1))
    features, u = features[..., :1].clone().requires_grad_(), u[:1, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(interpolate_grid, (features, u))
    assert torch.autograd.gradgradcheck(lambda x: interpolate_grid(features, x).square(), u)


def test_maxima_and_means_in_cells():
    x, cells = torch.tensor([[1.0, -5], [3, -7], [-2, 4]]), torch.tensor([2, 2, 0])
    assert max_in_cells(x, cells, 4).tolist() == [[-2, 4], [0, 0], [3, -5], [0, 0]]
    assert mean_in_cells(x, cells, 4).tolist() == [[-2, 4], [0, 0], [2, -6], [0, 0]]


@GRIDS
def test_codes(grid):
    field = ConvONet(grid, **SMALL, bounds=((0, 0, 0), (2, 4, 8)))
    clouds = torch.rand(3, 100, 3) * torch.tensor([2.0, 4, 8])
    codes, points = field.encode(clouds), torch.rand(3, 4, 5, 3)
    assert codes.shape == (3, field.code_size)
    assert field.features(codes).shape == (3, *((3, 8, 8, 8) if grid == "planes" else (8, 8, 8, 8)))
    assert field(points, codes).shape == (3, 4, 5)
    torch.testing.assert_close(field(points[1], codes[1]), field(points, codes)[1])
    # a cloud's code is its own, whatever the order of its points
    torch.testing.assert_close(field.encode(clouds[2:].flip(1))[0], codes[2])
    # only places within the bounds count, not their units
    unit = ConvONet(grid, **SMALL, bounds=((0, 0, 0), (1, 1, 1)))
    unit.load_state_dict({**field.state_dict(), "bounds": unit.bounds})
    torch.testing.assert_close(unit.encode(clouds / torch.tensor([2.0, 4, 8])), codes, atol=1e-5, rtol=1e-4)


def test_a_cell_of_each_plane_is_where_it_should_be():
    """A lone point in the cloud: the features that differ from an empty place's lie in its cell and around it."""
    field = ConvONet("planes", **SMALL | {"levels": 1})
    field.unet = torch.nn.Identity()
    cloud = torch.tensor([[[-0.9, 0.1, 0.6]]])  # cells 0, 4 and 6 of x, y and z
    planes = field.features(field.encode(cloud)[0]).abs().sum(-1)
    assert [plane.nonzero().tolist() for plane in planes] == [[[0, 6]], [[0, 4]], [[4, 6]]]
    volume = ConvONet("volume", **SMALL | {"levels": 1})
    volume.unet = torch.nn.Identity()
    assert volume.features(volume.encode(cloud)[0]).abs().sum(-1).nonzero().tolist() == [[0, 4, 6]]


@GRIDS
def test_learns_balls_from_points_on_them(grid):
    generator = torch.Generator().manual_seed(1)

    def draw(count):
        centre = 0.6 * torch.rand(count, 1, 3, generator=generator) - 0.3
        radius = 0.25 + 0.3 * torch.rand(count, 1, 1, generator=generator)
        away = torch.nn.functional.normalize(torch.randn(count, 200, 3, generator=generator), dim=-1)
        places = 1.4 * torch.rand(count, 400, 3, generator=generator) - 0.7
        return centre + radius * away, places, (places - centre).norm(dim=-1) < radius[..., 0]

    field = ConvONet(grid, **SMALL | {"channels": 16, "width": 16})
    optimizer = torch.optim.Adam(field.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=80)
    for _ in range(80):
        clouds, places, inside = draw(4)
        optimizer.zero_grad()
        binary_cross_entropy_with_logits(field(places, field.encode(clouds)), inside.float()).backward()
        optimizer.step()
        schedule.step()
    clouds, places, inside = draw(8)

    def iou(codes):
        found = field.inside(field(places, codes))
        return float((found & inside).sum() / (found | inside).sum())

    with torch.no_grad():
        codes = field.encode(clouds)
        assert iou(codes) > 0.6
        assert iou(codes.flip(0)) < 0.4  # the codes of other balls


@GRIDS
def test_twice_differentiable_in_the_points(grid):
    field = ConvONet(grid, **SMALL).double()
    for parameter in field.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    code = field.encode(torch.rand(1, 50, 3, dtype=torch.double) - 0.5)[0].detach()
    points = (2 * torch.rand(4, 3, dtype=torch.double) - 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: field(p, code), points)
    assert torch.autograd.gradgradcheck(lambda p: field(p, code).square(), points)


def test_refuses():
    with pytest.raises(ValueError, match="resolution: expected a multiple of"):
        ConvONet(resolution=20)
    with pytest.raises(ValueError, match="grid"):
        ConvONet("plane")
    field = ConvONet(**SMALL)
    with pytest.raises(ValueError, match="clouds"):
        field.encode(torch.zeros(5, 3))
    with pytest.raises(ValueError, match="finite"):
        field.encode(torch.full((1, 5, 3), torch.nan))
    with pytest.raises(ValueError, match=r"code: expected \(1536,\)"):
        field(torch.zeros(5, 3), torch.zeros(7))


def test_random_shapes():
    shapes = [random_shape(torch.Generator().manual_seed(seed)) for seed in (3, 4, 3)]
    probe = 2 * torch.rand(100, 3) - 1
    first, other, again = (shape(probe) for shape in shapes)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.1)
    for shape in shapes[:2]:
        points = sample_zero_set(shape, 500, torch.Generator().manual_seed(0))
        assert shape(points).abs().max() < 3e-4
        assert 0.6 < points.abs().max() < 0.95


def test_points_on_a_surface_are_uniform():
    points = sample_zero_set(Sphere(0.5), 4000, torch.Generator().manual_seed(0))
    assert points.mean(0).norm() < 0.03
    torch.testing.assert_close(points.norm(dim=1), torch.full((4000,), 0.5), atol=1e-4, rtol=0)
    points = sample_zero_set(Box([0.2, 0.4, 0.4]), 4000, torch.Generator().manual_seed(0))
    on_largest = ((points[:, 0].abs() - 0.2).abs() < 1e-3).float().mean()
    assert abs(float(on_largest) - 0.5) < 0.05  # the two largest faces have half of the area
    with pytest.raises(ValueError, match="expected a surface"):
        sample_zero_set(Sphere(0.5, bounds=((2, 2, 2), (3, 3, 3))), 10, torch.Generator().manual_seed(0))
