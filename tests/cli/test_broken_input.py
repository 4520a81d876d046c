"""Broken input at the command line: one sentence, status 2, nothing half-written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from invgraph.cli import main

Frames = list[dict[str, Any]]
CUBE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"


def with_frames(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """A fault in the camera file."""

    def damage(folder: Path) -> None:
        path = folder / "transforms_train.json"
        cameras = json.loads(path.read_text())
        change(cameras)
        path.write_text(json.dumps(cameras))

    return damage


def set_matrix(change: Callable[[np.ndarray], None]) -> Callable[[Path], None]:
    """A fault in the matrix of view 3."""

    def damage(cameras: dict[str, Any]) -> None:
        matrix = np.array(cameras["frames"][3]["transform_matrix"])
        change(matrix)
        cameras["frames"][3]["transform_matrix"] = matrix.tolist()

    return with_frames(damage)


def set_alpha(value: int) -> Callable[[Path], None]:
    """A fault in the mask of view 3: every pixel has this alpha."""

    def damage(folder: Path) -> None:
        path = folder / "train" / "r_3.png"
        rgba = np.array(Image.open(path))
        rgba[..., 3] = value
        Image.fromarray(rgba).save(path)

    return damage


def remove_image(folder: Path) -> None:
    (folder / "train" / "r_3.png").unlink()


def truncate_image(folder: Path) -> None:
    path = folder / "train" / "r_3.png"
    path.write_bytes(path.read_bytes()[:-200])


def leave_folder(folder: Path) -> None:
    (folder / "train" / "r_3.png").rename(folder.parent / "r_3.png")
    with_frames(lambda c: c["frames"][3].update(file_path="../r_3"))(folder)


def remove_cameras(folder: Path) -> None:
    (folder / "transforms_train.json").unlink()


# name -> (how the data set is broken, words that the sentence must have)
BROKEN_VIEWS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "missing image": (remove_image, ("r_3",)),
    "truncated image": (truncate_image, ("r_3.png",)),
    "image of another size": (with_frames(lambda c: c.update(w=64, h=40)), ("r_0.png", "48", "64")),
    "singular rotation": (set_matrix(lambda m: m.__setitem__((slice(0, 3), 0), m[:3, 1])), ("r_3",)),
    "left-handed rotation": (set_matrix(lambda m: m.__setitem__((slice(0, 3), 0), -m[:3, 0])), ("r_3", "left-handed")),
    "NaN in a matrix": (set_matrix(lambda m: m.__setitem__((0, 3), np.nan)), ("r_3",)),
    "infinity in a matrix": (set_matrix(lambda m: m.__setitem__((0, 3), np.inf)), ("r_3", "NaN or infinity")),
    "a camera beyond float32": (set_matrix(lambda m: m.__setitem__((0, 3), 1e300)), ("r_3", "too large")),
    "empty mask": (set_alpha(0), ("r_3.png", "empty")),
    "full mask": (set_alpha(255), ("r_3.png", "full")),
    "one view": (with_frames(lambda c: c.update(frames=c["frames"][:1])), ("at least 2",)),
    "path outside": (leave_folder, ("../r_3",)),
    "no cameras": (remove_cameras, ("views",)),
    "broken json": (lambda folder: (folder / "transforms_train.json").write_text("{"), ("transforms_train.json",)),
}  # fmt: skip

# name -> (content of an obj file, words that the sentence must have)
BROKEN_MESHES = {
    "no faces": (CUBE, ("no faces",)),
    "faces past the vertices": (CUBE + "f 1 2 3\nf 2 3 9\n", ("mesh.obj", "past the vertices")),
    "NaN vertices": ("v nan 0 0\n" + CUBE + "f 1 2 3\nf 2 3 4\n", ("mesh.obj", "not finite")),
    "only degenerate faces": (CUBE + "f 1 1 2\n", ("1 degenerate",)),
    "not a mesh": ("\0\1\2", ("mesh.obj",)),
}


def sentence(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line on stderr, which has all the words."""
    err = capsys.readouterr().err
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("invgraph ")
    assert "Traceback" not in err
    for word in words:
        assert word in err
    return lines[0]


@pytest.mark.parametrize("name", BROKEN_VIEWS)
def test_broken_views(name: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage, words = BROKEN_VIEWS[name]
    damage(dataset)
    assert main(["fit", str(dataset), "--out", str(tmp_path / "out")]) == 2
    sentence(capsys, *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["truncated image", "one view", "no cameras"])
def test_the_doctor_finds_it_too(name: str, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage, words = BROKEN_VIEWS[name]
    damage(dataset)
    assert main(["doctor", str(dataset)]) == 2
    said = capsys.readouterr()
    assert all(word in said.out + said.err for word in words)


@pytest.mark.parametrize("name", BROKEN_MESHES)
@pytest.mark.parametrize("use", ["truth", "init", "compare", "render"])
def test_broken_meshes(name: str, use: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, words = BROKEN_MESHES[name]
    mesh, out = tmp_path / "mesh.obj", tmp_path / "out"
    mesh.write_text(content)
    good = tmp_path / "good.obj"
    good.write_text(CUBE + "f 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n")
    command = {
        "truth": ["fit", str(dataset), "--out", str(out), "--truth", str(mesh)],
        "init": ["fit", str(dataset), "--out", str(out), "--init", str(mesh)],
        "compare": ["compare", str(good), str(mesh), "--out", str(out)],
        "render": ["render", str(mesh), "--views", str(dataset), "--out", str(out)],
    }[use]
    assert main(command) == 2
    sentence(capsys, *words)
    assert not out.exists()


def test_degenerate_and_duplicate_faces_are_removed_aloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.obj", tmp_path / "bad.obj"
    good.write_text(CUBE + "f 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n")
    bad.write_text(good.read_text() + "f 1 1 2\nf 3 2 1\n")
    assert main(["compare", str(bad), str(good)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)
    assert said.err.splitlines() == [f"invgraph: warning: {bad}: removed 1 degenerate and 1 duplicate of 6 faces"]


@pytest.mark.parametrize("command", ["fit", "doctor", "render"])
def test_unknown_format_and_missing_folder(command: str, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mesh, out = dataset.parent / "mesh.obj", dataset.parent / "out"
    mesh.write_text(CUBE + "f 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n")
    for views, extra, words in [
        (dataset, ["--format", "polaroid"], ("polaroid",)),
        (dataset.parent / "nowhere", [], ("nowhere",)),
    ]:
        rest = {
            "fit": ["fit", str(views), "--out", str(out)],
            "doctor": ["doctor", str(views)],
            "render": ["render", str(mesh), "--views", str(views), "--out", str(out)],
        }[command]
        assert main([*rest, *extra]) == 2
        said = capsys.readouterr()
        assert all(word in said.out + said.err for word in words)
        assert not out.exists()


def test_an_output_that_cannot_be_written(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    assert main(["fit", str(dataset), "--out", str(tmp_path / "file" / "run")]) == 2
    sentence(capsys, "file is not a folder")
    assert main(["fit", str(dataset), "--out", "/proc/invgraph/run"]) == 2
    sentence(capsys, "cannot")


def test_values_out_of_range(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["fit", str(dataset), "--out", str(tmp_path / "out")]
    for wrong in (["--vertices", "3"], ["--holdout", "11"], ["--holdout", "-1"], ["--effort", "nan"], ["--seed", "x"]):
        assert main([*base, *wrong]) == 2
        assert wrong[0].strip("-") in capsys.readouterr().err.replace("held out", "holdout")
        assert not (tmp_path / "out").exists()
