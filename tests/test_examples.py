"""Every script of examples/ runs, in a quick setting: the result improves and the picture is there."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
# smaller pictures and fewer steps than the scripts' own; and how much smaller the error is to become by them
QUICK = {
    "pose": ({"seed": 3, "candidates": 1024, "steps": 30}, 0.3),
    "triangle": ({}, 0.01),
    "calibration": ({"views": 4, "size": (48, 64), "steps": 40}, 0.3),
    "field": ({"size": 48, "steps": 30, "batch": 4, "rays": 96}, 0.7),
    "texture": ({"size": 64, "steps": 40}, 0.5),
    "convonet": ({"shapes": 4, "unseen": 2, "steps": 40, "resolution": 8, "side": 64}, 0.8),
    "single_view": ({"shapes": 12, "steps": 25, "batch": 4, "columns": 2}, 0.9),
}


def load(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", QUICK)
def test_example_improves(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    options, share = QUICK[name]
    picture = tmp_path / "new folder" / "picture.png"
    before, after = load(name).main(str(picture), **options)
    assert after < share * before, f"{before} -> {after}"
    with Image.open(picture) as image:
        assert len(image.getcolors(10**6)) > 16
    assert f"written: {picture}" in capsys.readouterr().out


def test_every_example_is_tested():
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert scripts == {*QUICK, "fit_masks", "render_mesh"}


def test_render_mesh(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    load("render_mesh").main(out=str(tmp_path / "sheet.png"))
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (4 * 256, 3 * 256)
