"""Picture files: what is written is what was given, or an error that names it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invgraph.errors import InputError
from invgraph.viz import save_picture


@pytest.mark.parametrize(("shape", "mode"), [((4, 5), "L"), ((4, 5, 1), "L"), ((4, 5, 3), "RGB"), ((4, 5, 4), "RGBA")])
def test_saved_pictures_are_those_given(tmp_path: Path, shape: tuple[int, ...], mode: str) -> None:
    bits = torch.randint(0, 256, shape, dtype=torch.uint8)
    images: list[torch.Tensor | np.ndarray] = [bits, bits.numpy(), bits / 255, (bits.double() / 255).requires_grad_()]
    for i, image in enumerate(images):
        save_picture(tmp_path / f"{i}.png", image)
        with Image.open(tmp_path / f"{i}.png") as found:
            assert found.mode == mode
            assert np.array_equal(np.asarray(found), bits.reshape(shape[:2] + shape[2:] * (shape[-1] > 1)).numpy())
    assert {path.name for path in tmp_path.iterdir()} == {f"{i}.png" for i in range(4)}  # nothing temporary is left


def test_values_are_clamped_and_rounded(tmp_path: Path) -> None:
    save_picture(str(tmp_path / "a.PNG"), torch.tensor([[-1.0, 2.0, 0.5, 0.499 / 255]]))
    assert np.asarray(Image.open(tmp_path / "a.PNG")).tolist() == [[0, 255, 128, 0]]


def test_errors_name_what_is_wrong(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", torch.zeros(2, 2))
    before = (tmp_path / "a.png").read_bytes()
    for wrong in (torch.zeros(2, 2, 2), torch.zeros(1, 2, 2, 3), torch.zeros(0, 2), torch.full((2, 2), torch.nan)):
        with pytest.raises(ValueError, match="image: expected"):
            save_picture(tmp_path / "a.png", wrong)
    with pytest.raises(TypeError, match="image: expected a tensor or an array"):
        save_picture(tmp_path / "a.png", [[0.0]])  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"ending in \.png"):
        save_picture(tmp_path / "a.jpg", torch.zeros(2, 2))
    with pytest.raises(InputError, match="cannot write here"):
        save_picture(tmp_path / "missing" / "a.png", torch.zeros(2, 2))
    assert (tmp_path / "a.png").read_bytes() == before
