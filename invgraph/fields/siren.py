"""SIREN: a network of sines that is the signed distance of one shape, and the objective that makes it so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from .field import Field

WEIGHTS = {"surface": 3000.0, "normal": 100.0, "eikonal": 50.0, "off_surface": 100.0, "side": 1000.0}
"""What :func:`siren_loss` multiplies its terms by: but for the last, as the paper's authors published them."""

_SHARPNESS = 100.0  # alpha of exp(-alpha |f|): f is pushed off zero as far as a few times 1 / alpha


class Siren(Field):
    """Signed distance as a multilayer perceptron with sines: ``x -> sin(omega (W x + b))``, then a linear layer.

    Sitzmann et al., Implicit Neural Representations with Periodic Activation Functions, NeurIPS 2020. It is smooth: its
    gradient is a normal, and losses on the gradient can be differentiated again. It works in the frame of its points,
    which should fill [-1, 1]^3: ``omega`` counts waves over that cube.

    Args:
        hidden: width of the layers.
        layers: number of hidden layers behind the first.
        omega: frequency of every layer.
        bounds: see :class:`Field`.
        generator: source of the initial weights; the global generator if None.
    """

    def __init__(
        self,
        hidden: int = 256,
        layers: int = 3,
        omega: float = 30.0,
        *,
        bounds: Tensor | Sequence[Sequence[float]] = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__("sdf", bounds=bounds)
        if hidden < 1 or layers < 0:
            raise ValueError(f"hidden, layers: expected a width >= 1 and a number >= 0, got {hidden} and {layers}")
        if not 0 < omega < math.inf:
            raise ValueError(f"omega: expected a positive frequency, got {omega}")
        self.omega = omega
        sizes = [3, *[hidden] * (layers + 1), 1]
        self.linear = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self._initialise(generator)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator | None) -> None:
        """Section 3.2 of the paper: ``omega W x`` is normal with variance 1, whatever the depth and width.

        Weights are uniform in +-sqrt(6 / n) / omega, those of the first layer in +-1 / n; the biases, of which the
        paper does not speak, as torch's, in +-1 / sqrt(n), with n the layer's inputs.
        """
        for i, linear in enumerate(self._layers()):
            n = linear.in_features
            bound = 1 / n if i == 0 else math.sqrt(6 / n) / self.omega
            linear.weight.uniform_(-bound, bound, generator=generator)
            linear.bias.uniform_(-1 / math.sqrt(n), 1 / math.sqrt(n), generator=generator)

    def _layers(self) -> list[nn.Linear]:
        return [cast(nn.Linear, linear) for linear in self.linear]

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        """Signed distances (...) at points (..., 3), negative inside. ``code`` is None: a SIREN is one shape."""
        self.check(points, code)
        *hidden, last = self._layers()
        x = points
        for linear in hidden:
            x = torch.sin(self.omega * linear(x))
        return last(x).squeeze(-1)


def siren_loss(
    field: Field, points: Tensor, normals: Tensor, off_surface: Tensor, inside: Tensor | None = None
) -> dict[str, Tensor]:
    """Objective of a signed distance from oriented points (Sitzmann et al. 2020, equation 6), by its weighted terms.

    - ``surface``: ``|f|`` on the surface;
    - ``normal``: ``1 - <grad f, n> / |grad f|`` on the surface (as the authors' published code has it: without the
      division the term has no lower bound, and at these weights outruns the eikonal one);
    - ``eikonal``: ``| |grad f| - 1 |`` everywhere;
    - ``off_surface``: ``exp(-100 |f|)`` off the surface, where f should not be zero;
    - ``side``, only if ``inside`` is given: ``max(0, s f)`` off the surface, s = 1 inside and -1 outside. It is not the
      paper's: where no point of the surface is near, the others leave hollows and islands.

    Each is a mean over its points times its weight in :data:`WEIGHTS`; the objective is their sum. It is differentiable
    in the field's parameters, which takes a field that is differentiable twice.

    Args:
        field: a field of kind "sdf".
        points: (P, 3) on the surface.
        normals: (P, 3) unit, outward.
        off_surface: (Q, 3) anywhere in space.
        inside: (Q,) bool: which of these lie inside, where that is known.

    Raises:
        ValueError: another kind of field, or shapes that do not fit.
    """
    if field.kind != "sdf":
        raise ValueError(f"field: expected kind 'sdf', got {field.kind!r}")
    if points.ndim != 2 or points.shape != normals.shape or off_surface.ndim != 2:
        got = f"{tuple(points.shape)}, {tuple(normals.shape)} and {tuple(off_surface.shape)}"
        raise ValueError(f"points, normals, off_surface: expected (P, 3), (P, 3) and (Q, 3), got {got}")
    if inside is not None and (inside.dtype != torch.bool or inside.shape != off_surface.shape[:1]):
        expected = f"expected ({len(off_surface)},) bool, one for each point of off_surface"
        raise ValueError(f"inside: {expected}; got {tuple(inside.shape)} {inside.dtype}")
    count = len(points)
    where = torch.cat([points, off_surface]).detach().requires_grad_()
    values = field(where)
    (gradient,) = torch.autograd.grad(values.sum(), where, create_graph=True)
    terms = {
        "surface": values[:count].abs().mean(),
        "normal": (1 - torch.nn.functional.cosine_similarity(gradient[:count], normals, dim=1)).mean(),
        "eikonal": (torch.linalg.vector_norm(gradient, dim=1) - 1).abs().mean(),
        "off_surface": torch.exp(-_SHARPNESS * values[count:].abs()).mean(),
    }
    if inside is not None:
        terms["side"] = torch.where(inside, values[count:], -values[count:]).relu().mean()
    return {name: WEIGHTS[name] * value for name, value in terms.items()}
