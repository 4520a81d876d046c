import math

import pytest
import torch
from torch import Tensor

from invgraph.fields.isosurface import CubeGrid, flexicubes
from invgraph.fields.isosurface.cell import EDGES
from invgraph.fields.isosurface.cube_table import cube_table

F64 = torch.float64


def random_weights(cells: int, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: 0.5 + torch.rand(cells, *columns, dtype=F64, generator=generator)
        for name, columns in (("alpha", (8,)), ("beta", (12,)), ("gamma", ()))
    }


def test_every_crossed_edge_belongs_to_one_patch():
    table = cube_table(torch.device("cpu"))
    for variant in range(512):
        case = variant & 255
        for edge, (a, b) in enumerate(EDGES):
            assert (table.patch[variant, edge] >= 0) == ((case >> a & 1) != (case >> b & 1))
    sizes = torch.stack([(table.patch == n).sum(1) for n in range(4)])
    assert sizes[sizes > 0].min() == 3
    # the other way across a face that is crossed twice makes two patches of one
    twice = table.problem >= 0
    assert torch.equal(table.num_patches[256:], table.num_patches[:256] + twice.long())
    assert 0 < int(twice.sum()) < 256


def test_two_cells_that_share_a_doubly_crossed_face():
    """Two nodes outside, diagonal on the face between two cells whose other nodes are inside: the mesh is manifold only
    if both cells turn that face."""
    values = -torch.ones(6, 6, 6, dtype=F64)
    values[2, 2, 2] = values[2, 3, 3] = 1
    grid = CubeGrid(5, dtype=F64)
    mesh = grid.surface(values.reshape(-1))
    assert mesh.is_closed
    assert int(mesh.topology.components().max()) == 2  # the outer surface, and two separate holes
    assert mesh.euler_characteristic == 6


@pytest.mark.parametrize("training", [False, True])
def test_gradients(training):
    cells = (3, 3, 3)
    grid = CubeGrid(cells, dtype=F64)
    generator = torch.Generator().manual_seed(3)
    values = torch.randn(grid.num_nodes, dtype=F64, generator=generator)
    values += 0.1 * values.sign()
    values[grid.boundary] = values[grid.boundary].abs()
    nodes = grid.nodes + 0.1 * torch.randn(grid.nodes.shape, dtype=F64, generator=generator)
    weights = random_weights(27)

    def result(nodes: Tensor, values: Tensor, alpha: Tensor, beta: Tensor, gamma: Tensor) -> tuple[Tensor, Tensor]:
        mesh, regularizer = flexicubes(nodes, cells, values, alpha=alpha, beta=beta, gamma=gamma, training=training)
        return mesh.verts, regularizer

    inputs = [x.requires_grad_() for x in (nodes, values, *weights.values())]
    assert torch.autograd.gradcheck(result, inputs, fast_mode=True)
    verts, _ = result(*inputs)
    moved = torch.autograd.grad(verts.square().sum(), inputs, allow_unused=True)
    assert all(grad is not None and grad.abs().max() > 0 for grad in (moved if training else moved[:-1]))


def test_sphere_and_torus_converge():
    for cells, bound in ((16, 0.06), (32, 0.015)):
        grid = CubeGrid(cells, dtype=F64)
        x, y, z = grid.nodes.unbind(1)
        ball = grid.surface(grid.nodes.norm(dim=1) - 0.7)
        torus = flexicubes(grid.nodes, cells, torch.hypot(torch.hypot(x, y) - 0.6, z) - 0.25, training=True).mesh
        for mesh, area, volume in (
            (ball, 4 * math.pi * 0.7**2, 4 / 3 * math.pi * 0.7**3),
            (torus, 4 * math.pi**2 * 0.6 * 0.25, 2 * math.pi**2 * 0.6 * 0.25**2),
        ):
            assert abs(float(mesh.area()) / area - 1) < bound
            assert abs(float(mesh.volume()) / volume - 1) < 2 * bound
    assert torus.euler_characteristic == 0


