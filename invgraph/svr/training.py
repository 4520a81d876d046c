"""The training loop: on one process or several, resumed exactly, with Lightning Fabric."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from ..checkpoint import load_checkpoint, save_checkpoint
from ..data.image_sets import ImageSet
from ..errors import InputError
from ..interrupt import Interrupt
from .accelerator import on_gpus
from .batches import Batch, StepBatches, loader
from .description import describe
from .model import Reconstructor
from .model_file import model_entry, save_model
from .objective import Objective
from .synced_norm import sync_batch_norms
from .train_options import Precision, RunOptions, TrainOptions
from .train_watchers import Watcher
from .validation import Validation

if TYPE_CHECKING:
    from lightning.fabric import Fabric

LAST, BEST = "last.ckpt", "best.ckpt"
_KEY = "training"


@dataclass(frozen=True)
class TrainResult:
    """How a training ended: steps taken, the best and last validation, whether Ctrl-C ended it."""

    steps: int
    scores: dict[str, float]
    best: float
    interrupted: bool


def make_fabric(run: RunOptions) -> Fabric:
    """Lightning's view of the machine. With several processes those of this machine are started by ``launch()``."""
    try:
        from lightning.fabric import Fabric
    except ImportError as error:
        raise InputError("training needs Lightning (pip install '.[train]')") from error
    on_gpu = on_gpus(run.accelerator)
    if on_gpu and run.devices > torch.cuda.device_count():
        raise InputError(f"devices: expected at most the {torch.cuda.device_count()} GPUs there are, got {run.devices}")
    how: dict[str, Any] = {"precision": "32-true"}
    if _precision(run, on_gpu) == "bf16":
        from lightning.fabric.plugins.precision.amp import MixedPrecision

        class MixedLayers(MixedPrecision):
            """Rounds in layers only: of a batch, points and cameras need their digits."""

            def convert_input(self, data: Any) -> Any:
                return data

        how = {"plugins": [MixedLayers("bf16-mixed", "cuda" if on_gpu else "cpu")]}
    return Fabric(
        accelerator="cuda" if on_gpu else "cpu",
        devices=run.devices,
        num_nodes=run.num_nodes,
        strategy="ddp" if run.devices * run.num_nodes > 1 else "auto",
        **how,
    )


def _precision(run: RunOptions, on_gpu: bool) -> Precision:
    """What "auto" is here: bf16 where there are instructions for it; elsewhere it is slower than float32."""
    if run.precision != "auto":
        return run.precision
    if on_gpu:
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    capabilities = torch.backends.cpu.get_cpu_capability()
    has = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if capabilities.startswith("AVX512") and has else "32"


