"""Coverage and the other primitives, against peers where they have the same."""

from __future__ import annotations

import argparse
import contextlib
from functools import partial

import torch

from benchmarks import peers, scenes, steps
from benchmarks.measure import against, header, machine, medians_ms, ms, row
from invgraph.render import sigma_from_ndc


def coverage(arguments: argparse.Namespace) -> None:
    """Antialiased masks against DEODR, with the areas that both see."""
    print(machine("deodr") + "\n")
    header("rasterize + antialias, forward + backward", "invgraph ms", "DEODR ms", "ratio")
    cases = scenes.disc(4, 256), scenes.disc(6, 512), scenes.disc(7, 1024)
    for scene in cases:
        against(str(scene), steps.coverage(scene), partial(peers.deodr_coverage, scene), arguments.repeats)
    areas = [f"ours {float(steps.coverage(cases[0])().sum()):.1f}"]
    with contextlib.suppress(ImportError):
        areas.append(f"DEODR's {float(torch.as_tensor(peers.deodr_coverage(cases[0])()).sum()):.1f}")
    print(f"\narea of the disc at 256 x 256: {0.4 * 256 * 256:.1f} pixels; {', '.join(areas)}")


def mitsuba(arguments: argparse.Namespace) -> None:
    """The same against Mitsuba's projective sampling: mean squared error of the picture, gradients to the vertices."""
    print(machine("mitsuba") + "\n")
    header("rasterize + antialias, forward + backward", "invgraph ms", "Mitsuba direct_projective ms", "ratio")
    for size in (128, 256):
        scene = scenes.sphere(4, size)
        for samples in (1, 4):
            name = f"{scene}; Mitsuba: {samples} sample{'s' if samples > 1 else ''} a pixel"
            step = steps.coverage(scene)
            against(name, step, partial(peers.mitsuba_sphere, 4, size, samples), arguments.repeats, seconds=8)


def primitives(arguments: argparse.Namespace) -> None:
    """Outline, colour and interpolation: one image, a large one, and a batch."""
    print(machine() + "\n")
    header(
        "forward + backward, sigma 1e-4 NDC", "soft_outline", "soft_color", "rasterize + interpolate", "+ antialias, ms"
    )
    cases = scenes.disc(4, 256), scenes.disc(6, 512), scenes.disc(3, 64, batch=64)
    for scene in cases:
        sigma = sigma_from_ndc(1e-4, (scene.size, scene.size))
        times = medians_ms(
            steps.outline(scene, sigma),
            steps.color(scene, sigma, 1e-2),
            steps.picture(scene, antialias=False),
            steps.picture(scene),
            repeats=arguments.repeats,
            seconds=5,
        )
        row(scene, *(ms(time) for time in times))


def color(arguments: argparse.Namespace) -> None:
    """Soft colour against PyTorch3D's."""
    print(machine("pytorch3d") + "\n")
    header("soft colour, forward + backward, sigma 1e-4 NDC", "invgraph ms", "PyTorch3D ms (K = 50, CPU)", "ratio")
    for scene in (scenes.disc(3, 64), scenes.disc(4, 128)):
        step = steps.color(scene, sigma_from_ndc(1e-4, (scene.size, scene.size)), 1e-2)
        against(str(scene), step, partial(peers.pytorch3d_color, scene, 1e-4, 1e-2, 50), arguments.repeats, 8)
