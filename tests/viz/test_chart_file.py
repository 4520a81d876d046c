"""Charts as svg files."""

from xml.etree import ElementTree

import pytest

from invgraph.errors import InputError
from invgraph.viz import save_chart


def test_a_chart_is_a_picture_of_its_own(tmp_path):
    path = tmp_path / "chart.svg"
    save_chart(path, {"a < b": ([0, 1, 2], [3.0, 2.0, 1.0]), "c": ([0, 2], [1.0, 2.0])}, title="What & why")
    tree = ElementTree.parse(path)
    texts = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"What & why", "a < b", "c"} <= set(texts)
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}polyline"))) == 2
    with pytest.raises(InputError, match=r"\.svg"):
        save_chart(tmp_path / "chart.png", {"a": ([0], [1])}, title="")
    with pytest.raises(ValueError, match="series"):
        save_chart(path, {"a": ([0], [float("nan")])}, title="")
