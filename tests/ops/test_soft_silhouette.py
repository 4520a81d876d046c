import os
import subprocess
import sys

import pytest
import torch
from scenes import random_soup
from torch.autograd import gradcheck

from invgraph import ops
from invgraph.ops import reference


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("sigma", [0.3, 3.0, 40.0])
def test_equals_the_twin(dtype, tolerance, sigma):
    points, faces = random_soup(40, 37, dtype, images=3)
    size = (37, 70)
    alpha = ops.soft_silhouette(points[..., :2], faces, size, sigma)
    torch.testing.assert_close(
        alpha, reference.soft_silhouette(points[..., :2].double(), faces, size, sigma).to(dtype), atol=tolerance, rtol=0
    )


def test_gradient_equals_the_twins():
    points, faces = random_soup(30, 40, images=2)
    uv = points[..., :2].requires_grad_()
    weight = torch.randn(2, 33, 70, dtype=torch.float64)
    ours, twin = (
        torch.autograd.grad((f(uv, faces, (33, 70), 2.5) * weight).sum(), uv)[0]
        for f in (ops.soft_silhouette, reference.soft_silhouette)
    )
    torch.testing.assert_close(ours, twin, atol=1e-10, rtol=1e-10)
    single = uv.detach().float().requires_grad_()
    (ops.soft_silhouette(single, faces, (33, 70), 2.5) * weight.float()).sum().backward()
    torch.testing.assert_close(single.grad.double(), twin, atol=2e-4, rtol=1e-3)


def test_gradcheck():
    points, faces = random_soup(4, 9)
    uv = points[..., :2].requires_grad_()
    assert gradcheck(lambda p: ops.soft_silhouette(p, faces, (9, 11), 1.7, min_probability=1e-14), uv, atol=1e-6)


def test_more_faces_than_any_cap_and_outline_value():
    """k faces that share an outline give 1 - 0.5^k on it, whatever k."""
    square = torch.tensor([[0.0, -100.0], [16.5, -100.0], [16.5, 200.0], [0.0, 200.0]], dtype=torch.float64)[None]
    one = torch.tensor([[0, 1, 2], [0, 2, 3]])
    for k in (1, 3, 7, 400):
        alpha = ops.soft_silhouette(square, one.repeat(k, 1), (32, 32), 1.0)
        # only the triangle that owns the right side has it as outline; the other one's is a diagonal far from there
        expected = reference.soft_silhouette(square, one, (32, 32), 1.0)
        torch.testing.assert_close(1 - alpha, (1 - expected) ** k, atol=1e-12, rtol=1e-9)
    assert abs(float(ops.soft_silhouette(square, one, (32, 32), 1.0)[0, 16, 16]) - 0.5) < 1e-9


def test_permuting_faces_and_translating_change_nothing():
    points, faces = random_soup(60, 40, torch.float32)
    uv = points[..., :2]
    alpha = ops.soft_silhouette(uv, faces, (40, 40), 2.0)
    shuffled = ops.soft_silhouette(uv, faces[torch.randperm(60)], (40, 40), 2.0)
    torch.testing.assert_close(alpha, shuffled, atol=1e-6, rtol=0)
    moved = ops.soft_silhouette(uv + torch.tensor([7.0, 3.0]), faces, (43, 47), 2.0)
    torch.testing.assert_close(moved[:, 3:, 7:], alpha, atol=3e-5, rtol=0)


def test_same_bytes_for_any_number_of_threads():
    points, faces = random_soup(300, 150, torch.float32, images=2)
    uv = points[..., :2].requires_grad_()
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            alpha = ops.soft_silhouette(uv, faces, (150, 150), 2.0)
            results.append((alpha, torch.autograd.grad(alpha.square().sum(), uv)[0]))
    finally:
        torch.set_num_threads(before)
    for alpha, grad in results[1:]:
        assert torch.equal(alpha, results[0][0])
        assert torch.equal(grad, results[0][1])


def test_packed_ranges_draw_their_own_faces():
    points, faces = random_soup(20, 30)
    uv = points[0, :, :2].requires_grad_()
    ranges = torch.tensor([[0, 7], [7, 7], [7, 20]])
    alpha = ops.soft_silhouette(uv, faces, (30, 30), 2.0, ranges=ranges)
    for image, (begin, end) in enumerate(ranges.tolist()):
        alone = ops.soft_silhouette(uv[None], faces[begin:end], (30, 30), 2.0)[0]
        assert torch.equal(alpha[image], alone)
    packed = torch.autograd.grad(alpha.square().sum(), uv)[0]
    parts = sum(
        torch.autograd.grad(ops.soft_silhouette(uv[None], faces[a:b], (30, 30), 2.0).square().sum(), uv)[0]
        for a, b in ((0, 7), (7, 20))
    )
    torch.testing.assert_close(packed, parts)


