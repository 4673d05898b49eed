"""The opening notebook: one sampler run on real text, and one exact law."""

from dataclasses import dataclass

import numpy as np

import toy_models as tm
from theory.perplexity.results import uniform
from toy_models.quantities.lattice import to_table
from toy_models.quantities.sampling import write_tokens
from toy_models.schedules.optimal import sizes_cost
from toy_models.schedules.sizes import even_split_sizes
from toy_models.targets.protocol import Target
from toy_models.validation import MASK


@dataclass(frozen=True, eq=False)
class Curve:
    """The information curve of a language, and sizes of steps with their cost in nats per token."""

    language: str
    g: np.ndarray
    sizes: dict[str, np.ndarray]
    lost: dict[str, float]


@dataclass(frozen=True, eq=False)
class Results:
    trace: np.ndarray  # (steps + 1, L) tokens, MASK where masked
    attempts: int  # runs until one was completed
    language: str
    words: tuple[str, ...]  # all 81 sequences of the small chain: the possible ones first, then the impossible ones
    target: np.ndarray  # (words,), decreasing
    written: np.ndarray  # (steps, words): exact law of what the sampler writes
    stuck: np.ndarray  # (steps,): mass of runs that meet an impossible context and write no word
    steps: tuple[int, ...]
    kl: np.ndarray
    sequence_error: np.ndarray
    curves: tuple[Curve, ...]


def results(profile: str, rng: np.random.Generator, corpus: str = "") -> Results:
    chain = tm.MarkovChain([[0.9, 0.1, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 4)
    q = to_table(chain).pmf.ravel()
    steps = (1, 2, 4, 16)
    laws = [tm.sampler_law(chain, uniform(n)) for n in steps]
    written = np.array([law.pmf.ravel() for law in laws])
    order = np.lexsort((-written[1], -q.round(12)))  # by q, and impossible words by what two steps write
    words = tuple("".join("abc"[k] for k in np.unravel_index(w, (3,) * 4)) for w in order)
    trace, attempts = fill_text(tm.corpus.language(3, 56, corpus), 8, rng)
    return Results(
        trace=trace,
        attempts=attempts,
        language="3-gram language of English text",
        words=words,
        target=q[order],
        written=written[:, order],
        stuck=np.array([law.impossible for law in laws]),
        steps=steps,
        kl=np.array([tm.marginal_kl(chain, uniform(n)) for n in steps]),
        sequence_error=np.array([tm.sequence_error(chain, uniform(n)) for n in steps]),
        curves=tuple(curve(name, target, 6) for name, target in curve_languages(48, corpus)),
    )


def curve_languages(length: int, corpus: str) -> tuple[tuple[str, Target], ...]:
    return (
        ("English bigrams" if not corpus else "bigrams of your text", tm.corpus.language(2, length, corpus)),
        ("two letters, change with .01", tm.MarkovChain([[0.99, 0.01], [0.01, 0.99]], length)),
    )


def curve(name: str, target: Target, steps: int) -> Curve:
    """g(k), and what even and the best sizes lose: sum over the steps of s_j g(N_j), less the sum of g."""
    g = tm.information_curve(target)
    sizes = {"even": even_split_sizes(target.length, steps), "best": tm.optimal_sizes(g, steps)}
    lost = {kind: sizes_cost(g, s) / target.length for kind, s in sizes.items()}
    return Curve(f"{name}, L = {target.length}", g, sizes, lost)


def fill_text(target, steps: int, rng: np.random.Generator, attempts: int = 50) -> tuple[np.ndarray, int]:
    """The first run that is completed: (steps + 1, L) tokens after 0, ..., steps steps, and how many runs it took.

    A run that reaches an impossible context stops there and is given up.
    """
    rows, attempt = [], 0
    while len(rows) != steps + 1 and attempt < attempts:
        attempt += 1
        plan = uniform(steps).draw_steps(1, target.length, rng)
        rows = [np.full((1, target.length), MASK, dtype=np.int64)]
        for j in range(steps):
            marginals = target.marginals(rows[-1], on_impossible="nan")
            if np.isnan(marginals).any():
                break
            rows.append(write_tokens(rows[-1], marginals, plan == j, rng))
    return np.concatenate(rows), attempt
