"""``invgraph fit VIEWS --out DIR``: masks and cameras in, mesh and report out."""

from __future__ import annotations

import dataclasses
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..errors import InputError
from ..fit.options import FitOptions
from .folder import check_folder, filled_folder
from .page import write_page
from .results import plain, summary, write_meshes
from .source import Reading

if TYPE_CHECKING:
    from ..data import Views
    from ..fit import FitResult
    from ..geometry import Mesh

CHECKPOINT = "checkpoint.pt"
RESULTS = (
    "mesh.ply",
    "mesh.glb",
    "options.json",
    "metrics.json",
    "turntable.mp4",
    "report.html",
    CHECKPOINT,
    "tensorboard",
)


@dataclass(frozen=True)
class Fit:
    """Reconstruct a closed mesh from masks and cameras.

    Writes into DIR: mesh.ply and mesh.glb in the data set's own frame and units, metrics.json, options.json,
    turntable.mp4, report.html and checkpoint.pt. Ctrl-C ends the fit early with a valid mesh; --resume goes on.
    """

    views: Annotated[Positional[Path], arg(metavar="VIEWS")]
    """Data set: a folder or camera file of NeRF-synthetic, nerfstudio, IDR/NeuS/DTU, COLMAP or Middlebury kind."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder for the results; made if missing."""
    truth: Annotated[Path | None, arg(metavar="MESH")] = None
    """True mesh, in the data set's frame, to score the result against."""
    overwrite: bool = False
    """Replace the results of an earlier run in DIR."""
    resume: bool = False
    """Go on with the run in DIR; options that are not given are those it began with."""
    tensorboard: bool = False
    """Write curves and pictures to DIR/tensorboard."""
    reading: OmitArgPrefixes[Reading] = field(default_factory=Reading)
    fit: OmitArgPrefixes[FitOptions] = field(default_factory=FitOptions)

    @staticmethod
    def parse(command: type[Fit], **how: Any) -> Fit:
        """Options from the command line; with --resume, those not given are the ones the run began with."""
        import tyro

        how["config"] = ()  # --polish and --no-polish are both known: the run to resume may have had either
        given = tyro.cli(command, **how)
        if not given.resume:
            return given
        check_folder(given.out, RESULTS, overwrite=given.overwrite, resume=True)
        default = dataclasses.replace(_saved(given.out / "options.json"), views=given.views, out=given.out)
        return tyro.cli(command, default=default, **how)

    def run(self) -> int:
        """Fit, write and print the results; 0, or 130 if it was interrupted."""
        check_folder(self.out, RESULTS, overwrite=self.overwrite, resume=self.resume)
        # no larger than the fit uses them: a hundred large photographs would not fit into memory
        views = self.reading.load(self.views, self.fit.image_size)
        print(views.source, flush=True)
        truth = self._load_truth()
        with filled_folder(self.out, RESULTS, keep=(CHECKPOINT,), fresh=not self.resume):
            if not self.resume:
                self._write_options()
            result = self._fit(views)
            self._write(result, truth)
        return self._say(result)

    def _load_truth(self) -> Mesh | None:
        from ..geometry import load_mesh

        return None if self.truth is None else load_mesh(self.truth, appearance=False)

    def _fit(self, views: Views) -> FitResult:
        from ..fit import NonFiniteError, ProgressBar, TensorBoard, fit

        watchers: list[Any] = [ProgressBar()]
        if self.tensorboard:
            watchers.append(TensorBoard(str(self.out / "tensorboard")))
        try:
            return fit(None, views, self.fit, callbacks=watchers, checkpoint=self.out / CHECKPOINT, resume=self.resume)
        except NonFiniteError as error:
            raise InputError(f"{self.views}: {error}") from error

    def _write_options(self) -> None:
        from .. import __version__

        text = json.dumps({"invgraph": __version__, **plain(self)}, indent=2)
        (self.out / "options.json").write_text(f"{text}\n", encoding="utf-8")

    def _write(self, result: FitResult, truth: Mesh | None) -> None:
        """The meshes first, then what takes longer; an interrupted fit gets no turntable and report."""
        write_meshes(self.out, result.mesh)
        if truth is not None:
            from ..metrics import evaluate

            result.metrics["truth"] = {"mesh": str(self.truth), **evaluate(result.mesh, truth)}
        (self.out / "metrics.json").write_text(result.metrics_json(), encoding="utf-8")
        if not result.interrupted:
            write_page(self.out, self.views.resolve().name, result, plain(self))

    def _say(self, result: FitResult) -> int:
        """Print the headline figures and where everything is; the exit status."""
        print("\n".join(filter(None, (result.note, summary(result.metrics)))))
        for name in RESULTS:
            if (self.out / name).exists():
                print(f"  {self.out / name}")
        if not result.interrupted:
            return 0
        again = shlex.join(["invgraph", "fit", str(self.views), "--out", str(self.out), "--resume"])
        print(f"interrupted: the mesh is valid as it is; go on with\n  {again}")
        return 130


def _saved(path: Path) -> Fit:
    """The command that wrote an options.json."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Fit(
            views=Path(content["views"]),
            out=Path(content["out"]),
            truth=None if content["truth"] is None else Path(content["truth"]),
            tensorboard=content["tensorboard"],
            reading=Reading(**content["reading"]),
            fit=FitOptions(**content["fit"]),
        )
    except OSError as error:
        raise InputError(f"{path}: cannot read the options of the run to resume ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the options of a run ({type(error).__name__}: {error})") from error
