"""Random small cases against a brute force in logarithms: python -m tests.fuzz --cases 10000 --seed 0

A case is a target, a denoiser, a rule and every route that serves them. Probabilities reach down to 1e-300. The brute
force knows the target by its parameters alone: it lists all texts, adds logarithms, and shares no line with the library
but the rule's choice among given marginals. Counted are wrong numbers, nan, and exceptions that the library does not
announce (anything but IntractableError); a case that fails is printed with its seed, which reproduces it.
"""

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise, product
from math import comb
from pathlib import Path

import numpy as np

import toy_models as tm

CORPUS = Path(__file__).parent / "regressions" / "fuzz" / "seeds.json"
RTOL = 1e-9  # of logarithms and of numbers of order one; chains of 1e3 float operations
ATOL = 1e-10
MAX_TEXTS = 81


def small(rng) -> float:
    """Half the time of order one, else 10^-u with u up to 300."""
    return rng.random() if rng.random() < 0.5 else 10.0 ** -rng.uniform(0, 300)


def simplex(rng, size: int, extreme: bool) -> np.ndarray:
    """A probability vector with zeros, ties and, if `extreme`, entries down to 1e-300."""
    kind = rng.integers(4)
    w = np.array([small(rng) for _ in range(size)]) if extreme else rng.random(size)
    if kind == 0:
        w = w * (rng.random(size) < 0.6)
    elif kind == 1:
        w = np.ones(size)
    w[rng.integers(size)] = 1.0
    return w / w.sum()


def rows(rng, shape: tuple[int, ...], extreme: bool) -> np.ndarray:
    flat = np.array([simplex(rng, shape[-1], extreme) for _ in range(int(np.prod(shape[:-1])))])
    return flat.reshape(shape)


def log(values):
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(values, dtype=float))


def add(logs) -> float:
    """log of a sum, -inf for nothing."""
    logs = [v for v in logs if v > -np.inf]
    top = max(logs, default=-np.inf)
    return top + float(np.log(sum(np.exp(v - top) for v in logs))) if logs else -np.inf


# ---------------------------------------------------------------- targets: the library's object, and log q by hand


def a_table(rng, extreme):
    size, length = _shape(rng)
    pmf = simplex(rng, size**length, extreme).reshape((size,) * length)
    return tm.Table(pmf), {x: float(log(pmf[x])) for x in product(range(size), repeat=length)}


def a_chain(rng, extreme):
    size, length = _shape(rng)
    start, step = simplex(rng, size, extreme), rows(rng, (size, size), extreme)
    law = {
        x: float(log(start[x[0]])) + sum(float(log(step[u, v])) for u, v in pairwise(x))
        for x in product(range(size), repeat=length)
    }
    return tm.MarkovChain(step, length, start), law


def an_ngram(rng, extreme):
    size, length = _shape(rng)
    order = int(rng.integers(1, min(4, length + 2)))
    start = simplex(rng, size ** (order - 1), extreme).reshape((size,) * (order - 1)) if order > 1 else None
    rest = rows(rng, (size,) * order, extreme)
    law = {}
    for x in product(range(size), repeat=length):
        value = float(log(start[x[: order - 1]])) if order > 1 else 0.0
        law[x] = value + sum(float(log(rest[x[i - order + 1 : i + 1]])) for i in range(order - 1, length))
    return tm.NGram(rest, length, start), law


def an_hmm(rng, extreme):
    size, length = _shape(rng)
    states = int(rng.integers(1, 4))
    start, step = simplex(rng, states, extreme), rows(rng, (states, states), extreme)
    emit = rows(rng, (states, size), extreme)
    law = {}
    for x in product(range(size), repeat=length):
        message = [float(log(start[s]) + log(emit[s, x[0]])) for s in range(states)]
        for token in x[1:]:
            message = [
                add([message[r] + float(log(step[r, s])) for r in range(states)]) + float(log(emit[s, token]))
                for s in range(states)
            ]
        law[x] = add(message)
    return tm.HMM(start, step, emit, length), law


