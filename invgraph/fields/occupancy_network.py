"""The decoder of Occupancy Networks: a code and a point to the logit of being inside."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import relu

from .conditioning import ConditionalBatchNorm, as_batch
from .field import Field, FieldKind
from .resnet import ResNetReadout


class OccupancyDecoder(Field):
    """Occupancy Networks: Learning 3D Reconstruction in Function Space (Mescheder 2019), supplementary section 1.

    A point is lifted to ``hidden`` channels, passes residual blocks, and a last layer reads the logit. The code enters
    in one of two ways:

    - ``norm="batch"``, the paper's: each block normalises twice by conditional batch normalisation, whose scale and
      shift the code chooses, and so does the output. The value at a point depends in training mode on all points of the
      call: use evaluation mode (``field.eval()``) for surfaces, normals and refinement.
    - ``norm=None``: a linear map of the code is added before each block (the paper's plain decoder adds it once, before
      the first). A value depends on its point and code alone in both modes, which fits and rays, whose points are not
      spread as those of the training, can rely on.

    Without a code (``code_size=0``) it is a field of one shape.

    Args:
        code_size: length of the code; 0 for one shape.
        hidden: channels of the blocks.
        blocks: how many blocks.
        norm: "batch" or None.
        kind: what the values mean; the paper's are occupancy logits.
        bounds: see :class:`Field`.
    """

    def __init__(
        self,
        code_size: int = 0,
        *,
        hidden: int = 256,
        blocks: int = 5,
        norm: str | None = "batch",
        kind: FieldKind = "occupancy",
        bounds: Tensor | Sequence[Sequence[float]] = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
    ) -> None:
        super().__init__(kind, code_size, bounds)
        if norm not in ("batch", None):
            raise ValueError(f"norm: expected 'batch' or None, got {norm!r}")
        for name, value in (("hidden", hidden), ("blocks", blocks)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        self.network: nn.Module = (
            _NormalizedReadout(code_size, hidden, blocks) if norm else ResNetReadout(code_size, hidden, blocks)
        )

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        """Logits (...) at points (..., 3); see :meth:`Field.forward`."""
        self.check(points, code)
        rows, codes = as_batch(points, code)
        if codes is not None and isinstance(self.network, ResNetReadout):
            codes = codes[:, None]
        return self.network(rows, codes).reshape(points.shape[:-1])


class _NormalizedBlock(nn.Module):
    """``x + W1 relu(norm1(W0 relu(norm0(x))))``, W1 zero at the start."""

    def __init__(self, code_size: int, hidden: int) -> None:
        super().__init__()
        self.norm0, self.norm1 = (ConditionalBatchNorm(hidden, code_size) for _ in range(2))
        self.layer0, self.layer1 = (nn.Linear(hidden, hidden) for _ in range(2))
        nn.init.zeros_(self.layer1.weight)

    def forward(self, x: Tensor, code: Tensor | None) -> Tensor:
        y = self.layer0(relu(self.norm0(x, code)))
        return x + self.layer1(relu(self.norm1(y, code)))


class _NormalizedReadout(nn.Module):
    """(B, P, 3) and (B, code_size) -> (B, P)."""

    def __init__(self, code_size: int, hidden: int, blocks: int) -> None:
        super().__init__()
        self.lift = nn.Linear(3, hidden)
        self.blocks = nn.ModuleList([_NormalizedBlock(code_size, hidden) for _ in range(blocks)])
        self.norm = ConditionalBatchNorm(hidden, code_size)
        self.out = nn.Linear(hidden, 1)

    def forward(self, points: Tensor, code: Tensor | None) -> Tensor:
        x = self.lift(points)
        for block in self.blocks:
            x = block(x, code)
        return self.out(relu(self.norm(x, code))).squeeze(-1)
