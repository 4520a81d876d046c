"""The network as a whole, and its file: what it carries, and how it refuses what does not fit."""

import pickle
import subprocess
import sys
import zipfile

import pytest
import torch
from torch import nn

import invgraph
from invgraph import InputError
from invgraph.checkpoint import load_checkpoint, save_checkpoint
from invgraph.svr import ModelOptions, Reconstructor, load_model, model_entry, save_model

SMALL = {"image_size": 16, "code_size": 8, "level": 1, "hidden": 8, "resolution": 8}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Reconstructor(ModelOptions(encoder="vit", **SMALL))


@pytest.mark.parametrize("decoder", ["mesh", "occupancy", "sdf"])
@pytest.mark.parametrize("encoder", ["conv", "vit"])
def test_what_is_read_is_what_was_written(encoder, decoder, tmp_path):
    torch.manual_seed(0)
    model = Reconstructor(ModelOptions(encoder=encoder, decoder=decoder, **SMALL))
    images = torch.rand(3, 4, 16, 16)
    model.encode(images)  # moves the running statistics, which belong to the file
    path = tmp_path / "model.pt"
    save_model(path, model, data={"classes": ["chair"], "views": 24}, extra={"mean": torch.arange(3.0)})
    found = load_model(path)
    assert found.options == model.options
    assert not found.training
    assert found.data == {"classes": ["chair"], "views": 24}
    assert torch.equal(found.extra["mean"], torch.arange(3.0))
    for a, b in zip(found.reconstruct(images), model.reconstruct(images)):
        assert torch.equal(a.verts, b.verts)
        assert torch.equal(a.faces, b.faces)
    assert load_checkpoint(path)["reconstructor"]["code_version"] == invgraph.__version__


def test_reconstruct_leaves_the_mode_alone(model):
    model.train()
    images = torch.rand(2, 4, 16, 16)
    found = model.reconstruct(images)
    assert model.training
    assert len(found) == 2
    assert not found[0].verts.requires_grad
    assert found[0].is_closed


def test_colours_under_no_alpha_do_not_count(model):
    images = torch.rand(1, 4, 16, 16)
    images[:, 3, :, 8:] = 0
    other = images.clone()
    other[:, :3, :, 8:] = 1
    assert torch.equal(model.encode(images), model.encode(other))
    other[:, :3, :, :8] = 1
    assert not torch.equal(model.encode(images), model.encode(other))


@pytest.mark.parametrize("shape", [(2, 3, 16, 16), (2, 4, 16, 12), (4, 16, 16)])
def test_images_of_another_shape_are_refused(model, shape):
    with pytest.raises(ValueError, match=r"images: expected floating-point \(B, 4, 16, 16\)"):
        model.encode(torch.zeros(shape))


def test_options_out_of_range_are_refused():
    for name, value in (("code_size", 0), ("image_size", 4), ("level", 3.0), ("decoder", "points")):
        with pytest.raises(ValueError, match=name):
            ModelOptions(**{name: value})


def test_an_encoder_of_the_callers(tmp_path):
    def own():
        return nn.Sequential(nn.Flatten(), nn.Linear(4 * 16 * 16, 8))

    model = Reconstructor(ModelOptions(encoder="custom", **SMALL), own())
    path = tmp_path / "model.pt"
    save_model(path, model)
    with pytest.raises(InputError, match="encoder of its own: pass it as encoder="):
        load_model(path)
    images = torch.rand(1, 4, 16, 16)
    assert torch.equal(load_model(path, encoder=own()).encode(images), model.encode(images))
    with pytest.raises(ValueError, match="custom"):
        Reconstructor(ModelOptions(**SMALL), own())


def test_a_trainings_checkpoint_is_a_models_file_too(model, tmp_path):
    path = tmp_path / "last.ckpt"
    checkpoint = {"epoch": 3, "state_dict": {f"model.{k}": v for k, v in model.state_dict().items()}}
    checkpoint.update(model_entry(model, data={"split": "train"}))
    torch.save(checkpoint, path)
    alone = tmp_path / "model.pt"
    save_model(alone, model)
    assert load_model(path).data == {"split": "train"}
    assert path.stat().st_size < 1.1 * alone.stat().st_size  # the weights are in it once


class Harm:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (self.target, "w"))


