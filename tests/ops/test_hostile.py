"""Arguments that are wrong, awkward or far too many: the result of good ones, or an error that names the argument."""

import os
import subprocess
import sys

import pytest
import torch
from every_op import NAMES, op

from invgraph import ops

NAMES_OF = {name: list(op(name).tensors) for name in NAMES}
PAIRS = [(name, argument) for name in NAMES for argument in NAMES_OF[name]]
PAIRS.remove(("interpolate", "depth"))  # which nobody looks at
INSIDE = {"face_id": "fragments", "barycentric": "fragments"}  # arguments that come in one


@pytest.mark.parametrize(("name", "argument"), PAIRS)
def test_a_wrong_dtype_is_named(name, argument):
    call = op(name, images=1)
    x = call.tensors[argument]
    others = (torch.float16, torch.int64, torch.complex64) if x.is_floating_point() else (torch.float32, torch.int16)
    if name == "texture":
        others = others[1:]  # takes half precision
    for dtype in others:
        with pytest.raises((TypeError, ValueError), match=rf"^{INSIDE.get(argument, argument)}\b.*expected"):
            call(**{argument: x.to(dtype)})


@pytest.mark.parametrize(("name", "argument"), PAIRS)
def test_another_device_is_named(name, argument):
    call = op(name, images=1)
    with pytest.raises(ValueError, match="expected on "):
        call(**{argument: call.tensors[argument].to("meta")})


@pytest.mark.parametrize("name", NAMES)
def test_all_on_the_meta_device_gives_shapes(name):
    call = op(name, images=2)
    shapes = [x.shape for x in call()]
    there = call(**{key: x.to("meta") for key, x in call.tensors.items()})
    assert [x.shape for x in there] == shapes
    assert all(x.is_meta for x in there)


def awkward(x):
    """The same values in memory that is not dense."""
    wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1] + 1, dtype=x.dtype)
    wide[..., 1::2] = x
    yield wide[..., 1::2]
    yield x.transpose(0, -1).contiguous().transpose(0, -1)
    yield torch.from_numpy(x.numpy()[::-1].copy()).flip(0)  # torch itself has no negative strides
    if len(x) == 1:
        yield x[0].expand(x.shape)


@pytest.mark.parametrize(("name", "argument"), PAIRS)
def test_memory_that_is_not_dense(name, argument):
    call = op(name, images=1)
    for other in awkward(call.tensors[argument]):
        leaves = {key: x for key, x in call.leaves().items() if key != argument}
        a = call(**leaves)
        b = call(**leaves, **{argument: other})
        for x, y in zip(a, b):
            assert torch.equal(x, y)
        if leaves:
            ga, gb = (torch.autograd.grad(sum(x.sum() for x in out), tuple(leaves.values())) for out in (a, b))
            assert all(torch.equal(x, y) for x, y in zip(ga, gb))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_that_are_not_dense(name):
    """The gradient of a sum is one number expanded, that of a transposed picture is transposed."""
    call = op(name)
    for function in (lambda x: x.sum(), lambda x: (x.transpose(0, -1) * 2).sum(), lambda x: x[..., 0].sum()):
        leaves = call.leaves()
        outputs = call(**leaves)
        grads = [
            torch.autograd.grad(function(x), x)[0].contiguous() for x in (x.detach().requires_grad_() for x in outputs)
        ]
        a = torch.autograd.grad(outputs, tuple(leaves.values()), grads, retain_graph=True)
        b = torch.autograd.grad(sum(function(x) for x in outputs), tuple(leaves.values()))
        assert all(torch.equal(x, y) for x, y in zip(a, b))


@pytest.mark.parametrize(
    "size", [(0, 5), (5, 32769), (-1, 4), (4,), (4, 4, 4), (4.5, 4), ("4", 4), 4, None, (True, None)]
)
def test_image_sizes_that_are_none(size):
    points, faces = torch.rand(1, 3, 3) + 1, torch.tensor([[0, 1, 2]])
    for call in (
        lambda: ops.rasterize(points, faces, size),
        lambda: ops.soft_silhouette(points[..., :2], faces, size, 1.0),
    ):
        with pytest.raises((ValueError, TypeError), match="image_size"):
            call()


@pytest.mark.parametrize(
    "ranges", [[[0, 3]], [[-1, 1]], [[1, 0]], [[0, 2], [1, 2]], [[2**62, 2**62 + 1]], [[0, -(2**63)]]]
)
def test_ranges_out_of_order_or_bounds(ranges):
    points, faces = torch.rand(4, 3) + 1, torch.tensor([[0, 1, 2], [1, 2, 3]])
    with pytest.raises(ValueError, match="ranges: expected"):
        ops.rasterize(points, faces, (4, 4), ranges=torch.tensor(ranges))


