"""Texture from photographs: pictures from known cameras, the shape and the lights give the colours of its surface.

    python examples/texture.py [PICTURE.png]

The shape is a ring papered with the demo's pictures, photographed with some noise under a lamp. The texture is an image
whose texels are the unknowns. Four photographs are kept out: they tell whether it is right or only fits what it saw.
"""

import math
import sys
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

import invgraph as ig
from invgraph import viz

LIGHTS = [ig.AmbientLight(0.5), ig.DirectionalLight(direction=(0.3, -0.5, 1.0), color=0.6)]


def ring(around: int = 96, across: int = 40) -> tuple[ig.Mesh, Tensor, Tensor]:
    """A torus, its texture coordinates (T, 2), and for each face where on the texture its corners are (F, 3).

    The surface closes and the picture does not: the vertices at the seam have two texture coordinates, 0 and 1.
    """
    i, j = torch.meshgrid(torch.arange(around + 1), torch.arange(across + 1), indexing="ij")
    uv = torch.stack([i / around, j / across], -1).reshape(-1, 2)
    corner = torch.stack([i[:-1, :-1], j[:-1, :-1]], -1).reshape(-1, 1, 2)
    square = corner + torch.tensor([[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]])  # two triangles
    square = square.reshape(-1, 3, 2)
    uv_faces = square[..., 0] * (across + 1) + square[..., 1]
    faces = square[..., 0] % around * across + square[..., 1] % across
    long, short = (2 * math.pi * uv.reshape(around + 1, across + 1, 2)[:-1, :-1].reshape(-1, 2)).unbind(1)
    radius = 1 - 0.45 * short.cos()
    verts = torch.stack([radius * long.cos(), -radius * long.sin(), -0.45 * short.sin()], 1)
    return ig.Mesh(verts, faces), uv, uv_faces


def wallpaper() -> Tensor:
    """(288, 768, 3): the demo's 24 pictures, each on a colour of its own."""
    views = ig.load_views("assets/demo", max_size=96)
    hue = torch.arange(24.0)[:, None] / 24 + torch.tensor([0, 1 / 3, 2 / 3])
    ground = (0.7 + 0.25 * torch.cos(2 * math.pi * hue))[:, None, None]
    return viz.contact_sheet(torch.lerp(ground, views.images, views.masks[..., None]), columns=8, gap=0)


def psnr(picture: Tensor, truth: Tensor) -> float:
    """Peak signal-to-noise ratio in decibels."""
    return float(-10 * (picture - truth).square().mean().log10())


def main(out: str = "out/texture.png", *, size: int = 256, steps: int = 150) -> tuple[float, float]:
    """Returns the root mean square error of the held-out photographs before and after."""
    began = time.perf_counter()
    generator = torch.Generator().manual_seed(0)
    mesh, uv, uv_faces = ring()
    eyes = 3.6 * normalize(torch.randn(24, 3, generator=generator), dim=1)
    cameras = ig.Cameras.look_at(eyes, (0.0, 0.0, 0.0), (0.0, 0.1, 1.0), fov_deg=45, image_size=(size, size))
    train, held = torch.arange(4, 24), torch.arange(4)

    def draw(image: Tensor, cameras: ig.Cameras) -> Tensor:
        textured = ig.Mesh(mesh.verts, mesh.faces, ig.Texture(image, uv, uv_faces))
        return ig.render(textured, cameras, outputs=("rgb",), lights=LIGHTS).rgb

    # what is given: photographs, of which each pixel is the mean of four samples
    paper = wallpaper()
    photographs = draw(paper, cameras.resize((2 * size, 2 * size))).movedim(-1, 1)
    photographs = avg_pool2d(photographs, 2).movedim(1, -1)
    photographs = (photographs + 0.01 * torch.randn(photographs.shape, generator=generator)).clamp(0, 1)

    image = torch.full_like(paper, 0.5).requires_grad_()
    start = draw(image, cameras[held]).detach()
    optimizer = torch.optim.Adam([image], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        index = train[torch.randperm(len(train), generator=generator)[:4]]
        optimizer.zero_grad()
        error = (draw(image, cameras[index]) - photographs[index]).square().sum()
        slopes = image.diff(dim=0).square().sum() + image.diff(dim=1).square().sum()
        (error + 0.01 * slopes).backward()  # a little smoothness, for texels that no photograph shows
        optimizer.step()
        schedule.step()

    image = image.detach().clamp(0, 1)
    drawn = draw(image, cameras[held])
    before, after = psnr(start, photographs[held]), psnr(drawn, photographs[held])
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    views = viz.contact_sheet([*photographs[held], *drawn], columns=4)
    viz.save_picture(out, views)
    print(f"held-out photographs: PSNR {before:.1f} dB before, {after:.1f} dB after")
    print(f"the texture itself: {psnr(image, paper):.1f} dB; {time.perf_counter() - began:.0f} s; written: {out}")
    return 10 ** (-before / 20), 10 ** (-after / 20)


if __name__ == "__main__":
    main(*sys.argv[1:])
