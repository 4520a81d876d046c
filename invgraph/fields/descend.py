"""The loop of every training here: steps that can be watched, stopped and resumed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoint import load_checkpoint, save_checkpoint
from ..errors import InputError
from ..interrupt import Interrupt

Progress = Callable[[int, int, dict[str, float]], None]  # step, steps, terms: invgraph.progress.Bar is one
History = dict[str, list[float]]  # the value of each term at each step

_Stateful = nn.Module | torch.optim.Optimizer | torch.optim.lr_scheduler.LRScheduler

_SECONDS_BETWEEN_CHECKPOINTS = 30.0


def descend(
    module: nn.Module,
    loss: Callable[[], dict[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    *,
    steps: int,
    generator: torch.Generator,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
    progress: Progress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> History:
    """Take ``steps`` steps down the sum of the terms that ``loss()`` gives, and return their values.

    The first Ctrl-C ends the loop after the step under way, with the checkpoint written and a shorter history; a second
    one interrupts at once. A resumed run gives the same numbers as one that was never interrupted, if ``loss`` draws
    from ``generator`` alone.

    Args:
        module: whose parameters and buffers are the state of the training.
        loss: terms by name, each a number, at the module's present parameters.
        optimizer: of the module's parameters.
        steps: how many steps the whole training has.
        generator: what ``loss`` draws from; its state is kept in the checkpoint.
        schedule: stepped once a step.
        progress: called after each step with its number, ``steps`` and the terms with their sum as "loss".
        checkpoint: file to keep the state in, every half minute and at the end.
        resume: go on from the checkpoint, which must exist.

    Raises:
        InputError: the checkpoint is missing, unreadable or of another training.
        ArithmeticError: the loss became NaN or infinite.
    """
    state: dict[str, _Stateful] = {"module": module, "optimizer": optimizer}
    if schedule is not None:
        state["schedule"] = schedule
    history: History = {}
    first = 0
    if resume:
        if checkpoint is None:
            raise ValueError("checkpoint: expected a file to resume from, got None")
        first, history = _restore(checkpoint, state, generator)
    saved = time.monotonic()
    with Interrupt() as interrupt:
        for step in range(first + 1, steps + 1):
            optimizer.zero_grad(set_to_none=True)
            terms = loss()
            total = torch.stack(list(terms.values())).sum()
            if not bool(total.isfinite()):
                value = float(total.detach())
                raise ArithmeticError(f"the loss is {value} at step {step}: try a smaller learning rate")
            total.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            values = {name: float(value.detach()) for name, value in (terms | {"loss": total}).items()}
            for name, value in values.items():
                history.setdefault(name, []).append(value)
            if progress is not None:
                progress(step, steps, values)
            ending = step == steps or interrupt.requested
            if checkpoint is not None and (ending or time.monotonic() - saved > _SECONDS_BETWEEN_CHECKPOINTS):
                parts = {name: part.state_dict() for name, part in state.items()}
                save_checkpoint(
                    checkpoint, {"step": step, "history": history, "generator": generator.get_state(), **parts}
                )
                saved = time.monotonic()
            if ending:
                break
    return history


def _restore(
    path: str | os.PathLike[str], state: dict[str, _Stateful], generator: torch.Generator
) -> tuple[int, History]:
    saved = load_checkpoint(path)
    missing = {"step", "history", "generator", *state} - set(saved)
    if missing:
        raise InputError(f"{Path(path)}: not a checkpoint of this training, it lacks {', '.join(sorted(missing))}")
    try:
        for name, part in state.items():
            part.load_state_dict(saved[name])
    except (RuntimeError, ValueError, KeyError) as error:
        raise InputError(f"{Path(path)}: a checkpoint of another module or optimizer") from error
    generator.set_state(saved["generator"])
    return saved["step"], saved["history"]
