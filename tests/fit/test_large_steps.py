"""The preconditioner against dense algebra, and what it is for."""

import pytest
import torch
from torch.nn.utils import parametrize

from invgraph.fit.adam_uniform import AdamUniform
from invgraph.fit.large_steps import LargeSteps
from invgraph.geometry import icosphere
from invgraph.shapes import TemplateShape


def dense_system(topology, smoothing):
    size = topology.num_verts
    adjacency = torch.zeros(size, size, dtype=torch.float64)
    a, b = topology.edges.T
    adjacency[a, b] = adjacency[b, a] = 1.0
    return torch.eye(size, dtype=torch.float64) + smoothing * (torch.diag(adjacency.sum(1)) - adjacency)


def test_is_the_inverse_of_the_dense_system_both_ways():
    mesh = icosphere(2, dtype=torch.float64)
    system = LargeSteps(mesh.topology, 19.0)
    dense = dense_system(mesh.topology, 19.0)
    u = torch.randn(mesh.num_verts, 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(dense @ system(u), u)
    torch.testing.assert_close(system.right_inverse(mesh.verts), dense @ mesh.verts)
    upstream = torch.randn_like(u)
    (grad,) = torch.autograd.grad(system(u), u, upstream)
    torch.testing.assert_close(grad, torch.linalg.solve(dense, upstream))
    assert torch.autograd.gradcheck(system, u[:, :1].detach().requires_grad_())


def test_keeps_dtype_and_rejects_other_sizes():
    mesh = icosphere(1)
    system = LargeSteps(mesh.topology, 19.0)
    assert system(mesh.verts).dtype == torch.float32
    with pytest.raises(ValueError, match="42"):
        system(mesh.verts[:-1])
    with pytest.raises(ValueError, match="smoothing"):
        LargeSteps(mesh.topology, float("nan"))


def test_spreads_a_single_vertex_gradient_smoothly():
    """One pulled vertex moves its surroundings too, while plain descent tears out a spike."""
    shape = TemplateShape(icosphere(3))
    before = shape().verts.detach().clone()
    parametrize.register_parametrization(shape, "verts", LargeSteps(shape().topology, 19.0))
    torch.testing.assert_close(shape().verts, before)
    optimizer = AdamUniform(shape.parameters(), lr=0.5)
    shape().verts[0, 2].neg().backward()
    optimizer.step()
    moved = (shape().verts - before)[:, 2].detach()
    neighbours = shape().topology.edges[(shape().topology.edges == 0).any(1)].sum(1)
    assert moved[0] > 0
    assert moved[neighbours].min() > 0.5 * moved[0]
    parametrize.remove_parametrizations(shape, "verts")
    torch.testing.assert_close((shape().verts - before)[:, 2], moved)


def test_adam_uniform_divides_by_the_largest_second_moment():
    param = torch.nn.Parameter(torch.zeros(3))
    optimizer = AdamUniform([param], lr=0.1, betas=(0.9, 0.99))
    for grad in ([4.0, -2.0, 0.0], [4.0, 6.0, 0.0]):
        param.grad = torch.tensor(grad)
        optimizer.step()
    first = 0.1 * torch.tensor([4.0, -2.0, 0.0]) / 4.0
    mean = (0.9 * 0.1 * torch.tensor([4.0, -2.0, 0.0]) + 0.1 * torch.tensor([4.0, 6.0, 0.0])) / (1 - 0.9**2)
    square = (0.99 * 0.01 * torch.tensor([16.0, 4.0, 0.0]) + 0.01 * torch.tensor([16.0, 36.0, 0.0])) / (1 - 0.99**2)
    torch.testing.assert_close(param.detach(), -first - 0.1 * mean / square.max().sqrt())
