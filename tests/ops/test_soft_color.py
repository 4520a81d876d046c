import math

import pytest
import torch
from scenes import project, random_soup
from torch import Tensor
from torch.autograd import gradcheck

from invgraph import ops
from invgraph.geometry import icosphere
from invgraph.ops import reference

DEPTHS = {"near": 0.5, "far": 5.0}


def colored_soup(faces: int, size: int, dtype=torch.float64, images: int = 1, channels: int = 3):
    points, index = random_soup(faces, size, dtype, images)
    generator = torch.Generator().manual_seed(1)
    return points, index, torch.rand(images, faces, 3, channels, generator=generator, dtype=torch.float64).to(dtype)


def soft_rasterizer(points: Tensor, faces: Tensor, colors: Tensor, pixel, sigma, gamma, background, near, far, eps):
    """One pixel, one face after another, as the paper's equations 1 to 5 say."""
    u, v = pixel
    weights, seen, outside = [math.exp(eps / gamma)], [background], 1.0
    for index, corner_colors in zip(faces.tolist(), colors.tolist()):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (points[i].tolist() for i in index)

        def cross(px, py, qx, qy):
            return (qx - px) * (v - py) - (qy - py) * (u - px)

        def distance2(px, py, qx, qy):
            t = ((u - px) * (qx - px) + (v - py) * (qy - py)) / ((qx - px) ** 2 + (qy - py) ** 2)
            t = min(max(t, 0.0), 1.0)
            return (u - px - t * (qx - px)) ** 2 + (v - py - t * (qy - py)) ** 2

        turns = [cross(bx, by, cx, cy), cross(cx, cy, ax, ay), cross(ax, ay, bx, by)]
        d2 = min(distance2(ax, ay, bx, by), distance2(bx, by, cx, cy), distance2(cx, cy, ax, ay))
        inside = all(t > 0 for t in turns) or all(t < 0 for t in turns)
        p = 1 / (1 + math.exp(-(d2 if inside else -d2) / sigma))
        if p <= 1e-4:
            continue
        outside *= 1 - p
        clipped = [min(max(t / sum(turns), 0.0), 1.0) for t in turns]
        w = [c / sum(clipped) for c in clipped]
        z = 1 / (w[0] / az + w[1] / bz + w[2] / cz)
        w = [w[0] / az * z, w[1] / bz * z, w[2] / cz * z]
        weights.append(p * math.exp((far - z) / (far - near) / gamma))
        seen.append([sum(w[k] * corner_colors[k][c] for k in range(3)) for c in range(len(background))])
    total = sum(weights)
    return [sum(w * c[i] for w, c in zip(weights, seen)) / total for i in range(len(background))], 1 - outside


@pytest.mark.parametrize("gamma", [0.02, 0.3, 1.0])
def test_equals_the_papers_formula_pixel_by_pixel(gamma):
    points, faces, colors = colored_soup(12, 14)
    background = [0.3, 0.9, 0.1]
    rgb, alpha = ops.soft_color(
        points, faces, colors, (13, 15), 1.3, gamma, background=torch.tensor(background, dtype=torch.float64), **DEPTHS
    )
    for i in range(13):
        for j in range(15):
            expected, covered = soft_rasterizer(
                points[0], faces, colors[0], (j + 0.5, i + 0.5), 1.3, gamma, background, 0.5, 5.0, 1e-3
            )
            assert rgb[0, i, j].tolist() == pytest.approx(expected, abs=1e-10)
            assert float(alpha[0, i, j]) == pytest.approx(covered, abs=1e-10)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-4), (torch.float64, 1e-11)])
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_equals_the_twin(dtype, tolerance, channels):
    points, faces, colors = colored_soup(40, 37, dtype, images=3, channels=channels)
    arguments = faces, colors, (37, 70), 3.0, 0.05
    rgb, alpha = ops.soft_color(points, *arguments, background=0.7, **DEPTHS)
    twin = reference.soft_color(points.double(), faces, colors.double(), (37, 70), 3.0, 0.05, background=0.7, **DEPTHS)
    torch.testing.assert_close(rgb, twin[0].to(dtype), atol=tolerance, rtol=0)
    torch.testing.assert_close(alpha, twin[1].to(dtype), atol=tolerance, rtol=0)
    torch.testing.assert_close(alpha, ops.soft_silhouette(points[..., :2], faces, (37, 70), 3.0), atol=1e-6, rtol=0)


