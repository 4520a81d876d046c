"""``invgraph eval CHECKPOINT DATA --out DIR``: how good a network is, beside baselines."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..svr.accelerator import Accelerator
from ..svr.evaluation import METHODS, EvalOptions
from .folder import check_folder, filled_folder

if TYPE_CHECKING:
    from ..data.image_sets import ImageSet
    from ..svr import Reconstructor
    from ..svr.evaluation import Evaluation

RESULTS = ("eval.json", "report.html", "tsne.png", "cases.png")
LABELS = {
    "voxel_iou": "Voxel IoU",
    "point_iou": "IoU at points",
    "f1": "F1 at 1% of the side",
    "chamfer_l1": "Chamfer-L1, share of the side",
    "normal_consistency": "Normal consistency",
}


@dataclass(frozen=True)
class Eval:
    """Evaluate a network that reconstructs shapes from single pictures.

    Voxel IoU at 32^3 by the protocol of SoftRas and NMR, Chamfer-L1, F1 at 1% of the side and normal consistency, by
    class, beside mean shapes, retrieval, and the best that retrieval could do. Of folders with points.npz, the IoU at
    these points, as Occupancy Networks and DVR report it.
    """

    checkpoint: Annotated[Positional[Path], arg(metavar="CHECKPOINT")]
    """File that 'invgraph train' wrote."""
    data: Annotated[Positional[Path], arg(metavar="DATA")]
    """Folder of a data set: the files of SoftRas/NMR ShapeNet, or the folders of Occupancy Networks or DVR."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder for the results; made if missing."""
    split: str = "test"
    """Which part of DATA to reconstruct."""
    train: Annotated[Path | None, arg(metavar="DATA")] = None
    """Data set whose part "train" the baselines know; by default DATA itself."""
    accelerator: Accelerator = "cpu"
    """Where the network and its refinement work: cpu, gpu, or auto for a GPU where there is one."""
    overwrite: bool = False
    """Replace the results in DIR."""
    evaluation: OmitArgPrefixes[EvalOptions] = field(default_factory=EvalOptions)

    def run(self) -> int:
        """Evaluate, write, print the table; 0."""
        from ..data.image_sets import check_splits, open_image_set
        from ..progress import Bar
        from ..svr.accelerator import on_gpus
        from ..svr.embedding import require_tsne
        from ..svr.evaluation import evaluate
        from ..svr.model_file import load_model

        check_folder(self.out, RESULTS, overwrite=self.overwrite)
        if self.evaluation.codes:
            require_tsne()
        model = load_model(self.checkpoint).to("cuda" if on_gpus(self.accelerator) else "cpu")
        home = self.train or self.data
        data, train = open_image_set(self.data, split=self.split), open_image_set(home, split="train")
        if (home.resolve(), "train") != (self.data.resolve(), self.split):
            check_splits({"train": train, self.split: data})
        print(f"{self.data}: {len(data):,} shapes of {len(data.classes)} classes in {self.split!r}", flush=True)
        began = time.perf_counter()
        with filled_folder(self.out, RESULTS):
            with Bar("eval") as bar:
                found = evaluate(
                    model,
                    data,
                    train,
                    self.evaluation,
                    progress=lambda what, done, total: bar.update(description=what, completed=done, total=total),
                )
            seconds = time.perf_counter() - began
            self._write(model, data, train, found, seconds)
        self._say(found)
        return 0

    def _write(self, model: Reconstructor, data: ImageSet, train: ImageSet, found: Evaluation, seconds: float) -> None:
        """All of the results."""
        from .. import __version__
        from ..atomic import write_atomically
        from ..data.image_sets.synsets import class_name
        from ..svr.case_pictures import case_pictures
        from ..svr.surfaces import Surfaces
        from ..viz import Card, Group, contact_sheet, save_picture

        surfaces, names = Surfaces(data), data.names
        groups, sheet = [], []
        cases: dict[str, list[dict[str, Any]]] = {}
        for kind, chosen in found.cases().items():
            cards, cases[kind] = [], []
            for shape, view in chosen:
                iou = float(found.iou[shape, found.views.tolist().index(view)])
                tiles = case_pictures(model, data, surfaces, shape, view, refine=self.evaluation.refine)
                synset, _, row = names[shape].rpartition("/")
                cards.append(Card(f"{class_name(synset)} {row}, view {view}", f"IoU {iou:.3f}", tiles))
                cases[kind].append({"shape": names[shape], "view": view, found.figure: iou})
                sheet += [picture for _, picture in tiles]
            groups.append(Group(f"{kind.capitalize()} cases", cards))
        save_picture(self.out / "cases.png", contact_sheet(sheet, columns=5))
        content: dict[str, Any] = {
            "invgraph": __version__,
            "checkpoint": str(self.checkpoint),
            "data": str(self.data),
            "split": self.split,
            "train": str(train.root),
            "options": asdict(self.evaluation),
            "shapes": len(data),
            "surfaces": "none" if found.figure == "point_iou" else "as seen" if found.exact else "of voxels",
            "seconds": round(seconds, 1),
            **found.scores,
            "cases": cases,
        }
        write_atomically(self.out / "eval.json", f"{json.dumps(content, indent=2)}\n".encode())
        self._write_page(data, found, groups)

    def _write_page(self, data: ImageSet, found: Evaluation, groups: list[Any]) -> None:
        from ..data.image_sets.synsets import class_name
        from ..svr.embedding import embed
        from ..viz import Panel, Table, class_colors, save_picture, scatter, write_gallery

        mean, classes = found.scores["mean"], found.scores["classes"]
        iou = "voxel IoU" if found.figure == "voxel_iou" else LABELS[found.figure]
        tables, methods = [], _methods(found)
        for figure, label in LABELS.items():
            if mean["model"].get(figure) is None:
                continue
            rows = [[name, *(_short(entry[method][figure]) for method in methods)] for name, entry in classes.items()]
            rows.append(["mean", *(_short(mean[method][figure]) for method in methods)])
            tables.append(Table(label, ["class", *methods.values()], rows, _note(figure, found, self.evaluation), 1))
        panels = []
        if len(found.coded):
            colors = class_colors(len(data.classes))
            names = [class_name(synset) for synset in data.classes]
            place, groups_of = embed(found.codes, seed=self.evaluation.seed), data.class_of[found.coded]
            save_picture(self.out / "tsne.png", scatter(place, groups_of, colors, names=names))
            legend = list(zip(names, colors, strict=True))
            note = "t-SNE of the codes of a picture of each shape."
            panels.append(Panel("Encodings", scatter(place, groups_of, colors), legend, note))
        write_gallery(
            self.out / "report.html",
            kind="evaluation",
            title=self.checkpoint.name,
            subtitle=f"{len(data):,} shapes of {len(data.classes)} classes in {self.split!r} of {self.data}",
            leads=[(f"{iou}, {METHODS[m]}", _short(mean[m][found.figure])) for m in ("model", "retrieval", "oracle")],
            figures=[(f"{iou}, {METHODS[m]}", _short(mean[m][found.figure])) for m in ("class_mean", "mean_shape")]
            + [(label, _short(mean["model"][name])) for name, label in LABELS.items() if not name.endswith("_iou")],
            tables=tables,
            groups=groups,
            panels=panels,
        )

    def _say(self, found: Evaluation) -> None:
        """The means, and where everything is."""
        width = max(map(len, METHODS.values()))
        shown = {name: label for name, label in LABELS.items() if found.scores["mean"]["model"].get(name) is not None}
        print(" " * width, *shown.values(), sep="  ")
        for method, words in _methods(found).items():
            figures = found.scores["mean"][method]
            print(f"{words:<{width}}", *(f"{_short(figures[n]):>{len(label)}}" for n, label in shown.items()), sep="  ")
        for name in RESULTS:
            if (self.out / name).exists():
                print(f"  {self.out / name}")


def _methods(found: Evaluation) -> dict[str, str]:
    """What was compared, in words."""
    return {method: words for method, words in METHODS.items() if method in found.scores["mean"]}


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _note(figure: str, found: Evaluation, options: EvalOptions) -> str:
    """How a table was measured."""
    count = len(found.views)
    if figure == "point_iou":
        how = "of points.npz, uniform in the padded unit cube, as Occupancy Networks and DVR report it"
        return f"At the points {how}; mean of {count} views of each shape. Baselines are voxels. Higher is better."
    if figure == "voxel_iou":
        views = "all 24 views" if count == 24 else f"{count} views"
        return f"At 32^3, by the protocol of SoftRas and NMR; mean of {views} of each shape. Higher is better."
    truth = "the shapes that were seen" if found.exact else "voxels; reconstructions are compared as voxels too"
    better = "Lower" if figure == "chamfer_l1" else "Higher"
    how = f"{options.surface_points:,} points on each surface, one view of a shape"
    return f"{how}; surfaces of {truth}. {better} is better."
