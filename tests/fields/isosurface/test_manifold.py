"""Whatever the values: the surface is closed, manifold, and has every node on its right side."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from invgraph.fields.isosurface import CubeGrid, TetrahedralGrid, flexicubes, marching_tetrahedra
from invgraph.geometry import Mesh
from invgraph.geometry.repair import pinched_verts

F64 = torch.float64


def by_lattice(grid: TetrahedralGrid, values: Tensor) -> Mesh:
    return grid.surface(values)


def by_tetrahedra(grid: TetrahedralGrid, values: Tensor) -> Mesh:
    return marching_tetrahedra(grid.nodes, grid.tetrahedra, values)


def by_cubes(grid: CubeGrid, values: Tensor) -> Mesh:
    return grid.surface(values)


def by_weighted_cubes(grid: CubeGrid, values: Tensor) -> Mesh:
    cells = math.prod(grid.cells)
    generator = torch.Generator().manual_seed(cells)
    weights = {
        name: 1 + 0.99 * torch.tanh(3 * torch.randn(cells, *columns, generator=generator, dtype=F64))
        for name, columns in (("alpha", (8,)), ("beta", (12,)), ("gamma", ()))
    }
    return flexicubes(grid.nodes, grid.cells, values, **weights, training=True).mesh


METHODS = {
    "lattice": (TetrahedralGrid, by_lattice),
    "tetrahedra": (TetrahedralGrid, by_tetrahedra),
    "cubes": (CubeGrid, by_cubes),
    "weighted cubes": (CubeGrid, by_weighted_cubes),
}


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40, deadline=None)
@given(
    cells=st.tuples(*[st.integers(1, 6)] * 3),
    seed=st.integers(0, 2**32),
    offset=st.sampled_from([-1.0, -0.4, 0.0, 0.4, 1.0]),
    kind=st.sampled_from(["random", "zeros", "huge", "signs"]),
)
def test_random_values_make_a_closed_manifold(method, cells, seed, offset, kind):
    grid_type, surface = METHODS[method]
    grid = grid_type(cells, dtype=F64)
    values = offset + torch.randn(grid.num_nodes, generator=torch.Generator().manual_seed(seed), dtype=F64)
    if kind == "zeros":
        values[::3] = 0
    elif kind == "huge":
        values = values.sign() * 10 ** (300 * values)
        values[::5] = math.inf
    elif kind == "signs":
        values = values.sign()
    mesh = surface(grid, values)
    is_inside = values < 0
    is_inside[grid.boundary] = False
    assert (mesh.num_faces > 0) == bool(is_inside.any())
    if not mesh.num_faces:
        return
    assert mesh.is_closed
    assert not pinched_verts(mesh).any()
    assert mesh.verts.isfinite().all()
    assert mesh.topology.degrees.min() >= 3
    assert mesh.euler_characteristic % 2 == 0
    if kind in ("random", "signs"):  # elsewhere the surface may pass through a node
        torch.testing.assert_close(winding_number(grid.nodes, mesh), is_inside.to(F64), atol=1e-3, rtol=0)
    if grid_type is TetrahedralGrid:
        assert mesh.euler_characteristic == 2 * solid_euler_characteristic(grid.tetrahedra, is_inside)


def winding_number(points: Tensor, mesh: Mesh) -> Tensor:
    """(P,) in float64, as random values may be near zero (van Oosterom and Strackee 1983)."""
    a, b, c = (mesh.triangles() - points[:, None, None]).unbind(2)
    x, y, z = a.norm(dim=-1), b.norm(dim=-1), c.norm(dim=-1)
    det = (a * torch.linalg.cross(b, c)).sum(-1)
    rest = x * y * z + (a * b).sum(-1) * z + (b * c).sum(-1) * x + (c * a).sum(-1) * y
    return torch.atan2(det, rest).sum(1) / (2 * math.pi)


def solid_euler_characteristic(tetrahedra: Tensor, inside: Tensor) -> int:
    """Of the nodes that are inside, and the edges, triangles and tetrahedra between them.

    The solid inside of the surface shrinks to these, and a surface has twice the characteristic of its solid.
    """
    whole = torch.combinations(torch.arange(4), 1)
    total = int(inside.sum())
    for size, sign in ((2, -1), (3, 1), (4, -1)):
        whole = torch.combinations(torch.arange(4), size)
        simplices = tetrahedra[:, whole].reshape(-1, size).sort(1).values.unique(dim=0)
        total += sign * int(inside[simplices].all(1).sum())
    return total


@pytest.mark.parametrize("method", METHODS)
def test_topology_of_a_smooth_field(method):
    """A torus, a ball and a hollow ball: Euler characteristics 0 + 2 + 4, and four pieces of surface."""
    grid_type, surface = METHODS[method]
    grid = grid_type((36, 12, 12), ((-3, -1, -1), (3, 1, 1)), dtype=F64)
    x, y, z = grid.nodes.unbind(1)
    torus = torch.hypot(torch.hypot(x + 2, y) - 0.6, z) - 0.3
    ball = torch.stack([x, y, z]).norm(dim=0) - 0.7
    shell = (torch.stack([x - 2, y, z]).norm(dim=0) - 0.6).abs() - 0.25
    mesh = surface(grid, torch.stack([torus, ball, shell]).amin(0))
    assert mesh.is_closed
    assert mesh.euler_characteristic == 6
    assert int(mesh.topology.components().max()) == 3
    assert mesh.volume() > 0


@pytest.mark.parametrize("method", METHODS)
def test_the_surface_closes_at_the_box(method):
    grid_type, surface = METHODS[method]
    grid = grid_type(8, dtype=F64)
    for values in (torch.full((grid.num_nodes,), -1.0, dtype=F64), grid.nodes[:, 0] - 0.1):
        mesh = surface(grid, values)
        assert mesh.is_closed
        assert mesh.euler_characteristic == 2
        assert mesh.verts.abs().max() <= 1
        assert mesh.volume() > 0.6 * 8 * (values < 0).double().mean()
