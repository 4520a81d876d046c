"""Fields fitted to 100,000 occupancies of an object, and what voxels make of the same object."""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from benchmarks.measure import header, machine, medians_ms, ms, row
from invgraph.data.shapes import SampleOptions, sample_shape, unit_cube, voxelize
from invgraph.fields import Field, GridField, OccupancyDecoder, extract_mesh, field_iou, fit_samples
from invgraph.fields.lattice import Lattice
from invgraph.geometry import Mesh, load_mesh
from invgraph.metrics import evaluate, occupancy_iou, volume_iou
from invgraph.ops import winding_number
from invgraph.viz import save_chart

OBJECTS = ("spot", "bob")
SAMPLES = {
    "half uniform, half near the surface": SampleOptions(
        points=50_000, near=50_000, sigmas=(0.005,), cloud=0, voxels=0
    ),
    "uniform": SampleOptions(points=100_000, near=0, cloud=0, voxels=0),
}
MIXED, UNIFORM = SAMPLES
RESOLUTIONS = (16, 24, 32, 48, 64, 96, 128)
_BOUNDS = ((-0.55,) * 3, (0.55,) * 3)  # the unit cube with the padding of the Occupancy Networks paper


@dataclass(frozen=True)
class Fitted:
    """A field of an object in its unit cube, and how long the fit took."""

    field: Field
    seconds: float


def grid(arguments: argparse.Namespace) -> None:
    """A grid field with its default options: IoU of its mesh at 128^3 cells with the true mesh, in the mesh's frame."""
    _table(arguments, _fit_grid, SAMPLES)


def decoder(arguments: argparse.Namespace) -> None:
    """The decoder of Occupancy Networks, hidden 256, five blocks, without a code."""
    _table(arguments, _fit_decoder, (MIXED,))


def _table(arguments: argparse.Namespace, fit: Callable[[Path, str], Fitted], samples: Iterable[str]) -> None:
    print(machine() + "\n")
    header("object", "samples", "IoU", "Chamfer-L1", "normal cons.", "parameters", "fit s", "mesh s")
    for name in OBJECTS:
        path = arguments.data / name / "views24/gt.ply"
        truth = load_mesh(path)
        _, loc, scale = unit_cube(truth)
        for kind in samples:
            fitted = fit(path, kind)
            start = time.perf_counter()
            mesh = extract_mesh(fitted.field).mesh
            seconds = time.perf_counter() - start
            world = Mesh((scale * mesh.verts.double() + loc).float(), mesh.faces)
            scores = evaluate(world, truth)
            row(
                name,
                kind,
                f"{volume_iou(world, truth, points=1_000_000):.4f}",
                f"{scores['chamfer_l1_of_radius']:.4f}",
                f"{scores['normal_consistency']:.4f}",
                f"{_parameters(fitted.field):,}",
                f"{fitted.seconds:.1f}",
                f"{seconds:.2f}",
            )


@functools.cache
def _fit_grid(path: Path, kind: str) -> Fitted:
    points, occupied = _samples(path, kind)
    start = time.perf_counter()
    field = GridField("occupancy", bounds=_BOUNDS, generator=torch.Generator().manual_seed(0))
    fit_samples(field, points, occupied)
    return Fitted(field, time.perf_counter() - start)


@functools.cache
def _fit_decoder(path: Path, kind: str) -> Fitted:
    points, occupied = _samples(path, kind)
    torch.manual_seed(0)
    start = time.perf_counter()
    field = OccupancyDecoder(norm=None, bounds=_BOUNDS)
    fit_samples(field, points, occupied, steps=2000, batch=1024, learning_rate=1e-3)
    return Fitted(field, time.perf_counter() - start)


def _samples(path: Path, kind: str) -> tuple[Tensor, Tensor]:
    drawn = sample_shape(load_mesh(path), SAMPLES[kind], seed=0)
    parts = [part for part in (drawn.points, drawn.near) if part is not None]
    return torch.cat([part.points for part in parts]), torch.cat([part.occupancies for part in parts])


