"""``invgraph data sample`` and ``invgraph data pack``."""

import json

import numpy as np
import pytest

from invgraph import save_mesh
from invgraph.cli import main
from invgraph.data import PackedShapes, ShapeFolder
from invgraph.geometry import icosphere

SMALL = ["--points", "100", "--near", "64", "--cloud", "50", "--voxels", "8", "--workers", "1"]


@pytest.fixture
def meshes(tmp_path):
    folder = tmp_path / "meshes"
    folder.mkdir()
    for name in ("a", "b", "c", "d"):
        save_mesh(folder / f"{name}.ply", icosphere(1))
    return folder


def run(*words):
    return main(["data", *map(str, words)])


def test_from_meshes_to_a_packed_file(meshes, tmp_path, capsys):
    out = tmp_path / "out"
    packed = tmp_path / "all.h5"
    status = run("sample", meshes, "--out", out, *SMALL, "--category", "balls", "--split", 2, 1, 1, "--hdf5", packed)
    assert status == 0
    assert "4 sampled" in capsys.readouterr().out
    assert ShapeFolder(out).models == ("balls/a", "balls/b", "balls/c", "balls/d")
    assert len(ShapeFolder(out, split="train")) == 2
    assert len(PackedShapes(packed).points(0)) == 100
    with np.load(out / "balls" / "a" / "points.npz") as file:
        assert {k: (v.dtype, v.shape) for k, v in file.items()} == {
            "points": (np.float16, (100, 3)),
            "occupancies": (np.uint8, (13,)),
            "loc": (np.float64, (3,)),
            "scale": (np.float64, ()),
        }
    assert json.loads((out / "sampling.json").read_text())["sample"]["sigmas"] == [0.1, 0.01]
    assert run("pack", out, "--out", tmp_path / "train.h5", "--split", "train") == 0
    assert len(PackedShapes(tmp_path / "train.h5")) == 2
    assert run("pack", out, "--out", tmp_path / "train.h5") == 2
    assert "is there already" in capsys.readouterr().err


def test_a_bad_mesh_is_named_and_the_others_are_made(meshes, tmp_path, capsys):
    (meshes / "bad.obj").write_text("v 0 0 0\n")
    assert run("sample", meshes, "--out", tmp_path / "out", *SMALL) == 2
    said = capsys.readouterr()
    assert f"{meshes / 'bad.obj'}: the mesh has no faces" in said.err
    assert "4 sampled" in said.out
    assert len(ShapeFolder(tmp_path / "out")) == 4


def test_resume_adds_and_keeps_and_asks_for_the_same_options(meshes, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("sample", meshes / "a.ply", "--out", out, *SMALL) == 0
    assert run("sample", meshes, "--out", out, *SMALL) == 2
    assert "already holds results" in capsys.readouterr().err
    assert run("sample", meshes, "--out", out, *SMALL, "--resume") == 0
    assert "3 sampled" in capsys.readouterr().out
    assert run("sample", meshes, "--out", out, *SMALL, "--resume", "--seed", 5) == 2
    assert "begun with seed 0, now it would be 5" in capsys.readouterr().err
    (out / "a" / "picture.png").touch()
    assert run("sample", meshes, "--out", out, *SMALL, "--overwrite", "--seed", 5, "--near", 0) == 0
    assert {p.name for p in (out / "a").iterdir()} == {"points.npz", "pointcloud.npz", "model.binvox", "picture.png"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--sigmas", "0"], "sigmas"),
        (["--points", "-1"], "points"),
        (["--category", "a/b"], "--category"),
        (["--resolution", "4"], "resolution"),
        (["--split", "0", "0", "0"], "split"),
        (["--workers", "0"], "workers"),
    ],
)
def test_wrong_options_are_one_sentence(meshes, tmp_path, capsys, given, words):
    assert run("sample", meshes, "--out", tmp_path / "out", *SMALL, *given) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
