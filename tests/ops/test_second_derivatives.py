"""Second derivatives: right for the soft silhouette, an error for every other primitive, never zero in silence."""

import pytest
import torch
from every_op import NAMES, op
from scenes import random_soup
from torch.func import grad, jacrev, vmap

from invgraph import ops
from invgraph.ops._silhouette_pairs import gradient_by_pairs


def packed(points):
    """Two images of a soup of six faces as one packed batch."""
    return points.reshape(-1, 2), torch.arange(36).reshape(12, 3), torch.tensor([[0, 6], [6, 12]])


@pytest.mark.parametrize("sigma", [0.7, 6.0])
def test_the_pairs_give_the_kernels_gradient(sigma):
    points, faces = random_soup(40, 30, images=2)
    uv = points[..., :2].contiguous()
    uv[0, 3] = float("nan")
    uv[1, 7, 0] = 1e16
    uv[0, 10] = uv[0, 9]  # an edge of no length
    uv.requires_grad_()
    weight = torch.randn(2, 33, 41, dtype=torch.float64)
    (ours,) = torch.autograd.grad((ops.soft_silhouette(uv, faces, (33, 41), sigma) * weight).sum(), uv)
    reach = 9.210240366975849
    theirs = gradient_by_pairs(uv.detach(), weight, faces, None, sigma, reach)
    for gradient in (ours, theirs):  # which end of an edge of no length is the nearer one is a matter of rounding
        gradient[0, 9] += gradient[0, 10].clone()
        gradient[0, 10] = 0
    torch.testing.assert_close(theirs, ours)


def test_gradgradcheck():
    points, faces = random_soup(4, 9)
    uv = points[..., :2].clone().requires_grad_()
    silhouette = lambda p: ops.soft_silhouette(p, faces, (9, 11), 1.7, min_probability=1e-14)  # noqa: E731
    assert torch.autograd.gradgradcheck(silhouette, uv, atol=1e-6)


def test_packed_second_derivatives():
    points, _ = random_soup(6, 12, images=2)
    uv = points[..., :2].contiguous().requires_grad_()
    flat, faces, ranges = packed(uv)
    results = []
    for alpha in (
        ops.soft_silhouette(uv, faces[:6], (12, 12), 2.0),
        ops.soft_silhouette(flat, faces, (12, 12), 2.0, ranges=ranges),
    ):
        (first,) = torch.autograd.grad(alpha.square().sum(), uv, create_graph=True)
        results.append(torch.autograd.grad(first.square().sum(), uv)[0])
    assert bool(results[0].any())
    torch.testing.assert_close(*results)


def test_third_derivatives_and_hessians_through_torch_func():
    points, faces = random_soup(2, 6)
    uv = points[..., :2].contiguous()
    loss = lambda p: ops.soft_silhouette(p, faces, (6, 6), 1.5).square().sum()  # noqa: E731
    hessian = jacrev(grad(loss))(uv).reshape(uv.numel(), uv.numel())
    leaf = uv.clone().requires_grad_()
    (first,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
    rows = [torch.autograd.grad(g, leaf, retain_graph=True)[0].reshape(-1) for g in first.reshape(-1)]
    torch.testing.assert_close(hessian, torch.stack(rows))
    torch.testing.assert_close(hessian, hessian.T)

    direction = torch.randn_like(uv)
    curvature = lambda p: (grad(lambda q: (grad(loss)(q) * direction).sum())(p) * direction).sum()  # noqa: E731
    third = (grad(curvature)(uv) * direction).sum()
    h = 1e-5
    torch.testing.assert_close(
        third, (curvature(uv + h * direction) - curvature(uv - h * direction)) / (2 * h), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("soft_silhouette", "texture")])
def test_others_refuse(name):
    call = op(name)
    leaves = call.leaves()
    first = torch.autograd.grad(
        sum(x.square().sum() for x in call(**leaves)), tuple(leaves.values()), create_graph=True
    )
    for g in first:
        assert g.requires_grad  # not detached
        with pytest.raises(RuntimeError, match=f"{name}_backward has no derivative"):
            torch.autograd.grad(g.square().sum(), tuple(leaves.values()), retain_graph=True)
    tensors = {key: call.tensors[key] for key in call.wrt}
    one = lambda t: sum(x.square().sum() for x in call(**t))  # noqa: E731
    with pytest.raises(RuntimeError, match="has no derivative"):
        grad(lambda t: sum(g.square().sum() for g in grad(one)(t).values()))(tensors)


def test_over_a_batch_of_calls_is_an_error():
    """Which pairs there are depends on the points: torch says that it cannot batch that."""
    points, faces = random_soup(3, 8, images=3)
    uv = points[..., :2].contiguous()
    loss = lambda p: ops.soft_silhouette(p[None], faces, (8, 8), 1.5).square().sum()  # noqa: E731
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(lambda p: grad(lambda q: grad(loss)(q).sum())(p))(uv)
