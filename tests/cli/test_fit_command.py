"""`invgraph fit` from a folder of pictures to a folder of results."""

import json
import signal
from functools import partial
from pathlib import Path

import pytest
import torch
from ellipsoid import AXES

import invgraph.fit.progress
import invgraph.viz
from invgraph.cli import main
from invgraph.geometry import icosphere, load_mesh, save_mesh

QUICK = ["--effort", "0.05", "--vertices", "300", "--hull-resolution", "24"]


BROKEN = {"views": "a", "out": "b", "truth": None, "tensorboard": False, "reading": {}, "fit": {"wings": 2}}


@pytest.fixture(autouse=True)
def short_turntable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A video of a few small frames: most of a quick fit's time is the full one's."""
    monkeypatch.setattr(invgraph.viz, "turntable", partial(invgraph.viz.turntable, frames=4, size=64))


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    ball = icosphere(3)
    save_mesh(tmp_path / "truth.ply", ball.with_verts(ball.verts * torch.tensor(AXES, dtype=torch.float32)))
    return tmp_path / "truth.ply"


def test_results(dataset: Path, truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a" / "run"
    command = ["fit", str(dataset), "--out", str(out), "--truth", str(truth), "--holdout", "2", "--tensorboard", *QUICK]
    assert main(command) == 0
    said = capsys.readouterr().out
    names = {"mesh.ply", "mesh.glb", "options.json", "metrics.json", "turntable.mp4", "report.html", "tensorboard"}
    assert {p.name for p in out.iterdir()} == names | {"checkpoint.pt"}
    assert all(str(out / name) in said for name in names)

    mesh = load_mesh(out / "mesh.ply")
    assert mesh.is_closed
    assert float(mesh.volume()) > 0
    extent = mesh.bounding_box()[1] - mesh.bounding_box()[0]
    assert torch.allclose(extent, 2 * torch.tensor(AXES, dtype=torch.float32), atol=0.25)  # the data set's own units
    assert torch.equal(load_mesh(out / "mesh.glb").verts, mesh.verts)

    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["silhouette_iou"]["train"]["mean"] > 0.9
    assert len(metrics["silhouette_iou"]["held_out"]["views"]) == 2
    assert metrics["truth"]["volume_iou"] > 0.85
    options = json.loads((out / "options.json").read_text())
    assert (options["fit"]["vertices"], options["fit"]["holdout"], options["views"]) == (300, 2, str(dataset))

    before = (out / "mesh.ply").read_bytes()
    assert main(command) == 2  # a run is not replaced by accident
    assert "already holds results" in capsys.readouterr().err
    assert (out / "mesh.ply").read_bytes() == before
    assert main([*command, "--overwrite"]) == 0
    assert (out / "mesh.ply").read_bytes() == before  # same seed, same bytes


def test_interrupted_and_resumed(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(["fit", str(dataset), "--out", str(whole), *QUICK]) == 0

    def stop(self: object, step: invgraph.fit.progress.Step) -> None:
        if step.total == 3:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(invgraph.fit.progress.ProgressBar, "on_step", stop)
        capsys.readouterr()
        assert main(["fit", str(dataset), "--out", str(parts), *QUICK]) == 130
    said = capsys.readouterr().out
    assert f"invgraph fit {dataset} --out {parts} --resume" in said
    assert load_mesh(parts / "mesh.ply").is_closed
    assert json.loads((parts / "metrics.json").read_text())["iterations"] == 3
    assert not (parts / "report.html").exists()

    assert main(["fit", str(dataset), "--out", str(parts), "--resume", "--vertices", "400"]) == 2
    assert "vertices" in capsys.readouterr().err
    assert main(["fit", str(dataset), "--out", str(parts), "--resume"]) == 0  # the other options are the run's own
    assert (parts / "mesh.ply").read_bytes() == (whole / "mesh.ply").read_bytes()
    assert (parts / "report.html").exists()


def test_pictures_are_decoded_no_larger_than_they_are_used(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, int]] = []
    write_report = invgraph.viz.write_report

    def watch(*args, train, **kwargs):
        sizes.append(tuple(train.masks.shape[1:]))
        return write_report(*args, train=train, **kwargs)

    monkeypatch.setattr(invgraph.viz, "write_report", watch)
    assert main(["fit", str(dataset), "--out", str(tmp_path / "run"), "--image-size", "24", *QUICK]) == 0
    assert [max(size) for size in sizes] == [24]


def test_resume_needs_a_run(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(dataset), "--out", str(tmp_path / "out"), "--resume"]) == 2
    assert "no run to resume" in capsys.readouterr().err
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "options.json").write_text(json.dumps(BROKEN))
    assert main(["fit", str(dataset), "--out", str(tmp_path / "out"), "--resume"]) == 2
    assert "wings" in capsys.readouterr().err
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"options.json"}


def test_a_field_is_fitted_and_reported_by_the_same_command(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    field = ["--shape", "sdf", "--resolution", "16", "--no-polish"]
    assert main(["fit", str(dataset), "--out", str(out), *field, *QUICK]) == 0
    mesh = load_mesh(out / "mesh.ply")
    assert mesh.is_closed
    extent = mesh.bounding_box()[1] - mesh.bounding_box()[0]
    assert torch.allclose(extent, 2 * torch.tensor(AXES, dtype=torch.float32), atol=0.25)
    page = (out / "report.html").read_text()
    assert "eikonal" in page
    options = json.loads((out / "options.json").read_text())["fit"]
    assert (options["shape"], options["resolution"], options["polish"]) == ("sdf", 16, False)
    # the same command again, to go on with: nothing is left to be done
    assert main(["fit", str(dataset), "--out", str(out), *field, *QUICK, "--resume"]) == 0
    assert torch.equal(load_mesh(out / "mesh.ply").verts, mesh.verts)