def a_code(rng, extreme):
    p, length = [(2, 4), (2, 3), (3, 3), (2, 1), (5, 2)][rng.integers(5)]
    generator = rng.integers(0, p, (int(rng.integers(1, length + 1)), length))
    generator[0, 0] = 1
    words = {tuple(int(t) for t in np.array(u) @ generator % p) for u in product(range(p), repeat=len(generator))}
    law = {x: -float(np.log(len(words))) if x in words else -np.inf for x in product(range(p), repeat=length)}
    return tm.LinearCode(generator, p), law


def a_block(rng, extreme):
    repeats = int(rng.integers(1, 4))
    while True:
        inner, part = (a_table, a_chain, an_hmm)[rng.integers(3)](rng, extreme)
        if len(part) ** repeats <= MAX_TEXTS:
            break
    law = {sum(xs, ()): sum(part[x] for x in xs) for xs in product(part, repeat=repeats)}
    return tm.Blocks(inner, repeats), law


def _shape(rng) -> tuple[int, int]:
    shapes = [(v, n) for v in range(1, 5) for n in range(1, 6) if v**n <= MAX_TEXTS and (v > 1 or n < 4)]
    return shapes[rng.integers(len(shapes))]


TARGETS = (a_table, a_chain, a_chain, an_ngram, an_hmm, a_code, a_block)


# ---------------------------------------------------------------- brute force


@dataclass
class Brute:
    """log q of partial texts, and the conditionals of one denoiser, memoised."""

    law: dict
    size: int
    length: int
    denoise: tuple = ("oracle",)
    contexts: dict = field(default_factory=dict)
    cache: dict = field(default_factory=dict)

    def __post_init__(self):
        parts: dict = {}
        for x, value in self.law.items():
            if value > -np.inf:
                for keep in product((True, False), repeat=self.length):
                    parts.setdefault(tuple(t if k else -1 for t, k in zip(x, keep, strict=True)), []).append(value)
        self.contexts = {y: add(values) for y, values in parts.items()}

    def exact(self, y, i):
        """log q(x_i = v | y) for all v, None where y is impossible."""
        here = self.contexts.get(y)
        if here is None:
            return None
        return np.array([self.contexts.get((*y[:i], v, *y[i + 1 :]), -np.inf) - here for v in range(self.size)])

    def model(self, y):
        """{i: log p(x_i = . | y)} over the masked positions, None where the denoiser knows no law."""
        if y not in self.cache:
            found = {i: self._one(y, i) for i, t in enumerate(y) if t < 0}
            bad = any(v is None for v in found.values()) or (
                self.denoise[0] not in ("parents", "window") and y not in self.contexts
            )
            self.cache[y] = None if bad and found else found
        return self.cache[y]

    def _one(self, y, i):
        kind = self.denoise[0]
        if kind == "parents":
            a = self.denoise[1][i]
            near = tuple(t if j == a else -1 for j, t in enumerate(y))
            return self.exact(near, i)
        if kind == "window":
            near = tuple(t if abs(j - i) <= self.denoise[1] else -1 for j, t in enumerate(y))
            return self.exact(near, i)
        logs = self.exact(y, i)
        if logs is None or kind == "oracle":
            return logs
        if kind == "smoothed":
            share = float(log(self.denoise[1])) - np.log(self.size)
            rest = float(log(1.0 - self.denoise[1]))
            return np.array([add([rest + v, share]) for v in logs])
        powered = np.where(np.isneginf(logs), -np.inf, self.denoise[1] * np.where(np.isneginf(logs), 0.0, logs))
        return powered - add(powered)


