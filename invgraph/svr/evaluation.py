"""How well a network reconstructs shapes that it has not seen, beside what must be beaten."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..data.image_sets import ImageSet
from ..data.image_sets.synsets import class_name
from ..errors import InputError
from ..geometry.mesh import Mesh
from .baselines import Retrieval, mean_shape, oracle_nearest, voxels_of
from .prediction import Reconstructs, encoded, reconstructed
from .refine import STEPS, can_refine
from .surfaces import FIGURES, Surfaces, surface_figures, voxel_surface
from .truth import Truth

METHODS = {
    "model": "the network",
    "feed_forward": "without refinement",
    "retrieval": "nearest training picture",
    "mean_shape": "mean shape of all classes",
    "class_mean": "mean shape of the true class",
    "oracle": "nearest training shape (oracle)",
}
"""What may be compared, in words; the second where the network is refined."""

Progress = Callable[[str, int, int], None]
Figures = dict[str, dict[str, Tensor]]


@dataclass(frozen=True)
class EvalOptions:
    """How a network is evaluated."""

    refine: int = STEPS
    """Steps that bring a shape to the silhouette of its picture, as in predict, where the network can; 0 for none."""
    views: int = 24
    """Pictures of each shape, evenly spread over its views; the protocol of SoftRas and NMR takes all 24."""
    surface_shapes: int = 400
    """Shapes, evenly spread, whose surfaces are compared too, in a view each; 0 for none."""
    surface_points: int = 30_000
    """Points on each surface; with fewer, F1 at 1% falls even for equal ones."""
    bank: int = 100_000
    """Training pictures that retrieval chooses from, evenly spread if there are more."""
    codes: int = 2_000
    """Pictures whose encodings are shown by t-SNE, one of each shape."""
    batch: int = 64
    """Pictures at a time."""
    seed: int = 0
    """Of the points on surfaces, and of t-SNE."""

    def __post_init__(self) -> None:
        least = {"refine": 0, "views": 1, "surface_shapes": 0, "surface_points": 100, "bank": 1, "codes": 0, "batch": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ValueError(f"{name}: expected at least {low}, got {getattr(self, name)}")
        if self.views > 24:
            raise ValueError(f"views: expected at most 24, got {self.views}")


@dataclass
class Evaluation:
    """What came of it.

    Attributes:
        scores: ``mean`` and ``classes``, as eval.json has them.
        figure: what the IoU is of: "voxel_iou" or "point_iou", see :class:`Truth`.
        iou: (N, V) of the network, for each shape and view.
        views: (V,) numbers of the views.
        codes: (M, C) encodings; of the shapes ``coded`` (M,).
        exact: surfaces are compared with those that were seen, not with those of voxels.
    """

    scores: dict[str, Any]
    figure: str
    iou: Tensor
    views: Tensor
    codes: Tensor
    coded: Tensor
    exact: bool

    def cases(self, count: int = 4) -> dict[str, list[tuple[int, int]]]:
        """Shapes and views of the best, the median and the worst IoU, each of the view that it has in turn."""
        view = torch.arange(len(self.iou)) % self.iou.shape[1]
        order = self.iou[torch.arange(len(view)), view].argsort(descending=True, stable=True)
        count = min(count, len(order))
        middle = (len(order) - count) // 2
        parts = {"best": order[:count], "median": order[middle : middle + count], "worst": order[-count:].flip(0)}
        return {name: [(i, int(self.views[view[i]])) for i in part.tolist()] for name, part in parts.items()}


def evaluate(
    model: Reconstructs,
    data: ImageSet,
    train: ImageSet,
    options: EvalOptions | None = None,
    *,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a network on shapes, with the baselines of Tatarchenko et al. (CVPR 2019) beside it.

    Args:
        model: the network.
        data: shapes to reconstruct.
        train: the training set, from which the baselines take their shapes.
        options: :class:`EvalOptions`, the default ones if None.
        progress: called with what is being done, how much of it is, and how much there is.

    Raises:
        InputError: a class that the training set lacks, shapes of which no solid is known, grids of voxels that
            differ, or codes that are not finite.
    """
    options, tell = options or EvalOptions(), progress or (lambda what, done, total: None)
    lacking = [name for name in data.classes if name not in train.classes]
    if lacking:
        raise InputError(f"{train.root}: no training shapes of the classes {', '.join(lacking)}, which {data.root} has")
    truth, _ = Truth(data), Truth(train)
    if data.grid != train.grid:
        raise InputError(f"{train.root}: its voxels are {train.grid}, those of {data.root} are {data.grid}")
    count = min(options.views, data.num_views)
    views = torch.arange(count) * data.num_views // count
    solids = voxels_of(data, range(len(data)))
    # what points tell of a surface is coarser than what is to be measured
    chosen = _spread(len(data), options.surface_shapes).tolist() if data.truth == "voxels" else []
    answers = _predict(model, data, train, truth, views, chosen, options, tell)
    nearest, _ = oracle_nearest(train, solids, progress=lambda i, n: tell("oracle", i, n))
    blind = mean_shape(train, range(len(train)))
    of_class = [(train.class_of == train.classes.index(name)).nonzero()[:, 0].tolist() for name in data.classes]
    class_means = torch.stack([mean_shape(train, shapes) for shapes in of_class])[data.class_of]
    everything = range(len(data))
    found = {
        **{method: iou.mean(1) for method, iou in answers.iou.items()},
        "retrieval": _retrieved_iou(train, answers.retrieved, truth),
        "mean_shape": truth.iou(everything, [blind[None]] * len(data))[:, 0],
        "class_mean": truth.iou(everything, class_means[:, None].unbind(0))[:, 0],
        "oracle": truth.iou(everything, voxels_of(train, nearest.tolist())[:, None].unbind(0))[:, 0],
    }
    figures: Figures = {method: {truth.figure: value} for method, value in found.items()}

    surfaces, examples = Surfaces(data), Surfaces(train)
    exact = surfaces.exact and examples.exact
    for method in found:
        figures[method] |= {name: torch.full((len(data),), torch.nan, dtype=torch.float64) for name in FIGURES}
    for done, i in enumerate(chosen):
        tried: dict[str, Mesh | Tensor] = {
            **answers.meshes[i],
            "retrieval": _example(train, examples, int(answers.retrieved[i, i % count]), exact),
            "mean_shape": blind,
            "class_mean": class_means[i],
            "oracle": _example(train, examples, int(nearest[i]), exact),
        }
        true = surfaces[i] if exact else voxel_surface(data.voxels(i))
        for method, shape in tried.items():
            how: dict[str, Any] = {"points": options.surface_points, "seed": options.seed, "grid": data.grid}
            scores = surface_figures(shape, true, exact=exact, **how)
            for name, value in scores.items():
                figures[method][name][i] = value
        tell("surfaces", done + 1, len(chosen))
    scored = _scores(data, figures)
    return Evaluation(scored, truth.figure, answers.iou["model"], views, answers.codes, answers.coded, exact)