def train(
    train_data: ImageSet,
    val_data: ImageSet,
    options: TrainOptions,
    folder: str | os.PathLike[str],
    *,
    encoder: nn.Module | None = None,
    run: RunOptions | None = None,
    fabric: Fabric | None = None,
    watchers: Sequence[Watcher] = (),
    resume: bool = False,
) -> TrainResult:
    """Train a network on the training split; leaves ``last.ckpt`` and ``best.ckpt`` in a folder.

    Each step is a function of the weights before it and of its number: whatever a kill interrupts, the run goes on from
    its last checkpoint to the same weights, byte for byte on a CPU with the same number of threads. N processes take a
    batch's Nth parts and average their gradients and batch statistics, of the encoder and of the decoder "occupancy":
    to rounding, the run of one.

    Args:
        train_data, val_data: the splits, of the same classes.
        options: what the weights depend on.
        folder: where the checkpoints go. ``last.ckpt`` is all that resuming needs, ``best.ckpt`` the network of the
            best validation; both are read by :func:`load_model`, and replaced whole or not at all.
        encoder: a module of the caller's, from pictures (B, C, image_size, image_size) to codes (B, code_size), where
            the options say "custom"; C is 4, or 3 where there are no silhouettes. It is trained in place, and
            :func:`load_model` needs one like it.
        run: what it runs on.
        fabric: made by :func:`make_fabric` and launched, for callers that run in several processes themselves.
        watchers: told of what happens, in the first process only.
        resume: go on from ``last.ckpt``.

    Raises:
        InputError: data or options that cannot be trained with, a checkpoint of another run or network, a checkpoint
            that cannot be written (the last one is still there).
        ValueError: an encoder, and options that do not say "custom", or the other way round.
        ArithmeticError: the loss became NaN or infinite.
    """
    run = run or RunOptions()
    if fabric is None:
        fabric = make_fabric(run)
        fabric.launch()
    if options.batch % fabric.world_size:
        raise InputError(f"batch: expected a multiple of the {fabric.world_size} processes, got {options.batch}")
    if options.objective == "occupancy" and not train_data.has_points:
        raise InputError(f"{train_data.root}: the objective 'occupancy' needs files of points, and there are none")
    if options.objective == "silhouette" and not train_data.has_silhouettes:
        raise InputError(
            f"{train_data.root}: the objective 'silhouette' needs silhouettes, and the pictures are RGB without masks; "
            "train by points with the decoder and objective 'occupancy'"
        )
    if train_data.image_size[0] != train_data.image_size[1]:
        raise InputError(f"{train_data.root}: expected square pictures, got {train_data.image_size} pixels")
    training = _Training(train_data, val_data, options, Path(folder), encoder, run, fabric, watchers)
    try:
        if resume:
            training.restore()
        return training.go()
    finally:
        for watcher in training.watchers:
            watcher.close()


