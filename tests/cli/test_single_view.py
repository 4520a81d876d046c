import json
import os

import numpy as np
import pytest
import torch
from picture_set import BALLS, BOXES, TRAIN, write_set
from PIL import Image

from invgraph import load_mesh
from invgraph.cli import main
from invgraph.data.image_sets import NmrShapes
from invgraph.svr import ModelOptions, Reconstructor
from invgraph.svr.model_file import save_model


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A data set, a network with random weights, and pictures of four sizes."""
    root = tmp_path_factory.mktemp("single")
    write_set(root / "set")
    torch.manual_seed(0)
    save_model(root / "tiny.ckpt", Reconstructor(ModelOptions(code_size=8, level=1)))
    pictures = root / "pictures"
    pictures.mkdir()
    image = NmrShapes(root / "set", split="test").images(1, 3).numpy()
    for k, side in enumerate((64, 100, 160, 222)):
        Image.fromarray(np.ascontiguousarray(image)).resize((side, side)).save(pictures / f"ball{k}.png")
    return root


def test_predict_writes_all_of_a_batch(place, tmp_path, capsys):
    files = [str(place / "pictures" / f"ball{k}.png") for k in range(4)]
    out = tmp_path / "out"
    assert main(["predict", str(place / "tiny.ckpt"), *files, "--out", str(out), "--no-turntable"]) == 0
    said = capsys.readouterr().out
    assert "4 of 4 pictures reconstructed" in said
    assert load_mesh(out / "ball3.glb").num_verts == load_mesh(out / "ball3.ply").num_verts == 42
    record = json.loads((out / "predict.json").read_text())
    assert [entry["name"] for entry in record["pictures"]] == ["ball0", "ball1", "ball2", "ball3"]
    page = (out / "report.html").read_text()
    assert page.count("<img") == 4 * 5
    assert "http" not in page
    assert main(["predict", str(place / "tiny.ckpt"), files[0], "--out", str(out)]) == 2
    assert "already holds results" in capsys.readouterr().err


def test_bad_pictures_are_named_and_do_not_stop_the_others(place, tmp_path, capsys):
    good, plain, broken = place / "pictures" / "ball1.png", tmp_path / "ball1.png", tmp_path / "broken.png"
    Image.open(good).convert("RGB").save(plain)
    broken.write_bytes(good.read_bytes()[:200])
    files = [str(path) for path in (plain, good, broken, tmp_path / "none.png")]
    out = tmp_path / "out"
    assert main(["predict", str(place / "tiny.ckpt"), *files, "--out", str(out), "--no-turntable"]) == 2
    told = capsys.readouterr()
    assert "1 of 4 pictures" in told.out
    assert "no mask is given" in (out / "report.html").read_text()
    with open(os.fsencode(tmp_path) + b"/x\xff.png", "wb") as strange:
        strange.write(good.read_bytes())
    assert (
        main(["predict", str(place / "tiny.ckpt"), os.fsdecode(strange.name), "--out", str(tmp_path / "strange")]) == 0
    )
    assert (tmp_path / "strange" / "x\ufffd.ply").exists()
    for words in ("ball1.png: the picture has no alpha", "broken.png: ", "none.png: "):
        assert words in told.err
    assert (out / "ball1-2.ply").exists()  # the first of that name is the one without alpha
    assert not (out / "ball1.ply").exists()
    assert main(["predict", str(place / "tiny.ckpt"), str(plain), "--out", str(tmp_path / "no")]) == 2
    assert not (tmp_path / "no").exists()
    masked = ["--masks", str(good), "--out", str(tmp_path / "masked")]
    assert main(["predict", str(place / "tiny.ckpt"), str(plain), *masked]) == 0
    assert (tmp_path / "masked" / "ball1.mp4").stat().st_size > 0
    both = [str(plain), str(good), "--masks", str(good), "--out", str(tmp_path / "two")]
    capsys.readouterr()
    assert main(["predict", str(place / "tiny.ckpt"), *both]) == 2
    assert "expected a folder for 2 pictures" in capsys.readouterr().err


def test_eval_writes_figures_and_a_page(place, tmp_path, capsys):
    out = tmp_path / "out"
    few = ["--views", "2", "--surface-points", "500"]
    arguments = ["eval", str(place / "tiny.ckpt"), str(place / "set"), "--out", str(out), *few]
    assert main(arguments) == 0
    assert "nearest training shape (oracle)" in capsys.readouterr().out
    scores = json.loads((out / "eval.json").read_text())
    assert set(scores["mean"]) >= {"model", "retrieval", "mean_shape", "oracle"}
    for method in scores["mean"].values():
        assert 0 <= method["voxel_iou"] <= 1
        assert 0 <= method["f1"] <= 1
    assert scores["classes"]["lamp"]["synset"] == BALLS
    assert scores["classes"]["cabinet"]["shapes"] == 1
    assert scores["surfaces"] == "of voxels"
    page = (out / "report.html").read_text()
    assert page.count("<img") == 3 * 3 * 5 + 1
    assert all((out / name).stat().st_size > 1000 for name in ("tsne.png", "cases.png"))
    assert main(arguments) == 2
    assert main([*arguments, "--overwrite"]) == 0
    assert json.loads((out / "eval.json").read_text())["mean"] == scores["mean"]


def test_what_cannot_be_evaluated_is_said_and_leaves_nothing(place, tmp_path, capsys, monkeypatch):
    def said(*arguments):
        assert main(["eval", *map(str, arguments), "--out", str(tmp_path / "out")]) == 2
        assert not (tmp_path / "out").exists()
        return capsys.readouterr().err

    ckpt, data = place / "tiny.ckpt", place / "set"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "scikit-learn" in said(ckpt, data)  # before an hour is spent
    monkeypatch.undo()
    assert "none.ckpt" in said(tmp_path / "none.ckpt", data)
    assert "no such folder" in said(ckpt, tmp_path / "nowhere")
    assert "_val_images.npz: no such file" in said(ckpt, data, "--split", "val")
    (tmp_path / "foreign.ckpt").write_bytes(ckpt.read_bytes()[:1000])
    assert "not a readable checkpoint" in said(tmp_path / "foreign.ckpt", data)
    # splits that share shapes
    from picture_set import write_split

    shared = tmp_path / "shared"
    write_split(shared, "train", {BOXES: TRAIN[BOXES]})
    write_split(shared, "test", {BOXES: TRAIN[BOXES][:1]})
    assert "are in both" in said(ckpt, shared)
    file = shared / f"{BOXES}_test_images.npz"
    file.write_bytes(file.read_bytes()[:5000])
    assert f"{BOXES}_test_images.npz" in said(ckpt, shared)
