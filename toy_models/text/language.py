"""A text's language at a length: the fitted target, its bigram support, its information curve, how sure all this is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from toy_models.errors import IntractableError
from toy_models.quantities.information_curve import curve_rows, information_curve
from toy_models.quantities.sampled_curve import SampledCurve
from toy_models.targets.hmm import HMM
from toy_models.targets.markov import MarkovChain
from toy_models.targets.ngram import NGram
from toy_models.text.baum_welch import fit_hmm
from toy_models.text.ngram_fit import MAX_ORDER, OrderScore, held_out_split, interpolated, order_scores, seen_pairs
from toy_models.text.reading import Text
from toy_models.validation import positive_int

EASY_WORK = 2**21  # V^n L of an order that is taken by itself
MOST_WORK = 2**26  # and of one that is asked for: minutes
CONFIDENCE = 0.99
HMM_TOKENS = 2**17  # Baum-Welch reads at most so many


@dataclass(frozen=True, eq=False)
class Language:
    """What was fitted. `target` gives the costs, `pairs` (the bigram language of seen pairs) the sequence error.

    scores: held-out against fitted log-likelihood of every order tried, or of the HMM (order 0); best: the order with
    the largest held-out one; used: the order of `target` (None for an HMM).
    """

    target: NGram | HMM
    pairs: MarkovChain
    curve: SampledCurve
    scores: tuple[OrderScore, ...]
    best: int
    used: int | None
    states: int | None

    @property
    def name(self) -> str:
        """order-n language, or S-state hidden Markov language."""
        return f"order-{self.used} language" if self.used else f"{self.states}-state hidden Markov language"


def fit_language(
    text: Text,
    length: int,
    rng: np.random.Generator,
    order: int | None = None,
    states: int | None = None,
    rows: int = 48,
) -> Language:
    """The n-gram of the text with the best held-out likelihood (or of the given order, or an HMM) at `length`.

    Orders above 2 have no closed-form curve: g is estimated from `rows` sequences. By itself the choice stops at
    V^n L <= 2^21 and at one context per token; an `order` that is given may reach 2^26.

    >>> text = tm.text.Text((np.arange(400) % 2,), ("a", "b"), "tokens", 1.0, "abab")
    >>> language = tm.text.fit_language(text, 4, np.random.default_rng(0), order=2)
    >>> language.pairs.transition.tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    length, rows = positive_int("length", length), positive_int("rows", rows, 2)
    require_enough(text, length)
    pairs, _ = seen_pairs(text.rows, text.vocab_size, length)
    if states is not None:
        return _hidden(text, length, rng, positive_int("states", states), pairs, rows)
    v = text.vocab_size
    if order is not None and not 1 <= order <= min(MAX_ORDER, length + 1):
        raise ValueError(f"order = {order}, allowed: 1..{min(MAX_ORDER, length + 1)}")
    if order is not None and order > 2 and v**order * length > MOST_WORK:
        size = f"V^n L = {v}^{order} * {length} = {v**order * length:.2g}"
        raise IntractableError(
            "costs on an n-gram of a text", size, f"V^n L <= {MOST_WORK}", "lower the order or the length"
        )
    tried = max(n for n in range(1, MAX_ORDER + 1) if n <= 2 or (v ** (n - 1) <= text.size and n <= length + 1))
    scores = tuple(order_scores(text.rows, v, max(tried, order or 1)))
    if order is not None and order not in [score.order for score in scores]:
        largest = scores[-1].order
        raise ValueError(f"order = {order}, allowed: 1..{largest}, what the held-out blocks of {text.source} can judge")
    best = max(scores, key=lambda score: score.held_out).order
    easy = [s for s in scores if s.order <= 2 or v**s.order * length <= EASY_WORK]
    used = order if order is not None else max(easy, key=lambda score: score.held_out).order
    conditional = interpolated(text.rows, used, v)
    target = NGram(conditional, length)
    curve = information_curve(target)[None] if used <= 2 else curve_rows(target, rows, rng)
    return Language(target, pairs, SampledCurve(curve), scores, best, used, None)


def require_enough(text: Text, length: int) -> None:
    """Refuse a text of one symbol, and one shorter than the length or than what fitting and judging take."""
    if text.used < 2:
        raise ValueError(f"{text.source} holds one symbol only, a language needs two")
    if text.size < length:
        raise ValueError(f"{text.source} has {text.size} tokens, fewer than the length {length}; lower --length")
    longest = max(map(len, text.rows))
    if longest < length:
        found = f"the longest sequence of {text.source} has {longest} tokens"
        raise ValueError(f"{found}, fewer than the length {length}; lower --length")
    if text.size < 200:
        raise ValueError(
            f"{text.source} has {text.size} tokens, at least 200 are needed to fit a language and to judge it"
        )


def _hidden(text: Text, length: int, rng, states: int, pairs: MarkovChain, rows: int) -> Language:
    fitted, held_out = (_windows(part, length) for part in held_out_split(text.rows))
    if not len(fitted) or not len(held_out):
        raise ValueError(f"{text.source} has no held-out block of {length} tokens; lower --length")
    model = fit_hmm(fitted, states, text.vocab_size, rng).model
    score = OrderScore(0, *(float(model.log_prob(part).mean() / length) for part in (fitted, held_out)))
    curve = SampledCurve(curve_rows(model, max(rows, 128), rng))
    return Language(model, pairs, curve, (score,), 0, None, states)


def _windows(rows: Sequence[Int[np.ndarray, "_"]], length: int) -> Int[np.ndarray, "rows L"]:
    """Disjoint stretches of `length` tokens, at most HMM_TOKENS tokens, evenly taken."""
    whole = [row[: len(row) // length * length].reshape(-1, length) for row in rows if len(row) >= length]
    if not whole:
        return np.empty((0, length), dtype=np.int64)
    table = np.concatenate(whole)
    return table[:: max(1, table.size // HMM_TOKENS)]
