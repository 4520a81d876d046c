"""Preconditioned descent on vertex positions: optimize u = (I + lambda L) x instead of x."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ..geometry import Topology


class LargeSteps(nn.Module):
    """The linear change of variables x = (I + lambda L)^-1 u, with L the combinatorial Laplacian of the mesh.

    A step against the gradient in u is a step against (I + lambda L)^-2 grad in x: sparse silhouette gradients are
    spread over the surface and the mesh stays smooth however large the step. Made for
    ``torch.nn.utils.parametrize``, so that a shape need not know how it is optimized::

        parametrize.register_parametrization(shape, "verts", LargeSteps(topology, 19.0))

    The matrix depends on the topology only; it is factorised once and both the forward and the backward solve
    reuse the factor (it is symmetric). The solve runs in float64 on the host; results follow the input.

    Source: Nicolet, Jacobson, Jakob, "Large Steps in Inverse Rendering of Geometry", SIGGRAPH Asia 2021, equation 9.

    Args:
        topology: of the mesh whose vertices are optimized.
        smoothing: lambda >= 0; 0 is plain descent, 10 to 100 is usual.
    """

    def __init__(self, topology: Topology, smoothing: float) -> None:
        super().__init__()
        if not 0 <= smoothing < float("inf"):
            raise ValueError(f"smoothing: expected a finite number >= 0, got {smoothing}")
        self.smoothing = smoothing
        self._matrix = _system(topology, smoothing)
        self._factor: Any = None

    def _solve(self, rhs: Tensor) -> Tensor:
        if self._factor is None:
            from scipy.sparse.linalg import splu

            # COLAMD with no pivoting (the matrix is symmetric positive definite): at 10k vertices 0.06 s to factorise
            # and 4 ms for three right-hand sides, faster on both counts than minimum degree or Cuthill-McKee.
            self._factor = splu(self._matrix, permc_spec="COLAMD", diag_pivot_thresh=0.0)
        solution = self._factor.solve(rhs.detach().cpu().to(torch.float64).numpy())
        return torch.from_numpy(solution).to(rhs)

    def forward(self, u: Tensor) -> Tensor:
        """Vertex positions (V, 3) of the differential coordinates u (V, 3)."""
        self._check(u)
        return _Solve.apply(u, self)

    def right_inverse(self, verts: Tensor) -> Tensor:
        """Differential coordinates u = (I + lambda L) x of vertex positions (V, 3)."""
        self._check(verts)
        product = self._matrix @ verts.detach().cpu().to(torch.float64).numpy()
        return torch.from_numpy(product).to(verts)

    def _check(self, x: Tensor) -> None:
        if x.ndim != 2 or x.shape[0] != self._matrix.shape[0]:
            raise ValueError(f"expected ({self._matrix.shape[0]}, C) values, one row a vertex, got {tuple(x.shape)}")


class _Solve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rhs: Tensor, system: LargeSteps) -> Tensor:
        ctx.system = system
        return system._solve(rhs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return ctx.system._solve(grad), None


def _system(topology: Topology, smoothing: float) -> Any:
    """I + lambda (D - A) as a SciPy CSC matrix."""
    import scipy.sparse as sp

    a, b = topology.edges.cpu().numpy().astype(np.int64).T
    size = topology.num_verts
    off = np.full(len(a), -smoothing)
    degree = np.bincount(np.concatenate([a, b]), minlength=size)
    diagonal = np.arange(size)
    rows = np.concatenate([a, b, diagonal])
    cols = np.concatenate([b, a, diagonal])
    values = np.concatenate([off, off, 1.0 + smoothing * degree])
    return sp.csc_matrix((values, (rows, cols)), shape=(size, size))
