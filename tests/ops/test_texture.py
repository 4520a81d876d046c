import math

import pytest
import torch
from torch.autograd import gradcheck

from invgraph import ops


def literal(image, u, v, wrap, filter="linear"):
    """One look-up by the textbook: weigh the four texels around, each index wrapped by itself."""
    height, width, _ = image.shape

    def texel(i, j):
        def fold(n, size):
            if wrap == "repeat":
                return n % size
            if wrap == "clamp":
                return min(max(n, 0), size - 1)
            n = n % (2 * size)
            return n if n < size else 2 * size - 1 - n

        return image[fold(i, height), fold(j, width)]

    x, y = u * width - 0.5, (1 - v) * height - 0.5
    if filter == "nearest":
        return texel(round(y), round(x))
    j, i = math.floor(x), math.floor(y)
    a, b = x - j, y - i
    top = (1 - a) * texel(i, j) + a * texel(i, j + 1)
    bottom = (1 - a) * texel(i + 1, j) + a * texel(i + 1, j + 1)
    return (1 - b) * top + b * bottom


@pytest.mark.parametrize("filter", ["linear", "nearest"])
@pytest.mark.parametrize("wrap", ["repeat", "mirror", "clamp"])
def test_equals_the_textbook(wrap, filter):
    image = torch.rand(5, 7, 3, dtype=torch.float64)
    uv = torch.rand(1, 12, 25, 2, dtype=torch.float64) * 5 - 2
    uv[0, 0, :8] = torch.tensor(
        [[0.0, 0], [1, 1], [0.999, 0.001], [-1, 2], [1e-9, 0.5], [0.03, 0.98], [0.97, 0.02], [2, 0.1]]
    )
    if filter == "nearest":  # borders between texels go either way
        uv[0, 0, :8] += 1e-3
    found = ops.texture(image, uv, wrap=wrap, filter=filter)
    expected = torch.stack([literal(image, u, v, wrap, filter) for u, v in uv[0].reshape(-1, 2).tolist()])
    torch.testing.assert_close(found.reshape(-1, 3), expected)


def test_bottom_left_is_the_origin():
    """An asymmetric picture: red above green on the left, blue above white on the right."""
    image = torch.tensor([[[1.0, 0, 0], [0, 0, 1]], [[0, 1, 0], [1, 1, 1]]])
    corners = torch.tensor([[0.01, 0.01], [0.99, 0.01], [0.01, 0.99], [0.99, 0.99]])
    found = ops.texture(image, corners[None, None], wrap="clamp")[0, 0]
    torch.testing.assert_close(found, torch.tensor([[0.0, 1, 0], [1, 1, 1], [1, 0, 0], [0, 0, 1]]))


def test_repeat_has_no_seam():
    image = torch.rand(4, 4, 1, dtype=torch.float64)
    line = torch.linspace(-0.2, 0.2, 4001, dtype=torch.float64)
    for uv in (torch.stack([line, line * 0 + 0.3], -1), torch.stack([line * 0 + 0.3, line], -1)):
        found = ops.texture(image, uv[None, None])[0, 0, :, 0]
        assert float(found.diff().abs().max()) < 4 * 1e-4 * 1.01  # the steepest slope: a texel's width for 1


@pytest.mark.parametrize("wrap", ["repeat", "mirror", "clamp"])
def test_gradcheck(wrap):
    image = torch.rand(2, 4, 5, 2, dtype=torch.float64, requires_grad=True)
    uv = (torch.rand(2, 3, 4, 2, dtype=torch.float64) * 3 - 1).requires_grad_()
    footprint = torch.rand(2, 3, 4, 2, 2, dtype=torch.float64)
    assert gradcheck(lambda i, x: ops.texture(i, x, wrap=wrap), (image, uv))
    assert gradcheck(lambda i, x: ops.texture(i, x, wrap=wrap, filter="mipmap", footprint=footprint), (image, uv))


def test_mip_levels():
    """The footprint chooses the level: small, the image; huge, its mean; between, the mean of the blocks."""
    image = torch.rand(8, 8, 2, dtype=torch.float64)
    uv = torch.rand(1, 6, 6, 2, dtype=torch.float64)
    one = torch.eye(2, dtype=torch.float64).expand(1, 6, 6, 2, 2)

    def at(texels, **options):
        return ops.texture(image, uv, filter="mipmap", footprint=one * texels / 8, **options)

    plain = ops.texture(image, uv)
    torch.testing.assert_close(at(0.0), plain)
    torch.testing.assert_close(at(1.0), plain)
    torch.testing.assert_close(at(1e9), image.mean((0, 1)).expand(1, 6, 6, 2))
    half = image.reshape(4, 2, 4, 2, 2).mean((1, 3))
    torch.testing.assert_close(at(2.0), ops.texture(half, uv))
    torch.testing.assert_close(at(2**0.5), (plain + ops.texture(half, uv)) / 2)
    torch.testing.assert_close(at(1e9, max_level=1), ops.texture(half, uv))
    torch.testing.assert_close(at(1e9, max_level=0), plain)


