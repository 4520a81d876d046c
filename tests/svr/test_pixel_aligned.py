from dataclasses import replace

import pytest
import torch
from picture_set import BOXES, TRAIN, write_split

import invgraph as ig
from invgraph.data.image_sets import NmrShapes, nmr_cameras
from invgraph.svr import ModelOptions, Reconstructor
from invgraph.svr.augment import mirrored_cameras
from invgraph.svr.batches import BatchOptions, StepBatches
from invgraph.svr.coded_lattice import NODES, read_lattice
from invgraph.svr.expected_iou import best_threshold
from invgraph.svr.objective import Objective, ObjectiveOptions
from invgraph.svr.refine import refined
from invgraph.svr.sight import Sight, covered, places
from invgraph.svr.train_options import TrainOptions
from invgraph.svr.viewpoints import as_remembered

ALIGNED = {"decoder": "occupancy", "hidden": 0, "lattice": 8, "aligned": 4, "viewpoints": 24, "threshold": 0.2}
VIEWS = [2, 17, 5]


def looking(**options):
    """A network that has learned nothing yet, but for the cameras' places."""
    torch.manual_seed(0)
    model = Reconstructor(ModelOptions(encoder="vit", code_size=16, **{**ALIGNED, **options})).eval()
    model.viewpoints.remember(nmr_cameras())
    return model


def pictures():
    """Of an egg that is off the middle, white on nothing: (3, 4, 64, 64)."""
    egg = ig.geometry.icosphere(2)
    verts = egg.verts * torch.tensor([0.25, 0.15, 0.1]) + torch.tensor([0.2, 0.1, -0.1])
    alpha = ig.render(egg.with_verts(verts), nmr_cameras(VIEWS)).alpha
    return alpha[:, None].expand(-1, 4, -1, -1).contiguous()


def _all_around(mask):
    """(N, H, W): what holds of a pixel and of all beside it."""
    return -torch.nn.functional.max_pool2d(-mask[:, None].float(), 3, 1, 1)[:, 0] > 0.5


def _at(mask, pixel):
    return torch.stack([some[p[:, 1], p[:, 0]] for some, p in zip(mask, pixel)])


def test_codes_hold_what_was_joined():
    sight = Sight(5, 3, 16)
    parts = torch.rand(2, 5), torch.rand(2, 3, 7), torch.rand(2, 16, 16), torch.rand(2, 3, 8, 8)
    code = sight.join(*parts)
    assert code.shape == (2, sight.length)
    assert all(torch.equal(a, b) for a, b in zip(sight.split(code), parts))
    camera = torch.rand(2, 3, 7)
    assert torch.equal(sight.with_camera(code, camera), sight.join(parts[0], camera, *parts[2:]))


def test_what_the_silhouette_does_not_cover_is_outside():
    """By the cameras that are given, and not by others."""
    model, images = looking(), pictures()
    with torch.no_grad():
        model.decoder.field.aligned.values.weight.zero_()
        cameras = nmr_cameras(VIEWS)
        logits = model.decoder.field.at_nodes(model.encode(images, cameras)).flatten(1)
    nodes = torch.cartesian_prod(*[torch.linspace(-0.55, 0.55, NODES)] * 3)
    ball = 10 * (0.35 - nodes.norm(dim=1))
    pixel = cameras.project(nodes)[..., :2].long().clamp(0, 63)  # corners of the lattice lie beside the pictures
    # the pixel and those around it are all inside, or all outside
    sure_in, sure_out = (_at(_all_around(x), pixel) for x in (images[:, 3] == 1, images[:, 3] == 0))
    assert sure_in.float().mean() > 0.02
    assert sure_out.float().mean() > 0.5
    assert torch.allclose(logits[sure_in], ball.expand(3, -1)[sure_in], atol=1e-4)
    assert (logits[sure_out] < ball.expand(3, -1)[sure_out] - 5).all()


