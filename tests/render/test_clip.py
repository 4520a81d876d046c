"""What planes leave of spheres and boxes, in closed form, and how the cuts join."""

import math

import pytest
import torch

import invgraph as ig
from invgraph.geometry import Mesh, icosphere
from invgraph.geometry.topology import Topology
from invgraph.render.clip import Drawing, clip


def plane(normal, offset):
    """{x: normal . x >= offset}, of one image."""
    return torch.tensor([[*normal, -offset]], dtype=torch.float64)


def area(drawing):
    a, b, c = drawing.positions.reshape(-1, 3)[drawing.faces].unbind(1)  # of one image
    return 0.5 * torch.linalg.cross(b - a, c - a).norm(dim=-1).sum()


@pytest.mark.parametrize("cut", [-0.63, 0.0, 0.25, 0.9])
@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.6, -0.64, 0.48)])
def test_a_cut_sphere_keeps_the_cap(cut, normal):
    """Archimedes: the cap of height h has area 2 pi h."""
    sphere = icosphere(5).to(dtype=torch.float64)
    drawing = clip(Drawing(sphere.verts[None], sphere.topology), [plane(normal, cut)])
    assert float(area(drawing)) == pytest.approx(2 * math.pi * (1 - cut), rel=3e-3)
    used = drawing.positions[drawing.faces.unique()]
    assert float((used @ torch.tensor(normal, dtype=torch.float64)).min()) > cut - 1e-12


def test_a_box_between_planes_is_a_slab():
    """Six planes cut a cube out of a larger one's inside and outside: nothing, or the exact strips of its sides."""
    cube = Mesh(
        torch.tensor([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)]).double(),
        torch.tensor(
            [
                *([0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]),
                *([2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]),
            ]
        ),
    )
    start = Drawing(cube.verts[None], cube.topology)
    slab = clip(start, [plane((0, 0, 1), -0.25), plane((0, 0, -1), -0.5)])  # -0.25 <= z <= 0.5
    assert float(area(slab)) == pytest.approx(4 * 2 * 0.75, abs=1e-12)
    corner = clip(start, [plane((1, 0, 0), 0.5), plane((0, 1, 0), 0.25), plane((0, 0, 1), 0.75)])
    assert float(area(corner)) == pytest.approx(0.75 * 0.25 + 0.5 * 0.25 + 0.5 * 0.75, abs=1e-12)
    inside = clip(
        start, [plane(n, -0.9) for n in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))]
    )
    assert len(inside.faces) == 0


def test_cuts_join_without_cracks():
    """Every edge of a cut closed mesh has two faces, but for the rim, and the rim lies on the planes."""
    g = torch.Generator().manual_seed(1)
    sphere = icosphere(3).to(dtype=torch.float64)
    verts = sphere.verts[None] * torch.tensor([[[1.0]], [[1.3]]]).double()
    normals = torch.nn.functional.normalize(torch.randn(3, 2, 3, generator=g).double(), dim=-1)
    planes = [torch.cat([n, torch.full((2, 1), 0.3).double()], 1) for n in normals]
    drawing = clip(Drawing(verts, sphere.topology), planes)
    topology = drawing.topology
    rim = topology.edges[(topology.edge_faces < 0).any(1)]
    assert len(rim) > 50
    ends = drawing.positions[rim]
    image = drawing.image[rim]
    off = torch.stack([(ends * p[image, :3]).sum(-1) + p[image, 3] for p in planes], -1)  # (edges, 2, planes)
    assert float(off.min()) > -1e-12
    assert float(off.abs().amax(1).amin(-1).max()) < 1e-12  # both ends on one plane
    assert bool((topology.edge_faces >= -1).all())
    per_edge = torch.bincount(topology.face_edges.reshape(-1), minlength=topology.num_edges)
    assert int(per_edge.max()) == 2


def test_parts_know_their_place_on_the_face():
    """Corners of parts, mixed from the source face's corners, are the drawn points; the order of faces is kept."""
    g = torch.Generator().manual_seed(2)
    verts = torch.randn(2, 90, 3, generator=g).double()
    topology = Topology(torch.arange(90).view(30, 3), 90)
    planes = [torch.randn(2, 4, generator=g).double() for _ in range(3)]
    drawing = clip(Drawing(verts, topology), planes)
    assert int(drawing.part.max()) > 20
    for image in range(2):
        first, last = drawing.ranges[image].tolist()
        assert bool((drawing.source_face[first:last].diff() >= 0).all())
        corners = verts[image][topology.faces[drawing.source_face[first:last]]]
        mixed = drawing.part_corners[drawing.part[first:last]] @ corners
        torch.testing.assert_close(mixed, drawing.positions[drawing.faces[first:last]], atol=1e-9, rtol=0)
        assert bool((drawing.image[drawing.faces[first:last]] == image).all())


@pytest.mark.parametrize(
    ("depths", "parts"),
    [
        ([1.0, 1.0, 1.0], 1),  # all on the plane
        ([1.0, 1.0, 2.0], 1),  # in front, touching by an edge
        ([1.0, 2.0, 2.0], 1),
        ([1.0, 0.5, 0.5], 0),  # behind, touching by a corner
        ([1.0, 1.0, 0.5], 0),  # behind, touching by an edge
        ([1.0, 2.0, 0.5], 1),  # through a corner: one triangle, not one and a sliver
        ([2.0, 1.5, 0.5], 2),
        ([2.0, 0.4, 0.5], 1),
        ([0.1, 0.4, 0.5], 0),
    ],
)
def test_exactly_on_the_plane(depths, parts):
    verts = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)
    for turn in range(3):
        verts[:, 2] = torch.tensor(depths).roll(turn)
        drawing = clip(Drawing(verts[None], Topology(torch.tensor([[0, 1, 2]]), 3)), [plane((0, 0, 1), 1.0)])
        assert len(drawing.faces) == parts
        if parts:
            assert float(area(drawing)) > 0


