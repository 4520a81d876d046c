"""``invgraph data pictures``."""

import json

import pytest

import invgraph as ig
from invgraph.cli import main
from invgraph.data import NmrShapes


@pytest.fixture
def meshes(tmp_path):
    for kind, level in (("ball", 1), ("egg", 2)):
        (tmp_path / "meshes" / kind).mkdir(parents=True)
        for i in range(3):
            mesh = ig.geometry.icosphere(level)
            mesh = mesh.with_verts(mesh.verts * mesh.verts.new_tensor([1.0, 1.0 + 0.1 * i, 0.7]))
            ig.save_mesh(tmp_path / "meshes" / kind / f"{kind}{i}.ply", mesh)
    return tmp_path / "meshes"


def run(*words):
    return main(["data", "pictures", *map(str, words), "--points", "50", "--split", "1", "1", "1", "--workers", "1"])


def test_draws_resumes_and_asks_before_it_replaces(meshes, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(meshes, "--out", out) == 0
    assert "6 meshes drawn in" in capsys.readouterr().out
    data = NmrShapes(out, split="val")
    assert data.classes == ("ball", "egg")
    assert len(data) == 2
    record = json.loads((out / "pictures.json").read_text())
    assert record["pictures"]["points"] == 50
    named = [name for names in record["shapes"].values() for name in names]
    assert sorted(named) == sorted(record["meshes"]) == sorted(f"{k}/{k}{i}" for k in ("ball", "egg") for i in range(3))
    assert run(meshes, "--out", out) == 2
    assert "already holds results (pictures.json" in capsys.readouterr().err
    assert run(meshes, "--out", out, "--resume") == 0
    assert "0 meshes drawn" in capsys.readouterr().out
    assert run(meshes, "--out", out, "--resume", "--seed", 1) == 2
    assert "begun with seed 0, now it would be 1" in capsys.readouterr().err
    assert run(meshes / "egg", "--out", out, "--resume") == 2
    assert "begun with other meshes" in capsys.readouterr().err
    assert run(meshes / "egg/egg0.ply", "--out", out, "--overwrite", "--category", "egg") == 2
    assert "class 'egg': expected at least 3 meshes" in capsys.readouterr().err
    assert len(NmrShapes(out, split="train", classes=["egg"])) == 1  # still there
    (out / "lamp_train_images.npz").touch()  # not of this command
    assert run(meshes, "--out", out, "--overwrite", "--category", "round") == 0
    assert sorted(path.name for path in out.glob("*_train_images.npz")) == [
        "lamp_train_images.npz",
        "round_train_images.npz",
    ]


def test_a_broken_file_is_one_sentence_and_status_2(meshes, tmp_path, capsys):
    (meshes / "egg/egg1.ply").write_bytes(b"ply")
    assert run(meshes, "--out", tmp_path / "out") == 2
    said = capsys.readouterr()
    assert f"error: egg/egg1: {meshes / 'egg/egg1.ply'}: " in said.err
    assert "5 meshes drawn" in said.out
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "MESH: expected mesh files"),
        (("none.ply", "--category", "a/b"), "--category: expected a name"),
        (("none.ply", "--up", "x"), "--up"),
        (("none.ply",), "at least 3 meshes, one for each split, got 1"),
    ],
)
def test_wrong_options_are_one_sentence(tmp_path, capsys, words, said):
    assert run(*words, "--out", tmp_path / "out") == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
