"""Refine cameras from silhouettes of a known object: focal length, principal point, and the pose of every view.

    python examples/calibration.py [PICTURE.png] [SEED]

Focal length and distance, principal point and direction trade off against each other almost freely: what tells them
apart is perspective alone. Along such narrow valleys L-BFGS arrives where plain gradient descent and Adam crawl.
Antialiased silhouettes are exact at the outline, so the optimum is the true camera to a fraction of a pixel.
"""

import sys
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

import invgraph as ig
from invgraph import viz


def rotations(axis_angle: Tensor) -> Tensor:
    """(N, 3) rotation vectors in radians -> (N, 3, 3)."""
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.linalg.matrix_exp(torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3))


class Corrections(torch.nn.Module):
    """What is optimised: a correction to each view's pose and one to the intrinsics, which all views share.

    All are of similar size: radians, depths and focal lengths.
    """

    def __init__(self, start: ig.Cameras) -> None:
        super().__init__()
        self.start = start
        self.turn = torch.nn.Parameter(torch.zeros(len(start), 3))
        self.move = torch.nn.Parameter(torch.zeros(len(start), 3))
        self.log_focal = torch.nn.Parameter(torch.zeros(()))
        self.center = torch.nn.Parameter(torch.zeros(2))

    def forward(self) -> ig.Cameras:
        R, t, K = self.start.R, self.start.t, self.start.K[0]
        focal = K[0, 0] * self.log_focal.exp()
        u, v = K[:2, 2] + K[0, 0] * self.center
        zero, one = torch.zeros_like(focal), torch.ones_like(focal)
        K = torch.stack([focal, zero, u, zero, focal, v, zero, zero, one]).reshape(1, 3, 3).expand(len(R), 3, 3)
        return ig.Cameras(rotations(self.turn) @ R, t + self.move * t[:, 2:], K, self.start.image_size)


def scene(seed: int, views: int, size: tuple[int, int]) -> tuple[ig.Mesh, ig.Cameras, ig.Cameras]:
    """A mesh near the origin, the true cameras, and what a rough calibration makes of them."""
    generator = torch.Generator().manual_seed(seed)
    mesh = ig.load_mesh("assets/demo/truth.ply")
    radius = mesh.bounding_sphere()[1]
    eyes = 2.6 * radius * normalize(torch.randn(views, 3, generator=generator), dim=1)
    targets = 0.1 * torch.randn(views, 3, generator=generator)
    true = ig.Cameras.look_at(eyes, targets, (0.0, 0.0, 1.0), fov_deg=50, image_size=size)
    rough_K = true.K * torch.tensor([[1.06, 1, 1], [1, 1.06, 1], [1, 1, 1]])  # 6% too long, and in the middle
    true_K = true.K + torch.tensor([[0.0, 0, 0.036], [0, 0, -0.032], [0, 0, 0]]) * size[1]
    turn, move = (torch.randn(views, 3, generator=generator) for _ in range(2))
    rough = ig.Cameras(rotations(0.03 * turn) @ true.R, true.t + 0.06 * move, rough_K, size)
    return mesh, ig.Cameras(true.R, true.t, true_K, size), rough


def errors(cameras: ig.Cameras, true: ig.Cameras) -> str:
    focal = abs(cameras.K[0, 0, 0] - true.K[0, 0, 0])
    center = (cameras.K[0, :2, 2] - true.K[0, :2, 2]).norm()
    turn = torch.rad2deg(2 * torch.asin((cameras.R - true.R).flatten(1).norm(dim=1) / 8**0.5)).mean()
    return f"focal {focal:.2f} px, principal point {center:.2f} px, rotations {turn:.3f} degrees"


def reprojection(cameras: ig.Cameras, true: ig.Cameras, mesh: ig.Mesh) -> float:
    """Mean distance in pixels between where a vertex is seen and where it ought to be."""
    return float((cameras.project(mesh.verts) - true.project(mesh.verts))[..., :2].norm(dim=-1).mean())


def main(
    out: str = "out/calibration.png",
    seed: int = 0,
    *,
    views: int = 8,
    size: tuple[int, int] = (192, 256),
    steps: int = 160,
) -> tuple[float, float]:
    """Returns the mean reprojection error in pixels before and after."""
    began = time.perf_counter()
    mesh, true, rough = scene(int(seed), views, size)
    masks = ig.render(mesh, true).alpha  # what is given, with the mesh and the rough cameras

    corrections = Corrections(rough)
    optimizer = torch.optim.LBFGS(
        corrections.parameters(),
        max_iter=steps,
        max_eval=steps,
        history_size=30,
        line_search_fn="strong_wolfe",
        tolerance_change=1e-9,
        tolerance_grad=0,
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        loss = (ig.render(mesh, corrections()).alpha - masks).square().sum() / masks.sum()
        loss.backward()
        return loss

    optimizer.step(objective)
    with torch.no_grad():
        refined = corrections()
        pictures = [
            viz.overlay(m, a) for c in (rough, refined) for m, a in zip(masks[:4], ig.render(mesh, c[:4]).alpha)
        ]
    before, after = reprojection(rough, true, mesh), reprojection(refined, true, mesh)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    viz.save_picture(out, viz.contact_sheet(pictures, columns=4))
    print(f"before: {errors(rough, true)}, reprojection {before:.2f} px")
    print(f"after:  {errors(refined, true)}, reprojection {after:.3f} px")
    print(f"{time.perf_counter() - began:.0f} s; written: {out}")
    return before, after


if __name__ == "__main__":
    main(*sys.argv[1:])
