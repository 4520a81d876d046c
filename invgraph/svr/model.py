"""The whole network: a picture in, a surface out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..cameras import Cameras
from ..geometry import Mesh
from .decoders import Decoder, DecoderKind, Surfaces
from .encoders import make_encoder
from .mesh_decoder import MeshDecoder
from .occupancy_decoder import FieldDecoder
from .sdf_decoder import DistanceDecoder
from .sight import PictureFeatures, Sight
from .viewpoints import Viewpoints, as_remembered

CUSTOM = "custom"
"""Name of an encoder that the caller brings."""


@dataclass(frozen=True)
class ModelOptions:
    """What a :class:`Reconstructor` is made of.

    Attributes:
        encoder: see :func:`~invgraph.svr.make_encoder`; "custom" for a module of the caller's.
        decoder: "mesh" (a deformed sphere), "occupancy" (a field that the code conditions) or "sdf" (distances on a
            grid).
        code_size: length of the code between them.
        image_size: pixels along a side of the pictures.
        channels: of the pictures: 4 with alpha, 3 without, 1 for masks.
        level: subdivisions of the "mesh" decoder's sphere; 3 has 642 vertices.
        hidden: channels of the "occupancy" decoder's blocks; 0 for none.
        lattice: channels of its lattice; 0 for none.
        aligned: features of the picture that each point sees where it lies in it; the lattice then gives features
            too, in place of logits. 0: points do not look.
        resolution: cells along each axis on which the "occupancy" decoder's surface is extracted.
        threshold: probability of being inside that this surface has.
        mirrored: it has learned from mirrored pictures too, and a picture may be shown to it twice.
        viewpoints: cameras that are told apart, see :class:`~invgraph.svr.viewpoints.Viewpoints`; 0 for none.
    """

    encoder: str = "conv"
    decoder: DecoderKind = "mesh"
    code_size: int = 512
    image_size: int = 64
    channels: int = 4
    level: int = 3
    hidden: int = 256
    lattice: int = 0
    aligned: int = 0
    resolution: int = 32
    threshold: float = 0.5
    viewpoints: int = 0
    mirrored: bool = False

    def __post_init__(self) -> None:
        if self.decoder not in ("mesh", "occupancy", "sdf"):
            raise ValueError(f"decoder: expected 'mesh', 'occupancy' or 'sdf', got {self.decoder!r}")
        ranges = {
            "code_size": (1, 8192),
            "image_size": (8, 1024),
            "channels": (1, 64),
            "level": (0, 6),
            "hidden": (0, 2048),
            "lattice": (0, 1024),
            "aligned": (0, 1024),
            "resolution": (2, 512),
            "viewpoints": (0, 4096),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name}: expected a whole number from {low} to {high}, got {value!r}")
        if not isinstance(self.encoder, str):
            raise ValueError(f"encoder: expected a name, got {self.encoder!r}")
        if self.decoder == "occupancy" and not (self.hidden or self.lattice):
            raise ValueError("hidden, lattice: expected channels of one or both, got 0 and 0")
        if self.lattice % 4:
            raise ValueError(f"lattice: expected a multiple of 4, got {self.lattice}")
        seen = self.decoder == "occupancy" and self.lattice and self.viewpoints and self.channels in (1, 4)
        if self.aligned and not (seen and self.image_size % 4 == 0):
            raise ValueError(
                "aligned: expected 0, or the decoder 'occupancy' with a lattice, viewpoints, and pictures with alpha "
                f"or masks whose side is a multiple of 4, got {self.aligned}"
            )
        if not isinstance(self.mirrored, bool):
            raise ValueError(f"mirrored: expected true or false, got {self.mirrored!r}")
        if not isinstance(self.threshold, float) or not 0 < self.threshold < 1:
            raise ValueError(f"threshold: expected a number between 0 and 1, got {self.threshold!r}")

    @property
    def sight(self) -> Sight | None:
        """What codes hold of the picture beside the encoder's numbers; None: nothing."""
        return Sight(self.code_size, self.aligned, self.image_size) if self.aligned else None


