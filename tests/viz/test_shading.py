"""Shaded pictures, for both projections."""

import pytest
import torch
import trimesh

import invgraph as ig
from invgraph.geometry import icosphere
from invgraph.viz.shading import shaded


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
def test_the_front_is_clay_and_the_back_is_red(projection):
    if projection == "perspective":
        rig = ig.Cameras.look_at([[3.0, 0, 0]], [0, 0, 0], [0, 0, 1], 55, (48, 48))
    else:
        rig = ig.Cameras.orthographic([[3.0, 0, 0]], [0, 0, 0], [0, 0, 1], 40.0, (480, 480))
        K = rig.K - torch.tensor([[0.0, 0, 216], [0, 0, 216], [0, 0, 0]])  # 12 pixels a unit: a ball far from flat
        rig = ig.Cameras(rig.R, rig.t, K, (48, 48), "orthographic")
    sphere = icosphere(3)
    inside_out = ig.Mesh(sphere.verts, sphere.faces.flip(1))
    for mesh, red in ((sphere, False), (inside_out, True)):
        drawn = shaded(mesh, rig)
        colors, seen = drawn[..., :3], drawn[..., 3] > 0.99
        assert int(seen.sum()) > 200
        ratio = colors[seen][:, 0] / colors[seen][:, 2].clamp_min(1e-3)
        share = float((ratio > 1.6).float().mean())
        assert share > 0.8 if red else share == 0  # the rim, where normals lean past the outline, is left clay


def test_a_box_whose_corners_share_normals_has_no_red_front():
    rig = ig.Cameras.look_at([[1.2, 0.9, 4.0]], [0, 0, 0], [0, 1, 0], 40, (48, 48))
    box = trimesh.creation.box((2, 2, 2))
    drawn = shaded(ig.Mesh(torch.from_numpy(box.vertices).float(), torch.from_numpy(box.faces)), rig)
    seen = drawn[..., 3] > 0.99
    assert int(seen.sum()) > 200
    ratio = drawn[..., :3][seen][:, 0] / drawn[..., :3][seen][:, 2].clamp_min(1e-3)
    assert float(ratio.max()) < 1.6