@pytest.mark.parametrize("channels", [2, 6])
def test_gradients_equal_the_twins(channels):
    points, faces, colors = colored_soup(30, 40, images=2, channels=channels)
    background = torch.rand(33, 70, channels, dtype=torch.float64)
    inputs = [t.requires_grad_() for t in (points, colors, background)]
    weight, cover = torch.randn(2, 33, 70, channels, dtype=torch.float64), torch.randn(2, 33, 70, dtype=torch.float64)

    def gradients(function, inputs, dtype=torch.float64):
        p, c, b = inputs
        rgb, alpha = function(p, faces, c, (33, 70), 2.5, 0.1, background=b, **DEPTHS)
        return torch.autograd.grad((rgb * weight.to(dtype)).sum() + (alpha * cover.to(dtype)).sum(), inputs)

    twin = gradients(reference.soft_color, inputs)
    for ours, expected in zip(gradients(ops.soft_color, inputs), twin):
        torch.testing.assert_close(ours, expected, atol=1e-9, rtol=1e-9)
    single = [t.detach().float().requires_grad_() for t in inputs]
    for ours, expected in zip(gradients(ops.soft_color, single, torch.float32), twin):
        assert float((ours.double() - expected).abs().max() / expected.abs().max()) < 1e-3


def test_gradcheck_of_points_colors_and_background():
    points, faces, colors = colored_soup(4, 9, channels=2)
    background = torch.rand(2, dtype=torch.float64)
    inputs = tuple(t.requires_grad_() for t in (points, colors[0], background))

    def draw(points, colors, background):
        options = {"background": background, "min_probability": 1e-14, **DEPTHS}
        return ops.soft_color(points, faces, colors, (9, 11), 1.7, 0.2, **options)

    assert gradcheck(draw, inputs, atol=1e-6)


def test_depths_beyond_the_range_count_as_at_its_limit():
    square = torch.tensor([[-9.0, -9.0], [30.0, -9.0], [10.0, 40.0]]).double()
    face = torch.tensor([[0, 1, 2]])

    def at(z):
        points = torch.cat([square, torch.full((3, 1), z).double()], 1)[None].requires_grad_()
        rgb, _ = ops.soft_color(points, face, torch.ones(1, 3, 1).double(), (8, 8), 1.0, 0.5, near=2.0, far=4.0)
        return rgb.detach(), torch.autograd.grad(rgb.sum(), points)[0][..., 2]

    for beyond, limit in ((1.0, 2.0), (50.0, 4.0)):
        rgb, grad = at(beyond)
        torch.testing.assert_close(rgb, at(limit)[0])
        assert float(grad.abs().max()) < 1e-12
    assert (at(3.0)[1] < 0).all()  # nearer: more of the face, less of the background


def test_nearest_face_alone_in_the_opaque_limit_and_a_thousand_faces_behind():
    """1,000 faces over the same pixels: all count, and with a small gamma the nearest has the pixel to itself."""
    corner = torch.tensor([[-50.0, -50.0], [80.0, -50.0], [10.0, 120.0]]).double().repeat(1000, 1)
    z = torch.linspace(1.5, 4.5, 1000).double().repeat_interleave(3)
    points, faces = torch.cat([corner, z[:, None]], 1)[None], torch.arange(3000).reshape(1000, 3)
    order = torch.randperm(1000)
    colors = torch.rand(1000, 1, 3).double().expand(-1, 3, -1)
    rgb, alpha = ops.soft_color(points, faces[order], colors[order], (8, 8), 1.0, 1e-5, near=1.0, far=5.0)
    torch.testing.assert_close(rgb, colors[0, 0].expand_as(rgb))
    assert (alpha == 1).all()
    rgb, _ = ops.soft_color(points, faces[order], colors[order], (8, 8), 1.0, 1e6, background=0.5)
    expected = (colors[:, 0].sum(0) + 0.5) / 1001  # all weigh the same
    torch.testing.assert_close(rgb, expected.expand_as(rgb), atol=1e-6, rtol=0)


