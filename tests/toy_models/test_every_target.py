"""Every target of theory/ledger/every.py against its full table: probabilities, conditionals, draws, every route."""

from copy import copy
from itertools import combinations, product
from math import comb, log

import numpy as np
import pytest
from oracles import total_variation, total_variation_radius

import toy_models as tm
from theory.ledger import enumeration
from theory.ledger.every import RULES, TARGETS

ATOL = 1e-12  # a few thousand operations on numbers of order one
MIXTURES = ("independent", "independent, empty steps", "one step", "shifted")


@pytest.fixture(params=TARGETS)
def target(request):
    return TARGETS[request.param]


def test_protocol(target):
    assert isinstance(target, tm.Target)
    assert isinstance(target, tm.Denoiser)


def test_law_and_entropy(target):
    law = enumeration.words(target)
    assert sum(law.values()) == pytest.approx(1.0, abs=ATOL)
    assert target.entropy() == pytest.approx(enumeration.entropy(law), abs=ATOL)


def test_marginals_in_every_context(target):
    """Against sums over words; contexts of probability zero are refused by row, or filled as asked."""
    law, impossible = enumeration.words(target), []
    y = np.array(list(product(range(-1, target.vocab_size), repeat=target.length)))
    found = target.marginals(y, on_impossible="nan")
    for row, context in enumerate(map(tuple, y.tolist())):
        expected = enumeration.conditionals(law, context, target.vocab_size)
        if expected is None:
            impossible.append(row)
            masked = y[row] == -1
            assert np.isnan(found[row][masked]).all()
            np.testing.assert_array_equal(found[row][~masked], np.eye(target.vocab_size)[y[row][~masked]])
        else:
            np.testing.assert_allclose(found[row], expected, rtol=0, atol=ATOL)
    if impossible:
        with pytest.raises(tm.ImpossibleContext) as refusal:
            target.marginals(y)
        assert refusal.value.rows == impossible


def test_draws(target):
    size, rng = 4000, np.random.default_rng(7)
    pmf = np.zeros((target.vocab_size,) * target.length)
    for x, p in enumeration.words(target).items():
        pmf[x] = p
    x = target.sample(size, rng)
    assert np.isfinite(target.log_prob(x)).all()
    assert total_variation(x, pmf) < total_variation_radius(pmf.size, size)


def test_information_curve(target):
    """g[k] = mean over sets and positions of H(X_i | X_S); TC and DTC by definition."""
    law, length = enumeration.words(target), target.length
    subset = {s: enumeration.entropy(enumeration.margin(law, s)) for s in _sets(length)}
    mean = [sum(subset[s] for s in combinations(range(length), k)) / comb(length, k) for k in range(length + 1)]
    np.testing.assert_allclose(tm.information_curve(target), np.diff(mean), rtol=0, atol=ATOL)
    whole, alone = subset[tuple(range(length))], sum(subset[(i,)] for i in range(length))
    given = sum(whole - subset[tuple(j for j in range(length) if j != i)] for i in range(length))
    assert tm.total_correlation(target) == pytest.approx(alone - whole, abs=ATOL)
    assert tm.dual_total_correlation(target) == pytest.approx(whole - given, abs=ATOL)
    table = tm.rules.subset_entropies(target)
    for s, value in subset.items():
        assert table[sum(1 << i for i in s)] == pytest.approx(value, abs=ATOL)


def _sets(length):
    return [s for size in range(length + 1) for s in combinations(range(length), size)]


