"""Fixtures of the command line's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from ellipsoid import write_dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A sound data set of twelve views."""
    write_dataset(tmp_path / "views")
    return tmp_path / "views"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Pictures this small cost more to share among threads than to draw."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
