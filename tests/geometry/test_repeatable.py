"""Gradients of a mesh's terms have the same bytes every time, on several threads too."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from invgraph import losses
from invgraph.geometry import Mesh, icosphere, sample_surface
from invgraph.shapes import TemplateShape

TERMS: dict[str, Callable[[Mesh], Tensor]] = {
    "normals": lambda mesh: mesh.face_normals().pow(3).sum(),
    "edges": lambda mesh: mesh.edge_lengths().sin().sum(),
    "bending": lambda mesh: losses.laplacian_uniform(mesh),
    "cotangent": lambda mesh: losses.laplacian_cotangent(mesh),
    "smoothness": lambda mesh: losses.smoothness(mesh),
    "samples": lambda mesh: sample_surface(mesh, 30_000, torch.Generator().manual_seed(0))[0].pow(3).sum(),
}


def gradient(mesh: Mesh, term: Callable[[Mesh], Tensor]) -> bytes:
    verts = mesh.verts.clone().requires_grad_()
    term(mesh.with_verts(verts)).backward()
    assert verts.grad is not None
    return verts.grad.numpy().tobytes()


def distorted_sphere() -> Mesh:
    ball = icosphere(5)
    noise = torch.randn(ball.verts.shape, generator=torch.Generator().manual_seed(1))
    return ball.with_verts(ball.verts + 0.01 * noise)


@pytest.mark.parametrize("name", TERMS)
def test_gradients_of_terms(name: str) -> None:
    mesh = distorted_sphere()
    assert len({gradient(mesh, TERMS[name]) for _ in range(10)}) == 1


def test_gradients_of_regularizers() -> None:
    mesh = distorted_sphere()

    def once() -> bytes:
        shape = TemplateShape(mesh)
        sum(shape.regularizers().values(), torch.zeros(())).backward()
        assert isinstance(shape.verts.grad, Tensor)
        return shape.verts.grad.numpy().tobytes()

    assert len({once() for _ in range(10)}) == 1
