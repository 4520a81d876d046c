"""The soft silhouette: against PyTorch3D, its growth, its memory."""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks import peers, scenes, steps
from benchmarks.measure import against, header, machine, medians_ms, ms, row
from invgraph.render import sigma_from_ndc

SIGMA_NDC = 1e-4


def soft(arguments: argparse.Namespace) -> None:
    """Forward and backward at sigma 1e-4 NDC, icospheres and spot, one image and a training step's batch."""
    print(machine("pytorch3d") + "\n")
    header("forward + backward, sigma 1e-4 NDC", "invgraph ms", "PyTorch3D ms (K = 50, CPU)", "ratio")
    cases = [
        scenes.disc(3, 64),
        scenes.disc(3, 64, batch=8),
        scenes.disc(3, 64, batch=64),
        scenes.disc(4, 128),
        scenes.disc(4, 256),
        scenes.disc(5, 128),
    ]
    try:
        cases.append(scenes.spot(arguments.data, 128))
    except FileNotFoundError as missing:
        print(f"(spot is left out: no {missing})")
    for scene in cases:
        step = steps.soft(scene, sigma_from_ndc(SIGMA_NDC, (scene.size, scene.size)))
        against(
            str(scene),
            step,
            partial(peers.pytorch3d_silhouette, scene, SIGMA_NDC, 50),
            arguments.repeats,
            12,
        )
    scene = scenes.disc(3, 64)
    try:
        peer = peers.pytorch3d_silhouette(scene, SIGMA_NDC, 50)
    except ImportError:
        return
    difference = (peer() - steps.soft(scene, sigma_from_ndc(SIGMA_NDC, (64, 64)))()).abs().max()
    print(f"\nlargest difference between the two alphas, 64 x 64: {float(difference):.1e}")


def growth(arguments: argparse.Namespace) -> None:
    """Faces x 4, pixels x 4, images: time follows the pixel-face pairs within reach."""
    print(machine() + "\n")
    header("soft silhouette, forward + backward", "sigma, px^2", "pairs, millions", "ms", "ns a pair")
    for level, size, sigma, batch in (
        (3, 64, 0.1, 1),
        (3, 64, 0.1, 64),
        (4, 256, 1.6, 1),
        (5, 256, 1.6, 1),
        (6, 256, 1.6, 1),
        (4, 512, 6.5, 1),
        (5, 512, 1.6, 1),
        (5, 1024, 6.5, 1),
        (6, 1024, 1.6, 1),
        (7, 1024, 1.6, 1),
        (6, 2048, 1.6, 1),
        (7, 2048, 1.6, 1),
    ):
        scene = scenes.disc(level, size, batch=batch)
        count = scenes.pairs(scene, sigma)
        (time,) = medians_ms(steps.soft(scene, sigma), repeats=arguments.repeats, seconds=3)
        row(scene, sigma, f"{count / 1e6:.1f}", ms(time), f"{time * 1e6 / count:.2f}")


def memory(arguments: argparse.Namespace) -> None:
    """Peak memory beyond the input, in fresh processes, beside what PyTorch3D's lists of K faces a pixel take."""
    print(machine() + "\n")
    header(
        "soft silhouette, forward + backward", "peak beyond the input, MB", "PyTorch3D: 48 B N H W K, K = 100", "ratio"
    )
    for kind, batch, size in (("torus(224", 1, 1024), ("torus(224", 1, 2048), ("disc(4", 20, 1024)):
        scene = f"scenes.{kind}, {size}{f', batch={batch}' if batch > 1 else ''})"
        code = f"from benchmarks import scenes, silhouette\ns = {scene}\nprint(s, silhouette.peak(s), sep='|')"
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        name, peak_mb = out.strip().split("|")
        theirs = 48 * batch * size * size * 100 / 1e6
        row(name, f"{float(peak_mb):,.0f}", f"{theirs:,.0f} MB", f"1/{theirs / float(peak_mb):,.0f}")


def peak(scene: scenes.Scene) -> float:
    """MB by which a forward and backward raises the process's peak, after a small one has loaded everything (Linux)."""
    steps.soft(scenes.disc(1, 32), 1.0)()
    step = steps.soft(scene, sigma_from_ndc(1e-5, (scene.size, scene.size)))
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = _status("VmRSS")
    step()
    return (_status("VmHWM") - before) * 1024 / 1e6


def _status(field: str) -> int:
    """A field of the process's memory account, KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))