def test_places_are_those_of_the_cameras():
    cameras, points = nmr_cameras(VIEWS), torch.rand(3, 50, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    expected = torch.stack([nmr_cameras([v]).project(p)[0, :, :2] for v, p in zip(VIEWS, points)]) / 64
    assert torch.allclose(places(as_remembered(cameras), points), expected, atol=1e-5)


def test_what_is_behind_the_camera_is_not_in_the_picture():
    cameras = nmr_cameras(VIEWS)
    behind = -(cameras.R.mT @ cameras.t[:, :, None]).mT * torch.tensor([1.01, 1.5, 10.0])[:, None]
    place = places(as_remembered(cameras), behind)
    assert (covered(torch.ones(3, 64, 64), place) == 0).all()


def test_coverage_is_that_of_the_pixel_and_none_beside_the_picture():
    silhouette = torch.zeros(1, 8, 8)
    silhouette[0, 2, 5] = 1
    place = torch.tensor([[[5.5, 2.5], [6.0, 2.5], [2.5, 5.5], [-0.6, 2.5]]]) / 8
    assert covered(silhouette, place)[0].tolist() == pytest.approx([1, 0.5, 0, 0], abs=1e-5)
    assert covered(torch.ones(1, 8, 8), place)[0, 3] == 0


def _by_features_alone(lattice):
    """Neither the silhouette nor a point's place nor the code say anything."""
    lattice.of_place.weight.zero_()
    lattice.of_code.weight.zero_()
    lattice.values.weight.copy_(torch.randn(1, lattice.values.in_features))


POINTS = 0.6 * (torch.rand(200, 3, generator=torch.Generator().manual_seed(1)) - 0.5)  # none beside the pictures
MIRROR = torch.tensor([-1.0, 1.0, 1.0])


def test_features_of_a_mirrored_picture_make_the_mirrored_shape():
    field = looking().decoder.field.aligned
    cameras, mirrored = nmr_cameras(VIEWS), mirrored_cameras(nmr_cameras(VIEWS))
    features = torch.randn(3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    rest = torch.zeros(3, 16), torch.ones(3, 64, 64)
    with torch.no_grad():
        _by_features_alone(field)
        seen = [
            field(points.expand(3, -1, 3), field.sight.join(rest[0], as_remembered(c), rest[1], f))
            for points, c, f in ((POINTS, cameras, features), (POINTS * MIRROR, mirrored, features.flip(-1)))
        ]
    assert seen[0].std() > 0.1
    assert torch.allclose(seen[0], seen[1], atol=1e-4)


def test_a_point_sees_what_its_mirror_image_sees():
    field = looking().decoder.field.aligned
    features = torch.randn(3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    code = field.sight.join(torch.zeros(3, 16), as_remembered(nmr_cameras(VIEWS)), torch.ones(3, 64, 64), features)
    pairs = torch.stack([POINTS, POINTS * MIRROR, POINTS * MIRROR.flip(0)])
    with torch.no_grad():
        _by_features_alone(field)
        field.of_picture.weight[:, 4:] = field.of_picture.weight[:, :4]
        values, mirrored, other = (field(points.expand(3, -1, 3), code) for points in pairs)
    assert (values - other).abs().max() > 0.1
    assert torch.allclose(values, mirrored, atol=1e-4)


def test_points_do_not_depend_on_what_else_is_asked():
    """Those that are not covered are left out, and what is looked at is made up to whole blocks."""
    model, images = looking(), pictures()
    with torch.no_grad():
        field = model.decoder.field.aligned
        torch.nn.init.normal_(field.values.weight)
        code = model.encode(images, nmr_cameras(VIEWS))
        points = torch.rand(3, 3000, 3, generator=torch.Generator().manual_seed(2)) - 0.5
        together = field(points, code)
        assert 0.05 < (together > -8).float().mean() < 0.6
        for k in range(3):
            alone = field(points[k : k + 1, :7], code[k : k + 1])
            assert torch.allclose(alone[0], together[k, :7], atol=1e-4)
        assert field(points[:, :0], code).shape == (3, 0)
        nowhere = field(points + 5, code)
    assert (nowhere == -8).all()


def test_the_code_tells_the_camera_where_none_is_given():
    model, images = looking(), pictures()
    with torch.no_grad():
        model.viewpoints.scores[-1].bias[7] += 100
        told, given = model.encode(images), model.encode(images, nmr_cameras([7] * 3))
    assert torch.equal(told, given)
    camera = model.decoder.sight.split(told)[1]
    assert torch.equal(camera, as_remembered(nmr_cameras([7] * 3)))


@pytest.mark.parametrize("name", ["occupancy", "silhouette"])
def test_training_sees_pictures_by_the_cameras_that_took_them(name, tmp_path):
    write_split(tmp_path, "train", {BOXES: TRAIN[BOXES]}, points=64)
    data = NmrShapes(tmp_path, split="train")
    model = looking().train()
    asked = []
    encode = model.encode
    model.encode = lambda images, cameras=None: asked.append(cameras) or encode(images, cameras)
    by = {"silhouette_by": "rays"} if name == "silhouette" else {}
    objective = Objective(model, nmr_cameras(), ObjectiveOptions(name, inputs=1, weights={"viewpoint": 0.1}, **by))
    count = {"views": 1, "points": 32} if name == "occupancy" else {"views": 2, "pixels": 32}
    batch = StepBatches(data, BatchOptions(shapes=4, mirror=True, **count))[0]
    objective(batch)["loss"].backward()
    numbers = torch.where(batch.views[:, 0] < 24, batch.views[:, 0], -batch.views[:, 0]) % 24
    assert model.viewpoints.numbers(asked[0]).tolist() == numbers.tolist()
    assert all(p.grad is not None for p in model.parameters())
    assert float(model.local.fine[0].weight.grad.abs().max()) > 0


@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_where_the_camera_is_not_sure_the_mean_of_probabilities_is_taken(threshold, monkeypatch):
    """At the level from which the best IoU is to be expected; at 1/2 where silhouettes teach the surface."""
    model, images = looking(threshold=threshold), pictures()[:2]
    monkeypatch.setattr("invgraph.svr.refine._TRUST", 0.0)
    with torch.no_grad():
        model.viewpoints.scores[-1].weight.zero_()
        model.viewpoints.scores[-1].bias.fill_(-50).index_fill_(0, torch.tensor([2, 8]), 50.0)
        field = model.decoder.field
        logits = [field.at_nodes(model.encode(images, nmr_cameras([k] * 2))) for k in (2, 8)]
    assert (logits[0] - logits[1]).abs().max() > 1
    mean = torch.stack([x.sigmoid() for x in logits]).mean(0).logit(1e-6)
    for mesh, expected in zip(refined(model, images), mean):
        found = read_lattice(expected[None], field.bounds[None], mesh.verts[None])
        softened = (expected / 1.7).sigmoid().view(1, -1)
        level = 1.7 * best_threshold(softened).logit() if threshold == 0.2 else 0
        assert mesh.num_faces
        assert (found - level).abs().max() < 1e-3


def test_what_cannot_look_says_so():
    for wrong in ({"lattice": 0, "hidden": 8}, {"viewpoints": 0}, {"channels": 3}, {"image_size": 30}):
        with pytest.raises(ValueError, match="aligned: expected 0, or the decoder 'occupancy' with a lattice"):
            ModelOptions(**{**ALIGNED, **wrong})
    with pytest.raises(ValueError, match="aligned: expected 0"):
        ModelOptions(viewpoints=24, lattice=8, aligned=4)
    options = {"decoder": "occupancy", "encoder": "vit", "lattice": 8}
    with pytest.raises(ValueError, match="aligned: expected a whole number from 0 to 1024, got -1"):
        TrainOptions(**options, aligned=-1)
    with pytest.raises(ValueError, match="a multiple of 4, got 3"):
        TrainOptions(**options, aligned=3, image_size=30)
    never_told = Reconstructor(ModelOptions(encoder="vit", code_size=16, **ALIGNED))
    with pytest.raises(ig.InputError, match="viewpoints that it tells apart are no cameras"):
        never_told.reconstruct(pictures())


def test_what_is_not_known_is_not_looked_at():
    """Cameras that differ from shape to shape, pictures without silhouettes, another decoder."""
    options = TrainOptions(decoder="occupancy", lattice=8, aligned=4)
    assert options.for_model(4, 24).aligned == 4
    assert options.for_model(4, 0).aligned == options.for_model(3, 24).aligned == 0
    assert replace(options, decoder="mesh").for_model(4, 24).aligned == 0
