"""Were the letters drawn from the marginals that the network gave? One supermartingale for each question.

A letter written at position i after marginals pi is, in a sampler that draws faithfully and chooses positions without
looking at what it drew, one draw from pi_i. For an event of probability p_t given the past and any real l,

    E_l = exp(l * sum X_t - sum log(1 - p_t + p_t e^l))

is a nonnegative martingale that starts at one, so a mixture of E_l over a grid exceeds 1/alpha with probability at most
alpha, at any time (Ville). Two events: the most likely letter was written; a letter of probability <= RARE was.
Two groups: `forced`, where the text had one mask left, so that nothing was left to choose; and `chosen`.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from toy_models.validation import MASK

RARE = 0.1
GRID = np.concatenate([s * np.array([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0]) for s in (-1.0, 1.0)])


@dataclass(eq=False)
class Tally:
    """How often an event came, how often it was promised, and the log of the mixture's members."""

    draws: int = 0
    observed: int = 0
    promised: float = 0.0
    log_e: np.ndarray = field(default_factory=lambda: np.zeros(len(GRID)))

    def add(self, p: Float[np.ndarray, " n"], happened: Bool[np.ndarray, " n"]) -> None:
        self.draws += len(p)
        self.observed += int(happened.sum())
        self.promised += float(p.sum())
        self.log_e += GRID * happened.sum() - np.log1p(p[:, None] * np.expm1(GRID)).sum(axis=0)

    def surprising(self, alpha: float) -> bool:
        """Whether faithful draws would show this with probability at most alpha."""
        top = float(self.log_e.max())
        return top + math.log(float(np.exp(self.log_e - top).mean())) >= -math.log(alpha)

    def excess(self, alpha: float) -> tuple[float, float]:
        """[low, high] of the mean excess of the event over what was promised, each side at alpha (Hoeffding, Azuma)."""
        reach = math.sqrt(math.log(1 / alpha) / (2 * self.draws)) if self.draws else 2.0
        return self.shares[0] - self.shares[1] - reach, self.shares[0] - self.shares[1] + reach

    @property
    def shares(self) -> tuple[float, float]:
        """(observed, promised) share of the event."""
        return self.observed / max(self.draws, 1), self.promised / max(self.draws, 1)


@dataclass(eq=False)
class Draws:
    """The tallies, [group][event]; several: letters written in a call together with others of the same text."""

    likeliest: dict[str, Tally] = field(default_factory=lambda: {"forced": Tally(), "chosen": Tally()})
    rare: dict[str, Tally] = field(default_factory=lambda: {"forced": Tally(), "chosen": Tally()})
    several: int = 0

    def add(
        self,
        before: Int[Tensor, "batch L"],
        laws: Float[Tensor, "batch L V"],
        text: Int[Tensor, "batch L"],
        new: Bool[Tensor, "batch L"],
    ) -> Float[np.ndarray, "batch 2"]:
        """Sums over the letters that each row wrote: -log pi(x), and H(pi), in nats."""
        paid = np.zeros((len(text), 2))
        if not bool(new.any()):
            return paid
        rows, positions = new.nonzero(as_tuple=True)
        letters = text[rows, positions]
        known = letters >= 0
        rows, positions, letters = rows[known], positions[known], letters[known]
        law = laws[rows, positions].double()
        forced = ((before == MASK).sum(dim=1) == 1)[rows].cpu().numpy()
        best, where = law.max(dim=1)
        drawn = law.gather(1, letters[:, None])[:, 0]
        small = torch.where(law <= RARE, law, torch.zeros_like(law)).sum(dim=1).clamp(max=1.0)
        for name, group in (("forced", forced), ("chosen", ~forced)):
            self.likeliest[name].add(best.clamp(max=1.0).cpu().numpy()[group], (letters == where).cpu().numpy()[group])
            self.rare[name].add(small.cpu().numpy()[group], (drawn <= RARE).cpu().numpy()[group])
        self.several += int((new.sum(dim=1)[rows] > 1).sum())
        costs = torch.stack([-drawn.log(), torch.special.entr(law).sum(dim=1)], dim=1)
        np.add.at(paid, rows.cpu().numpy(), costs.cpu().numpy())
        return paid
