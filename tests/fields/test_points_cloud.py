"""Point clouds: what is read, and what is refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch

from invgraph import InputError
from invgraph.fields import PointCloud, load_points
from invgraph.fields.points_files import load_shape
from invgraph.geometry import Mesh, icosphere, save_mesh

RNG = np.random.default_rng(0)
NORMALS = RNG.standard_normal((40, 3))
NORMALS /= np.linalg.norm(NORMALS, axis=1, keepdims=True)
POINTS = 1e5 + 3 * NORMALS  # far from the origin: float32 would lose it


def ply(path: Path, kind: str, columns: np.ndarray) -> Path:
    names = ("x", "y", "z", "nx", "ny", "nz")[: columns.shape[1]]
    head = [f"ply\nformat {kind} 1.0\nelement vertex {len(columns)}", *(f"property double {n}" for n in names)]
    rows = "\n".join(" ".join(map(repr, row)) for row in columns.tolist()).encode()
    body = rows if kind == "ascii" else columns.astype("<f8").tobytes()
    path.write_bytes("\n".join([*head, "end_header\n"]).encode() + body)
    return path


def write(folder: Path, name: str) -> Path:
    """A file of the points, and of the normals unless its name begins with "bare"."""
    path, columns = folder / name, POINTS if name.startswith("bare") else np.hstack([POINTS, NORMALS])
    rows = [" ".join(map(repr, row)) for row in columns.tolist()]
    if path.suffix == ".ply":
        return ply(path, "ascii" if "ascii" in name else "binary_little_endian", columns)
    if path.suffix == ".npy":
        np.save(path, columns)
    elif path.suffix == ".npz":
        np.savez(path, points=POINTS, **({} if "bare" in name else {"normals": NORMALS}), loc=0.0, scale=1.0)
    elif path.suffix == ".obj":
        lines = [f"v {' '.join(row.split()[:3])}\nvn {' '.join(row.split()[3:])}" for row in rows]
        path.write_text("\n".join(lines if "bare" not in name else [f"v {row}" for row in rows]))
    elif path.suffix == ".csv":
        path.write_text("# x, y, z\n" + "\n".join(row.replace(" ", ", ") for row in rows))
    else:
        path.write_text(f"{len(rows)}\n" + "\n".join(rows) + "\n\n")
    return path


@pytest.mark.parametrize("kind", ["ply", "ascii.ply", "obj", "xyz", "csv", "npz", "npy"])
@pytest.mark.parametrize("bare", [False, True])
def test_round_trip(tmp_path: Path, kind: str, bare: bool) -> None:
    cloud = load_points(write(tmp_path, f"{'bare' if bare else 'full'}.{kind}"))
    assert torch.equal(cloud.points, torch.from_numpy(POINTS))
    assert (cloud.normals is None) == bare
    if cloud.normals is not None:
        assert torch.allclose(cloud.normals, torch.from_numpy(NORMALS), atol=1e-6)


def test_a_file_with_faces_is_a_mesh(tmp_path: Path) -> None:
    for name in ("a.ply", "a.obj", "a.stl"):
        save_mesh(tmp_path / name, icosphere(1))
        assert isinstance(load_shape(tmp_path / name), Mesh)
    assert isinstance(load_shape(write(tmp_path, "bare.ply")), PointCloud)


BROKEN = {
    "gone.xyz": (None, "no such file"),
    "empty.xyz": ("", "the file is empty"),
    "comments.xyz": ("# nothing\n", "no points"),
    "two.xyz": ("1 2\n3 4\n", "got 2 in line 1"),
    "ragged.txt": ("1 2 3\n4 5 6\n7 8\n", "got 2 in line 3"),
    "words.csv": ("a, b, c\n1, 2, 3\n", "could not convert"),
    "one.xyz": ("1 2 3\n", "at least 16 different points, got 1"),
    "same.xyz": ("1 2 3\n" * 99, "at least 16 different points, got 1"),
    "nan.xyz": ("1 2 3\n" * 20 + "1 nan 3\n", "1 of 21 points are not finite"),
    "plane.xyz": ("".join(f"{i % 5} {i // 5} 7\n" for i in range(25)), "lie in a plane"),
    "line.xyz": ("".join(f"{i} {2 * i} 7\n" for i in range(25)), "lie on a line"),
    "colours.xyz": ("".join(f"{i} {i * i} {i**3} 255 0 9\n" for i in range(25)), "are they colours"),
    "zero.xyz": ("".join(f"{i} {i * i} {i**3} 0 {-1.0 * (i > 3)} 0\n" for i in range(25)), "4 of 25 normals have no"),
    "text.ply": ("ply\n", "not a readable .ply"),
    "text.npz": ("hello", "not a readable .npz"),
    "cloud.pcd": ("hello", "expected a point cloud or a mesh ending in .ply"),
}


@pytest.mark.filterwarnings("ignore:.*duplicates")
@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    text, complaint = BROKEN[name]
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=complaint) as caught:
        load_shape(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_truncated_and_foreign_files(tmp_path: Path) -> None:
    for name in ("full.ply", "full.ascii.ply", "full.npy", "full.npz"):
        path = write(tmp_path, name)
        path.write_bytes(path.read_bytes()[:-400])
        with pytest.raises(InputError, match=str(path)):
            load_points(path)
    np.savez(tmp_path / "a.npz", vertices=POINTS)
    with pytest.raises(InputError, match=r"expected an array 'points'.*vertices"):
        load_points(tmp_path / "a.npz")
    np.save(tmp_path / "b.npy", POINTS[:, :2])
    with pytest.raises(InputError, match="3 or 6 numbers a point"):
        load_points(tmp_path / "b.npy")


def test_duplicates_are_merged_with_a_warning() -> None:
    points, normals = torch.from_numpy(POINTS), torch.from_numpy(NORMALS)
    tilted = torch.nn.functional.normalize(normals[:5] + 0.1, dim=1)
    with pytest.warns(UserWarning, match="5 of 45 points are duplicates"):
        cloud = PointCloud(torch.cat([points, points[:5]]), torch.cat([normals, tilted]))
    assert torch.equal(cloud.points, points)
    assert cloud.normals is not None
    between = torch.nn.functional.normalize(normals[:5] + tilted, dim=1)
    assert torch.allclose(cloud.normals, torch.cat([between, normals[5:]]))


def test_tensors_that_are_no_cloud() -> None:
    points = torch.from_numpy(POINTS)
    with pytest.raises(ValueError, match=r"\(N, 3\), got shape \(40, 2\)"):
        PointCloud(points[:, :2])
    with pytest.raises(ValueError, match=r"normals of shape \(40, 3\)"):
        PointCloud(points, points[:3])
    with pytest.raises(TypeError, match="floating point"):
        PointCloud(points.long())
