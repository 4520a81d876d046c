"""Data sets of shapes: what sampling, closing and reading cost."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.measure import header, machine, row
from invgraph.data import (
    PackedShapes,
    SampleOptions,
    ShapeFolder,
    pack_shapes,
    sample_meshes,
    sample_shape,
    save_samples,
    watertight_mesh,
)
from invgraph.geometry import icosphere, load_mesh, save_mesh
from invgraph.metrics import volume_iou

DEMO = "assets/demo/truth.ply"


def shape_sampling(arguments: argparse.Namespace) -> None:
    """Seconds of processor time a mesh on one core, and models a minute on all: 2 x 100,000 points, cloud, voxels."""
    print(machine() + "\n")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    header("work", "faces", "processor s", "volume IoU with the mesh")
    demo = load_mesh(DEMO)
    for mesh in (demo, icosphere(7)):
        with tempfile.TemporaryDirectory() as folder:
            seconds = _processor(lambda mesh=mesh, to=folder: save_samples(to, sample_shape(mesh)))  # type: ignore[misc]
        row("sampled and written", f"{mesh.num_faces:,}", f"{seconds:.2f}", "")
    for resolution in (128, 256):
        seconds = _processor(lambda n=resolution: watertight_mesh(demo, resolution=n), 1)  # type: ignore[misc]
        iou = volume_iou(watertight_mesh(demo, resolution=resolution), demo)
        row(f"closed on {resolution}^3", f"{demo.num_faces:,}", f"{seconds:.1f}", f"{iou:.3f}")
    torch.set_num_threads(threads)
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        save_mesh(Path(folder) / "a.ply", demo)
        report = sample_meshes({f"m{i}": Path(folder) / "a.ply" for i in range(40)}, folder, workers=cores)
    print(f"\n{cores} processes, their start included: {60 * len(report.done) / report.seconds:.0f} models a minute")


def shape_reading(arguments: argparse.Namespace) -> None:
    """Samples a second of processor time on one core, files in memory: 2,048 points of 100,000, or 300 of a cloud."""
    print(machine() + "\n")
    header("reader", "2,048 points", "300 of a cloud")
    generator, cloud = torch.Generator().manual_seed(0), SampleOptions(near=0, voxels=0)
    with tempfile.TemporaryDirectory() as folder:
        for i in range(20):
            save_samples(Path(folder) / f"m{i}", sample_shape(icosphere(2), cloud, seed=i))
        shapes = ShapeFolder(folder)
        pack_shapes(shapes, Path(folder) / "all.h5")
        packed = PackedShapes(Path(folder) / "all.h5")

        def chosen(points: torch.Tensor, n: int) -> torch.Tensor:
            return points[torch.randperm(len(points), generator=generator)[:n]]

        from_files = [
            _processor(lambda: [chosen(shapes.points(i).points, 2048) for i in range(20)]),
            _processor(lambda: [chosen(shapes.cloud(i).points, 300) for i in range(20)]),
        ]
        from_pack = [
            _processor(lambda: [packed.points(i, 2048, generator=generator) for i in range(20)], 50),
            _processor(lambda: [packed.cloud(i, 300, generator=generator) for i in range(20)], 50),
        ]
    for name, seconds in (("ShapeFolder", from_files), ("PackedShapes", from_pack)):
        row(name, *(f"{20 / s:,.0f}" for s in seconds))


def _processor(step: Callable[[], object], repeats: int = 3) -> float:
    """Processor seconds of one call, the mean of several after a first: other work on the machine does not count."""
    step()
    start = time.process_time()
    for _ in range(repeats):
        step()
    return (time.process_time() - start) / repeats
