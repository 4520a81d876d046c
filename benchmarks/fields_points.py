"""Points of an object to a field and back to its surface."""

from __future__ import annotations

import argparse

import torch

from benchmarks.measure import header, machine, row
from invgraph.fields import FitPointsOptions, PointCloud, fit_points
from invgraph.geometry import Mesh, load_mesh, sample_surface
from invgraph.metrics import evaluate

OBJECTS = ("spot", "bob")


def points_siren(arguments: argparse.Namespace) -> None:
    """100,000 oriented points through a SIREN."""
    _table(arguments, 100_000, (0.0,), True, ("siren",))


def points_noisy(arguments: argparse.Namespace) -> None:
    """10,000 points without normals, moved by Gaussian noise of 0, 1 and 2% of the longest side."""
    _table(arguments, 10_000, (0.0, 0.01, 0.02), False, ("grid",))


def points_fields(arguments: argparse.Namespace) -> None:
    """The same with 1% of noise, through the other fields."""
    _table(arguments, 10_000, (0.01,), False, ("siren", "occupancy"))


def _table(
    arguments: argparse.Namespace, count: int, noises: tuple[float, ...], oriented: bool, fields: tuple[str, ...]
) -> None:
    print(machine() + "\n")
    header("object", "field", "noise", "IoU", "normal cons.", "Chamfer-L1", "Euler", "surface s", "field s", "mesh s")
    for name in OBJECTS:
        truth = load_mesh(arguments.data / name / "views24/gt.ply")
        for noise in noises:
            cloud = _cloud(truth, count, noise, oriented)
            for field in fields:
                result = fit_points(cloud, FitPointsOptions(field=field))  # type: ignore[arg-type]
                scores = evaluate(result.mesh, truth)
                row(
                    name,
                    field,
                    f"{noise:.0%}",
                    f"{scores['volume_iou']:.4f}",
                    f"{scores['normal_consistency']:.4f}",
                    f"{scores['chamfer_l1']:.4f}",
                    result.mesh.euler_characteristic,
                    *(f"{result.seconds[part]:.1f}" for part in ("surface", "field", "mesh")),
                )


def _cloud(truth: Mesh, count: int, noise: float, oriented: bool) -> PointCloud:
    generator = torch.Generator().manual_seed(0)
    points, normals, _ = sample_surface(truth, count, generator)
    low, high = truth.bounding_box()
    points = points + noise * float((high - low).max()) * torch.randn(points.shape, generator=generator)
    return PointCloud(points, normals if oriented else None)
