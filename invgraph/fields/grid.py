"""A field of one shape that fits in seconds: features on grids, read by a small network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .analytic import Sphere
from .field import Field, FieldKind
from .lattice import Lattice

_MAX_LEVELS = 32


class GridField(Field):
    """Trilinear features of several grid levels and a small network that reads them, added to a first guess.

    ``f(x) = initial(x) + network(features(x))``. The features start near zero and the network without biases, so that
    the field starts as ``initial``, to a thousandth or so. Most of what it learns is in the features, which a point
    shares only with its neighbours: a step touches few of them and the network is small, which makes this the fast
    field for one shape on a CPU. Levels are dense, or hashed as in Instant Neural Graphics Primitives (Müller et al.
    2022, section 3).

    Values and first derivatives with respect to the points can be differentiated again (eikonal terms, normals); the
    field is continuous, its gradient jumps at the walls of the cells. Outside of the bounds the network's part stays as
    it is at the nearest point of the box.

    Args:
        kind: "occupancy" or "sdf".
        levels: cells along the longest side of the bounds, from coarse to fine; cells are about cubes.
        features: numbers a node.
        hidden: width of the two hidden layers of the network.
        hashed: log2 of the rows of a hashed level; False keeps every level dense. Levels that fit stay dense.
        bounds: see :class:`Field`.
        initial: what the field starts as, of kind sdf and without a code; for an occupancy, its distances in cells of
            the coarsest level are the logits. None is a sphere in the middle of the bounds, half as large as fits.
        smoothness: weight of the curvature of the levels' features, see :meth:`Lattice.curvature`, among the
            regularizers: where samples leave the surface open, it goes the smoothest way. 0 leaves it out.
        generator: source of the first weights; the global generator if None.

    Raises:
        InputError: more nodes than there is memory for.
    """

    def __init__(
        self,
        kind: FieldKind = "occupancy",
        *,
        levels: Sequence[int] = (8, 16, 32),
        features: int = 4,
        hidden: int = 32,
        hashed: int = False,
        bounds: Tensor | Sequence[Sequence[float]] = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
        initial: Field | None = None,
        smoothness: float = 0.3,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(kind, bounds=bounds)
        self._check(levels, features, hidden, hashed, smoothness, initial)
        sides = self.bounds[1] - self.bounds[0]
        cell = float(sides.amax()) / levels[0]
        cells = [[max(1, round(float(side) / float(sides.amax()) * n)) for side in sides] for n in levels]
        self.levels = tuple(levels)
        self.active = len(levels)
        self.lattice = Lattice(cells, features, hashed=int(hashed), generator=generator)
        self.network = nn.Sequential(
            nn.Linear(features * len(levels), hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, 1),
        )
        _initialise(self.network, generator)
        self.initial = Sphere(0.25 * sides.amin(), self.bounds.mean(0)) if initial is None else initial
        self.smoothness = smoothness
        self.slope = 1.0 if kind == "sdf" else -1 / cell

    @staticmethod
    def _check(
        levels: Sequence[int], features: int, hidden: int, hashed: int, smoothness: float, initial: Field | None
    ) -> None:
        if not 1 <= len(levels) <= _MAX_LEVELS or min(levels) < 1 or list(levels) != sorted(levels):
            raise ValueError(f"levels: expected numbers of cells >= 1 from coarse to fine, got {levels}")
        if features < 1 or hidden < 1:
            raise ValueError(f"features, hidden: expected at least 1 each, got {features} and {hidden}")
        if hashed is not False and not 4 <= hashed <= 30:
            raise ValueError(f"hashed: expected False or the log2 of a table's rows in [4, 30], got {hashed}")
        if not 0 <= smoothness < float("inf"):
            raise ValueError(f"smoothness: expected a finite weight >= 0, got {smoothness}")
        if initial is not None and (initial.kind != "sdf" or initial.code_size):
            raise ValueError("initial: expected a signed distance without a code, got " + type(initial).__name__)

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        """Values (...) at points (..., 3); ``code`` is None."""
        self.check(points, code)
        low, high = self.bounds.to(points)
        features = self.lattice((points.reshape(-1, 3) - low) / (high - low), self.active)
        values: Tensor = self.network(features).reshape(points.shape[:-1])
        return values + self.slope * self.initial(points)

    @property
    def active(self) -> int:
        """How many levels count, from the coarsest; the features of the others are 0. Raise it as a fit gets finer."""
        return self._active

    @active.setter
    def active(self, levels: int) -> None:
        if not 1 <= levels <= len(self.levels):
            raise ValueError(f"active: expected a number of levels in [1, {len(self.levels)}], got {levels}")
        self._active = levels

    def regularizers(self) -> dict[str, Tensor]:
        """``curvature``, weighted, unless its weight is 0."""
        return {"curvature": self.smoothness * self.lattice.curvature()} if self.smoothness else {}


@torch.no_grad()
def _initialise(network: nn.Sequential, generator: torch.Generator | None) -> None:
    """Uniform weights after He, zero biases."""
    for layer in network:
        if isinstance(layer, nn.Linear):
            bound = (6 / layer.in_features) ** 0.5
            layer.weight.uniform_(-bound, bound, generator=generator)
            layer.bias.zero_()