def test_weights_and_nodes_find_a_sharp_corner():
    """A cube between nodes, fitted through the values' own surface: weights place vertices on edges and corners."""
    grid = CubeGrid(6, dtype=F64)
    half = 0.55
    values = (grid.nodes.abs() - half).amax(1)
    raw = {name: torch.zeros_like(x).requires_grad_() for name, x in random_weights(6**3).items()}
    optimizer = torch.optim.Adam(raw.values(), 0.1)

    def surface() -> Tensor:
        weights = {name: 1 + 0.99 * torch.tanh(x) for name, x in raw.items()}
        return flexicubes(grid.nodes, 6, values, **weights, training=True).mesh.verts

    def distance(verts: Tensor) -> Tensor:
        return ((verts.abs() - half).amax(1)).abs().mean()

    before = float(distance(surface().detach()))
    for _ in range(40):
        optimizer.zero_grad()
        distance(surface()).backward()
        optimizer.step()
    assert float(distance(surface().detach())) < 0.25 * before


def test_quads_are_cut_towards_larger_weights():
    grid = CubeGrid(6, dtype=F64)
    values = grid.nodes.norm(dim=1) - 0.55
    low, high = grid.nodes.view(7, 7, 7, 3)[1, 2, 2], grid.nodes.view(7, 7, 7, 3)[2, 3, 3]
    faces = []
    for weight in (0.5, 2.0):
        gamma = torch.ones(216, dtype=F64)
        gamma.view(6, 6, 6)[1, 2, 2] = weight
        mesh = flexicubes(grid.nodes, 6, values, gamma=gamma).mesh
        (vertex,) = ((mesh.verts > low) & (mesh.verts < high)).all(1).nonzero()[:, 0]
        faces.append(int((mesh.faces == vertex).any(1).sum()))
    assert faces[1] == 2 * faces[0] >= 6  # all diagonals end there, or none does


def test_regularizer_is_the_mean_absolute_deviation():
    """One node inside: eight cells with three crossings each, at different distances."""
    grid = CubeGrid(2, ((0, 0, 0), (2, 2, 2)), dtype=F64)
    values = torch.ones(27, dtype=F64)
    values[13] = -1
    result = flexicubes(grid.nodes, 2, values)
    assert result.mesh.num_verts == 8
    assert float(result.regularizer) == pytest.approx(0, abs=1e-12)
    values[4] = 3.0  # along x, the crossing is nearer to the node
    distances = torch.tensor([0.25, 0.5, 0.5], dtype=F64)
    crossings = torch.diag(distances)
    lengths = (crossings - crossings.mean(0)).norm(dim=1)
    deviation = (lengths - lengths.mean()).abs().mean()
    assert float(flexicubes(grid.nodes, 2, values).regularizer) == pytest.approx(float(deviation) / 2)  # in four of 8


def test_bad_weights_are_named():
    grid = CubeGrid(3)
    values = grid.nodes.norm(dim=1) - 0.7
    ones = {"alpha": torch.ones(27, 8), "beta": torch.ones(27, 12), "gamma": torch.ones(27)}
    for name, x in ones.items():
        for bad, error, words in [
            (x[:-1], ValueError, f"{name}: expected shape"),
            (x.double(), TypeError, f"{name}: expected a tensor of dtype"),
            (-x, ValueError, f"{name}: expected positive numbers, got -1 to -1"),
            (x * math.nan, ValueError, f"{name}: expected positive numbers"),
        ]:
            with pytest.raises(error, match=words):
                flexicubes(grid.nodes, 3, values, **{name: bad})
    with pytest.raises(ValueError, match="nodes: expected 5 x 5 x 5 for resolution 4, got 64"):
        flexicubes(grid.nodes, 4, values)
    with pytest.raises(ValueError, match="NaN"):
        flexicubes(grid.nodes, 3, values * math.nan)
