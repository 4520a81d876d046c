"""Points to a field to a mesh."""

import signal
from pathlib import Path

import pytest
import torch

import invgraph.fields.points_fit
from invgraph import InputError, Mesh
from invgraph.fields import FitPointsOptions, PointCloud, Torus, extract_mesh, fit_points
from invgraph.fields.conjugate_gradients import conjugate_gradients
from invgraph.fields.points_grid import HALF, SpectralGrid
from invgraph.fields.points_normals import fit_planes, orient_normals
from invgraph.fields.points_poisson import poisson_mesh
from invgraph.fields.points_surface import Surface
from invgraph.geometry import icosphere, load_mesh, sample_surface
from invgraph.metrics import evaluate, volume_iou


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few samples and steps as tests need."""
    training = {"grid": (60, 4096, 1e-2), "siren": (150, 250, 5e-4), "occupancy": (100, 500, 2e-3)}
    monkeypatch.setattr(invgraph.fields.points_fit, "_TRAINING", training)
    monkeypatch.setattr(invgraph.fields.points_fit, "_SAMPLES", 30_000)


def ring(count: int, noise: float = 0.0) -> tuple[Mesh, torch.Tensor, torch.Tensor]:
    """A torus in [-0.9, 0.9]^3, points on it, and its normals there."""
    generator = torch.Generator().manual_seed(0)
    mesh = extract_mesh(Torus(0.6, 0.25), resolution=16).mesh
    points, normals, _ = sample_surface(mesh, count, generator)
    return mesh, points + noise * torch.randn(points.shape, generator=generator), normals


def test_transfers_and_potentials_are_each_other_s_transpose() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand((50, 3), generator=generator, dtype=torch.float64) * 2 - 1
    grid = SpectralGrid(points, 16, HALF, blur=0.1)
    a, v = torch.randn(50, generator=generator).double(), torch.randn((50, 3), generator=generator).double()
    u = torch.randn((16, 16, 16), generator=generator).double()
    assert float((grid.spread(a) * u).sum()) == pytest.approx(float((a * grid.read(u)).sum()))
    assert float((grid.potential(v) * u).sum()) == pytest.approx(float((v * grid.potential_transposed(u)).sum()))
    assert torch.allclose(grid.laplace(grid.smooth(u, 3.0)) + 3.0 * grid.cell**3 * grid.smooth(u, 3.0), u)


def test_conjugate_gradients_solve() -> None:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn((12, 12), generator=generator, dtype=torch.float64)
    matrix, right = root @ root.T + torch.eye(12), torch.randn(12, generator=generator, dtype=torch.float64)
    for diagonal in (None, matrix.diagonal()):
        x = conjugate_gradients(
            lambda v: matrix @ v,
            right,
            steps=60,
            start=None if diagonal is None else right,
            preconditioner=None if diagonal is None else lambda r, d=diagonal: r / d,
            tolerance=1e-10,
        )
        assert torch.allclose(matrix @ x, right)


def test_normals_of_a_noisy_ring_point_outward() -> None:
    truth, points, normals = ring(3000, noise=0.018)
    planes = fit_planes(points)
    assert planes.noise == pytest.approx(0.018, rel=0.2)
    assert float(planes.areas.sum()) == pytest.approx(float(truth.face_areas().sum()), rel=0.15)
    found = orient_normals(points, planes)
    assert float(((found * normals).sum(1) > 0).float().mean()) > 0.995
    mesh = poisson_mesh(points, found, planes)
    assert mesh.is_closed
    assert mesh.euler_characteristic == 0
    assert volume_iou(mesh, truth, points=20_000) > 0.95
    # normals of the other side are taken for what they are
    assert torch.equal(poisson_mesh(points, -found, planes).verts, mesh.verts)


def test_lone_points_make_no_islands() -> None:
    _, points, _ = ring(3000)
    astray = torch.rand((30, 3), generator=torch.Generator().manual_seed(1)) * 1.8 - 0.9
    points = torch.cat([points, astray])
    planes = fit_planes(points)
    assert poisson_mesh(points, orient_normals(points, planes), planes).euler_characteristic == 0


@pytest.mark.parametrize("field", ["grid", "siren", "occupancy"])
def test_every_field_in_the_cloud_s_own_frame(field: str) -> None:
    truth, points, normals = ring(2000)
    far = torch.tensor([5e3, -20.0, 7.0]).double()
    cloud = PointCloud(far + 30 * points.double(), normals if field == "siren" else None)
    options = FitPointsOptions(field=field, resolution=48)  # type: ignore[arg-type]
    result = fit_points(cloud, options)
    assert result.mesh.is_closed
    assert not result.interrupted
    moved = truth.with_verts((far + 30 * truth.verts.double()).float())
    assert volume_iou(result.mesh, moved, points=20_000) > {"grid": 0.9, "siren": 0.85, "occupancy": 0.5}[field]
    inside = result.field((far + torch.tensor([18.0, 0, 0]) - result.center).float() / result.scale)
    assert bool(result.field.inside(inside))


def test_resumed_is_the_same(tmp_path: Path) -> None:
    cloud = PointCloud(ring(500)[1])
    options = FitPointsOptions(effort=0.1, resolution=32, faces=600)
    whole = fit_points(cloud, options)
    calls = []

    def stop(step: int, steps: int, terms: dict[str, float]) -> None:
        calls.append(step)
        if step == 3:
            signal.raise_signal(signal.SIGINT)

    part = fit_points(cloud, options, progress=stop, checkpoint=tmp_path / "c.pt")
    assert part.interrupted
    assert calls == [1, 2, 3]
    assert part.mesh.is_closed
    rest = fit_points(cloud, options, checkpoint=tmp_path / "c.pt", resume=True)
    assert rest.losses == whole.losses
    assert torch.equal(rest.mesh.verts, whole.mesh.verts)
    assert rest.mesh.num_faces == 600


@pytest.mark.parametrize(("turn", "warning"), [("all", "point inward"), ("half", "not turned to one side")])
def test_given_normals_of_the_wrong_side(turn: str, warning: str) -> None:
    truth, points, normals = ring(1500)
    sign = torch.ones(1500) if turn == "all" else torch.arange(1500) % 2 * 2.0 - 1
    with pytest.warns(UserWarning, match=warning):
        surface = Surface.of(PointCloud(points, -sign[:, None] * normals), FitPointsOptions(noise=0))
    assert volume_iou(surface.mesh, truth.with_verts((truth.verts - surface.center.float()) / surface.scale)) > 0.97
    assert float((surface.normals * normals).sum(1).min()) > 0.9


def test_a_surface_that_the_points_do_not_hold_is_warned_about() -> None:
    points = sample_surface(icosphere(3), 1500, 0)[0]
    with pytest.warns(UserWarning, match="reaches beyond the points"):
        Surface.of(PointCloud(points[points[:, 2] > 0]), FitPointsOptions())


def test_a_mesh_that_is_open_and_inside_out() -> None:
    ball = icosphere(3)
    open_ball = Mesh(ball.verts, ball.faces[ball.verts[ball.faces].mean(1)[:, 2] < 0.9].flip(1))
    result = fit_points(open_ball, FitPointsOptions(effort=0.5, resolution=32))
    assert result.mesh.is_closed
    assert volume_iou(result.mesh, ball, points=20_000) > 0.9


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(InputError, match="has no normals, which are asked for"):
        fit_points(PointCloud(ring(100)[1]), FitPointsOptions(normals="given"))
    flat = Mesh(torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), torch.tensor([[0, 1, 2]]))
    with pytest.raises(InputError, match="encloses no volume"):
        fit_points(flat)
    for name, value in (("noise", 0.5), ("points", 3), ("effort", 0), ("resolution", 30), ("field", "mesh")):
        with pytest.raises(ValueError, match=f"{name}: expected"):
            FitPointsOptions(**{name: value})


def test_a_resolution_that_cannot_fit_is_refused_before_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = PointCloud(ring(100)[1])
    monkeypatch.setattr("invgraph.fields.extract.available_memory", lambda: 10**6)
    monkeypatch.setattr("invgraph.fields.points_fit.fit_samples", None)
    with pytest.raises(InputError, match=r"resolution: a grid of 512 cells .* GB are available"):
        fit_points(cloud, FitPointsOptions(resolution=512))


def test_spot_from_noisy_points_without_normals(shared_data: Path) -> None:
    truth, generator = load_mesh(shared_data / "spot/views24/gt.ply"), torch.Generator().manual_seed(0)
    points, _, _ = sample_surface(truth, 10_000, generator)
    low, high = truth.bounding_box()
    noisy = points + 0.01 * float((high - low).max()) * torch.randn(points.shape, generator=generator)
    surface = Surface.of(PointCloud(noisy), FitPointsOptions())
    found = Mesh((surface.center + surface.scale * surface.mesh.verts.double()).float(), surface.mesh.faces)
    scores = evaluate(found, truth, points=20_000)
    assert scores["volume_iou"] > 0.96
    assert scores["normal_consistency"] > 0.97
    assert found.euler_characteristic == 2
    assert surface.noise == pytest.approx(0.01, rel=0.2)