def content_free(brute: Brute, mixture):
    """log p(x), log of the mass that stops, E calls (under p), E_q loss, by recursion over partial texts.

    mixture: [(log weight, [(active positions, log chance of revealing s of m)])].
    """
    final: dict = {}
    stopped, calls, loss = [], [], 0.0
    for log_w, stages in mixture:
        mass = {(-1,) * brute.length: log_w}
        data = {(-1,) * brute.length: log_w}  # the same with tokens drawn from q
        for active, chance in stages:
            mass, new = {}, mass
            for y, here in new.items():
                masked = [i for i in active if y[i] < 0]
                logs = brute.model(y)
                if logs is None:
                    stopped.append(here)
                    continue
                calls.append(here + _minus(chance(len(masked), 0)))
                for chosen in product((False, True), repeat=len(masked)):
                    weight = here + chance(len(masked), sum(chosen))
                    if weight == -np.inf:
                        continue
                    spots = [i for i, c in zip(masked, chosen, strict=True) if c]
                    for tokens in product(range(brute.size), repeat=len(spots)):
                        value = weight + sum(logs[i][v] for i, v in zip(spots, tokens, strict=True))
                        if value > -np.inf:
                            z = _write(y, spots, tokens)
                            mass.setdefault(z, []).append(value)
            mass = {y: add(values) for y, values in mass.items()}
            data, loss = _replay_stage(brute, data, active, chance, loss)
        for y, value in mass.items():
            final.setdefault(y, []).append(value)
    texts = {y: add(values) for y, values in final.items()}
    return texts, add(stopped), float(sum(np.exp(calls))), loss


def _replay_stage(brute, data, active, chance, loss):
    """One stage along data: contexts weigh q, the loss is -log p of what is written."""
    fresh: dict = {}
    for y, here in data.items():
        masked = [i for i in active if y[i] < 0]
        logs = brute.model(y)
        for chosen in product((False, True), repeat=len(masked)):
            weight = here + chance(len(masked), sum(chosen))
            spots = [i for i, c in zip(masked, chosen, strict=True) if c]
            if weight == -np.inf:
                continue
            for tokens in product(range(brute.size), repeat=len(spots)):
                z = _write(y, spots, tokens)
                if z in brute.contexts:
                    value = weight + brute.contexts[z] - brute.contexts[y]
                    fresh.setdefault(z, []).append(value)
                    for i, v in zip(spots, tokens, strict=True):
                        loss += np.inf if logs is None or logs[i][v] == -np.inf else -np.exp(value) * logs[i][v]
    return {y: add(values) for y, values in fresh.items()}, loss


def adaptive(brute: Brute, select):
    """The same for a deterministic rule that looks at the marginals."""
    mass, texts, stopped, calls = {(-1,) * brute.length: 0.0}, {}, [], []
    while mass:
        fresh: dict = {}
        for y, here in mass.items():
            logs = brute.model(y)
            if logs is None:
                stopped.append(here)
                continue
            calls.append(here)
            spots = select(y)
            for tokens in product(range(brute.size), repeat=len(spots)):
                value = here + sum(logs[i][v] for i, v in zip(spots, tokens, strict=True))
                if value > -np.inf:
                    z = _write(y, spots, tokens)
                    (fresh if -1 in z else texts).setdefault(z, []).append(value)
        mass = {y: add(values) for y, values in fresh.items()}
    loss = called = 0.0
    data = {(-1,) * brute.length: 0.0}
    while data:
        fresh = {}
        for y, here in data.items():
            logs = brute.model(y)
            called += np.exp(here)
            spots = select(y) if logs is not None else [i for i, t in enumerate(y) if t < 0]
            for tokens in product(range(brute.size), repeat=len(spots)):
                z = _write(y, spots, tokens)
                if z in brute.contexts:
                    for i, v in zip(spots, tokens, strict=True):
                        weight = np.exp(brute.contexts[z])
                        loss += np.inf if logs is None or logs[i][v] == -np.inf else -weight * logs[i][v]
                    if -1 in z:
                        fresh[z] = brute.contexts[z]
        data = fresh
    return {y: add(v) for y, v in texts.items()}, add(stopped), float(sum(np.exp(calls))), loss, called


def _write(y, spots, tokens):
    z = list(y)
    for i, v in zip(spots, tokens, strict=True):
        z[i] = v
    return tuple(z)


