"""Under autocast primitives and render compute in full precision: the same values as without it."""

import pytest
import torch
from every_op import NAMES, op

import invgraph as ig
from invgraph import ops
from invgraph.geometry import icosphere


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_changes(name, dtype):
    call = op(name).to(dtype)

    def run():
        leaves = call.leaves()
        outputs = call(**leaves)
        return outputs, torch.autograd.grad(sum(x.square().sum() for x in outputs), tuple(leaves.values()))

    plain = run()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = run()
    for a, b in zip((*plain[0], *plain[1]), (*cast[0], *cast[1])):
        assert a.dtype == b.dtype == dtype
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", NAMES)
def test_what_autocast_made_half_is_widened(name):
    """A layer's output in bfloat16 goes in; float32 comes out, and the layer gets its gradient."""
    call = op(name).to(torch.float32)
    half = {key: call.tensors[key].bfloat16().requires_grad_() for key in call.wrt}
    if name != "texture":  # which takes any floating point
        with pytest.raises(TypeError, match="expected"):
            call(**half)  # outside of autocast nothing is converted
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = call(**half)
    assert all(x.dtype == torch.float32 for x in outputs)
    sum(x.square().sum() for x in outputs).backward()
    assert all(x.grad.dtype == torch.bfloat16 and bool(x.grad.isfinite().all()) for x in half.values())
    wide = call(**{key: x.detach().float() for key, x in half.items()})
    for a, b in zip(outputs, wide):
        assert torch.equal(a, b)


def test_render_is_exact_under_autocast():
    mesh = icosphere(2)
    cameras = ig.Cameras.look_at([[0.3, -0.5, -3.0]], [0, 0, 0], [0, 1, 0], 40, (40, 50))
    names = ("alpha", "depth", "normal", "position", "rgb")
    plain = ig.render(mesh, cameras, outputs=names)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = ig.render(mesh, cameras, outputs=names)
        layer = torch.nn.Linear(3, 3)
        posed = mesh.with_verts(layer(mesh.verts))
        assert posed.verts.dtype == torch.bfloat16
        ig.render(posed, cameras, mode="soft").alpha.sum().backward()
    for name in names:
        assert torch.equal(getattr(plain, name), getattr(cast, name))
    assert bool(layer.weight.grad.any())


def test_autocast_compiles():
    torch._dynamo.reset()
    call = op("rasterize", images=1).to(torch.float32)
    points = call.tensors["points"].bfloat16()

    def depth(points):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return ops.rasterize(points, call.tensors["faces"], (18, 21)).depth

    assert torch.equal(torch.compile(depth, fullgraph=True, backend="aot_eager")(points), depth(points))
