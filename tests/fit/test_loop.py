"""The loop on a small ellipsoid off the origin: it fits, resumes to the same bytes, and stops in good order."""

import dataclasses
import json
import math
import signal

import pytest
import torch

from invgraph import Cameras, InputError, Mesh, Views
from invgraph.fit import Callback, FitOptions, NonFiniteError, Stage, fit
from invgraph.geometry import icosphere
from invgraph.render import render
from invgraph.shapes import Shape, TemplateShape

CENTER = torch.tensor([30.0, -10.0, 20.0])
STAGES = (
    Stage("coarse", image_scale=0.5, mode="soft", steps=6, learning_rate=1e-1, views=3, vertices=200),
    Stage("fine", image_scale=1.0, mode="antialias", steps=10, learning_rate=1e-1, views=3, vertices=300),
)


def ellipsoid() -> Mesh:
    sphere = icosphere(3)
    return sphere.with_verts(sphere.verts * torch.tensor([5.0, 7.0, 4.0]) + CENTER)


@pytest.fixture(scope="module")
def views() -> Views:
    directions = torch.nn.functional.normalize(torch.randn(7, 3, generator=torch.Generator().manual_seed(5)), dim=1)
    up = torch.tensor([0.3, 0.1, 1.0])
    cameras = Cameras.look_at(CENTER + 25 * directions, CENTER.expand(7, 3), up.expand(7, 3), 45.0, (40, 56))
    masks = render(ellipsoid(), cameras, mode="antialias").alpha
    return Views(cameras, masks, None, None, tuple(f"view{i}" for i in range(7)), "a test")


def sphere() -> TemplateShape:
    return TemplateShape(icosphere(2, radius=4.0, center=CENTER))


class At(Callback):
    """Calls a function at one step."""

    def __init__(self, total, action):
        self.total, self.action, self.closed = total, action, False

    def on_step(self, step):
        if step.total == self.total:
            self.action()

    def close(self):
        self.closed = True


def same_bytes(a: Mesh, b: Mesh) -> bool:
    return a.verts.numpy().tobytes() == b.verts.numpy().tobytes() and torch.equal(a.faces, b.faces)


@pytest.mark.parametrize("optimizer", ["large-steps", "adam"])
def test_fits_in_the_world_frame(views, optimizer):
    # a start so far off asks plain Adam for larger steps than the default, which is for refinement
    options = FitOptions(holdout=2, optimizer=optimizer)
    rate = {"large-steps": 0.2, "adam": 1.0}[optimizer]
    stages = [dataclasses.replace(stage, steps=40, learning_rate=rate) for stage in STAGES]
    result = fit(sphere(), views, options, stages=stages)
    truth = ellipsoid()
    assert result.mesh.is_closed
    assert result.metrics["silhouette_iou"]["train"]["mean"] > 0.96
    assert result.metrics["silhouette_iou"]["held_out"]["mean"] > 0.92
    assert float(result.mesh.volume()) == pytest.approx(float(truth.volume()), rel=0.15)
    torch.testing.assert_close(result.mesh.bounding_box(), truth.bounding_box(), atol=1.0, rtol=0)
    assert json.loads(result.metrics_json())["iterations"] == 80
    assert set(result.seconds) == {"initial shape", "coarse", "fine"}


