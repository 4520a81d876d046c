"""Meshes of fields: how much of a grid is asked, and what refinement and simplification leave."""

from __future__ import annotations

import argparse
import time

import torch

from benchmarks.measure import header, machine, row
from invgraph.fields import Field, GridField, extract_mesh, field_normals, fit_samples, refine_mesh
from invgraph.geometry import Mesh, load_mesh, sample_surface, simplify
from invgraph.metrics import evaluate
from invgraph.ops import winding_number


def mise(arguments: argparse.Namespace) -> None:
    """Multi-resolution extraction against asking all nodes: evaluations, seconds, and whether the mesh is the same.

    Fields: a grid fitted to 100,000 occupancies of each object, and the object's exact winding number.
    """
    print(machine("scikit-image") + "\n")
    header("field", "cells", "asked", "of all nodes", "seconds", "all nodes, seconds", "same mesh", "faces", "Euler")
    for name in ("spot", "bob"):
        truth = load_mesh(arguments.data / name / "views24/gt.ply")
        fitted = _fitted(truth)
        extract_mesh(fitted, subdivisions=0)  # imports what it needs

        def wound(points: torch.Tensor, truth: Mesh = truth) -> torch.Tensor:
            return winding_number(points, truth.verts, truth.faces)

        for kind, field, level in (("grid", fitted, 0.0), ("winding number", wound, 0.5)):
            for subdivisions in (2, 3):
                cells = 32 << subdivisions
                start = time.perf_counter()
                found = extract_mesh(field, bounds=fitted.bounds, level=level, subdivisions=subdivisions)
                middle = time.perf_counter()
                whole = extract_mesh(field, bounds=fitted.bounds, level=level, resolution=cells, subdivisions=0)
                end = time.perf_counter()
                same = torch.equal(found.mesh.verts, whole.mesh.verts) and torch.equal(
                    found.mesh.faces, whole.mesh.faces
                )
                row(
                    f"{name}, {kind}",
                    f"{cells}^3",
                    f"{found.evaluations:,}",
                    f"1/{found.nodes / found.evaluations:.1f}",
                    f"{middle - start:.2f}",
                    f"{end - middle:.1f}",
                    "yes" if same else "no",
                    f"{found.mesh.num_faces:,}",
                    found.mesh.euler_characteristic,
                )


def refined(arguments: argparse.Namespace) -> None:
    """Meshes of grid fields of 64^3 cells, refined and simplified: how far from the field and the truth."""
    header(
        "mesh",
        "faces",
        "seconds",
        "distance to the field's surface",
        "to its normals",
        "Chamfer-L1",
        "normals",
        "Euler",
    )
    for name in ("spot", "bob"):
        truth = load_mesh(arguments.data / name / "views24/gt.ply")
        field = _fitted(truth)
        mesh = extract_mesh(field, subdivisions=1).mesh
        for label, step in (
            ("as extracted", lambda mesh: mesh),
            ("refined", lambda mesh, field=field: refine_mesh(field, mesh)),
            ("and simplified", lambda mesh: simplify(mesh, 5000)),
            ("and refined again", lambda mesh, field=field: refine_mesh(field, mesh)),
        ):
            start = time.perf_counter()
            mesh = step(mesh)
            seconds = time.perf_counter() - start
            distance, angle = _beside(field, mesh)
            scores = evaluate(mesh, truth)
            row(
                f"{name} {label}",
                f"{mesh.num_faces:,}",
                f"{seconds:.2f}",
                f"{distance:.1e}",
                f"{angle:.1f} degrees",
                f"{scores['chamfer_l1_of_radius']:.4f}",
                f"{scores['normal_consistency']:.4f}",
                mesh.euler_characteristic,
            )


def _fitted(truth: Mesh) -> GridField:
    """A grid field of a mesh from 100,000 occupancies, half of them near its surface."""
    generator = torch.Generator().manual_seed(0)
    low, high = truth.bounding_box()
    reach = 0.55 * (high - low).amax()
    bounds = torch.stack([(low + high) / 2 - reach, (low + high) / 2 + reach])
    uniform = bounds[0] + 2 * reach * torch.rand((50_000, 3), generator=generator)
    near, _, _ = sample_surface(truth, 50_000, generator)
    near = near + 0.02 * reach * torch.randn(near.shape, generator=generator)
    points = torch.cat([uniform, near])
    occupied = (winding_number(points, truth.verts, truth.faces) > 0.5).float()
    field = GridField("occupancy", bounds=bounds, generator=generator)
    fit_samples(field, points, occupied)
    return field


def _beside(field: Field, mesh: Mesh) -> tuple[float, float]:
    """Root mean square distance from the field's surface (to first order), and mean angle between the normals."""
    points, normals, _ = sample_surface(mesh, 50_000, 0)
    with torch.enable_grad():
        at = points.clone().requires_grad_()
        values = field(at)
        (slope,) = torch.autograd.grad(values.sum(), at)
    distance = values.detach().abs() / slope.norm(dim=1)
    cosine = (field_normals(field, points) * normals).sum(1).clamp(-1, 1)
    return float(distance.square().mean().sqrt()), float(cosine.acos().rad2deg().mean())
