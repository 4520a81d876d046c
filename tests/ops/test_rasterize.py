import pytest
import torch
from scenes import project, random_soup
from torch.autograd import gradcheck

from invgraph import ops
from invgraph.geometry import icosphere
from invgraph.ops import reference


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.float64, 1e-11)])
def test_equals_the_twin(dtype, tolerance):
    points, faces = random_soup(40, 37, dtype, images=2)
    face_id, barycentric, depth = ops.rasterize(points, faces, (37, 70))
    twin_id, twin_barycentric, twin_depth = reference.rasterize(points.double(), faces, (37, 70))
    same = face_id == twin_id
    assert same.double().mean() > (0.999 if dtype == torch.float32 else 0.99999)
    torch.testing.assert_close(barycentric[same], twin_barycentric[same].to(dtype), atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(depth[same], twin_depth[same].to(dtype), atol=tolerance, rtol=tolerance)


def test_barycentrics_are_perspective_correct():
    """The 3D point that barycentrics and depth give projects onto the pixel's centre."""
    points, faces = random_soup(12, 30)
    face_id, barycentric, depth = ops.rasterize(points, faces, (30, 30))
    z = points[0, :, 2:]
    position = torch.cat([points[0, :, :2] * z, z], -1)  # camera space with K = 1
    image, row, column = (face_id >= 0).nonzero(as_tuple=True)
    corners = position[faces[face_id[image, row, column].long()]]
    x = (corners * barycentric[image, row, column, :, None]).sum(-2)
    torch.testing.assert_close(x[:, 2], depth[image, row, column])
    torch.testing.assert_close(x[:, 0] / x[:, 2], column + 0.5, check_dtype=False)
    torch.testing.assert_close(x[:, 1] / x[:, 2], row + 0.5, check_dtype=False)


def test_gradcheck():
    points, faces = random_soup(3, 8)
    points.requires_grad_()
    assert gradcheck(lambda p: ops.rasterize(p, faces, (8, 9))[1], points, atol=1e-6)
    seen = ops.rasterize(points, faces, (8, 9)).face_id >= 0
    assert gradcheck(lambda p: ops.rasterize(p, faces, (8, 9)).depth[seen], points, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_watertight_at_shared_edges_and_corners(dtype):
    """A fan around pixel centres, and grids whose edges run through centres: every centre is covered exactly once."""
    generator = torch.Generator().manual_seed(1)
    for trial in range(60):
        # a jittered grid; every third trial has corners exactly on pixel centres and edges through them
        n = 9
        grid = torch.stack(torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij"), -1).to(dtype) * 4
        jitter = torch.rand(n, n, 2, generator=generator, dtype=torch.float64).to(dtype) * 2.5
        if trial % 3 == 0:
            jitter = jitter.round()
        uv = (grid + jitter + 0.5).reshape(-1, 2)
        index = torch.arange(n * n).reshape(n, n)
        a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
        split = torch.rand(n - 1, n - 1, generator=generator) < 0.5
        first = torch.where(split[..., None], torch.stack([a, b, c], -1), torch.stack([a, b, d], -1)).reshape(-1, 3)
        second = torch.where(split[..., None], torch.stack([a, c, d], -1), torch.stack([b, c, d], -1)).reshape(-1, 3)
        faces = torch.cat([first, second])
        points = torch.cat([uv, torch.ones(len(uv), 1, dtype=dtype)], -1)[None]
        # each face alone, so that a pixel covered twice is seen
        ranges = torch.arange(len(faces) + 1)
        ranges = torch.stack([ranges[:-1], ranges[1:]], 1)
        covered = (ops.rasterize(points[0], faces, (40, 40), ranges=ranges).face_id >= 0).sum(0)
        assert int(covered.max()) == 1
        assert bool((covered[7:31, 7:31] == 1).all())


def test_sphere_has_no_holes_and_nearest_wins():
    sphere = icosphere(3)
    points = project(sphere, 96)
    face_id, _, depth = ops.rasterize(points, sphere.faces, (96, 96))
    disc = (torch.stack(torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij"), -1) + 0.5 - 48).norm(dim=-1)
    assert bool((face_id[0][disc < 30] >= 0).all())
    assert float(depth[0][disc < 20].max()) < 4  # the near half, not the far one


def test_same_bytes_for_any_number_of_threads():
    points, faces = random_soup(200, 150, torch.float32, images=2)
    points.requires_grad_()
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            out = ops.rasterize(points, faces, (150, 150))
            loss = out.barycentric.square().sum() + out.depth[out.face_id >= 0].sum()
            results.append((*out, torch.autograd.grad(loss, points)[0]))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_visibility_alone_is_the_same():
    points, faces = random_soup(20, 30)
    points.requires_grad_()
    full, alone = (ops.rasterize(points, faces, (30, 30), barycentric=flag) for flag in (True, False))
    assert alone.barycentric.shape == (1, 30, 30, 0)
    assert torch.equal(full.face_id, alone.face_id)
    assert torch.equal(full.depth, alone.depth)
    seen = full.face_id >= 0
    grads = [torch.autograd.grad(out.depth[seen].sum(), points)[0] for out in (full, alone)]
    assert torch.equal(*grads)


def test_depths_too_small_to_invert_are_not_drawn():
    points = torch.tensor([[[1, 1, 1e-38], [9, 1, 1e-38], [1, 9, 1e-38]]], requires_grad=True)
    out = ops.rasterize(points, torch.tensor([[0, 1, 2]]), (10, 10))
    assert bool((out.face_id == -1).all())
    out.barycentric.sum().backward()
    assert float(points.grad.abs().max()) == 0


def test_faces_behind_or_not_finite_are_not_drawn():
    points = torch.tensor([[[1, 1, 1], [9, 1, 1], [1, 9, -1], [1, 9, float("nan")], [1, 9, 0], [float("inf"), 9, 1]]])
    faces = torch.tensor([[0, 1, 2], [0, 1, 3], [0, 1, 4], [0, 1, 5]])
    face_id, barycentric, depth = ops.rasterize(points, faces, (10, 10))
    assert bool((face_id == -1).all())
    assert bool((barycentric == 0).all())
    assert bool(depth.isinf().all())
