"""Error overlays and contact sheets: colours and places by hand."""

import numpy as np
import pytest
import torch

from invgraph.viz import contact_sheet, overlay
from invgraph.viz.overlay import AGREEMENT, BACKGROUND, EXTRA, MISSING, UNKNOWN


def test_overlay_colours():
    mask = torch.tensor([[1.0, 1, 0, 0, 1]])
    alpha = torch.tensor([[1.0, 0, 1, 0, 0.25]])
    picture = overlay(mask, alpha)
    mixed = 0.25 * torch.tensor(AGREEMENT) + 0.75 * torch.tensor(MISSING)
    expected = torch.stack([*map(torch.tensor, (AGREEMENT, MISSING, EXTRA, BACKGROUND)), mixed])
    assert torch.allclose(picture[0], expected)
    known = np.array([[True, True, False, True, True]])
    assert torch.allclose(overlay(mask.numpy(), alpha.numpy(), known=known)[0, 2], torch.tensor(UNKNOWN))


def test_overlay_takes_bool_and_8_bit():
    bits = np.array([[255, 0]], dtype=np.uint8)
    assert torch.equal(overlay(bits > 0, bits), overlay(torch.tensor([[1.0, 0]]), torch.tensor([[1.0, 0]])))
    with pytest.raises(ValueError, match="alpha: expected the shape"):
        overlay(torch.ones(2, 3), torch.ones(3, 2))
    with pytest.raises(ValueError, match="finite"):
        overlay(torch.full((2, 2), torch.nan), torch.ones(2, 2))


def test_contact_sheet_places():
    grey, colour = torch.full((2, 3), 0.5), torch.tensor([1.0, 0.0, 0.0]).expand(2, 3, 3)
    clear = torch.zeros(2, 3, 4)
    sheet = contact_sheet([grey, colour, clear], columns=2, gap=1, background=(0.0, 0.0, 1.0))
    assert sheet.shape == (2 * 2 + 3, 2 * 3 + 3, 3)
    assert torch.equal(sheet[1:3, 1:4], torch.full((2, 3, 3), 0.5))
    assert torch.equal(sheet[1:3, 5:8], colour)
    blue = torch.tensor([0.0, 0.0, 1.0])
    assert torch.equal(sheet[4:6, 1:4], blue.expand(2, 3, 3))
    assert torch.equal(sheet[:, 0], blue.expand(7, 3))


def test_contact_sheet_refuses():
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])
    with pytest.raises(ValueError, match="one height and width"):
        contact_sheet([torch.zeros(2, 3), torch.zeros(3, 2)])
    with pytest.raises(ValueError, match=r"images\[0\]"):
        contact_sheet(torch.zeros(1, 2, 3, 5))
