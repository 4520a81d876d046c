import pytest
import torch
from picture_set import BOXES, TRAIN, write_set, write_split

import invgraph as ig
from invgraph.data.image_sets import NmrShapes, nmr_cameras
from invgraph.metrics import silhouette_iou
from invgraph.svr import FieldDecoder, MeshDecoder, ModelOptions, Reconstructor, load_model, save_model
from invgraph.svr.batches import BatchOptions, StepBatches
from invgraph.svr.evaluation import EvalOptions, evaluate
from invgraph.svr.objective import Objective, ObjectiveOptions
from invgraph.svr.refine import can_refine, refined
from invgraph.svr.viewpoints import UNKNOWN, Viewpoints
from invgraph.svr.voxel_iou import filled_by, voxel_iou

VIEW = 5


LATTICE = {"decoder": "occupancy", "hidden": 0, "lattice": 8, "threshold": 0.2}
KINDS = {"mesh": {}, "occupancy": LATTICE, "sdf": {"decoder": "sdf"}}
GAINS = {"mesh": 0.03, "occupancy": 0.03, "sdf": 0.005}


def _as_trained(decoder):
    """Shapes differ, and neighbouring nodes are alike."""
    if isinstance(decoder, MeshDecoder):
        decoder.displacement.weight.mul_(100)
    elif isinstance(decoder, FieldDecoder):
        spread = decoder.field.lattice.spread.weight
        spread.copy_(spread.mean(0).expand_as(spread) * 2000)
    else:
        decoder.lift.weight.mul_(10)
        decoder.grow[-1].weight.mul_(30)


def knowing(**options):
    """A network that tells the NMR cameras apart, and takes every picture for one of view 5."""
    torch.manual_seed(0)
    model = Reconstructor(ModelOptions(encoder="vit", code_size=16, viewpoints=24, **options)).eval()
    model.viewpoints.remember(nmr_cameras())
    with torch.no_grad():
        model.viewpoints.scores[-1].bias[VIEW] += 100
        _as_trained(model.decoder)
    return model


def pictures_of(model, count):
    """White on nothing: silhouettes of shapes that the decoder can give, seen in view 5."""
    meshes = model.decode(2 * torch.rand(count, 16, generator=torch.Generator().manual_seed(1)) - 1)
    with torch.no_grad():
        alpha = ig.render(meshes, nmr_cameras([VIEW] * count)).alpha
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


@pytest.mark.parametrize("options", [{}, LATTICE], ids=["silhouette", "occupancy"])
def test_the_objective_asks_for_the_camera_of_each_input(options, tmp_path):
    write_split(tmp_path, "train", {BOXES: TRAIN[BOXES]}, points=64)
    data = NmrShapes(tmp_path, split="train")
    model = knowing(**options)
    name, views, points = ("silhouette", 3, 0) if not options else ("occupancy", 1, 32)
    objective = Objective(model, nmr_cameras(), ObjectiveOptions(name, inputs=1, weights={"viewpoint": 0.5}))
    for mirror in (False, True):
        batches = StepBatches(data, BatchOptions(shapes=8, views=views, points=points, mirror=mirror))
        batch = batches[0]
        numbers = batch.views[:, 0]
        if mirror:  # of which some are seen from the other side
            plain = StepBatches(data, BatchOptions(shapes=8, views=views))[0]
            turned = (batch.images != plain.images).flatten(1).any(1)
            assert 0 < int(turned.sum()) < 8
            numbers = torch.where(turned, (24 - numbers) % 24, numbers)
        scores = model.viewpoints(model.encode(batch.images[:, 0]))
        expected = 0.5 * torch.nn.functional.cross_entropy(scores, numbers)
        assert float(objective(batch)["viewpoint"].detach()) == pytest.approx(float(expected.detach()), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_come_to_the_pictures_silhouettes_each_by_itself(kind, tmp_path):
    model = knowing(**KINDS[kind]).train()
    images = pictures_of(model, 4)
    before, after = model.reconstruct(images), refined(model, images)
    assert model.training
    gain = agreement(after, images) - agreement(before, images)
    assert bool((gain > 0).all())
    assert float(gain.mean()) > GAINS[kind]
    alone = refined(model, images[2:3])
    # rounding may add a triangle where a surface grazes a node of the grid that it is taken on
    assert torch.cdist(alone[0].verts, after[2].verts).amin(1).mean() < 1e-3
    assert all(bool((p.grad is None) or (p.grad == 0).all()) for p in model.parameters())
    assert refined(model, images[:0]) == []
    save_model(tmp_path / "model.ckpt", model)
    again = refined(load_model(tmp_path / "model.ckpt"), images[2:3])
    assert torch.equal(again[0].verts, alone[0].verts)


def test_the_last_steps_move_what_the_code_cannot(monkeypatch):
    model = knowing()
    images = pictures_of(knowing(level=2), 2)  # of another decoder
    both = refined(model, images)
    monkeypatch.setattr("invgraph.svr.refinable._FEATURE_RATE", 0.0)
    assert bool((agreement(both, images) > agreement(refined(model, images), images)).all())


def test_what_cannot_be_refined_is_left_as_it_is(tmp_path):
    plain = Reconstructor(ModelOptions(encoder="vit", code_size=16))
    assert not can_refine(plain)
    assert not can_refine(knowing(channels=3))
    assert not can_refine(Reconstructor(ModelOptions(encoder="vit", decoder="occupancy", viewpoints=24)))
    with pytest.raises(ValueError, match="expected a decoder that can be refined"):
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


@pytest.mark.parametrize("kind", KINDS)
def test_mirrored_pictures_have_mirrored_answers(kind):
    """For a network that has learned from both."""
    model = knowing(mirrored=True, **KINDS[kind])
    images = pictures_of(model, 2)
    with torch.no_grad():  # sees each picture from one of two sides, x and -x
        model.viewpoints.scores[-1].bias[(24 - VIEW) % 24] += 100
    right, left = (torch.stack([filled_by(mesh) for mesh in refined(model, x, 5)]) for x in (images, images.flip(-1)))
    assert float(voxel_iou(left.flip(1), right).min()) > 0.99
    alone = model.reconstruct(images), model.reconstruct(images.flip(-1))
    right, left = (torch.stack([filled_by(mesh) for mesh in meshes]) for meshes in alone)
    assert float(voxel_iou(left.flip(1), right).min()) < 0.97
