"""Decoders: closed surfaces of codes, in the cube of the objects, that gradients can move."""

import math

import pytest
import torch

from invgraph.geometry import Mesh, icosphere
from invgraph.svr import DistanceDecoder, FieldDecoder, MeshDecoder
from invgraph.svr.coded_lattice import NODES, CodedLattice

SMALL = {
    "mesh": lambda: MeshDecoder(6, level=2),
    "occupancy": lambda: FieldDecoder(6, hidden=16, resolution=8),
    "lattice": lambda: FieldDecoder(6, hidden=0, lattice=8, resolution=8),
    "sdf": lambda: DistanceDecoder(6),
}


def meshes(surfaces):
    if isinstance(surfaces, Mesh):
        return [surfaces.with_verts(verts) for verts in surfaces.verts]
    return surfaces


@pytest.mark.parametrize("kind", SMALL)
def test_each_code_begins_as_a_ball_that_gradients_reach(kind):
    torch.manual_seed(0)
    decoder = SMALL[kind]()
    assert decoder.kind == ("occupancy" if kind == "lattice" else kind)
    code = torch.randn(2, 6)
    found = meshes(decoder(code))
    assert len(found) == 2
    for mesh in found:
        assert mesh.is_closed
        assert mesh.euler_characteristic == 2
        assert mesh.volume() > 0.04
        assert mesh.verts.abs().max() < 0.5
    sum(mesh.volume() for mesh in found).backward()
    reached = sum(p.grad is not None and bool(p.grad.any()) for p in decoder.parameters())
    assert reached >= 4
    assert all(p.grad.isfinite().all() for p in decoder.parameters() if p.grad is not None)


@pytest.mark.parametrize("kind", SMALL)
def test_codes_of_another_size_are_refused(kind):
    with pytest.raises(ValueError, match=r"code: expected floating-point codes \(B, 6\)"):
        SMALL[kind]()(torch.zeros(2, 5))


def test_the_sphere_has_642_vertices_that_stay_in_the_cube_and_in_their_octants():
    torch.manual_seed(0)
    decoder = MeshDecoder(512)
    with torch.no_grad():
        for layer in (decoder.displacement, decoder.center):
            layer.weight.mul_(1000)
    template = decoder._template.verts
    mesh = decoder(torch.randn(3, 512))
    assert mesh.verts.shape == (3, 642, 3)
    assert mesh.num_faces == 1280
    assert mesh.verts.abs().max() <= 0.5
    assert (mesh.verts[0] - mesh.verts[1]).abs().max() > 0.1
    for verts in mesh.verts:  # a vertex of the positive half is nowhere below one of the negative half
        for axis in range(3):
            positive, negative = template[:, axis] > 1e-6, template[:, axis] < -1e-6
            assert verts[positive, axis].min() >= verts[negative, axis].max() - 1e-6


def test_without_displacement_the_mesh_is_the_template():
    decoder = MeshDecoder(4, level=2)
    with torch.no_grad():
        decoder.displacement.weight.zero_()
        decoder.center.weight.zero_()
    verts = decoder(torch.randn(1, 4)).verts[0].detach()
    template = icosphere(2, radius=0.25)
    torch.testing.assert_close(verts.norm(dim=1), torch.full((162,), 0.25))
    torch.testing.assert_close(decoder(torch.zeros(1, 4)).volume()[0], template.volume())
    for axis in range(3):  # its own mirror image in each plane
        mirrored = verts * (1 - 2 * torch.eye(3)[axis])
        assert float((mirrored[:, None] - verts).norm(dim=-1).amin(1).max()) < 1e-6
    with torch.no_grad():
        decoder.center.bias.copy_(torch.tensor([5.0, 0.0, -5.0]))
    moved = decoder(torch.randn(1, 4)).verts[0]
    center = 0.5 * math.tanh(0.5)
    on_planes = (verts.abs() < 1e-6)[:, [0, 2]]
    torch.testing.assert_close(moved[on_planes[:, 0], 0], torch.full((int(on_planes[:, 0].sum()),), center))
    torch.testing.assert_close(moved[on_planes[:, 1], 2], torch.full((int(on_planes[:, 1].sum()),), -center))


def test_terms_of_the_mesh_are_those_of_its_losses():
    decoder, code = MeshDecoder(4, level=1), torch.randn(2, 4)
    mesh, terms = decoder.decode(code)
    assert set(terms) == {"laplacian", "flattening", "uniformity", "area"}
    torch.testing.assert_close(terms["area"], mesh.area().mean())
    assert set(decoder.decode(code, ("area", "eikonal"))[1]) == {"area"}
    torch.testing.assert_close(terms["uniformity"], 2 * mesh.edge_lengths().square().sum(-1).mean())


