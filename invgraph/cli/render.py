"""``invgraph render MESH --views VIEWS --out DIR``: pictures of a mesh from a data set's cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..errors import InputError
from .folder import check_folder, filled_folder
from .source import Reading

RESULTS = ("alpha", "depth", "normal")
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".ppm", ".exr")


@dataclass(frozen=True)
class Render:
    """Draw a mesh's alpha, depth and normals from a data set's cameras.

    For each view, under the view's name, in DIR: alpha/NAME.png, coverage in 8 bits; depth/NAME.npy, float32 distance
    along the optical axis in world units, 0 where there is no surface; normal/NAME.png, world normals as
    255 (n + 1) / 2, mid-grey where there is no surface.
    """

    mesh: Annotated[Positional[Path], arg(metavar="MESH")]
    """Mesh in the data set's own frame (obj, ply, glb, off, stl)."""
    views: Annotated[Path, arg(metavar="VIEWS")]
    """Data set whose cameras are used: a folder or camera file."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder for the pictures; made if missing."""
    overwrite: bool = False
    """Replace the pictures that are in DIR."""
    reading: OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> int:
        """Draw and write; 0."""
        import numpy as np
        from PIL import Image

        from ..geometry import load_mesh
        from ..render import render

        check_folder(self.out, RESULTS, overwrite=self.overwrite)
        mesh = load_mesh(self.mesh, appearance=False)
        views = self.reading.load(self.views)
        names = file_names(views.names)
        with filled_folder(self.out, RESULTS):
            for folder in {(self.out / kind / name).parent for kind in RESULTS for name in names}:
                folder.mkdir(parents=True, exist_ok=True)
            for i, name in enumerate(names):  # one at a time: memory stays that of one picture
                drawn = render(mesh, views.cameras[i], mode="antialias", outputs=RESULTS)
                alpha, normal = drawn.alpha[0].clamp(0, 1).numpy(), drawn.normal[0].numpy()
                Image.fromarray(np.round(255 * alpha).astype(np.uint8)).save(self.out / "alpha" / f"{name}.png")
                np.save(self.out / "depth" / f"{name}.npy", drawn.depth[0].numpy().astype(np.float32))
                colour = np.round(255 * (0.5 + 0.5 * normal)).clip(0, 255).astype(np.uint8)
                Image.fromarray(colour).save(self.out / "normal" / f"{name}.png")
        print(f"{len(names)} views drawn: {self.out}/alpha/*.png, depth/*.npy, normal/*.png")
        return 0


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
