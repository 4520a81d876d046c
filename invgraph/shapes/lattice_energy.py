"""What distances on a lattice are asked for near their surface."""

from __future__ import annotations

import torch
from torch import Tensor

_BAND = 3.0  # cells on either side of the surface in which distances are kept regular


def lattice_energies(distance: Tensor, cell: float, *, eikonal: bool = True) -> dict[str, Tensor]:
    """Two energies, in the mean over the nodes within three cells of the surface.

    ``bending``: ``(div grad f)^2``, for a distance four times the squared mean curvature: the energy that decides the
    surface where no silhouette does. ``eikonal``: ``(|grad f| - 1)^2``, which keeps distances distances (Gropp et al.
    2020, "Implicit Geometric Regularization").

    Args:
        distance: (..., X, Y, Z) at the nodes of one or more lattices; those on the border have no energy.
        cell: edge length of a cell.
        eikonal: give the second one too.

    Returns:
        Scalars by name.
    """
    middle = distance[..., 1:-1, 1:-1, 1:-1]
    near = (middle.detach().abs() < _BAND * cell).to(middle)
    total = near.sum().clamp(min=1)
    bend = -6 * middle
    for axis in range(3):
        bend = bend + _shifted(distance, axis, 0) + _shifted(distance, axis, 2)
    energies = {"bending": (bend.square() * near).sum() / (total * cell**4)}
    if eikonal:
        slope = torch.zeros_like(middle)
        for axis in range(3):
            slope = slope + (_shifted(distance, axis, 2) - _shifted(distance, axis, 0)).square()
        steepness = (slope / (4 * cell * cell) + 1e-12).sqrt()
        energies["eikonal"] = ((steepness - 1).square() * near).sum() / total
    return energies


def _shifted(x: Tensor, axis: int, begin: int) -> Tensor:
    """(..., X - 2, Y - 2, Z - 2): from the second node along each axis but one, there from ``begin``."""
    for k in range(3):
        x = x.narrow(k - 3, begin if k == axis else 1, x.shape[k - 3] - 2)
    return x