@pytest.mark.parametrize("gamma", [1e-30, 1e-4, 1.0, 1e30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_gamma_stays_finite_and_within_the_colors(gamma, dtype):
    mesh = icosphere(2)
    points = project(mesh, 48).to(dtype).requires_grad_()
    colors = torch.full((mesh.num_faces, 3, 2), 0.25, dtype=dtype, requires_grad=True)
    rgb, alpha = ops.soft_color(points, mesh.faces, colors, (48, 48), 0.5, gamma, background=0.25)
    torch.testing.assert_close(rgb, torch.full_like(rgb, 0.25))
    gradients = torch.autograd.grad((rgb * torch.rand_like(rgb)).sum() + alpha.sum(), (points, colors))
    assert all(g.isfinite().all() for g in gradients)


def test_no_face_leaves_the_background():
    none, picture = torch.zeros(0, 3, dtype=torch.int64), torch.rand(2, 4, 5, 3)
    rgb, alpha = ops.soft_color(torch.zeros(2, 0, 3), none, torch.zeros(0, 3, 3), (4, 5), 1.0, 0.1, background=picture)
    assert torch.equal(rgb, picture)
    assert (alpha == 0).all()
    rgb, _ = ops.soft_color(torch.zeros(0, 5, 3), none, torch.zeros(0, 3, 1), (4, 5), 1.0, 0.1)
    assert rgb.shape == (0, 4, 5, 1)


def test_permuting_faces_changes_nothing():
    points, faces, colors = colored_soup(60, 40)
    order = torch.randperm(60)
    ours = ops.soft_color(points, faces, colors, (40, 40), 2.0, 0.1, **DEPTHS)
    shuffled = ops.soft_color(points, faces[order], colors[:, order], (40, 40), 2.0, 0.1, **DEPTHS)
    torch.testing.assert_close(ours, shuffled, atol=1e-12, rtol=0)


def test_same_bytes_for_any_number_of_threads():
    points, faces, colors = colored_soup(300, 150, torch.float32, images=2)
    points.requires_grad_(), colors.requires_grad_()
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            rgb, alpha = ops.soft_color(points, faces, colors, (150, 150), 2.0, 0.1, **DEPTHS)
            gradients = torch.autograd.grad(rgb.square().sum() + alpha.square().sum(), (points, colors))
            results.append((rgb, alpha, *gradients))
    finally:
        torch.set_num_threads(before)
    for result in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(result, results[0]))


def test_packed_ranges_draw_their_own_faces_and_shared_colors_collect_from_all_images():
    points, faces, colors = colored_soup(20, 30)
    points, colors = points[0].requires_grad_(), colors[0].requires_grad_()
    ranges = torch.tensor([[0, 7], [7, 7], [7, 20]])
    arguments = (30, 30), 2.0, 0.1
    rgb, alpha = ops.soft_color(points, faces, colors, *arguments, ranges=ranges, **DEPTHS)
    packed = torch.autograd.grad(rgb.square().sum(), (points, colors), retain_graph=True)
    alone = []
    for image, (begin, end) in enumerate(ranges.tolist()):
        part = ops.soft_color(points[None], faces[begin:end], colors[begin:end], *arguments, **DEPTHS)
        assert torch.equal(rgb[image], part[0][0])
        assert torch.equal(alpha[image], part[1][0])
        alone.append(part[0].square().sum())
    torch.testing.assert_close(torch.autograd.grad(sum(alone), (points, colors)), packed)

    several = torch.stack([points, points + 1.5]).detach()
    shared, _ = ops.soft_color(several, faces, colors, *arguments, **DEPTHS)
    own, _ = ops.soft_color(several, faces, colors.expand(2, -1, -1, -1), *arguments, **DEPTHS)
    assert torch.equal(shared, own)
    both = [torch.autograd.grad(x.square().sum(), colors)[0] for x in (shared, own)]
    torch.testing.assert_close(*both)


def test_degenerate_and_unbounded_faces_stay_finite():
    nan, inf = float("nan"), float("inf")
    same_and_line = [[5, 5, 2], [5, 5, 2], [5, 5, 3], [2, 9, 2], [8, 9, 2]]
    without_numbers = [[nan, 3, 2], [inf, 0, 2], [1e30, 2, 2]]
    huge = [[-1e12, -1e12, 1], [1e12, 8, 5], [3, 1e12, 1e30]]
    behind_and_sliver = [[4, 4, 0], [4, 4, -1], [4, 4, nan], [5, 5.0001, 2]]
    points = torch.tensor([same_and_line + without_numbers + huge + behind_and_sliver]).requires_grad_()
    faces = torch.tensor(
        [
            [0, 1, 2],
            [3, 4, 3],
            [3, 4, 5],
            [3, 4, 6],
            [3, 4, 7],
            [8, 9, 10],
            [3, 4, 11],
            [3, 4, 12],
            [3, 4, 13],
            [0, 1, 14],
        ]
    )
    colors = torch.ones(len(faces), 3, 1, requires_grad=True)
    rgb, alpha = ops.soft_color(points, faces, colors, (12, 12), 1.0, 1e-2)
    assert alpha.isfinite().all()
    assert ((rgb >= 0) & (rgb <= 1 + 1e-6)).all()
    (rgb.sum() + alpha.sum()).backward()
    assert points.grad.isfinite().all()
    assert colors.grad.isfinite().all()
    assert (points.grad[0, [5, 6, 7, 11, 12, 13]] == 0).all()  # not drawn
    assert (colors.grad[[2, 3, 4, 6, 7, 8]] == 0).all()


def test_wrong_input_is_named():
    points, faces, colors = torch.ones(1, 3, 3), torch.tensor([[0, 1, 2]]), torch.ones(1, 3, 2)
    good = {"points": points, "faces": faces, "colors": colors, "image_size": (4, 4), "sigma": 1.0, "gamma": 0.1}
    for bad, message in [
        ({"points": points[..., :2]}, "points: expected shape"),
        ({"colors": colors[:, 0]}, r"colors: expected shape \(1, 3, C\) or \(1, 1, 3, C\), got \(1, 2\)"),
        ({"colors": colors[..., :0]}, "colors: expected shape"),
        ({"colors": colors.double()}, "colors: expected torch.float32"),
        ({"sigma": 0.0}, "sigma"),
        ({"gamma": -1.0}, "gamma"),
        ({"gamma": 1e-40}, "gamma"),
        ({"near": 5.0, "far": 5.0}, "near, far"),
        ({"eps": 2.0}, "eps"),
        ({"background": torch.ones(3)}, "background: expected a number or a shape"),
        ({"background": torch.ones(2).double()}, "background: expected torch.float32"),
        ({"faces": faces + 1}, "faces: expected indices within 0..2, got 3"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            ops.soft_color(**{**good, **bad})


def test_second_derivatives_are_refused_not_wrong():
    points, faces, colors = colored_soup(3, 9)
    points.requires_grad_()
    rgb, _ = ops.soft_color(points, faces, colors, (9, 9), 1.0, 0.1)
    (first,) = torch.autograd.grad(rgb.sum(), points, create_graph=True)
    with pytest.raises(RuntimeError):
        first.sum().backward()


def test_equals_pytorch3d_where_it_is_installed():
    """Faces of constant depth, where the two ways to clip barycentrics are one, and no face left out for its K."""
    pytest.importorskip("pytorch3d")
    from pytorch3d.renderer.blending import BlendParams, softmax_rgb_blend
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.renderer.mesh.rasterizer import Fragments
    from pytorch3d.structures import Meshes

    size, sigma, gamma = 32, 1.5, 0.05
    points, faces, colors = colored_soup(15, size)
    points[0, :, 2] = points[0, ::3, 2].repeat_interleave(3)
    colors = colors[0, :, :1].expand(-1, 3, -1)
    rgb, alpha = ops.soft_color(
        points, faces, colors, (size, size), sigma, gamma, background=0.4, near=0.5, far=5.0, eps=1e-10
    )
    sigma_ndc = sigma / (size / 2) ** 2
    verts = torch.cat([1 - 2 * points[0, :, :2] / size, points[0, :, 2:]], -1).float()  # x left, y up
    reach = math.log(1 / 1e-4 - 1) * sigma_ndc
    seen = Fragments(
        *rasterize_meshes(
            Meshes([verts], [faces]), size, reach, 15, 0, perspective_correct=True, clip_barycentric_coords=True
        )
    )
    picture = softmax_rgb_blend(
        colors[seen.pix_to_face.clamp_min(0), 0].float(),
        seen,
        BlendParams(sigma_ndc, gamma, (0.4, 0.4, 0.4)),
        znear=0.5,
        zfar=5.0,
    )
    torch.testing.assert_close(picture[..., :3].double(), rgb, atol=1e-4, rtol=0)
    torch.testing.assert_close(picture[..., 3].double(), alpha, atol=1e-4, rtol=0)
