"""The doctor's warnings: nothing on sound views, and the right thing on each way to ruin them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from datasets import make_scene

from invgraph.cameras import Cameras
from invgraph.data import Views, examine, load_views
from invgraph.data.consensus import find_target, vote, worst_tangency


def with_cameras(views: Views, R: torch.Tensor, t: torch.Tensor) -> Views:
    return replace(views, cameras=Cameras(R, t, views.cameras.K, views.cameras.image_size))


def swapped(v: Views) -> Views:
    order = torch.arange(len(v))
    order[[3, 8]] = order[[8, 3]]
    return with_cameras(v, v.cameras.R[order], v.cameras.t[order])


def shifted(v: Views) -> Views:
    t = v.cameras.t.clone()
    t[5, 0] += 0.5
    return with_cameras(v, v.cameras.R, t)


def flipped(v: Views) -> Views:
    F = torch.diag(torch.tensor([1.0, -1, -1])).double()
    return with_cameras(v, F @ v.cameras.R, v.cameras.t @ F)


def inverted_poses(v: Views) -> Views:
    return with_cameras(v, v.cameras.R.mT, v.cameras.centers)


def reversed_order(v: Views) -> Views:
    return replace(v, masks=v.masks.flip(0))


def looking_away(v: Views) -> Views:
    R, t = v.cameras.R.clone(), v.cameras.t.clone()
    turn = torch.tensor([-1.0, 1.0, -1.0])
    R[4], t[4] = R[4] * turn[:, None], t[4] * turn
    return with_cameras(v, R, t)


def inverted_masks(v: Views) -> Views:
    return replace(v, masks=1 - v.masks)


def ground(v: Views) -> Views:
    masks = v.masks.clone()
    masks[7, 48:60] = 1
    return replace(v, masks=masks)


def cropped(v: Views) -> Views:
    K = v.cameras.K.clone()
    K[2, 0, 2] -= 45
    masks = v.masks.clone()
    masks[2] = torch.nn.functional.pad(masks[2], (0, 45))[:, 45:]
    return replace(v, masks=masks, cameras=Cameras(v.cameras.R, v.cameras.t, K, v.cameras.image_size))


def few(v: Views) -> Views:
    return v[:4]


def one_sided(v: Views) -> Views:
    scene = make_scene(60)
    return scene[scene.cameras.centers[:, 2] > 2.2]


def nearly_empty(v: Views) -> Views:
    masks = v.masks.clone()
    masks[6] = 0
    masks[6, 30:33, 45:48] = 1
    return replace(v, masks=masks)


def repeated(v: Views) -> Views:
    order = torch.tensor([*range(12), 3])
    return v[order]


def blurred(v: Views) -> Views:
    return replace(v, masks=v.masks * 0.7)


def far_away(v: Views) -> Views:
    return replace(v, cameras=v.cameras.normalized((-3e4, 0.0, 0.0), 1.0))


@pytest.mark.parametrize(
    ("ruin", "message", "where"),
    [
        (swapped, "disagrees with the other views", "003.png, 008.png"),
        (shifted, "disagrees with the other views", "005.png"),
        (flipped, "cameras look away from one another", ""),
        (inverted_poses, "do not look at a common region", ""),
        (reversed_order, "masks and cameras disagree", ""),
        (looking_away, "does not see the region that the others look at", "004.png"),
        (inverted_masks, "masks look inverted", ""),
        (ground, "of the mask is explained", "007.png"),
        (cropped, "cropped by the image's border in 1 of 12 views", "002.png"),
        (few, "only 4 views", ""),
        (one_sided, "views are one-sided", ""),
        (nearly_empty, "nearly empty", "006.png"),
        (repeated, "same as that of another view", "003.png"),
        (blurred, "neither object nor background", "000.png"),
        (far_away, "so far from the origin", ""),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_each_way_to_ruin_a_fit(scene: Views, ruin: Callable[[Views], Views], message: str, where: str) -> None:
    findings = examine(ruin(scene))
    matching = [f for f in findings if message in f.what]
    assert matching, list(map(str, findings))
    assert where in matching[0].where
    assert all(f.severity == "warning" for f in findings)


def test_sound_views_pass_without_a_word(scene: Views) -> None:
    assert examine(scene) == []


def test_errors_of_views_in_memory(scene: Views) -> None:
    masks = scene.masks.clone()
    masks[2], masks[4] = 0, 1
    findings = [(f.severity, f.where) for f in examine(replace(scene, masks=masks))]
    assert findings == [("error", "002.png"), ("error", "004.png")]
    assert [f.severity for f in examine(scene[:1])] == ["error"]


def test_target_and_vote(scene: Views) -> None:
    target = find_target(scene)
    # between the two spheres, and about as large as both
    torch.testing.assert_close(target.center, torch.zeros(3).double(), atol=0.15, rtol=0)
    assert 0.6 < target.radius < 1.0
    outcome = vote(swapped(scene), find_target(swapped(scene)))
    assert outcome.outvoted == (3, 8)
    assert float(vote(scene, target).covered.min()) > 0.97


def test_tangency_by_hand() -> None:
    # one direction: a surface facing it is seen face-on, 90 degrees off; a ring sees every side edge-on somewhere
    assert worst_tangency(torch.tensor([[0.0, 0.0, 1.0]]))[0] > 85
    phi = torch.arange(24) * torch.pi / 12
    ring = torch.stack([phi.cos(), phi.sin(), 0 * phi], -1)
    assert worst_tangency(ring)[0] < 8
    raised = torch.nn.functional.normalize(ring + torch.tensor([0, 0, 3**-0.5]), dim=-1)  # 30 degrees above
    angle, normal = worst_tangency(raised)
    assert abs(angle - 30) < 4
    assert abs(float(normal[2])) > 0.95


@pytest.mark.parametrize("name", ["spot/views24", "spot/views8_ring", "spot/wild", "bob/views24"])
def test_real_views_pass(shared_data: Path, name: str) -> None:
    assert examine(shared_data / name) == []


def test_dinosaur_leaves_the_image(shared_data: Path) -> None:
    findings = examine(load_views(shared_data / "dino", images=False))
    assert [f.severity for f in findings] == ["warning"]
    assert "cropped by the image's border in" in findings[0].what