def _minus(log_p: float) -> float:
    """log(1 - p)."""
    return -np.inf if log_p >= 0 else float(np.log(-np.expm1(log_p)))


# ---------------------------------------------------------------- denoisers and rules


def a_denoiser(rng, target):
    kind = ("oracle", "oracle", "smoothed", "tempered", "parents", "window")[rng.integers(6)]
    if kind == "smoothed":
        weight = float(rng.choice([0.0, 0.3, 1.0, small(rng)]))
        return tm.Smoothed(target, weight), (kind, weight)
    if kind == "tempered":
        power = float(10.0 ** rng.uniform(-1, 2.5))
        return tm.Tempered(target, power), (kind, power)
    if kind == "parents":
        parents = [int(a) if a != i else -1 for i, a in enumerate(rng.integers(-1, target.length, target.length))]
        return tm.ParentPointer(target, parents), (kind, parents)
    if kind == "window":
        radius = int(rng.integers(0, 3))
        return tm.Windowed(target, radius), (kind, radius)
    return None, (kind,)


def independent(weights):
    """Stages of independent reveal from logs of tail sums."""
    weights = [float(w) for w in weights]
    stages, everything = [], None
    for j, w in enumerate(weights):
        tail = [add([float(log(v)) for v in weights[k:]]) for k in (j, j + 1)]
        reveal = float(log(w)) - tail[0] if w > 0 else -np.inf
        stay = tail[1] - tail[0] if tail[1] > -np.inf else -np.inf
        if tail[0] == -np.inf:
            reveal, stay = -np.inf, 0.0
        stages.append((everything, lambda m, s, r=reveal, k=stay: _times(s, r) + _times(m - s, k)))
    return stages


def _times(count, value):
    return count * value if count else 0.0


def a_rule(rng, length):
    """(rule, mixture for the brute force or None for an adaptive rule)."""
    everything = list(range(length))

    def fill(stages):
        return [(everything if active is None else active, chance) for active, chance in stages]

    kind = rng.integers(9)
    if kind <= 2:
        weights = simplex(rng, int(rng.integers(1, length + 3)), rng.random() < 0.5)
        return tm.IndependentReveal(weights), [(0.0, fill(independent(weights)))]
    if kind == 3:
        rule = tm.ShiftedReveal(int(rng.integers(2, 5)))
        return rule, [(float(np.log(w)), fill(independent(r.weights))) for w, r in rule.mixture(length)]
    if kind == 4:
        cuts = np.sort(rng.integers(0, length + 1, int(rng.integers(0, length + 2))))
        sizes = [int(s) for s in np.diff([0, *cuts, length])]
        fixed = [(everything, lambda m, s, k=k: -float(np.log(comb(m, k))) if s == k <= m else -np.inf) for k in sizes]
        return tm.RandomOrder(sizes), [(0.0, fixed)]
    if kind == 5:
        step = rng.integers(0, length, length)
        blocks = [[int(i) for i in np.flatnonzero(step == j)] for j in range(length)]
        whole = [(block, lambda m, s: 0.0 if s == m else -np.inf) for block in blocks]
        return tm.FixedOrder(blocks), [(0.0, whole)]
    proxy = ("confidence", "entropy", "margin")[rng.integers(3)]
    choices = (
        lambda: tm.TopK(int(rng.integers(1, length + 2)), proxy),
        lambda: tm.EntropyBounded(float(rng.choice([0.0, 0.3, 1.0, np.inf])), proxy),
        lambda: tm.Threshold(float(rng.random()), proxy),
        lambda: tm.SemiAutoregressive(int(rng.integers(1, length + 1)), tm.TopK(1, proxy)),
    )
    return choices[rng.integers(4)](), None


# ---------------------------------------------------------------- one case


class Tie(Exception):
    """Two positions so close that rounding decides which is taken; the case has no single right answer."""


@dataclass
class Report:
    counts: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)

    def fail(self, seed, kind, what, got=None, want=None):
        self.counts[kind] += 1
        self.failures.append((seed, kind, what, got, want))


