"""Pixel-face tests a second beside what the processor's AVX2 units could do."""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import torch

from benchmarks import scenes, steps
from benchmarks.measure import header, machine, medians_ms, ms, row, timed_ms

# Vector instructions that one pixel-face test takes by its definition (csrc/common/triangle.h, csrc/soft_silhouette), a
# multiply-add counted as one. Loads, stores, the triangle's set-up and the tiles' bookkeeping are not counted.
EDGE = {
    "offset from a corner": 2,
    "place along the edge, within 0 and 1": 2 + 1 + 2,
    "offset from there": 2,
    "squared length": 2,
    "side, oriented": 2 + 1,
}
EXPONENTIAL = {"bounds": 2, "n = x / ln 2 rounded": 2, "x - n ln 2": 2, "polynomial of degree 6": 6, "times 2^n": 3}
FORWARD = {
    "three edges": 3 * sum(EDGE.values()),
    "nearest edge, inside of all": 4,
    "sign, over sigma": 3 + 1,
    "within reach": 1,
    "e^x": sum(EXPONENTIAL.values()),
    "product, where counted": 2,
}
BACKWARD = {
    "three edges": 3 * sum(EDGE.values()),
    "nearest edge and its corners' weights, inside of all": 2 * (2 + 5 + 1),
    "sign, over sigma": 3 + 1,
    "within reach": 1,
    "e^x": sum(EXPONENTIAL.values()),
    "sigmoid": 2,
    "weight of the pixel, signed, where counted": 1 + 3,
    "gradient of six numbers": 2 + 6,
}
LANES = 8
PROBE = 960_000  # operations
PORTS = 2  # 256-bit multiply-adds a cycle, of every x86 core with AVX2 since Haswell and Zen 2


def clock_and_peak() -> tuple[float, float] | None:
    """GHz of one core and its multiply-adds of 8 floats a nanosecond; None where the probe cannot be built."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "peak.so"
        source = Path(__file__).with_name("peak.c")
        compiler = os.environ.get("CC", "cc")
        command = [compiler, "-O2", "-mavx2", "-mfma", "-shared", "-fPIC", str(source), "-o", str(library)]
        try:
            subprocess.run(command, check=True, capture_output=True)
            probe = ctypes.CDLL(str(library))
        except (OSError, subprocess.CalledProcessError):
            return None
        rates = []
        for function in (probe.chain, probe.multiply_add):
            function.argtypes = [ctypes.c_long]
            # short runs, of which the fastest counts: on a busy machine few are not interrupted
            rates.append(max(PROBE / 1e6 / timed_ms(partial(function, PROBE)) for _ in range(300)))
    return rates[0], rates[1]


def _listed(name: str, parts: dict[str, int]) -> str:
    return f"{name} {sum(parts.values())} = " + " + ".join(f"{count} ({what})" for what, count in parts.items())


def limits(arguments: argparse.Namespace) -> None:
    """The soft silhouette's tests a second, forward and with its backward, as fractions of the bound."""
    print(machine() + "\n")
    found = clock_and_peak()
    if found is None:
        print("the probe of the processor (benchmarks/peak.c) cannot be built here: x86 and a C compiler needed")
        return
    clock, measured = found
    cores = torch.get_num_threads()
    forward, both = sum(FORWARD.values()), sum(FORWARD.values()) + sum(BACKWARD.values())
    rate = cores * clock * PORTS * LANES  # instructions times lanes a nanosecond
    print(f"Vector instructions a test: {_listed('forward', FORWARD)}; {_listed('backward', BACKWARD)}.")
    print(
        f"Clock measured: {clock:.2f} GHz. Multiply-adds measured: {measured:.2f} a nanosecond and core, of the "
        f"{PORTS * clock:.2f} that {PORTS} ports make."
    )
    print(
        f"Bound: {cores} cores x {clock:.2f} GHz x {PORTS} ports x {LANES} lanes = {rate:.0f} G a second; "
        f"/ {forward} = {1e3 * rate / forward:.0f} M tests forward, "
        f"/ {both} = {1e3 * rate / both:.0f} M forward + backward.\n"
    )
    header(
        "soft silhouette",
        "pairs, M",
        "forward ms",
        "M tests/s",
        "of the bound",
        "with backward ms",
        "M tests/s",
        "of it",
    )
    for level, size, sigma in ((2, 256, 1.6), (4, 256, 1.6), (4, 512, 6.5), (5, 1024, 6.5), (6, 1024, 1.6)):
        scene = scenes.disc(level, size)
        count = scenes.pairs(scene, sigma)
        cells: list[object] = [f"{scene}, sigma {sigma}", f"{count / 1e6:.1f}"]
        times = medians_ms(
            steps.soft(scene, sigma, backward=False), steps.soft(scene, sigma), repeats=arguments.repeats, seconds=3
        )
        for time, work in zip(times, (forward, both)):
            tests = count / 1e3 / time
            cells += [ms(time), f"{tests:.0f}", f"{tests * work / (1e3 * rate):.0%}"]
        row(*cells)