class _Training:
    """A run and its state: weights, optimizer, the number of steps taken, the best validation."""

    def __init__(
        self,
        train_data: ImageSet,
        val_data: ImageSet,
        options: TrainOptions,
        folder: Path,
        encoder: nn.Module | None,
        run: RunOptions,
        fabric: Fabric,
        watchers: Sequence[Watcher],
    ) -> None:
        self.options, self.folder, self.run, self.fabric = options, folder, run, fabric
        self.first = fabric.is_global_zero
        self.watchers = list(watchers) if self.first else []
        torch.manual_seed(options.seed)
        channels = 4 if train_data.has_silhouettes else 3
        cameras = train_data.shared_cameras
        self.model = Reconstructor(options.for_model(channels, 0 if cameras is None else len(cameras)), encoder)
        if self.model.viewpoints is not None and cameras is not None:
            self.model.viewpoints.remember(cameras)
        self.model.data = describe(train_data)
        sync_batch_norms(self.model)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=options.learning_rate, fused=True)
        objective = Objective(self.model, cameras, options.for_objective())
        self.objective, self.stepper = fabric.setup(objective, self.optimizer)
        share = (fabric.world_size, fabric.global_rank)
        self.batches = StepBatches(train_data, options.for_batches(channels), share)
        self.validation = Validation(val_data, run.validate_on) if self.first else None
        self.step, self.best = 0, -1.0
        self.scores: dict[str, float] = {}

    def go(self) -> TrainResult:
        """Steps until the end or Ctrl-C."""
        with Interrupt() as interrupt:
            stopped = False
            pinned = self.fabric.device.type == "cuda"
            batches = loader(self.batches, self.step, self.options.steps, self.run.workers, pinned=pinned)
            for batch in self.fabric.setup_dataloaders(batches, use_distributed_sampler=False):
                self._take(self._sound(batch))
                stopped = self._agreed(interrupt.requested)
                done = stopped or self.step == self.options.steps
                due = self.step == self.options.steps or self.step % self.run.validate_every == 0
                if due or stopped:
                    self._validate(compete=due)
                if done or self.step % self.run.checkpoint_every == 0:
                    self._save()
                if stopped:
                    break
        return TrainResult(self.step, self.scores, self.best, stopped and self.step < self.options.steps)

    def _sound(self, batch: Any) -> Batch:
        """The batch; what is wrong with that of any process ends all of them, with the same words."""
        if self.fabric.world_size == 1:
            if isinstance(batch, InputError):
                raise batch
            return cast("Batch", batch)
        wrong = isinstance(batch, InputError)
        if self._agreed(wrong):
            told: list[str | None] = [None] * self.fabric.world_size
            torch.distributed.all_gather_object(told, str(batch) if wrong else None)
            raise InputError(next(words for words in told if words is not None))
        return cast("Batch", batch)

    def _take(self, batch: Batch) -> None:
        """One step."""
        self.objective.train()
        # for encoders that draw random numbers of their own
        number = self.options.seed * 2**31 + self.step * self.fabric.world_size + self.fabric.global_rank
        torch.manual_seed(number % 2**63)
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.rate(self.step)
        terms = self.objective(batch, self.step / self.options.steps)
        values = torch.stack([value.detach().float() for value in terms.values()])  # read once: a GPU is waited for
        if self.fabric.world_size > 1:
            values = self.fabric.all_reduce(values, reduce_op="mean")  # type: ignore[assignment]
        numbers = dict(zip(terms, values.tolist(), strict=True))
        if not math.isfinite(numbers["loss"]):
            raise ArithmeticError(f"the loss of step {self.step + 1} is not finite: {numbers}")
        self.stepper.zero_grad()
        self.fabric.backward(terms["loss"])
        self.stepper.step()
        self.step += 1
        for watcher in self.watchers:
            watcher.on_step(self.step, self.options.steps, numbers)

    def _agreed(self, requested: bool) -> bool:
        """Whether any process was asked to stop, or has met a fault: all stop after the same step."""
        if self.fabric.world_size == 1:
            return requested
        votes = self.fabric.all_reduce(torch.tensor(float(requested), device=self.fabric.device), reduce_op="sum")
        return bool(votes > 0)  # type: ignore[operator]

    def _validate(self, *, compete: bool) -> None:
        """Score the network; it is kept as the best one only where an uninterrupted run would have scored it too."""
        if self.validation is not None:
            self.scores = self.validation.score(self.model)
            for watcher in self.watchers:
                watcher.on_validation(self.step, self.scores, self.validation, self.model)
            first = not (self.folder / BEST).exists()
            if self.scores[self.validation.figure] > self.best and (compete or first):
                self.best = self.scores[self.validation.figure] if compete else self.best
                save_model(self.folder / BEST, self.model, extra={"step": self.step, "scores": self.scores})
        self.fabric.barrier()

    def _save(self) -> None:
        if self.first:
            state = {
                "step": self.step,
                "best": self.best,
                "scores": self.scores,
                "options": _plain(self.options),
                "optimizer": self.optimizer.state_dict(),
            }
            save_checkpoint(self.folder / LAST, {_KEY: state, **model_entry(self.model, extra={"step": self.step})})
        self.fabric.barrier()

    def restore(self) -> None:
        """The state of the checkpoint, once it is known to be one of this run."""
        path = self.folder / LAST
        saved = load_checkpoint(path)
        state, network = saved.get(_KEY), saved.get("reconstructor")
        if not isinstance(state, dict) or not isinstance(network, dict):
            raise InputError(f"{path}: not the checkpoint of a training")
        for name, value in _plain(self.options).items():
            began = state["options"].get(name, getattr(TrainOptions(), name))  # or younger than the file
            if began != value:
                raise InputError(f"{path}: the training was begun with {name} {began!r}, now it would be {value!r}")
        for name in ("classes", "counts"):
            if network["data"].get(name) != self.model.data[name]:
                raise InputError(f"{path}: the training was begun with other shapes: their {name} differ")
        try:
            self.model.load_state_dict(network["weights"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise InputError(f"{path}: holds another network than the options name ({error})") from error
        self.step, self.best, self.scores = state["step"], state["best"], state["scores"]
        for watcher in self.watchers:
            watcher.on_resume(self.step)


def _plain(options: TrainOptions) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(options).items()}