def _spread(count: int, wanted: int) -> Tensor:
    """At most as many of ``range(count)`` as are wanted, evenly apart."""
    return torch.arange(wanted) * count // max(wanted, 1) if wanted < count else torch.arange(count)


class _Answers(NamedTuple):
    """What the network says of all pictures. A shape has its turn, one of the V views: shape i its view i modulo V."""

    iou: dict[str, Tensor]
    """(N, V) of "model" and, where it is refined, of "feed_forward", the network without refinement."""
    meshes: dict[int, dict[str, Mesh]]
    """The same by shape, for those that were chosen: of the view in turn."""
    retrieved: Tensor
    """(N, V) training shapes whose pictures are the nearest."""
    codes: Tensor
    """(M, C) of the view in turn."""
    coded: Tensor
    """(M,) their shapes."""


def _predict(
    model: Reconstructs,
    data: ImageSet,
    train: ImageSet,
    truth: Truth,
    views: Tensor,
    chosen: Collection[int],
    options: EvalOptions,
    tell: Progress,
) -> _Answers:
    """One pass over the pictures."""
    bank = Retrieval(train, pictures=options.bank, progress=lambda i, n: tell("features", i, n))
    V = len(views)
    methods = {"model": options.refine}
    if options.refine and can_refine(model):
        methods["feed_forward"] = 0
    iou = {method: torch.zeros(len(data), V, dtype=torch.float64) for method in methods}
    kept: dict[int, dict[str, Mesh]] = {i: {} for i in chosen}
    retrieved = torch.zeros(len(data), V, dtype=torch.int64)
    coded = _spread(len(data), options.codes)
    wanted, codes = torch.zeros(len(data), dtype=torch.bool).index_fill_(0, coded, True), []
    for rows in torch.arange(len(data)).split(max(1, options.batch // V)):
        images = data.images(rows[:, None], views[None]).flatten(0, 1).movedim(-1, 1).float() / 255
        places = torch.arange(len(rows)) * V + rows % V
        for method, steps in methods.items():
            meshes = reconstructed(model, images, steps)
            iou[method][rows] = truth.iou(rows, [meshes[k : k + V] for k in range(0, len(meshes), V)])
            for i, place in zip(rows.tolist(), places.tolist()):
                if i in kept:  # a copy, that the others of the batch may go
                    kept[i][method] = meshes[place].with_verts(meshes[place].verts.clone())
        retrieved[rows] = bank.nearest(images).view(-1, V)
        if bool(wanted[rows].any()):
            codes.append(encoded(model, images[places[wanted[rows]]]))
        tell("predict", int(rows[-1]) + 1, len(data))
    found = torch.cat(codes) if codes else torch.zeros(0, 0)
    if not bool(found.isfinite().all()):
        raise InputError("model: its codes are not finite")
    return _Answers(iou, kept, retrieved, found, coded)


def _retrieved_iou(train: ImageSet, retrieved: Tensor, truth: Truth) -> Tensor:
    """(N,) mean IoU over the views of the shapes (N, V) that were retrieved."""
    return torch.stack([truth.iou([i], [voxels_of(train, found.tolist())]).mean() for i, found in enumerate(retrieved)])


def _example(train: ImageSet, surfaces: Surfaces, index: int, exact: bool) -> Mesh | Tensor:
    """A training shape as its surface, or as voxels where no more is known of the truth."""
    return surfaces[index] if exact else train.filled([index])[0]


def _scores(data: ImageSet, figures: Figures) -> dict[str, Any]:
    """Means of each class, and their mean: every class weighs the same, as in the tables of NMR and SoftRas."""
    classes: dict[str, Any] = {}
    for number, synset in enumerate(data.classes):
        rows = data.class_of == number
        entry: dict[str, Any] = {"synset": synset, "shapes": int(rows.sum())}
        for method, values in figures.items():
            entry[method] = {name: _mean(value[rows]) for name, value in values.items()}
        classes[class_name(synset)] = entry
    mean = {
        method: {name: _mean(torch.tensor([_number(e[method][name]) for e in classes.values()])) for name in values}
        for method, values in figures.items()
    }
    return {"mean": mean, "classes": classes}


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _mean(values: Tensor) -> float | None:
    """The mean of what was measured, or None."""
    measured = values[~values.isnan()].double()
    return float(measured.mean()) if len(measured) else None
