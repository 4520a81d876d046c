"""The decoder of DeepSDF: a code and a point to the signed distance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.utils.parametrizations import weight_norm

from .conditioning import as_batch
from .field import Field


class DeepSDF(Field):
    """DeepSDF: Learning Continuous Signed Distance Functions for Shape Representation (Park 2019), section 4.

    Eight fully connected layers with weight normalisation and ReLU take the code beside the point; after the fourth
    both are appended once more, in place of some of its channels. The output passes a tanh, as the paper's: near the
    surface it is a distance, further away only its sign counts, which is what training on clamped distances asks for.
    The paper's dropout is left out: a field has one value at a point.

    Args:
        code_size: length of the code; 0 for one shape.
        hidden: channels of the layers, more than ``code_size + 3``.
        layers: how many layers come before the output.
        skip: after which of them code and point are appended.
        tanh: whether values are confined to (-1, 1).
        bounds: see :class:`Field`.
    """

    def __init__(
        self,
        code_size: int = 256,
        *,
        hidden: int = 512,
        layers: int = 8,
        skip: int = 4,
        tanh: bool = True,
        bounds: Tensor | Sequence[Sequence[float]] = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
    ) -> None:
        super().__init__("sdf", code_size, bounds)
        given = code_size + 3
        if hidden <= given:
            raise ValueError(f"hidden: expected more than code_size + 3 = {given}, got {hidden}")
        if not 1 <= skip < layers:
            raise ValueError(f"skip: expected a layer between 1 and layers - 1 = {layers - 1}, got {skip}")
        self.skip, self.tanh = skip, tanh
        sizes = [hidden - given if layer == skip else hidden for layer in range(1, layers + 1)]
        self.layers = nn.ModuleList(
            [_layer(size_in, size_out) for size_in, size_out in zip([given] + [hidden] * layers, sizes)]
        )
        self.out = nn.Linear(hidden, 1)

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        """Signed distances (...) at points (..., 3), negative inside; see :meth:`Field.forward`."""
        self.check(points, code)
        rows, codes = as_batch(points, code)
        given = [rows] if codes is None else [codes[:, None], rows]
        x = relu(_of_parts(self.layers[0], given))
        for k, layer in enumerate(self.layers[1:], 1):
            x = relu(_of_parts(layer, [x, *given]) if k == self.skip else layer(x))
        value = self.out(x).reshape(points.shape[:-1])
        return torch.tanh(value) if self.tanh else value


def _layer(size_in: int, size_out: int) -> nn.Module:
    """A layer whose outputs vary as much as its inputs (He 2015): through eight of them nothing would be left else."""
    layer = nn.Linear(size_in, size_out)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return weight_norm(layer)


def _of_parts(layer: nn.Module, parts: list[Tensor]) -> Tensor:
    """The layer at its input's parts side by side, of which those that all points share are multiplied once."""
    assert isinstance(layer, nn.Linear)
    blocks = layer.weight.split([part.shape[-1] for part in parts], dim=1)
    total = layer.bias
    for part, block in zip(parts, blocks):
        total = total + part @ block.mT
    return total
