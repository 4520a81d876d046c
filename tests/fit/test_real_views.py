"""Real views, at a fraction of the default effort: the bars of the README have room."""

import pytest

from invgraph import load_mesh, load_views
from invgraph.fit import FitOptions, fit
from invgraph.metrics import evaluate

QUICK = {"effort": 0.4, "vertices": 3000, "hull_resolution": 64}


@pytest.mark.parametrize("init", ["auto", "sphere"])
def test_spot(shared_data, init):
    result = fit(None, load_views(shared_data / "spot/views24"), FitOptions(init=init, holdout=3, **QUICK))
    scores = evaluate(result.mesh, load_mesh(shared_data / "spot/views24/gt.ply"))
    assert result.start == ("hull" if init == "auto" else "sphere")
    assert result.mesh.is_closed
    assert result.mesh.euler_characteristic == 2
    assert scores["volume_iou"] > 0.955
    assert scores["normal_consistency"] > 0.97
    assert result.metrics["silhouette_iou"]["held_out"]["mean"] > 0.97


def test_a_torus_keeps_its_hole_and_a_far_frame_its_units(shared_data):
    bob = fit(None, load_views(shared_data / "bob/views24"), FitOptions(**QUICK)).mesh
    assert (bob.is_closed, bob.euler_characteristic) == (True, 0)
    wild = fit(None, load_views(shared_data / "spot/wild"), FitOptions(**QUICK)).mesh
    scores = evaluate(wild, load_mesh(shared_data / "spot/wild/gt.ply"))
    assert scores["volume_iou"] > 0.95
    assert scores["chamfer_l1_of_radius"] < 0.008
