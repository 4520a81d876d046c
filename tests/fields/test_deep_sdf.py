"""The decoder of DeepSDF, and codes found by descent."""

import signal

import pytest
import torch

from invgraph.errors import InputError
from invgraph.fields import AutoDecoder, DeepSDF, Sphere


def boxes(count, generator, samples=2000):
    """Boxes with round edges, of two sizes each: points and distances of uniform samples."""
    sizes = 0.25 + 0.4 * torch.rand(count, 2, generator=generator)
    points = 2 * torch.rand(count, samples, 3, generator=generator) - 1
    beyond = points.abs() - torch.stack([sizes[:, 0], sizes[:, 1], sizes[:, 0]], 1)[:, None]
    return points, beyond.clamp(min=0).norm(dim=-1) + beyond.amax(-1).clamp(max=0) - 0.1


def iou(values, distances):
    truth, found = distances < 0, values < 0
    return float((truth & found).sum() / (truth | found).sum())


def test_learns_a_family_and_finds_the_code_of_a_stranger():
    generator = torch.Generator().manual_seed(0)
    points, distances = boxes(12, generator)
    model = AutoDecoder(DeepSDF(4, hidden=48), shapes=12)
    seen = []
    options = {"steps": 150, "shapes": 6, "samples": 256, "learning_rate": 5e-3}
    history = model.fit(points, distances, **options, progress=lambda *step: seen.append(step))
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    assert (len(seen), seen[-1][0], set(seen[-1][2])) == (150, 150, {"distance", "prior", "loss"})
    with torch.no_grad():
        assert iou(model.decoder(points, model.codes), distances) > 0.93
    new_points, new_distances = boxes(1, generator, 4000)
    before = [p.clone() for p in model.parameters()]
    code = model.infer(new_points[0, :1000], new_distances[0, :1000], steps=100)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))
    with torch.no_grad():
        assert iou(model.decoder(new_points[0], code), new_distances[0]) > 0.84
        assert iou(model.decoder(new_points[0], model.codes.mean(0)), new_distances[0]) < 0.8  # the code matters
    assert torch.equal(code, model.infer(new_points[0, :1000], new_distances[0, :1000], steps=100))


def test_the_paper_s_network():
    field = DeepSDF()
    assert [tuple(layer.weight.shape) for layer in field.layers] == [
        (512, 259), (512, 512), (512, 512), (253, 512), (512, 512), (512, 512), (512, 512), (512, 512)
    ]  # fmt: skip
    code, points = torch.randn(2, 256), torch.randn(2, 5, 3)
    beside = torch.cat([code[:, None].expand(-1, 5, -1), points], -1)
    x = beside
    for k, layer in enumerate(field.layers):
        x = torch.relu(layer(torch.cat([x, beside], -1) if k == 4 else x))
    torch.testing.assert_close(field(points, code), torch.tanh(field.out(x)).squeeze(-1))
    torch.testing.assert_close(field(points[1], code[1]), field(points, code)[1])
    scale = field.layers[2].parametrizations.weight.original0
    torch.testing.assert_close(field.layers[2].weight.norm(dim=1, keepdim=True), scale)  # weight normalisation


@pytest.mark.parametrize("code_size", [0, 2])
def test_twice_differentiable(code_size):
    field = DeepSDF(code_size, hidden=16, layers=4, skip=2).double()
    code = torch.randn(code_size, dtype=torch.double) if code_size else None
    points = torch.randn(5, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: field(p, code), points)
    assert torch.autograd.gradgradcheck(lambda p: field(p, code).square(), points)


def test_resumes_where_it_stopped(tmp_path):
    points, distances = boxes(3, torch.Generator().manual_seed(0), 100)

    def model():
        torch.manual_seed(0)
        return AutoDecoder(DeepSDF(2, hidden=8), shapes=3)

    options = {"steps": 6, "shapes": 2, "samples": 20, "checkpoint": tmp_path / "c.pt"}
    whole = model()
    history = whole.fit(points, distances, **options)

    def stop(step, steps, terms):
        if step == 4:
            signal.raise_signal(signal.SIGINT)  # as Ctrl-C: the step is finished, the checkpoint written

    halves = model()
    assert len(halves.fit(points, distances, **options, progress=stop)["loss"]) == 4
    halves = model()
    assert halves.fit(points, distances, **options, resume=True) == history
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), halves.parameters()))
    with pytest.raises(InputError, match="another module"):
        AutoDecoder(DeepSDF(3, hidden=8), shapes=3).fit(points, distances, **options, resume=True)


def test_refuses():
    with pytest.raises(ValueError, match="hidden"):
        DeepSDF(256, hidden=256)
    with pytest.raises(ValueError, match="skip"):
        DeepSDF(4, hidden=16, skip=8)
    with pytest.raises(ValueError, match="decoder"):
        AutoDecoder(Sphere(), shapes=3)
    model = AutoDecoder(DeepSDF(2, hidden=8), shapes=2)
    points, distances = torch.zeros(2, 5, 3), torch.zeros(2, 5)
    distances[1, 3] = torch.nan
    with pytest.raises(InputError, match="distances of shape 1: expected finite numbers, got 1 of 5"):
        model.fit(points, distances)
    with pytest.raises(InputError, match="each of 2 shapes"):
        model.fit(points[:1], distances[:1])
    with pytest.raises(InputError, match=r"\(5, 2\)"):
        model.infer(points[0, :, :2], distances[0])
