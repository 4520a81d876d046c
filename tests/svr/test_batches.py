import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch
from picture_set import BALLS, BOXES, TRAIN, write_split

from invgraph import InputError
from invgraph.data.image_sets import NmrShapes
from invgraph.svr.augment import colour_factors, jitter_colours, with_mirrored
from invgraph.svr.batches import BatchOptions, StepBatches, loader


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    root = tmp_path_factory.mktemp("set")
    write_split(root, "train", TRAIN)
    return NmrShapes(root, split="train")


def test_a_batch_is_a_function_of_its_number(shapes):
    options = BatchOptions(shapes=2, augment=1.0, seed=4)
    ahead = list(loader(StepBatches(shapes, options), 0, 6))
    alone = StepBatches(shapes, options)[5]  # as after a resume
    assert all(torch.equal(a, b) for a, b in zip(ahead[5], alone))
    assert not torch.equal(ahead[4].images, ahead[5].images)
    other = StepBatches(shapes, BatchOptions(shapes=2, augment=1.0, seed=5))[5]
    assert not torch.equal(other.views, alone.views)


def test_workers_tell_what_is_wrong_and_outlive_ctrl_c(shapes, tmp_path):
    write_split(tmp_path, "train", {BOXES: TRAIN[BOXES][:1]})
    file = tmp_path / f"{BOXES}_train_images.npz"
    with np.load(file) as archive:
        images = archive[archive.files[0]]
    images[0, :, 3] = 0
    np.savez(file, images)
    empty = StepBatches(NmrShapes(tmp_path, split="train"), BatchOptions(shapes=1))
    for workers in (0, 1):
        batches = iter(loader(empty, 0, 400, workers))
        first = next(batches)
        assert isinstance(first, InputError)
        assert "has no silhouette in view" in str(first)
        for process in multiprocessing.active_children():
            os.kill(process.pid, signal.SIGINT)  # as a terminal does, to all of them
    assert len(list(batches)) == 399


def test_processes_share_a_batch(shapes):
    options = BatchOptions(shapes=6, augment=1.0)
    whole = StepBatches(shapes, options)[3]
    parts = [StepBatches(shapes, options, (3, rank))[3] for rank in range(3)]
    assert all(torch.equal(torch.cat(part), full) for *part, full in zip(*parts, whole))
    with pytest.raises(ValueError, match="multiple of 4"):
        StepBatches(shapes, options, (4, 0))


def test_every_shape_once_an_epoch_in_two_different_views(shapes):
    batches = StepBatches(shapes, BatchOptions(shapes=2))
    places = [batches._shape(place) for place in range(15)]  # batches of 2 do not divide the 5 shapes
    assert all(sorted(places[k : k + 5]) == [0, 1, 2, 3, 4] for k in (0, 5, 10))
    assert places[:5] != places[5:10]
    assert all(bool((batches[step].views[:, 0] != batches[step].views[:, 1]).all()) for step in range(20))


def test_silhouettes_are_those_of_the_views(shapes):
    batch = StepBatches(shapes, BatchOptions(shapes=5))[0]
    first = StepBatches(shapes, BatchOptions(shapes=5, augment=1.0, inputs=1))[0]
    both = StepBatches(shapes, BatchOptions(shapes=5, augment=1.0))[0]
    assert torch.equal(first.images, both.images[:, :1])
    assert torch.equal(first.masks, both.masks)
    order = torch.tensor([StepBatches(shapes, BatchOptions(shapes=5))._shape(i) for i in range(5)])
    truth = shapes.images(order[:, None], batch.views)[..., 3] / 255
    assert torch.equal(batch.masks, truth)
    assert torch.equal(batch.images[:, :, 3], truth)


def test_mirrored_shapes_are_seen_by_mirrored_cameras(shapes):
    """A pixel of a point lies as far from the right as it did from the left, for half of the shapes."""
    plain, mirrored = (StepBatches(shapes, BatchOptions(shapes=10, mirror=on))[0] for on in (False, True))
    turned = [not torch.equal(a, b) for a, b in zip(plain.masks, mirrored.masks)]
    assert 2 <= sum(turned) <= 8
    point = torch.tensor([[0.3, -0.2, 0.1]])
    for i, other in enumerate(turned):
        sign = torch.tensor([-1.0 if other else 1.0, 1.0, 1.0])
        before = shapes.cameras(plain.views[i]).project(point)
        cameras = with_mirrored(shapes.shared_cameras)[mirrored.views[i]]
        after = cameras.project(sign * point)
        if other:
            before = torch.cat([64 - before[..., :1], before[..., 1:]], -1)
            assert torch.equal(mirrored.images[i], plain.images[i].flip(-1))
            assert torch.equal(mirrored.masks[i], plain.masks[i].flip(-1))
        assert torch.allclose(after, before, atol=1e-3)
        assert torch.det(cameras.R).allclose(torch.ones(2))


def test_colours_change_and_silhouettes_do_not(shapes):
    images = shapes.images([0, 3], [2, 5]).movedim(-1, 1) / 255
    factors = colour_factors(2, torch.Generator().manual_seed(0))
    moved = jitter_colours(images, factors)
    assert torch.equal(moved[:, 3], images[:, 3])
    outside = images[:, 3:] == 0
    assert torch.equal(moved[:, :3][outside.expand(-1, 3, -1, -1)], images[:, :3][outside.expand(-1, 3, -1, -1)])
    assert float((moved - images).abs().max()) > 0.05
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
    assert torch.allclose(jitter_colours(images, 0 * factors), images, atol=1e-5)
    alone = jitter_colours(images[1:], factors[1:])
    assert torch.allclose(alone, moved[1:], atol=1e-6)
    assert {BOXES, BALLS} == set(shapes.classes)
