import math

import pytest
import torch

from invgraph.geometry import Mesh, icosphere
from invgraph.metrics import watertightness


def torus(n=8, m=6):
    u, v = torch.meshgrid(torch.arange(n), torch.arange(m), indexing="ij")
    a, b = u * (2 * math.pi / n), v * (2 * math.pi / m)
    verts = torch.stack([(2 + b.cos()) * a.cos(), (2 + b.cos()) * a.sin(), b.sin()], -1).reshape(-1, 3)
    corner = [((u + i) % n * m + (v + j) % m).reshape(-1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return Mesh(verts, torch.cat([torch.stack([corner[k] for k in t], 1) for t in ((0, 1, 2), (0, 2, 3))]))


def test_closed_meshes():
    ball, ring = watertightness(icosphere(4)), watertightness(torus())
    assert (ball["closed"], ball["outward"], ball["genus"], ball["components"]) == (True, True, 0, 1)
    assert ball["volume"] == pytest.approx(4 / 3 * math.pi, rel=0.01)
    assert ball["area"] == pytest.approx(4 * math.pi, rel=0.01)
    assert (ring["closed"], ring["euler_characteristic"], ring["genus"]) == (True, 0, 1)
    a, b = icosphere(1), torus()
    both = Mesh(torch.cat([a.verts + 9, b.verts]), torch.cat([a.faces, b.faces + a.num_verts]))
    both = watertightness(both)
    assert (both["components"], both["euler_characteristic"], both["genus"]) == (2, 2, 1)
    inverted = watertightness(Mesh(a.verts, a.faces.flip(1)))
    assert (inverted["closed"], inverted["outward"]) == (True, False)


def test_what_opens_a_mesh():
    ball = icosphere(2)
    hole = watertightness(Mesh(ball.verts, ball.faces[1:]))
    assert (hole["closed"], hole["boundary_edges"], hole["flipped_edges"], hole["genus"]) == (False, 3, 0, None)

    turned = ball.faces.clone()
    turned[0] = turned[0].flip(0)
    turned = watertightness(Mesh(ball.verts, turned))
    assert (turned["closed"], turned["flipped_edges"], turned["boundary_edges"]) == (False, 3, 0)

    fin = torch.tensor([[int(ball.faces[0, 0]), int(ball.faces[0, 1]), ball.num_verts]])
    fin = watertightness(Mesh(torch.cat([ball.verts, torch.full((1, 3), 2.0)]), torch.cat([ball.faces, fin])))
    assert (fin["closed"], fin["non_manifold_edges"], fin["boundary_edges"]) == (False, 1, 2)


def test_unused_vertices_do_not_count():
    ball = icosphere(1)
    extra = watertightness(Mesh(torch.cat([ball.verts, torch.zeros(5, 3)]), ball.faces))
    assert (extra["vertices"], extra["components"], extra["euler_characteristic"]) == (42, 1, 2)


def test_no_faces():
    none = watertightness(Mesh(torch.zeros(4, 3), torch.zeros(0, 3, dtype=torch.int64)))
    assert (none["closed"], none["components"], none["volume"]) == (False, 0, 0.0)
