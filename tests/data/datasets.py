"""A small analytic scene, two spheres seen off-centre on a non-square image, and one writer for each format."""

import json
import struct
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from invgraph.cameras import Cameras
from invgraph.data import Views

H, W = 72, 96
K = [[105.0, 0.0, 51.5], [0.0, 99.0, 33.25], [0.0, 0.0, 1.0]]
SPHERES = [((0.25, -0.1, 0.15), 0.4), ((-0.4, 0.3, -0.2), 0.2)]


def spheres_masks(cameras: Cameras, supersample: int = 4) -> torch.Tensor:
    """(N, H, W) coverage by rays against SPHERES, nothing of our renderer in it."""
    h, w = cameras.image_size
    s = supersample
    v, u = torch.meshgrid((torch.arange(h * s) + 0.5) / s, (torch.arange(w * s) + 0.5) / s, indexing="ij")
    pixels = torch.stack([u, v, torch.ones_like(u)], -1).to(cameras.K)
    masks = []
    for R, t, k in zip(cameras.R, cameras.t, cameras.K):
        ray = torch.nn.functional.normalize(pixels @ torch.linalg.inv(k).T, dim=-1)
        hit = torch.zeros(h * s, w * s, dtype=torch.bool)
        for center, radius in SPHERES:
            c = R @ torch.tensor(center).to(R) + t
            along = ray @ c
            hit |= ((c @ c - along**2) < radius**2) & (along > 0)
        masks.append(hit.float().reshape(h, s, w, s).mean((1, 3)))
    return torch.stack(masks)


def make_scene(n: int = 12) -> Views:
    """n cameras spread over a sphere of radius 3."""
    k = torch.arange(n).double() + 0.5
    z, phi = 1 - 2 * k / n, k * torch.pi * (3 - 5**0.5)
    eye = 3 * torch.stack([phi.cos() * (1 - z * z).sqrt(), phi.sin() * (1 - z * z).sqrt(), z], -1)
    pose = Cameras.look_at(eye, torch.zeros(3).double(), torch.tensor([0.1, 1.0, 0.2]).double(), 40.0, (H, W))
    cameras = Cameras(pose.R, pose.t, torch.tensor(K).double().expand(n, 3, 3), (H, W))
    masks = (spheres_masks(cameras) * 255).round() / 255
    images = torch.stack([0.5 + 0.4 * masks, 0.8 * masks, 0.6 * masks], -1) * (masks[..., None] > 0)
    return Views(cameras, masks, images, names=tuple(f"{i:03d}.png" for i in range(n)))


def save_picture(path: Path, *channels: torch.Tensor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stack = torch.cat([c if c.ndim == 3 else c[..., None] for c in channels], -1)
    array = (stack * 255).round().byte().numpy()
    Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array).save(path)


def c2w(cameras: Cameras) -> np.ndarray:
    """OpenGL camera-to-world: columns right, up, backward, centre."""
    R = cameras.R
    top = torch.stack([R[:, 0], -R[:, 1], -R[:, 2], cameras.centers], -1).numpy()
    return np.concatenate([top, np.tile([[[0.0, 0, 0, 1]]], (len(top), 1, 1))], 1)


def write_nerf(folder: Path, views: Views, **changes: object) -> dict:
    """transforms_train.json with RGBA images; ``changes`` go to the top level. Returns what was written."""
    (fx, _, cx), (_, fy, cy), _ = views.cameras.K[0].tolist()
    h, w = views.cameras.image_size
    data: dict = {"fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy, "w": w, "h": h, **changes, "frames": []}
    assert views.images is not None
    for name, pose, image, mask in zip(views.names, c2w(views.cameras), views.images, views.masks):
        save_picture(folder / "train" / name, image, mask)
        data["frames"].append({"file_path": f"./train/{name}", "transform_matrix": pose.tolist()})
    (folder / "transforms_train.json").write_text(json.dumps(data))
    return data


def edit_nerf(folder: Path, data: dict) -> None:
    (folder / "transforms_train.json").write_text(json.dumps(data))


def write_photos(folder: Path, views: Views, masks: str | None = None) -> None:
    """RGB photographs straight into a folder, and masks into another where it is named."""
    assert views.images is not None
    for name, image, mask in zip(views.names, views.images, views.masks):
        save_picture(folder / name, image)
        if masks:
            save_picture(folder.parent / masks / name, mask)


def write_idr(folder: Path, views: Views) -> None:
    """cameras_sphere.npz with image/ and mask/."""
    write_photos(folder / "image", views, "mask")
    arrays = {}
    for i, (R, t, k) in enumerate(zip(views.cameras.R, views.cameras.t, views.cameras.K)):
        world = np.eye(4)
        world[:3] = (k @ torch.cat([R, t[:, None]], 1)).numpy()
        arrays[f"world_mat_{i}"] = world
        arrays[f"scale_mat_{i}"] = np.diag([2.0, 2.0, 2.0, 1.0])
    np.savez(folder / "cameras_sphere.npz", **arrays)


def quaternions(cameras: Cameras) -> np.ndarray:
    """(N, 4) w x y z."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(cameras.R.numpy()).as_quat()[:, [3, 0, 1, 2]]


def write_colmap(folder: Path, views: Views, binary: bool, model: str = "PINHOLE", parameters: tuple = ()) -> None:
    """sparse/0 in text or binary, images/ and masks/."""
    write_photos(folder / "images", views, "masks")
    (fx, _, cx), (_, fy, cy), _ = views.cameras.K[0].tolist()
    values = parameters or (fx, fy, cx, cy)
    model_folder = folder / "sparse" / "0"
    model_folder.mkdir(parents=True)
    q, t = quaternions(views.cameras), views.cameras.t.numpy()
    h, w = views.cameras.image_size
    if binary:
        numbers = {"SIMPLE_PINHOLE": 0, "PINHOLE": 1, "SIMPLE_RADIAL": 2, "RADIAL": 3, "OPENCV": 4, "OPENCV_FISHEYE": 5}
        camera = struct.pack("<QiiQQ", 1, 7, numbers[model], w, h) + struct.pack(f"<{len(values)}d", *values)
        (model_folder / "cameras.bin").write_bytes(camera)
        blob = struct.pack("<Q", len(views))
        for i, name in enumerate(views.names):
            blob += struct.pack("<i7di", i + 1, *q[i], *t[i], 7) + name.encode() + b"\0"
            blob += struct.pack("<Q", 2) + struct.pack("<ddqddq", 1.0, 2.0, -1, 3.0, 4.0, 5)
        (model_folder / "images.bin").write_bytes(blob)
    else:
        line = f"7 {model} {w} {h} " + " ".join(map(repr, values))
        (model_folder / "cameras.txt").write_text(f"# Camera list\n{line}\n")
        lines = ["# Image list"]
        for i, name in enumerate(views.names):
            lines += [
                " ".join(map(str, (i + 1, *q[i].tolist(), *t[i].tolist(), 7, name))),
                "1.0 2.0 -1" if i % 2 else "",
            ]
        (model_folder / "images.txt").write_text("\n".join(lines) + "\n")


def write_middlebury(folder: Path, views: Views) -> None:
    """name_par.txt, the centre of the first pixel at (0, 0), and photographs before black."""
    write_photos(folder, views)
    lines = [str(len(views))]
    for name, R, t, k in zip(views.names, views.cameras.R, views.cameras.t, views.cameras.K):
        k = k.clone()
        k[:2, 2] -= 0.5
        lines.append(" ".join([name, *(repr(x) for m in (k, R, t) for x in m.flatten().tolist())]))
    (folder / "scene_par.txt").write_text("\n".join(lines) + "\n")
