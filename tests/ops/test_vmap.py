"""torch.func: vmap, grad and jacrev of every primitive; what is not defined is an error."""

import pytest
import torch
import torch.autograd.forward_ad as forward_mode
from every_op import NAMES, op
from torch.func import grad, jacrev, jvp, vmap

from invgraph import ops


def batched(call, count=3):
    """The call's differentiable tensors, ``count`` times, each time a little different."""
    return {
        name: torch.stack([call.tensors[name] + 0.01 * k for k in range(count)])
        if name in ("points", "image", "colors", "attributes")
        else torch.stack([call.tensors[name]] * count)
        for name in call.wrt
    }


def loss(call):
    return lambda tensors: sum((x * torch.linspace(0.3, 1, x.shape[-1], dtype=x.dtype)).sum() for x in call(**tensors))


@pytest.mark.parametrize("name", NAMES)
def test_vmap_is_a_loop(name):
    call = op(name)
    many = batched(call)
    together = vmap(lambda t: call(**t))(many)
    for k in range(3):
        alone = call(**{name: x[k] for name, x in many.items()})
        for a, b in zip(alone, together):
            torch.testing.assert_close(b[k], a, atol=0, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_vmap_of_grad_is_a_loop(name):
    call = op(name)
    many = batched(call)
    together = vmap(grad(loss(call)))(many)
    for k in range(3):
        leaves = {name: x[k].clone().requires_grad_() for name, x in many.items()}
        alone = torch.autograd.grad(loss(call)(leaves), tuple(leaves.values()))
        for a, key in zip(alone, leaves):
            torch.testing.assert_close(together[key][k], a)


@pytest.mark.filterwarnings("error:There is a performance drop")
@pytest.mark.parametrize("in_dim", [0, 1, 2])
def test_a_batch_of_points_is_one_call(in_dim, monkeypatch):
    """Over shared faces the batch becomes images: the kernel is called once, for the forward and for the backward."""
    call = op("soft_silhouette", images=1)
    points = torch.stack([call.tensors["points"][0] + 0.1 * k for k in range(4)], in_dim)
    calls = []
    for kernel in ("soft_silhouette_forward", "soft_silhouette_backward"):
        original = getattr(ops._native, kernel)
        monkeypatch.setattr(ops._native, kernel, lambda *a, o=original, k=kernel: (calls.append(k), o(*a))[1])
    one = lambda p: call(points=p[None])[0].square().sum()  # noqa: E731
    out = vmap(grad(one), in_dims=in_dim)(points)
    assert calls == ["soft_silhouette_forward", "soft_silhouette_backward"]
    for k in range(4):
        torch.testing.assert_close(out[k], grad(one)(points.select(in_dim, k)))


def test_vmap_over_what_cannot_fold_loops():
    """Faces that differ, shared colours that differ, packed ranges: right, one call after the other."""
    call = op("soft_color", images=1)
    faces = torch.stack([call.tensors["faces"], call.tensors["faces"].flip(0)])
    rgb, _ = vmap(lambda f: call(faces=f))(faces)
    torch.testing.assert_close(rgb[1], call(faces=faces[1])[0])
    colors = torch.stack([call.tensors["colors"], 1 - call.tensors["colors"]])
    rgb, _ = vmap(lambda c: call(colors=c))(colors)
    torch.testing.assert_close(rgb[1], call(colors=colors[1])[0])
    points = torch.stack([call.tensors["points"][0], call.tensors["points"][0] + 1])
    ranges = torch.tensor([[0, 30], [30, 80]])
    packed = vmap(lambda p: ops.rasterize(p, call.tensors["faces"], (18, 21), ranges=ranges).depth)(points)
    alone = ops.rasterize(points[1], call.tensors["faces"], (18, 21), ranges=ranges).depth
    assert torch.equal(packed[1], alone)


@pytest.mark.parametrize(("name", "shared"), [("soft_color", "colors"), ("interpolate", "attributes")])
def test_what_a_batch_shares_has_a_gradient_for_each_call(name, shared):
    call, many = op(name), "points" if name == "soft_color" else "barycentric"
    value = call.tensors[shared][0] if name == "interpolate" else call.tensors[shared]  # one for all images
    batch = torch.stack([call.tensors[many] * (1 + 0.1 * k) for k in range(3)])
    first = lambda v, b: call(**{shared: v, many: b})[0].square().sum()  # noqa: E731
    together = vmap(grad(first), in_dims=(None, 0))(value, batch)
    for k in range(3):
        torch.testing.assert_close(together[k], grad(first)(value, batch[k]))


def test_jacobian():
    call = op("soft_silhouette", images=1)
    points = call.tensors["points"]
    jacobian = jacrev(lambda p: call(points=p)[0][0, 5])(points)  # of one row's alpha
    for column in (4, 9):
        (row,) = torch.autograd.grad(call(points=(p := points.clone().requires_grad_()))[0][0, 5, column], p)
        torch.testing.assert_close(jacobian[column], row)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "texture"])
def test_forward_mode_is_refused_not_zero(name):
    call = op(name)
    tensors = {key: call.tensors[key] for key in call.wrt}
    with pytest.raises(RuntimeError, match="no forward-mode derivative"):
        jvp(loss(call), (tensors,), (tensors,))
    with forward_mode.dual_level(), pytest.raises(RuntimeError, match="no forward-mode derivative"):
        loss(call)({key: forward_mode.make_dual(x, x) for key, x in tensors.items()})
