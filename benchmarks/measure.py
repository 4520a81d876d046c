"""Timing, the machine it was done on, and tables."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from invgraph.ops import _native

Step = Callable[[], object]


def timed_ms(step: Step) -> float:
    """Wall-clock milliseconds of one call, with the GPU's work where there is one."""
    _wait_for_gpu()
    start = time.perf_counter()
    step()
    _wait_for_gpu()
    return 1e3 * (time.perf_counter() - start)


def _wait_for_gpu() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def medians_ms(*steps: Step, repeats: int, seconds: float = 20.0) -> list[float]:
    """Median of each step's times, as in a loop of many. The steps take turns, so that they share the machine's drift.

    The first call of each warms up and is not counted. A step that has used up its ``seconds`` waits while the others
    go on, so that one that takes minutes is timed once; where even its first call took that long, that call counts.
    """
    first = [timed_ms(step) for step in steps]
    first = [timed_ms(step) if once < 1e3 else once for step, once in zip(steps, first)]  # the first call builds tables
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(repeats):
        for step, warm, counted in zip(steps, first, times):
            if warm + sum(counted) > 1e3 * seconds:
                continue
            if warm > 100:
                counted.append(timed_ms(step))
                continue
            # what ran before leaves other data in the caches and, for a while, threads that spin; a core that has slept
            # is slow at first
            start = time.perf_counter()
            while time.perf_counter() - start < 0.15:
                step()
            counted.extend(timed_ms(step) for _ in range(5))
    return [statistics.median(counted or [warm]) for warm, counted in zip(first, times)]


def machine(*packages: str) -> str:
    """One line for the head of a table: processor, threads, instruction set, GPU if any, and versions."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    parts = [model, f"{torch.get_num_threads()} threads", f"{_native.isa()} kernels"]
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    parts.append(f"Python {platform.python_version()}")
    return ", ".join([*parts, *(_version(name) for name in ("torch", *packages))])


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} not installed"


def row(*cells: object) -> None:
    """One line of a Markdown table."""
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def header(*cells: str) -> None:
    """The head of a Markdown table."""
    row(*cells)
    row(*("---" for _ in cells))


def against(name: str, ours: Step, peer: Callable[[], Step], repeats: int, seconds: float = 20.0) -> None:
    """A row: name, our milliseconds, the peer's and their ratio; ``peer()`` makes its step or raises ImportError."""
    try:
        step = peer()
    except ImportError:
        row(name, ms(medians_ms(ours, repeats=repeats)[0]), "not installed", "")
        return
    mine, theirs = medians_ms(ours, step, repeats=repeats, seconds=seconds)
    row(name, ms(mine), ms(theirs), f"{theirs / mine:,.1f}" if theirs < 100 * mine else f"{theirs / mine:,.0f}")


def ms(value: float) -> str:
    """Milliseconds with three figures."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
