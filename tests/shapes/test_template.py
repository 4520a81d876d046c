import math

import pytest
import torch

from invgraph.geometry import icosphere
from invgraph.shapes import Shape, TemplateShape


def test_exports_in_the_frame_it_came_in():
    mesh = icosphere(2, radius=5.0, center=(30.0, -10.0, 20.0))
    shape = TemplateShape(mesh)
    torch.testing.assert_close(shape.export().verts, mesh.verts)
    assert float(shape().verts.detach().norm(dim=1).max()) == pytest.approx(1.0, abs=1e-5)
    assert shape().topology is mesh.topology


def test_remeshed_keeps_surface_and_frame():
    shape = TemplateShape(icosphere(3, radius=5.0, center=(30.0, -10.0, 20.0)))
    finer = shape.remeshed(shape.edge_length_for(1500))
    assert finer.export().is_closed
    assert len(finer.verts) == pytest.approx(1500, rel=0.15)
    assert float(finer.scale) == float(shape.scale)
    assert float(finer.export().volume()) == pytest.approx(4 / 3 * math.pi * 125, rel=0.03)
    with pytest.raises(ValueError, match="edge_length"):
        shape.remeshed(0.0)


def test_regularizers_prefer_the_smooth_and_do_not_count_faces():
    coarse, fine = (TemplateShape(icosphere(level)).regularizers() for level in (3, 4))
    rough = TemplateShape(icosphere(4))
    with torch.no_grad():
        rough.verts += 0.01 * torch.randn_like(rough.verts)
    for name, value in rough.regularizers().items():
        assert value.item() > 2 * fine[name].item()
        assert 0.9 * coarse[name].item() < fine[name].item() < 2 * coarse[name].item()  # with 4 times the faces


def test_state_restores_a_remeshed_shape():
    shape = TemplateShape(icosphere(2, radius=2.0)).remeshed(0.3)
    again = TemplateShape.from_state(shape.state_dict())
    again.load_state_dict(shape.state_dict())
    assert torch.equal(again.export().verts, shape.export().verts)
    assert torch.equal(again.faces, shape.faces)


def test_frame_is_checked():
    with pytest.raises(ValueError, match="scale"):
        Shape(scale=0.0)
    with pytest.raises(ValueError, match="center"):
        Shape(center=torch.zeros(2))
