"""Every primitive under torch.library.opcheck and torch.compile(fullgraph=True)."""

import subprocess
import sys

import pytest
import torch
from every_op import NAMES, op

import invgraph as ig
from invgraph.geometry import icosphere


def gradients(call, leaves, function):
    weights = [torch.linspace(0.3, 1, x.numel(), dtype=x.dtype).reshape(x.shape) for x in call()]
    return torch.autograd.grad(function(weights, **leaves), tuple(leaves.values()))


@pytest.mark.parametrize("name", NAMES)
def test_compiles_into_one_graph(name):
    torch._dynamo.reset()
    call = op(name)
    leaves = call.leaves()

    def loss(weights, **tensors):
        return sum((w * x).sum() for w, x in zip(weights, call(**tensors)))

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    ours, eager = gradients(call, leaves, compiled), gradients(call, leaves, loss)
    for a, b in zip(ours, eager):
        torch.testing.assert_close(a, b)
    assert any(bool(g.any()) for g in eager)


def test_compiles_with_the_default_backend():
    torch._dynamo.reset()
    call = op("soft_silhouette", images=1).to(torch.float32)
    points = call.tensors["points"].clone().requires_grad_()
    loss = lambda p: call(points=p)[0].sum()  # noqa: E731
    (ours,) = torch.autograd.grad(torch.compile(loss, fullgraph=True)(points), points)
    (eager,) = torch.autograd.grad(loss(points), points)
    torch.testing.assert_close(ours, eager)


def test_render_compiles_around_what_depends_on_the_data():
    """Clipping asks where vertices lie, so render breaks the graph there; the result is the same."""
    torch._dynamo.reset()
    mesh = icosphere(1)
    cameras = ig.Cameras.look_at([[0.3, -0.5, -3.0]], [0, 0, 0], [0, 1, 0], 40, (20, 24))

    def loss(verts):
        out = ig.render(mesh.with_verts(verts), cameras, outputs=("alpha", "depth"))
        return out.alpha.sum() + out.depth.mean()

    verts = mesh.verts.clone().requires_grad_()
    (eager,) = torch.autograd.grad(loss(verts), verts)
    (ours,) = torch.autograd.grad(torch.compile(loss, backend="aot_eager")(verts), verts)
    torch.testing.assert_close(ours, eager)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "texture"])
def test_opcheck(name, monkeypatch):
    """Schema, fake and autograd of each registered operation, with the arguments that a forward and a backward use."""
    operation, seen = getattr(torch.ops.invgraph, name).default, []
    backward = getattr(torch.ops.invgraph, name + "_backward").default
    from invgraph.ops._register import primitives

    for each in (operation, backward):
        short = each._schema.name.split("::")[1]
        original = getattr(primitives, short)

        def note(*args, each=each, original=original):
            seen.append((each, args))
            return original(*args)

        monkeypatch.setattr(primitives, short, note)
    call = op(name, images=1)
    outputs = call(**call.leaves())
    sum(x.sum() for x in outputs).backward()
    assert {each for each, _ in seen} == {operation, backward}

    def leaf(x, grad):
        if isinstance(x, (list, tuple)) and x and isinstance(x[0], torch.Tensor):
            return [leaf(e, grad) for e in x]
        return x.detach().requires_grad_(grad and x.requires_grad) if isinstance(x, torch.Tensor) else x

    for each, args in seen:
        torch.library.opcheck(each, tuple(leaf(a, each is operation) for a in args))


def test_importing_does_not_import_the_compiler():
    code = "import sys, invgraph.ops; print('torch._dynamo' in sys.modules, 'torch._inductor' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
