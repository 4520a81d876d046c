import pytest
import torch
from picture_set import BOXES, TRAIN, write_set, write_split

import invgraph as ig
from invgraph.data.image_sets import NmrShapes, nmr_cameras
from invgraph.metrics import silhouette_iou
from invgraph.svr import ModelOptions, Reconstructor, load_model, save_model
from invgraph.svr.batches import BatchOptions, StepBatches
from invgraph.svr.evaluation import EvalOptions, evaluate
from invgraph.svr.objective import Objective, ObjectiveOptions
from invgraph.svr.refine import can_refine, refined
from invgraph.svr.viewpoints import UNKNOWN, Viewpoints

VIEW = 5


def knowing(**options):
    """A network that tells the NMR cameras apart, and takes every picture for one of view 5."""
    torch.manual_seed(0)
    model = Reconstructor(ModelOptions(encoder="vit", code_size=16, viewpoints=24, **options)).eval()
    model.viewpoints.remember(nmr_cameras())
    with torch.no_grad():
        model.viewpoints.scores[-1].bias[VIEW] += 100
        model.decoder.displacement.weight.mul_(100)  # as after training: shapes differ
    return model


def pictures_of(model, count):
    """White on nothing: silhouettes of shapes that the decoder can give, seen in view 5."""
    meshes = model.decode(2 * torch.rand(count, 16, generator=torch.Generator().manual_seed(1)) - 1)
    alpha = ig.render(meshes, nmr_cameras([VIEW] * count)).alpha.detach()
    return alpha[:, None].expand(-1, 4, -1, -1).contiguous()


def agreement(meshes, images):
    return silhouette_iou(ig.render(meshes, nmr_cameras([VIEW] * len(meshes))).alpha, images[:, 3])


def test_cameras_are_known_by_their_place_whatever_the_size_of_pictures():
    told = Viewpoints(8, 24)
    told.remember(nmr_cameras(image_size=32))
    assert told.numbers(nmr_cameras()).tolist() == list(range(24))
    assert torch.allclose(told.cameras(64).K, nmr_cameras().K, atol=1e-4)
    assert told.cameras(64).image_size == (64, 64)
    moved = nmr_cameras([3])
    moved = ig.Cameras(moved.R, moved.t + 0.01, moved.K, moved.image_size)
    assert told.numbers(moved).tolist() == [UNKNOWN]


def test_the_objective_asks_for_the_camera_of_each_input(tmp_path):
    write_split(tmp_path, "train", {BOXES: TRAIN[BOXES]})
    data = NmrShapes(tmp_path, split="train")
    model = knowing()
    objective = Objective(model, nmr_cameras(), ObjectiveOptions(inputs=1, weights={"viewpoint": 0.5}))
    for mirror in (False, True):
        batches = StepBatches(data, BatchOptions(shapes=8, views=3, mirror=mirror))
        batch = batches[0]
        numbers = batch.views[:, 0]
        if mirror:  # of which some are seen from the other side
            plain = StepBatches(data, BatchOptions(shapes=8, views=3))[0]
            turned = (batch.images != plain.images).flatten(1).any(1)
            assert 0 < int(turned.sum()) < 8
            numbers = torch.where(turned, (24 - numbers) % 24, numbers)
        scores = model.viewpoints(model.encode(batch.images[:, 0]))
        expected = 0.5 * torch.nn.functional.cross_entropy(scores, numbers)
        assert float(objective(batch)["viewpoint"].detach()) == pytest.approx(float(expected.detach()), rel=1e-4)


def test_shapes_come_to_the_pictures_silhouettes_each_by_itself(tmp_path):
    model = knowing().train()
    images = pictures_of(model, 4)
    before, after = model.reconstruct(images), refined(model, images)
    assert model.training
    assert bool((agreement(after, images) > agreement(before, images) + 0.03).all())
    alone = refined(model, images[2:3])
    assert (alone[0].verts - after[2].verts).abs().max() < 1e-3
    assert all(bool((p.grad is None) or (p.grad == 0).all()) for p in model.parameters())
    assert refined(model, images[:0]) == []
    save_model(tmp_path / "model.ckpt", model)
    again = refined(load_model(tmp_path / "model.ckpt"), images[2:3])
    assert torch.equal(again[0].verts, alone[0].verts)


def test_the_last_steps_move_what_the_code_cannot(monkeypatch):
    model = knowing()
    images = pictures_of(knowing(level=2), 2)  # of another decoder
    both = refined(model, images)
    monkeypatch.setattr("invgraph.svr.refine._FEATURE_RATE", 0.0)
    assert bool((agreement(both, images) > agreement(refined(model, images), images)).all())


def test_what_cannot_be_refined_is_left_as_it_is(tmp_path):
    plain = Reconstructor(ModelOptions(encoder="vit", code_size=16))
    assert not can_refine(plain)
    assert not can_refine(knowing(channels=3))
    with pytest.raises(ValueError, match="expected a mesh decoder and known viewpoints"):
        refined(plain, torch.rand(1, 4, 64, 64))
    with pytest.raises(ig.InputError, match="viewpoints that it tells apart are no cameras"):
        refined(Reconstructor(ModelOptions(encoder="vit", viewpoints=4)), torch.rand(1, 4, 64, 64))
    write_set(tmp_path)
    train, test = NmrShapes(tmp_path, split="train"), NmrShapes(tmp_path, split="test")
    few = EvalOptions(views=2, surface_shapes=1, surface_points=500)
    assert "feed_forward" not in evaluate(plain, test, train, few).scores["mean"]
    both = evaluate(knowing(), test, train, few).scores["mean"]
    assert both["feed_forward"]["voxel_iou"] != both["model"]["voxel_iou"]
    none = evaluate(knowing(), test, train, EvalOptions(**{**vars(few), "refine": 0})).scores["mean"]
    assert none["model"]["voxel_iou"] == both["feed_forward"]["voxel_iou"]


def test_mirrored_pictures_have_mirrored_answers():
    """For a network that has learned from both."""
    model = knowing(mirrored=True)
    images = pictures_of(model, 3)
    with torch.no_grad():  # sees each picture from one of two sides, x and -x
        model.viewpoints.scores[-1].bias[(24 - VIEW) % 24] += 100
    right, left = refined(model, images, steps=5), refined(model, images.flip(-1), steps=5)
    for one, other in zip(right, left):
        assert torch.allclose(
            other.verts[model.decoder.opposite] * torch.tensor([-1.0, 1.0, 1.0]), one.verts, atol=1e-4
        )
    assert not torch.allclose(
        model.reconstruct(images)[0].verts, model.reconstruct(images.flip(-1))[0].verts, atol=1e-3
    )
