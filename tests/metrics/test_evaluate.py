import json

import imageio.v3 as iio
import numpy as np
import pytest
import torch

from invgraph.cameras import Cameras
from invgraph.geometry import icosphere, load_mesh, visual_hull
from invgraph.metrics import evaluate


def test_shifted_sphere():
    truth = icosphere(4, radius=2.0, center=(5.0, 0.0, 0.0))
    pred = icosphere(4, radius=2.0, center=(5.0, 0.0, 0.03))
    scores = evaluate(pred, truth)
    json.dumps(scores, allow_nan=False)
    assert scores["truth_radius"] == pytest.approx(2, rel=1e-3)
    assert scores["chamfer_l1_of_radius"] == pytest.approx(scores["chamfer_l1"] / 2, rel=1e-3)
    assert scores["chamfer_l1_x10"] == pytest.approx(scores["chamfer_l1"] * 10 / 4, rel=1e-2)  # the longest edge is 4
    assert scores["volume_iou"] == pytest.approx(1 - 1.5 * 0.03 / 2, abs=0.004)  # to first order in the shift
    assert scores["f1_2"] > 0.99
    assert scores["f1_1"] < scores["f1_2"]
    assert scores["pred"]["closed"]
    assert scores == evaluate(pred, truth)


def test_unused_vertices_do_not_set_the_radius():
    ball = icosphere(3)
    stray = type(ball)(torch.cat([ball.verts, torch.full((1, 3), 50.0)]), ball.faces)
    assert evaluate(ball, stray, points=1000)["truth_radius"] == pytest.approx(1, rel=1e-3)


def test_hull_of_real_views_scores_as_recorded(shared_data):
    folder = shared_data / "spot" / "views24"
    record = json.loads((folder / "transforms_train.json").read_text())
    masks = np.stack([iio.imread((folder / f["file_path"]).with_suffix(".png"))[..., 3] for f in record["frames"]])
    poses = torch.tensor([f["transform_matrix"] for f in record["frames"]])
    cameras = Cameras.from_nerf(poses, masks.shape[1:], camera_angle_x=record["camera_angle_x"])
    hull = visual_hull(cameras, torch.from_numpy(masks).float() / 255)
    scores = evaluate(hull, load_mesh(folder / "gt.ply"), volume_points=1_000_000)
    assert scores["volume_iou"] == pytest.approx(0.976, abs=0.0015)
    assert scores["chamfer_l1"] == pytest.approx(0.0053, abs=0.0001)
    assert scores["f1_1"] == pytest.approx(0.930, abs=0.003)
    assert scores["normal_consistency"] > 0.971
    assert scores["pred"]["outward"]
    assert scores["pred"]["genus"] == 0
