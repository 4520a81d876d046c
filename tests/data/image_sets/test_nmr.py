"""The SoftRas/NMR files: conventions, memory maps, and what is wrong with them."""

import math
import pickle
import zipfile

import numpy as np
import pytest
import torch
from carving import agreement

import invgraph as ig
from invgraph import InputError
from invgraph.data import NmrShapes, check_splits, nmr_cameras, nmr_voxels
from invgraph.ops import winding_number

SYNSETS = ("02691156", "03001627")


def body() -> ig.Mesh:
    """Convex, and like none of its mirror images or turns: a tetrahedron's corners on an ellipsoid."""
    ball = ig.geometry.icosphere(3)
    x, y, z = ball.verts.unbind(1)
    verts = torch.stack([x * 0.5, y * 0.24 + 0.2 * x + 0.1, z * 0.15 + 0.1 * y - 0.06 * x], 1)
    return ig.Mesh(verts, ball.faces)


def softras_mask(mesh: ig.Mesh, k: int) -> np.ndarray:
    """The silhouette of view k, written down as SoftRas has it: left-handed, row 0 at the top, centres whole.

    x right, y up, z away from the viewer; ``u = 31.5 + 32 x / (z tan 15)``, ``v = 31.5 - 32 y / (z tan 15)``.
    """
    from scipy.spatial import ConvexHull, Delaunay

    verts = mesh.verts.double().numpy() * (1, 1, -1)
    azimuth, elevation = math.radians(-15 * k), math.radians(30)
    eye = 2.732 * np.array(
        [math.cos(elevation) * math.sin(azimuth), math.sin(elevation), -math.cos(elevation) * math.cos(azimuth)]
    )
    z = -eye / np.linalg.norm(eye)
    x = np.cross((0, 1, 0), z)
    x /= np.linalg.norm(x)
    camera = (verts - eye) @ np.stack([x, np.cross(z, x), z]).T
    across = 32 / (camera[:, 2] * math.tan(math.radians(15)))
    uv = np.stack([31.5 + camera[:, 0] * across, 31.5 - camera[:, 1] * across], 1)
    hull = Delaunay(uv[ConvexHull(uv).vertices])
    v, u = np.meshgrid(np.arange(64), np.arange(64), indexing="ij")
    return hull.find_simplex(np.stack([u, v], -1).reshape(-1, 2)).reshape(64, 64) >= 0


def softras_voxels(mesh: ig.Mesh) -> np.ndarray:
    """Voxels whose middles are inside, in the order of the files.

    SoftRas voxelizes ``v 31 / 32 + 1 / 2`` in [0, 1], indexed x, y, z, and compares ``transpose(1, 0, 2)[:, :, ::-1]``.
    """
    axis = ((torch.arange(32) + 0.5) / 32 - 0.5) * 32 / 31
    theirs = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    verts = mesh.verts * torch.tensor([1.0, 1.0, -1.0])
    inside = winding_number(theirs, verts, mesh.faces).abs() > 0.5
    return inside.reshape(32, 32, 32).numpy().transpose(1, 0, 2)[:, :, ::-1].astype(np.uint8)


def write(root, synset="02691156", split="train", *, count=2, save=np.savez, seed=0, images=None, voxels=None):
    """Files with the keys, shapes and dtypes of the real ones."""
    mesh, rng = body(), np.random.default_rng(seed)
    if images is None:
        images = rng.integers(0, 255, (count, 24, 4, 64, 64), np.uint8)
        images[:, :, 3] = np.stack([softras_mask(mesh, k) for k in range(24)]) * np.uint8(255)
    if voxels is None:
        voxels = np.stack([softras_voxels(mesh)] * count)
    save(root / f"{synset}_{split}_images.npz", images)
    save(root / f"{synset}_{split}_voxels.npz", voxels)
    return images, voxels


def test_voxels_and_masks_agree_in_the_cameras(tmp_path):
    write(tmp_path)
    data = NmrShapes(tmp_path, split="train")
    masks = data.images(0)[..., 3] > 0
    assert masks.shape == (24, 64, 64)
    voxels = data.voxels(1)
    assert agreement(voxels, data.cameras(), masks) > 0.85
    # the same with an error of each kind
    backwards = data.cameras()[list(range(23, -1, -1))]
    assert agreement(voxels, backwards, masks) < 0.65
    for axes in ((1, 0, 2), (2, 1, 0)):
        turned = type(voxels)(voxels.filled.permute(axes), voxels.low, voxels.side)
        assert agreement(turned, data.cameras(), masks) < 0.65
    for axis in range(3):
        mirrored = type(voxels)(voxels.filled.flip(axis), voxels.low, voxels.side)
        assert agreement(mirrored, data.cameras(), masks) < 0.65