class Reconstructor(nn.Module):
    """An encoder of pictures and a decoder of codes.

    Args:
        options: what it is made of.
        encoder: any module from images (B, channels, image_size, image_size) to codes (B, code_size), in the place of
            that which the options name; they then say "custom".

    Attributes:
        local: the picture's own features, where the decoder looks at them; None elsewhere.
        viewpoints: tells which camera a picture was taken by, where the options say how many there are; None elsewhere.
        data: what it was trained on, as its file says; see :func:`~invgraph.svr.load_model`.
        extra: what else its file holds.
    """

    def __init__(self, options: ModelOptions | None = None, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.options = options = options or ModelOptions()
        self.data: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}
        if encoder is None and options.encoder == CUSTOM:
            raise ValueError(f"encoder: {CUSTOM!r} is a module of your own, given from Python, and there is none")
        if encoder is not None and options.encoder != CUSTOM:
            raise ValueError(f"encoder: a module of your own goes with the name {CUSTOM!r}, got {options.encoder!r}")
        if encoder is None:
            encoder = make_encoder(options.encoder, options.channels, options.image_size, options.code_size)
        # convolutions take three quarters of the time that they take with channels first
        self.encoder = encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.decoder = make_decoder(options)
        self.local: nn.Module | None = None
        if options.aligned:
            local = PictureFeatures(options.channels, options.aligned)
            self.local = local.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.viewpoints = Viewpoints(options.code_size, options.viewpoints) if options.viewpoints else None

    def encode(self, images: Tensor, cameras: Cameras | None = None) -> Tensor:
        """Codes (B, decoder.code_size) of images (B, channels, image_size, image_size) in [0, 1].

        The encoder's ``options.code_size`` numbers come first; where the decoder looks at the picture, what it needs
        for that follows, see :class:`~invgraph.svr.sight.Sight`.

        Where there are four channels the fourth is straight alpha: colours count by it, so that it does not matter what
        colour the background has under an alpha of 0.

        Args:
            images: see above.
            cameras: those that took them, where they are known; None: the likeliest.

        Raises:
            ValueError: images of another shape or type.
        """
        options = self.options
        expected = (options.channels, options.image_size, options.image_size)
        if images.ndim != 4 or tuple(images.shape[1:]) != expected or not images.is_floating_point():
            got = f"{tuple(images.shape)} {images.dtype}"
            raise ValueError(f"images: expected floating-point (B, {', '.join(map(str, expected))}), got {got}")
        shown = images
        if options.channels == 4:
            alpha = images[:, 3:]
            shown = torch.cat([images[:, :3] * alpha, alpha], 1)
        shown = shown.contiguous(memory_format=torch.channels_last)
        code = self.encoder(shown)
        if options.sight is None or self.local is None or self.viewpoints is None:
            return code
        taken_by = self.viewpoints.likeliest(code) if cameras is None else as_remembered(cameras)
        return options.sight.join(code, taken_by, images[:, -1], self.local(shown))

    def decode(self, code: Tensor) -> Surfaces:
        """Surfaces of codes, in the canonical frame; see :class:`~invgraph.svr.Decoder`."""
        return self.decoder(code)

    def forward(self, images: Tensor) -> Surfaces:
        """Surfaces of images, differentiable: :meth:`encode`, then :meth:`decode`."""
        return self.decode(self.encode(images))

    @torch.no_grad()
    def reconstruct(self, images: Tensor) -> list[Mesh]:
        """One mesh for each of the images, in evaluation mode; empty where an isosurface finds nothing inside."""
        with evaluating(self):
            surfaces = self.forward(images)
        return one_by_one(surfaces) if isinstance(surfaces, Mesh) else surfaces


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """A module in evaluation mode, and then in that in which it was."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


def one_by_one(meshes: Mesh) -> list[Mesh]:
    """The meshes of a batch."""
    return [meshes.with_verts(verts) for verts in meshes.verts]


def make_decoder(options: ModelOptions) -> Decoder:
    """The decoder that options name."""
    if options.decoder == "mesh":
        return MeshDecoder(options.code_size, options.level)
    if options.decoder == "occupancy":
        size = {"hidden": options.hidden, "lattice": options.lattice, "resolution": options.resolution}
        return FieldDecoder(options.code_size, **size, threshold=options.threshold, sight=options.sight)
    return DistanceDecoder(options.code_size)
