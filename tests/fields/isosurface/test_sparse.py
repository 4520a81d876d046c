import pytest
import torch
from torch import Tensor, nn

from invgraph.errors import InputError
from invgraph.fields import Field, Torus
from invgraph.fields.isosurface import CubeGrid, TetrahedralGrid, field_surface, sparse_values

F64 = torch.float64
GRIDS = [TetrahedralGrid(32, dtype=F64), CubeGrid(32, dtype=F64), TetrahedralGrid((16, 48, 32), dtype=F64)]


class Ripples(Field):
    """Logits of a wavy body that reaches the box, with a code that shifts it."""

    def __init__(self) -> None:
        super().__init__("occupancy", code_size=3)
        self.frequency = nn.Parameter(torch.tensor([4.0, 3.0, 5.0], dtype=F64))
        self.asked = 0

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        self.check(points, code)
        self.asked += len(points)
        return torch.sin((points + code) * self.frequency).sum(-1)


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_the_surface_is_that_of_all_values(grid):
    field = Ripples()
    code = torch.tensor([0.1, 0.2, -0.3], dtype=F64, requires_grad=True)
    nodes = (grid.nodes + 0.005 * torch.sin(grid.nodes * 9)).requires_grad_()
    sparse = field_surface(field, grid, nodes=nodes, code=code, coarsest=8)
    dense = grid.surface(field(nodes, code), nodes=nodes, inside="above")
    assert torch.equal(sparse.faces, dense.faces)
    torch.testing.assert_close(sparse.verts, dense.verts)
    assert sparse.num_faces > 1000
    of = [field.frequency, code, nodes]
    for a, b in zip(*(torch.autograd.grad(mesh.verts.sin().sum(), of) for mesh in (sparse, dense))):
        torch.testing.assert_close(a, b)


def test_the_field_is_asked_where_its_surface_is():
    field = Torus(0.6, 0.2).to(F64)
    for grid, share in ((TetrahedralGrid(64, dtype=F64), 0.08), (CubeGrid(64, dtype=F64), 0.12)):
        found = sparse_values(field, grid)
        assert found.evaluations < share * grid.num_nodes
        mesh = grid.surface(found.values)
        assert mesh.is_closed
        assert mesh.euler_characteristic == 0
    with torch.no_grad():
        again = sparse_values(field, grid)
    assert not again.values.requires_grad
    torch.testing.assert_close(again.values, found.values)


def test_batches_levels_and_sides():
    grid = TetrahedralGrid(8, dtype=F64)
    sizes = []

    def distance(points: Tensor) -> Tensor:
        sizes.append(len(points))
        return points.norm(dim=1)

    whole = grid.surface(grid.nodes.norm(dim=1) - 0.6)
    with torch.no_grad():
        mesh = field_surface(distance, grid, level=0.6, inside="below", batch=100)
    assert max(sizes) <= 100
    assert torch.equal(mesh.faces, whole.faces)
    assert field_surface(distance, grid, level=3.0).num_faces == 0


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_infinite_values(grid):
    def occupied(points: Tensor) -> Tensor:
        inside = points.norm(dim=1) < 0.5
        return torch.where(inside, torch.inf, -torch.inf).to(points)

    mesh = field_surface(occupied, grid, coarsest=4)
    assert mesh.is_closed
    assert 0.4 < mesh.verts.norm(dim=1).min() < mesh.verts.norm(dim=1).max() < 0.6


def test_bad_fields_are_named():
    grid = CubeGrid(4)
    field = nn.Linear(3, 1)
    with torch.no_grad():
        field.weight[0, 1] = torch.nan
    with pytest.raises(InputError, match="weight of Linear"):
        field_surface(field, grid)
    with pytest.raises(ValueError, match="one value a point"):
        field_surface(nn.Linear(3, 1), grid)
    with pytest.raises(ValueError, match="nodes: expected shape"):
        field_surface(Torus(), grid, nodes=grid.nodes[1:])
    with pytest.raises(ValueError, match="batch: expected at least 1"):
        field_surface(Torus(), grid, batch=0)
    with pytest.raises(ValueError, match="NaN"):
        field_surface(lambda points: points[:, 0].log(), grid)
