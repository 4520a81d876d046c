"""``invgraph fit-points CLOUD|MESH --out DIR``: points or a mesh in, a field and its mesh out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..errors import InputError
from ..fields.points_options import FitPointsOptions
from .folder import check_folder, filled_folder
from .results import TRUTH_FIGURES, plain, write_meshes

if TYPE_CHECKING:
    from ..fields import PointCloud, PointsFit
    from ..geometry import Mesh

CHECKPOINT = "checkpoint.pt"
RESULTS = ("mesh.ply", "mesh.glb", "options.json", "metrics.json", "turntable.mp4", CHECKPOINT)
_OF_THE_MESH = ("resolution", "faces")  # options that may change when a run is resumed


@dataclass(frozen=True)
class FitPoints:
    """Fit a field to a point cloud or a mesh, and extract its surface.

    Points may be noisy, and need no normals; a mesh may be open or intersect itself. Writes into DIR: mesh.ply and
    mesh.glb, closed, in the input's own frame and units, metrics.json, options.json, turntable.mp4 and checkpoint.pt,
    which holds the field. Ctrl-C ends the fit early with a valid mesh; --resume goes on.
    """

    shape: Annotated[Positional[Path], arg(metavar="CLOUD|MESH")]
    """Points (ply, obj, xyz, txt, csv, pts, npz, npy), with or without normals, or a mesh (ply, obj, glb, gltf, off,
    stl)."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder for the results; made if missing."""
    truth: Annotated[Path | None, arg(metavar="MESH")] = None
    """True mesh, in the input's frame, to score the result against."""
    overwrite: bool = False
    """Replace the results of an earlier run in DIR."""
    resume: bool = False
    """Go on with the run in DIR; options that are not given are those it began with."""
    fit: OmitArgPrefixes[FitPointsOptions] = field(default_factory=FitPointsOptions)

    @staticmethod
    def parse(command: type[FitPoints], **how: Any) -> FitPoints:
        """Options from the command line; with --resume, those not given are the ones the run began with."""
        import tyro

        given = tyro.cli(command, **how)
        if not given.resume:
            return given
        check_folder(given.out, RESULTS, overwrite=given.overwrite, resume=True)
        began, _ = _saved(given.out / "options.json")
        default = dataclasses.replace(began, shape=given.shape, out=given.out, resume=False)
        return tyro.cli(command, default=default, **how)

    def run(self) -> int:
        """Fit, write and print the results; 0, or 130 if it was interrupted."""
        from ..fields.points_files import load_shape
        from ..geometry import load_mesh

        check_folder(self.out, RESULTS, overwrite=self.overwrite, resume=self.resume)
        shape = load_shape(self.shape)
        digest = hashlib.sha256(self.shape.read_bytes()).hexdigest()
        if self.resume:
            self._check_same(digest)
        print(self._describe(shape), flush=True)
        truth = None if self.truth is None else load_mesh(self.truth, appearance=False)
        with filled_folder(self.out, RESULTS, keep=(CHECKPOINT,), fresh=not self.resume):
            if not self.resume:
                self._write_options(digest)
            result = self._fit(shape)
            metrics = self._write(result, truth)
        return self._say(result, metrics)

    def _describe(self, shape: PointCloud | Mesh) -> str:
        from ..fields import PointCloud

        if isinstance(shape, PointCloud):
            normals = "without normals" if shape.normals is None else "with normals"
            return f"{self.shape}: {len(shape):,} points {normals}"
        closed = "closed" if shape.is_closed else "not closed"
        return f"{self.shape}: a mesh of {shape.num_faces:,} faces, {closed}"

    def _fit(self, shape: PointCloud | Mesh) -> PointsFit:
        from ..fields import fit_points
        from ..progress import Bar

        going_on = self.resume and (self.out / CHECKPOINT).exists()  # else it was stopped before the first one
        with Bar(self.fit.field) as bar:
            try:
                return fit_points(shape, self.fit, progress=bar, checkpoint=self.out / CHECKPOINT, resume=going_on)
            except ArithmeticError as error:
                raise InputError(f"{self.shape}: {error}") from error

    def _write_options(self, digest: str) -> None:
        from .. import __version__

        text = json.dumps({"invgraph": __version__, **plain(self), "sha256": digest}, indent=2)
        (self.out / "options.json").write_text(f"{text}\n", encoding="utf-8")

    def _check_same(self, digest: str) -> None:
        began, before = _saved(self.out / "options.json")
        if digest != before:
            raise InputError(f"{self.shape}: not the file of the run to resume, or changed since")
        for name in FitPointsOptions.__dataclass_fields__:
            was, now = getattr(began.fit, name), getattr(self.fit, name)
            if was != now and name not in _OF_THE_MESH:
                raise InputError(
                    f"{name}: the run to resume has {was!r}, got {now!r}; "
                    "resume with the same options or start a new run"
                )

    def _write(self, result: PointsFit, truth: Mesh | None) -> dict[str, Any]:
        """The meshes first, then what takes longer; an interrupted fit gets no turntable."""
        from ..viz import turntable

        mesh = result.mesh
        write_meshes(self.out, mesh)
        seconds = {name: round(value, 3) for name, value in result.seconds.items()}
        metrics: dict[str, Any] = {
            "field": self.fit.field,
            "interrupted": result.interrupted,
            "steps": len(result.losses),
            "loss": result.losses[-1] if result.losses else None,
            "noise": result.noise,
            "seconds": {**seconds, "total": round(sum(result.seconds.values()), 3)},
            "vertices": mesh.num_verts,
            "faces": mesh.num_faces,
            "closed": mesh.is_closed,
            "euler_characteristic": mesh.euler_characteristic,
            "frame": {"center": result.center.tolist(), "scale": result.scale},
        }
        if truth is not None:
            from ..metrics import evaluate

            metrics["truth"] = {"mesh": str(self.truth), **evaluate(mesh, truth)}
        (self.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
        if not result.interrupted:
            turntable(mesh, self.out / "turntable.mp4")
        return metrics

    def _say(self, result: PointsFit, metrics: dict[str, Any]) -> int:
        """Print the headline figures and where everything is; the exit status."""
        closed = "closed" if metrics["closed"] else "not closed"
        euler = metrics["euler_characteristic"]
        print(f"{metrics['vertices']:,} vertices, {metrics['faces']:,} faces, {closed}, Euler characteristic {euler}")
        print(f"{metrics['steps']} steps in {metrics['seconds']['total']:.1f} s, noise {100 * result.noise:.2f}%")
        if "truth" in metrics:
            print(", ".join(f"{label} {metrics['truth'][name]:.4f}" for name, label in TRUTH_FIGURES.items()))
        for name in RESULTS:
            if (self.out / name).exists():
                print(f"  {self.out / name}")
        if not result.interrupted:
            return 0
        again = shlex.join(["invgraph", "fit-points", str(self.shape), "--out", str(self.out), "--resume"])
        print(f"interrupted: the mesh is valid as it is; go on with\n  {again}")
        return 130


def _saved(path: Path) -> tuple[FitPoints, str]:
    """The command that wrote an options.json, and what its input was."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        command = FitPoints(
            shape=Path(content["shape"]),
            out=Path(content["out"]),
            truth=None if content["truth"] is None else Path(content["truth"]),
            fit=FitPointsOptions(**content["fit"]),
        )
        return command, content["sha256"]
    except OSError as error:
        raise InputError(f"{path}: cannot read the options of the run to resume ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the options of a run ({type(error).__name__}: {error})") from error
