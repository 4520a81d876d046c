"""Small data sets with the files of Occupancy Networks and of DVR: their keys, dtypes and conventions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from picture_set import BALLS, BOXES, TEST, TRAIN, solid
from PIL import Image

import invgraph as ig
from invgraph.data import SampleOptions, sample_shape, save_samples
from invgraph.geometry import Mesh

VIEWS = 4
SPLITS = {
    "train": TRAIN,
    "val": {BOXES: [solid(BOXES, (1, 0.8, 0.5))], BALLS: [solid(BALLS, (1, 0.5, 1))]},
    "test": TEST,
}
LOC, SCALE = torch.tensor([0.3, -0.2, 0.1]), 0.6  # of Occupancy Networks' models in their own frame


def in_cube(mesh: Mesh) -> Mesh:
    """A mesh whose longest side is 1."""
    return mesh.with_verts(mesh.verts / float((mesh.verts.amax(0) - mesh.verts.amin(0)).max()))


def poses(distance: float, azimuths: Sequence[float]) -> np.ndarray:
    """(N, 3, 4) [R | t] around the origin: x right, y down, z forward; written down without the library."""
    found = []
    for n, azimuth in enumerate(azimuths):
        elevation = 0.3 + 0.1 * n
        back = np.array(
            [math.cos(elevation) * math.sin(azimuth), math.sin(elevation), math.cos(elevation) * math.cos(azimuth)]
        )
        right = np.cross((0, 1, 0), back)
        right /= np.linalg.norm(right)
        R = np.stack([right, -np.cross(back, right), -back])
        found.append(np.concatenate([R, -R @ (back * distance)[:, None]], 1))
    return np.stack(found)


def _all_around(turn: float) -> list[float]:
    return [turn + 2 * math.pi * n / VIEWS for n in range(VIEWS)]


def silhouettes(mesh: Mesh, size: int, K: np.ndarray, Rt: np.ndarray) -> np.ndarray:
    """(VIEWS, size, size) uint8, 255 where the mesh is."""
    R, t, k = (torch.from_numpy(x) for x in (Rt[:, :, :3], Rt[:, :, 3], np.stack([K] * len(Rt))))
    alpha = ig.render(mesh, ig.Cameras(R, t, k, (size, size)).to(dtype=torch.float32), outputs=("alpha",)).alpha
    return (alpha.numpy() > 0.5) * np.uint8(255)


def write_choy(root: Path) -> Path:
    """``CLASS/MODEL/img_choy2016/000.jpg`` on white, cameras of the model's own frame, ``points.npz``, lists."""
    K = np.array([[149.84375, 0, 68.5], [0, 149.84375, 68.5], [0, 0, 1]])
    for place, mesh, turn in _models(root):
        own = Mesh(mesh.verts * SCALE + LOC, mesh.faces)
        save_samples(place, sample_shape(own, SampleOptions(points=4000, near=0, cloud=100)))
        folder = place / "img_choy2016"
        folder.mkdir()
        arrays, around = {}, poses(2.0, _all_around(turn))
        for i, (Rt, mask) in enumerate(zip(around, silhouettes(mesh, 137, K, around))):
            Image.fromarray(np.stack([255 - mask // 2] * 3, -1)).save(folder / f"{i:03d}.jpg", quality=95)
            # x_cam = R (x_own - loc) / scale + t, up to the camera's units
            world = np.concatenate([Rt[:, :3], SCALE * Rt[:, 3:] - Rt[:, :3] @ LOC.double().numpy()[:, None]], 1)
            arrays |= {f"world_mat_{i}": world.astype(np.float32), f"camera_mat_{i}": K.astype(np.float32)}
        np.savez(folder / "cameras.npz", **arrays)
    return root


def write_dvr(root: Path) -> Path:
    """``CLASS/MODEL/image/0000.png``, ``mask/0000.png``, 4x4 matrices to [-1, 1], lists ``softras_SPLIT.lst``."""
    focal = 1 / math.tan(math.radians(15))
    K = np.array([[32 * focal, 0, 32], [0, 32 * focal, 32], [0, 0, 1]])
    scale = np.diag([2.0, 2.0, 2.0, 1.0])  # the world is twice as large as the cube
    scale[:3, 3] = (0.5, -0.25, 0.125)
    for place, mesh, turn in _models(root, "softras_"):
        for part in ("image", "mask"):
            (place / part).mkdir(parents=True)
        arrays, around = {}, poses(2.732, _all_around(turn))
        for i, (Rt, mask) in enumerate(zip(around, silhouettes(mesh, 64, K, around))):
            Image.fromarray(np.stack([mask // 2 + 7] * 3, -1)).save(place / "image" / f"{i:04d}.png")
            Image.fromarray(mask).save(place / "mask" / f"{i:04d}.png")
            world = np.diag([2.0, 2, 2, 1]) @ np.concatenate([Rt, [[0, 0, 0, 1.0]]]) @ np.linalg.inv(scale)
            camera = np.diag([focal, focal, 1.0, 1.0])
            arrays |= {f"world_mat_{i}": world, f"camera_mat_{i}": camera, f"scale_mat_{i}": scale}
        np.savez(place / "cameras.npz", **arrays)
    return root


def _models(root: Path, prefix: str = "") -> list[tuple[Path, Mesh, float]]:
    """Folders of models with their meshes and a turn for their cameras, after their lists are written."""
    found = []
    for split, shapes in SPLITS.items():
        for synset, meshes in shapes.items():
            names = [f"{split}{i}" for i in range(len(meshes))]
            (root / synset).mkdir(parents=True, exist_ok=True)
            (root / synset / f"{prefix}{split}.lst").write_text("\n".join(names))
            found += [
                (root / synset / n, in_cube(m), 0.3 * (len(found) + i)) for i, (n, m) in enumerate(zip(names, meshes))
            ]
    return found
