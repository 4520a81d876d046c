"""The whole CUDA path, Python and kernels, on the CPU: the kernels' threads run as fibers (tests/cuda/emulation)."""

import pytest
import torch
from comparison import assert_same, calls, comparable, cuda_function, scenes, tensors

from invgraph.ops.cuda import PRIMITIVES


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_cpu_kernels(emulated, dtype):
    seen = set()
    for scene in scenes(dtype):
        for operation, arguments in calls(scene):
            functions = cuda_function(operation), getattr(torch.ops.invgraph, operation)
            ours, theirs = (comparable(operation, arguments, function(*arguments)) for function in functions)
            assert_same(ours, theirs, f"{operation} of {scene.name}")
            seen.add(operation)
    assert seen == {name + suffix for name in PRIMITIVES for suffix in ("", "_backward")}


def test_the_order_of_threads_changes_no_bit(emulated):
    """What differs here would differ from run to run on a device, or lacks a barrier."""
    for scene in scenes(torch.float32):
        if scene.name not in ("soup", "packed spheres", "odd faces"):
            continue
        for operation, arguments in calls(scene):
            results = []
            for seed in (0, 1, 2):
                emulated.set_schedule(seed)
                results.append(tensors(cuda_function(operation)(*arguments)))
            for other in results[1:]:
                for a, b in zip(results[0], other, strict=True):
                    assert torch.equal(a.nan_to_num(), b.nan_to_num()), f"{operation} of {scene.name}"
