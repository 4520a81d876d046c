"""Codes without an encoder: one for each shape, found together with the decoder by descent."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..errors import InputError
from .descend import History, Progress, descend
from .field import Field

_START = 0.01  # standard deviation of a code's numbers at the start


class AutoDecoder(nn.Module):
    """A decoder of signed distances and one code for each shape it is trained on (Park 2019, section 4).

    Decoder and codes descend on the mean over samples of ``|f(x, z) - clamp(d)|`` with d clamped to +-``truncation``,
    which counts as 0 where f and d lie beyond the truncation on the same side, plus ``prior |z|^2``. Such codes make a
    space of shapes: :meth:`infer` finds the code of a shape that was not seen, from any samples of its signed distance,
    with the decoder as it is::

        model = AutoDecoder(DeepSDF(64, hidden=256), shapes=len(points))
        model.fit(points, distances, steps=2000)
        mesh = extract_mesh(model.decoder, code=model.codes[0]).mesh
        code = model.infer(new_points, new_distances)

    Args:
        decoder: a field of kind "sdf" with a code.
        shapes: how many shapes it is trained on.
        truncation: the paper's delta, in the units of the points.
        prior: the paper's 1 / sigma^2 divided by the number of samples, since it sums over samples what is a mean here.
        seed: of the codes at the start.
    """

    def __init__(
        self, decoder: Field, shapes: int, *, truncation: float = 0.1, prior: float = 1e-4, seed: int = 0
    ) -> None:
        super().__init__()
        if decoder.kind != "sdf" or decoder.code_size == 0:
            got = f"kind {decoder.kind!r} and code_size {decoder.code_size}"
            raise ValueError(f"decoder: expected signed distances with a code, got {got}")
        for name, value, low in (("shapes", shapes, 1), ("truncation", truncation, 0), ("prior", prior, 0)):
            if not value >= low or (name == "truncation" and value == 0):
                raise ValueError(
                    f"{name}: expected {'above' if name == 'truncation' else 'at least'} {low}, got {value}"
                )
        self.decoder, self.truncation, self.prior = decoder, truncation, prior
        self.codes = nn.Parameter(_START * torch.randn(shapes, decoder.code_size, generator=_seeded(seed)))

    def loss(self, values: Tensor, distances: Tensor, codes: Tensor) -> dict[str, Tensor]:
        """The terms "distance" and "prior" of values and distances (B, P) of B shapes with codes (B, code_size).

        Values within the truncation have the paper's loss. It clamps those beyond whatever the target is, so that they
        have no gradient, and a decoder that starts or strays there stays: here they are drawn back.
        """
        limit = self.truncation
        values = torch.where(distances >= limit, values.clamp(max=limit), values)
        values = torch.where(distances <= -limit, values.clamp(min=-limit), values)
        error = (values - distances.clamp(-limit, limit)).abs().mean()
        return {"distance": error, "prior": self.prior * codes.square().sum(-1).mean()}

    def fit(
        self,
        points: Sequence[Tensor] | Tensor,
        distances: Sequence[Tensor] | Tensor,
        *,
        steps: int = 2000,
        shapes: int = 16,
        samples: int = 1024,
        learning_rate: float = 1e-3,
        code_rate: float = 5e-3,
        seed: int = 0,
        progress: Progress | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ) -> History:
        """Train decoder and codes, which are left in evaluation mode. Returns the terms of every step.

        Args:
            points: (P, 3) for each shape; their numbers may differ.
            distances: (P,) for each shape, negative inside.
            steps: of Adam, with step sizes that fall to 0 along a cosine.
            shapes: how many shapes a step takes.
            samples: how many samples of each.
            learning_rate: of the decoder.
            code_rate: of the codes.
            seed: of the shapes and samples of each step.
            progress, checkpoint, resume: see :func:`descend`.

        Raises:
            InputError: samples that are not finite, or not as many distances as points.
        """
        if not len(points) == len(distances) == len(self.codes):
            count = f"{len(points)} and {len(distances)}"
            raise InputError(f"points, distances: expected one set for each of {len(self.codes)} shapes, got {count}")
        for k in range(len(points)):
            _check_samples(points[k], distances[k], f" of shape {k}")
        generator, device = _seeded(seed), self.codes.device
        rates = [
            {"params": self.decoder.parameters(), "lr": learning_rate},
            {"params": [self.codes], "lr": code_rate},
        ]
        optimizer = torch.optim.Adam(rates)

        def loss() -> dict[str, Tensor]:
            chosen = torch.randperm(len(points), generator=generator)[:shapes].tolist()
            drawn = [torch.randint(len(points[k]), (samples,), generator=generator) for k in chosen]
            x = torch.stack([points[k][rows] for k, rows in zip(chosen, drawn)]).to(device)
            d = torch.stack([distances[k][rows] for k, rows in zip(chosen, drawn)]).to(device)
            codes = self.codes[chosen]
            return self.loss(self.decoder(x, codes), d, codes)

        self.train()
        history = descend(
            self,
            loss,
            optimizer,
            steps=steps,
            generator=generator,
            schedule=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps),
            progress=progress,
            checkpoint=checkpoint,
            resume=resume,
        )
        self.eval()
        return history

    def infer(
        self,
        points: Tensor,
        distances: Tensor,
        *,
        steps: int = 400,
        samples: int = 1024,
        learning_rate: float = 1e-2,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Tensor:
        """Code (code_size,) of a new shape from samples of its signed distance; the decoder stays as it is.

        Args:
            points: (P, 3).
            distances: (P,), negative inside.
            steps: of Adam, with a step size that falls to 0 along a cosine.
            samples: how many samples a step takes.
            learning_rate: of the code.
            seed: of the samples of each step.
            progress: see :func:`descend`.
        """
        _check_samples(points, distances, "")
        generator = _seeded(seed)
        held = nn.ParameterList([self.codes.detach().mean(0)])
        (code,) = held
        optimizer = torch.optim.Adam(held.parameters(), lr=learning_rate)
        fixed = {name: p.detach() for name, p in self.decoder.named_parameters()}  # no gradients for the weights

        def loss() -> dict[str, Tensor]:
            rows = torch.randint(len(points), (samples,), generator=generator)
            x, d = points[rows].to(code), distances[rows].to(code)
            return self.loss(functional_call(self.decoder, fixed, (x, code))[None], d[None], code[None])

        training = self.decoder.training
        self.decoder.eval()
        try:
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
            descend(held, loss, optimizer, steps=steps, generator=generator, schedule=schedule, progress=progress)
        finally:
            self.decoder.train(training)
        return code.detach()


def _check_samples(points: Tensor, distances: Tensor, where: str) -> None:
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0 or distances.shape != points.shape[:1]:
        got = f"{tuple(points.shape)} and {tuple(distances.shape)}"
        raise InputError(f"points, distances{where}: expected (P, 3) and (P,) with P >= 1, got {got}")
    for name, value in (("points", points), ("distances", distances)):
        bad = int((~value.isfinite()).sum())
        if bad:
            raise InputError(f"{name}{where}: expected finite numbers, got {bad} of {value.numel()} that are not")


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