def same(got: float, want: float) -> bool:
    if np.isinf(want) or np.isinf(got):
        return got == want
    return abs(got - want) <= ATOL + RTOL * abs(want)


def run_case(seed: int, report: Report) -> None:
    """Draw a case from its seed, compare every quantity and every route."""
    rng = np.random.default_rng(seed)
    extreme = rng.random() < 0.6
    target, law = TARGETS[rng.integers(len(TARGETS))](rng, extreme)
    denoiser, description = a_denoiser(rng, target)
    rule, mixture = a_rule(rng, target.length)
    brute = Brute(law, target.vocab_size, target.length, description)
    model = denoiser or target
    texts = np.array(list(law), dtype=np.int64)
    log_q = np.array(list(law.values()))
    name = f"{type(target).__name__} {description} {type(rule).__name__}"

    def check(what, compute, want):
        try:
            got = compute()
        except tm.IntractableError:
            report.counts["refused"] += 1
            return
        except Exception as error:
            report.fail(seed, "exception", f"{name}: {what}: {type(error).__name__}: {error}")
            return
        got, want = np.atleast_1d(np.asarray(got, dtype=float)), np.atleast_1d(np.asarray(want, dtype=float))
        report.counts["numbers"] += got.size
        if np.isnan(got).any():
            report.fail(seed, "nan", f"{name}: {what}", got, want)
        elif got.shape != want.shape or not all(map(same, got.ravel(), want.ravel())):
            k = next((k for k in range(got.size) if not same(got.flat[k], want.flat[k])), 0)
            report.fail(seed, "wrong", f"{name}: {what} [{k}]", got.flat[k], want.flat[k])

    entropy = float(-sum(np.exp(v) * v for v in log_q if v > -np.inf))
    check("log_prob", lambda: target.log_prob(texts), log_q)
    check("entropy", target.entropy, entropy)
    y = np.array(list(product(range(-1, target.vocab_size), repeat=target.length)), dtype=np.int64)
    y = y[rng.permutation(len(y))[:20]]
    wanted = [brute.model(tuple(int(t) for t in row)) for row in y]
    try:
        found = model.marginals(y, on_impossible="nan")
    except Exception as error:
        report.fail(seed, "exception", f"{name}: marginals: {type(error).__name__}: {error}")
        return
    for row, want, got in zip(y, wanted, found, strict=True):
        if want is None:
            if (row < 0).any() and not np.isnan(got[row < 0]).all():
                report.fail(seed, "wrong", f"{name}: marginals of impossible {row}")
        elif want:
            index = sorted(want)
            check(f"marginals {row}", lambda g=got, k=index: g[k], np.exp([want[i] for i in index]))

    if mixture is None:
        try:
            p, stop, calls, loss, called = adaptive(brute, _selector(brute, model, rule, report, seed))
        except Tie:
            report.counts["ties"] += 1
            return
    else:
        p, stop, calls, loss = content_free(brute, mixture)
        called = None
    log_p = np.array([p.get(x, -np.inf) for x in law])
    possible = log_q > -np.inf
    lost = np.isneginf(log_p[possible]).any()
    kl = np.inf if lost else np.exp(log_q[possible]) @ (log_q[possible] - log_p[possible])
    off = float(np.exp(log_p[~possible]).sum() + np.exp(stop))
    check("law", lambda: tm.sampler_law(model, rule).pmf.ravel(), np.exp(log_p))
    check("impossible", lambda: tm.sampler_law(model, rule).impossible, np.exp(stop))
    check("calls under p", lambda: tm.expected_calls(target, rule, denoiser, under="p"), calls)
    check("marginal_kl", lambda: tm.marginal_kl(target, rule, denoiser), kl)
    for method in (None, "enumeration", "curve"):
        if method != "curve" or (denoiser is None and isinstance(rule, tm.IndependentReveal | tm.RandomOrder)):
            check(
                f"trajectory_kl {method}", lambda m=method: tm.trajectory_kl(target, rule, denoiser, m), loss - entropy
            )
    check("SER", lambda: tm.sequence_error(target, rule, denoiser), off)
    seen = possible & (log_p > -np.inf)  # mass under 1e-308 off the support counts as none
    cross = np.inf if off > 0 else -float(np.exp(log_p[seen]) @ log_q[seen])
    check("cross-entropy", lambda: tm.generative_cross_entropy(target, rule, denoiser), cross)
    if called is not None and np.isfinite(loss):
        check("calls under q", lambda: tm.expected_calls(target, rule, denoiser), called)
    for method in _routes(model, rule, texts):
        check(f"log_likelihood {method}", lambda m=method: tm.log_likelihood(model, rule, texts, m), log_p)
    if denoiser is not None:
        check("learning_error", lambda: tm.learning_error(target, denoiser), _learning_error(brute))
    curve = _curve(brute)
    check("information curve", lambda: tm.information_curve(target), curve)
    check("TC", lambda: tm.total_correlation(target), max(len(curve) * curve[0] - curve.sum(), 0.0))
    check("DTC", lambda: tm.dual_total_correlation(target), max(curve.sum() - len(curve) * curve[-1], 0.0))


