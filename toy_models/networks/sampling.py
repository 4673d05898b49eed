"""Every unmasking rule on a torch model, and ancestral sampling of the causal one. Calls are counted."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from toy_models.door import require_rule
from toy_models.networks.data import draw
from toy_models.networks.model import Transformer
from toy_models.networks.posterior import marginals
from toy_models.rules.protocol import Rule, sees_contents
from toy_models.targets.protocol import Target
from toy_models.validation import MASK, positive_int


@dataclass(frozen=True, eq=False)
class Written:
    """tokens hold MASK where a stopped row was still masked; calls: network calls that revealed something."""

    tokens: Int[Tensor, "size L"]
    calls: Int[Tensor, " size"]
    impossible: Bool[Tensor, " size"]


@dataclass(frozen=True, eq=False)
class Network:
    """A torch model as a denoiser on its device: tokens -> softmax(logits) in float64."""

    model: Transformer
    batch: int = 4096  # rows per call

    @property
    def vocab_size(self) -> int:
        return self.model.config.vocab_size

    @property
    def length(self) -> int:
        return self.model.config.length

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def laws(self, y: Int[Tensor, "rows L"]) -> Float[Tensor, "rows L V"]:
        with torch.no_grad():
            parts = [torch.softmax(self.model(part).double(), dim=-1) for part in y.split(self.batch)]
        return torch.cat(parts)

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        """The numpy interface of a denoiser: one-hot where revealed. No context is impossible for a network."""
        tokens = torch.as_tensor(np.asarray(y), device=self.device)
        shown = (tokens[:, :, None] == torch.arange(self.vocab_size, device=self.device)).double()
        return torch.where(tokens[:, :, None] == MASK, self.laws(tokens), shown).cpu().numpy()


@dataclass(frozen=True, eq=False)
class Oracle:
    """The exact denoiser of a target on a device, nan where a context is impossible.

    On a CPU the compiled target.marginals, elsewhere its torch twin.
    """

    target: Target
    device: torch.device

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def laws(self, y: Int[Tensor, "rows L"]) -> Float[Tensor, "rows L V"]:
        if self.device.type == "cpu":
            return torch.from_numpy(self.target.marginals(y.numpy(), on_impossible="nan"))
        return marginals(self.target, y, self.device, on_impossible="nan")


def sample(denoiser: Network | Oracle, rule: Rule, size: int, generator: torch.Generator) -> Written:
    """`size` runs of the sampler with any rule of toy_models.rules; rows at an impossible context stop, flagged.

    Content-free rules draw their partition on the CPU from a numpy generator seeded by `generator`.
    """
    size, device, length = positive_int("size", size), denoiser.device, denoiser.length
    rule = require_rule(rule, length)
    y = torch.full((size, length), MASK, device=device)
    calls = torch.zeros(size, dtype=torch.int64, device=device)
    stopped = torch.zeros(size, dtype=torch.bool, device=device)
    plan = None
    if not sees_contents(rule):
        seed = int(torch.randint(2**62, (1,), generator=generator, device=device))
        plan = torch.as_tensor(np.array(rule.draw_steps(size, length, np.random.default_rng(seed))), device=device)
    steps = range(length) if plan is None else plan.unique().tolist()
    for j in steps:
        wanted = (y == MASK) if plan is None else (plan == j)
        rows = (wanted.any(dim=1) & ~stopped).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        laws = denoiser.laws(y[rows])
        dead = laws.isnan().any(dim=(1, 2))
        stopped[rows[dead]] = True
        rows, laws = rows[~dead], laws[~dead]
        chosen = rule.select(rounded(laws), y[rows] == MASK) if sees_contents(rule) else wanted[rows]
        y[rows] = torch.where(chosen, draw(laws.cumsum(dim=-1), generator), y[rows])
        calls[rows] += 1
    return Written(y, calls, stopped)


def rounded(laws: Float[Tensor, "rows L V"]) -> Float[Tensor, "rows L V"]:
    """Twelve decimals: exact ties, which rules break by position, must survive roundings of the last bit."""
    return laws.round(decimals=12)


def sample_left_to_right(model: Transformer, size: int, generator: torch.Generator) -> Written:
    """Ancestral sampling of the causal model with its key-value cache: L calls, one token each."""
    device = next(model.parameters()).device
    tokens = torch.zeros(size, model.config.length, dtype=torch.int64, device=device)
    cache, last = model.new_cache(), tokens[:, 0]
    with torch.no_grad():
        for i in range(model.config.length):
            law = torch.softmax(model.step(last, i, cache).double(), dim=-1)
            last = draw(law.cumsum(dim=-1), generator)
            tokens[:, i] = last
    calls = torch.full((size,), model.config.length, device=device)
    return Written(tokens, calls, torch.zeros(size, dtype=torch.bool, device=device))
