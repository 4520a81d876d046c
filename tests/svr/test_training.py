import dataclasses
import json
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from picture_set import BALLS, BOXES, TRAIN, write_split

from invgraph import InputError
from invgraph.cli import main
from invgraph.cli.train import Train
from invgraph.data.image_sets import NmrShapes
from invgraph.svr import accelerator, load_model, training

pytest.importorskip("lightning")
from invgraph.svr.train_options import RunOptions, TrainOptions
from invgraph.svr.train_watchers import Watcher
from invgraph.svr.training import train

SMALL = TrainOptions(encoder="vit", code_size=16, steps=7, batch=2, augment=0.5)
OFTEN = RunOptions(accelerator="cpu", checkpoint_every=2, validate_every=4, validate_on=2)


class Losses(Watcher):
    def __init__(self):
        self.values = []

    def on_step(self, step, steps, terms):
        self.values.append(terms["loss"])


class Killed(Watcher):
    def __init__(self, step):
        self.step = step

    def on_step(self, step, steps, terms):
        if step == self.step:
            raise SystemExit


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    write_split(folder, "train", TRAIN)
    write_split(folder, "val", {BOXES: TRAIN[BOXES][:1], BALLS: TRAIN[BALLS][:1]})
    return folder


@pytest.fixture(scope="module")
def splits(root):
    return NmrShapes(root, split="train"), NmrShapes(root, split="val")


@pytest.fixture(scope="module")
def whole(splits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    train(*splits, SMALL, folder, run=OFTEN)
    return folder


def weights(folder):
    return load_model(folder / "last.ckpt").state_dict()


def test_a_killed_run_goes_on_to_the_same_weights(splits, whole, tmp_path):
    with pytest.raises(SystemExit):
        train(*splits, SMALL, tmp_path, run=OFTEN, watchers=[Killed(5)])
    assert load_model(tmp_path / "last.ckpt").extra["step"] == 4
    losses = Losses()
    result = train(*splits, SMALL, tmp_path, run=OFTEN, watchers=[losses], resume=True)
    assert (result.steps, len(losses.values), result.interrupted) == (7, 3, False)
    expected, got = weights(whole), weights(tmp_path)
    assert all(torch.equal(expected[name], got[name]) for name in expected)
    assert load_model(whole / "best.ckpt").data["classes"] == [BOXES, BALLS]


def test_a_stopped_run_has_the_best_network_of_the_whole_one(splits, whole, tmp_path):
    class Stopped(Losses):
        begun = None

        def on_step(self, step, steps, terms):
            super().on_step(step, steps, terms)
            if step == 3 and self.begun is None:
                signal.raise_signal(signal.SIGINT)

        def on_resume(self, step):
            self.begun = step

    watcher = Stopped()
    assert train(*splits, SMALL, tmp_path, run=OFTEN, watchers=[watcher]).interrupted
    assert load_model(tmp_path / "best.ckpt").extra["step"] == 3  # better than none
    assert not train(*splits, SMALL, tmp_path, run=OFTEN, watchers=[watcher], resume=True).interrupted
    assert watcher.begun == 3
    expected, got = (load_model(folder / "best.ckpt") for folder in (whole, tmp_path))
    assert got.extra["step"] == expected.extra["step"] >= 4
    assert all(torch.equal(x, y) for x, y in zip(expected.state_dict().values(), got.state_dict().values()))


def test_what_cannot_be_resumed_is_refused(splits, whole, tmp_path):
    other = TrainOptions(**{**vars(SMALL), "decoder": "sdf"})
    with pytest.raises(InputError, match="begun with decoder 'mesh', now it would be 'sdf'"):
        train(*splits, other, whole, run=OFTEN, resume=True)
    fewer = NmrShapes(splits[0].root, split="train", classes=[BOXES])
    with pytest.raises(InputError, match="other shapes: their classes differ"):
        train(fewer, splits[1], SMALL, whole, run=OFTEN, resume=True)
    (tmp_path / "last.ckpt").write_bytes((whole / "last.ckpt").read_bytes()[:5000])
    with pytest.raises(InputError, match="not a readable checkpoint"):
        train(*splits, SMALL, tmp_path, run=OFTEN, resume=True)
    with pytest.raises(InputError, match="needs files of points"):
        train(*splits, TrainOptions(decoder="occupancy", objective="occupancy"), tmp_path, run=OFTEN)


def test_an_encoder_of_the_callers_own_is_trained_and_resumed(splits, tmp_path):
    def own():
        torch.manual_seed(3)
        return torch.nn.Sequential(torch.nn.AvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(4 * 8 * 8, 16))

    options = dataclasses.replace(SMALL, encoder="custom")
    for folder, watchers in ((tmp_path / "whole", ()), (tmp_path / "cut", [Killed(5)])):
        try:
            train(*splits, options, folder, encoder=own(), run=OFTEN, watchers=watchers)
        except SystemExit:
            train(*splits, options, folder, encoder=own(), run=OFTEN, resume=True)
    expected, got = (load_model(tmp_path / name / "last.ckpt", encoder=own()) for name in ("whole", "cut"))
    assert all(torch.equal(x, y) for x, y in zip(expected.parameters(), got.parameters(), strict=True))
    assert not torch.equal(got.encoder[2].weight, own()[2].weight)
    with pytest.raises(ValueError, match="'custom' is a module of your own"):
        train(*splits, options, tmp_path, run=OFTEN)
    with pytest.raises(ValueError, match="goes with the name 'custom', got 'vit'"):
        train(*splits, SMALL, tmp_path, encoder=own(), run=OFTEN)


@pytest.mark.parametrize(
    ("found", "kernels", "expected"),
    [(False, True, "torch finds none"), (True, False, "without kernels"), (True, True, None)],
)
def test_a_gpu_is_taken_where_there_are_kernels_for_it(monkeypatch, found, kernels, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: found)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(found))
    monkeypatch.setattr(accelerator, "built", lambda: kernels)
    if expected:
        assert training.make_fabric(RunOptions()).device.type == "cpu"
        with pytest.raises(InputError, match=expected):
            training.make_fabric(RunOptions(accelerator="gpu"))
    else:
        with pytest.raises(InputError, match="at most the 1 GPUs there are, got 2"):
            training.make_fabric(RunOptions(devices=2))


