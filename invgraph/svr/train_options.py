"""What a training run is, and what it runs on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from ..errors import InputError
from .accelerator import Accelerator
from .batches import BatchOptions
from .decoders import DecoderKind
from .model import ModelOptions
from .objective import Coverage, ObjectiveName, ObjectiveOptions, SilhouetteBy

Preset = Literal["full", "laptop", "smoke"]
Precision = Literal["auto", "32", "bf16"]
_RISE = 0.02  # of the steps
_UNSURE = 0.2  # probability of being inside, on the surface that Occupancy Networks take
_BY: dict[DecoderKind, SilhouetteBy] = {"mesh": "surface", "occupancy": "rays", "sdf": "rays"}
_WEIGHTS = ("laplacian", "flattening", "uniformity", "area", "eikonal", "bending", "presence")


@dataclass(frozen=True)
class TrainOptions:
    """Everything that the weights depend on; a run is resumed with the same."""

    decoder: DecoderKind = "mesh"
    """mesh: a deformed sphere; occupancy: a field that the code conditions; sdf: distances on a grid."""
    objective: ObjectiveName = "silhouette"
    """silhouette: the pictures' outlines alone; occupancy: 3D truth, points inside and outside."""
    encoder: str = "conv"
    """conv, resnet8, resnet18, vit, timm:NAME or torchvision:NAME."""
    code_size: int = 512
    """Numbers between encoder and decoder."""
    hidden: int = 256
    """Channels of the network of the decoder occupancy; 0 for none."""
    lattice: int = 0
    """Channels of a lattice of logits of the decoder occupancy, beside its network or in its place; 0 for none."""
    aligned: int = 0
    """Features of the picture that points see beside the lattice's, where all shapes share cameras; 0 for none."""
    image_size: int = 64
    """Pixels along a side of the pictures that the encoder sees; those of another size are resized."""
    steps: int = 250_000
    """Steps of the whole training."""
    batch: int = 64
    """Shapes in a step, of all processes together."""
    views: int = 2
    """Views of each shape in a step, of whose outlines it learns; drawing one more is cheap."""
    inputs: int = 2
    """How many of them the network sees; each gives a shape, which is compared with all views."""
    learning_rate: float = 1e-4
    """Adam's greatest step size: risen to in the first fiftieth of the steps, then falls to a hundredth, as half a
    cosine."""
    augment: float = 0.0
    """Strength of random changes of brightness, saturation and hue; 0 for none."""
    mirror: bool = False
    """Show half of the shapes mirrored, for classes whose left and right are alike: fronts are along z."""
    coverage: Coverage = "outline"
    """How silhouettes are drawn: outline, soft (as in Soft Rasterizer) or antialias."""
    silhouette_by: SilhouetteBy | Literal["auto"] = "auto"
    """Of a field: through its surface, along rays at a sample of the pixels, or both: rays in the first half. auto:
    rays, but the surface of a mesh."""
    pixels: int = 256
    """Pixels of each view that rays look at; half of them near the outline."""
    sigma: tuple[float, float] = (4.0, 0.25)
    """Softness in squared pixels at the start, and from the middle of the training on."""
    relax: float = 1.0
    """Factor of the weights below at the start; 1 from the middle on."""
    laplacian: float = 5e-3
    """Weight of the Laplacian of a mesh."""
    flattening: float = 5e-4
    """Weight of the angles between its faces."""
    uniformity: float = 0.0
    """Weight of its edges' squared lengths."""
    area: float = 0.0
    """Weight of its area: where no outline tells, the least surface is taken."""
    eikonal: float = 0.1
    """Weight of distances being distances, of the decoder sdf."""
    bending: float = 1e-4
    """Weight of their curvature."""
    presence: float = 1.0
    """Weight of there being a surface at all."""
    viewpoint: float = 0.02
    """Weight of telling the camera of a picture, where cameras are the same for all shapes."""
    points: int = 2048
    """Points of each shape in a step, for the objective occupancy."""
    seed: int = 0
    """Of the first weights, the order of the shapes, their views and their colours."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "views", "inputs", "points", "code_size", "pixels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate: expected a finite number above 0, got {self.learning_rate}")
        if not 0 <= self.augment <= 2:
            raise ValueError(f"augment: expected a strength from 0 to 2, got {self.augment}")
        if not self.inputs <= self.views <= 24:
            raise ValueError(f"views: expected at least the {self.inputs} inputs and at most 24, got {self.views}")
        for name in (*_WEIGHTS, "viewpoint"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name}: expected a finite weight of at least 0, got {getattr(self, name)}")
        if self.objective == "occupancy" and self.decoder != "occupancy":
            raise InputError(f"objective occupancy: goes with the decoder occupancy, got {self.decoder}")
        if self.silhouette_by not in ("auto", *get_args(SilhouetteBy)):
            raise ValueError(f"silhouette_by: expected auto or {get_args(SilhouetteBy)}, got {self.silhouette_by!r}")
        if self.decoder == "mesh" and self._by() != "surface":
            raise InputError(f"silhouette_by {self.silhouette_by}: goes with the decoders occupancy and sdf, got mesh")
        self.for_objective()
        self.for_model(cameras=1)

    def for_model(self, channels: int = 4, cameras: int = 0) -> ModelOptions:
        """The network, for pictures of 4 channels, or 3 without silhouettes, and as many cameras of all shapes."""
        # at the picture: of which the camera can be told and the silhouette is known
        looks = self.decoder == "occupancy" and self.lattice and cameras and self.viewpoint and channels == 4
        how = {
            "hidden": self.hidden,
            "lattice": self.lattice,
            "aligned": self.aligned if looks else 0,
            "threshold": _UNSURE if self.objective == "occupancy" else 0.5,
            "viewpoints": cameras if self.viewpoint else 0,
            "mirrored": self.mirror,
        }
        return ModelOptions(self.encoder, self.decoder, self.code_size, self.image_size, channels, **how)  # type: ignore[arg-type]

    def for_batches(self, channels: int = 4) -> BatchOptions:
        """The batches."""
        points = self.points if self.objective == "occupancy" else 0
        views = 1 if self.objective == "occupancy" else self.views
        pixels = 0 if self.objective == "occupancy" or self._by() == "surface" else self.pixels
        seen = {"image_size": self.image_size, "inputs": min(views, self.inputs)}
        drawn = {"augment": self.augment, "mirror": self.mirror, "seed": self.seed, "pixels": pixels}
        return BatchOptions(self.batch, views, points, channels=channels, **seen, **drawn)  # type: ignore[arg-type]

    def for_objective(self) -> ObjectiveOptions:
        """The objective."""
        weights = {name: getattr(self, name) for name in (*_WEIGHTS, "viewpoint")}
        how = {"objective": self.objective, "inputs": self.inputs, "coverage": self.coverage, "sigma": self.sigma}
        return ObjectiveOptions(**how, relax=self.relax, weights=weights, silhouette_by=self._by())  # type: ignore[arg-type]

    def _by(self) -> SilhouetteBy:
        """``silhouette_by`` for the decoder."""
        return _BY[self.decoder] if self.silhouette_by == "auto" else self.silhouette_by

    def rate(self, step: int) -> float:
        """Adam's step size at a step."""
        rise = min(1.0, (step + 1) / (_RISE * self.steps))
        return self.learning_rate * rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))


