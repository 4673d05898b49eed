"""Deterministic rules replayed along data with a network: exact log-likelihood of every text, and the calls it took.

Given a text x the rule's revealed sets are a function of x, so log p(x) is the sum of log p(x_i | revealed before i)
along one run, and a difference of two rules is a difference of KL(q || p) although q and its entropy are unknown.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from tqdm import tqdm

from toy_models.door import require_denoiser, require_rule
from toy_models.networks.network_denoiser import NetworkDenoiser
from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.rules.kinds import ADAPTIVE
from toy_models.rules.protocol import Adaptive, Rule
from toy_models.rules.protocol import select as checked_select
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, tokens

CELLS = 2**24  # marginals of one look, rows * L * V: float64 where one row fits, else float32


@dataclass(frozen=True, eq=False)
class Replayed:
    """log_likelihood: log p(x) of each text, nats. calls: forward passes that each text took.

    >>> from toy_models.networks import replay
    >>> ran = replay(tm.pairs(2, 4), tm.TopK(2), np.array([[0, 2, 1, 3]]))
    >>> ran.calls.tolist(), (ran.log_likelihood / np.log(2)).round(12).tolist()
    ([2], [-4.0])
    """

    log_likelihood: Float[np.ndarray, " rows"]
    calls: Int[np.ndarray, " rows"]
    length: int

    def per_token(self, confidence: float = 0.99) -> Estimate:
        """E -log p(X) / L, nats per token (Student, asymptotic)."""
        return student_interval(-self.log_likelihood / self.length, confidence)

    def mean_calls(self, confidence: float = 0.99) -> Estimate:
        return student_interval(self.calls.astype(np.float64), confidence)

    def against(self, other: "Replayed | Float[np.ndarray, ' rows']", confidence: float = 0.99) -> Estimate:
        """KL(q || p) / L of this rule minus that of `other`: a replay of the same texts, or their -log p(x) / L."""
        theirs = -other.log_likelihood / other.length if isinstance(other, Replayed) else np.asarray(other)
        return student_interval(-self.log_likelihood / self.length - theirs, confidence)


def replay(denoiser: Denoiser, rule: Rule, x: Int[np.ndarray, "rows L"]) -> Replayed:
    """Run the adaptive `rule` with `denoiser` along each row of x; -inf where the denoiser excludes a text.

    The rule sees marginals in float64, or in float32 where one text has more than 2^24 of them. Cost: the calls.
    """
    require_denoiser(denoiser)
    adaptive = require_rule(rule, denoiser.length, (ADAPTIVE,))
    x = tokens(x, denoiser.vocab_size, denoiser.length, masks=False)
    at_once = max(1, CELLS // (denoiser.length * denoiser.vocab_size))
    y, calls = np.full_like(x, MASK), np.zeros(len(x), dtype=np.int64)
    log_p = np.zeros(len(x))
    with tqdm(total=x.size, desc="replay", unit="token", leave=False, delay=3, disable=None) as bar:
        while (live := np.flatnonzero((y == MASK).any(axis=1))).size:
            for rows in np.array_split(live, -(-len(live) // at_once)):
                chosen, scored = _look(denoiser, adaptive, y[rows], x[rows])
                log_p[rows] += np.where(chosen, scored, 0.0).sum(axis=1)
                y[rows] = np.where(chosen, x[rows], y[rows])
                bar.update(int(chosen.sum()))
            calls[live] += 1
    return Replayed(log_p, calls, denoiser.length)


def _look(
    denoiser: Denoiser, rule: Adaptive, y: Int[np.ndarray, "rows L"], x: Int[np.ndarray, "rows L"]
) -> tuple[Bool[np.ndarray, "rows L"], Float[np.ndarray, "rows L"]]:
    """(positions that the rule reveals, log p(x_i | y)) from one forward pass."""
    masked = y == MASK
    if not isinstance(denoiser, NetworkDenoiser):
        p = denoiser.marginals(y)
        with np.errstate(divide="ignore"):
            scored = np.log(np.take_along_axis(p, x[:, :, None], axis=2)[..., 0])
        return checked_select(rule, p, masked), scored
    shown, truth = (torch.as_tensor(part, device=denoiser.device) for part in (y, x))
    kind = torch.float64 if x.size * denoiser.vocab_size <= CELLS else torch.float32
    laws = torch.zeros(*shown.shape, denoiser.vocab_size, dtype=kind, device=shown.device)
    laws.scatter_(2, shown.clamp(min=0)[:, :, None], 1.0)
    scored = torch.zeros(shown.shape, dtype=torch.float64, device=shown.device)
    for rows, where, logs in denoiser.log_laws(shown, shown == MASK):
        row, position = rows[where[:, 0]], where[:, 1]
        laws[row, position] = logs.exp().to(kind)
        scored[row, position] = logs.gather(1, truth[row, position][:, None])[:, 0]
    if kind == torch.float64:
        return checked_select(rule, laws.cpu().numpy(), masked), scored.cpu().numpy()
    chosen = rule.select(laws, torch.as_tensor(masked, device=shown.device))
    return chosen.cpu().numpy() & masked, scored.cpu().numpy()
