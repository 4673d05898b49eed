"""What N calls cost on a text's language: excess nats per token and sequence error of the schedules people use.

excess: KL of the joint laws of (text, order) over L, an upper bound on what the written text loses (trajectory KL).
written: KL(q || p) / L of the law p that is written, where it can be had: exactly for tiny languages, by enumeration;
for bigram languages under uniform independent reveal in N slots, log p(x) exact and x sampled.
sequence_error: of independent reveal with sizes / L as probabilities, in N slots of which fewer are calls, on the
bigram language of the pairs that occur in the text.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from tqdm import tqdm

from toy_models.chains.likelihood import gap_log_likelihood
from toy_models.errors import IntractableError
from toy_models.quantities.intervals import Estimate, exactly, student_interval
from toy_models.quantities.token_error import marginal_kl
from toy_models.rules import EntropyBounded, RandomOrder, bisection
from toy_models.rules.replay import replay_rule
from toy_models.schedules.optimal import optimal_sizes
from toy_models.schedules.usual import usual_sizes
from toy_models.targets.protocol import own_route
from toy_models.text.language import CONFIDENCE, Language
from toy_models.text.order_costs import block_costs, draw_deviation, order_cost, over_entropy
from toy_models.text.pair_errors import PairError, sampled_error, uniform_errors, weights_error

SCHEDULES = ("uniform", "cosine", "growing", "optimal")
GAMMAS = tuple(0.1 * 2.0**k for k in range(10, -1, -1))
MOST_STATES = 2**17  # (V+1)^L of a language whose written law is enumerated
MOST_SYMBOLS = 256  # powers of the transition matrix in extended precision
MOST_SLOTS = 64  # searched for a wished sequence error


@dataclass(frozen=True, eq=False)
class StepCost:
    """One schedule, asked for N calls; excess and written in nats per token with 99 % intervals."""

    schedule: str
    asked: int
    calls: float
    sizes: tuple[int, ...] | None
    gamma: float | None
    excess: Estimate
    written: Estimate | None
    error: PairError | None


@dataclass(frozen=True, eq=False)
class StepCosts:
    """All rows; the smallest N per schedule for the wished excess and for the wished sequence error (uniform slots).

    one_call: the sequence error when everything is written in one call.
    block: (block length, calls, excess), a random order in blocks from left to right, near the middle N.
    draw: the standard deviation, nats per token, of one Monte Carlo draw of the random-order bound on -log q(x).

    >>> text = tm.text.Text((np.arange(400) % 2,), ("a", "b"), "tokens", 1.0, "abab")
    >>> language = tm.text.fit_language(text, 4, np.random.default_rng(0), order=2)
    >>> round(tm.text.step_costs(language, [2], np.random.default_rng(0)).one_call.value, 12)  # 1 - 2/16
    0.875
    """

    rows: tuple[StepCost, ...]
    smallest: dict[str, int | None]
    wished_excess: float
    smallest_slots: int | None
    wished_error: float
    one_call: PairError
    block: tuple[tuple[int, int, Estimate], ...]
    draw: float


def sizes_of(schedule: str, steps: int, length: int, language: Language) -> Int[np.ndarray, " N"]:
    """The sizes that are used, without empty steps."""
    if schedule == "optimal":
        return np.asarray(optimal_sizes(language.curve.falling, steps))
    return usual_sizes(schedule, steps, length)


def step_costs(
    language: Language, steps: Iterable[int], rng: np.random.Generator, excess: float = 0.01, error: float = 0.1
) -> StepCosts:
    """Costs of every schedule at every number of calls; `excess` and `error` are the wishes to be met.

    >>> text = tm.text.Text((np.arange(400) % 3 % 2,), ("a", "b"), "tokens", 1.0, "aba")
    >>> language = tm.text.fit_language(text, 8, np.random.default_rng(0), order=1)
    >>> found = tm.text.step_costs(language, [2], np.random.default_rng(0))
    >>> [round(float(row.excess.value), 12) for row in found.rows if row.schedule == "uniform"]  # independent tokens
    [0.0]
    """
    length = language.target.length
    steps = sorted(set(steps))
    if not steps or steps[0] < 1 or steps[-1] > length:
        raise ValueError(f"steps = {','.join(map(str, steps))}, allowed: 1..{length}, the length (one token per call)")
    uniform, route = uniform_errors(language.pairs, max(min(MOST_SLOTS, 2 * length), steps[-1]), steps[-1])
    x = language.target.sample(_texts(language), rng)
    written = _written(language, steps, x)
    rows = []
    for n in steps:
        for schedule in SCHEDULES:
            sizes = sizes_of(schedule, n, length, language)
            if schedule == "uniform" and uniform:
                found = uniform[n - 1]
            else:
                found = weights_error(language.pairs, sizes / length, route, rng)
            kl = written.get(n) if schedule == "uniform" else None
            if (language.target.vocab_size + 1) ** length <= MOST_STATES:
                law = marginal_kl(language.target, RandomOrder(sizes.tolist())) / length
                kl = exactly(law)
            cost = language.curve.excess(sizes)
            rows.append(StepCost(schedule, n, float(len(sizes)), tuple(sizes.tolist()), None, cost, kl, found))
    rows += _entropy_bounded(language, steps, x, rng)
    rows.append(_fixed(language, "halving", bisection(length).draw_steps(len(x), length, rng), x))
    one_by_one = np.broadcast_to(np.arange(length), x.shape)
    rows.append(_fixed(language, "left to right", one_by_one, x))
    middle = steps[len(steps) // 2]
    return StepCosts(
        tuple(rows),
        {s: smallest_calls(language, s, excess) for s in SCHEDULES},
        excess,
        next((e.slots for e in uniform if e.high <= error), None),
        error,
        uniform[0] if uniform else weights_error(language.pairs, np.ones(1), route, rng),
        tuple(block_costs(language, x, middle, rng)),
        draw_deviation(language, x, rng),
    )


def _texts(language: Language) -> int:
    """Sequences along which fixed and adaptive rules are replayed."""
    v, order = language.target.vocab_size, language.used or 1
    return 16 if order > 2 or v > 100 else 96


def smallest_calls(language: Language, schedule: str, wished: float) -> int | None:
    """The smallest N whose excess is at most `wished` nats per token; N = L always serves where 0 does."""
    length = language.target.length

    def serves(n: int) -> bool:
        return float(language.curve.excess(sizes_of(schedule, n, length, language)).value) <= wished + 1e-12

    if schedule != "optimal":
        return next((n for n in range(1, length + 1) if serves(n)), None)
    low, high = 0, length  # the best cost falls with N
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if serves(middle) else (middle, high)
    return high if serves(high) else None


def _written(language: Language, steps: list[int], x) -> dict[int, Estimate]:
    """KL(q || p) / L of uniform independent reveal in N slots, for bigram languages of at most MOST_SYMBOLS symbols."""
    chain = own_route(language.target, "as_chain")
    if chain is None or chain.vocab_size > MOST_SYMBOLS:
        return {}
    try:
        log_p = gap_log_likelihood(chain, steps[-1], x[:24]).log_p
    except IntractableError:
        return {}
    excess = (chain.log_prob(x[:24])[:, None] - log_p) / chain.length
    return {n: student_interval(excess[:, n - 1], CONFIDENCE) for n in steps}


def _entropy_bounded(language: Language, steps: list[int], x, rng) -> list[StepCost]:
    """For each N the gamma of the grid with most calls among those with at most N on average; one row per gamma."""
    found = []
    for gamma in tqdm(GAMMAS, desc="entropy-bounded", unit="gamma", leave=False, delay=3, disable=None):
        ran = replay_rule(language.target, EntropyBounded(gamma), x)
        found.append((float(ran.calls.mean()), gamma, ran))
        if found[-1][0] > steps[-1]:
            break
    rows, taken = [], set()
    for n in steps:
        fitting = [entry for entry in found if entry[0] <= n]
        if not fitting or max(fitting, key=lambda e: e[0])[1] in taken:
            continue
        calls, gamma, ran = max(fitting, key=lambda e: e[0])
        taken.add(gamma)
        cost = over_entropy(language, ran.entropy, x)
        pair = sampled_error(language.pairs, EntropyBounded(gamma), rng)
        rows.append(StepCost("entropy-bounded", n, calls, None, gamma, cost, cost, pair))
    return rows


def _fixed(language: Language, name: str, step, x) -> StepCost:
    """A fixed order: its calls reveal everything in the same sets for every text, so the bound is the written law's."""
    calls = len(np.unique(step[0]))
    nothing = PairError(0.0, 0.0, 0.0, None, float(calls), "exact")
    if calls == x.shape[1] or (name == "halving" and language.used is not None and language.used <= 2):
        cost = exactly(0.0)
        return StepCost(name, calls, float(calls), None, None, cost, cost, nothing)
    cost = order_cost(language, step, x)
    pair = nothing if name == "halving" else None  # halving is exact on a Markov chain
    return StepCost(name, calls, float(calls), None, None, cost, cost, pair)
