"""Silhouettes through isosurface and rasterizer: gradients, where fits settle, and topology that changes."""

import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

import invgraph as ig
from invgraph.fields.isosurface import CubeGrid, TetrahedralGrid, flexicubes

F64 = torch.float64
SIZE = 96
FINER = 8  # samples a pixel's side for true coverage
CENTER = torch.tensor([0.013, -0.021, 0.017], dtype=F64)


def camera(size: int = SIZE) -> ig.Cameras:
    # slanted, so that no outline runs along the pixels
    eye = F.normalize(torch.tensor([0.5, 0.62, -1.0], dtype=F64), dim=0) * 4
    return ig.Cameras.look_at(eye[None], [0.003, 0.007, 0.002], [0.1, 1, 0], 40, (size, size))


def sphere_coverage(radius: float) -> Tensor:
    ball = ig.geometry.icosphere(5 if radius < 0.65 else 6).to(dtype=F64)
    fine = ig.render(ball.with_verts(ball.verts * radius + CENTER), camera(SIZE * FINER), mode="hard").alpha
    return F.avg_pool2d(fine, FINER)


@pytest.mark.parametrize("mode", ["antialias", "outline"])
@pytest.mark.parametrize("method", ["tetrahedra", "flexicubes"])
def test_gradient_of_a_silhouette_loss(method, mode):
    """In values, nodes and weights at once, against a finite difference in a random direction."""
    grid = TetrahedralGrid(12, dtype=F64) if method == "tetrahedra" else CubeGrid(16, dtype=F64)
    generator = torch.Generator().manual_seed(2)

    def randn(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=F64, generator=generator)

    target = sphere_coverage(0.6)
    start = [(grid.nodes - CENTER).norm(dim=1) - 0.7 + 0.02 * randn(grid.num_nodes), grid.nodes]
    if method == "flexicubes":
        cells = 16**3
        start += [
            1 + 0.3 * torch.tanh(randn(cells, 8)),
            1 + 0.3 * torch.tanh(randn(cells, 12)),
            torch.ones(cells).double(),
        ]

    def loss(values: Tensor, nodes: Tensor, *weights: Tensor) -> Tensor:
        if weights:
            alpha, beta, gamma = weights
            mesh = flexicubes(nodes, 16, values, alpha=alpha, beta=beta, gamma=gamma, training=True).mesh
        else:
            mesh = grid.surface(values, nodes=nodes)
        return (ig.render(mesh, camera(), mode=mode, sigma=2.0).alpha - target).square().sum()

    leaves = [x.clone().requires_grad_() for x in start]
    gradient = torch.autograd.grad(loss(*leaves), leaves)
    direction = [0.02 * randn(*x.shape) for x in start]
    slope = float(sum((g * d).sum() for g, d in zip(gradient, direction)))
    step = 1e-5
    ahead, behind = (float(loss(*(x + sign * step * d for x, d in zip(start, direction)))) for sign in (1, -1))
    assert (ahead - behind) / (2 * step) == pytest.approx(slope, rel=1e-4)
    assert abs(slope) > 0.1


@pytest.mark.parametrize("make", [TetrahedralGrid, CubeGrid])
@pytest.mark.parametrize("mode", ["antialias", "outline"])
def test_the_optimal_radius_is_the_true_one(make, mode):
    """A sphere's signed distance on the nodes of a grid, its silhouette against true coverage: within 0.1 pixel."""
    grid, radius = make(32, dtype=F64), 0.7
    target = sphere_coverage(radius)
    distance = (grid.nodes - CENTER).norm(dim=1)

    def error(r: float) -> float:
        return float((ig.render(grid.surface(distance - r), camera(), mode=mode).alpha - target).square().sum())

    best = minimize_scalar(error, bounds=(0.65, 0.75), method="bounded", options={"xatol": 1e-4}).x
    pixels = (best - radius) * float(camera().K[0, 0, 0]) / 4
    assert abs(pixels) < 0.1


@pytest.mark.parametrize("make", [TetrahedralGrid, CubeGrid])
def test_one_body_becomes_two(make):
    """The values of a grid, fitted to the masks of two balls: the surface parts on its own."""
    grid = make((20, 12, 12), ((-1.25, -0.75, -0.75), (1.25, 0.75, 0.75)), dtype=torch.float32)
    views = ig.Cameras.look_at(
        [[0.0, 0, -4], [0, 4, 0.1], [1.5, 1.5, -3.5], [-2, 1, 3]], [0, 0, 0], [0, 0.7, 0.7], 40, (64, 64)
    )

    def distance(points: Tensor, half_gap: float) -> Tensor:
        x = points[:, 0].abs()
        return (
            torch.stack([(x - half_gap).clamp(min=0) if half_gap < 0.6 else x - half_gap, *points.T[1:]]).norm(dim=0)
            - 0.38
        )

    target = ig.render(grid.surface(distance(grid.nodes, 0.62)), views).alpha
    values = distance(grid.nodes, 0.5).requires_grad_()  # a capsule
    before = grid.surface(values)
    optimizer = torch.optim.Adam([values], 0.02)
    for _ in range(60):
        optimizer.zero_grad()
        alpha = ig.render(grid.surface(values), views, mode="outline", sigma=2.0).alpha
        (alpha - target).square().mean().backward()
        optimizer.step()
    after = grid.surface(values)
    assert (before.euler_characteristic, after.euler_characteristic) == (2, 4)
    assert int(after.topology.components().max()) == 1
    assert after.is_closed
    assert (ig.render(after, views).alpha - target).abs().mean() < 0.01
