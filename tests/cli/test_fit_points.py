"""`invgraph fit-points` from a file of points to a folder of results."""

import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import invgraph.fields.points_fit
import invgraph.progress
import invgraph.viz
from invgraph.cli import main
from invgraph.geometry import icosphere, load_mesh, sample_surface, save_mesh

QUICK = ["--effort", "0.1", "--resolution", "32"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short video, and few samples of space."""
    monkeypatch.setattr(invgraph.viz, "turntable", partial(invgraph.viz.turntable, frames=2, size=32))
    monkeypatch.setattr(invgraph.fields.points_fit, "_SAMPLES", 20_000)


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    """Points of a ball of radius 3 about (100, 0, 0)."""
    points, _, _ = sample_surface(icosphere(4), 800, 0)
    np.savetxt(tmp_path / "ball.xyz", 3 * points.double().numpy() + [100, 0, 0])
    return tmp_path / "ball.xyz"


def test_results(cloud: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, ball = tmp_path / "run", icosphere(3)
    save_mesh(tmp_path / "truth.ply", ball.with_verts(3 * ball.verts + torch.tensor([100.0, 0, 0])))
    command = ["fit-points", str(cloud), "--out", str(out), "--truth", str(tmp_path / "truth.ply"), *QUICK]
    assert main(command) == 0
    said = capsys.readouterr().out
    names = {"mesh.ply", "mesh.glb", "options.json", "metrics.json", "turntable.mp4", "checkpoint.pt"}
    assert {p.name for p in out.iterdir()} == names
    assert all(str(out / name) in said for name in names)
    assert "800 points without normals" in said
    assert load_mesh(out / "mesh.ply").is_closed
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["truth"]["volume_iou"] > 0.9
    assert metrics["frame"]["center"] == pytest.approx([100, 0, 0], abs=0.1)
    assert metrics["steps"] == 30
    assert json.loads((out / "options.json").read_text())["fit"]["resolution"] == 32

    assert main(command) == 2  # a run is not replaced by accident
    assert "--overwrite or --resume" in capsys.readouterr().err


def test_interrupted_and_resumed(
    cloud: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    assert main(["fit-points", str(cloud), "--out", str(whole), *QUICK]) == 0
    show = invgraph.progress.Bar.__call__

    def stop(bar: Any, step: int, steps: int, terms: dict[str, float]) -> None:
        show(bar, step, steps, terms)
        if step == 4:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(invgraph.progress.Bar, "__call__", stop)
    assert main(["fit-points", str(cloud), "--out", str(out), *QUICK]) == 130
    assert load_mesh(out / "mesh.ply").is_closed
    assert not (out / "turntable.mp4").exists()
    assert f"fit-points {cloud} --out {out} --resume" in capsys.readouterr().out

    assert main(["fit-points", str(cloud), "--out", str(out), "--resume", "--seed", "1"]) == 2
    assert "seed: the run to resume has 0, got 1" in capsys.readouterr().err
    assert main(["fit-points", str(tmp_path / "whole" / "mesh.ply"), "--out", str(out), "--resume"]) == 2
    assert "not the file of the run to resume" in capsys.readouterr().err
    assert main(["fit-points", str(cloud), "--out", str(out), "--resume"]) == 0
    assert (out / "mesh.ply").read_bytes() == (whole / "mesh.ply").read_bytes()


def test_bad_input_is_one_sentence_and_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nan.xyz").write_text("1 2 nan\n")
    (tmp_path / "bare.xyz").write_text("".join(f"{i % 3} {i % 5} {i % 7}\n" for i in range(60)))
    for name, option, complaint in (
        ("nan.xyz", [], "1 of 1 points are not finite"),
        ("gone.ply", [], "no such file"),
        ("bare.xyz", ["--normals", "given"], "has no normals, which are asked for"),
        ("bare.xyz", ["--noise", "2"], "noise: expected a fraction"),
    ):
        assert main(["fit-points", str(tmp_path / name), "--out", str(tmp_path / "out"), *option]) == 2
        error = capsys.readouterr().err.strip()
        assert complaint in error
        assert "Traceback" not in error
        assert not (tmp_path / "out").exists()
