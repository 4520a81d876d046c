"""A small vision transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

_PATCHES = 8  # along a side of the picture


class ViT(nn.Module):
    """An Image is Worth 16x16 Words (Dosovitskiy et al. 2021): (B, channels, S, S) to (B, code_size).

    A picture is cut into 8 x 8 patches, of 8 pixels a side for 64; a class token reads the code. Layers normalise
    first. Parameters have timm's names, so that weights from there of the same patches, width and depth fit; positions
    are resampled where the number of patches differs. See :func:`make_encoder`.

    Args:
        channels: of the pictures.
        image_size: pixels along a side, a multiple of 8.
        code_size: length of the code.
        width: channels of a token, a multiple of ``heads``.
        depth: how many layers.
        heads: of the attention.
    """

    def __init__(
        self,
        channels: int = 4,
        image_size: int = 64,
        code_size: int = 512,
        *,
        width: int = 192,
        depth: int = 6,
        heads: int = 3,
    ) -> None:
        super().__init__()
        if image_size % _PATCHES:
            raise ValueError(f"image_size: expected a multiple of {_PATCHES} for the 'vit' encoder, got {image_size}")
        patch = image_size // _PATCHES
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(channels, width, patch, stride=patch)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + _PATCHES**2, width))
        self.blocks = nn.ModuleList([_Layer(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, code_size)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, S, S) in [0, 1] -> (B, code_size)."""
        tokens = self.patch_embed["proj"](images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


class _Layer(nn.Module):
    """Attention and a perceptron of two layers, each added to what comes in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn = _Attention(width, heads)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp["fc2"](gelu(self.mlp["fc1"](self.norm2(x))))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