def test_a_full_disk_leaves_the_last_good_checkpoint(splits, tmp_path):
    with pytest.raises(SystemExit):
        train(*splits, SMALL, tmp_path, run=OFTEN, watchers=[Killed(3)])
    good = (tmp_path / "last.ckpt").read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(good) // 2, before[1]))  # writing fails halfway
    try:
        with pytest.raises(InputError, match=r"last\.ckpt: cannot write the checkpoint"):
            train(*splits, SMALL, tmp_path, run=RunOptions(accelerator="cpu", checkpoint_every=1), resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "last.ckpt").read_bytes() == good
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_one_shape_is_learned(tmp_path):
    write_split(tmp_path, "train", {BOXES: TRAIN[BOXES][2:]})
    write_split(tmp_path, "val", {BOXES: TRAIN[BOXES][2:]})
    data = [NmrShapes(tmp_path, split=split) for split in ("train", "val")]
    options = TrainOptions(encoder="vit", code_size=32, steps=50, batch=2, learning_rate=1e-3)
    result = train(*data, options, tmp_path, run=RunOptions(accelerator="cpu"))
    assert result.scores["silhouette_iou"] > 0.85


TWO = """
import json, sys
from invgraph.data.image_sets import NmrShapes
from invgraph.svr.train_options import RunOptions, TrainOptions
from invgraph.svr.train_watchers import Watcher
from invgraph.svr.training import train

class Losses(Watcher):
    def on_step(self, step, steps, terms):
        print("loss", terms["loss"], flush=True)

data = [NmrShapes(sys.argv[1], split=split) for split in ("train", "val")]
run = RunOptions(accelerator="cpu", devices=2, precision=sys.argv[4], validate_on=1)
train(*data, TrainOptions(**json.loads(sys.argv[3])), sys.argv[2], run=run, watchers=[Losses()])
"""


POINTS = {"decoder": "occupancy", "objective": "occupancy", "points": 32}


