"""One run of a sampler, call by call: which letters each call wrote."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int

from toy_models.door import require_denoiser, require_rule
from toy_models.quantities.sampling import sample
from toy_models.rules.kinds import EVERY_KIND
from toy_models.rules.protocol import Rule, is_sampler
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK


@dataclass(frozen=True, eq=False)
class Trace:
    """tokens: the text, MASK where the run got stuck; call[i]: the call that wrote position i, -1 for none.

    >>> run = tm.quantities.Trace(np.array([1, 0, 1]), np.array([0, 1, 0]), False)
    >>> run.calls, run.after(1).tolist()
    (2, [1, -1, 1])
    """

    tokens: Int[np.ndarray, " L"]
    call: Int[np.ndarray, " L"]
    stuck: bool

    @property
    def calls(self) -> int:
        """Calls until the last letter stood."""
        return int(self.call.max(initial=-1)) + 1

    def after(self, calls: int) -> Int[np.ndarray, " L"]:
        """The letters that stand after so many calls, MASK elsewhere."""
        return np.where((self.call >= 0) & (self.call < calls), self.tokens, MASK)


class _Watched:
    """A denoiser that remembers what it was asked."""

    def __init__(self, denoiser: Denoiser):
        self.denoiser, self.vocab_size, self.length = denoiser, denoiser.vocab_size, denoiser.length
        self.asked: list[np.ndarray] = []

    def marginals(self, y, on_impossible="raise"):
        self.asked += list(y.copy())
        return self.denoiser.marginals(y, on_impossible)


def trace(denoiser: Denoiser, rule: Rule, rng: np.random.Generator) -> Trace:
    """One run of `rule`; the calls are those in which something is asked, counted from 0.

    ValueError for a rule that draws by itself (remasking, planning, speculative): its questions are not its writes.

    >>> run = tm.quantities.trace(tm.repetition(2, 3), tm.FixedOrder([[2], [0, 1]]), np.random.default_rng(0))
    >>> run.call.tolist(), run.stuck, run.after(1).tolist() == [-1, -1, run.tokens[2]]
    ([1, 1, 0], False, True)
    """
    require_denoiser(denoiser)
    require_rule(rule, denoiser.length, EVERY_KIND)
    if is_sampler(rule):
        raise ValueError(f"rule = {rule}, a trace needs a rule that writes each letter once, when it asks")
    watched = _Watched(denoiser)
    done = sample(watched, rule, 1, rng)
    seen = [*watched.asked, done.tokens[0]]
    call = np.full(denoiser.length, -1)
    for j, (before, after) in enumerate(pairwise(seen)):
        call[(before != after) & (after != MASK)] = j
    return Trace(done.tokens[0], call, bool(done.impossible[0]))
