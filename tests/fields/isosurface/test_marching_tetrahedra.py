import math

import pytest
import torch
from torch import Tensor

from invgraph.errors import InputError
from invgraph.fields.isosurface import CubeGrid, TetrahedralGrid, boundary_nodes, marching_tetrahedra

F64 = torch.float64


def sphere(points: Tensor, radius: float = 0.7) -> Tensor:
    return points.norm(dim=1) - radius


@pytest.mark.parametrize("cells", [(1, 1, 1), (2, 1, 3), (4, 3, 2)])
def test_tetrahedra_fill_the_box(cells):
    grid = TetrahedralGrid(cells, ((-1, 0, 2), (3, 1, 4)), dtype=F64)
    corners = grid.nodes[grid.tetrahedra]
    volumes = torch.linalg.det(corners[:, 1:] - corners[:, :1]) / 6
    assert volumes.min() > 0
    assert float(volumes.sum()) == pytest.approx(8.0)
    assert torch.equal(boundary_nodes(grid.tetrahedra), grid.boundary)
    low, high = grid.bounds
    on_box = ((grid.nodes == low) | (grid.nodes == high)).any(1)
    assert torch.equal(on_box.nonzero()[:, 0], grid.boundary)


@pytest.mark.parametrize("seed", range(5))
def test_the_lattice_gives_what_its_tetrahedra_give(seed):
    grid = TetrahedralGrid((5, 4, 3), dtype=F64)
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(grid.num_nodes, dtype=F64, generator=generator).requires_grad_()
    nodes = grid.nodes + 0.05 * torch.randn(grid.nodes.shape, dtype=F64, generator=generator)
    nodes.requires_grad_()
    found = [grid.surface(values, nodes=nodes), marching_tetrahedra(nodes, grid.tetrahedra, values)]
    assert found[0].num_verts == found[1].num_verts
    assert found[0].num_faces == found[1].num_faces
    grads = [torch.autograd.grad(mesh.verts.sin().sum() + mesh.volume(), [values, nodes]) for mesh in found]
    for a, b in zip(*grads):
        torch.testing.assert_close(a, b)
    ends = grid.crossing_edges(values.detach().index_fill(0, grid.boundary, 1) < 0)
    assert len(ends) == found[0].num_verts


