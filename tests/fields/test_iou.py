"""IoU of fields at points."""

import pytest
import torch

from invgraph.fields import Field, Sphere, field_iou

POINTS = 2 * torch.rand(20_000, 3, generator=torch.Generator().manual_seed(0)) - 1


def test_balls():
    small, large = Sphere(0.6), Sphere(0.8)
    assert field_iou(small, POINTS, POINTS.norm(dim=1) < 0.6) == 1
    assert field_iou(small, POINTS, (POINTS.norm(dim=1) < 0.8).float(), batch=999) == pytest.approx(0.42, abs=0.02)
    assert field_iou(small, POINTS, large) == field_iou(lambda x: 0.6 - x.norm(dim=1), POINTS, large)


def test_codes_and_wrong_arguments():
    class Coded(Field):
        def forward(self, points, code=None):
            self.check(points, code)
            return code[0] - points.norm(dim=-1)

    field = Coded("occupancy", code_size=1)
    assert field_iou(field, POINTS, Sphere(0.5), code=torch.tensor([0.5])) == 1
    with pytest.raises(ValueError, match=r"truth: expected shape \(20000,\) as points have, got \(5,\)"):
        field_iou(Sphere(), POINTS, torch.zeros(5))
    with pytest.raises(ValueError, match="points"):
        field_iou(Sphere(), POINTS[:, :2], Sphere())
