"""The primitives alone: a triangle with colours at its corners moves until its picture is that of another.

    python examples/triangle.py [PICTURE.png]

No mesh, no cameras: points in pixels, faces, and the three primitives of every textured or shaded picture.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

from invgraph import ops, viz
from invgraph.geometry import Topology

SIZE = (96, 128)  # height, width
FACES = torch.tensor([[0, 1, 2]])
TOPOLOGY = Topology(FACES, num_verts=3)


def draw(corners: Tensor, colors: Tensor) -> Tensor:
    """corners (3, 2): pixel u and v; colors (3, 3): rgb of each -> (H, W, 3)."""
    points = torch.cat([corners, torch.ones(3, 1)], 1)  # the third coordinate is depth
    seen = ops.rasterize(points[None], FACES, SIZE)
    image = ops.interpolate(colors, FACES, seen)
    return ops.antialias(image, seen.depth, points[None], FACES, TOPOLOGY.edges, TOPOLOGY.edge_faces)[0]


def main(out: str = "out/triangle.png", *, steps: int = 300) -> tuple[float, float]:
    """Returns the largest distance of a corner from its place, in pixels, before and after."""
    goal = torch.tensor([[20.3, 80.1], [110.6, 60.4], [50.2, 12.7]])
    target = draw(goal, torch.eye(3))

    corners = torch.tensor([[40.0, 70.0], [80.0, 70.0], [60.0, 30.0]], requires_grad=True)
    colors = torch.full((3, 3), 0.5, requires_grad=True)

    def distance() -> float:
        return float((corners.detach() - goal).norm(dim=1).max())

    before, start = distance(), draw(corners, colors).detach()
    optimizer = torch.optim.Adam([{"params": [corners], "lr": 0.5}, {"params": [colors], "lr": 0.02}])
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.02 ** (1 / steps))
    for _ in range(steps):
        optimizer.zero_grad()
        (draw(corners, colors) - target).square().mean().backward()
        optimizer.step()
        schedule.step()

    after = distance()
    pictures = torch.stack([start, draw(corners, colors).detach(), target])
    pictures = pictures.repeat_interleave(3, dim=1).repeat_interleave(3, dim=2)  # enlarged, to see the pixels
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    viz.save_picture(out, viz.contact_sheet(pictures, columns=3))
    print(f"corners off by {before:.1f} pixels before, {after:.3f} after {steps} steps; written: {out}")
    return before, after


if __name__ == "__main__":
    main(*sys.argv[1:])