def _routes(model, rule, texts):
    from toy_models.quantities.likelihood import _routes as served

    def serves(name, route):
        try:
            return name != "own" or route() is not None
        except tm.IntractableError:
            return True

    return [None, *(name for name, route in served(model, rule, texts).items() if serves(name, route))]


def _selector(brute, model, rule, report, seed):
    """positions(y): the rule's choice on the brute-force marginals; Tie where the library's marginals decide it."""

    def select(y):
        logs, row = brute.model(y), np.array([y])
        exact = np.zeros((1, brute.length, brute.size))
        for i, t in enumerate(y):
            exact[0, i] = np.exp(logs[i]) if t < 0 else np.eye(brute.size)[t]
        exact /= exact.sum(axis=2, keepdims=True)
        mine = rule.select(exact, row < 0)
        theirs = rule.select(model.marginals(row), row < 0)
        if (mine != theirs).any():
            raise Tie
        return [int(i) for i in np.flatnonzero(mine[0])]

    return select


def _learning_error(brute: Brute) -> float:
    worst = 0.0
    for y in brute.contexts:
        for i in (i for i, t in enumerate(y) if t < 0):
            q, model = brute.exact(y, i), brute.model(y)
            if model is None or any(a > -np.inf and b == -np.inf for a, b in zip(q, model[i], strict=True)):
                return np.inf
            pairs = zip(q, model[i], strict=True)
            worst = max(worst, float(sum(np.exp(a) * (a - b) for a, b in pairs if a > -np.inf)))
    return worst


def _curve(brute: Brute) -> np.ndarray:
    sums, counts = np.zeros(brute.length), np.zeros(brute.length)
    for y, here in brute.contexts.items():
        size = sum(t >= 0 for t in y)
        for i in (i for i, t in enumerate(y) if t < 0):
            sums[size] -= sum(np.exp(here + v) * v for v in brute.exact(y, i) if v > -np.inf)
    for size in range(brute.length):
        counts[size] = comb(brute.length, size) * (brute.length - size)
    return sums / counts


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0, help="the first case has this seed, the next ones follow")
    options = parser.parse_args(arguments)
    report = Report()
    for seed in range(options.seed, options.seed + options.cases):
        before = len(report.failures)
        run_case(seed, report)
        for failure in report.failures[before:]:
            print(*failure, flush=True)
    wrong, nan, foreign = (report.counts[k] for k in ("wrong", "nan", "exception"))
    print(
        f"{options.cases} cases, {report.counts['numbers']} numbers: {wrong} wrong, {nan} nan, {foreign} exceptions; "
        f"{report.counts['refused']} refusals, {report.counts['ties']} ties"
    )
    return int(bool(wrong or nan or foreign))


def stored_seeds() -> list[int]:
    """Seeds of cases that failed once."""
    return json.loads(CORPUS.read_text())["seeds"]


if __name__ == "__main__":
    sys.exit(main())
