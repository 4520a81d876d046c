"""Training and evaluation on the layouts of Occupancy Networks and of DVR."""

import json

import pytest
import torch
from picture_folders import SPLITS, VIEWS, in_cube, write_choy, write_dvr
from picture_set import BALLS, BOXES, write_set

import invgraph as ig
from invgraph import InputError
from invgraph.cli import main
from invgraph.data import ChoyShapes, DvrShapes, NmrShapes, nmr_voxels, open_image_set, save_binvox
from invgraph.data.image_sets.grid import Grid
from invgraph.svr import load_model
from invgraph.svr.batches import BatchOptions, StepBatches
from invgraph.svr.truth import Truth

SMALL = ["--encoder", "vit", "--code-size", "16", "--steps", "3", "--batch", "4", "--accelerator", "cpu"]


@pytest.fixture(scope="module")
def choy(tmp_path_factory):
    return write_choy(tmp_path_factory.mktemp("choy"))


@pytest.fixture(scope="module")
def dvr(tmp_path_factory):
    return write_dvr(tmp_path_factory.mktemp("dvr"))


def test_layouts_are_recognised(choy, dvr, tmp_path):
    assert isinstance(open_image_set(choy, split="train"), ChoyShapes)
    found = open_image_set(dvr, split="val", classes=[BALLS])
    assert isinstance(found, DvrShapes)
    assert (found.split, found.classes, len(found)) == ("softras_val", (BALLS,), 1)
    assert isinstance(open_image_set(write_set(tmp_path / "nmr"), split="test"), NmrShapes)
    (tmp_path / "other" / "a" / "image").mkdir(parents=True)
    with pytest.raises(InputError, match=r"SYNSET_test_images.npz \(SoftRas/NMR\), CLASS/MODEL/img_choy2016/"):
        open_image_set(tmp_path / "other", split="test")
    with pytest.raises(InputError, match="no such folder"):
        open_image_set(tmp_path / "none", split="test")


@pytest.mark.parametrize("mirror", [False, True])
def test_the_cameras_of_a_batch_see_its_masks(dvr, mirror):
    data = open_image_set(dvr, split="train")
    options = BatchOptions(shapes=4, image_size=32, mirror=mirror)
    batches = StepBatches(data, options)
    batch = batches[0]
    meshes = [in_cube(mesh) for synset in data.classes for mesh in SPLITS["train"][synset]]
    turned = (batch.views >= data.num_views).all(1).tolist()
    assert any(turned) == mirror
    assert not all(turned)
    x = torch.tensor([-1.0, 1.0, 1.0])
    shown = [meshes[batches._shape(i)] for i in range(4)]
    shown = [ig.Mesh(mesh.verts * x, mesh.faces.flip(1)) if other else mesh for mesh, other in zip(shown, turned)]
    assert batch.images.shape == (4, 2, 4, 32, 32)
    assert batch.masks.shape == (4, 2, 64, 64)
    drawn = ig.render([mesh for mesh in shown for _ in range(4)], batch.all_cameras(2), outputs=("alpha",)).alpha > 0.5
    expected = batch.masks[:, None].expand(4, 2, 2, 64, 64).flatten(0, 2) > 0.5
    assert torch.equal(drawn, expected)
    parts = [StepBatches(data, options, (2, rank))[0] for rank in range(2)]
    assert torch.equal(torch.cat([part.cameras for part in parts]), batch.cameras)


def test_occupancy_networks_from_start_to_figures(choy, tmp_path, capsys):
    out, scores = tmp_path / "net", tmp_path / "scores"
    learn = ["--decoder", "occupancy", "--objective", "occupancy", "--points", "64", "--image-size", "72"]
    assert main(["train", str(choy), "--out", str(out), *SMALL, *learn, "--no-tensorboard"]) == 0
    assert "point IoU" in capsys.readouterr().out
    model = load_model(out / "last.ckpt")
    assert (model.options.channels, model.options.image_size) == (3, 72)
    assert main(["eval", str(out / "best.ckpt"), str(choy), "--out", str(scores), "--views", "1"]) == 0
    assert "IoU at points" in capsys.readouterr().out
    found = json.loads((scores / "eval.json").read_text())
    assert found["surfaces"] == "none"
    mean = found["mean"]
    assert 0 < mean["model"]["point_iou"] < 1
    assert 0.4 < mean["retrieval"]["point_iou"] <= mean["oracle"]["point_iou"] < 1
    assert (scores / "report.html").read_text().count("At the points of points.npz") == 1
    # silhouettes are not to be had from pictures on white
    assert main(["train", str(choy), "--out", str(tmp_path / "no"), *SMALL]) == 2
    assert "needs silhouettes" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_silhouettes_of_dvr_and_voxels(dvr, tmp_path, capsys):
    out = tmp_path / "net"
    assert main(["train", str(dvr), "--out", str(out), *SMALL, "--no-tensorboard"]) == 0
    assert "validation: silhouette IoU" in capsys.readouterr().out
    assert load_model(out / "best.ckpt").data["split"] == "softras_train"
    assert main(["eval", str(out / "best.ckpt"), str(dvr), "--out", str(tmp_path / "scores")]) == 2
    assert "no voxels (model.binvox) and no points (points.npz)" in capsys.readouterr().err
    for data in (open_image_set(dvr, split=split) for split in ("train", "test")):
        for i, mesh in enumerate(in_cube(m) for synset in data.classes for m in SPLITS[data.split[8:]][synset]):
            save_binvox(data.path(i) / "model.binvox", nmr_voxels(mesh))
    few = ["--views", "2", "--surface-points", "300"]
    assert main(["eval", str(out / "best.ckpt"), str(dvr), "--out", str(tmp_path / "scores"), *few]) == 0
    mean = json.loads((tmp_path / "scores" / "eval.json").read_text())["mean"]
    assert mean["retrieval"]["voxel_iou"] <= mean["oracle"]["voxel_iou"] < 1
    assert mean["model"]["f1"] is not None


def test_truth_at_points(choy):
    data = open_image_set(choy, split="test")
    assert (data.truth, data.num_views, len(data)) == ("points", VIEWS, 3)
    truth, mesh = Truth(data), in_cube(SPLITS["test"][BOXES][0])
    index = data.names.index(f"{BOXES}/test0")
    nothing = mesh.with_verts(mesh.verts + 3)
    solids = data.filled([index])
    assert truth.iou([index], [[mesh, nothing]]).tolist() == [[pytest.approx(1, abs=0.01), 0]]
    assert float(truth.iou([index], [solids])) > 0.85  # what 4,000 points tell of 30,000 voxels
    few = data.points(index, 64, generator=3)
    assert len(few) == 64
    assert torch.equal(few.points, data.points(index, 64, generator=3).points)


def test_a_grid_has_what_its_points_say():
    grid = Grid(8, (0.1, 0.0, 0.0), 2.0)
    filled = torch.rand(8, 8, 8) > 0.5
    centers = grid.centers()
    assert torch.equal(grid.at(filled, centers), filled.flatten())
    assert torch.equal(grid.of_points(centers, filled.flatten()), filled)
    assert not bool(grid.at(torch.ones_like(filled), torch.tensor([[1.2, 0, 0]])))
    one = grid.of_points(centers[:1], torch.tensor([True]))
    assert bool(one.all())  # all that is known
    assert Grid.of(grid.placed(filled)) == grid
