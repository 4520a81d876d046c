"""The zero surface within cells: closed whatever the values, where the values say, the same in any order."""

import numpy as np
import pytest
import torch

from invgraph.geometry import Mesh
from invgraph.geometry.marching_cubes import march_cells, mixed_cells

KINDS = {
    "any": lambda r, s: r.uniform(-1, 1, s),
    "signs, where every comparison is a tie": lambda r, s: r.choice([-1.0, 1], s),
    "signs and zeros": lambda r, s: r.choice([-1.0, 0, 1], s),
    "tiny beside huge": lambda r, s: r.choice([-1e-9, 0, 1, 1e-12, -1e20, 1e300], s),
}


def surface(values: np.ndarray) -> Mesh:
    verts, faces = march_cells(*mixed_cells(values))
    return Mesh(torch.from_numpy(verts), torch.from_numpy(faces))


@pytest.mark.parametrize("beyond", [-1, -np.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_closed_whatever_the_values(kind, beyond):
    random = np.random.default_rng(0)
    for _ in range(25):
        sides = random.integers(2, 8, 3)
        inner = KINDS[kind](random, tuple(sides))
        inner[0, 0, 0], inner[-1, -1, -1] = 1, -1
        mesh = surface(np.pad(inner, 1, constant_values=beyond))
        assert mesh.is_closed
        assert float(mesh.volume()) > 0
        if beyond == -np.inf:  # cut at the outermost nodes within
            assert float(mesh.verts.min()) >= 1
            assert bool((mesh.verts <= torch.from_numpy(sides)).all())


def test_as_scikit_image_has_it():
    from skimage.measure import marching_cubes

    values = np.pad(np.random.default_rng(1).uniform(-1, 1, (9, 10, 11)), 1, constant_values=-1)
    mesh = surface(values)
    verts, faces, _, _ = marching_cubes(values.astype(np.float32), 0.0, gradient_direction="ascent")
    assert (mesh.num_verts, mesh.num_faces) == (len(verts), len(faces))
    other = Mesh(torch.from_numpy(verts.copy()).double(), torch.from_numpy(faces.astype(np.int64)))
    assert float(mesh.volume()) == pytest.approx(float(other.volume()), rel=1e-3)
    assert mesh.euler_characteristic == other.euler_characteristic


def test_vertices_lie_on_edges_where_a_line_between_the_values_is_zero():
    # without saddles, where a vertex within the cell may be needed
    x, y, z = np.meshgrid(np.arange(9.0), np.arange(8.0), np.arange(7.0), indexing="ij")
    values = 2.6 - np.sqrt((x - 4.1) ** 2 + (y - 3.3) ** 2 + (z - 2.9) ** 2)
    verts = surface(values).verts.numpy()
    below = np.floor(verts).astype(int)
    assert ((verts != below).sum(1) == 1).all()
    above = np.ceil(verts).astype(int)
    t = (verts - below).max(1)
    a, b = values[tuple(below.T)], values[tuple(above.T)]
    assert np.abs(a * (1 - t) + b * t).max() < 1e-14


def test_a_surface_through_nodes_has_no_flat_faces():
    x, y, z = np.meshgrid(*[np.arange(-6.0, 7)] * 3, indexing="ij")
    mesh = surface(25 - x**2 - y**2 - z**2)  # through (5, 0, 0), (3, 4, 0), ...
    assert mesh.is_closed
    assert float(mesh.face_areas().min()) > 1e-7
    box = surface(3 - np.maximum(np.maximum(abs(x), abs(y)), abs(z)))
    assert float(box.verts.amax() - box.verts.amin()) == 6  # and vertices alone at their node stay there


def test_cells_in_any_order_and_none():
    random = np.random.default_rng(2)
    cells, values = mixed_cells(np.pad(random.uniform(-1, 1, (34, 34, 34)), 1, constant_values=-1))  # two blocks
    order = random.permutation(len(cells))
    verts, faces = march_cells(cells, values)
    verts_again, faces_again = march_cells(cells[order], values[order])
    assert np.array_equal(verts, verts_again)
    assert np.array_equal(np.unique(np.sort(faces, 1), axis=0), np.unique(np.sort(faces_again, 1), axis=0))
    assert len(march_cells(cells[:0], values[:0])[1]) == 0
