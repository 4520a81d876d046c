"""From points or a mesh to a field, and from the field to a mesh."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..geometry import Mesh
from ..geometry.simplify import simplify
from .descend import Progress, descend
from .extract import check_resolution, extract_mesh
from .field import Field
from .fit_samples import fit_samples
from .grid import GridField
from .occupancy_network import OccupancyDecoder
from .points_cloud import PointCloud
from .points_options import FitPointsOptions
from .points_poisson import pieces_near
from .points_surface import Surface
from .siren import Siren, siren_loss

_SAMPLES = 200_000  # of space, that fields are trained on
_TRAINING = {"grid": (300, 8192, 1e-2), "siren": (1000, 2000, 5e-4), "occupancy": (1500, 4096, 2e-3)}
"""Steps, points a step (of a SIREN so many of the surface, and of space), and step size."""


@dataclass(frozen=True)
class PointsFit:
    """A field fitted to points or to a mesh, and its surface.

    Attributes:
        mesh: the surface, closed, in the frame and units of what was fitted.
        field: in its canonical frame: ``field((x - center) / scale)`` at points x; distances times ``scale``.
        center: (3,) float64.
        scale: the units of what was fitted in one of the field's.
        noise: of the cloud's points about the surface as a fraction of the longest side; 0 for a mesh.
        losses: of every step.
        seconds: wall-clock time by stage, since the call.
        interrupted: Ctrl-C came before the last step.
    """

    mesh: Mesh
    field: Field
    center: Tensor
    scale: float
    noise: float
    losses: list[float]
    seconds: dict[str, float]
    interrupted: bool


def fit_points(
    shape: PointCloud | Mesh,
    options: FitPointsOptions = FitPointsOptions(),  # noqa: B008 - frozen
    *,
    progress: Progress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> PointsFit:
    """Fit a field to points of a surface, or to a mesh, and extract its surface.

    Points without normals get them from the points around them. A closed surface is then found through all points by
    screened Poisson reconstruction, which settles what is inside, fills holes and averages noise away; a mesh is its
    own, and may be open, intersect itself or be turned inside out: inside is what it winds around. The feature grid and
    the Occupancy Network learn distances and occupancies at points of space from that surface. A SIREN learns from the
    points and normals by its own objective (:func:`siren_loss`), and takes from the surface only on which side points
    of space lie; if the points are noisy it learns from points of the surface instead.

    The first Ctrl-C ends the fit after the step under way, and the mesh is extracted from the field as it is then.

    Args:
        shape: points, which need no normals, or a mesh; in any frame and unit.
        options: see :class:`FitPointsOptions`.
        progress: called after each step, see :class:`invgraph.progress.Bar`.
        checkpoint: file that holds the state of the training, rewritten every now and then and at the end.
        resume: go on from ``checkpoint``, with the same shape and options; the result is that of a fit that was never
            interrupted.

    Raises:
        InputError: what was given bounds no volume, has no normals where they were asked for, or the checkpoint is of
            another fit.
        ArithmeticError: the loss became NaN or infinite.
    """
    check_resolution(options.resolution)  # before the training, not after it
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    surface = Surface.of(shape, options)
    began = _lap(seconds, "surface", began)
    watched: dict[str, Any] = {"progress": progress, "checkpoint": checkpoint, "resume": resume}
    train = _fit_siren if options.field == "siren" else _fit_to_space
    field, losses, steps = train(surface, options, watched)
    began = _lap(seconds, "field", began)
    halvings = 2
    while options.resolution >> halvings > 64 and options.resolution % (2 << halvings) == 0:
        halvings += 1
    mesh = extract_mesh(field, resolution=options.resolution >> halvings, subdivisions=halvings).mesh
    mesh = pieces_near(mesh, surface.points)
    world = Mesh((surface.center + surface.scale * mesh.verts.double()).float(), mesh.faces)
    if options.faces is not None:
        world = simplify(world, options.faces)
    _lap(seconds, "mesh", began)
    return PointsFit(
        mesh=world,
        field=field,
        center=surface.center,
        scale=surface.scale,
        noise=surface.noise,
        losses=losses,
        seconds=seconds,
        interrupted=len(losses) < steps,
    )


def _lap(seconds: dict[str, float], name: str, began: float) -> float:
    now = time.perf_counter()
    seconds[name] = now - began
    return now


def _fit_to_space(
    surface: Surface, options: FitPointsOptions, watched: dict[str, Any]
) -> tuple[Field, list[float], int]:
    """A field of distances or occupancies at points of space."""
    generator = torch.Generator().manual_seed(options.seed)
    points = surface.space(_SAMPLES, generator)
    field: Field
    if options.field == "grid":
        field = GridField("sdf", generator=generator)
        values = surface.distances(points)
    else:
        with torch.random.fork_rng(devices=()):  # torch's layers draw their weights from the global generator
            torch.manual_seed(options.seed)
            field = OccupancyDecoder(hidden=128, norm=None)
        values = surface.occupied(points)
    steps, batch, rate = _TRAINING[options.field]
    steps = max(1, round(steps * options.effort))
    history = fit_samples(
        field,
        points,
        values,
        steps=steps,
        batch=batch,
        learning_rate=rate,
        seed=options.seed % 2**31,
        **watched,
    )
    return field, history.get("loss", []), steps


def _fit_siren(surface: Surface, options: FitPointsOptions, watched: dict[str, Any]) -> tuple[Field, list[float], int]:
    """A signed distance from oriented points, by the objective of its authors and the side of points of space."""
    generator = torch.Generator().manual_seed(options.seed)
    field = Siren(hidden=128, generator=generator)
    space = torch.rand((_SAMPLES, 3), generator=generator) * 2 - 1
    inside = surface.occupied(space)
    steps, batch, rate = _TRAINING["siren"]
    steps = max(1, round(steps * options.effort))

    def loss() -> dict[str, Tensor]:
        on = torch.randint(len(surface.points), (batch,), generator=generator)
        off = torch.randint(len(space), (batch,), generator=generator)
        return siren_loss(field, surface.points[on], surface.normals[on], space[off], inside[off])

    optimizer = torch.optim.Adam(field.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=0.01 * rate)
    history = descend(field, loss, optimizer, steps=steps, generator=generator, schedule=schedule, **watched)
    field.eval()
    return field, history.get("loss", []), steps
