"""Where silhouettes come from, and the threshold against SciPy's morphology and on the dinosaur's photographs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import save_picture, write_idr, write_middlebury, write_nerf, write_photos
from scipy import ndimage

from invgraph.data import Threshold, Views, load_views
from invgraph.data.masks import threshold_masks
from invgraph.data.pictures import read_mask
from invgraph.errors import InputError


def iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(N,) intersection over union."""
    return torch.minimum(a, b).sum((1, 2)) / torch.maximum(a, b).sum((1, 2))


def disc(radius: int) -> np.ndarray:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x * x + y * y <= radius * radius


def test_automatic_choice(tmp_path: Path, scene: Views) -> None:
    write_idr(tmp_path / "folder", scene)
    assert "mask folder" in load_views(tmp_path / "folder").source
    write_nerf(tmp_path / "alpha", scene)
    assert "alpha" in load_views(tmp_path / "alpha").source
    write_photos(tmp_path / "alpha" / "train", scene)  # the same without their alpha
    plain = load_views(tmp_path / "alpha")
    assert "threshold" in plain.source
    assert "no closing" in plain.source
    assert float(iou(plain.masks, (scene.masks > 0).float()).min()) > 0.97
    # an explicit threshold wins over what is there
    assert "threshold 0.4" in load_views(tmp_path / "folder", threshold=0.4).source


def test_a_busy_background_is_refused_but_can_be_forced(tmp_path: Path, scene: Views) -> None:
    write_middlebury(tmp_path, scene)
    for name in scene.names:
        save_picture(tmp_path / name, torch.rand(72, 96, 3))
    with pytest.raises(InputError, match="background is not plain"):
        load_views(tmp_path)
    assert "threshold 0.5" in load_views(tmp_path, threshold=0.5).source


@pytest.mark.parametrize("background", [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.1, 0.7, 0.2)])
def test_threshold_on_any_plain_background(scene: Views, background: tuple[float, float, float]) -> None:
    solid = scene.masks[..., None]
    pictures = list(solid * torch.tensor([0.6, 0.5, 0.4]) + (1 - solid) * torch.tensor(background))
    masks, _, crossing = threshold_masks(pictures, Threshold())
    assert crossing == 0
    assert float(iou(torch.stack(masks), scene.masks).min()) > 0.93


def test_recipe_is_threshold_dilate_erode() -> None:
    g = torch.Generator().manual_seed(1)
    noise = torch.rand(60, 80, generator=g)
    smooth = torch.from_numpy(ndimage.gaussian_filter(noise.numpy(), 4))
    picture = ((smooth - smooth.min()) / (smooth.max() - smooth.min()))[..., None].expand(-1, -1, 3)
    rule = Threshold(0.6, dilate=5, erode=3, fill_holes=0.0, crumbs=0.0, background=(0.0, 0.0, 0.0))
    (mask,), how, _ = threshold_masks([picture], rule)
    want = np.pad(picture[..., 0].numpy() > 0.6, 8, mode="edge")
    want = ndimage.binary_erosion(ndimage.binary_dilation(want, disc(5)), disc(3), border_value=1)[8:-8, 8:-8]
    np.testing.assert_array_equal(mask.numpy() > 0.5, want)
    assert "dilate 5, erode 3" in how


def test_holes_crumbs_and_closing() -> None:
    picture = torch.zeros(100, 120, 3)
    picture[20:80, 20:100] = 0.8
    picture[40:44, 40:44] = 0  # a shadow: 0.3 % of the object
    picture[50:70, 60:90] = 0  # a window: 14 % of it
    picture[5:8, 5:8] = 0.8  # a crumb
    (mask,), how, _ = threshold_masks([picture], Threshold(0.5, dilate=0, erode=0))
    assert mask[42, 42] == 1
    assert mask[60, 75] == 0
    assert mask[6, 6] == 0
    assert "no closing" in how
    # a shadow that the image's border cuts is no less a shadow
    cut = picture[42:].clone()
    (mask,), _, _ = threshold_masks([cut], Threshold(0.5, 0, 0, background=(0.0, 0.0, 0.0)))
    assert mask[0, 42] == 1
    (mask,), _, _ = threshold_masks([picture], Threshold(0.5, 0, 0, fill_holes=1.0, crumbs=0.0))
    assert mask[60, 75] == 1
    assert mask[6, 6] == 1
    # left to itself, the ragged mask is closed
    _, how, _ = threshold_masks([picture], Threshold(0.5))
    assert "dilate 2, erode 2" in how


@pytest.mark.parametrize("bad", [{"level": 1.0}, {"dilate": -1}, {"fill_holes": 2.0}])
def test_rules_out_of_range_are_refused(bad: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(bad)).replace("level", "threshold")):
        Threshold(**bad)


def test_mask_files_of_all_kinds(tmp_path: Path) -> None:
    want = torch.zeros(6, 8)
    want[2:4, 3:6] = 1
    save_picture(tmp_path / "grey.png", want)
    save_picture(tmp_path / "rgb.png", want[..., None].expand(-1, -1, 3))
    save_picture(tmp_path / "rgba.png", torch.ones(6, 8, 3), want)
    save_picture(tmp_path / "labels.png", want / 255)
    save_picture(tmp_path / "opaque.png", want[..., None].expand(-1, -1, 3), torch.ones(6, 8))
    for file in tmp_path.iterdir():
        assert torch.equal(read_mask(file), want), file.name


def test_dinosaur(shared_data: Path) -> None:
    """Real photographs with shadows on the object: the automatic masks lie inside their authors' conservative ones."""
    views = load_views(shared_data / "dino", images=False)
    recipe = load_views(shared_data / "dino", masks="middlebury")
    assert "threshold 0.19" in recipe.source
    assert "dilate 10, erode 7" in recipe.source
    assert float(iou(views.masks, recipe.masks).min()) > 0.93
    assert float(((views.masks > 0.5) & (recipe.masks < 0.5)).float().mean()) < 0.003
    # one component each, and no hole but what the shape itself can enclose
    for mask in views.masks.numpy() > 0.5:
        assert ndimage.label(mask)[1] == 1
        holes = ndimage.binary_fill_holes(mask) & ~mask
        assert holes.sum() < 0.02 * mask.sum()