def test_no_code_of_the_file_runs(tmp_path):
    target = tmp_path / "harmed"
    for write in (torch.save, lambda x, path: path.write_bytes(pickle.dumps(x, protocol=2))):
        write({"version": 1, "reconstructor": Harm(str(target))}, tmp_path / "model.pt")
        with pytest.raises(InputError, match="not a readable checkpoint"):
            load_model(tmp_path / "model.pt")
    assert not target.exists()


def test_files_that_are_no_models(model, tmp_path):
    path = tmp_path / "model.pt"
    with pytest.raises(InputError, match=r"model\.pt: no such file"):
        load_model(path)
    save_checkpoint(path, {"step": 3})
    with pytest.raises(InputError, match="not of a single-view network"):
        load_model(path)
    save_model(path, model)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match="not a readable checkpoint"):
        load_model(path)


def change(model, path, name, value):
    """A file of the model in which one thing is another."""
    entry = model_entry(model)
    entry["reconstructor"] = {**entry["reconstructor"], name: value}
    save_checkpoint(path, entry)


def test_mismatches_are_explained(model, tmp_path):
    path = tmp_path / "model.pt"
    good = model_entry(model)["reconstructor"]
    options, weights = good["options"], good["weights"]
    cases = [
        ("options", {**options, "encoder": "conv"}, "not those of a network of encoder 'conv' and decoder 'mesh'"),
        ("options", {**options, "decoder": "sdf"}, "decoder 'sdf'.*(missing|lack)"),
        ("options", {**options, "code_size": 16}, r"weight 'encoder.head.weight' has shape \(8, 192\)"),
        ("options", {**options, "wings": 2}, "model option that is not known here: 'wings'"),
        ("options", {**options, "code_size": -1}, "code_size: expected a whole number"),
        ("options", {**options, "encoder": "resnet19"}, "encoder: expected"),
        ("options", 3, "options are int"),
        ("options", {**options, "encoder": 5}, "encoder: expected a name, got 5"),
        ("data", 5, "data are int, expected a dictionary"),
        ("extra", None, "extra are NoneType"),
        ("weights", {k: v for k, v in weights.items() if k != "encoder.norm.bias"}, "lack 'encoder.norm.bias'"),
        ("weights", {**weights, "more": torch.zeros(1)}, "hold 'more'"),
        ("weights", {**weights, "encoder.norm.bias": torch.full((192,), torch.nan)}, "not finite"),
    ]
    for name, value, message in cases:
        change(model, path, name, value)
        with pytest.raises(InputError, match=message) as caught:
            load_model(path)
        assert str(path) in str(caught.value)
    change(model, path, "code_version", "9.9")
    assert load_model(path).options == model.options
    change(model, path, "options", {k: v for k, v in options.items() if k != "hidden"})
    assert load_model(path).options.hidden == ModelOptions().hidden


def test_no_more_memory_is_taken_than_the_file_has(model, tmp_path):
    """A small file that asks for gigabytes; in a process of its own, whose peak it is."""
    path = tmp_path / "model.pt"
    good = model_entry(model)["reconstructor"]
    huge = {**good["options"], "decoder": "occupancy", "hidden": 2048, "code_size": 8192, "encoder": "conv"}
    change(model, path, "options", {**huge, "image_size": 1024})
    script = (
        "import resource, sys\nfrom invgraph.svr import load_model\nfrom invgraph import InputError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    load_model(sys.argv[1])\nexcept InputError as error:\n    print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, timeout=100, check=True)
    said, megabytes = done.stdout.splitlines()
    assert "its weights are not those of a network of encoder 'conv'" in said
    assert int(megabytes) < 100  # these options name a network of 20 GB
    # all the names and shapes, and one number of each weight
    change(model, path, "weights", {k: torch.zeros((), dtype=v.dtype).expand_as(v) for k, v in good["weights"].items()})
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match=r"holds [\d,]+ bytes of weights and claims"):
        load_model(path)
    save_model(path, model)
    with zipfile.ZipFile(path) as stored, zipfile.ZipFile(tmp_path / "small.pt", "w", zipfile.ZIP_DEFLATED) as small:
        for info in stored.infolist():
            small.writestr(info.filename, stored.read(info))
    with pytest.raises(InputError, match="compressed"):
        load_model(tmp_path / "small.pt")


def test_what_could_not_be_read_is_not_written(model, tmp_path):
    path = tmp_path / "model.pt"
    with pytest.raises(TypeError, match=r"data\['where'\]\[0\].*got PosixPath"):
        save_model(path, model, data={"where": [tmp_path]})
    assert not path.exists()