def test_ten_thousand_tiny_meshes():
    """One packed batch, forward and backward, is each of its meshes."""
    count = 10_000
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(count, 4, 3, generator=generator) * torch.tensor([8.0, 8, 1]) + torch.tensor([0.0, 0, 1])
    one = torch.tensor([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    faces = (one + 4 * torch.arange(count)[:, None, None]).reshape(-1, 3)
    ranges = 4 * torch.arange(count)[:, None] + torch.tensor([0, 4])
    flat = points.reshape(-1, 3).clone().requires_grad_()
    seen = ops.rasterize(flat, faces, (8, 8), ranges=ranges)
    alpha = ops.soft_silhouette(flat[:, :2], faces, (8, 8), 0.5, ranges=ranges)
    (grad,) = torch.autograd.grad(alpha.sum() + torch.where(seen.face_id >= 0, seen.depth, 0.0).sum(), flat)
    for k in (0, 4999, 9999):
        mine = points[k : k + 1].clone().requires_grad_()
        alone = ops.rasterize(mine, one, (8, 8))
        soft = ops.soft_silhouette(mine[..., :2], one, (8, 8), 0.5)
        assert torch.equal(alone.face_id[0], seen.face_id[k])
        assert torch.equal(soft[0], alpha[k])
        (expected,) = torch.autograd.grad(soft.sum() + torch.where(alone.face_id >= 0, alone.depth, 0.0).sum(), mine)
        torch.testing.assert_close(grad[4 * k : 4 * k + 4], expected[0])


def test_many_small_faces():
    """A hundredth of ten million faces, a thousand for each pixel: depth and coverage of the plane that they are."""
    side = 224
    grid = torch.linspace(0, 10, side)
    v, u = torch.meshgrid(grid, grid, indexing="ij")
    points = torch.stack([u, v, 2 + 0.1 * u], -1).reshape(1, -1, 3)
    index = torch.arange(side * side).reshape(side, side)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = torch.cat([torch.stack([a, b, c], -1).reshape(-1, 3), torch.stack([a, c, d], -1).reshape(-1, 3)])
    seen = ops.rasterize(points, faces, (10, 10))
    assert bool((seen.face_id >= 0).all())
    torch.testing.assert_close(seen.depth[0, 0], 2 + 0.1 * (torch.arange(10) + 0.5), atol=1e-3, rtol=0)


MEMORY = """
import resource, sys, torch
from invgraph import ops
points, faces = torch.rand(1, 300, 3) * 100 + 1, torch.arange(300).reshape(-1, 3)
ops.rasterize(points, faces, (8, 8)); ops.soft_silhouette(points[..., :2], faces, (8, 8), 1.0)
used = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
many = torch.arange(300).reshape(-1, 3).repeat(2_000, 1)
for name, call in {
    "picture": lambda: ops.rasterize(points, faces, (32768, 32768)),
    "silhouette": lambda: ops.soft_silhouette(points[..., :2], faces, (32768, 32768), 1.0),
    "bins": lambda: ops.soft_silhouette(points[..., :2], many, (3000, 3000), 1e6),
}.items():
    try:
        call()
        print(name, "done")
    except (MemoryError, RuntimeError) as error:
        print(name, type(error).__name__)
small = ops.rasterize(points, faces, (8, 8))
print("alive", bool((small.face_id < 100).all()))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
def test_out_of_memory_is_an_error():
    """In the picture, in torch's allocation, and in the kernels' own; the process lives on."""
    run = subprocess.run(
        [sys.executable, "-c", MEMORY],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    said = dict(line.split() for line in run.stdout.splitlines())
    assert said.pop("alive") == "True"
    assert set(said) == {"picture", "silhouette", "bins"}
    assert all(value in ("MemoryError", "RuntimeError") for value in said.values())


@pytest.mark.parametrize("sigma", ["1", None, torch.tensor(1.0, requires_grad=True)], ids=["text", "none", "learned"])
def test_softness_is_a_number_and_loses_no_gradient(sigma) -> None:
    points, faces = torch.rand(1, 3, 2), torch.tensor([[0, 1, 2]])
    with pytest.raises(TypeError, match="sigma: expected a number"):
        ops.soft_silhouette(points, faces, (4, 4), sigma)


def test_what_is_no_tensor_is_named() -> None:
    with pytest.raises(TypeError, match="points: expected a tensor, got ndarray"):
        ops.rasterize(torch.rand(1, 3, 3).numpy(), torch.tensor([[0, 1, 2]]), (4, 4))
