"""A small data set on disk: an ellipsoid seen from twelve sides, its masks computed from the formula."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

AXES = np.array([0.9, 0.6, 0.7])
SIZE, RAYS, FOV = 48, 4, 0.7


def ellipsoid_alpha(c2w: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE) fraction of RAYS x RAYS rays a pixel that hit the ellipsoid with semi-axes AXES."""
    focal = 0.5 * SIZE / np.tan(0.5 * FOV)
    at = ((np.arange(SIZE * RAYS) + 0.5) / RAYS - SIZE / 2) / focal
    u, v = np.meshgrid(at, at)
    d = np.stack([u, -v, -np.ones_like(u)], -1) @ c2w[:3, :3].T / AXES
    o = c2w[:3, 3] / AXES
    a, b, c = (d * d).sum(-1), d @ o, o @ o - 1
    hit = b * b - a * c > 0
    return hit.reshape(SIZE, RAYS, SIZE, RAYS).mean((1, 3))


def write_dataset(folder: Path, views: int = 12) -> dict[str, Any]:
    """Write transforms_train.json and train/r_0.png ... into ``folder``; the content of the camera file."""
    (folder / "train").mkdir(parents=True)
    frames = []
    for i in range(views):
        z = 1 - (2 * i + 1) / views
        r, phi = np.sqrt(1 - z * z), 2.4 * i
        back = np.array([r * np.cos(phi), r * np.sin(phi), z])
        right = np.cross([0, 0, 1.0], back)
        right /= np.linalg.norm(right)
        c2w = np.eye(4)
        c2w[:3] = np.stack([right, np.cross(back, right), back, 3.5 * back], 1)
        rgba = np.full((SIZE, SIZE, 4), 180, np.uint8)
        rgba[..., 3] = np.round(255 * ellipsoid_alpha(c2w))
        Image.fromarray(rgba).save(folder / "train" / f"r_{i}.png")
        frames.append({"file_path": f"./train/r_{i}", "transform_matrix": c2w.tolist()})
    cameras = {"camera_angle_x": FOV, "frames": frames}
    (folder / "transforms_train.json").write_text(json.dumps(cameras))
    return cameras
