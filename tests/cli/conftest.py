"""Fixtures of the command line's tests."""

from pathlib import Path

import pytest
from ellipsoid import write_dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A sound data set of twelve views."""
    write_dataset(tmp_path / "views")
    return tmp_path / "views"
