"""Mesh losses against hand-computed values, degenerate faces and gradients."""

import math

import pytest
import torch

from invgraph.geometry.mesh import Mesh
from invgraph.losses import laplacian_cotangent, laplacian_uniform, normal_loss, smoothness, vertex_uniformity

# a square of side 1 in z = 0, cut along its diagonal (0, 2)
SQUARE = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=torch.float64)
SQUARE_FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
# the corner of a cube: three mutually perpendicular right triangles and the face that closes them
CORNER = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
CORNER_FACES = torch.tensor([[0, 2, 1], [0, 3, 2], [0, 1, 3], [1, 2, 3]])

LOSSES = {
    "vertex_uniformity": vertex_uniformity,
    "smoothness": smoothness,
    "laplacian_uniform": laplacian_uniform,
    "laplacian_cotangent": laplacian_cotangent,
    "normal_loss": lambda mesh, **kw: normal_loss(mesh, _truth(mesh)[0], _truth(mesh)[1], **kw),
}


def _truth(mesh: Mesh) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    points = torch.randn(20, 3, generator=generator, dtype=torch.float64).to(mesh.verts.dtype)
    return points, torch.nn.functional.normalize(points, dim=-1)


def _folded(angle: float) -> Mesh:
    """Two triangles that share the edge (0, 1) at the given dihedral angle (pi = flat)."""
    verts = [[0, 0, 0], [1, 0, 0], [0.3, 1, 0], [0.6, 2 * math.cos(angle), 2 * math.sin(angle)]]
    return Mesh(torch.tensor(verts, dtype=torch.float64), torch.tensor([[0, 1, 2], [1, 0, 3]]))


def test_vertex_uniformity_by_hand():
    mesh = Mesh(SQUARE, SQUARE_FACES)  # four sides of 1 and a diagonal of sqrt 2, each met from both ends
    assert vertex_uniformity(mesh).item() == pytest.approx(2 * (4 + 2))
    assert vertex_uniformity(mesh, reduction="mean").item() == pytest.approx(6 / 5)


@pytest.mark.parametrize("angle", [math.pi, 2.5, math.pi / 2, 0.3])
def test_smoothness_by_hand(angle):
    mesh = _folded(angle)
    assert smoothness(mesh).item() == pytest.approx((math.cos(angle) + 1) ** 2, abs=1e-12)
    flipped = Mesh(mesh.verts, torch.stack([mesh.faces[0], mesh.faces[1].flip(0)]))
    assert smoothness(flipped).item() == pytest.approx(smoothness(mesh).item(), abs=1e-12)


def test_smoothness_of_a_cube_corner():
    # three right angles; three edges where cos theta = 1/sqrt 3 between a coordinate plane and x + y + z = 1
    expected = 3 * 1 + 3 * (1 / math.sqrt(3) + 1) ** 2
    mesh = Mesh(CORNER, CORNER_FACES)
    assert smoothness(mesh).item() == pytest.approx(expected)
    assert smoothness(mesh, reduction="mean").item() == pytest.approx(expected / 6)


def test_normal_loss_by_hand():
    # vertex 2 lifted by 0.5 from a true plane z = 0: its three edges leave the plane by 0.5
    verts = SQUARE.clone()
    verts[2, 2] = 0.5
    normals = torch.tensor([[0.0, 0, 1]], dtype=torch.float64).expand(4, 3)
    assert normal_loss(Mesh(verts, SQUARE_FACES), SQUARE, normals).item() == pytest.approx(2 * 3 * 0.25)
    # normals differ by vertex: only the ends at vertex 0, with n = x, see its edges to 1 (1, 0, 0) and 2 (1, 1, 0)
    normals = torch.zeros(4, 3, dtype=torch.float64)
    normals[0, 0] = 1
    assert normal_loss(Mesh(SQUARE, SQUARE_FACES), SQUARE, normals).item() == pytest.approx(2.0)


