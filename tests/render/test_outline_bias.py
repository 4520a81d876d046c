"""Where a fit through each mode settles beside the true outline, in pixels."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

import invgraph as ig
from invgraph.geometry import Mesh, icosphere

SIZE = 256
SIGMAS = (0.5, 1.0, 4.0, 16.0)
FINER = 8  # samples a pixel's side for true coverage


def camera(distance: float, size: int = SIZE) -> ig.Cameras:
    # slanted, so that no outline runs along the pixels
    eye = torch.nn.functional.normalize(torch.tensor([0.5, 0.62, -1.0], dtype=torch.float64), dim=0) * distance
    return ig.Cameras.look_at(eye[None], [0.003, 0.007, 0.002], [0.1, 1, 0], 40, (size, size))


def bumpy_sphere() -> Mesh:
    """A closed shape with hollows, whose folds and bumps hide one another."""
    sphere = icosphere(4).to(dtype=torch.float64)
    x, y, z = sphere.verts.unbind(-1)
    radius = 1 + 0.25 * torch.sin(3 * x + 1) * torch.cos(4 * y) + 0.12 * torch.sin(7 * z + 2 * x)
    return sphere.with_verts(sphere.verts * 0.8 * radius[:, None])


def spot(shared_data) -> Mesh:
    mesh = ig.load_mesh(shared_data / "spot" / "views24" / "gt.ply").to(dtype=torch.float64)
    centre = (mesh.verts.amin(0) + mesh.verts.amax(0)) / 2
    verts = mesh.verts - centre
    return mesh.with_verts(verts / verts.norm(dim=-1).amax())


def true_coverage(mesh: Mesh, distance: float) -> Tensor:
    fine = ig.render(mesh, camera(distance, SIZE * FINER), mode="hard").alpha
    return F.avg_pool2d(fine, FINER)


def families(mesh: Mesh, cameras: ig.Cameras, distance: float) -> dict[str, Callable[[float], Mesh]]:
    """Motions of the mesh by a number of pixels of its outline."""
    pixel = distance / float(cameras.K[0, 0, 0])  # world units, at the object's middle
    normals = mesh.vertex_normals()
    right, down, _ = cameras.R[0].unbind(0)
    return {
        "outwards": lambda pixels: mesh.with_verts(mesh.verts + pixels * pixel * normals),
        "right": lambda pixels: mesh.with_verts(mesh.verts + pixels * pixel * right),
        "down": lambda pixels: mesh.with_verts(mesh.verts + pixels * pixel * down),
    }


def optimum(
    mesh: Mesh, target: Tensor, distance: float, mode: str, sigma: float, family: str, loss=ig.losses.mse
) -> float:
    """Where the loss against the true coverage is least, in pixels from the truth."""
    cameras = camera(distance)
    move = families(mesh, cameras, distance)[family]

    def error(pixels: float) -> float:
        return float(loss(ig.render(move(pixels), cameras, mode=mode, sigma=sigma).alpha, target))

    start = min((float(x) for x in torch.arange(-3.0, 3.0)), key=error)
    return float(minimize_scalar(error, bounds=(start - 1, start + 1), method="bounded", options={"xatol": 1e-3}).x)


@pytest.mark.parametrize("name", ["sphere", "bumpy", "spot"])
def test_optimum_is_the_true_outline(name, request):
    if name == "spot":
        mesh = spot(request.getfixturevalue("shared_data"))
    else:
        mesh = {"sphere": icosphere(4).to(dtype=torch.float64), "bumpy": bumpy_sphere()}[name]
    target = true_coverage(mesh, 4.0)
    for sigma in SIGMAS:
        for family in ("outwards", "right", "down"):
            assert abs(optimum(mesh, target, 4.0, "outline", sigma, family)) < 0.02, (sigma, family)


def test_the_soft_silhouette_settles_beside_it():
    """What the outline mode is for."""
    sphere = icosphere(4).to(dtype=torch.float64)
    assert optimum(sphere, true_coverage(sphere, 4.0), 4.0, "soft", 4.0, "outwards") < -0.3


@pytest.mark.parametrize("radius", [10.0, 25.0])
def test_bias_on_a_disc_is_the_one_of_the_docstring(radius):
    """Squared error against a disc is least s^2 / (4 R) inside it."""
    sigma = 16.0
    s2 = sigma * math.log(1e4 - 1) / math.log(5000) ** 2
    sphere = icosphere(5).to(dtype=torch.float64)
    distance = 200.0  # nearly parallel rays
    small = sphere.with_verts(sphere.verts * radius * distance / float(camera(distance).K[0, 0, 0]))
    bias = optimum(small, true_coverage(small, distance), distance, "outline", sigma, "outwards")
    assert bias == pytest.approx(-s2 / (4 * radius), abs=0.008)
