"""Training and prediction on a GPU, where there is one: as on the CPU, to rounding."""

import pytest
import torch
from picture_set import TEST, TRAIN, write_split

from invgraph.cli import main
from invgraph.data.image_sets import NmrShapes
from invgraph.ops.cuda import built
from invgraph.svr import load_model
from invgraph.svr.prediction import reconstructed

pytest.importorskip("lightning")
from invgraph.svr.train_options import RunOptions, TrainOptions
from invgraph.svr.train_watchers import Watcher
from invgraph.svr.training import train

pytestmark = pytest.mark.skipif(not (torch.cuda.is_available() and built()), reason="no CUDA device, or no kernels")

SMALL = {"encoder": "resnet8", "code_size": 16, "steps": 4, "batch": 4, "pixels": 64, "mirror": True}
POINTS = {"decoder": "occupancy", "objective": "occupancy", "points": 64}
KINDS = {
    "mesh": {"coverage": "antialias", "area": 0.03},
    "soft mesh": {"coverage": "soft"},
    "network by points": {**POINTS, "hidden": 16},
    "aligned by points": {**POINTS, "hidden": 0, "lattice": 8, "aligned": 4},
    "lattice along rays": {"decoder": "occupancy", "hidden": 0, "lattice": 8},
    "distances along rays": {"decoder": "sdf"},
    "distances by surface": {"decoder": "sdf", "silhouette_by": "surface"},
}


class Losses(Watcher):
    def __init__(self):
        self.values = []

    def on_step(self, step, steps, terms):
        self.values.append(terms["loss"])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    write_split(folder, "train", TRAIN, points=128)
    write_split(folder, "val", TEST, points=128)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_training_and_refinement_are_those_of_the_cpu(kind, root, tmp_path):
    options = TrainOptions(**SMALL, **KINDS[kind])
    splits = [NmrShapes(root, split=split) for split in ("train", "val")]
    losses = {}
    for accelerator in ("cpu", "gpu"):
        losses[accelerator] = Losses()
        run = RunOptions(accelerator=accelerator, precision="32", validate_on=1)
        train(*splits, options, tmp_path / accelerator, run=run, watchers=[losses[accelerator]])
    assert losses["gpu"].values == pytest.approx(losses["cpu"].values, rel=1e-2)
    model = load_model(tmp_path / "cpu" / "last.ckpt")
    pictures = splits[0].images(torch.arange(2), torch.tensor([3, 8])).movedim(-1, -3).float() / 255
    for refine in (0, 4):
        ours = reconstructed(model.cpu(), pictures, refine)
        theirs = reconstructed(model.cuda(), pictures, refine)
        for mesh, other in zip(ours, theirs, strict=True):
            assert other.verts.device.type == "cpu"
            assert float(other.volume()) == pytest.approx(float(mesh.volume()), rel=1e-2)


def test_the_commands_take_it(root, tmp_path):
    for name, decoder in (("mixed", "mesh"), ("points", "occupancy")):
        command = ["train", str(root), "--out", str(tmp_path / name), "--preset", "smoke", "--accelerator", "gpu"]
        extra = ["--objective", "occupancy", "--points", "64"] if decoder == "occupancy" else []
        assert main([*command, "--decoder", decoder, *extra, "--workers", "1"]) == 0
    command = ["eval", str(tmp_path / "mixed" / "last.ckpt"), str(root), "--split", "val", "--out", str(tmp_path / "e")]
    assert main([*command, "--views", "2", "--surface-shapes", "1", "--codes", "0", "--accelerator", "gpu"]) == 0
