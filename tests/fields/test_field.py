"""What a field refuses."""

import pytest
import torch

from invgraph.fields import Field


class Ball(Field):
    def __init__(self, **options):
        super().__init__("sdf", **options)

    def forward(self, points, code=None):
        self.check(points, code)
        return points.norm(dim=-1) - 0.5


@pytest.mark.parametrize(
    ("code_size", "points", "code", "message"),
    [
        (0, (4, 2), None, r"points: expected shape \(\.\.\., 3\), got \(4, 2\)"),
        (0, (4, 3), (5,), "code: expected None"),
        (5, (4, 3), None, r"code: expected \(5,\)"),
        (5, (4, 3), (4,), r"code: expected \(5,\)"),
        (5, (4, 7, 3), (3, 5), r"got \(3, 5\) with points \(4, 7, 3\)"),
    ],
)
def test_wrong_points_and_codes(code_size, points, code, message):
    field = Ball(code_size=code_size)
    with pytest.raises(ValueError, match=message):
        field(torch.zeros(points), None if code is None else torch.zeros(code))


def test_right_points_and_codes():
    assert Ball(code_size=5)(torch.zeros(4, 7, 3), torch.zeros(4, 5)).shape == (4, 7)
    assert Ball(code_size=5)(torch.zeros(3), torch.zeros(5)).shape == ()
    inside = Ball().inside(Ball()(torch.tensor([[0.0, 0, 0], [1, 0, 0]])))
    assert inside.tolist() == [True, False]


def test_bounds_and_kind():
    with pytest.raises(ValueError, match="bounds"):
        Ball(bounds=((0, 0, 0), (0, 1, 1)))
    with pytest.raises(ValueError, match="kind"):
        Field("distance")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="points"):
        Ball()(torch.zeros(3, dtype=torch.int64))