def test_mip_levels_of_odd_sizes():
    image = torch.full((13, 6, 1), 0.25)
    uv, footprint = torch.rand(2, 5, 5, 2) * 3, torch.rand(2, 5, 5, 2, 2).mul(12).exp()
    found = ops.texture(image, uv, filter="mipmap", footprint=footprint)
    torch.testing.assert_close(found, torch.full((2, 5, 5, 1), 0.25))


def test_footprint_is_the_derivative():
    """Against finite differences: the same face, drawn with its picture moved by a fraction of a pixel."""
    points = torch.tensor([[[-30.0, -20, 1], [90, -10, 3], [10, 80, 2]]], dtype=torch.float64)
    faces = torch.tensor([[0, 1, 2]])
    corners = torch.tensor([[0.1, 0.2], [0.9, 0.1], [0.3, 0.8]], dtype=torch.float64)

    def uv_at(shift):
        fragments = ops.rasterize(points - torch.tensor([*shift, 0.0], dtype=torch.float64), faces, (20, 20))
        return ops.interpolate(corners, faces, fragments), fragments

    uv, fragments = uv_at((0.0, 0.0))
    found = ops.uv_footprint(uv, corners, faces, points, faces, fragments)
    h = 1e-5
    for axis, step in enumerate([(h, 0.0), (0.0, h)]):
        change = (uv_at(step)[0] - uv_at((-step[0], -step[1]))[0]) / (2 * h)
        torch.testing.assert_close(found[..., axis], change, rtol=1e-6, atol=1e-9)
    ranges = torch.tensor([[0, 1], [1, 2]])  # packed: the second image has the face again
    twice = torch.cat([faces, faces])
    both = ops.rasterize(points[0], twice, (20, 20), ranges=ranges)
    packed = ops.uv_footprint(uv.expand(2, -1, -1, -1), corners, twice, points[0], twice, both, ranges=ranges)
    torch.testing.assert_close(packed, found.expand(2, -1, -1, -1, -1))


def test_gradient_repeats_to_the_bit():
    """Many pixels onto few texels, on several threads."""
    uv, upstream = torch.rand(4, 60, 60, 2), torch.randn(4, 60, 60, 3)
    footprint = torch.rand(4, 60, 60, 2, 2)
    threads = torch.get_num_threads()
    for image in (torch.rand(9, 8, 3), torch.rand(4, 9, 8, 3)):
        found = []
        try:
            for count in (1, 4, 4, 3):
                torch.set_num_threads(count)
                x, at = image.clone().requires_grad_(), uv.clone().requires_grad_()
                out = ops.texture(x, at) + ops.texture(x, at, filter="mipmap", footprint=footprint)
                found.append(torch.autograd.grad(out, (x, at), upstream))
        finally:
            torch.set_num_threads(threads)
        for other in found[1:]:
            assert all(torch.equal(a, b) for a, b in zip(found[0], other))


def test_what_is_not_finite_looks_up_zero():
    image = torch.rand(3, 3, 1)
    uv = torch.tensor([[[[math.nan, math.inf], [0.0, 0.0], [-math.inf, 0.0]]]])
    found = ops.texture(image, uv)
    assert bool((found == found[0, 0, 1]).all())


def test_bad_arguments_are_named():
    image, uv = torch.rand(2, 3, 3, 1), torch.rand(2, 4, 4, 2)
    for arguments, options, error, match in [
        ((image[..., 0, 0], uv), {}, ValueError, "image: expected shape"),
        ((image, uv[:1]), {}, ValueError, r"uv: expected shape \(2, H, W, 2\)"),
        (((image * 255).byte(), uv), {}, TypeError, "image: expected floating point"),
        ((image, uv.double()), {}, TypeError, "uv: expected torch.float32"),
        ((image, uv), {"wrap": "around"}, ValueError, "wrap"),
        ((image, uv), {"filter": "cubic"}, ValueError, "filter"),
        ((image, uv), {"filter": "mipmap"}, ValueError, "footprint: expected shape"),
        ((image, uv), {"max_level": -1}, ValueError, "max_level"),
    ]:
        with pytest.raises(error, match=match):
            ops.texture(*arguments, **options)
