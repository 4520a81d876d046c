"""A fit that is running: everything that changes from step to step, and that a checkpoint holds."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

import torch
from torch.nn.utils import parametrize

from ..data import Views
from ..errors import InputError
from ..metrics import silhouette_iou
from ..shapes import Shape
from .adam_uniform import AdamUniform
from .large_steps import LargeSteps
from .options import FitOptions
from .progress import Step
from .sampling import ViewSampler
from .schedule import Stage
from .silhouettes import silhouette_term

# The schedule's step sizes bound u = (I + lambda L) x, which is an order of magnitude larger than the vertices' motion;
# plain Adam moves every vertex by as much as its rate. Measured on spot and bob.
_ADAM_RATE = 0.03


class NonFiniteError(ArithmeticError):
    """The loss or its gradient became NaN or infinite; the message names the stage, the step and the views."""


class Run:
    """The moving parts of a fit: everything that a checkpoint holds."""

    def __init__(
        self, shape: Shape, views: Views, options: FitOptions, stages: tuple[Stage, ...], facts: dict[str, str]
    ) -> None:
        self.shape = shape
        self.options = options
        self.stages = stages
        self.facts = facts
        self.world_views = views
        self.views = _finest(views.normalized(shape.center, float(shape.scale)), options.image_size)
        known = torch.ones_like(self.views.masks) if self.views.known is None else self.views.known.float()
        self.coverage = float((self.views.masks * known).sum() / known.sum().clamp(min=1))
        if not self.coverage > 0:
            raise InputError(f"{views.source}: expected masks that show an object, got empty masks only")
        self.generator = torch.Generator().manual_seed(options.seed)
        self.stage_index = 0
        self.step = 0
        self.history: list[dict[str, Any]] = []
        self.seconds: dict[str, float] = {}
        self.optimizer: torch.optim.Optimizer | None = None

    @property
    def stage(self) -> Stage:
        return self.stages[self.stage_index]

    def begin_stage(self) -> None:
        """Remesh, or make a field's grid anew, and set up what lives for one stage."""
        began = time.perf_counter()
        self.step = 0
        self.shape = self.shape.prepared(vertices=self.stage.vertices, resolution=self.stage.resolution)
        self._set_up()
        self._spend(began)

    def _set_up(self) -> torch.optim.Optimizer:
        stage, name = self.stage, self.shape.vertex_parameter
        preconditioned = self.options.optimizer == "large-steps" and name is not None
        if preconditioned and name is not None and not parametrize.is_parametrized(self.shape, name):
            system = LargeSteps(self.shape().topology, self.options.smoothing * stage.smoothing)
            parametrize.register_parametrization(self.shape, name, system)
        self.base_rate = stage.learning_rate if preconditioned else stage.learning_rate * _ADAM_RATE
        kind = AdamUniform if preconditioned else torch.optim.Adam
        self.optimizer = kind(self.shape.parameters(), lr=self.base_rate)
        self.stage_views = self._views_of(stage)
        self.sampler = ViewSampler(self.views.cameras.centers, stage.views, self.generator)
        return self.optimizer

    def _views_of(self, stage: Stage) -> Views:
        """The views at the stage's image size."""
        height, width = self.views.cameras.image_size
        scale = stage.image_scale
        if stage.longest is not None:
            scale = min(scale, stage.longest / max(height, width))
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        return self.views if size == (height, width) else self.views.resize(size)

    def take_step(self) -> Step:
        """One optimizer step on one batch of views."""
        began = time.perf_counter()
        if self.optimizer is None:
            raise RuntimeError("take_step: the stage has not begun")
        stage = self.stage
        done = self.step / stage.steps
        fairness = stage.fairness[0] ** (1 - done) * stage.fairness[1] ** done
        for group in self.optimizer.param_groups:
            group["lr"] = self.base_rate * (1 - 0.9 * done)
        chosen = self.sampler.next()
        batch = self.stage_views[chosen]
        self.optimizer.zero_grad(set_to_none=True)
        # one solve a step, however often the shape reads its vertices; not where rays read without gradients first
        with nullcontext() if stage.along_rays else parametrize.cached():
            alpha, silhouette = silhouette_term(self.shape, batch, stage, self.options, self.coverage, self.generator)
            terms = {"silhouette": silhouette}
            for name, value in self.shape.regularizers().items():
                terms[name] = fairness * getattr(self.options, name, 1.0) * value
            loss = torch.stack(list(terms.values())).sum()
            loss.backward()
        self._check_finite(loss, batch)
        self.optimizer.step()

        self.step += 1
        values = {name: float(value.detach()) for name, value in {**terms, "loss": loss}.items()}
        iou = float(silhouette_iou(alpha, batch.masks, known=batch.known, threshold=None).mean())
        self.history.append({"stage": stage.name, "step": self.step, **values, "iou": iou})
        self._spend(began)
        return Step(
            stage=stage,
            step=self.step,
            total=len(self.history),
            total_steps=sum(s.steps for s in self.stages),
            terms=values,
            iou=iou,
            chosen=chosen,
            views=self.stage_views,
            alpha=alpha.detach(),
            shape=self.shape,
        )

    def _check_finite(self, loss: torch.Tensor, batch: Views) -> None:
        grads = [p.grad for p in self.shape.parameters() if p.grad is not None]
        what = "loss" if not torch.isfinite(loss) else "gradient"
        if what == "gradient" and all(bool(torch.isfinite(g).all()) for g in grads):
            return
        raise NonFiniteError(
            f"the {what} is not finite at step {self.step + 1} of stage {self.stage.name!r}, "
            f"views {', '.join(batch.names)}: loss {float(loss.detach())}"
        )

    def end_stage(self) -> None:
        """Go on to the next stage, which begins with the shape as it is."""
        self.release()
        self.stage_index += 1
        self.step = 0

    def release(self) -> None:
        """Drop the optimizer and its parametrization: what is left is the plain shape."""
        name = self.shape.vertex_parameter
        if name is not None and parametrize.is_parametrized(self.shape, name):
            parametrize.remove_parametrizations(self.shape, name)
        self.optimizer = None

    def _spend(self, began: float) -> None:
        name = self.stage.name
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def state(self) -> dict[str, Any]:
        running = self.optimizer is not None
        return {
            **self.facts,
            "options": self.options.to_json(),
            "views": fingerprint(self.world_views),
            "schedule": repr(tuple(self.stages)),
            "stage": self.stage_index,
            "step": self.step,
            "shape": self.shape.state_dict(),
            "optimizer": self.optimizer.state_dict() if self.optimizer is not None else None,
            "sampler": self.sampler.state_dict() if running else None,
            "generator": self.generator.get_state(),
            "history": self.history,
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.stage_index, self.step = state["stage"], state["step"]
        self.history, self.seconds = state["history"], state["seconds"]
        if state["optimizer"] is not None:
            self._set_up().load_state_dict(state["optimizer"])
            self.sampler.load_state_dict(state["sampler"])
        self.shape.load_state_dict(state["shape"])
        self.generator.set_state(state["generator"])


def _finest(views: Views, longest: int) -> Views:
    height, width = views.cameras.image_size
    shrink = longest / max(height, width)
    return views if shrink >= 1 else views.resize((max(1, round(height * shrink)), max(1, round(width * shrink))))


def fingerprint(views: Views) -> list[str]:
    """What must not change between a run and its resumption, short of the pixels."""
    return [f"{len(views)} views of {views.cameras.image_size}", *views.names]
