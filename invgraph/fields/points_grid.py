"""A periodic grid over a box: points are spread onto it, fields are read off it, Fourier does the calculus."""

from __future__ import annotations

import math

import torch
from torch import Tensor

HALF = 1.25  # of the box for points in [-1, 1]^3: the periodic copies of a shape stay half a unit apart


class SpectralGrid:
    """``resolution``^3 nodes over the periodic box ``[-half, half)^3``, with trilinear transfer from and to points.

    Args:
        points: (N, 3) in the box.
        resolution: nodes along an axis.
        half: half the side of the box.
        blur: standard deviation, in the points' units, of the Gaussian with which vectors at points fill space.
    """

    def __init__(self, points: Tensor, resolution: int, half: float, blur: float) -> None:
        self.resolution, self.half, self.cell = resolution, half, 2 * half / resolution
        self.shape = (resolution,) * 3
        self._index, self._weight = self._corners(points)
        spacing = self.cell / (2 * math.pi)
        along = torch.fft.fftfreq(resolution, spacing, dtype=points.dtype, device=points.device)
        last = torch.fft.rfftfreq(resolution, spacing, dtype=points.dtype, device=points.device)
        self._waves = (along[:, None, None], along[None, :, None], last[None, None, :])
        self._square = along[:, None, None] ** 2 + along[None, :, None] ** 2 + last**2
        self._blur = torch.exp(-0.5 * blur * blur * self._square)
        self._solve = self._blur / self._square / self.cell**3
        self._solve[0, 0, 0] = 0  # the mean of a periodic potential is free: it is taken to be 0

    def _corners(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 8) nodes around each point, and their trilinear weights."""
        place = (points + self.half) / self.cell
        low = place.floor()
        t, low = place - low, low.long()
        bits = torch.tensor([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], device=points.device)
        node = (low[:, None] + bits) % self.resolution
        weight = torch.where(bits == 1, t[:, None], 1 - t[:, None]).prod(-1)
        return (node[..., 0] * self.resolution + node[..., 1]) * self.resolution + node[..., 2], weight

    def spread(self, values: Tensor) -> Tensor:
        """(R, R, R) sums of values (N,) at the points: the transpose of :meth:`read`."""
        grid = values.new_zeros(self.resolution**3)
        grid.index_add_(0, self._index.reshape(-1), (self._weight * values[:, None]).reshape(-1))
        return grid.reshape(self.shape)

    def read(self, grid: Tensor) -> Tensor:
        """(N,) values of a grid at the points."""
        return (grid.reshape(-1)[self._index] * self._weight).sum(1)

    def read_at(self, grid: Tensor, points: Tensor) -> Tensor:
        """(P,) values of a grid at other points."""
        index, weight = self._corners(points)
        return (grid.reshape(-1)[index] * weight).sum(1)

    def potential(self, vectors: Tensor) -> Tensor:
        """(R, R, R): the grid whose gradient is nearest to the field of blurred vectors (N, 3); its mean is 0.

        The vectors are integrals (normals times areas); it solves Poisson's equation, ``laplace u = div v``.
        """
        parts = (1j * k * torch.fft.rfftn(self.spread(v)) for k, v in zip(self._waves, vectors.unbind(1)))
        return torch.fft.irfftn(-self._solve * torch.stack(list(parts)).sum(0), self.shape)

    def potential_transposed(self, grid: Tensor) -> Tensor:
        """(N, 3): the transpose of :meth:`potential`."""
        spectrum = self._solve * torch.fft.rfftn(grid)
        return torch.stack([self.read(torch.fft.irfftn(1j * k * spectrum, self.shape)) for k in self._waves], 1)

    def gradient(self, grid: Tensor) -> Tensor:
        """(N, 3) gradient of the blurred grid at the points."""
        spectrum = self._blur * torch.fft.rfftn(grid)
        return torch.stack([self.read(torch.fft.irfftn(1j * k * spectrum, self.shape)) for k in self._waves], 1)

    def laplace(self, grid: Tensor) -> Tensor:
        """(R, R, R) integral of ``-laplace u`` over each node's cell."""
        return torch.fft.irfftn(self._square * torch.fft.rfftn(grid), self.shape) * self.cell**3

    def smooth(self, grid: Tensor, shift: float) -> Tensor:
        """(R, R, R): ``(shift - laplace)^-1`` of integrals over cells."""
        return torch.fft.irfftn(torch.fft.rfftn(grid) / (self._square + shift), self.shape) / self.cell**3
