"""``invgraph render MESH --views VIEWS --out DIR``: pictures of a mesh from a data set's cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..errors import InputError
from .folder import check_folder, filled_folder
from .source import Reading

if TYPE_CHECKING:
    from ..render import Rendered

Kind = Literal["alpha", "depth", "normal", "rgb"]
RESULTS: tuple[Kind, ...] = ("alpha", "depth", "normal", "rgb")
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".ppm", ".exr")


@dataclass(frozen=True)
class Render:
    """Draw a mesh's alpha, depth, normals and colours from a data set's cameras.

    For each view, under the view's name, in DIR: alpha/NAME.png, coverage in 8 bits; depth/NAME.npy, float32 distance
    along the optical axis in world units, 0 where there is no surface; normal/NAME.png, world normals as
    255 (n + 1) / 2, mid-grey where there is no surface; rgb/NAME.png, the colours or texture of the mesh, unlit, as its
    file stores them, with straight alpha.
    """

    mesh: Annotated[Positional[Path], arg(metavar="MESH")]
    """Mesh in the data set's own frame (obj, ply, glb, off, stl)."""
    views: Annotated[Path, arg(metavar="VIEWS")]
    """Data set whose cameras are used: a folder or camera file."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder for the pictures; made if missing."""
    outputs: Annotated[tuple[Kind, ...], arg(metavar="KIND ...")] = RESULTS
    """What to draw; rgb is left out if the mesh has no colours."""
    overwrite: bool = False
    """Replace the pictures that are in DIR."""
    reading: OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> int:
        """Draw and write; 0."""
        from ..geometry import load_mesh
        from ..render import render

        chosen = tuple(dict.fromkeys(self.outputs))
        if not chosen:
            raise InputError(f"--outputs: expected any of {', '.join(RESULTS)}")
        check_folder(self.out, chosen, overwrite=self.overwrite)
        mesh = load_mesh(self.mesh, appearance="rgb" in chosen)
        kinds = chosen if mesh.appearance else tuple(kind for kind in chosen if kind != "rgb")
        if not kinds:
            raise InputError(f"{self.mesh}: has neither colours nor a texture for --outputs rgb")
        views = self.reading.load(self.views)
        names = file_names(views.names)
        with filled_folder(self.out, chosen):
            for folder in {(self.out / kind / name).parent for kind in kinds for name in names}:
                folder.mkdir(parents=True, exist_ok=True)
            for i, name in enumerate(names):  # one at a time: memory stays that of one picture
                drawn = render(mesh, views.cameras[i], mode="antialias", outputs=("alpha", *kinds))
                for kind in kinds:
                    _write(self.out / kind, name, kind, drawn)
        files = ", ".join(f"{kind}/*{'.npy' if kind == 'depth' else '.png'}" for kind in kinds)
        print(f"{len(names)} views drawn: {self.out}/{files}")
        return 0


def _write(folder: Path, name: str, kind: str, drawn: Rendered) -> None:
    """One picture of one view."""
    import numpy as np
    import torch

    from ..viz import save_picture

    if kind == "depth":
        np.save(folder / f"{name}.npy", drawn.depth[0].numpy().astype(np.float32))
        return
    alpha = drawn.alpha[0]
    if kind == "alpha":
        picture = alpha
    elif kind == "normal":
        picture = 0.5 + 0.5 * drawn.normal[0]
    else:  # drawn over black, which is taken out again
        picture = torch.cat([drawn.rgb[0] / alpha[..., None].clamp_min(1e-6), alpha[..., None]], -1)
    save_picture(folder / f"{name}.png", picture)


def file_names(names: Sequence[str]) -> list[str]:
    """View names as paths to write under a folder: without ending, and with their folders only if needed to differ.

    Raises:
        InputError: a name that would leave the folder, or two views of one name.
    """
    paths = [PurePosixPath(name) for name in names]
    for path in paths:
        if path.is_absolute() or ".." in path.parts or not path.name:
            raise InputError(f"view name {str(path)!r}: expected a path inside the data set")
    bare = [path.with_suffix("") if path.suffix.lower() in PICTURES else path for path in paths]
    for choice in ([path.name for path in bare], [str(path) for path in bare]):
        if len(set(choice)) == len(choice):
            return choice
    raise InputError(f"view names: expected all different, got {len(bare) - len(set(bare))} of {len(bare)} repeated")
