"""A signed distance field from masks, without a mesh on the way: rays of chosen pixels, holes that open by themselves.

    python examples/field.py [PICTURE.png]

The field is a sphere at first. Each step looks at some pixels of some views, half of them near outlines, and asks how
much of each one's ray the field covers. Volume rendering comes first: all of the ray counts, and a hole can open in the
middle of what is covered. Then the closest approach, whose outline lies on the surface itself. About half a minute.
`invgraph fit --shape sdf` goes further: regularizers, finer stages, a mesh to polish.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

import invgraph as ig
from invgraph import fields, metrics, viz

BOX = ((-1.25, -1.25, -1.25), (1.25, 1.25, 1.25))  # around the object, in the frame of the cameras


def eikonal(field: fields.Field, points: int, generator: torch.Generator) -> Tensor:
    """Mean of ``(|grad f| - 1)^2`` at random points: what makes the values distances."""
    low, high = field.bounds
    x = (low + torch.rand(points, 3, generator=generator) * (high - low)).requires_grad_()
    (gradient,) = torch.autograd.grad(field(x).sum(), x, create_graph=True)
    return (gradient.norm(dim=1) - 1).square().mean()


def surface(field: fields.Field) -> ig.Mesh:
    return fields.extract_mesh(field, resolution=32, subdivisions=1).mesh


def main(
    out: str = "out/field.png", *, size: int = 128, steps: int = 300, batch: int = 8, rays: int = 192
) -> tuple[float, float]:
    """Returns 1 - IoU of the silhouettes with the masks, before and after."""
    generator = torch.Generator().manual_seed(0)
    views = ig.load_views("assets/demo")
    cameras = views.cameras.resize((size, size))
    masks = interpolate(views.masks[:, None], (size, size), mode="area")[:, 0]
    band = fields.outline_band(masks)

    field = fields.GridField("sdf", levels=(8, 16, 32), bounds=BOX, initial=fields.Sphere(0.9), generator=generator)
    start = surface(field)
    optimizer = torch.optim.Adam([p for p in field.parameters() if p.requires_grad], lr=0.01, eps=1e-15)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.05 ** (1 / steps))
    for step in range(steps):
        volume = step < 0.4 * steps
        method, softness = ("volsdf", 1.0) if volume else ("closest", 0.3)
        seen = torch.randperm(len(cameras), generator=generator)[:batch]
        drawn = fields.sample_pixels(band[seen], rays, generator=generator)
        logits = fields.ray_logits(
            field, cameras[seen], drawn.pixels, method=method, softness=softness, generator=generator
        )
        miss = binary_cross_entropy_with_logits(logits, drawn.of(masks[seen]), reduction="none")
        loss = (drawn.weights * miss).mean() + 0.1 * eikonal(field, 2048, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

    found = surface(field)

    def error(mesh: ig.Mesh) -> float:
        return 1 - float(metrics.silhouette_iou(ig.render(mesh, cameras).alpha, masks, threshold=None).mean())

    before, after = error(start), error(found)
    shown = cameras[[0, 5, 10, 15]]
    pictures = torch.cat([viz.shaded(mesh, shown) for mesh in (start, found)])
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    viz.save_picture(out, viz.contact_sheet(pictures, columns=4))
    state = metrics.watertightness(found)
    print(
        f"silhouette IoU {1 - before:.3f} of the sphere, {1 - after:.3f} of the field, whose genus is {state['genus']}"
    )
    print(f"written: {out}")
    return before, after


if __name__ == "__main__":
    main(*sys.argv[1:])