def test_drawn_masks_are_those_of_softras_to_a_tenth_of_a_pixel():
    mesh = body()
    drawn = ig.render(mesh, nmr_cameras(), outputs=("alpha",)).alpha
    theirs = torch.from_numpy(np.stack([softras_mask(mesh, k) for k in range(24)]))
    # a shift of half a pixel would change a quarter of the outline's pixels and more
    outline = (drawn > 0.02) & (drawn < 0.98)
    assert int(((drawn > 0.5) != theirs).sum()) < 0.05 * int(outline.sum())


def test_voxels_of_a_mesh_are_those_of_the_files_and_what_its_surface_crosses():
    mesh = body()
    theirs = torch.from_numpy(softras_voxels(mesh) > 0).transpose(0, 1)
    ours = nmr_voxels(mesh).filled
    assert bool((ours | ~theirs).all())
    assert int(theirs.sum()) < int(ours.sum()) < 2.2 * int(theirs.sum())


def test_cameras_are_those_of_the_formula():
    points = torch.tensor([[0.2, -0.1, 0.3], [0.0, 0.4, -0.2]])
    u, v, z = nmr_cameras([0]).project(points)[0].unbind(-1)
    eye = 2.732 * torch.tensor([0, math.sin(math.pi / 6), math.cos(math.pi / 6)])
    back = eye / 2.732
    depth = 2.732 - points @ back
    up = torch.tensor([0.0, back[2], -back[1]])
    scale = 32 / (depth * math.tan(math.pi / 12))
    torch.testing.assert_close(z, depth)
    torch.testing.assert_close(u, 31.5 + points[:, 0] * scale + 0.5)
    torch.testing.assert_close(v, 31.5 - points @ up * scale + 0.5)
    assert nmr_cameras([6]).centers[0, 0] < -2  # azimuth -90 degrees


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_pictures_are_those_of_the_files(tmp_path, save):
    images, voxels = write(tmp_path, SYNSETS[0], count=2, save=save)
    more, _ = write(tmp_path, SYNSETS[1], count=3, save=save, seed=1, voxels=voxels[[0, 0, 0]] > 0)
    data = NmrShapes(tmp_path, split="train")
    assert (len(data), data.classes, data.class_of.tolist()) == (5, SYNSETS, [0, 0, 1, 1, 1])
    assert data.names[2:4] == [f"{SYNSETS[1]}/0", f"{SYNSETS[1]}/1"]
    both = np.concatenate([images, more])
    got = data.images(torch.tensor([[4], [1]]), torch.tensor([0, 7, 23]))
    assert got.shape == (2, 3, 64, 64, 4)
    assert np.array_equal(got[0, 2].numpy(), both[4, 23].transpose(1, 2, 0))
    assert np.array_equal(data.images(3).numpy(), both[3].transpose(0, 2, 3, 1))
    assert torch.equal(data.voxels(4).filled, torch.from_numpy(voxels[0] > 0).transpose(0, 1))
    assert len(data.cameras_of([0, 1], 3)) == 2
    assert torch.equal(pickle.loads(pickle.dumps(data)).images(4, 5), data.images(4, 5))
    assert NmrShapes(tmp_path, split="train", classes=[SYNSETS[1]]).images(0).equal(data.images(2))
    with pytest.raises(IndexError, match="shapes: expected indices from 0 to 4, got 5"):
        data.images(5)


def test_a_compressed_file_is_unpacked_once_and_again_when_it_changes(tmp_path):
    import os

    write(tmp_path, save=np.savez_compressed)
    seen = []
    first = NmrShapes(tmp_path, split="train", cache=tmp_path / "cache", progress=lambda *a: seen.append(a))
    assert seen[-1][0] == seen[-1][1] > 2 * 24 * 4 * 64 * 64
    del seen[:]
    NmrShapes(tmp_path, split="train", cache=tmp_path / "cache", progress=lambda *a: seen.append(a))
    assert not seen
    write(tmp_path, save=np.savez_compressed, seed=3)
    os.utime(tmp_path / "02691156_train_images.npz", (1e9, 1e9))  # older, as copies that keep their time may be
    other = NmrShapes(tmp_path, split="train", cache=tmp_path / "cache")
    assert not torch.equal(other.images(0, 0), first.images(0, 0))
    assert not list((tmp_path / "cache").glob(".*"))
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in (tmp_path / "cache").iterdir())


