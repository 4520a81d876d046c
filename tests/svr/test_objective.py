import pytest
import torch
from picture_set import BOXES, TRAIN, write_split

import invgraph as ig
from invgraph import InputError
from invgraph.data.image_sets import NmrShapes, nmr_cameras
from invgraph.svr import ModelOptions, Reconstructor
from invgraph.svr.batches import Batch, BatchOptions, StepBatches
from invgraph.svr.objective import Objective, ObjectiveOptions


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    root = tmp_path_factory.mktemp("set")
    write_split(root, "train", {BOXES: TRAIN[BOXES]})
    return StepBatches(NmrShapes(root, split="train"), BatchOptions(shapes=2))[0]


def small(**options):
    return Reconstructor(ModelOptions(encoder="vit", code_size=16, **options))


def test_each_views_shape_is_seen_in_both_views(batch):
    """Against the four renders of Soft Rasterizer's multi-view loss, one by one."""
    model = small()
    options = ObjectiveOptions(coverage="soft", sigma=(0.1, 0.1), weights={"laplacian": 0.5})
    terms = Objective(model, nmr_cameras(), options)(batch)
    total = []
    for images, masks, views in zip(batch.images, batch.masks, batch.views):
        meshes = model.decode(model.encode(images))
        for verts in meshes.verts:
            for mask, view in zip(masks, views):
                alpha = ig.render(meshes.with_verts(verts), nmr_cameras([int(view)]), mode="soft", sigma=0.1).alpha
                total.append(ig.losses.silhouette_iou(alpha, mask[None]))
    assert float(terms["silhouette"].detach()) == pytest.approx(float(torch.stack(total).mean().detach()), abs=1e-6)
    meshes = model.decode(model.encode(batch.images.flatten(0, 1)))
    laplacian = 0.5 * float(ig.losses.laplacian_uniform(meshes).detach())
    assert float(terms["laplacian"].detach()) == pytest.approx(laplacian, rel=1e-5)
    assert float(terms["loss"].detach()) == pytest.approx(
        float((terms["silhouette"] + terms["laplacian"]).detach()), rel=1e-6
    )
    terms["loss"].backward()
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)
    assert any(float(p.grad.abs().max()) > 0 for p in model.encoder.parameters())


def test_the_schedule_relaxes_weights_and_softness(batch):
    model = small()
    options = ObjectiveOptions(sigma=(4.0, 0.25), relax=10.0, weights={"laplacian": 1.0})
    objective = Objective(model, nmr_cameras(), options)
    start, quarter, half, end = (objective(batch, progress) for progress in (0.0, 0.25, 0.5, 1.0))
    weight = float(end["laplacian"].detach())
    assert float(start["laplacian"].detach()) == pytest.approx(10 * weight, rel=1e-5)
    assert float(quarter["laplacian"].detach()) == pytest.approx(10**0.5 * weight, rel=1e-5)
    assert torch.equal(half["loss"], end["loss"])
    assert float(start["silhouette"].detach()) != float(end["silhouette"].detach())


def test_occupancies_of_points(batch):
    model = small(decoder="occupancy", hidden=16)
    objective = Objective(model, nmr_cameras(), ObjectiveOptions("occupancy"))
    points = torch.rand(2, 64, 3) - 0.5
    inside = (points.norm(dim=-1) < 0.35).float()  # the ball that every shape begins as
    known = batch._replace(points=points, occupancies=inside)
    terms = objective(known)
    assert float(terms["iou"]) > 0.5
    # a shape that has fewer points inside counts more: its IoU is as much worth as another's
    logits = model.decoder.logits(points, model.encode(known.images[:, 0])).detach()
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, inside, reduction="none").mean(1)
    expected = (each * 0.1 / (inside.mean(1) + 0.02)).mean()
    assert inside.mean(1)[0] != inside.mean(1)[1]
    assert float(terms["occupancy"].detach()) == pytest.approx(float(expected), rel=1e-5)
    fuller = Objective(
        small(decoder="occupancy", hidden=16, threshold=1e-6), nmr_cameras(), ObjectiveOptions("occupancy")
    )
    assert float(fuller(known)["iou"]) == pytest.approx(float(inside.mean(1).mean()), abs=0.02)  # all is inside
    assert float(terms["loss"].detach()) < float(objective(known._replace(occupancies=1 - inside))["loss"].detach())
    with pytest.raises(InputError, match="decoder 'occupancy', got 'mesh'"):
        Objective(small(), nmr_cameras(), ObjectiveOptions("occupancy"))


def test_surfaces_of_distances_are_trained_by_silhouettes(batch):
    model = small(decoder="sdf")
    one = Batch(*(x[:1] for x in batch))
    weights = {"eikonal": 0.1, "presence": 1.0}
    terms = Objective(model, nmr_cameras(), ObjectiveOptions(weights=weights))(one)
    terms["loss"].backward()
    assert float(model.decoder.lift.weight.grad.abs().max()) > 0
