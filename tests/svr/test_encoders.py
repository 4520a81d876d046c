"""Encoders: what they take and give, and weights from elsewhere."""

import sys
import types

import pytest
import torch
from torch import nn

from invgraph import InputError
from invgraph.svr import ResNet18, ViT, load_pretrained, make_encoder
from invgraph.svr.encoders import with_channels


@pytest.mark.parametrize("name", ["conv", "resnet8", "resnet18", "vit"])
@pytest.mark.parametrize(("channels", "size"), [(4, 64), (3, 32)])
def test_images_become_codes_that_depend_on_them(name, channels, size):
    torch.manual_seed(0)
    encoder = make_encoder(name, channels, size, 24)
    images = torch.rand(3, channels, size, size, requires_grad=True)
    codes = encoder(images)
    assert codes.shape == (3, 24)
    assert (codes[0] - codes[1]).abs().max() > 1e-6
    codes.square().sum().backward()
    assert images.grad is not None
    assert (images.grad.flatten(1).abs().sum(1) > 0).all()
    assert all(p.grad is not None for p in encoder.parameters())


def test_the_cnn_is_that_of_the_paper():
    """64x64 RGBA to 512: three convolutions 5x5 (64, 128, 256), linear layers 16384-1024-1024-512."""
    weights = [tuple(p.shape) for p in make_encoder("conv").parameters() if p.ndim > 1]
    convolutions = [(64, 4, 5, 5), (128, 64, 5, 5), (256, 128, 5, 5)]
    assert weights == [*convolutions, (1024, 256 * 8 * 8), (1024, 1024), (512, 1024)]


def test_resnet18_has_the_published_number_of_parameters():
    encoder = ResNet18(channels=3, code_size=1000)
    assert sum(p.numel() for p in encoder.parameters()) == 11_689_512
    assert "layer4.1.bn2.running_var" in encoder.state_dict()
    assert "layer2.0.downsample.1.weight" in encoder.state_dict()


@pytest.mark.parametrize(("name", "divisor"), [("conv", 8), ("vit", 8), ("resnet8", 16)])
def test_a_size_that_does_not_divide_is_refused(name, divisor):
    with pytest.raises(ValueError, match=f"multiple of {divisor}"):
        make_encoder(name, image_size=60)


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'conv', 'resnet8', 'resnet18', 'vit'"):
        make_encoder("resnet19")


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_library_that_is_missing_is_named(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match=f"pip install {library}"):
        make_encoder(f"{library}:resnet34")


def test_a_model_of_timm(monkeypatch):
    """By a stand-in with timm's interface: sizes are passed on, networks without img_size too, addresses refused."""
    seen = {}

    def create_model(name, *, pretrained, in_chans, num_classes, **more):
        if "img_size" in more and name == "plain":
            raise TypeError("unexpected keyword argument 'img_size'")
        seen.update(more, name=name, pretrained=pretrained)
        return nn.Sequential(nn.Conv2d(in_chans, num_classes, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    timm = types.SimpleNamespace(create_model=create_model, list_models=lambda: ["plain", "vit"], __version__="1")
    monkeypatch.setitem(sys.modules, "timm", timm)
    assert make_encoder("timm:plain", 4, 16, 5)(torch.rand(2, 4, 16, 16)).shape == (2, 5)
    assert seen == {"name": "plain", "pretrained": False}
    make_encoder("timm:vit", 4, 16, 5)
    assert seen["img_size"] == 16
    with pytest.raises(InputError, match="no such model"):
        make_encoder("timm:hf-hub:someone/something")


def test_the_first_convolution_takes_other_channels():
    model = with_channels(nn.Sequential(nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, bias=False)), nn.Conv2d(8, 2, 1)), 4)
    assert model(torch.rand(1, 4, 9, 9)).shape == (1, 2, 4, 4)
    with pytest.raises(ValueError, match="convolution"):
        with_channels(nn.Linear(3, 3), 4)


def test_weights_of_another_task_fit(tmp_path):
    """Three channels and a thousand classes: colours count as before, alpha not at all, the last layer is our own."""
    torch.manual_seed(0)
    source = ResNet18(channels=3, code_size=1000).eval()
    torch.save({"state_dict": {f"module.{k}": v for k, v in source.state_dict().items()}}, tmp_path / "w.pth")
    encoder = make_encoder("resnet18", 4, 64, 32, tmp_path / "w.pth").eval()
    own = encoder.fc
    source.fc, encoder.fc = nn.Identity(), nn.Identity()
    images = torch.rand(2, 4, 64, 64)
    torch.testing.assert_close(encoder(images), source(images[:, :3]))
    assert own.weight.shape == (32, 512)


def test_positions_are_resampled(tmp_path):
    class Wide(ViT):
        def __init__(self):
            super().__init__(4, 64, 8, width=24, depth=1)
            self.pos_embed = nn.Parameter(torch.full((1, 1 + 14 * 14, 24), 0.5))

    torch.save(Wide().state_dict(), tmp_path / "w.pth")
    encoder = ViT(4, 64, 8, width=24, depth=1)
    load_pretrained(encoder, tmp_path / "w.pth")
    assert encoder.pos_embed.shape == (1, 65, 24)
    torch.testing.assert_close(encoder.pos_embed.detach(), torch.full((1, 65, 24), 0.5))


def test_safetensors_are_read(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    source = make_encoder("vit", code_size=8)
    safetensors.save_file(source.state_dict(), str(tmp_path / "w.safetensors"))
    encoder = make_encoder("vit", code_size=8, weights=tmp_path / "w.safetensors")
    assert torch.equal(encoder.head.weight, source.head.weight)


def test_weights_that_do_not_fit_are_explained(tmp_path):
    path = tmp_path / "w.pth"
    with pytest.raises(InputError, match="no such file"):
        make_encoder("vit", weights=path)
    path.write_bytes(b"not weights")
    with pytest.raises(InputError, match="not a readable file of weights"):
        make_encoder("vit", weights=path)
    torch.save(ResNet18().state_dict(), path)
    with pytest.raises(InputError, match="holds no 'cls_token', which ViT needs"):
        make_encoder("vit", weights=path)
    torch.save(ViT(width=96).state_dict(), path)
    with pytest.raises(InputError, match="'cls_token' has shape"):
        make_encoder("vit", weights=path)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="expected a state dict"):
        make_encoder("vit", weights=path)
