"""One picture in, a mesh out: an encoder of your own, trained by silhouettes alone, in a loop of your own.

    python examples/single_view.py [PICTURE.png]

The network sees one picture of a car. What it makes of it is drawn from the cameras of four pictures of the same car
and must have their silhouettes; no 3D shape is ever shown to it. The cars are made shapes (`pip install '.[shapes]'`).
The score is of other cars, and of views that the network was not shown.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor, nn

import invgraph as ig
from invgraph import viz
from invgraph.data import MadeOptions, NmrShapes, make_shapes
from invgraph.svr import ModelOptions, Reconstructor

CODE, VIEWS = 128, 4


def encoder(width: int = 32) -> nn.Module:
    """Pictures (B, 4, 64, 64) to codes (B, CODE)."""
    layers: list[nn.Module] = []
    for before, after in ((4, width), (width, 2 * width), (2 * width, 4 * width), (4 * width, 4 * width)):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * width * 4 * 4, CODE))


def pictures(data: NmrShapes, shapes: Tensor, views: Tensor) -> Tensor:
    """(B, V, 64, 64, 4), straight RGBA in [0, 1], of shapes (B,) in views (B, V)."""
    return data.images(shapes[:, None], views).float() / 255


def apart(model: Reconstructor, data: NmrShapes, shapes: Tensor, views: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """1 - IoU of the silhouettes in views (B, V) of what the first view suggests, and the terms of the decoder."""
    seen = pictures(data, shapes, views)
    meshes, terms = model.decoder.decode(model.encode(seen[:, 0].movedim(-1, 1)))
    drawn = meshes.with_verts(meshes.verts.repeat_interleave(views.shape[1], 0))  # each mesh once for each view
    alpha = ig.render(drawn, data.cameras_of(shapes[:, None], views), mode="antialias").alpha
    return ig.losses.silhouette_iou(alpha, seen[..., 3].flatten(0, 1)), terms


@torch.no_grad()
def score(model: Reconstructor, data: NmrShapes) -> float:
    """The same of all shapes of a data set, in views that lie between and behind the one that is seen."""
    model.eval()
    shapes = torch.arange(len(data))
    views = (5 * shapes[:, None] + torch.tensor([0, 5, 10, 15, 20])) % data.num_views
    found, _ = apart(model, data, shapes, views)
    model.train()
    return float(found)


@torch.no_grad()
def sheet(model: Reconstructor, data: NmrShapes, columns: int) -> Tensor:
    """Pictures above; what is made of them below, from the same side and from a quarter of the way around."""
    shapes = torch.arange(columns) % len(data)
    views = 2 + 3 * shapes
    seen = pictures(data, shapes, views[:, None])[:, 0]
    meshes = model.reconstruct(seen.movedim(-1, 1))
    rows = [nn.functional.interpolate(seen.movedim(-1, 1), scale_factor=3).movedim(1, -1)]
    for turn in (0, 6):
        cameras = data.cameras_of(shapes, (views + turn) % data.num_views).resize((192, 192))
        rows.append(torch.cat([viz.shaded(mesh, cameras[i : i + 1]) for i, mesh in enumerate(meshes)]))
    return viz.contact_sheet(torch.cat(rows), columns=columns)


def main(
    out: str = "out/single_view.png", *, shapes: int = 240, steps: int = 500, batch: int = 8, columns: int = 6
) -> tuple[float, float]:
    """Returns 1 - IoU of the silhouettes of unseen cars before and after."""
    began = time.perf_counter()
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        make_shapes(folder, MadeOptions(shapes, classes=("car",), split=(0.9, 0.0, 0.1), points=0))
        train, unseen = (NmrShapes(folder, split=split) for split in ("train", "test"))
        print(f"{len(train)} cars to learn from, {len(unseen)} others: {time.perf_counter() - began:.0f} s")

        model = Reconstructor(ModelOptions(encoder="custom", code_size=CODE), encoder())
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        before = score(model, unseen)
        for step in range(steps):
            chosen = torch.randint(len(train), (batch,))
            views = torch.rand(batch, train.num_views).argsort(1)[:, :VIEWS]
            error, terms = apart(model, train, chosen, views)
            loss = error + 2e-4 * terms["laplacian"] + 0.03 * terms["area"]  # where no outline tells: smooth, and small
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if (step + 1) % 100 == 0:
                print(f"step {step + 1}: silhouettes {1 - error.item():.3f}")
        after = score(model, unseen)
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        viz.save_picture(out, sheet(model, unseen, columns))
    print(f"silhouette IoU of unseen cars: {1 - before:.3f} before, {1 - after:.3f} after")
    print(f"{time.perf_counter() - began:.0f} s; written: {out}")
    return before, after


if __name__ == "__main__":
    main(*sys.argv[1:])
