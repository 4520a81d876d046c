"""Draw a mesh from a ring of cameras: coverage, depth and normals, in one picture.

    python examples/render_mesh.py [MESH] [PICTURE.png]

The same `ig.render` is differentiable with respect to the vertices; here it only draws. A few seconds on two cores.
"""

import sys

import torch

import invgraph as ig
from invgraph import viz


def main(path: str = "assets/demo/truth.ply", out: str = "out/render_mesh.png") -> None:
    mesh = ig.load_mesh(path)
    center, radius = mesh.bounding_sphere()

    # four eyes round the object, a little above it, at a distance from which a 40 degree camera sees it whole
    angle = torch.arange(4) * torch.pi / 2 + 0.6
    ring = torch.stack([angle.cos(), angle.sin(), torch.full_like(angle, 0.5)], dim=1)
    eyes = center + 3.2 * radius * torch.nn.functional.normalize(ring, dim=1)
    cameras = ig.Cameras.look_at(eyes, at=center, up=(0.0, 0.0, 1.0), fov_deg=40.0, image_size=(256, 256))

    drawn = ig.render(mesh, cameras, mode="antialias", outputs=("alpha", "depth", "normal"))

    seen = drawn.depth > 0
    near, far = drawn.depth[seen].min(), drawn.depth[seen].max()
    rows = [
        drawn.alpha[..., None].expand(-1, -1, -1, 3),
        (seen * (1 - 0.8 * (drawn.depth - near) / (far - near)))[..., None].expand(-1, -1, -1, 3),
        seen[..., None] * (0.5 + 0.5 * drawn.normal),
    ]
    sheet = torch.cat([torch.cat(list(row), dim=1) for row in rows])  # a row a quantity, a column a camera
    viz.save_picture(out, sheet)
    print(f"{mesh} from {cameras}: depths {near:.3f} to {far:.3f}; written: {out}")


if __name__ == "__main__":
    main(*sys.argv[1:])
