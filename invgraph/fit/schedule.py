"""The stages of a fit, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from .options import FitOptions


@dataclass(frozen=True)
class Stage:
    """Some steps at one image size, softness and density of the mesh or the grid.

    Attributes:
        name: shown in the progress bar and in metrics.json.
        image_scale: image size as a fraction of the finest, in (0, 1].
        mode: renderer, "outline" (its gradient reaches several pixels), "soft" (as far, but biased at the contour) or
            "antialias" (exact coverage, reaches a pixel). Of a field also along rays, without a mesh: "rays" through
            all that a pixel sees (biased at the contour, but it opens holes) or "closest", by where each ray is deepest
            inside or passes nearest.
        sigma: softness in squared pixels of this stage's images; "antialias" has none.
        steps: optimizer steps, >= 1.
        learning_rate: step size at the stage's start, in canonical units (the object's radius is about 1); it falls
            to a tenth by the stage's end.
        vertices: vertices to remesh to when the stage begins; None keeps the mesh. A field becomes a mesh.
        resolution: cells along each axis of a field's grid, made anew when the stage begins; None keeps the grid.
        longest: longest side, in pixels, that images have at most; None: as ``image_scale`` makes them.
        views: views a step.
        smoothing: multiplies lambda of the large-steps optimizer.
        fairness: multiplies the weights of the regularizers: at the stage's start and end, geometrically between.
    """

    name: str
    image_scale: float
    mode: Literal["outline", "soft", "antialias", "rays", "closest"]
    steps: int
    learning_rate: float
    views: int
    sigma: float = 1.0
    vertices: int | None = None
    resolution: int | None = None
    longest: int | None = None
    smoothing: float = 1.0
    fairness: tuple[float, float] = (1.0, 1.0)

    @property
    def along_rays(self) -> bool:
        """Whether a field is seen without a mesh."""
        return self.mode in ("rays", "closest")


def schedule(start: str, options: FitOptions) -> tuple[Stage, ...]:
    """The default stages.

    Args:
        start: what the fit starts from: "sphere" needs the wide basin and remeshing; "hull", a mesh file ("file") or a
            given shape ("shape") is close already and goes to exact coverage at once.
        options: read for ``shape``, ``silhouette_by``, ``polish``, ``resolution``, ``vertices``, ``effort`` and
            ``learning_rate``.
    """
    stages: tuple[Stage, ...]
    if options.shape == "mesh":
        stages = _FROM_SPHERE if start == "sphere" else _FROM_HULL
    else:
        stages = _FIELD[options.silhouette_by]
        if start != "sphere":
            stages = stages[1:]  # which comes from afar
        if options.polish:
            stages += (_POLISH,)
    return tuple(
        replace(
            stage,
            steps=max(1, round(stage.steps * options.effort)),
            learning_rate=stage.learning_rate * options.learning_rate,
            vertices=None if stage.vertices is None else max(100, stage.vertices * options.vertices // 10_000),
            resolution=None if stage.resolution is None else max(8, stage.resolution * options.resolution // 64),
        )
        for stage in stages
    )


# Densities are for 10,000 vertices in the end. A coarse mesh under strong fairness first: what no silhouette decides
# relaxes in few steps there. Then the fine mesh under weak fairness.
_FROM_HULL = (
    Stage("shape", 0.5, "antialias", 120, 0.1, views=8, vertices=2_500, smoothing=2.0, fairness=(6.0, 0.5)),
    Stage("detail", 1.0, "antialias", 80, 0.04, views=8, vertices=10_000, fairness=(0.5, 0.2)),
)
# From afar by the distance to the outline, within three pixels. Soft silhouettes reach as far, but swell where faces
# meet, so that the sphere shrinks: after "grow" spot's volume IoU is 0.94 with them and 0.97 with the outline.
_FROM_SPHERE = (
    Stage("wide", 0.25, "outline", 60, 0.1, views=8, smoothing=2.0, fairness=(3.0, 3.0)),
    Stage("grow", 0.25, "antialias", 60, 0.1, views=8, vertices=2_000, smoothing=2.0, fairness=(3.0, 1.0)),
    *_FROM_HULL,
)
# Fields. Densities are for a grid of 64 cells in the end. Rays carve from afar, where a pixel in the middle of what is
# covered has no outline to pull at; they leave an object too thin, which the surface's outlines put right. As a mesh it
# then moves little: half of the usual rate, as bob lost 0.004 of F1 at 1% with that and gains with this.
_CARVE = Stage("carve", 1.0, "rays", 50, 0.7, views=8, sigma=4.0, resolution=32, longest=64)
_SURFACE = Stage("surface", 0.5, "antialias", 60, 0.2, views=8, resolution=48, fairness=(1.0, 0.5))
_FINE = Stage("field", 1.0, "antialias", 60, 0.1, views=8, resolution=64, fairness=(0.5, 0.5))
_FIELD = {
    "both": (_CARVE, _SURFACE, _FINE),
    "surface": (Stage("wide", 0.25, "outline", 80, 0.7, views=8, sigma=4.0, resolution=32), _SURFACE, _FINE),
    "rays": (
        _CARVE,
        Stage("near", 1.0, "closest", 60, 0.2, views=4, sigma=0.25, resolution=48, longest=128),
        Stage("field", 1.0, "closest", 60, 0.1, views=4, sigma=0.1, resolution=64, longest=160),
    ),
}
_POLISH = Stage("polish", 1.0, "antialias", 80, 0.02, views=8, vertices=10_000, fairness=(0.3, 0.2))
