"""Builds and loads the emulated CUDA module (tests/cuda/emulation)."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("INVGRAPH_EMULATION_BUILD", ROOT / "build" / "emulation"))


def missing_tools() -> list[str]:
    """What is not installed that the build needs."""
    missing = [tool for tool in ("cmake", "ninja") if shutil.which(tool) is None]
    return missing if importlib.util.find_spec("nanobind") else [*missing, "nanobind"]


def load() -> ModuleType:
    """``_native_cuda`` compiled as plain C++, its threads as fibers."""
    source = ROOT / "tests" / "cuda" / "emulation"
    configure = ["cmake", "-S", source, "-B", BUILD, "-G", "Ninja", f"-DPython_EXECUTABLE={sys.executable}"]
    for command in (configure, ["cmake", "--build", BUILD]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    (path,) = BUILD.glob("_native_cuda_emulated*.so")
    spec = importlib.util.spec_from_file_location("_native_cuda_emulated", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
