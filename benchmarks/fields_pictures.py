"""Data sets of many shapes in pictures: made, and read at random as training does."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.measure import header, machine, row
from invgraph.data import (
    SYNSETS,
    ChoyShapes,
    DvrShapes,
    MadeOptions,
    NmrShapes,
    make_shape,
    make_shapes,
    nmr_pictures,
    nmr_voxels,
)
from invgraph.data.shapes import SampleOptions, sample_shape

BATCH = 64


def made_shapes(arguments: argparse.Namespace) -> None:
    """Processor milliseconds of a made shape on one core, with the first 40 of each class, and by what they go."""
    torch.set_num_threads(1)
    print(machine("manifold3d") + "\n")
    header("class", "faces", "solids ms", "24 views ms", "voxels ms", "10,000 points ms", "a second")
    wanted = SampleOptions(points=10_000, near=0, cloud=0, voxels=0)
    make_shape("chair", 0)
    total = []
    for name in SYNSETS:
        faces, spent = 0, np.zeros(4)
        for index in range(40):
            clock = [time.process_time()]
            mesh = make_shape(name, index)
            for step in (nmr_pictures, nmr_voxels, lambda m: sample_shape(m, wanted)):
                clock.append(time.process_time())
                step(mesh)
            spent += 1000 * np.diff([*clock, time.process_time()])
            faces += mesh.num_faces
        spent /= 40
        total.append(spent.sum())
        row(name, f"{faces / 40:.0f}", *(f"{x:.1f}" for x in spent), f"{1000 / spent.sum():.1f}")
    row("all", "", "", "", "", "", f"{1000 / np.mean(total):.1f}")


def picture_reading(arguments: argparse.Namespace) -> None:
    """Random batches of 64 pictures, as uint8, and points, on one core; files in memory."""
    torch.set_num_threads(1)
    print(machine("numpy", "pillow") + "\n")
    header("reader", "what", "a second")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_shapes(folder, MadeOptions(count=26, split=(1, 0, 0)))
        data = NmrShapes(folder, split="train")
        generator = torch.Generator().manual_seed(0)

        def pictures() -> None:
            at = torch.randint(len(data), (BATCH,), generator=generator)
            data.images(at, torch.randint(24, (BATCH,), generator=generator))

        def points() -> None:
            data.points(int(torch.randint(len(data), (), generator=generator)), 2048, generator=generator)

        row("NmrShapes", "pictures of 64x64", f"{BATCH * _pace(pictures):,.0f}")
        row("NmrShapes", "2,048 points of 10,000", f"{_pace(points):,.0f}")
        row("NmrShapes", "voxels", f"{_pace(lambda: data.voxels(3)):,.0f}")
        for reader, size, suffix in ((ChoyShapes, 137, "jpg"), (DvrShapes, 64, "png")):
            model = folder / reader.__name__ / "class" / "model"
            picture = data.images(2, 3)
            for part in {reader.pictures, "mask"}:
                (model / part).mkdir(parents=True)
                shown = picture[..., 3] if part == "mask" else picture[..., :3]
                for k in range(24):
                    resized = Image.fromarray(shown.numpy()).resize((size, size))
                    resized.save(model / part / f"{k:04d}.{'png' if part == 'mask' else suffix}")
            folders = reader(folder / reader.__name__)
            pace = 24 * _pace(partial(folders.images, 0, torch.arange(24)))
            row(reader.__name__, f"pictures of {size}x{size}, {suffix}", f"{pace:,.0f}")


def _pace(work: Callable[[], object]) -> float:
    """Calls a processor second, in the best of five runs."""
    best = 0.0
    for _ in range(5):
        count, start = 0, time.process_time()
        while time.process_time() - start < 0.3:
            work()
            count += 1
        best = max(best, count / (time.process_time() - start))
    return best
