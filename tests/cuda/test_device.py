"""The same comparisons on a GPU, where there is one, and what only a device has: streams, a second device, repeats."""

import pytest
import torch
from comparison import SIZE, assert_same, calls, comparable, on, scenes, tensors

from invgraph import ops

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("device", range(max(1, torch.cuda.device_count())))
def test_equals_the_cpu_kernels(dtype, device):
    for scene in scenes(dtype):
        for operation, arguments in calls(scene):
            run = getattr(torch.ops.invgraph, operation)
            ours = on("cpu", tensors(run(*on(f"cuda:{device}", arguments))))
            theirs = run(*arguments)
            ours, theirs = (comparable(operation, arguments, result) for result in (ours, theirs))
            assert_same(ours, theirs, f"{operation} of {scene.name}")


def test_runs_repeat_to_the_bit():
    for scene in scenes(torch.float32):
        for operation, arguments in calls(scene):
            arguments = on("cuda", arguments)
            first, *others = (tensors(getattr(torch.ops.invgraph, operation)(*arguments)) for _ in range(5))
            for other in others:
                for a, b in zip(first, other, strict=True):
                    assert torch.equal(a.nan_to_num(), b.nan_to_num()), f"{operation} of {scene.name}"


def test_on_the_callers_stream():
    """The points come late on a stream of the caller's; a kernel on another stream would draw the zeros before them."""
    scene = next(scenes(torch.float32))
    target, faces = scene.points[..., :2].cuda(), scene.faces.cuda()
    expected = ops.soft_silhouette(target, faces, SIZE, 2.0)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        points = torch.zeros_like(target)
        torch.cuda._sleep(50_000_000)
        points.copy_(target)
        alpha = ops.soft_silhouette(points, faces, SIZE, 2.0)
    stream.synchronize()
    assert torch.equal(alpha, expected)


def test_gradients_reach_the_points_on_the_device():
    scene = next(scenes(torch.float64))
    points, faces = scene.points.cuda().requires_grad_(), scene.faces.cuda()
    fragments = ops.rasterize(points, faces, SIZE)
    colors = torch.rand(points.shape[1], 3, dtype=torch.float64, device="cuda", requires_grad=True)
    image = ops.interpolate(colors, faces, fragments)
    image = ops.antialias(image, fragments.depth, points, faces, scene.edges.cuda(), scene.edge_faces.cuda())
    image.square().sum().backward()
    assert points.grad is not None
    assert points.grad.is_cuda
    assert points.grad.abs().sum() > 0
    assert colors.grad is not None
    assert colors.grad.abs().sum() > 0


def test_bad_indices_are_errors_as_on_the_cpu():
    points, faces = torch.zeros(1, 3, 2, device="cuda"), torch.tensor([[0, 1, 3]], device="cuda")
    with pytest.raises(ValueError, match=r"faces: expected indices within 0..2, got 3"):
        ops.soft_silhouette(points, faces, (4, 4), 1.0)
    assert float(points.sum()) == 0  # and the device still works
