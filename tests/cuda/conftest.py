"""The emulated CUDA module: built once, loaded where a test asks for it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from invgraph.ops.cuda import _launch

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("INVGRAPH_EMULATION_BUILD", ROOT / "build" / "emulation"))


@pytest.fixture(scope="session")
def emulated_module() -> ModuleType:
    """``_native_cuda`` compiled as plain C++, its threads as fibers (tests/cuda/emulation)."""
    missing = [tool for tool in ("cmake", "ninja") if shutil.which(tool) is None]
    if importlib.util.find_spec("nanobind") is None:
        missing.append("nanobind")
    if missing:
        pytest.skip(f"the emulated CUDA kernels need {', '.join(missing)} to build")
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


@pytest.fixture
def emulated(emulated_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The functions of ``invgraph.ops.cuda`` take CPU tensors for the time of a test."""
    monkeypatch.setattr(_launch, "_module", emulated_module)
    emulated_module.set_schedule(0)
    return emulated_module
