import pytest
import torch
from scenes import project, random_soup
from torch.autograd import gradcheck

from invgraph import ops
from invgraph.geometry import icosphere
from invgraph.ops import reference


def scene(dtype=torch.float64, channels=5, size=(37, 70), images=2):
    points, faces = random_soup(40, 37, dtype, images=images)
    attributes = torch.randn(images, points.shape[1], channels, dtype=dtype)
    return points, faces, attributes, ops.rasterize(points, faces, size)


def packed(points, faces):
    """The same drawing as one packed batch, image by image."""
    images, verts = points.shape[:2]
    shift = torch.arange(images)[:, None, None] * verts
    ranges = torch.arange(images + 1) * len(faces)
    return points.flatten(0, 1), (faces + shift).flatten(0, 1), torch.stack([ranges[:-1], ranges[1:]], 1)


def gradients(function, attributes, fragments, upstream):
    attributes, weights = attributes.detach().requires_grad_(), fragments.barycentric.detach().requires_grad_()
    out = function(attributes, fragments._replace(barycentric=weights))
    return out.detach(), *torch.autograd.grad(out, (attributes, weights), upstream)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("layout", ["own", "shared", "packed"])
def test_equals_the_twin(dtype, tolerance, layout):
    points, faces, attributes, fragments = scene(dtype)
    ranges = None
    if layout == "shared":
        attributes = attributes[0]
    elif layout == "packed":
        points, faces, ranges = packed(points, faces)
        attributes = attributes.flatten(0, 1)
    upstream = torch.randn(2, 37, 70, 5, dtype=dtype)
    ours = gradients(lambda a, f: ops.interpolate(a, faces, f, ranges=ranges), attributes, fragments, upstream)
    twin = gradients(lambda a, f: reference.interpolate(a, faces, f, ranges=ranges), attributes, fragments, upstream)
    for a, b in zip(ours, twin):
        torch.testing.assert_close(a, b, atol=tolerance, rtol=tolerance * 10)
    assert bool((ours[0][fragments.face_id < 0] == 0).all())


def test_gradcheck():
    _, faces, attributes, fragments = scene(size=(5, 6), channels=2, images=1)
    seen = fragments.face_id >= 0
    weights = fragments.barycentric.requires_grad_()

    def at_pixels(a, w):
        return ops.interpolate(a, faces, fragments._replace(barycentric=w))[seen]

    assert gradcheck(at_pixels, (attributes.requires_grad_(), weights))


def test_faces_of_its_own():
    """A seam: faces that share a vertex see different attributes at it."""
    points = torch.tensor([[[0.0, 0, 1], [8, 0, 1], [0, 8, 1], [8, 8, 1]]])
    fragments = ops.rasterize(points, torch.tensor([[0, 1, 2], [3, 2, 1]]), (8, 8))
    out = ops.interpolate(torch.tensor([[2.0], [7.0]]), torch.tensor([[0, 0, 0], [1, 1, 1]]), fragments)[..., 0]
    torch.testing.assert_close(out, torch.where(fragments.face_id == 0, 2.0, 7.0))


def test_interpolating_the_points_gives_the_pixels():
    mesh = icosphere(2)
    points = project(mesh, 32)
    fragments = ops.rasterize(points, mesh.faces, (32, 32))
    z = points[..., 2:]
    x = ops.interpolate(torch.cat([points[..., :2] * z, z], -1), mesh.faces, fragments)
    image, row, column = (fragments.face_id >= 0).nonzero(as_tuple=True)
    seen = x[image, row, column]
    torch.testing.assert_close(seen[:, 0] / seen[:, 2], column + 0.5, check_dtype=False)
    torch.testing.assert_close(seen[:, 1] / seen[:, 2], row + 0.5, check_dtype=False)
    torch.testing.assert_close(seen[:, 2], fragments.depth[image, row, column])


def test_gradient_reaches_the_points():
    mesh = icosphere(1)
    points = project(mesh, 10).requires_grad_()
    attributes = torch.randn(1, mesh.num_verts, 3, dtype=torch.float64)
    seen = ops.rasterize(points, mesh.faces, (10, 10)).face_id >= 0

    def pictures(p):
        fragments = ops.rasterize(p, mesh.faces, (10, 10))
        return ops.interpolate(attributes, mesh.faces, fragments)[seen]

    assert gradcheck(pictures, points, atol=1e-6)


def test_same_bytes_for_any_number_of_threads():
    """Also where one face has more pixels than a segment holds, and images share their attributes."""
    points = torch.tensor([[-5.0, -5, 1], [400, -5, 1], [-5, 400, 2], [300, 300, 1]]).expand(3, -1, -1).contiguous()
    faces = torch.tensor([[0, 1, 2], [1, 2, 3]])
    fragments = ops.rasterize(points, faces, (200, 190))
    attributes, upstream = torch.randn(4, 3), torch.randn(3, 200, 190, 3)
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            found.append(gradients(lambda a, f: ops.interpolate(a, faces, f), attributes, fragments, upstream))
    finally:
        torch.set_num_threads(threads)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other))


def test_degenerate_sizes():
    points, faces, attributes, fragments = scene()
    assert ops.interpolate(attributes[..., :0], faces, fragments).shape == (2, 37, 70, 0)
    nothing = ops.rasterize(points, faces[:0], (4, 4))
    assert bool((ops.interpolate(attributes, faces[:0], nothing) == 0).all())
    no_image = ops.rasterize(points[:0], faces, (4, 4))
    assert ops.interpolate(attributes[:0], faces, no_image).shape == (0, 4, 4, 5)


def test_bad_arguments_are_named():
    points, faces, attributes, fragments = scene()
    for call, error, match in [
        (
            lambda: ops.interpolate(attributes[:1], faces, fragments),
            ValueError,
            r"attributes: expected shape \(2, V, C\)",
        ),
        (
            lambda: ops.interpolate(attributes.float(), faces, fragments),
            TypeError,
            "attributes: expected torch.float64",
        ),
        (
            lambda: ops.interpolate(attributes[:, :7], faces, fragments),
            ValueError,
            "faces: expected indices within 0..6",
        ),
        (lambda: ops.interpolate(attributes, faces[:3], fragments), ValueError, "face_id"),
        (
            lambda: ops.interpolate(attributes, faces, ops.rasterize(points, faces, (9, 9), barycentric=False)),
            ValueError,
            "fragments: expected face_id",
        ),
    ]:
        with pytest.raises(error, match=match):
            call()


def test_opcheck():
    _, faces, attributes, (face_id, barycentric, _) = scene(size=(6, 7))
    inputs = (attributes.requires_grad_(), faces, None, face_id, barycentric.detach().requires_grad_())
    torch.library.opcheck(torch.ops.invgraph.interpolate, inputs)
