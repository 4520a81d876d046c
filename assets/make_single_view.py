"""Draws assets/single_view.png: the first two shapes of each class, as a network sees them and as it makes them.

    python assets/make_single_view.py CHECKPOINT DATA

DATA is a data set of shapes that the network has not seen. Below each picture is the reconstruction from the picture's
own camera and from one a quarter of the way around the object.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from invgraph.data import NmrShapes, nmr_cameras
from invgraph.svr import Reconstructor, load_model
from invgraph.svr.case_pictures import drawn, enlarged
from invgraph.svr.prediction import reconstructed
from invgraph.svr.refine import STEPS

SIDE, PER_CLASS = 96, 2


def column(model: Reconstructor, rgba: Tensor, view: int) -> Tensor:
    """(3 SIDE, SIDE, 3): a picture (64, 64, 4) of a view, and its reconstruction from two sides."""
    mesh = reconstructed(model, rgba.movedim(-1, 0)[None], STEPS)[0]
    rows = torch.cat([enlarged(rgba, SIDE)[None], drawn(mesh, nmr_cameras([view, (view + 6) % 24]), SIDE)])
    return (rows[..., :3] * rows[..., 3:] + 1 - rows[..., 3:]).flatten(0, 1)


def main() -> None:
    """Write the picture."""
    model, data = load_model(sys.argv[1]), NmrShapes(sys.argv[2], split="test")
    rows = []
    for n in range(PER_CLASS):
        shapes = [int((data.class_of == k).nonzero()[n, 0]) for k in range(len(data.classes))]
        view = 2 + 5 * n
        rows.append(torch.cat([column(model, data.images(i, view).float() / 255, view) for i in shapes], 1))
    pixels = (torch.cat(rows).clamp(0, 1).numpy() * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(Path(__file__).with_name("single_view.png"), optimize=True)


if __name__ == "__main__":
    main()
