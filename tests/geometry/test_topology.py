import pytest
import torch

from invgraph.geometry.templates import icosphere
from invgraph.geometry.topology import Topology, cotangent_weights, laplacian_cotangent

TETRAHEDRON = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def test_tetrahedron_by_hand() -> None:
    t = Topology(TETRAHEDRON, 5)  # vertex 4 is unused
    assert t.edges.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert t.face_edges.tolist() == [[1, 3, 0], [0, 4, 2], [2, 5, 1], [3, 5, 4]]
    assert t.edge_faces.tolist() == [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]
    assert t.edge_opposite.tolist() == [[2, 3], [1, 3], [1, 2], [0, 3], [0, 2], [0, 1]]
    assert t.face_pairs.tolist() == t.edge_faces.tolist()
    assert t.degrees.tolist() == [3, 3, 3, 3, 0]
    assert t.is_closed
    assert t.euler_characteristic == 2
    assert t.components().tolist() == [0, 0, 0, 0, 1]
    adjacency = torch.ones(4, 4) - torch.eye(4)
    torch.testing.assert_close(t.laplacian_uniform().to_dense()[:4, :4], 3 * torch.eye(4) - adjacency)


def test_boundary_and_non_manifold_edges() -> None:
    # three faces on edge (0, 1), which makes it non-manifold; all other edges are open
    t = Topology(torch.tensor([[0, 1, 2], [1, 0, 3], [0, 1, 4]]), 5)
    assert t.edge_count[0] == 3
    assert t.edge_faces[0].tolist() == [0, -1]
    assert t.edge_opposite[0].tolist() == [2, -1]
    assert t.edge_faces[1].tolist() == [0, -1]
    assert t.face_pairs.shape == (0, 2)
    assert not t.is_closed
    assert not t.is_edge_manifold
    assert bool(t.boundary_verts.all())


def test_closed_needs_consistent_orientation() -> None:
    flipped = TETRAHEDRON.clone()
    flipped[0] = flipped[0].flip(0)
    t = Topology(flipped, 4)
    assert bool((t.edge_count == 2).all())
    assert not t.is_closed
    assert not t.is_edge_manifold


def test_no_faces() -> None:
    t = Topology(torch.zeros((0, 3), dtype=torch.int64), 0)
    assert t.edges.shape == t.edge_faces.shape == t.face_pairs.shape == (0, 2)
    assert not t.is_closed
    assert t.euler_characteristic == 0


@pytest.mark.parametrize(
    ("faces", "error", "match"),
    [
        (torch.tensor([[0, 1, 4]]), ValueError, r"indices in \[0, 4\)"),
        (torch.tensor([[0, 1, -1]]), ValueError, r"\[-1, 1\]"),
        (torch.tensor([[0, 1, 2, 3]]), ValueError, r"\(F, 3\).*\(1, 4\)"),
        (torch.tensor([[0.0, 1, 2]]), TypeError, "float32"),
    ],
)
def test_bad_faces_are_named(faces: torch.Tensor, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Topology(faces, 4)


def test_cotangent_laplacian() -> None:
    # a unit square cut along its diagonal: the angles opposite the diagonal are right, so its weight is zero
    verts = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=torch.float64, requires_grad=True)
    t = Topology(torch.tensor([[0, 1, 2], [0, 2, 3]]), 4)
    expected = torch.tensor([0.5, 0, 0.5, 0.5, 0.5], dtype=torch.float64)  # (01), (02), (03), (12), (23)
    torch.testing.assert_close(cotangent_weights(verts, t), expected)
    assert torch.autograd.gradcheck(lambda v: cotangent_weights(v, t), verts)
    # on a sphere of radius r, L x = 2 A x / r^2, A being the vertex's share of the area
    sphere = icosphere(4, radius=2.0, dtype=torch.float64)
    laplacian = laplacian_cotangent(sphere.verts, sphere.topology)
    share = torch.zeros(sphere.num_verts, dtype=torch.float64)
    share.index_add_(0, sphere.faces.reshape(-1), sphere.face_areas().repeat_interleave(3) / 3)
    expected = 2 * share[:, None] * sphere.verts / 4
    outward = (laplacian @ sphere.verts * sphere.verts).sum(1) / 2
    torch.testing.assert_close(outward.sum(), expected.norm(dim=1).sum(), rtol=5e-3, atol=0)
    torch.testing.assert_close(outward, expected.norm(dim=1), rtol=0.2, atol=0)  # one-ring areas differ from thirds
