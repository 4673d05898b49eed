"""The rules by their definitions, in exact arithmetic, against the library: what the sweeps stand on."""

from collections.abc import Callable
from functools import cmp_to_key
from itertools import product

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.entropy_bound.checks.instances import ROUNDING, laws, oracle, table_of
from theory.entropy_bound.results import PROXIES, Results, text_kl
from theory.ledger.registry import Outcome, check, control, decide, definition
from toy_models.exact import LogSum
from toy_models.exact import trajectories as exact
from toy_models.rules.entropy_bounded import prefix_excess
from toy_models.rules.proxies import proxy_scores

SHAPES = ((3, 3), (2, 4), (4, 2))  # three and more symbols, where the proxies differ
RULES = (
    *[tm.EntropyBounded(g, p) for g, p in product((0.0, 0.25, 0.75), PROXIES)],
    *[tm.TopK(k, p) for k, p in product((1, 2), PROXIES)],
    *[tm.Threshold(v, p) for v, p in product((0.375, 0.625), PROXIES)],
)


def dyadic(value: float) -> fmpq:
    return fmpq(*float(value).as_integer_ratio())


def ease(law: list[fmpq], proxy: str) -> LogSum:
    """The proxy of one token, smaller is easier: -max p, H, -(largest - second largest)."""
    if proxy == "entropy":
        return exact.entropy_of(law)
    largest, second = sorted(law)[:-3:-1]
    return LogSum((), -largest if proxy == "confidence" else second - largest)


def ranked(tokens: dict[int, list[fmpq]], proxy: str) -> list[int]:
    """Positions by ascending proxy, ties by position; equality of two sums of logarithms is decided."""

    def compare(i: int, j: int) -> int:
        return (ease(tokens[i], proxy) - ease(tokens[j], proxy)).sign() or i - j

    return sorted(tokens, key=cmp_to_key(compare))


def by_definition(rule, tokens: dict[int, list[fmpq]]) -> tuple[int, ...]:
    """The positions that TopK, Threshold or EntropyBounded reveals, from the law of each masked token."""
    order = ranked(tokens, rule.proxy)
    if isinstance(rule, tm.TopK):
        return tuple(sorted(order[: rule.k]))
    if isinstance(rule, tm.Threshold):
        bar = LogSum((), dyadic(rule.value) if rule.proxy == "entropy" else -dyadic(rule.value))
        return tuple(sorted({order[0], *(i for i in order if (ease(tokens[i], rule.proxy) - bar).sign() <= 0)}))
    kept, total, top = [], LogSum(), LogSum()
    for i in order:
        h = exact.entropy_of(tokens[i])
        total, top = total + h, h if (h - top).sign() > 0 else top
        if (total - top - LogSum((), dyadic(rule.gamma))).sign() > 0:
            break
        kept.append(i)
    return tuple(sorted(kept))


def chooser(law: exact.RationalLaw, rule) -> Callable[[exact.State], exact.Subset]:
    memory: dict[exact.State, exact.Subset] = {}

    def choose(y: exact.State) -> exact.Subset:
        if y not in memory:
            memory[y] = by_definition(rule, {i: law.marginal(y, i) for i in exact.masked(y)})
        return memory[y]

    return choose


def random_tokens(seed: int, count: int, length: int = 6) -> list[tuple[int, dict[int, list[fmpq]]]]:
    """(V, the law of each masked token) of `count` rows, with repeated laws in another order: exact ties."""
    rng, rows = np.random.default_rng(seed), []
    for k in range(count):
        size = 2 + k % 4
        known = [rng.integers(0, 9, size) + np.eye(size, dtype=int)[rng.integers(size)] for _ in range(length - 2)]
        drawn = [rng.permutation(known[int(rng.integers(len(known)))]) for _ in range(length)]
        masked = sorted(rng.choice(length, length - 1, replace=False))
        rows.append((size, {int(i): [fmpq(int(w), int(drawn[i].sum())) for w in drawn[i]] for i in masked}))
    return rows


