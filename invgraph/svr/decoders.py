"""The shapes of the library, amortized: what turns codes into surfaces."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from torch import Tensor, nn

from ..geometry import Mesh

DecoderKind = Literal["mesh", "occupancy", "sdf"]

Surfaces = Mesh | list[Mesh]
"""A batch that shares its faces, verts (B, V, 3); or one mesh a code, any of which may be empty."""

SIDE = 0.5
"""Half the longest side of an object in the canonical frame: objects lie in ``[-0.5, 0.5]^3``, around the origin, as in
the image sets (x right, y up, z towards the camera of view 0)."""


class Decoder(nn.Module):
    """Codes (B, code_size) to surfaces in the canonical frame, where objects lie in ``[-0.5, 0.5]^3``.

    A decoder of another kind overrides :meth:`decode`.

    Args:
        code_size: length of a code.
    """

    kind: DecoderKind

    def __init__(self, code_size: int) -> None:
        super().__init__()
        if code_size < 1:
            raise ValueError(f"code_size: expected at least 1, got {code_size}")
        self.code_size = code_size

    def decode(self, code: Tensor, terms: Collection[str] | None = None) -> tuple[Surfaces, dict[str, Tensor]]:
        """Surfaces of codes (B, code_size), and the terms that prefer some of them, as means over the batch.

        The terms are scalars by name, without weights: the objective weights them.

        Args:
            code: (B, code_size).
            terms: names of those that are wanted, the others cost no time; None: all. Names of other decoders' terms
                are passed over.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define decode()")

    def forward(self, code: Tensor) -> Surfaces:
        """Surfaces of codes (B, code_size), closed and differentiable: a batch, or one mesh a code."""
        return self.decode(code)[0]

    def regularizers(self, code: Tensor) -> dict[str, Tensor]:
        """The terms of :meth:`decode` alone; in training, ask for both at once."""
        return self.decode(code)[1]

    def check(self, code: Tensor) -> None:
        """Refuse what are no codes."""
        if not code.is_floating_point() or code.ndim != 2 or code.shape[1] != self.code_size:
            got = f"{tuple(code.shape)} {code.dtype}"
            raise ValueError(f"code: expected floating-point codes (B, {self.code_size}), got {got}")