@pytest.mark.parametrize(
    ("options", "moved", "precision"),
    [
        # the encoder "conv" has statistics of the batch, the decoder "occupancy" of its points
        ({}, "encoder.1.running_var", "32"),
        (POINTS, "decoder.field.network.network.norm.var", "32"),
        (POINTS, "decoder.field.network.network.norm.var", "bf16"),
    ],
)
def test_two_processes_are_one_with_the_double_batch(tmp_path, options, moved, precision):
    root = tmp_path / "set"
    write_split(root, "train", {BOXES: TRAIN[BOXES], BALLS: TRAIN[BALLS][:1]}, points=64)
    write_split(root, "val", {BOXES: TRAIN[BOXES][:1]}, points=64)
    splits = [NmrShapes(root, split=split) for split in ("train", "val")]
    options = {"code_size": 16, "steps": 2, "batch": 4, **options}
    losses = Losses()
    alone = RunOptions(accelerator="cpu", precision=precision, validate_on=1)
    train(*splits, TrainOptions(**options), tmp_path / "one", run=alone, watchers=[losses])
    script = tmp_path / "two.py"
    script.write_text(TWO)
    command = [sys.executable, str(script), str(root), str(tmp_path / "two"), json.dumps(options), precision]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    found = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("loss")]
    assert found == pytest.approx(losses.values, rel=1e-5 if precision == "32" else 1e-2)
    one, two = (weights(tmp_path / name)[moved] for name in ("one", "two"))
    assert torch.allclose(one, two, rtol=1e-4 if precision == "32" else 1e-2)


def test_data_that_is_wrong_for_one_of_two_processes_ends_both_with_one_sentence(tmp_path):
    root = tmp_path / "set"
    write_split(root, "train", {BOXES: TRAIN[BOXES]})
    write_split(root, "val", {BOXES: TRAIN[BALLS][:1]})
    file = root / f"{BOXES}_train_images.npz"
    with np.load(file) as archive:
        images = archive[archive.files[0]]
    images[0, 1::3, 3] = 0  # of the views, those that no description of the data set looks at
    np.savez(file, images)
    command = [sys.executable, "-m", "invgraph", "train", str(root), "--out", str(tmp_path / "out"), "--no-tensorboard"]
    command += ["--preset", "smoke", "--batch", "2", "--steps", "30", "--devices", "2", "--accelerator", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    told = [line for line in done.stderr.splitlines() if "silhouette" in line]
    assert (done.returncode, len(told)) == (2, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert told[0].startswith("invgraph train: error: ")


@pytest.mark.parametrize(("flags", "mirror"), [([], True), (["--no-mirror"], False), (["--mirror"], True)])
def test_a_presets_flags_can_be_turned_off(tmp_path, flags, mirror):
    how = {"args": [str(tmp_path), "--out", str(tmp_path / "out"), "--preset", "laptop", *flags]}
    assert Train.parse(Train, **how).train.mirror is mirror


def test_a_preset_fits_what_is_learned_from(tmp_path):
    """Its own options for points of space, under those that are given."""
    how = [str(tmp_path), "--out", str(tmp_path / "out"), "--preset", "laptop"]
    silhouettes = Train.parse(Train, args=how).train
    how += ["--decoder", "occupancy", "--objective", "occupancy"]
    points = Train.parse(Train, args=how).train
    assert silhouettes.batch == points.batch == 32
    assert silhouettes.learning_rate < points.learning_rate
    assert points.steps < silhouettes.steps
    assert Train.parse(Train, args=[*how, "--batch", "8"]).train == dataclasses.replace(points, batch=8)


def test_the_command_refuses_splits_that_share_shapes(root, tmp_path, capsys):
    smoke = ["--preset", "smoke", "--accelerator", "cpu"]
    assert main(["train", str(root), "--out", str(tmp_path / "out"), *smoke]) == 2
    assert "are in both 'train' and 'val'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_classes_that_it_cannot_learn(tmp_path, capsys):
    write_split(tmp_path, "train", {BOXES: TRAIN[BOXES][:1]})
    write_split(tmp_path, "val", {BOXES: TRAIN[BOXES][1:2], BALLS: TRAIN[BALLS][:1]})
    smoke = ["--preset", "smoke", "--accelerator", "cpu", "--steps", "1", "--no-tensorboard"]
    assert main(["train", str(tmp_path), "--out", str(tmp_path / "out"), *smoke]) == 2
    assert "there are shapes in 'val', and none in 'train'" in capsys.readouterr().err
    assert main(["train", str(tmp_path), "--out", str(tmp_path / "out"), *smoke, "--classes", BOXES]) == 0
    write_split(tmp_path / "less", "train", TRAIN)
    write_split(tmp_path / "less", "val", {BOXES: TRAIN[BOXES][:1]})
    assert main(["train", str(tmp_path / "less"), "--out", str(tmp_path / "out2"), *smoke]) == 2
    assert "there are shapes in 'train', and none in 'val'" in capsys.readouterr().err