def floats(size: int, tokens: dict[int, list[fmpq]], length: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """The same as one row of marginals and its mask; revealed positions are one-hot."""
    marginals = np.eye(size)[np.zeros(length, dtype=int)][None]
    for i, law in tokens.items():
        marginals[0, i] = [float(p) for p in law]
    return marginals, np.isin(np.arange(length), list(tokens))[None]


def same_choices(rules, rows) -> list[bool]:
    return [
        by_definition(rule, tokens) == tuple(np.flatnonzero(rule.select(*floats(size, tokens))[0]))
        for (size, tokens), rule in product(rows, rules)
    ]


@definition("eb-largest-set", tier="rational")
def entropy_bounded_by_definition(results: Results) -> Outcome:
    """tm.EntropyBounded reveals the longest prefix with sum H - max H <= gamma, on exact laws with exact ties."""
    found = same_choices([r for r in RULES if isinstance(r, tm.EntropyBounded)], random_tokens(21, 24))
    return decide(all(found), len(found), note="three proxies, three gamma, V = 2..5")


@definition("optimal-front", tier="rational")
def every_rule_by_definition(results: Results) -> Outcome:
    """tm.TopK: the k easiest; tm.Threshold: all that pass, or the easiest; tm.EntropyBounded: the longest prefix."""
    found = same_choices(RULES, random_tokens(22, 16))
    return decide(all(found), len(found), note="what the rules reveal, decided in exact arithmetic")


def gaps_of_replay(rule, law: exact.RationalLaw) -> list[float]:
    """Differences of tm.rules.evaluate_rule and the law of the written text from the same sums over exact visits."""
    choose, table = chooser(law, rule), table_of(law)
    found, bound, calls, multi = tm.rules.evaluate_rule(table, rule), LogSum(), fmpq(0), fmpq(0)
    for y, subset, weight in exact.visits(law, choose):
        alone = [exact.entropy_of(law.marginal(y, i)) for i in subset]
        top = max(alone, key=float)
        bound = bound + (sum(alone, LogSum()) - top).scaled(weight)
        calls, multi = calls + weight, multi + (weight if len(subset) > 1 else 0)
    kl = exact.divergence(law.pmf, exact.propagate(oracle(law), choose, law.vocab_size, law.length))
    pairs = [(found.kl, kl), (found.joint_dependence, kl), (found.bound, bound)]
    pairs += [(found.calls, calls), (found.multi_calls, multi), (text_kl(table, rule), kl)]
    return [abs(value - float(truth)) for value, truth in pairs]


@definition("optimal-front", tier="float64")
def points_by_definition(results: Results) -> Outcome:
    """KL, calls, calls of two and more, and bound of every rule = sums over exact visits of the rule's definition."""
    gaps = [max(gaps_of_replay(rule, law)) for law, rule in product(laws(23, 3, SHAPES), RULES)]
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "replay against rational trajectories")


@definition("eb-kl-gamma", tier="float64")
def sides_by_definition(results: Results) -> Outcome:
    """Both sides of KL <= gamma E[multi-token calls], from evaluate_rule, = their definitions on exact laws."""
    rules = [r for r in RULES if isinstance(r, tm.EntropyBounded) and r.gamma > 0]
    gaps = [max(gaps_of_replay(rule, law)) for law, rule in product(laws(24, 3, SHAPES), rules)]
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "replay against rational trajectories")


@definition("eb-monotone", tier="float64")
def the_code_sums_the_minima(results: Results) -> Outcome:
    """prefix_excess of a batch = sum - max of every prefix, row by row, and never falls in floats."""
    h = np.random.default_rng(25).random((60, 9)) ** 3
    own = [[row[: k + 1].sum() - row[: k + 1].max() for k in range(9)] for row in h]
    b = prefix_excess(h)
    gap = float(np.abs(b - own).max())
    return decide(gap < 1e-13 and bool((np.diff(b, axis=1) >= 0).all() and (b[:, 0] == 0).all()), b.size, gap)


@check("eb-binary-proxies", tier="rational")
def library_ranks_two_symbols_alike(results: Results) -> Outcome:
    """V = 2: tm.TopK(k) reveals the same set by confidence, entropy and margin, ties included, on rows of k/32."""
    rng, found = np.random.default_rng(26), []
    for _ in range(40):
        tokens = {i: [fmpq(int(k), 32), fmpq(32 - int(k), 32)] for i, k in enumerate(rng.integers(0, 33, 6))}
        for k in (1, 2, 4):
            chosen = [tm.TopK(k, p).select(*floats(2, tokens))[0].tolist() for p in PROXIES]
            found.append(chosen[0] == chosen[1] == chosen[2])
    return decide(all(found), len(found), note="by the library's proxies")


@definition("eb-binary-proxies", tier="float64")
def library_proxies_by_definition(results: Results) -> Outcome:
    """proxy_scores = -max p, H, -(largest - second largest) of exact laws, V = 2..5."""
    gaps = []
    for size, tokens in random_tokens(27, 12):
        marginals, _ = floats(size, tokens)
        for proxy in PROXIES:
            scores = proxy_scores(marginals, proxy)[0]
            gaps += [abs(scores[i] - float(ease(law, proxy))) for i, law in tokens.items()]
    return decide(max(gaps) < 1e-14, len(gaps), max(gaps))


@control("eb-binary-proxies", tier="rational")
def library_ranks_three_symbols_alike(results: Results) -> Outcome:
    """V = 3: confidence, entropy and margin would reveal the same first token."""
    tokens = {0: [fmpq(1, 2), fmpq(1, 2), fmpq(0)], 1: [fmpq(3, 5), fmpq(1, 5), fmpq(1, 5)]}
    first = {p: int(np.flatnonzero(tm.TopK(1, p).select(*floats(3, tokens, 2))[0])[0]) for p in PROXIES}
    return decide(len(set(first.values())) == 1, 1, note=f"(1/2, 1/2, 0) against (3/5, 1/5, 1/5): {first}")
