"""Fields in the loop: a torus from a sphere, by rays and by its surface, with the mesh's checkpoints and Ctrl-C."""

import dataclasses
import signal

import pytest
import torch

from invgraph import Cameras, InputError, Views
from invgraph.fields import Torus
from invgraph.fit import Callback, FitOptions, Stage, fit, schedule
from invgraph.geometry import icosphere
from invgraph.metrics import volume_iou
from invgraph.render import render
from invgraph.shapes import FieldShape, Shape, TemplateShape

CENTER = torch.tensor([30.0, -10.0, 20.0])
CARVE = Stage("carve", 1.0, "rays", 25, 0.7, views=4, sigma=4.0, resolution=20)
SURFACE = Stage("surface", 1.0, "antialias", 25, 0.4, views=6, resolution=20)
MESH = Stage("mesh", 1.0, "antialias", 10, 0.04, views=6, vertices=500)
NEAR = Stage("near", 1.0, "closest", 20, 0.3, views=4, sigma=0.25, resolution=20)


@pytest.fixture(scope="module")
def torus() -> Shape:
    return FieldShape(Torus(0.6, 0.27), 32, CENTER, 5.0)


@pytest.fixture(scope="module")
def views(torus: Shape) -> Views:
    directions = torch.nn.functional.normalize(torch.randn(12, 3, generator=torch.Generator().manual_seed(3)), dim=1)
    directions[0] = torch.tensor([0.1, 0.99, 0.1])  # through the hole
    cameras = Cameras.look_at(CENTER + 25 * directions, CENTER, torch.tensor([0.3, 0.1, 1.0]), 25.0, (32, 40))
    return Views(cameras, render(torus.export(), cameras).alpha, None, None, tuple(f"view{i}" for i in range(12)))


class Interrupt(Callback):
    """Ctrl-C at one step."""

    def __init__(self, total: int) -> None:
        self.total = total

    def on_step(self, step) -> None:
        if step.total == self.total:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("kind", "stages", "iou"),
    [("sdf", (CARVE, SURFACE), 0.9), ("occupancy", (CARVE, SURFACE), 0.75), ("sdf", (CARVE, NEAR), 0.9)],
    ids=["sdf", "occupancy", "along rays alone"],
)
def test_a_torus_from_a_sphere(views, torus, kind, stages, iou):
    result = fit(None, views, FitOptions(shape=kind, init="sphere", resolution=20), stages=stages)
    assert (result.mesh.is_closed, result.mesh.euler_characteristic) == (True, 0)
    assert volume_iou(result.mesh, torus.export(), points=20_000) > iou
    assert set(result.seconds) == {"initial shape", *(stage.name for stage in stages)}


def test_interrupted_and_resumed_gives_the_same_bytes(views, tmp_path):
    """Stopped along rays, at the end of that, on the surface, and after the field has become a mesh."""
    options = FitOptions(shape="sdf", init="hull", hull_resolution=16, resolution=12, seed=7)
    stages = [
        dataclasses.replace(stage, steps=3, resolution=stage.resolution and 12) for stage in (CARVE, SURFACE, MESH)
    ]
    whole = fit(None, views, options, stages=stages)
    assert isinstance(whole.shape, TemplateShape)
    for stop in (2, 3, 5, 8):
        path = tmp_path / f"{stop}.pt"
        part = fit(None, views, options, stages=stages, checkpoint=path, callbacks=[Interrupt(stop)])
        assert part.interrupted
        assert part.mesh.is_closed
        rest = fit(None, views, options, stages=stages, checkpoint=path, resume=True)
        assert rest.mesh.verts.numpy().tobytes() == whole.mesh.verts.numpy().tobytes()
        assert torch.equal(rest.mesh.faces, whole.mesh.faces)
        assert [h["loss"] for h in rest.history] == [h["loss"] for h in whole.history]


def test_a_field_that_loses_its_surface_says_so(views):

    def blow_away(step) -> None:
        with torch.no_grad():
            next(step.shape.parameters()).fill_(9.0)

    watcher = Callback()
    watcher.on_step = blow_away
    with pytest.raises(InputError, match=r"the field has no surface: its signed distances run from 8\.\d+ to 9\.\d+"):
        fit(None, views, FitOptions(shape="sdf", init="sphere", resolution=16), stages=[SURFACE], callbacks=[watcher])


def test_schedules_of_fields():
    options = FitOptions(shape="sdf", resolution=128)
    stages = schedule("sphere", options)
    assert [stage.along_rays for stage in stages] == [True, False, False, False]  # rays first: they open holes
    assert [stage.resolution for stage in stages] == [64, 96, 128, None]
    assert stages[-1].vertices == options.vertices
    assert schedule("hull", options) == stages[1:]
    assert schedule("hull", dataclasses.replace(options, polish=False)) == stages[1:-1]
    for way, expected in (("rays", True), ("surface", False)):
        chosen = schedule("sphere", dataclasses.replace(options, silhouette_by=way, polish=False))
        assert {stage.along_rays for stage in chosen} == {expected}


def test_what_does_not_fit_together_is_refused(views):
    template = TemplateShape(icosphere(2, radius=4.0, center=CENTER))
    with pytest.raises(TypeError, match="TemplateShape cannot be seen along rays: expected a FieldShape"):
        fit(template, views, stages=[CARVE])
    with pytest.raises(ValueError, match=r"options.shape: expected 'sdf', as shape is, got 'mesh'"):
        fit(FieldShape(Torus(), 8), views)
    for field, value in (("shape", "cube"), ("resolution", 0), ("silhouette_by", "eye"), ("eikonal", -1.0)):
        with pytest.raises(ValueError, match=f"{field}: expected .* got {value!r}"):
            FitOptions(**{field: value})