def voxels(arguments: argparse.Namespace) -> None:
    """IoU with the object at a million uniform points of the padded unit cube; draws docs/fields/voxels.svg."""
    header("object", *(f"{r}^3" for r in RESOLUTIONS), "grid field", "decoder")
    curves: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {}
    for name in OBJECTS:
        path = arguments.data / name / "views24/gt.ply"
        unit, _, _ = unit_cube(load_mesh(path))
        points = 1.1 * (torch.rand((1_000_000, 3), generator=torch.Generator().manual_seed(1)) - 0.5)
        inside = winding_number(points, unit.verts, unit.faces).abs() > 0.5
        by_center, crossed = (
            [float(occupancy_iou(_filled(fill(unit, r), points), inside)) for r in RESOLUTIONS]
            for fill in (_by_center, voxelize)
        )
        lines = [field_iou(fit(path, MIXED).field, points, inside) for fit in (_fit_grid, _fit_decoder)]
        row(f"{name}, voxels by their centre", *(f"{x:.4f}" for x in (*by_center, *lines)))
        row(f"{name}, voxels that it touches", *(f"{x:.4f}" for x in crossed), "", "")
        curves[f"{name}, voxels"] = (RESOLUTIONS, tuple(by_center))
        curves[f"{name}, grid"] = ((RESOLUTIONS[0], RESOLUTIONS[-1]), (lines[0], lines[0]))
        curves[f"{name}, decoder"] = ((RESOLUTIONS[0], RESOLUTIONS[-1]), (lines[1], lines[1]))
    folder = Path(__file__).parents[1] / "docs" / "fields"
    save_chart(folder / "voxels.svg", curves, title="IoU with the true solid against voxels along an axis", log=False)


def _by_center(unit: Mesh, resolution: int) -> Tensor:
    axis = (torch.arange(resolution) + 0.5) / resolution - 0.5
    centers = torch.cartesian_prod(axis, axis, axis)
    inside = winding_number(centers, unit.verts, unit.faces).abs() > 0.5
    return inside.reshape(resolution, resolution, resolution)


def _filled(voxels: Tensor, points: Tensor) -> Tensor:
    """(P,) which points lie in filled voxels of the unit cube."""
    cell = ((points + 0.5) * len(voxels)).floor().long()
    x, y, z = cell.clamp(0, len(voxels) - 1).unbind(1)
    return voxels[x, y, z] & (points.abs() <= 0.5).all(1)


def _parameters(field: Field) -> int:
    return sum(parameter.numel() for parameter in field.parameters())


def lookup(arguments: argparse.Namespace) -> None:
    """Features of three levels (8, 16, 32; 4 numbers a node) at 16,384 points, forward and with gradients."""
    print(machine("scipy") + "\n")
    lattice = Lattice([(n, n, n) for n in (8, 16, 32)], 4, generator=torch.Generator().manual_seed(0))
    points = torch.rand((16384, 3), generator=torch.Generator().manual_seed(1))
    grids, start = [], 0
    for n in (9, 17, 33):
        part = lattice.table.detach()[start : start + n**3].view(n, n, n, 4)
        grids.append(part.permute(3, 2, 1, 0)[None].contiguous().requires_grad_())
        start += n**3

    def ours(points: Tensor) -> Tensor:
        return lattice(points)

    def by_grid_sample(points: Tensor) -> Tensor:
        where = (2 * points - 1).view(1, 1, 1, -1, 3)
        return torch.cat([grid_sample(g, where, align_corners=True).view(4, -1).T for g in grids], 1)

    def by_index(points: Tensor) -> Tensor:
        parts = []
        for n, grid in zip((8, 16, 32), grids):
            table = grid[0].permute(3, 2, 1, 0).reshape(-1, 4)
            x = points * n
            low = x.detach().long().clamp(0, n - 1)
            corner = torch.cartesian_prod(*[torch.arange(2)] * 3)
            at = low[:, None] + corner
            weight = (1 - (x[:, None] - at).abs()).prod(-1, keepdim=True)
            parts.append((table[(at[..., 0] * (n + 1) + at[..., 1]) * (n + 1) + at[..., 2]] * weight).sum(1))
        return torch.cat(parts, 1)

    def forward_and_back(function: Callable[[Tensor], Tensor], x: Tensor) -> None:
        function(x).sum().backward()

    header("look-up", "forward ms", "with gradients to features ms", "and to points ms", "second derivatives")
    for name, function in (("GridField", ours), ("grid_sample", by_grid_sample), ("indexing", by_index)):
        assert torch.allclose(function(points), ours(points), atol=1e-6)
        moving = points.clone().requires_grad_()
        times = medians_ms(
            functools.partial(function, points),
            functools.partial(forward_and_back, function, points),
            functools.partial(forward_and_back, function, moving),
            repeats=arguments.repeats,
        )
        row(name, *(ms(t) for t in times), "no" if name == "grid_sample" else "yes")
