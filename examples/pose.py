"""Pose of a known mesh from one silhouette: rotation and translation in front of a calibrated camera.

    python examples/pose.py [PICTURE.png] [SEED]

A silhouette is a poor guide from afar: its error has many local minima over the rotations. So thousands of rotations
are scored without gradients on a small picture, the best ones descend side by side through soft silhouettes whose sigma
is lowered step by step, and the few that are left descend through antialiased ones, which are exact at the outline.
"""

import sys
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

import invgraph as ig
from invgraph import viz


def rotations(axis_angle: Tensor) -> Tensor:
    """(N, 3) rotation vectors in radians -> (N, 3, 3)."""
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.linalg.matrix_exp(torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3))


def random_rotations(count: int, generator: torch.Generator) -> Tensor:
    """(N, 3, 3), uniform over the rotations: unit quaternions from a normal distribution."""
    q = normalize(torch.randn(count, 4, generator=generator), dim=1)
    half_angle = torch.acos(q[:, :1].clamp(-1, 1))
    return rotations(2 * half_angle * normalize(q[:, 1:], dim=1))


def degrees_between(a: Tensor, b: Tensor) -> Tensor:
    """(N, 3, 3), (N, 3, 3) or (1, 3, 3) -> (N,) angles of the rotations from one to the other."""
    return torch.rad2deg(2 * torch.asin(((a - b).flatten(1).norm(dim=1) / 8**0.5).clamp(max=1)))


def draw(mesh: ig.Mesh, R: Tensor, t: Tensor, camera: ig.Cameras, **options) -> Tensor:
    """One mesh in N poses -> (N, H, W)."""
    count = len(R)
    cameras = ig.Cameras(*(x.expand(count, *x.shape[1:]) for x in (camera.R, camera.t, camera.K)), camera.image_size)
    return ig.render(mesh.with_verts(mesh.verts @ R.mT + t[:, None]), cameras, **options).alpha


def difference(alpha: Tensor, mask: Tensor) -> Tensor:
    """(N,) squared differences, as a share of the mask's area."""
    return (alpha - mask).square().sum((1, 2)) / mask.sum()


def centre_and_size(alpha: Tensor) -> tuple[Tensor, Tensor]:
    """(N, H, W) -> (N, 2) centroid (u, v) in pixels and (N,) square root of the area."""
    area = alpha.sum((1, 2)).clamp(min=1)
    v, u = (torch.arange(n) + 0.5 for n in alpha.shape[1:])
    return torch.stack([(alpha.sum(1) * u).sum(1), (alpha.sum(2) * v).sum(1)], 1) / area[:, None], area.sqrt()


@torch.no_grad()
def place(mesh: ig.Mesh, R: Tensor, t: Tensor, camera: ig.Cameras, mask: Tensor) -> Tensor:
    """Move each pose so that centroid and area of its silhouette are the mask's."""
    centre, size = centre_and_size(draw(mesh, R, t, camera))
    goal, goal_size = centre_and_size(mask[None])
    x = t @ camera.R[0].mT + camera.t  # the object's origin in the camera's frame
    depth = x[:, 2:] * (size / goal_size)[:, None]
    offset = (x[:, :2] / x[:, 2:]) + (goal - centre) / camera.K[0].diagonal()[:2]
    return (torch.cat([offset * depth, depth], 1) - camera.t) @ camera.R[0]


def descend(mesh, R, t, camera, mask, steps, rate, sigma=None):
    """Adam on all poses at once, each for itself. sigma: (first, last) in squared pixels, or None for antialiasing."""
    turn, move = (torch.zeros(len(R), 3, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.Adam([turn, move], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=rate / 20)
    for step in range(steps):
        options = {"mode": "antialias"}
        if sigma:
            options = {"mode": "soft", "sigma": sigma[0] * (sigma[1] / sigma[0]) ** (step / steps)}
        optimizer.zero_grad()
        difference(draw(mesh, rotations(turn) @ R, t + move, camera, **options), mask).sum().backward()
        optimizer.step()
        schedule.step()
    return (rotations(turn) @ R).detach(), (t + move).detach()


def main(
    out: str = "out/pose.png", seed: int = 0, *, size: int = 256, candidates: int = 4096, steps: int = 100
) -> tuple[float, float]:
    """Returns the rotation's error in degrees before and after the descent."""
    began = time.perf_counter()
    generator = torch.Generator().manual_seed(int(seed))
    mesh = ig.load_mesh("assets/demo/truth.ply")
    coarse = ig.geometry.remesh(mesh, 0.1, 3, project=False)  # small pictures need no small faces
    camera = ig.Cameras.look_at(eye=[0, 0, -5.0], at=[0, 0, 0], up=[0, -1, 0], fov_deg=40, image_size=(size, size))

    # what is given: one mask
    true_R, true_t = random_rotations(1, generator), torch.rand(1, 3, generator=generator) - 0.5
    mask = draw(mesh, true_R, true_t, camera)[0]
    at = {k: (camera.resize((size // k, size // k)), avg_pool2d(mask[None], k)[0]) for k in (8, 4, 2, 1)}

    def best(R: Tensor, t: Tensor, count: int, small_camera: ig.Cameras, small_mask: Tensor) -> tuple[Tensor, Tensor]:
        order = difference(draw(coarse, R, t, small_camera), small_mask).argsort()[:count]
        return R[order], t[order]

    R, t = random_rotations(candidates, generator), torch.zeros(candidates, 3)
    for _ in range(2):
        t = place(coarse, R, t, *at[8])
    R, t = best(R, t, 32, *at[8])
    before, start = float(degrees_between(R[:1], true_R)), draw(mesh, R[:1], t[:1], camera)[0]

    R, t = best(*descend(coarse, R, t, *at[4], steps, 0.05, sigma=(4.0, 0.5)), 6, *at[4])
    R, t = best(*descend(coarse, R, t, *at[2], steps, 0.02, sigma=(4.0, 0.5)), 2, *at[2])
    R, t = best(*descend(mesh, R, t, *at[1], steps, 0.005), 1, *at[1])
    after, shift = float(degrees_between(R, true_R)), float((t - true_t).norm())

    posed = mesh.with_verts(mesh.verts @ R[0].T + t[0])
    pictures = [viz.overlay(mask, start), viz.overlay(mask, draw(mesh, R, t, camera)[0]), viz.shaded(posed, camera)[0]]
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    viz.save_picture(out, viz.contact_sheet(pictures, columns=3))
    print(f"rotation off by {before:.1f} degrees at the best of {candidates} candidates, {after:.3f} after descent")
    print(f"position off by {shift:.4f} in a depth of 5; {time.perf_counter() - began:.0f} s; written: {out}")
    return before, after


if __name__ == "__main__":
    main(*sys.argv[1:])