def test_nothing_is_copied_where_nothing_is_cut():
    sphere = icosphere(1).to(dtype=torch.float64)
    drawing = Drawing(sphere.verts[None], sphere.topology)
    assert clip(drawing, [plane((0, 0, 1), -1.0)]) is drawing
    assert len(clip(drawing, [plane((0, 0, 1), 5.0)]).faces) == 0
    empty = Drawing(sphere.verts[None][:0], sphere.topology)
    assert clip(empty, [plane((0, 0, 1), 0.0)[:0]]) is empty


def test_the_cut_moves_with_vertices_and_planes():
    verts = torch.tensor([[[0.0, 0.1, 2], [1, -0.2, 0.3], [0.2, 1, 0.4]]], dtype=torch.float64, requires_grad=True)
    edge = plane((0.1, 0.2, 1), 1.0).requires_grad_()
    topology = Topology(torch.tensor([[0, 1, 2]]), 3)

    def cut(verts, edge):
        drawing = clip(Drawing(verts, topology), [edge])
        return drawing.positions[drawing.faces], drawing.part_corners

    assert torch.autograd.gradcheck(cut, (verts, edge))


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
def test_near_and_far_remove_exactly_what_lies_beyond(projection):
    """A slice of the unit sphere: its picture is what rays meet between the planes, first front, then back wall."""
    eye = torch.tensor([[0.0, 0, -3.0]], dtype=torch.float64)
    if projection == "perspective":
        rig = ig.Cameras.look_at(eye, [0, 0, 0], [0, 1, 0], 50, (80, 80))
    else:
        rig = ig.Cameras.orthographic(eye, [0, 0, 0], [0, 1, 0], 2.6, (80, 80))
    sphere = icosphere(5).to(dtype=torch.float64)
    near, far = {"perspective": 2.3, "orthographic": 2.7}[projection], 3.5
    out = ig.render(sphere, rig, mode="hard", near=near, far=far, outputs=("alpha", "depth"))
    v, u = torch.meshgrid(torch.arange(80.0) + 0.5, torch.arange(80.0) + 0.5, indexing="ij")
    x, y = ((u - 40) / rig.K[0, 0, 0]).double(), ((v - 40) / rig.K[0, 1, 1]).double()
    r2 = x * x + y * y
    if projection == "perspective":  # |(x z, y z, z - 3)| = 1
        a, b, c = r2 + 1, -6.0, 8.0
        root = (b * b - 4 * a * c).clamp_min(0).sqrt()
        walls, hit = ((-b - root) / (2 * a), (-b + root) / (2 * a)), b * b - 4 * a * c > 0
    else:
        root = (1 - r2).clamp_min(0).sqrt()
        walls, hit = (3 - root, 3 + root), r2 < 1
    depth = torch.zeros(80, 80).double()
    for z in (walls[1], walls[0]):  # the nearer last
        depth = torch.where(hit & (z > near) & (z < far), z, depth)
    sure = torch.ones(80, 80).bool()  # away from the rims, where the faceted sphere differs
    for z in walls:
        sure &= ((z - near).abs() > 0.03) & ((z - far).abs() > 0.03)
    sure &= (walls[1] - walls[0]) > 0.3
    sure |= ~hit & (r2 > 1.05 * r2[hit].max())
    assert float(sure.double().mean()) > 0.7
    torch.testing.assert_close(out.depth[0][sure], depth[sure], atol=0.01, rtol=0)
    assert torch.equal(out.alpha[0][sure] > 0, depth[sure] > 0)
    for shown in (depth == walls[0], depth == walls[1], depth == 0):
        assert int((sure & shown).sum()) > 50


def test_near_and_far_are_checked():
    sphere = icosphere(1)
    lens = ig.Cameras.look_at([[0.0, 0, -3]], [0, 0, 0], [0, 1, 0], 50, (8, 8))
    parallel = ig.Cameras.orthographic([[0.0, 0, -3]], [0, 0, 0], [0, 1, 0], 3.0, (8, 8))
    for rig, options, name in (
        (lens, {"near": 0.0}, "near"),
        (lens, {"near": math.nan}, "near"),
        (lens, {"near": math.inf}, "near"),
        (lens, {"far": -1.0}, "far"),
        (lens, {"near": 2.0, "far": 2.0}, "far"),
        (parallel, {"near": math.nan}, "near"),
        (parallel, {"far": math.nan}, "far"),
        (parallel, {"near": 1.0, "far": 0.5}, "far"),
    ):
        with pytest.raises(ValueError, match=name):
            ig.render(sphere, rig, **options)
    # an orthographic camera may look back: the sphere around its own plane
    within = ig.Cameras.orthographic([[0.0, 0, 0]], [0, 0, 1], [0, 1, 0], 3.0, (8, 8))
    depth = [ig.render(sphere, within, near=n, outputs=("depth",)).depth[0, 4, 4] for n in (None, -math.inf)]
    assert float(depth[0]) > 0.9
    assert float(depth[1]) < -0.9
