"""A network that makes closed surfaces of point clouds, trained on made shapes and tried on others.

    python examples/convonet.py [PICTURE.png] [CHECKPOINT.pt]

A Convolutional Occupancy Network sees 3,000 noisy points of a shape and is asked which places lie inside. The shapes
are put together at random of spheres, boxes, capsules and tori (`random_shape`), so inside and outside come from a
formula, and so do the points on the surface. Flips and exchanges of the axes make 48 shapes of each.

It takes some seven minutes on two cores; Ctrl-C stops early, and the same call goes on where there is a CHECKPOINT.
"""

import sys
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

import invgraph as ig
from invgraph import viz
from invgraph.fields import AnalyticField, ConvONet, Field, descend, extract_mesh, random_shape, sample_zero_set
from invgraph.progress import Bar

CLOUD, NOISE = 3000, 0.01  # points of a cloud, and their standard deviation: as the paper's, 0.5% of the box's side
QUERIES, NEAR = 2048, 0.05  # places a shape is asked at in a step, half of them this close to the surface


class Shapes:
    """Made shapes, the points on their surfaces, and places with their occupancies."""

    def __init__(self, count: int, generator: torch.Generator, pool: int = 8192) -> None:
        self.fields: list[AnalyticField] = [random_shape(generator) for _ in range(count)]
        self.surface = torch.stack([sample_zero_set(field, pool, generator) for field in self.fields])
        near = self.surface + NEAR * torch.randn(self.surface.shape, generator=generator)
        self.places = torch.cat([2 * torch.rand(count, pool, 3, generator=generator) - 1, near.clamp(-1, 1)], 1)
        self.inside = torch.stack([field(x) < 0 for field, x in zip(self.fields, self.places)])

    def batch(self, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Clouds (size, CLOUD, 3), places (size, QUERIES, 3) and their occupancies (size, QUERIES)."""

        def draw(high: int, *shape: int) -> Tensor:
            return torch.randint(high, shape, generator=generator)

        chosen = draw(len(self.fields), size)[:, None]
        cloud = self.surface[chosen, draw(self.surface.shape[1], size, CLOUD)]
        asked = draw(self.places.shape[1], size, QUERIES)
        axes = torch.rand(size, 1, 3, generator=generator).argsort(-1)
        signs = 2.0 * draw(2, size, 1, 3) - 1

        def turned(points: Tensor) -> Tensor:
            return points.gather(2, axes.expand_as(points)) * signs

        cloud = turned(cloud) + NOISE * torch.randn(cloud.shape, generator=generator)
        return cloud, turned(self.places[chosen, asked]), self.inside[chosen, asked].float()

    def clouds(self, generator: torch.Generator) -> Tensor:
        """(shapes, CLOUD, 3) one noisy cloud of each shape."""
        return self.surface[:, :CLOUD] + NOISE * torch.randn(len(self.fields), CLOUD, 3, generator=generator)


@torch.no_grad()
def ious(network: ConvONet, shapes: Shapes, clouds: Tensor, places: int = 50_000) -> Tensor:
    """(shapes,) volume IoU with the true shapes, from places uniform in the box."""
    points = 2 * torch.rand(places, 3, generator=torch.Generator().manual_seed(0)) - 1
    truth = torch.stack([field(points) < 0 for field in shapes.fields])
    found = torch.stack([network.inside(network(points, network.encode(cloud[None])[0])) for cloud in clouds])
    return (truth & found).sum(1) / (truth | found).sum(1)


def train(network, shapes, unseen, steps, generator, size=4, rate=2e-3, checkpoint=None):
    """Curves of the training by name: (steps, values)."""
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    fixed = unseen.batch(4 * size, torch.Generator().manual_seed(1))
    held: tuple[list[int], list[float]] = ([], [])

    def loss_of(clouds, places, inside):
        return binary_cross_entropy_with_logits(network(places, network.encode(clouds)), inside)

    def watch(step, steps, terms):
        if step % 50 == 0 or step == steps:
            with torch.no_grad():
                held[0].append(step)
                held[1].append(float(loss_of(*fixed)))
        bar(step, steps, terms)

    with Bar("train") as bar:
        history = descend(
            network,
            lambda: {"cross entropy": loss_of(*shapes.batch(size, generator))},
            optimizer,
            steps=steps,
            generator=generator,
            schedule=schedule,
            progress=watch,
            checkpoint=checkpoint,
            resume=checkpoint is not None and Path(checkpoint).exists(),
        )["loss"]
    return {"shapes of the training": (range(1, len(history) + 1), history), "unseen shapes": held}


def spheres(cloud: Tensor, radius: float = 0.012) -> ig.Mesh:
    """A ball at each point (P, 3), to draw it."""
    ball = ig.geometry.icosphere(0)
    verts = cloud[:, None] + radius * ball.verts
    faces = ball.faces + len(ball.verts) * torch.arange(len(cloud))[:, None, None]
    return ig.Mesh(verts.reshape(-1, 3), faces.reshape(-1, 3))


def picture(network: ConvONet, shapes: Shapes, clouds: Tensor, columns: int, side: int) -> Tensor:
    """Clouds above, what the network makes of them in the middle, the true shapes below."""
    camera = ig.Cameras.look_at([[2.2, 1.5, 2.6]], [0, 0, 0], [0, 1, 0], fov_deg=38, image_size=(side, side))

    def surface(field: Field, code: Tensor | None = None) -> ig.Mesh | None:
        try:
            return extract_mesh(field, code=code).mesh
        except ig.InputError:  # a network stopped early may find everything outside
            return None

    clouds = clouds[:columns]
    meshes = [spheres(cloud) for cloud in clouds]
    meshes += [surface(network, network.encode(cloud[None])[0]) for cloud in clouds]
    meshes += [surface(field) for field in shapes.fields[:columns]]
    pictures = [torch.ones(side, side, 3) if mesh is None else viz.shaded(mesh, camera)[0] for mesh in meshes]
    return viz.contact_sheet(pictures, columns=columns)


def main(
    out: str = "out/convonet.png",
    checkpoint: str | None = None,
    *,
    shapes: int = 200,
    unseen: int = 30,
    steps: int = 450,
    resolution: int = 24,
    side: int = 192,
) -> tuple[float, float]:
    """Returns 1 - IoU of unseen shapes before and after."""
    began = time.perf_counter()
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    made, others = Shapes(shapes, generator), Shapes(unseen, generator)
    clouds = others.clouds(generator)
    print(f"{shapes} shapes to learn from and {unseen} others made in {time.perf_counter() - began:.0f} s")

    torch.manual_seed(0)
    network = ConvONet("volume", resolution=resolution, width=16, levels=3, blocks=3)
    before = ious(network, others, clouds)
    began = time.perf_counter()
    found = train(network, made, others, steps, generator, checkpoint=checkpoint)
    network.eval()
    after = ious(network, others, clouds)
    print(f"IoU of unseen shapes from {CLOUD} noisy points, after {time.perf_counter() - began:.0f} s of training:")
    print(
        f"mean {after.mean():.3f}, median {after.median():.3f}, worst {after.min():.3f}; untrained {before.mean():.3f}"
    )

    curves = Path(out).with_suffix(".svg")
    viz.save_chart(curves, found, title="ConvONet: cross entropy over the steps", log=True)
    viz.save_picture(out, picture(network, others, clouds, min(6, unseen), side))
    print(f"curves: {curves}; written: {out}")
    return 1 - float(before.mean()), 1 - float(after.mean())


if __name__ == "__main__":
    main(*sys.argv[1:])
