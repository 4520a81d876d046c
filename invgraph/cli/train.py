"""``invgraph train DATA --out DIR``: many objects in a few views each in, a network from a picture to a mesh out."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..errors import InputError
from ..svr.train_options import Preset, RunOptions, TrainOptions, preset_options
from .folder import check_folder, filled_folder
from .memory import keep_freed_memory

if TYPE_CHECKING:
    from ..svr.training import TrainResult

LAST, BEST, OPTIONS, BOARD = "last.ckpt", "best.ckpt", "options.json", "tensorboard"
RESULTS = (LAST, BEST, OPTIONS, BOARD)


@dataclass(frozen=True)
class Train:
    """Train a network that turns one picture into a mesh, from silhouettes alone unless --objective says otherwise.

    DATA holds the files of SoftRas/NMR ShapeNet, as 'invgraph data shapes' makes them, or the folders of Occupancy
    Networks or of DVR. Writes into DIR: last.ckpt, that 'invgraph predict' and --resume take, best.ckpt, options.json
    and tensorboard. Ctrl-C ends after the step at work; --resume goes on, also after a kill, to the weights of a run
    that was never interrupted (on a GPU, to rounding). Needs Lightning (pip install '.[train]').
    """

    data: Annotated[Positional[Path], arg(metavar="DATA")]
    """Folder of the data set, with the splits train and val."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder for the results; made if missing."""
    preset: Preset = "full"
    """What the options below are where they are not given. full: as Soft Rasterizer; laptop: half an hour on two cores;
    smoke: seconds."""
    classes: Annotated[tuple[str, ...], arg(metavar="CLASS")] = ()
    """Only these classes, by name (chair) or as their files or folders are named (03001627)."""
    tensorboard: bool = True
    """Write curves and pictures for TensorBoard."""
    overwrite: bool = False
    """Replace the results of an earlier run in DIR."""
    resume: bool = False
    """Go on with the run in DIR; options that are not given are those it began with."""
    train: OmitArgPrefixes[TrainOptions] = field(default_factory=TrainOptions)
    machine: OmitArgPrefixes[RunOptions] = field(default_factory=RunOptions)

    @staticmethod
    def parse(command: type[Train], **how: Any) -> Train:
        """Options from the command line; those not given are the preset's, or with --resume those of the run."""
        import tyro

        how["config"] = ()  # --mirror and --no-mirror are both known: a preset, or the run, may have set either
        given = tyro.cli(command, **how)
        if given.resume:
            check_folder(given.out, RESULTS, overwrite=given.overwrite, resume=True)
            began = _saved(given.out / OPTIONS)
            default = dataclasses.replace(began, data=given.data, out=given.out)
        else:
            default = Train(given.data, given.out, train=preset_options(given.preset, given.train.objective))
        return tyro.cli(command, default=default, **how)

    def run(self) -> int:
        """Train and say what came of it; 0, or 130 if it was interrupted."""
        if not _is_first():  # one of the processes that the first one has started, or of another machine
            try:
                self._train(watched=False)
            except InputError:
                if os.environ.get("LOCAL_RANK", "0") == "0":  # of another machine
                    raise  # else the first one says it
            return 0
        check_folder(self.out, RESULTS, overwrite=self.overwrite, resume=self.resume)
        began = time.perf_counter()
        with filled_folder(self.out, RESULTS, keep=(LAST,), fresh=not self.resume):
            if not self.resume:
                self._write_options()
            result = self._train(watched=True)
        return self._say(result, time.perf_counter() - began)

    def _train(self, *, watched: bool) -> TrainResult:
        from ..data.image_sets import check_splits, open_image_set
        from ..data.image_sets.splits import check_classes
        from ..svr.train_watchers import TrainingBar, TrainingBoard, Watcher
        from ..svr.training import make_fabric, train

        keep_freed_memory()
        data = open_image_set(self.data, split="train", classes=self.classes or None)
        held = open_image_set(self.data, split="val", classes=self.classes or None)
        check_classes({"train": data, "val": held})
        watchers: list[Watcher] = []
        if watched:
            check_splits({"train": data, "val": held})
            print(f"{self.data}: {len(data):,} shapes of {len(data.classes)} classes, {len(held):,} to validate on")
        fabric = make_fabric(self.machine)
        fabric.launch()
        if watched:
            watchers.append(TrainingBar())
            if self.tensorboard:
                watchers.append(TrainingBoard(self.out / BOARD))
        going_on = self.resume and (self.out / LAST).exists()  # else it was stopped before the first one
        try:
            how: dict[str, Any] = {"run": self.machine, "fabric": fabric, "watchers": watchers, "resume": going_on}
            return train(data, held, self.train, self.out, **how)
        except ArithmeticError as error:
            raise InputError(f"{self.data}: {error}; a smaller --learning-rate may help") from error

    def _write_options(self) -> None:
        from .. import __version__

        content: dict[str, Any] = {"invgraph": __version__, "data": str(self.data), "preset": self.preset}
        content |= {"classes": list(self.classes), "run_on": dataclasses.asdict(self.machine)}
        text = json.dumps({**content, "train": dataclasses.asdict(self.train)}, indent=2)
        (self.out / OPTIONS).write_text(f"{text}\n", encoding="utf-8")

    def _say(self, result: TrainResult, seconds: float) -> int:
        scores = ", ".join(f"{name.replace('_iou', ' IoU')} {value:.4f}" for name, value in result.scores.items())
        print(f"step {result.steps:,} of {self.train.steps:,} after {seconds:,.0f} s; validation: {scores}")
        for name in RESULTS:
            if (self.out / name).exists():
                print(f"  {self.out / name}")
        if not result.interrupted:
            return 0
        again = shlex.join(["invgraph", "train", str(self.data), "--out", str(self.out), "--resume"])
        print(f"interrupted: the network is valid as it is; go on with\n  {again}")
        return 130


def _is_first() -> bool:
    """Whether this is the process that the user started, on the first machine."""
    return all(os.environ.get(name, "0") == "0" for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"))


def _saved(path: Path) -> Train:
    """The command that wrote an options.json."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        train = content["train"]
        return Train(
            data=Path(content["data"]),
            out=path.parent,
            preset=content["preset"],
            classes=tuple(content["classes"]),
            train=TrainOptions(**{**train, "sigma": tuple(train["sigma"])}),
            machine=RunOptions(**content["run_on"]),
        )
    except OSError as error:
        raise InputError(f"{path}: cannot read the options of the run to resume ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the options of a run ({type(error).__name__}: {error})") from error
