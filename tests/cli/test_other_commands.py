"""`invgraph compare`, `render` and `doctor` on sound input."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from ellipsoid import AXES, SIZE
from PIL import Image

from invgraph.cli import main
from invgraph.cli.render import file_names
from invgraph.errors import InputError
from invgraph.geometry import VertexColors, icosphere, save_mesh


@pytest.fixture
def ellipsoid(tmp_path: Path) -> Path:
    ball = icosphere(4)
    save_mesh(tmp_path / "truth.ply", ball.with_verts(ball.verts * torch.tensor(AXES, dtype=torch.float32)))
    return tmp_path / "truth.ply"


def test_compare(ellipsoid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(ellipsoid), str(ellipsoid), "--out", str(tmp_path / "scores.json")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    scores = json.loads(said.out)
    assert scores == json.loads((tmp_path / "scores.json").read_text())
    assert scores["volume_iou"] == pytest.approx(1)


def test_render(dataset: Path, ellipsoid: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["render", str(ellipsoid), "--views", str(dataset), "--out", str(out)]
    assert main(command) == 0
    assert {p.name for p in (out / "alpha").iterdir()} == {f"r_{i}.png" for i in range(12)}
    for i in range(12):
        alpha = np.array(Image.open(out / "alpha" / f"r_{i}.png"), np.float32) / 255
        depth = np.load(out / "depth" / f"r_{i}.npy")
        normal = np.array(Image.open(out / "normal" / f"r_{i}.png"), np.float32) / 127.5 - 1
        given = np.array(Image.open(dataset / "train" / f"r_{i}.png"), np.float32)[..., 3] / 255
        assert alpha.shape == depth.shape == normal.shape[:2] == (SIZE, SIZE)
        assert np.abs(alpha - given).mean() < 0.005  # the camera is read as it was written
        inside = given == 1
        assert depth.dtype == np.float32
        assert ((depth[inside] > 2.5) & (depth[inside] < 3.5)).all()  # cameras are 3.5 from the middle
        assert (depth[given == 0] == 0).all()
        assert np.allclose(np.linalg.norm(normal[inside], axis=1), 1, atol=0.03)
    assert main(command) == 2
    assert main([*command, "--overwrite"]) == 0


def test_render_draws_colours_as_the_file_has_them(dataset: Path, tmp_path: Path) -> None:
    ball = icosphere(3)
    orange = torch.tensor([1.0, 0.6, 0.2]).expand(ball.num_verts, 3)
    save_mesh(tmp_path / "ball.ply", ball.with_verts(0.5 * ball.verts).with_appearance(VertexColors(orange)))
    out = tmp_path / "out"
    command = ["render", str(tmp_path / "ball.ply"), "--views", str(dataset), "--out", str(out)]
    assert main(command) == 0
    assert {path.name for path in out.iterdir()} == {"alpha", "depth", "normal", "rgb"}
    for i in range(12):
        rgba = np.array(Image.open(out / "rgb" / f"r_{i}.png"), int)
        assert np.array_equal(rgba[..., 3], np.array(Image.open(out / "alpha" / f"r_{i}.png")))
        seen = rgba[..., 3] > 0  # to the rim: the colour is not mixed with what is behind it
        assert (np.abs(rgba[seen][:, :3] - (255, 153, 51)) <= 1).all()
    assert main([*command, "--outputs", "rgb"]) == 2
    assert main([*command, "--outputs", "rgb", "--overwrite"]) == 0


def test_render_draws_only_what_is_asked_for(dataset: Path, ellipsoid: Path, tmp_path: Path) -> None:
    command = ["render", str(ellipsoid), "--views", str(dataset), "--out"]
    assert main([*command, str(tmp_path / "a")]) == 0
    assert not (tmp_path / "a" / "rgb").exists()  # a mesh without colours
    assert main([*command, str(tmp_path / "b"), "--outputs", "rgb", "depth"]) == 0
    assert {path.name for path in (tmp_path / "b").iterdir()} == {"depth"}
    for wrong in (["rgb"], ["colour"], []):
        assert main([*command, str(tmp_path / "c"), "--outputs", *wrong]) == 2
        assert not (tmp_path / "c").exists()


def test_file_names() -> None:
    assert file_names(["./train/r_0.png", "train/r_1"]) == ["r_0", "r_1"]
    assert file_names(["a/0.png", "b/0.png"]) == ["a/0", "b/0"]
    assert file_names(["frame.0001", "frame.0002"]) == ["frame.0001", "frame.0002"]
    for wrong in (["../a"], ["/etc/a"], ["a", "a"]):
        with pytest.raises(InputError):
            file_names(wrong)


def test_doctor_on_a_sound_data_set(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(dataset)]) == 0
    assert "12 views" in capsys.readouterr().out
    assert main(["doctor", str(dataset), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["errors"] == 0


def test_doctor_reports_all_faults_at_once(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset / "train" / "r_1.png").unlink()
    image = np.array(Image.open(dataset / "train" / "r_4.png"))
    image[..., 3] = 0
    Image.fromarray(image).save(dataset / "train" / "r_4.png")
    assert main(["doctor", str(dataset)]) == 2
    out = capsys.readouterr().out
    assert "r_1" in out
    assert "r_4" in out
