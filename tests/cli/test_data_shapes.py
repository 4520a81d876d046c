"""``invgraph data shapes``."""

import json

import pytest

from invgraph.cli import main
from invgraph.data import NmrShapes

pytest.importorskip("manifold3d")

FEW = ["--count", "4", "--classes", "mug", "--points", "50", "--split", "0.5", "0.25", "0.25", "--workers", "1"]


def run(*words):
    return main(["data", "shapes", *map(str, words)])


def test_makes_resumes_and_asks_before_it_replaces(tmp_path, capsys):
    out = tmp_path / "made"
    assert run(out, *FEW, "--seed", 3) == 0
    assert "4 shapes made in" in capsys.readouterr().out
    assert [len(NmrShapes(out, split=split)) for split in ("train", "val", "test")] == [2, 1, 1]
    assert json.loads((out / "made.json").read_text())["made"]["seed"] == 3
    assert run(out, *FEW, "--seed", 3) == 2
    assert "already holds results (made.json" in capsys.readouterr().err
    assert run(out, *FEW, "--seed", 4, "--resume") == 2
    assert "begun with seed 3, now it would be 4" in capsys.readouterr().err
    assert run(out, *FEW, "--seed", 3, "--resume") == 0
    assert "0 shapes made" in capsys.readouterr().out
    first = NmrShapes(out, split="train").images(0, 0).clone()
    (out / "notes.txt").touch()
    assert run(out, *FEW, "--seed", 4, "--overwrite") == 0
    assert not NmrShapes(out, split="train").images(0, 0).equal(first)
    assert (out / "notes.txt").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [(["--count", "0"], "count"), (["--classes", "hat"], "classes"), (["--workers", "0"], "--workers")],
)
def test_wrong_options_are_one_sentence(tmp_path, capsys, given, words):
    assert run(tmp_path / "made", *FEW, *given) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not (tmp_path / "made").exists()