@dataclass(frozen=True)
class RunOptions:
    """What a run works on and what it tells; the weights do not depend on it, but for rounding."""

    devices: int = 1
    """Processes on this machine: one a GPU where there are GPUs."""
    num_nodes: int = 1
    """Machines; start the same command on each, with MASTER_ADDR, MASTER_PORT and NODE_RANK set, or under SLURM."""
    accelerator: Accelerator = "auto"
    """auto: gpu where there is one, and invgraph was built for it."""
    precision: Precision = "auto"
    """bf16: the networks in mixed precision; geometry stays in float32. auto: where the processor has bf16."""
    workers: int = 0
    """Processes that load batches ahead, for each device."""
    checkpoint_every: int = 1000
    """Steps between checkpoints."""
    validate_every: int = 2000
    """Steps between validations."""
    validate_on: int = 64
    """Shapes of the validation split that are scored."""

    def __post_init__(self) -> None:
        for name in ("devices", "num_nodes", "checkpoint_every", "validate_every", "validate_on"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.workers < 0:
            raise ValueError(f"workers: expected at least 0, got {self.workers}")


PRESETS: dict[str, TrainOptions] = {
    "full": TrainOptions(),
    "laptop": TrainOptions(
        encoder="resnet8",
        code_size=256,
        hidden=0,
        lattice=64,
        aligned=16,
        steps=20_000,
        batch=32,  # 2,000 steps of 32 shapes teach as much as 4,000 of 16, in seven tenths of the time
        views=4,
        inputs=1,
        learning_rate=7e-4,
        coverage="antialias",
        mirror=True,
        laplacian=2e-4,
        flattening=0.0,
        area=0.03,
    ),
    "smoke": TrainOptions(code_size=64, steps=20, batch=4, learning_rate=3e-4),
}
"""full: the setting of Soft Rasterizer; laptop: half an hour on two cores; smoke: seconds, to see that all is there."""
_BY_POINTS: dict[Preset, dict[str, Any]] = {
    "laptop": {"learning_rate": 1e-3, "steps": 17_500},
}


def preset_options(preset: Preset, objective: ObjectiveName = "silhouette") -> TrainOptions:
    """The options of a preset, which are others where points of space are learned from."""
    return replace(PRESETS[preset], **_BY_POINTS.get(preset, {}) if objective == "occupancy" else {})
