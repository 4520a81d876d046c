"""Energies of distances on lattices."""

import pytest
import torch

from invgraph.shapes import lattice_energies


def ball(radius, stretch=1.0, side=33):
    x = torch.linspace(-1, 1, side, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(x, x, x, indexing="ij"), -1)
    return stretch * (torch.linalg.vector_norm(points, dim=-1) - radius), 2 / (side - 1)


def test_a_ball_bends_by_its_mean_curvature():
    distance, cell = ball(0.6)
    energies = lattice_energies(distance, cell)
    assert float(energies["bending"]) == pytest.approx(4 / 0.6**2, rel=0.1)
    assert float(energies["eikonal"]) < 1e-4
    assert "eikonal" not in lattice_energies(distance, cell, eikonal=False)
    steep, _ = ball(0.6, stretch=1.5)
    assert float(lattice_energies(steep, cell)["eikonal"]) == pytest.approx(0.25, rel=0.02)


def test_a_batch_has_the_mean_over_all_its_nodes():
    distance, cell = ball(0.5)
    alone, twice = lattice_energies(distance, cell), lattice_energies(distance.expand(2, -1, -1, -1), cell)
    for name in alone:
        torch.testing.assert_close(twice[name], alone[name])