def test_laplacian_uniform_by_hand():
    # vertex 0 sees 1, 2, 3: mean (2/3, 2/3); vertex 1 sees 0 and 2: mean (1/2, 1/2) - (1, 0)
    expected = 2 * (2 * (2 / 3) ** 2) + 2 * (2 * 0.5**2)
    assert laplacian_uniform(Mesh(SQUARE, SQUARE_FACES)).item() == pytest.approx(expected)


def test_laplacian_cotangent_by_hand():
    # right triangles: a side is opposite 45 degrees (weight 1/2), the diagonal opposite 90 twice (weight 0)
    expected = 4 * (0.5**2 + 0.5**2)
    assert laplacian_cotangent(Mesh(SQUARE, SQUARE_FACES)).item() == pytest.approx(expected)


def test_laplacian_cotangent_leaves_flat_sampling_alone():
    # an off-centre interior vertex of a flat fan: zero for cotangents, not for the uniform form
    center = torch.tensor([[0.3, 0.6, 0.0]], dtype=torch.float64)
    fan = Mesh(torch.cat([SQUARE, center]), torch.tensor([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]]))
    inner = fan.verts.clone().requires_grad_()
    boundary_only = Mesh(SQUARE, SQUARE_FACES)  # the border's pull is the same however the inside is cut
    assert laplacian_cotangent(fan).item() == pytest.approx(laplacian_cotangent(boundary_only).item())
    laplacian_cotangent(fan.with_verts(inner)).backward()
    assert inner.grad[4].abs().max() < 1e-12


@pytest.mark.parametrize("name", LOSSES)
def test_batch_is_the_mean_of_its_meshes(name):
    loss = LOSSES[name]
    verts = torch.stack([CORNER, 1.3 * CORNER + 0.1, CORNER[[1, 0, 3, 2]]])
    single = torch.stack([loss(Mesh(v, CORNER_FACES)) for v in verts])
    assert loss(Mesh(verts, CORNER_FACES)).item() == pytest.approx(single.mean().item())


def test_normal_loss_with_a_truth_for_each_mesh():
    verts = torch.stack([CORNER, CORNER.flip(0)])
    points = torch.randn(2, 9, 3, dtype=torch.float64)
    normals = torch.nn.functional.normalize(torch.randn_like(points), dim=-1)
    single = [normal_loss(Mesh(v, CORNER_FACES), p, n).item() for v, p, n in zip(verts, points, normals)]
    assert normal_loss(Mesh(verts, CORNER_FACES), points, normals).item() == pytest.approx(sum(single) / 2)


@pytest.mark.parametrize("name", LOSSES)
def test_gradcheck(name):
    verts = (CORNER + 0.1 * torch.randn(2, 4, 3, dtype=torch.float64)).requires_grad_()
    for reduction in ("sum", "mean"):
        assert torch.autograd.gradcheck(lambda v, r=reduction: LOSSES[name](Mesh(v, CORNER_FACES), reduction=r), verts)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e-20, 1e-6, 1.0])
def test_degenerate_faces_stay_finite(name, dtype, size):
    verts = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [1, 0, 0], [0.5, 1, 0], [0.5, 1e-4, 1e-7]], dtype=dtype)
    # collinear, doubled vertex, a vertex used three times over, a sliver, and a regular face beside them
    faces = torch.tensor([[0, 1, 2], [1, 3, 0], [0, 2, 3], [0, 1, 4], [4, 1, 2], [5, 1, 0], [4, 5, 0]])
    verts = (size * verts).requires_grad_()
    value = LOSSES[name](Mesh(verts, faces))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(verts.grad).all()


def test_a_mesh_without_pairs_costs_nothing():
    alone = Mesh(SQUARE[:3], torch.tensor([[0, 1, 2]]))
    for reduction in ("sum", "mean"):
        assert smoothness(alone, reduction=reduction).item() == 0
    with pytest.raises(ValueError, match="reduction: expected 'sum' or 'mean', got 'max'"):
        smoothness(alone, reduction="max")
    with pytest.raises(ValueError, match="normals: expected the shape of points"):
        normal_loss(alone, SQUARE, SQUARE[:2])
