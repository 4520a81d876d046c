"""Made shapes: closed, normalised, different; and the data set of them."""

import numpy as np
import pytest
import torch
from carving import agreement

import invgraph as ig
from invgraph import InputError
from invgraph.data import (
    SYNSETS,
    MadeOptions,
    NmrShapes,
    SampleOptions,
    check_splits,
    make_shape,
    make_shapes,
    nmr_cameras,
    sample_shape,
)
from invgraph.data.made.shape import shape_seed

pytest.importorskip("manifold3d")
from invgraph.data.image_sets.nmr_writer import ENOUGH, sampled_points

SMALL = MadeOptions(count=11, classes=("mug", "table"), split=(2, 1, 1), points=100, seed=5)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    report = make_shapes(out, SMALL)
    assert (report.done, report.there, report.failed, report.interrupted) == (11, 0, [], False)
    return out


@pytest.mark.parametrize("name", SYNSETS)
def test_every_class_is_closed_and_in_the_unit_cube(name):
    for index in range(6):
        mesh = make_shape(name, index, seed=1)
        assert mesh.is_closed
        assert float(mesh.volume()) > 0
        low, high = mesh.verts.amin(0), mesh.verts.amax(0)
        assert float((high - low).max()) == pytest.approx(1, abs=1e-5)
        assert float((high + low).abs().max()) < 1e-5


@pytest.mark.parametrize("name", SYNSETS)
def test_every_class_is_in_one_piece(name):
    from invgraph.data.made.classes import builders
    from invgraph.data.made.parts import Dice, union

    for index in range(12):
        solid = union(*builders()[name](Dice(np.random.default_rng(index))).solids)
        assert sum(piece.volume() > 1e-6 for piece in solid.decompose()) == 1


def test_shapes_differ_in_topology_and_by_seed_and_not_by_call():
    assert len({make_shape("chair", i).euler_characteristic for i in range(12)}) >= 4
    assert sum(make_shape("mug", i).euler_characteristic <= 0 for i in range(16)) >= 11  # most handles are closed
    first = make_shape("boat", 0)
    assert torch.equal(first.verts, make_shape("boat", 0).verts)
    for other in (make_shape("boat", 1), make_shape("boat", 0, seed=1)):
        assert other.verts.shape != first.verts.shape or not torch.equal(other.verts, first.verts)
    with pytest.raises(ValueError, match="name: expected one of airplane"):
        make_shape("dragon", 0)


def test_files_are_those_of_the_nmr_set(made):
    assert {p.name for p in made.iterdir()} == {
        f"{SYNSETS[name]}_{split}_{kind}.npz"
        for name in SMALL.classes
        for split in ("train", "val", "test")
        for kind in ("images", "voxels", "points")
    }
    with np.load(made / "03797390_train_images.npz") as file:
        assert [(v.dtype, v.shape) for v in file.values()] == [(np.uint8, (3, 24, 4, 64, 64))]
    with np.load(made / "03797390_train_voxels.npz") as file:
        assert [(v.dtype, v.shape) for v in file.values()] == [(np.uint8, (3, 32, 32, 32))]
    sets = {split: NmrShapes(made, split=split) for split in ("train", "val", "test")}
    assert sum(map(len, sets.values())) == 11
    check_splits(sets)


def test_pictures_voxels_and_points_are_of_one_shape(made):
    data = NmrShapes(made, split="train", classes=[SYNSETS["table"]])
    mesh = make_shape("table", 1, seed=SMALL.seed)
    alpha = ig.render(mesh, nmr_cameras(), outputs=("alpha",)).alpha
    images = data.images(1).float() / 255
    assert float((images[..., 3] - alpha).abs().max()) < 0.003
    assert bool((images[..., :3].amax((1, 2, 3)) > 0.1).all())
    assert not bool(images[..., :3][images[..., 3] == 0].any())
    assert agreement(data.voxels(1), data.cameras(), images[..., 3] > 0) > 0.7
    points = data.points(1)
    inside = ig.ops.winding_number(points.points, mesh.verts, mesh.faces).abs() > 0.5
    assert torch.equal(inside, points.occupancies)
    some = data.points(1, 20, generator=0)
    assert len(some) == 20
    assert torch.equal(some.points, data.points(1, 20, generator=0).points)
    with pytest.raises(ValueError, match="count: expected 1 to 100"):
        data.points(1, 101)


def test_a_run_that_was_broken_off_goes_on_to_the_same_bytes(made, tmp_path, monkeypatch):
    import signal

    from invgraph.data.made import build

    monkeypatch.setattr(build, "BATCH", 2)

    def stop(report, total):
        if report.done == 4:
            signal.raise_signal(signal.SIGINT)

    report = make_shapes(tmp_path, SMALL, progress=stop)
    assert (report.done, report.interrupted) == (4, True)
    assert not list(tmp_path.glob("*.npz"))
    report = make_shapes(tmp_path, SMALL)
    assert (report.done, report.there, report.interrupted) == (7, 4, False)
    for path in made.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
    assert len(list(tmp_path.iterdir())) == len(list(made.iterdir()))


def test_a_shape_that_fails_is_told_and_made_later(tmp_path, monkeypatch):
    from invgraph.data.made import build

    def broken(name, index, *, seed):
        if name == "table" and index == 0:
            raise ValueError("no wood")
        return make_shape(name, index, seed=seed)

    monkeypatch.setattr(build, "make_shape", broken)
    report = make_shapes(tmp_path, SMALL)
    assert report.failed == ["table 0 on: no wood"]
    monkeypatch.undo()
    assert make_shapes(tmp_path, SMALL).failed == []
    assert len(NmrShapes(tmp_path, split="train")) == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 3}, "count: expected at least a shape for each of 13"),
        ({"classes": ("mug", "hat")}, "classes: no class 'hat'; there are: airplane"),
        ({"split": (0.0, 0.0, 0.0)}, "split: expected three shares"),
        ({"points": -1}, "points: expected 0 to"),
    ],
)
def test_options_that_make_no_sense(options, words):
    with pytest.raises(ValueError, match=words):
        MadeOptions(**options)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot make the folder"):
        make_shapes(tmp_path / "file" / "out", SMALL)


def test_the_thinnest_shapes_have_points_inside():
    glider = make_shape("airplane", 413)  # fills 0.0006 of the cube
    seed = shape_seed("airplane", 413, 0) >> 1
    with pytest.raises(InputError, match="encloses none of the points"):
        sample_shape(glider, SampleOptions(points=ENOUGH, near=0, cloud=0, voxels=0), seed=seed)
    assert sampled_points(glider, 100, seed).occupancies.any()
