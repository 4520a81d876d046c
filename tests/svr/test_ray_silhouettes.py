"""Silhouettes of decoders along rays: against drawn ones, single rays and finite differences, and learned from."""

import pytest
import torch
from picture_set import BOXES, TRAIN, write_split

from invgraph import InputError, losses, render
from invgraph.data.image_sets import NmrShapes, nmr_cameras
from invgraph.fields import outline_band, ray_logits, sample_pixels
from invgraph.geometry import icosphere
from invgraph.metrics import silhouette_iou
from invgraph.svr import DistanceDecoder, FieldDecoder, MeshDecoder, Reconstructor
from invgraph.svr.batches import StepBatches
from invgraph.svr.objective import Objective
from invgraph.svr.ray_silhouettes import ray_loss, sampled_iou, silhouette_logits
from invgraph.svr.train_options import TrainOptions


def field(code_size=4):
    """An occupancy decoder whose code matters, unlike at the start."""
    torch.manual_seed(0)
    decoder = FieldDecoder(code_size, hidden=8)
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            if "layer1" in name or "gamma" in name or "beta" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))
        decoder.field.network.network.out.weight.mul_(3)
    return decoder


def everywhere(views):
    return torch.arange(64 * 64).expand(1, views, -1)


def test_a_ball_along_rays_is_the_ball_that_is_drawn():
    cameras = nmr_cameras([0, 5])
    decoder = DistanceDecoder(4)
    with torch.no_grad():
        decoder.grow[-1].weight.zero_()
        decoder.grow[-1].bias.zero_()
        logits, terms = silhouette_logits(decoder, torch.zeros(1, 4), cameras, everywhere(2), 0.18)
        drawn = render(icosphere(5, radius=0.35), cameras, mode="antialias").alpha
        alpha = logits[0].sigmoid().view_as(drawn)
        assert (alpha - drawn).abs().max() < 0.16  # a trilinear ball bulges by up to a sixth of a pixel
        assert silhouette_iou(alpha, drawn).min() > 0.98
        assert set(terms) == {"bending", "eikonal", "presence"}
        assert float(alpha[0, 0, 0]) < 1e-6

        occupied = FieldDecoder(4, hidden=8)
        occupied.field.network.network.out.weight.zero_()
        occupied.field.network.network.out.bias.zero_()
        logits, terms = silhouette_logits(occupied, torch.zeros(1, 4), cameras, everywhere(2), 1.0)
        wrong = (logits[0].view_as(drawn) > 0) != (drawn > 0.5)
        assert not (wrong & ((drawn < 0.1) | (drawn > 0.9))).any()
        assert terms == {}


