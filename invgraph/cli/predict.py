"""``invgraph predict CHECKPOINT IMAGE... --out DIR``: pictures in, meshes out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from ..errors import InputError
from ..svr.accelerator import Accelerator
from ..svr.refine import STEPS
from .folder import check_folder, filled_folder
from .output import shown

if TYPE_CHECKING:
    from torch import Tensor

    from ..geometry import Mesh
    from ..svr.framing import Framed

PAGE, RECORD = "report.html", "predict.json"
_AROUND = (0, 6, 12, 18)  # views of the page
_FRAMES, _SIDE = 48, 320


@dataclass(frozen=True)
class Predict:
    """Reconstruct the objects of pictures, each from one picture alone.

    Writes a mesh (NAME.ply, NAME.glb) and a turntable (NAME.mp4) for each picture, a page to look at, and predict.json.
    A picture is cropped and padded until its object is as large as in training, and what is unlike the training set is
    said. Pictures that cannot be used do not stop the others.
    """

    checkpoint: Annotated[Positional[Path], arg(metavar="CHECKPOINT")]
    """File that 'invgraph train' wrote."""
    images: Annotated[Positional[tuple[Path, ...]], arg(metavar="IMAGE...")]
    """Pictures of one object each, with an alpha channel or with --masks; sizes may differ."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder for the results; made if missing."""
    masks: Annotated[Path | None, arg(metavar="FILE|DIR")] = None
    """Where the silhouettes are: a folder of files named as the pictures, or the mask of the only picture."""
    refine: int = STEPS
    """Steps that bring the shape nearer to the silhouette of its picture; 0: as the network gives it.

    Needs a network trained with cameras that all shapes share; not for the decoder occupancy with --hidden. For
    pictures taken much higher or lower than those, or with a wide angle, 0 may be better."""
    no_turntable: bool = False
    """Write no videos, which take a second or two each."""
    accelerator: Accelerator = "cpu"
    """Where the network and its refinement work: cpu, gpu, or auto for a GPU where there is one."""
    overwrite: bool = False
    """Replace the results in DIR."""

    def run(self) -> int:
        """Reconstruct, write, say what was unusual; 0, or 2 if a picture could not be used."""
        from ..progress import Bar
        from ..svr.accelerator import on_gpus
        from ..svr.model_file import load_model

        if self.refine < 0:
            raise InputError(f"--refine: expected at least 0 steps, got {self.refine}")
        if not self.images:
            raise InputError("IMAGE: expected at least one picture, got none")
        if self.masks is not None and len(self.images) > 1 and not self.masks.is_dir():
            raise InputError(f"--masks: expected a folder for {len(self.images)} pictures, got {self.masks}")
        names = _names(self.images)
        results = [PAGE, RECORD, *(f"{name}.{end}" for name in names for end in ("ply", "glb", "mp4"))]
        check_folder(self.out, results, overwrite=self.overwrite)
        model = load_model(self.checkpoint).to("cuda" if on_gpus(self.accelerator) else "cpu")
        entries: list[dict[str, Any]] = []
        cards: list[Any] = []
        with filled_folder(self.out, results), Bar("predict") as bar:
            for done, (path, name) in enumerate(zip(self.images, names, strict=True)):
                entry: dict[str, Any] = {"image": shown(path), "name": name}
                entries.append(entry)
                try:
                    picture = self._read(path)
                    began = time.perf_counter()
                    mesh, framed = self._reconstruct(model, picture, path)
                except InputError as error:
                    entry["error"] = shown(str(error))
                    continue
                finally:
                    bar.update(completed=done, total=len(self.images))
                entry["seconds"] = round(time.perf_counter() - began, 4)
                entry |= {"warnings": list(framed.warnings), "cropped": framed.cropped}
                entry |= {"vertices": mesh.num_verts, "faces": mesh.num_faces, "closed": mesh.is_closed}
                cards.append(self._write(name, mesh, picture, framed))
            bar.update(completed=len(self.images))
            if not cards:
                raise InputError("; ".join(entry["error"] for entry in entries))
            self._write_page(cards, entries)
        return self._say(entries)

    def _read(self, path: Path) -> Tensor:
        from ..svr.prediction import find_mask, read_picture

        return read_picture(path, None if self.masks is None else find_mask(path, self.masks))

    def _reconstruct(self, model: Any, picture: Tensor, path: Path) -> tuple[Mesh, Framed]:
        from ..svr.framing import frame_picture
        from ..svr.prediction import framing_of, reconstructed

        try:
            framed = frame_picture(picture, framing_of(model), model.options.image_size)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        mesh = reconstructed(model, framed.image[None], self.refine)[0]
        if mesh.num_faces == 0:
            raise InputError(f"{path}: the network sees no surface in this picture")
        if not bool(mesh.verts.isfinite().all()):
            raise InputError(f"{path}: the network gave a mesh that is not finite")
        return mesh, framed

    def _write(self, name: str, mesh: Mesh, picture: Tensor, framed: Framed) -> Any:
        """The files of a picture, and its card for the page."""
        from ..data.image_sets import nmr_cameras
        from ..geometry import save_mesh
        from ..svr.case_pictures import drawn, enlarged
        from ..viz import Card, turntable

        for end in ("ply", "glb"):
            save_mesh(self.out / f"{name}.{end}", mesh)
        if not self.no_turntable:
            turntable(mesh, self.out / f"{name}.mp4", frames=_FRAMES, size=_SIDE)
        around = drawn(mesh, nmr_cameras(_AROUND))
        tiles = [("as the network saw it", enlarged(framed.image.movedim(0, -1)))]
        tiles += [(f"{15 * view}°", view_picture) for view, view_picture in zip(_AROUND, around, strict=True)]
        size = f"{picture.shape[1]}x{picture.shape[0]} pixels" + (", cropped and padded" if framed.cropped else "")
        return Card(name, size, tiles, framed.warnings)

    def _write_page(self, cards: Sequence[Any], entries: Sequence[dict[str, Any]]) -> None:
        from .. import __version__
        from ..atomic import write_atomically
        from ..viz import Card, Group, write_gallery

        content = {"invgraph": __version__, "checkpoint": shown(self.checkpoint), "pictures": list(entries)}
        write_atomically(self.out / RECORD, f"{json.dumps(content, indent=2)}\n".encode())
        seconds = [entry["seconds"] for entry in entries if "seconds" in entry]
        groups = [Group("Pictures", cards, "Drawn by the cameras of the training set, going round the object.")]
        unusable = [Card(entry["name"], "", (), [entry["error"]]) for entry in entries if "error" in entry]
        if unusable:
            groups.append(Group("Unusable", unusable))
        write_gallery(
            self.out / PAGE,
            kind="prediction",
            title=f"{len(cards)} reconstruction{'s' if len(cards) != 1 else ''}",
            subtitle=f"from one picture each, by {shown(self.checkpoint)}",
            figures=[
                ("pictures", len(entries)),
                ("unlike the training set", sum(bool(entry.get("warnings")) for entry in entries)),
                ("unusable", sum("error" in entry for entry in entries)),
                ("seconds a picture", sum(seconds) / len(seconds)),
            ],
            groups=groups,
        )

    def _say(self, entries: Sequence[dict[str, Any]]) -> int:
        """What was unusual, and where everything is."""
        for entry in entries:
            for sentence in entry.get("warnings", ()):
                print(f"invgraph: warning: {entry['image']}: {sentence}", file=sys.stderr)
            if "error" in entry:
                print(f"invgraph predict: error: {entry['error']}", file=sys.stderr)
        good = [entry for entry in entries if "error" not in entry]
        seconds = sum(entry["seconds"] for entry in good) / len(good)
        print(f"{len(good)} of {len(entries)} pictures reconstructed, {seconds:.3f} s each")
        for entry in good:
            print(f"  {self.out / entry['name']}.ply")
        for file in (RECORD, PAGE):
            print(f"  {self.out / file}")
        return 0 if len(good) == len(entries) else 2


def _names(images: Sequence[Path]) -> list[str]:
    """A name for each picture, that of its file; with a number where several have the same."""
    names: list[str] = []
    taken: set[str] = {Path(PAGE).stem, Path(RECORD).stem}
    for path in images:
        stem = shown(path.with_suffix("").name)
        name, count = stem, 1
        while name in taken:
            count += 1
            name = f"{stem}-{count}"
        taken.add(name)
        names.append(name)
    return names
