"""A transformer on tokens: bidirectional for masked diffusion, causal with a key-value cache for left to right.

Bidirectional: tokens (batch, L) with MASK = -1 -> logits (batch, L, V) of p(x_i | revealed tokens).
Causal: the same blocks with a causal mask; logits[:, i] are those of x_i given x_0, ..., x_{i-1}, a start symbol stands
before x_0. Pre-norm blocks, rotary positions (RoPE), scaled-dot-product attention, GELU. The last layer starts at zero,
so an untrained model is uniform.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from toy_models.any_process.trace import EMPTY
from toy_models.validation import positive_int


@dataclass(frozen=True)
class Config:
    """Shape of a model. `time` adds conditioning on the mask probability t (off: the marginals do not depend on t)."""

    vocab_size: int
    length: int
    width: int = 64
    layers: int = 2
    heads: int = 2
    hidden: int = 4  # width of the feed-forward layer over `width`
    causal: bool = False
    time: bool = False
    base: float = 10000.0  # of the rotary frequencies
    visible: tuple[tuple[bool, ...], ...] | None = None  # visible[i][j]: i may attend to j, in every layer; None: all
    controls: bool = False  # three more logits per position: remask, insert, delete

    def __post_init__(self):
        for name in ("vocab_size", "length", "width", "layers", "heads", "hidden"):
            positive_int(name, getattr(self, name))
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise ValueError(f"width = {self.width}, it must be heads = {self.heads} times an even number")
        if self.causal and self.time:
            raise ValueError("time = True with causal = True, allowed: time conditioning of the bidirectional model")
        if self.causal and self.controls:
            raise ValueError("controls = True with causal = True, allowed: control heads of the bidirectional model")
        if self.visible is not None:
            _check_visible(self.visible, self.length, self.causal)


def _check_visible(visible: tuple[tuple[bool, ...], ...], length: int, causal: bool) -> None:
    if causal:
        raise ValueError("visible with causal = True, allowed: a restriction of the bidirectional model")
    if len(visible) != length or any(len(row) != length for row in visible):
        raise ValueError(f"visible has rows of lengths {[len(row) for row in visible]}, allowed: {length} of {length}")
    for i, row in enumerate(visible):
        if not row[i]:
            raise ValueError(f"visible[{i}][{i}] = {row[i]}, every position must see itself")


class Attention(nn.Module):
    visible: Tensor | None

    def __init__(self, config: Config):
        super().__init__()
        self.heads, self.causal = config.heads, config.causal
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        visible = None if config.visible is None else torch.tensor(config.visible, dtype=torch.bool)
        self.register_buffer("visible", visible, persistent=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: list | None, real: Tensor | None = None) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            if cache:
                k, v = torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2)
            cache[:] = [k, v]
        causal = self.causal and length > 1
        seen = None if self.visible is None else self.visible[:length, :length]
        if real is not None:
            seen = real if seen is None else seen & real
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, is_causal=causal)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.norm_mix, self.norm_feed = nn.RMSNorm(config.width), nn.RMSNorm(config.width)
        self.attention = Attention(config)
        self.up = nn.Linear(config.width, config.hidden * config.width)
        self.down = nn.Linear(config.hidden * config.width, config.width)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: list | None, real: Tensor | None = None) -> Tensor:
        x = x + self.attention(self.norm_mix(x), cos, sin, cache, real)
        return x + self.down(F.gelu(self.up(self.norm_feed(x))))


class Transformer(nn.Module):
    """The model of `config`; `generator` draws its initial weights."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: Config, generator: torch.Generator | None = None):
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size + 1, config.width)  # the last row: the mask, or the start symbol
        self.time = nn.Linear(1, config.width) if config.time else None
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.norm = nn.RMSNorm(config.width)
        self.head = nn.Linear(config.width, config.vocab_size)
        self.control = nn.Linear(config.width, 3) if config.controls else None
        cos, sin = rotary_tables(config.length, config.width // config.heads, config.base)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator | None) -> None:
        with torch.no_grad():
            for name, weight in self.named_parameters():
                if name.startswith(("head", "control")) or name.endswith("bias"):
                    weight.zero_()
                elif weight.ndim == 2:
                    deep = name.endswith(("out.weight", "down.weight"))
                    scale = 0.4 if name.startswith("embed") else weight.shape[1] ** -0.5
                    weight.normal_(generator=generator)
                    weight.mul_(scale / (2 * self.config.layers) ** 0.5 if deep else scale)
            if self.control is not None:
                self.control.bias.fill_(-2.0)  # Yang et al. 2025, official configuration

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())

    def forward(
        self, tokens: Int[Tensor, "batch L"], t: Float[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "b L V"] | tuple[Float[Tensor, "b L V"], Float[Tensor, "b L 3"]]:
        """Logits in the dtype of the weights (or of autocast); with controls, those of the bits as well.

        With controls a token EMPTY = -2 is padding: no other position attends to it, its own logits mean nothing.
        """
        if self.config.causal:
            tokens = torch.cat([torch.full_like(tokens[:, :1], -1), tokens[:, :-1]], dim=1)
        x = self._features(tokens, 0, None, t)
        return self.head(x) if self.control is None else (self.head(x), self.control(x))

    def step(self, tokens: Int[Tensor, " batch"], position: int, cache: list) -> Float[Tensor, "batch V"]:
        """Logits of x_position; `tokens` holds x_{position-1} (anything at position 0), `cache` the keys and values.

        O(position) per call. Start with cache = model.new_cache().
        """
        if not self.config.causal:
            raise ValueError("step needs causal = True; a bidirectional model has no cache")
        start = torch.full_like(tokens, -1) if position == 0 else tokens
        return self.head(self._features(start[:, None], position, cache, None))[:, 0]

    def new_cache(self) -> list:
        return [[] for _ in self.blocks]

    def _features(self, tokens: Tensor, first: int, cache: list | None, t: Tensor | None) -> Tensor:
        """(batch, length, width): what the heads read."""
        if first + tokens.shape[1] > self.config.length:
            raise ValueError(
                f"tokens reach position {first + tokens.shape[1]}, the model has length {self.config.length}"
            )
        x = self.embed(torch.where(tokens < 0, self.config.vocab_size, tokens))
        if self.time is not None:
            if t is None:
                t = (tokens < 0).float().mean(dim=1)
            x = x + self.time(t[:, None].to(x.dtype))[:, None]
        last = first + tokens.shape[1]
        cos, sin = self.cos[first:last].to(x.dtype), self.sin[first:last].to(x.dtype)
        real = None
        if self.config.controls:  # a padding query sees all it may, itself included: no row is empty
            real = (tokens != EMPTY)[:, None, None, :] | (tokens == EMPTY)[:, None, :, None]
        for k, block in enumerate(self.blocks):
            x = block(x, cos, sin, None if cache is None else cache[k], real)
        return self.norm(x)


def rotary_tables(length: int, size: int, base: float) -> tuple[Float[Tensor, "L half"], Float[Tensor, "L half"]]:
    """cos and sin of position * base^(-2k/size), k < size/2."""
    frequency = base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency
    return angle.cos().float(), angle.sin().float()


def rotate(x: Float[Tensor, "b h L d"], cos: Float[Tensor, "L half"], sin: Float[Tensor, "L half"]) -> Tensor:
    """Rotate each pair (x_k, x_{k + d/2}) by its angle: inner products depend on differences of positions alone."""
    left, right = x.chunk(2, dim=-1)
    return torch.cat([left * cos - right * sin, right * cos + left * sin], dim=-1)