@pytest.mark.parametrize("stop", [4, 6, 11])
def test_interrupted_and_resumed_gives_the_same_bytes(views, tmp_path, stop):
    """Stopped inside a stage, at its end, and in the middle of an epoch of the next."""
    options = FitOptions(seed=7)
    whole = fit(sphere(), views, options, stages=STAGES)
    path = tmp_path / "checkpoint.pt"
    watcher = At(stop, lambda: signal.raise_signal(signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    part = fit(sphere(), views, options, stages=STAGES, checkpoint=path, callbacks=[watcher])
    assert part.interrupted
    assert watcher.closed
    assert len(part.history) == stop
    assert part.mesh.is_closed
    assert bool(part.mesh.verts.isfinite().all())
    assert signal.getsignal(signal.SIGINT) is before  # ignored, where the tests run in the background
    rest = fit(None, views, options, stages=STAGES, checkpoint=path, resume=True)
    assert not rest.interrupted
    assert same_bytes(rest.mesh, whole.mesh)
    assert [h["loss"] for h in rest.history] == [h["loss"] for h in whole.history]


class Ellipsoid(Shape):
    """Not a template: three radii and a centre."""

    def __init__(self) -> None:
        super().__init__(center=CENTER + 1.0, scale=5.0)
        self.sphere = icosphere(3)
        self.log_radii = torch.nn.Parameter(torch.zeros(3))
        self.offset = torch.nn.Parameter(torch.zeros(3))

    def forward(self) -> Mesh:
        return self.sphere.with_verts(self.sphere.verts * self.log_radii.exp() + self.offset)


def test_drives_any_shape_and_resumes_it(views, tmp_path):
    stages = (Stage("all", image_scale=1.0, mode="antialias", steps=60, learning_rate=1.0, views=7),)
    whole = fit(Ellipsoid(), views, stages=stages)
    shape = whole.shape
    torch.testing.assert_close(shape.log_radii.detach().exp() * 5, torch.tensor([5.0, 7.0, 4.0]), atol=0.1, rtol=0)
    torch.testing.assert_close(whole.mesh.verts.mean(0), CENTER, atol=0.1, rtol=0)
    path = tmp_path / "checkpoint.pt"
    watcher = At(23, lambda: signal.raise_signal(signal.SIGINT))
    fit(Ellipsoid(), views, stages=stages, checkpoint=path, callbacks=[watcher])
    with pytest.raises(ValueError, match="shape: the run to resume"):
        fit(None, views, stages=stages, checkpoint=path, resume=True)
    assert same_bytes(fit(Ellipsoid(), views, stages=stages, checkpoint=path, resume=True).mesh, whole.mesh)


def test_seed_decides_the_bytes(views):
    first, again, other = (fit(sphere(), views, FitOptions(seed=s), stages=STAGES).mesh for s in (1, 1, 2))
    assert same_bytes(first, again)
    assert not same_bytes(first, other)


def test_unknown_pixels_are_ignored(views):
    known = torch.ones_like(views.masks, dtype=torch.bool)
    known[:, :, :20] = False
    meshes = []
    for value in (0.0, 1.0):
        masks = torch.where(known, views.masks, value)
        meshes.append(fit(sphere(), dataclasses.replace(views, masks=masks, known=known), stages=STAGES).mesh)
    assert same_bytes(*meshes)


def test_a_nonfinite_loss_names_stage_step_and_views(views):
    shape = sphere()

    def poison() -> None:
        with torch.no_grad():
            next(shape.parameters())[0] = math.nan

    stages = [dataclasses.replace(stage, vertices=None) for stage in STAGES]
    watcher = At(2, poison)
    with pytest.raises(NonFiniteError, match=r"step 3 of stage 'coarse', views view\d"):
        fit(shape, views, stages=stages, callbacks=[watcher])
    assert watcher.closed


def test_resume_needs_the_same_run(views, tmp_path):
    path = tmp_path / "checkpoint.pt"
    fit(sphere(), views, FitOptions(), stages=STAGES[:1], checkpoint=path)
    with pytest.raises(InputError, match=r"smoothing: the run to resume has 1\.0, got 5\.0"):
        fit(None, views, FitOptions(smoothing=5.0), stages=STAGES, checkpoint=path, resume=True)
    with pytest.raises(InputError, match="stages: not those"):
        fit(None, views, FitOptions(), stages=STAGES, checkpoint=path, resume=True)
    with pytest.raises(InputError, match="not the views"):
        fit(None, views[[0, 1, 2]], FitOptions(), stages=STAGES, checkpoint=path, resume=True)
    with pytest.raises(InputError, match="at least 2 views"):
        fit(sphere(), views, FitOptions(holdout=6))