def test_degenerate_and_unbounded_faces_stay_finite():
    nan, inf = float("nan"), float("inf")
    uv = torch.tensor(
        [[[5, 5], [5, 5], [5, 5], [2, 9], [8, 9], [nan, 3], [inf, 0], [1e30, 2], [-1e12, -1e12], [1e12, 8], [3, 1e12]]],
        dtype=torch.float32,
        requires_grad=True,
    )
    faces = torch.tensor([[0, 1, 2], [3, 4, 3], [3, 4, 5], [3, 4, 6], [3, 4, 7], [8, 9, 10]])
    alpha = ops.soft_silhouette(uv, faces, (12, 12), 1.0)
    assert alpha.isfinite().all()
    alpha.sum().backward()
    assert uv.grad.isfinite().all()


def test_empty_batch_and_empty_mesh():
    none = torch.zeros(0, 3, dtype=torch.int64)
    assert ops.soft_silhouette(torch.zeros(0, 5, 2), none, (4, 4), 1.0).shape == (0, 4, 4)
    assert (ops.soft_silhouette(torch.zeros(2, 0, 2), none, (4, 4), 1.0) == 0).all()


def test_wrong_input_is_named():
    points, faces = torch.zeros(1, 3, 2), torch.tensor([[0, 1, 2]])
    for bad, message in [
        (lambda: ops.soft_silhouette(points[0], faces, (4, 4), 1.0), "points: expected shape"),
        (lambda: ops.soft_silhouette(points.int(), faces, (4, 4), 1.0), "points: expected float32"),
        (lambda: ops.soft_silhouette(points, faces.int(), (4, 4), 1.0), "faces: expected int64"),
        (lambda: ops.soft_silhouette(points, faces + 1, (4, 4), 1.0), "faces: expected indices within 0..2, got 3"),
        (lambda: ops.soft_silhouette(points, faces, (4, 0), 1.0), "image_size"),
        (lambda: ops.soft_silhouette(points, faces, (4, 4), 0.0), "sigma"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            bad()


def test_every_instruction_set_agrees():
    """The kernels are compiled several times; all copies that this processor runs give the same picture."""
    code = (
        "import torch; from scenes import random_soup; from invgraph import ops\n"
        "p, f = random_soup(50, 40, torch.float32); p.requires_grad_()\n"
        "a = ops.soft_silhouette(p[..., :2], f, (40, 70), 2.0); a.sum().backward()\n"
        "r = ops.rasterize(p, f, (40, 70))\n"
        "soups = [random_soup(300, 9, t) for t in (torch.float32, torch.float64)]\n"
        "small = [ops.rasterize(p, f, (9, 9)) for p, f in soups]\n"
        "ids = [int(seen.face_id.sum()) for seen in (r, *small)]\n"
        "print(ops._native.isa(), float(a.double().sum()), float(p.grad.double().abs().sum()), *ids)"
    )
    results = {}
    for isa in ("baseline", "avx2", "avx512"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "INVGRAPH_ISA": isa,
                "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path]),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        name, *numbers = run.stdout.split()
        results[name] = [float(n) for n in numbers]
    for numbers in results.values():
        assert numbers == pytest.approx(results["baseline"], rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("min_probability", [1e-50, 1e-320])
def test_a_reach_beyond_the_range_of_exp_changes_nothing(dtype, min_probability):
    points, faces = random_soup(8, 20, dtype)
    results = []
    for least in (1e-20, min_probability):
        uv = points[..., :2].clone().requires_grad_()
        alpha = ops.soft_silhouette(uv, faces, (200, 20), 0.5, min_probability=least)
        results.append((alpha.detach(), *torch.autograd.grad(alpha.sum(), uv)))
    for near, wide in zip(*results):
        torch.testing.assert_close(wide, near, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("sigma", [0.0, 1e-40, 1e39, float("nan")])
def test_sigma_must_fit_the_points_precision(sigma):
    points, faces = random_soup(2, 9, torch.float32)
    with pytest.raises(ValueError, match="sigma: expected"):
        ops.soft_silhouette(points[..., :2], faces, (9, 9), sigma)
