"""What holds for any drawing, however absurd: results in range, and faces that cannot be drawn change nothing."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from invgraph import ops
from invgraph.geometry.topology import Topology

few = settings(max_examples=60, deadline=None, derandomize=True)
SPECIAL = [0.0, -0.0, 1e-30, -1e-30, 1e30, -1e30, 9e14, -1e12, 1e38, 1e-45, math.inf, -math.inf, math.nan, 2.0**31]
ordinary = st.floats(-4, 24, width=32)
lattice = st.integers(-4, 24).map(lambda n: n / 2)
coordinate = st.one_of(ordinary, lattice, st.sampled_from(SPECIAL))
depths = st.one_of(st.floats(0.5, 4, width=32), st.sampled_from([-1.0, 1e-14, 1e-15, 1e14, *SPECIAL]))


@st.composite
def drawings(draw, plane=coordinate, deep=depths, images=(0, 3)):
    """points (B, V, 3), faces (F, 3) and an image size."""
    count, verts = draw(st.integers(*images)), draw(st.integers(1, 6))
    points = [[[draw(plane), draw(plane), draw(deep)] for _ in range(verts)] for _ in range(count)]
    corner = st.integers(0, verts - 1)
    faces = draw(st.lists(st.tuples(corner, corner, corner), max_size=6))
    size = draw(st.sampled_from([(1, 1), (1, 40), (9, 17), (33, 65)]))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    return (
        torch.tensor(points, dtype=dtype).reshape(count, verts, 3),
        torch.tensor(faces, dtype=torch.int64).reshape(-1, 3),
        size,
    )


def every_picture(points, faces, size):
    """All primitives on one drawing, by name."""
    topology = Topology(faces, points.shape[1])
    edges, edge_faces = topology.edges, topology.edge_faces
    seen = ops.rasterize(points, faces, size)
    colors = torch.linspace(0, 1, max(1, len(faces) * 6), dtype=points.dtype)[: len(faces) * 6].reshape(-1, 3, 2)
    covered = (seen.face_id >= 0).to(points.dtype)[..., None]
    rgb, soft = ops.soft_color(points, faces, colors, size, 1.5, 0.1, near=0.5, far=4.0)
    attributes = torch.linspace(0, 1, points.shape[1], dtype=points.dtype)[:, None]
    return seen, {
        "soft_silhouette": ops.soft_silhouette(points[..., :2], faces, size, 1.5),
        "antialias": ops.antialias(covered, seen.depth, points, faces, edges, edge_faces),
        "interpolate": ops.interpolate(attributes, faces, seen),
        "soft_outline": ops.soft_outline(points, faces, edges, edge_faces, size, 1.5),
        "soft_color": rgb,
        "alpha of soft_color": soft,
    }


@few
@given(drawings())
def test_every_value_is_in_range(drawing):
    points, faces, size = drawing
    points.requires_grad_()
    seen, pictures = every_picture(points, faces, size)
    some = seen.face_id >= 0
    assert bool((seen.face_id < len(faces)).all())
    assert bool((seen.depth > 0).all())
    assert torch.equal(seen.depth.isfinite(), some)
    sums = seen.barycentric.sum(-1)
    torch.testing.assert_close(sums, some.to(sums.dtype), atol=1e-3, rtol=0)
    for name, picture in pictures.items():
        assert picture.shape[:3] == (len(points), *size), name
        assert bool(((picture >= 0) & (picture <= 1.0001)).all()), name
    (grad,) = torch.autograd.grad(sum(p.sum() for p in pictures.values()), points)
    nowhere = ~points.detach()[..., :2].isfinite().all(-1)
    assert bool((grad[nowhere] == 0).all())  # no gradient to a vertex that no drawn face has


tame = drawings(plane=st.one_of(ordinary, lattice), deep=st.floats(0.5, 4, width=32))


@few
@given(tame)
def test_gradients_of_ordinary_drawings_are_finite(drawing):
    points, faces, size = drawing
    points.requires_grad_()
    seen, pictures = every_picture(points, faces, size)
    for name, picture in {**pictures, "depth": torch.where(seen.face_id >= 0, seen.depth, 0.0)}.items():
        (grad,) = torch.autograd.grad(picture.sum(), points, retain_graph=True)
        flat = name in ("depth", "interpolate", "soft_color")  # 1 / area: a sliver's may be anything
        assert flat or bool(grad.isfinite().all()), name
        assert not bool(grad.isnan().any()), name


@few
@given(tame, st.sampled_from([-1.0, 0.0, 1e-16, 1e16, math.inf, math.nan]), st.sampled_from([2e15, math.inf, math.nan]))
def test_faces_that_cannot_be_drawn_change_nothing(drawing, depth, coordinate):
    """Appended faces: behind the camera, too near, too far, without number. Not one byte moves."""
    points, faces, size = drawing
    verts, bad = points.shape[1], points.new_tensor([[3.0, 3.0, depth], [3.0, coordinate, 2.0]])
    extended = torch.cat([points, bad.expand(len(points), 2, 3)], 1)
    more = torch.cat([faces, torch.tensor([[0, verts, 0], [0, 0, verts + 1], [verts, verts + 1, 0]])])
    seen, pictures = every_picture(points, faces, size)
    seen_too = ops.rasterize(extended, more, size)
    for a, b in zip(seen, seen_too):
        assert torch.equal(a, b)
    # a silhouette has no depth: there only faces without numbers are not drawn
    beside = torch.cat([faces, more[len(faces) + 1 : len(faces) + 2]])
    silhouette = ops.soft_silhouette(extended[..., :2], beside, size, 1.5)
    assert torch.equal(silhouette, pictures["soft_silhouette"])
    topology = Topology(more, verts + 2)
    outline = ops.soft_outline(extended, more, topology.edges, topology.edge_faces, size, 1.5)
    assert torch.equal(outline, pictures["soft_outline"])


@few
@given(drawings(images=(1, 3)))
def test_packed_and_shared_are_the_same_bytes(drawing):
    points, faces, size = drawing
    count, verts = points.shape[:2]
    packed = torch.cat([faces + n * verts for n in range(count)])
    ranges = torch.arange(count)[:, None] * len(faces) + torch.tensor([0, len(faces)])
    flat = points.reshape(-1, 3)
    for a, b in zip(ops.rasterize(points, faces, size), ops.rasterize(flat, packed, size, ranges=ranges)):
        assert torch.equal(a, b)
    one = ops.soft_silhouette(points[..., :2], faces, size, 1.5)
    assert torch.equal(one, ops.soft_silhouette(flat[:, :2], packed, size, 1.5, ranges=ranges))


@few
@given(tame, st.permutations(range(3)))
def test_turning_a_face_changes_no_coverage(drawing, order):
    """Corners in another order: the same silhouette, depth and coverage, but for rounding."""
    points, faces, size = drawing
    turned = faces[:, list(order)]
    a, b = (ops.soft_silhouette(points[..., :2], f, size, 1.5) for f in (faces, turned))
    torch.testing.assert_close(a, b, atol=1e-4, rtol=0)
    a, b = (ops.rasterize(points, f, size).face_id for f in (faces, turned))
    assert torch.equal(a >= 0, b >= 0)


@few
@given(
    st.sampled_from(["repeat", "mirror", "clamp"]),
    st.sampled_from(["linear", "nearest"]),
    st.lists(st.one_of(st.floats(-3, 3, width=32), st.sampled_from(SPECIAL)), min_size=2, max_size=12),
)
def test_textures_stay_between_their_texels(wrap, filter, numbers):
    uv = torch.tensor(numbers[: len(numbers) // 2 * 2]).reshape(1, 1, -1, 2).requires_grad_()
    image = torch.rand(3, 2, 1)
    colour = ops.texture(image, uv, wrap=wrap, filter=filter)
    assert bool((colour >= image.min() - 1e-6).all())
    assert bool((colour <= image.max() + 1e-6).all())
    (grad,) = torch.autograd.grad(colour.sum(), uv)
    assert bool(grad.isfinite().all())


@few
@given(
    st.lists(st.one_of(st.floats(-2, 2, width=32), st.sampled_from(SPECIAL)), min_size=3, max_size=12),
    st.sampled_from([1.0, 2.0, math.inf]),
)
def test_winding_number_is_a_number_or_says_not(numbers, accuracy):
    points = torch.tensor(numbers[: len(numbers) // 3 * 3]).reshape(-1, 3)
    tetrahedron = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    w = ops.winding_number(points, tetrahedron, faces, accuracy=accuracy)
    finite = points.isfinite().all(-1)
    assert torch.equal(w.isfinite(), finite)
    assert bool((w[finite].abs() < 1.05).all())
    with pytest.raises(ValueError, match="verts: expected finite"):
        ops.winding_number(points, tetrahedron / 0, faces)