def test_what_is_wrong_is_named(tmp_path):
    images, voxels = write(tmp_path)
    path = tmp_path / "02691156_train_images.npz"

    def refused(words, **kwargs):
        write(tmp_path, **kwargs)
        with pytest.raises(InputError, match=words):
            NmrShapes(tmp_path, split="train")

    refused(r"images.npz: 'arr_0' has shape \(2, 24, 64, 64, 4\)", images=images.transpose(0, 1, 3, 4, 2).copy())
    refused("'arr_0' is float32, expected uint8", images=images.astype(np.float32))
    refused("there are no shapes in it", images=images[:0], voxels=voxels[:0])
    refused(r"voxels.npz: 'arr_0' has shape \(1, 32, 32, 32\), expected \(2, 32", voxels=voxels[:1])
    refused("voxels.npz: 'arr_0' has shape", voxels=voxels[0])
    write(tmp_path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"not an archive", b""):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"images.npz: not a readable npz archive"):
            NmrShapes(tmp_path, split="train")
    np.savez(path, a=images, b=voxels)
    with pytest.raises(InputError, match="expected one array, got a, b"):
        NmrShapes(tmp_path, split="train")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("arr_0.npy", b"\x93NUMPY nothing")
    with pytest.raises(InputError, match=r"images\.npz"):
        NmrShapes(tmp_path, split="train")
    path.unlink()
    with pytest.raises(InputError, match=r"_train_images\.npz: no such file"):
        NmrShapes(tmp_path, split="train")
    with pytest.raises(InputError, match="no such folder"):
        NmrShapes(tmp_path / "none", split="train")


def test_classes_are_chosen_by_number_or_name(tmp_path):
    for synset in SYNSETS:
        write(tmp_path, synset)
    assert NmrShapes(tmp_path, split="train", classes=["chair", "02691156"]).classes == SYNSETS[::-1]
    with pytest.raises(InputError, match=r"'train': no class 'lamp'; there are: 02691156 \(airplane\), 03001627"):
        NmrShapes(tmp_path, split="train", classes=["lamp", "chair"])
    with pytest.raises(InputError, match="different classes, got chair, 03001627"):
        NmrShapes(tmp_path, split="train", classes=["chair", "03001627"])


def test_a_broken_compressed_file_leaves_nothing(tmp_path):
    write(tmp_path, save=np.savez_compressed)
    path = tmp_path / "02691156_train_images.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"images.npz"):
        NmrShapes(tmp_path, split="train")
    assert not list((tmp_path / ".unpacked").iterdir())


def test_a_view_without_a_silhouette_is_named(tmp_path):
    images, _ = write(tmp_path)
    images[1, 5, 3] = 0
    write(tmp_path, images=images)
    data = NmrShapes(tmp_path, split="train")
    data.images(0)
    with pytest.raises(InputError, match=r"02691156_train_images.npz: shape 1 has no silhouette in view 5"):
        data.images([0, 1], 5)


def test_points_that_are_not_finite_are_named(tmp_path):
    write(tmp_path)
    points = np.zeros((2, 16, 3), np.float16)
    points[1, 3] = np.nan
    np.savez(tmp_path / "02691156_train_points.npz", points=points, occupancies=np.zeros((2, 2), np.uint8))
    data = NmrShapes(tmp_path, split="train")
    assert len(data.points(0)) == 16
    with pytest.raises(InputError, match=r"02691156_train_points.npz: 'points' of shape 1 are not all finite"):
        data.points(1)


def test_splits_that_share_shapes(tmp_path):
    write(tmp_path, split="train", seed=0)
    write(tmp_path, split="val", seed=1)
    write(tmp_path, split="test", seed=0)
    data = {split: NmrShapes(tmp_path, split=split) for split in ("train", "val", "test")}
    check_splits({name: data[name] for name in ("train", "val")})
    with pytest.raises(InputError, match="2 of 2 shapes of 'train' are in both 'train' and 'test'"):
        check_splits(data)
