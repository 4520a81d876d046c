"""The small analytic scene that the data tests write in every format."""

import pytest
from datasets import make_scene

from invgraph.data import Views


@pytest.fixture
def scene() -> Views:
    return make_scene()