@pytest.mark.parametrize("inside", ["below", "above"])
def test_gradients(inside):
    grid = TetrahedralGrid(2, dtype=F64)
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(grid.num_nodes, dtype=F64, generator=generator)
    values += 0.1 * values.sign()  # away from zero, where the surface jumps
    nodes = grid.nodes + 0.1 * torch.randn(grid.nodes.shape, dtype=F64, generator=generator)

    def verts(values: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
        lattice = grid.surface(values, nodes=nodes, inside=inside)
        listed = marching_tetrahedra(nodes, grid.tetrahedra, values, inside=inside)
        return lattice.verts, listed.verts

    # what a node on the box holds is a constant
    values[grid.boundary] = values[grid.boundary].abs() * (1 if inside == "below" else -1)
    assert torch.autograd.gradcheck(verts, (values.requires_grad_(), nodes.requires_grad_()), fast_mode=True)


def test_sphere_and_torus_converge():
    """Area and volume have errors of second order: a quarter at half the cells' size."""

    def torus(points: Tensor) -> Tensor:
        return torch.hypot(torch.hypot(points[:, 0], points[:, 1]) - 0.6, points[:, 2]) - 0.25

    for field, area, volume in (
        (sphere, 4 * math.pi * 0.7**2, 4 / 3 * math.pi * 0.7**3),
        (torus, 4 * math.pi**2 * 0.6 * 0.25, 2 * math.pi**2 * 0.6 * 0.25**2),
    ):
        errors = []
        for cells in (16, 32):
            grid = TetrahedralGrid(cells, dtype=F64)
            mesh = grid.surface(field(grid.nodes))
            errors.append((abs(float(mesh.area()) / area - 1), abs(float(mesh.volume()) / volume - 1)))
        for coarse, fine in zip(*errors):
            assert fine < 0.01
            assert fine < 0.3 * coarse


def test_refinement_keeps_linear_functions_and_the_surface():
    grid = TetrahedralGrid((3, 4, 2), ((0, 0, 0), (3, 4, 2)), dtype=F64)
    values = sphere(grid.nodes - torch.tensor([1.4, 2.1, 1.0], dtype=F64), 0.8)
    fine, (fine_values, positions) = grid.refined(values, grid.nodes)
    assert fine.cells == (6, 8, 4)
    torch.testing.assert_close(positions, fine.nodes)
    # linear in each tetrahedron, so the surface is the same but for the pyramids on the box
    assert float(fine.surface(fine_values).volume()) == pytest.approx(float(grid.surface(values).volume()))


@pytest.mark.parametrize("make", [TetrahedralGrid, CubeGrid])
def test_values_of_zero_and_of_any_size(make):
    grid = make(4)
    is_inside = grid.nodes.norm(dim=1) < 0.6
    values = torch.where(is_inside, -1.0, 0.0).requires_grad_()
    mesh = grid.surface(values)
    assert mesh.is_closed
    assert mesh.euler_characteristic == 2
    (grad,) = torch.autograd.grad(mesh.verts.square().sum(), values)
    assert grad.isfinite().all()
    usual = grid.surface(torch.where(is_inside, -1.0, 1.0))
    for scale in (1e-15, 1e38, math.inf):
        mesh = grid.surface(torch.where(is_inside, -scale, scale).requires_grad_())
        torch.testing.assert_close(mesh.verts, usual.verts, msg=str(scale))
        assert torch.equal(mesh.faces, usual.faces)
    for inner, outer in ((-1e-44, 1e-44), (-1e-44, math.inf), (-1e38, 1e-44)):
        values = torch.where(is_inside, inner, outer).requires_grad_()
        mesh = grid.surface(values)
        (grad,) = torch.autograd.grad(mesh.verts.square().sum(), values)
        assert mesh.is_closed
        assert mesh.verts.isfinite().all()
        assert grad.isfinite().all()


@pytest.mark.parametrize("make", [TetrahedralGrid, CubeGrid])
def test_no_crossing_is_an_empty_mesh(make):
    grid = make(3)
    values = torch.ones(grid.num_nodes, requires_grad=True)
    mesh = grid.surface(values)
    assert mesh.num_verts == mesh.num_faces == 0
    mesh.verts.sum().backward()
    assert not values.grad.any()


def test_bad_input_is_named():
    grid = TetrahedralGrid(2)
    values = sphere(grid.nodes)
    for arguments, error, words in [
        (dict(values=values.index_fill(0, torch.tensor([3]), math.nan)), ValueError, "NaN at 1 of 35"),
        (dict(values=values[:-1]), ValueError, "values: expected one a node"),
        (dict(values=values.double()), TypeError, "one dtype"),
        (dict(values=values.long()), TypeError, "values: expected a floating-point"),
        (dict(nodes=grid.nodes[:, :2]), ValueError, "nodes: expected shape"),
        (dict(tetrahedra=grid.tetrahedra[:, :3]), ValueError, "tetrahedra: expected shape"),
        (dict(tetrahedra=grid.tetrahedra + 1), ValueError, r"tetrahedra: expected indices in \[0, 35\)"),
        (dict(tetrahedra=grid.tetrahedra.float()), TypeError, "tetrahedra: expected integers"),
        (dict(inside="within"), ValueError, "inside: expected 'below' or 'above'"),
    ]:
        with pytest.raises(error, match=words):
            marching_tetrahedra(**(dict(nodes=grid.nodes, tetrahedra=grid.tetrahedra, values=values) | arguments))
    with pytest.raises(ValueError, match="values: expected one for each of the grid's 35 nodes, got 34"):
        grid.surface(values[:-1], nodes=grid.nodes[:-1])
    for make in (TetrahedralGrid, CubeGrid):
        for resolution in (0, -1, (2, 2), (2, 0, 2), 2.5):
            with pytest.raises(ValueError, match="resolution: expected one or three"):
                make(resolution)
        with pytest.raises(InputError, match="GB"):
            make(20_000)
        with pytest.raises(ValueError, match="bounds: expected two corners"):
            make(2, ((0, 0, 0), (1, 1, 0)))


def test_the_same_bytes_for_the_same_values():
    grid = TetrahedralGrid(12)
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(grid.num_nodes, generator=generator).requires_grad_()
    runs = []
    for _ in range(2):
        mesh = grid.surface(values)
        (grad,) = torch.autograd.grad(mesh.area(), values)
        runs.append((mesh.verts, mesh.faces, grad))
    assert all(torch.equal(a, b) for a, b in zip(*runs))