def test_each_code_is_seen_as_its_own_field_is():
    decoder = field().train()
    code, index, cameras = torch.randn(3, 4), torch.randint(64 * 64, (3, 2, 50)), nmr_cameras([0, 5, 9, 2, 1, 14])
    found, _ = silhouette_logits(decoder, code, cameras, index, 1.0)
    assert decoder.field.training
    norms = [m for m in decoder.modules() if hasattr(m, "momentum")]
    assert norms
    assert all(not m.mean.any() and (m.var == 1).all() for m in norms)
    decoder.eval()
    pixels = torch.stack([index % 64, index // 64], -1).flatten(0, 1) + 0.5
    expected = ray_logits(decoder.field, cameras, pixels, code=code.repeat_interleave(2, 0)).view_as(found)
    assert len(expected[0].unique()) > 20
    assert (found[expected < -100] == -50).all()
    seen = expected > -100
    short = expected[seen] - found[seen]
    assert short.median() < 0.01
    assert short.max() < 0.4  # the tip of the ball's cone, which a cell may pass by half its size: 10 a unit
    assert short.min() > -1e-3  # nothing is deeper than the deepest place
    assert (expected[seen].sigmoid() - found[seen].sigmoid()).abs().max() < 0.03


def test_distances_of_a_code_are_seen_alone_as_among_others():
    torch.manual_seed(0)
    decoder, cameras = DistanceDecoder(4), nmr_cameras([0, 5, 9, 2, 1, 14])
    code, index = 30 * torch.randn(3, 4), torch.randint(64 * 64, (3, 2, 50))
    found, _ = silhouette_logits(decoder, code, cameras, index, 1.0)
    alone = [
        silhouette_logits(decoder, code[i : i + 1], cameras[2 * i : 2 * i + 2], index[i : i + 1], 1.0)[0]
        for i in range(3)
    ]
    torch.testing.assert_close(found, torch.cat(alone), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["sdf", "occupancy"])
def test_gradients_are_those_of_finite_differences(kind):
    torch.manual_seed(0)
    decoder = (DistanceDecoder(4) if kind == "sdf" else field()).double()
    code = (10 * torch.randn(2, 4, dtype=torch.float64)).requires_grad_()
    index = torch.randint(64 * 64, (2, 1, 60))
    cameras = nmr_cameras([3, 8]).to(dtype=torch.float64)
    truth = torch.rand(2, 1, 60, dtype=torch.float64)

    def loss(at):
        logits, _ = silhouette_logits(decoder, at, cameras, index, 2.0)
        return ray_loss(logits, truth, torch.ones_like(truth))

    (slope,) = torch.autograd.grad(loss(code), code)
    assert float(slope.norm()) > 1e-5
    step = 1e-5 * slope / slope.norm()
    with torch.no_grad():
        change = (loss(code + step) - loss(code - step)) / 2e-5
    assert float(change) == pytest.approx(float(slope.norm()), rel=0.02)


def test_the_loss_of_sampled_pixels_is_that_of_all():
    torch.manual_seed(0)
    masks = render(icosphere(3, radius=0.3), nmr_cameras([0, 5]), mode="antialias").alpha
    logits = 8 * (masks - 0.4) + torch.randn_like(masks)
    full = losses.silhouette_iou(logits.sigmoid(), masks)
    sample = sample_pixels(outline_band(masks), 4000, generator=torch.Generator().manual_seed(0))
    at = sample.of(logits), sample.of(masks), sample.weights
    assert float(ray_loss(*at)) == pytest.approx(float(full), abs=0.01)
    iou = sampled_iou(*at)
    torch.testing.assert_close(iou, silhouette_iou(logits.sigmoid(), masks), rtol=0, atol=0.01)


@pytest.mark.parametrize(("kind", "least"), [("sdf", 0.9), ("occupancy", 0.7)])
def test_a_code_learns_a_shape_from_its_outlines(kind, least):
    torch.manual_seed(0)
    cameras = nmr_cameras(range(0, 24, 4))
    ball = icosphere(3, radius=1.0).verts
    box = icosphere(3).with_verts(ball.sign() * ball.abs() ** 0.4 * torch.tensor([0.45, 0.12, 0.25]))
    masks = render([box] * 6, cameras, mode="antialias").alpha
    decoder = DistanceDecoder(4) if kind == "sdf" else FieldDecoder(4, hidden=16)
    code, generator = torch.randn(1, 4), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(decoder.parameters(), 0.01)
    for _ in range(30):
        sample = sample_pixels(outline_band(masks), 128, generator=generator)
        logits, terms = silhouette_logits(decoder, code, cameras, sample.index[None], 1.0, ["eikonal"])
        loss = ray_loss(logits, sample.of(masks)[None], sample.weights[None]) + 0.1 * sum(terms.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        seen = render([decoder(code)[0]] * 6, cameras, mode="antialias").alpha
    assert float(silhouette_iou(seen, masks).mean()) > least  # the ball of the start: 0.42


def test_a_mesh_has_no_rays():
    with pytest.raises(InputError, match="need the decoder 'occupancy' or 'sdf', got 'mesh'"):
        silhouette_logits(MeshDecoder(4, level=1), torch.zeros(1, 4), nmr_cameras([0]), everywhere(1), 1.0)
    with pytest.raises(InputError, match="silhouette_by rays: goes with the decoders occupancy and sdf, got mesh"):
        TrainOptions(silhouette_by="rays")


def test_training_along_rays_draws_the_same_pixels_in_any_number_of_processes(tmp_path):
    write_split(tmp_path, "train", {BOXES: TRAIN[BOXES]})
    data = NmrShapes(tmp_path, split="train")
    options = TrainOptions(decoder="occupancy", encoder="vit", code_size=8, batch=2, hidden=8, pixels=40)
    whole = StepBatches(data, options.for_batches())[1]
    parts = [StepBatches(data, options.for_batches(), (2, rank))[1] for rank in range(2)]
    assert whole.pixels.shape == whole.pixel_weights.shape == (2, 2, 40)
    for name in ("pixels", "pixel_weights"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    torch.manual_seed(0)
    model = Reconstructor(options.for_model())
    objective = Objective(model, nmr_cameras(), options.for_objective())
    terms = objective(whole, 0.2)
    both = torch.stack([objective(part, 0.2)["loss"] for part in parts]).mean()
    assert float(terms["loss"].detach()) == pytest.approx(float(both.detach()), abs=1e-5)
    terms["loss"].backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())
