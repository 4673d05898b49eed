"""Draw sequences with any unmasking rule. Tokens by inverse CDF in float64; impossible contexts stop the row."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from tqdm import tqdm

from toy_models.door import require_denoiser, require_generator, require_pair, require_rule
from toy_models.quantities.intervals import Estimate, clopper_pearson
from toy_models.rules.kinds import EVERY_KIND
from toy_models.rules.protocol import (
    Adaptive,
    Drawn,
    Rule,
    candidate_law,
    is_sampler,
    sees_contents,
    sees_drawn,
    select,
    steps_of,
    takes_noise,
)
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, confidence_level, positive_int

PROGRESS_CELLS = 2**26  # rows * L * V from which a progress bar is shown


@dataclass(frozen=True, eq=False)
class Samples:
    """tokens hold MASK where a stopped row was still masked; steps counts the calls that revealed something.

    >>> samples = tm.sample(tm.repetition(2, 3), tm.RandomOrder([1, 1, 1]), 4, np.random.default_rng(0))
    >>> samples.steps.tolist(), samples.impossible.any().item(), np.ptp(samples.tokens, axis=1).tolist()
    ([3, 3, 3, 3], False, [0, 0, 0, 0])
    """

    tokens: Int[np.ndarray, "size L"]
    steps: Int[np.ndarray, " size"]
    impossible: Bool[np.ndarray, " size"]


def sample(denoiser: Denoiser, rule: Rule, size: int, rng: np.random.Generator) -> Samples:
    """`size` runs of the sampler. A run that reaches an impossible context stops there, flagged; nothing is raised.

    >>> tm.sample(tm.repetition(2, 2), tm.RandomOrder([1, 1]), 3, np.random.default_rng(0)).tokens.tolist()
    [[0, 0], [0, 0], [1, 1]]
    """
    require_denoiser(denoiser)
    length = denoiser.length
    require_rule(rule, length, EVERY_KIND)
    positive_int("size", size)
    require_generator(rng)
    if is_sampler(rule):
        return rule.draw(denoiser, size, rng)
    y = np.full((size, length), MASK, dtype=np.int64)
    calls = np.zeros(size, dtype=np.int64)
    stopped = np.zeros(size, dtype=bool)
    plan = None if sees_contents(rule) else steps_of(rule, size, length, rng)
    steps = None if plan is None else np.unique(plan)
    show = size * length * denoiser.vocab_size >= PROGRESS_CELLS
    with tqdm(total=length, desc="unmasking", unit="token", disable=not show or None) as bar:
        for j in range(length if steps is None else len(steps)):
            wanted = (y == MASK) if steps is None else (plan == steps[j])
            rows = np.flatnonzero(wanted.any(axis=1) & ~stopped)
            if len(rows) == 0:
                continue
            marginals = denoiser.marginals(y[rows], on_impossible="nan")
            dead = np.isnan(marginals).any(axis=(1, 2))
            stopped[rows[dead]] = True
            rows, marginals = rows[~dead], marginals[~dead]
            calls[rows] += 1
            masks = (y[rows] == MASK).sum()
            if sees_contents(rule):
                y[rows] = write_call(rule, y[rows], marginals, rng)
            else:
                y[rows] = write_tokens(y[rows], marginals, wanted[rows], rng)
            bar.update((masks - (y[rows] == MASK).sum()) / size)
    return Samples(y, calls, stopped)


def write_call(
    rule: Adaptive | Drawn,
    y: Int[np.ndarray, "rows L"],
    marginals: Float[np.ndarray, "rows L V"],
    rng: np.random.Generator,
) -> Int[np.ndarray, "rows L"]:
    """`y` after one call of a rule that looks at marginals, or at candidates drawn at every mask."""
    masked = y == MASK
    if sees_drawn(rule):
        drawn = write_tokens(y, candidate_law(rule, marginals), masked, rng)
        noise = 1.0 - rng.random(masked.shape) if takes_noise(rule) else None  # in (0, 1]
        return np.where(select(rule, marginals, masked, drawn, noise), drawn, y)
    return write_tokens(y, marginals, select(rule, marginals, masked), rng)


def write_tokens(
    y: Int[np.ndarray, "rows L"],
    marginals: Float[np.ndarray, "rows L V"],
    selected: Bool[np.ndarray, "rows L"],
    rng: np.random.Generator,
) -> Int[np.ndarray, "rows L"]:
    """`y` with the selected positions drawn independently from their marginals: smallest v with cdf(v) > u.

    >>> p, rng = np.array([[[1.0, 0.0], [0.0, 1.0]]]), np.random.default_rng(0)
    >>> tm.quantities.write_tokens(np.array([[-1, -1]]), p, np.array([[True, False]]), rng).tolist()
    [[0, -1]]
    """
    cdf = np.cumsum(marginals[selected], axis=1)
    uniform = rng.random((len(cdf), 1)) * cdf[:, -1:]
    result = y.copy()
    result[selected] = (cdf <= uniform).sum(axis=1)
    return result


def estimate_sequence_error(
    target: Target,
    rule: Rule,
    size: int,
    rng: np.random.Generator,
    confidence: float = 0.99,
    denoiser: Denoiser | None = None,
) -> Estimate:
    """Share of sampled sequences outside the support of q, with its Clopper-Pearson interval -> Estimate.

    >>> rng, rule = np.random.default_rng(0), tm.bisection(4)
    >>> float(tm.quantities.estimate_sequence_error(tm.repetition(2, 4), rule, 16, rng).value)  # exact on a chain
    0.0
    """
    confidence_level(confidence)
    runs = sample(require_pair(target, denoiser), rule, size, rng)
    whole = ~runs.impossible
    wrong = int((~whole).sum() + np.isneginf(target.log_prob(runs.tokens[whole])).sum())
    return clopper_pearson(wrong, size, confidence)