def test_distances_have_the_surface_of_their_zero_set():
    """A ball of another radius and place: its mesh lies on it."""
    decoder = DistanceDecoder(4)
    nodes = decoder._grid.nodes[: decoder._grid.num_corners].view(32, 32, 32, 3)
    assert nodes.abs().max() > 0.5 + 0.9 * decoder.cell
    ball = torch.linalg.vector_norm(nodes - torch.tensor([0.1, 0.0, -0.05]), dim=-1) - 0.3
    mesh = decoder._surfaces(ball[None])[0]
    radius = torch.linalg.vector_norm(mesh.verts - torch.tensor([0.1, 0.0, -0.05]), dim=1)
    assert mesh.is_closed
    assert (radius - 0.3).abs().max() < 0.1 * decoder.cell


def test_an_empty_shape_comes_back():
    decoder = DistanceDecoder(4)
    with torch.no_grad():
        decoder.grow[-1].bias.fill_(30.0)
    optimizer = torch.optim.Adam(decoder.parameters(), 0.2)
    code = torch.ones(1, 4)
    surfaces, terms = decoder.decode(code)
    assert surfaces[0].num_faces == 0
    for _ in range(60):
        optimizer.zero_grad()
        terms["presence"].backward()
        optimizer.step()
        surfaces, terms = decoder.decode(code)
        if surfaces[0].num_faces:
            break
    assert surfaces[0].num_faces > 0
    assert surfaces[0].is_closed


def test_between_the_nodes_of_its_lattice_a_field_is_interpolated():
    torch.manual_seed(0)
    decoder = FieldDecoder(6, hidden=8, lattice=4)
    code = torch.randn(2, 6)
    axis = torch.linspace(-0.55, 0.55, NODES)
    node = torch.tensor([3, 17, 30])
    points = torch.stack([axis[node], axis[node + torch.tensor([0, 0, 1])], (axis[node] + axis[node + 1]) / 2])
    values = decoder.field.lattice(code)
    x, y, z = node.tolist()
    corners = values[:, x : x + 2, y : y + 2, z : z + 2]
    expected = torch.stack([values[:, x, y, z], values[:, x, y, z + 1], corners.mean((1, 2, 3))], 1)
    rest = decoder.field.network(points.expand(2, -1, -1), code) + 10 * (0.35 - points.norm(dim=1))
    assert torch.allclose(decoder.logits(points.expand(2, -1, -1), code), rest + expected, atol=1e-5)
    alone = FieldDecoder(6, hidden=0, lattice=4)
    nodes = torch.cartesian_prod(axis, axis, axis).expand(2, -1, -1)
    assert torch.allclose(alone.field.at_nodes(code).flatten(1), alone.logits(nodes, code), atol=1e-4)


def test_the_parts_of_a_node_lie_side_by_side():
    lattice = CodedLattice(6, 4)
    with torch.no_grad():
        lattice.spread.weight.zero_()
        lattice.spread.bias.copy_(torch.arange(64.0))
    values = lattice(torch.zeros(1, 6))[0]
    x, y, z = torch.meshgrid(*[torch.arange(NODES) % 4] * 3, indexing="ij")
    assert torch.equal(values, (16 * x + 4 * y + z).float())


def test_a_field_is_a_network_or_a_lattice():
    with pytest.raises(ValueError, match="hidden, lattice: expected channels of one or both, got 0 and 0"):
        FieldDecoder(6, hidden=0)
    with pytest.raises(ValueError, match="channels: expected a multiple of 4, got 6"):
        FieldDecoder(6, lattice=6)


def test_surfaces_of_the_field_are_those_of_its_logits():
    torch.manual_seed(0)
    decoder = FieldDecoder(6, hidden=16, resolution=32)
    code = torch.randn(2, 6)
    decoder.train()
    assert decoder.logits(torch.rand(2, 50, 3) - 0.5, code).shape == (2, 50)
    with torch.no_grad():
        coarse = decoder(code)
    fine = decoder(code)
    assert decoder.field.training
    decoder.eval()
    for k in range(2):
        for mesh in (coarse[k], fine[k]):
            logits = decoder.logits(mesh.verts.detach()[None], code[k : k + 1])
            assert logits.abs().max() < 0.1  # a cell changes them by 0.34
        assert abs(float(coarse[k].volume() / fine[k].volume().detach()) - 1) < 0.02


def test_a_lower_threshold_is_a_larger_surface():
    """Of the ball that every shape begins as, whose logits fall by 10 a unit: at 0.2 its radius is log(4) / 10 more."""
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            decoder = FieldDecoder(4, hidden=8, resolution=32, threshold=0.2)
            with torch.no_grad():
                decoder.field.network.network.out.weight.zero_()
                decoder.field.network.network.out.bias.zero_()
            radius = decoder(torch.zeros(1, 4))[0].verts.detach().norm(dim=1)
        assert float((radius - 0.35 - math.log(4) / 10).abs().max()) < 1e-2


def test_a_field_without_a_surface_gives_an_empty_mesh():
    decoder = FieldDecoder(6, hidden=16, resolution=8)
    with torch.no_grad():
        decoder.field.network.network.out.bias.fill_(-100.0)
        assert decoder(torch.zeros(1, 6))[0].num_faces == 0
    assert decoder(torch.zeros(1, 6))[0].num_faces == 0
