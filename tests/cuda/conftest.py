"""The emulated CUDA module: built once, loaded where a test asks for it."""

from types import ModuleType

import emulated as emulation
import pytest

from invgraph.ops.cuda import _launch


@pytest.fixture(scope="session")
def emulated_module() -> ModuleType:
    missing = emulation.missing_tools()
    if missing:
        pytest.skip(f"the emulated CUDA kernels need {', '.join(missing)} to build")
    return emulation.load()


@pytest.fixture
def emulated(emulated_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The functions of ``invgraph.ops.cuda`` take CPU tensors for the time of a test."""
    monkeypatch.setattr(_launch, "_module", emulated_module)
    emulated_module.set_schedule(0)
    return emulated_module