@pytest.mark.parametrize("name", [*MIXTURES, "random order", "bisection", "top-1, confidence"])
def test_what_the_sampler_loses(target, name):
    """SER, KL and log p(x) of the oracle by the route each target chooses, against the walk over all runs."""
    rule, law = RULES[name](target), enumeration.words(target)
    written, impossible, _ = enumeration.sampler(target, rule)
    error = impossible + sum(p for x, p in written.items() if law[x] == 0)
    assert tm.sequence_error(target, rule) == pytest.approx(error, abs=ATOL)
    kl = sum(q * log(q / written[x]) for x, q in law.items() if q > 0)
    assert tm.marginal_kl(target, rule) == pytest.approx(kl, abs=ATOL)
    x = np.array(list(law))
    expected = np.array([log(written[w]) if written.get(w, 0) > 0 else -np.inf for w in law])
    np.testing.assert_allclose(tm.log_likelihood(target, rule, x), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", MIXTURES)
def test_forced_routes_of_the_likelihood(target, name):
    """Where a target has a route of its own for log p(x), it agrees with the subsets; else it is refused."""
    rule, x = RULES[name](target), np.array(list(enumeration.words(target)))
    by_subsets = tm.log_likelihood(target, rule, x, "subsets")
    own = getattr(target, "exact_log_likelihood", None)
    if own is None or own(rule, x) is None:
        with pytest.raises(ValueError, match="method = 'own' does not serve"):
            tm.log_likelihood(target, rule, x, "own")
    else:
        np.testing.assert_allclose(tm.log_likelihood(target, rule, x, "own"), by_subsets, rtol=0, atol=1e-11)


def test_a_subclass_takes_the_same_routes(target):
    twin = copy(target)
    object.__setattr__(twin, "__class__", type("Subclass", (type(target),), {}))
    assert type(twin) is not type(target)
    np.testing.assert_array_equal(tm.information_curve(twin), tm.information_curve(target))
    rule = tm.IndependentReveal([0.5, 0.5])
    assert tm.sequence_error(twin, rule) == tm.sequence_error(target, rule)
    assert tm.marginal_kl(twin, rule) == tm.marginal_kl(target, rule)


def test_a_subclass_of_a_long_chain():
    """Enumeration is out of reach at L = 64: the subclass has the chain's own routes or none."""

    class Mine(tm.MarkovChain):
        pass

    chain, mine = (kind([[0.9, 0.1], [0.2, 0.8]], 64) for kind in (tm.MarkovChain, Mine))
    np.testing.assert_array_equal(tm.information_curve(mine), tm.information_curve(chain))
    bigram = tm.NGram(chain.transition, 64)
    np.testing.assert_allclose(tm.information_curve(bigram), tm.information_curve(chain), rtol=0, atol=ATOL)


class Reversed:
    """The reversal of a target: its curve is the inner one, at every length."""

    def __init__(self, inner):
        self.inner, self.vocab_size, self.length = inner, inner.vocab_size, inner.length
        self.entropy, self.information_curve = inner.entropy, inner.information_curve

    def log_prob(self, x):
        return self.inner.log_prob(x[:, ::-1])

    def sample(self, size, rng):
        return self.inner.sample(size, rng)[:, ::-1]

    def marginals(self, y, on_impossible="raise"):
        return self.inner.marginals(y[:, ::-1], on_impossible)[:, ::-1]

    def exact_sequence_error(self, rule):
        return self.inner.exact_sequence_error(rule)

    def exact_trajectory_kl(self, rule):
        return 0.25 if isinstance(rule, tm.TopK) else None


def test_a_target_brings_its_own_route():
    chain = tm.MarkovChain([[0.9, 0.1], [0.0, 1.0]], 64, [0.5, 0.5])
    mine, rule = Reversed(chain), tm.IndependentReveal([0.5, 0.5])
    np.testing.assert_array_equal(tm.information_curve(mine), tm.information_curve(chain))
    assert tm.trajectory_kl(mine, rule) == tm.trajectory_kl(chain, rule)
    assert tm.sequence_error(mine, rule) == tm.sequence_error(chain, rule) > 0
    assert tm.trajectory_kl(mine, tm.TopK(1)) == 0.25
    with pytest.raises(tm.IntractableError):
        tm.trajectory_kl(mine, tm.TopK(1), method="enumeration")
    with pytest.raises(ValueError, match="method = 'own' does not serve IndependentReveal on Reversed"):
        tm.trajectory_kl(mine, rule, method="own")
