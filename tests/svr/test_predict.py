import dataclasses

import numpy as np
import pytest
import torch
from picture_set import BALLS, BOXES, TRAIN, write_split
from PIL import Image

from invgraph import InputError
from invgraph.data.image_sets import NmrShapes
from invgraph.svr import ModelOptions, Reconstructor
from invgraph.svr.framing import Framing, frame_picture
from invgraph.svr.prediction import find_mask, for_network, framing_of, predict, read_picture


def _disc(height, width, row, column, radius):
    v, u = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    alpha = (radius + 0.5 - ((v - row) ** 2 + (u - column) ** 2).sqrt()).clamp(0, 1)
    return torch.stack([torch.full_like(alpha, 0.8), alpha * 0 + 0.4, alpha * 0 + 0.2, alpha], -1)


def _box(alpha):
    rows, columns = (alpha >= 0.5).any(1).nonzero()[:, 0], (alpha >= 0.5).any(0).nonzero()[:, 0]
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


@pytest.mark.parametrize("size", [(64, 64), (300, 200), (90, 400), (1000, 1000)])
def test_silhouettes_come_to_lie_as_in_training(size):
    height, width = size
    picture = _disc(height, width, 0.45 * height, 0.6 * width, 0.12 * min(size))
    framed = frame_picture(picture, Framing(), 64)
    assert framed.cropped
    assert framed.image.shape == (4, 64, 64)
    top, bottom, left, right = _box(framed.image[3])
    assert abs(max(bottom - top, right - left) - 0.7 * 64) <= 3  # the smallest is enlarged threefold
    assert abs(top + bottom - 64) <= 2
    assert abs(left + right - 64) <= 2
    inside = framed.image[:3, framed.image[3] > 0.1]
    assert inside.mean(1).tolist() == pytest.approx([0.8, 0.4, 0.2], abs=1e-3)  # no background mixed in
    assert bool((framed.image[:3, framed.image[3] == 0] == 0).all())


def test_a_picture_of_the_training_set_is_left_as_it_is(tmp_path):
    write_split(tmp_path, "train", {BOXES: TRAIN[BOXES][:1], BALLS: TRAIN[BALLS][:1]})
    images = NmrShapes(tmp_path, split="train").images([0, 1]).flatten(0, 1)
    framing = Framing.of(images[..., 3])
    assert 0.4 < framing.size[0] <= framing.size[1] <= framing.size[2] < 1
    assert Framing.from_plain(framing.plain()) == framing
    for image in images[::7].float() / 255:
        framed = frame_picture(image, framing, 64)
        assert not framed.cropped
        assert framed.warnings == ()
        seen = image[..., 3] > 0
        assert torch.allclose(framed.image.movedim(0, -1)[seen], image[seen], atol=1e-6)
    with pytest.raises(InputError, match="framing"):
        Framing.from_plain({"size": [1]})


def test_what_is_unlike_training_is_said():
    def said(picture):
        return " ".join(frame_picture(picture, Framing(), 64).warnings)

    assert said(_disc(128, 128, 64, 64, 40)) == ""
    assert "cut off at the picture's border (top, left)" in said(_disc(128, 128, 10, 10, 40))
    assert "only 12 pixels long" in said(_disc(100, 100, 50, 50, 6))
    assert "2 separate pieces" in said(torch.maximum(_disc(128, 128, 64, 30, 25), _disc(128, 128, 64, 95, 25)))
    rod = torch.zeros(200, 200, 4)
    rod[95:103, 20:180] = 1
    assert "20.0 times as long as wide" in said(rod)
    full = torch.zeros(200, 200, 4)
    full[20:180, 20:180] = 1
    narrow = dataclasses.replace(Framing(), area=(0.02, 0.3))
    assert "cover 49" in " ".join(frame_picture(full, narrow, 64).warnings)
    with pytest.raises(InputError, match="empty"):
        frame_picture(torch.zeros(9, 9, 4), Framing(), 64)
    with pytest.raises(InputError, match="full"):
        frame_picture(torch.ones(9, 9, 4), Framing(), 64)


def test_pictures_and_masks_from_files(tmp_path):
    def save(name, value):
        Image.fromarray(value).save(tmp_path / name)
        return tmp_path / name

    rgb = np.full((20, 30, 3), 99, np.uint8)
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:15] = 255
    both = save("both.png", np.dstack([rgb, mask]))
    assert read_picture(both)[..., 3].sum() == 100
    plain, seen = save("plain.jpg", rgb), save("mask.png", mask)
    assert read_picture(plain, seen).shape == (20, 30, 4)
    opaque = save("opaque.png", np.dstack([rgb, np.full_like(mask, 255)]))
    small = save("small.png", mask[:10])
    broken = tmp_path / "broken.png"
    broken.write_bytes(both.read_bytes()[:60])
    for call, message in (
        (lambda: read_picture(plain), "plain.jpg: the picture has no alpha channel and no mask"),
        (lambda: read_picture(opaque), "opaque everywhere"),
        (lambda: read_picture(plain, small), "small.png: the mask is 30x10 pixels, its image 30x20"),
        (lambda: read_picture(broken), "broken.png"),
        (lambda: read_picture(tmp_path / "none.png"), "none.png"),
        (lambda: find_mask(broken, tmp_path / "masks"), "no mask of the name broken"),
    ):
        (tmp_path / "masks").mkdir(exist_ok=True)
        with pytest.raises(InputError, match=message):
            call()
    named = tmp_path / "masks" / "plain.png"
    seen.rename(named)
    assert find_mask(plain, tmp_path / "masks") == named
    assert find_mask(plain, named) == named


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_networks_of_any_channels_and_size(channels):
    torch.manual_seed(0)
    model = Reconstructor(ModelOptions(code_size=8, image_size=32, channels=channels, level=1)).eval()
    model.data["framing"] = dataclasses.replace(Framing(), size=(0.3, 0.5, 0.6)).plain()
    assert framing_of(model).size == (0.3, 0.5, 0.6)
    pictures = [_disc(40, 70, 20, 30, 12), _disc(64, 64, 30, 30, 25), _disc(128, 100, 64, 50, 20)]
    meshes, framed = predict(model, pictures, batch=2)
    assert [mesh.num_verts for mesh in meshes] == [42, 42, 42]
    top, bottom, _, _ = _box(framed[0].image[3])
    assert abs(bottom - top - 16) <= 1
    alone, _ = predict(model, pictures[2:])
    torch.testing.assert_close(alone[0].verts, meshes[2].verts)
    large = torch.rand(2, 4, 64, 64)
    assert for_network(large, model.options).shape == (2, channels, 32, 32)
    with pytest.raises(InputError, match=r"pictures\[1\]: the mask is empty"):
        predict(model, [pictures[0], torch.zeros(8, 8, 4)])
    with pytest.raises(InputError, match="channels"):
        for_network(large, dataclasses.replace(model.options, channels=2))
