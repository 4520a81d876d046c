"""The README's picture: views of the demo object above, its reconstruction from the same cameras below.

make demo && .venv/bin/python assets/make_picture.py
"""

from pathlib import Path

import torch
from PIL import Image

import invgraph as ig

HERE = Path(__file__).parent
SHOWN = [2, 7, 11, 16, 20]


def main(mesh: str = "out/demo/mesh.ply") -> None:
    """Write ``assets/demo.png``."""
    views = ig.load_views(HERE / "demo")[SHOWN]
    given = torch.cat([views.images, views.masks[..., None]], -1)
    found = ig.viz.shaded(ig.load_mesh(mesh), views.cameras)
    sheet = ig.viz.contact_sheet(torch.cat([given, found]), columns=len(SHOWN), gap=0)
    Image.fromarray((sheet * 255).round().byte().numpy()).quantize(128).save(HERE / "demo.png", optimize=True)


if __name__ == "__main__":
    main()
