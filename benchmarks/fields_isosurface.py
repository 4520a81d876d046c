"""Differentiable isosurfaces: what they cost, and where silhouettes through them settle."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

from benchmarks.measure import header, machine, medians_ms, ms, row
from invgraph.cameras import Cameras
from invgraph.fields import Torus
from invgraph.fields.isosurface import CubeGrid, TetrahedralGrid, flexicubes, marching_tetrahedra, sparse_values
from invgraph.geometry import Mesh, icosphere
from invgraph.render import render

SIZE, FINER, RADIUS, DISTANCE = 256, 8, 0.7, 4.0
CENTER = (0.013, -0.021, 0.017)


def isosurface_time(arguments: argparse.Namespace) -> None:
    """Milliseconds of a torus through isosurfaces of 64^3 nodes, float32, with gradients to values (and weights)."""
    print(machine() + "\n")
    header("isosurface", "nodes", "faces", "forward ms", "forward and backward ms")
    lattice, cubes = TetrahedralGrid(50), CubeGrid(63)
    listed = lattice.tetrahedra
    weights = {
        name: torch.ones(63**3, *columns, requires_grad=True)
        for name, columns in (("alpha", (8,)), ("beta", (12,)), ("gamma", ()))
    }
    cases: dict[str, tuple[TetrahedralGrid | CubeGrid, Callable[[Tensor], Mesh]]] = {
        "TetrahedralGrid.surface": (lattice, lattice.surface),
        "marching_tetrahedra, 1.5 million listed": (lattice, lambda v: marching_tetrahedra(lattice.nodes, listed, v)),
        "flexicubes": (cubes, cubes.surface),
        "flexicubes, weights, training": (
            cubes,
            lambda v: flexicubes(cubes.nodes, 63, v, **weights, training=True).mesh,  # type: ignore[arg-type]
        ),
    }
    for name, (grid, surface) in cases.items():
        values = Torus(0.6, 0.25)(grid.nodes).requires_grad_()
        mesh = surface(values)
        forward, both = medians_ms(
            lambda surface=surface, values=values: surface(values),  # type: ignore[misc]
            lambda surface=surface, values=values: surface(values).verts.sum().backward(),  # type: ignore[misc]
            repeats=arguments.repeats,
        )
        row(name, f"{grid.num_nodes:,}", f"{mesh.num_faces:,}", ms(forward), ms(both))


def isosurface_sparse(arguments: argparse.Namespace) -> None:
    """How much of a grid :func:`sparse_values` asks at, for a torus."""
    header("grid", "nodes", "asked without gradients", "with gradients")
    for grid in (TetrahedralGrid(64), CubeGrid(64), TetrahedralGrid(128), CubeGrid(128)):
        field = Torus(0.6, 0.25)
        asked = sparse_values(field, grid)
        ends = grid.crossing_edges(asked.values.detach() < 0).unique().numel()
        share = (f"{100 * count / grid.num_nodes:.1f}%" for count in (asked.evaluations, ends))
        row(f"{type(grid).__name__} {grid.cells[0]}", f"{grid.num_nodes:,}", *share)


def isosurface_silhouette(arguments: argparse.Namespace) -> None:
    """The gradient of a silhouette loss against finite differences, and the optimal radius of a sphere, in pixels.

    Signed distances of a sphere on the grid's nodes, 256 x 256 pixels, squared error against supersampled coverage.
    """
    header("isosurface", "mode", "relative error of the gradient", "optimum beside the true radius, pixels")
    center = torch.tensor(CENTER, dtype=torch.float64)
    ball = icosphere(7).to(dtype=torch.float64)
    fine = render(ball.with_verts(ball.verts * RADIUS + center), _camera(SIZE * FINER), mode="hard").alpha
    target, camera = F.avg_pool2d(fine, FINER), _camera(SIZE)
    for grid in (TetrahedralGrid(50, dtype=torch.float64), CubeGrid(63, dtype=torch.float64)):
        distance = (grid.nodes - center).norm(dim=1)
        for mode in ("antialias", "outline"):

            def loss(values: Tensor, grid=grid, mode=mode) -> Tensor:
                return (render(grid.surface(values), camera, mode=mode).alpha - target).square().sum()

            def error(r: float, loss=loss, distance=distance) -> float:
                return float(loss(distance - r))

            best = minimize_scalar(
                error, bounds=(RADIUS - 0.02, RADIUS + 0.02), method="bounded", options={"xatol": 1e-5}
            )
            pixels = (best.x - RADIUS) * float(camera.K[0, 0, 0]) / DISTANCE
            row(type(grid).__name__, mode, f"{_gradient_error(loss, distance - 0.6):.1e}", f"{pixels:+.4f}")


def _gradient_error(loss: Callable[[Tensor], Tensor], values: Tensor) -> float:
    """Of the slope in a random direction, against central differences."""
    generator = torch.Generator().manual_seed(0)
    start = values + 0.003 * torch.randn(values.shape, dtype=values.dtype, generator=generator)
    direction = 0.01 * torch.randn(values.shape, dtype=values.dtype, generator=generator)
    leaf = start.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf), leaf)
    slope, step = float((gradient * direction).sum()), 1e-6
    difference = float(loss(start + step * direction) - loss(start - step * direction)) / (2 * step)
    return abs(slope / difference - 1)


def _camera(size: int) -> Cameras:
    # slanted, so that no outline runs along the pixels
    eye = F.normalize(torch.tensor([0.5, 0.62, -1.0], dtype=torch.float64), dim=0) * DISTANCE
    return Cameras.look_at(eye[None], [0.003, 0.007, 0.002], [0.1, 1, 0], 40, (size, size))
