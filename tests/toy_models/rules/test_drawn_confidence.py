"""Draw-then-select against enumeration in fractions: every joint draw, every order of ties, every step."""

from fractions import Fraction as F
from itertools import pairwise, permutations, product
from math import comb, exp, factorial, log

import numpy as np
import pytest
import torch
from oracles import total_variation, total_variation_radius

import toy_models as tm

SLOW_CHAIN = [[F(7, 10), F(3, 10)], [F(2, 10), F(8, 10)]]
START = [F(4, 10), F(6, 10)]


def chain_law(initial, transition, length):
    law = {}
    for x in product(range(len(initial)), repeat=length):
        p = initial[x[0]]
        for a, b in pairwise(x):
            p *= transition[a][b]
        law[x] = p
    return law


def conditionals(law, y, vocab_size):
    """Position -> [q(x_i = v | y)] of the masked positions, None for an impossible context."""
    inside = {x: p for x, p in law.items() if all(b in (-1, a) for a, b in zip(x, y, strict=True))}
    total = sum(inside.values())
    if total == 0:
        return None
    open_positions = [i for i, v in enumerate(y) if v == -1]
    return {
        i: [sum(p for x, p in inside.items() if x[i] == v) / total for v in range(vocab_size)] for i in open_positions
    }


def kept(scores, count, ties):
    """{set of kept positions: chance} for {position: score}: sorted, every order of the ties alike or the leftmost."""
    orders = [tuple(sorted(scores))] if ties == "leftmost" else list(permutations(sorted(scores)))
    result = {}
    for order in orders:
        ranked = sorted(order, key=lambda i: -scores[i])  # stable
        chosen = frozenset(ranked[: count([scores[i] for i in ranked])])
        result[chosen] = result.get(chosen, 0) + F(1, len(orders))
    return result


def slow_law(law, vocab_size, length, count, ties="leftmost", score=lambda i, v, row: row[v], draw=lambda row: row):
    """{x: p(x)} of the sampler: in every state all joint draws; count(ranked scores) says how many are kept."""
    mass, written = {(-1,) * length: F(1)}, {}
    while mass:
        following = {}
        for y, p in mass.items():
            if -1 not in y:
                written[y] = written.get(y, 0) + p
                continue
            given = conditionals(law, y, vocab_size)
            if given is None:
                continue
            free = list(given)
            for tokens in product(range(vocab_size), repeat=len(free)):
                drawn = dict(zip(free, tokens, strict=True))
                chance = p
                for i, v in drawn.items():
                    chance *= draw(given[i])[v]
                if chance == 0:
                    continue
                scores = {i: score(i, v, given[i]) for i, v in drawn.items()}
                for chosen, share in kept(scores, count, ties).items():
                    z = tuple(drawn[i] if i in chosen else v for i, v in enumerate(y))
                    following[z] = following.get(z, 0) + chance * share
        mass = following
    return written


def first(number):
    return lambda ranked: min(number, len(ranked))


def sized(sizes):
    """Sizes that sum to the length: the step is read off the number of masks."""
    left = np.cumsum(np.array(sizes)[::-1])[::-1]
    return lambda ranked: next(s for s, m in zip(sizes, left, strict=True) if s and m == len(ranked))


def above(value):
    return lambda ranked: max(1, sum(s >= value for s in ranked))


def by_factor(f):
    return lambda ranked: max([k for k, s in enumerate(ranked, 1) if s >= 1 - f / (k + 1)], default=1)


def floats(law, shape):
    pmf = np.zeros(shape)
    for x, p in law.items():
        pmf[x] = float(p)
    return pmf


def kl(q, p):
    return sum(float(a) * (log(a) - log(p[x])) for x, a in q.items() if a)


def random_law(rng, vocab_size, length, zeros):
    """Small integer weights: many ties, some texts impossible."""
    weights = rng.integers(1, 4, vocab_size**length) * (rng.random(vocab_size**length) >= zeros)
    weights[0] += 1
    total = int(weights.sum())
    return {x: F(int(w), total) for x, w in zip(product(range(vocab_size), repeat=length), weights, strict=True)}


# rational vectors of the chain (.7, .3), (.2, .8)


def test_the_slow_law_has_the_published_rationals():
    q = chain_law(START, SLOW_CHAIN, 2)
    p = slow_law(q, 2, 2, first(1))
    assert p == {(0, 0): F(14, 125), (0, 1): F(12, 125), (1, 0): F(3, 25), (1, 1): F(84, 125)}
    q = chain_law(START, SLOW_CHAIN, 4)
    p = slow_law(q, 2, 4, first(1))
    assert p[1, 1, 1, 1] == F(94038336, 126953125)
    assert p[0, 0, 0, 0] == F(128556743, 8164062500)
    assert p[0, 1, 0, 1] == F(91881, 1503906250)


COUNTS = {
    "one": (1, first(1)),
    "two": (2, first(2)),
    "sizes": ([1, 0, 2, 1], sized([1, 0, 2, 1])),
    "above": (tm.rules.Above(0.5), above(F(1, 2))),
    "factor": (tm.rules.Factor(1.5), by_factor(F(3, 2))),
}


@pytest.mark.parametrize("ties", ["leftmost", "uniform"])
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(("vocab_size", "seed"), [(2, 0), (2, 1), (3, 2)])
def test_law_against_all_joint_draws(name, ties, vocab_size, seed):
    keep, count = COUNTS[name]
    length = 4 if vocab_size == 2 or name == "sizes" else 3
    q = random_law(np.random.default_rng(seed), vocab_size, length, 0.3)
    shape = (vocab_size,) * length
    expected = floats(slow_law(q, vocab_size, length, count, ties), shape)
    law = tm.sampler_law(tm.Table(floats(q, shape)), tm.DrawnConfidence(keep, ties=ties))
    np.testing.assert_allclose(law.pmf, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("score", "value"),
    [
        ("margin", lambda i, v, row: sorted(row)[-1] - sorted(row)[-2]),
        ("entropy", lambda i, v, row: -round(-sum(float(p) * log(p) for p in row if p), 12)),
        (
            tm.rules.PositionWeighted(0.5, np.array([0.7, 0.3]), cap=0.4),
            lambda i, v, row: exp(-0.5 * i) * min(-float(row[v]) * log((0.7, 0.3)[v]), 0.4),
        ),
    ],
)
def test_other_scores(score, value):
    q = random_law(np.random.default_rng(7), 2, 4, 0.2)
    expected = floats(slow_law(q, 2, 4, first(1), score=value), (2,) * 4)
    target = tm.Table(floats(q, (2,) * 4))
    np.testing.assert_allclose(tm.sampler_law(target, tm.DrawnConfidence(1, score=score)).pmf, expected, atol=1e-14)
    if score in ("margin", "entropy"):  # of the marginals: exact at one token per call
        np.testing.assert_allclose(expected, target.pmf, atol=1e-14)
    else:
        assert np.abs(expected - target.pmf).sum() > 0.02


def test_two_temperatures():
    """Draws from p^2, scores from p^(1/2): the order is that of p, the draws are sharper."""
    q = random_law(np.random.default_rng(8), 3, 3, 0.2)
    square = slow_law(q, 3, 3, first(1), draw=lambda row: [p * p / sum(w * w for w in row) for p in row])
    target = tm.Table(floats(q, (3,) * 3))
    rule = tm.DrawnConfidence(1, temperature=0.5, score_temperature=1.0)
    np.testing.assert_allclose(tm.sampler_law(target, rule).pmf, floats(square, (3,) * 3), atol=1e-14)
    # scores of p^(1/2)/Z(row) rank across positions in another way than p
    root = slow_law(q, 3, 3, first(1), score=lambda i, v, row: float(row[v]) ** 0.5 / sum(float(w) ** 0.5 for w in row))
    rule = tm.DrawnConfidence(1, score_temperature=2.0)
    np.testing.assert_allclose(tm.sampler_law(target, rule).pmf, floats(root, (3,) * 3), atol=1e-12)
    assert np.abs(floats(root, (3,) * 3) - tm.sampler_law(target, tm.DrawnConfidence(1)).pmf).max() > 1e-3


def test_temperature_zero_writes_one_text():
    target = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 5)
    law = tm.sampler_law(target, tm.DrawnConfidence(1, temperature=0.0))
    assert law.pmf[1, 1, 1, 1, 1] == 1.0


def test_blocks():
    """Blocks of one are the chain rule; blocks of two mask what lies to the right and stay biased."""
    target = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 4)
    np.testing.assert_allclose(
        tm.sampler_law(target, tm.DrawnConfidence(1, block=1)).pmf, tm.quantities.to_table(target).pmf
    )
    whole, halves = (tm.marginal_kl(target, tm.DrawnConfidence(1, block=b)) for b in (None, 2))
    assert 0.1 < halves < whole
    sizes = tm.DrawnConfidence([1, 1], block=2)
    np.testing.assert_array_equal(
        tm.sampler_law(target, sizes).pmf, tm.sampler_law(target, tm.DrawnConfidence(1, block=2)).pmf
    )


# the vectors for the chain (.7, .3), (.2, .8), in rationals and in floats


def flint(value):
    return tm.exact.rational(value)


def test_rational_twin_has_the_published_fractions():
    def law(length):
        start, step = ["2/5", "3/5"], [["7/10", "3/10"], ["1/5", "4/5"]]
        return tm.exact.drawn_confidence_law(tm.exact.chain_pmf(start, step, length), 1)[0]

    assert law(2).ravel().tolist() == [flint(p) for p in ("14/125", "12/125", "3/25", "84/125")]
    four = law(4)
    assert four[1, 1, 1, 1] == flint("94038336/126953125")
    assert four[0, 0, 0, 0] == flint("128556743/8164062500")
    assert four[0, 1, 0, 1] == flint("91881/1503906250")
    six = law(6)
    assert six[(1,) * 6] == flint("35078478342528600579852861888/46494017921388149261474609375")
    assert sum(six.ravel()) == 1


@pytest.mark.parametrize("ties", ["leftmost", "uniform"])
@pytest.mark.parametrize("sizes", [1, 2, [2, 0, 1]])
def test_rational_twin_against_all_joint_draws(sizes, ties):
    count = first(sizes) if isinstance(sizes, int) else sized(sizes)
    for seed in range(3):
        q = random_law(np.random.default_rng(seed), 2, 3, 0.3)
        pmf = np.empty((2,) * 3, dtype=object)
        for x, p in q.items():
            pmf[x] = flint(p)
        written, impossible = tm.exact.drawn_confidence_law(pmf, sizes, ties)
        slow = slow_law(q, 2, 3, count, ties)
        assert all(written[x] == flint(slow.get(x, 0)) for x in q)
        assert impossible == 1 - flint(sum(slow.values()))


LONGER = {  # L: KL, H(q)/L, H(p)/L, -E_p log q / L, p(b..b)
    2: (0.1218319575, 0.60879942, 0.49585668, 0.54688818, 0.672),
    4: (1.1689902033, 0.57669330, 0.22478307, 0.38780861, 94038336 / 126953125),
    6: (3.5075712506, 0.56599126, 0.13199089, 0.33133565, 0.7544729389),
    8: (7.1537916405, 0.56064024, 0.09437143, 0.30391875, 0.7570406664),
}


@pytest.mark.parametrize("length", LONGER)
def test_the_chain_at_four_lengths(length):
    chain, rule = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], length), tm.DrawnConfidence(1)
    p = tm.sampler_law(chain, rule).pmf
    found = (
        tm.marginal_kl(chain, rule),
        chain.entropy() / length,
        -(p[p > 0] * np.log(p[p > 0])).sum() / length,
        tm.generative_cross_entropy(chain, rule) / length,
        p[(1,) * length],
    )
    np.testing.assert_allclose(found, LONGER[length], rtol=0, atol=5.1e-9)
    assert found[0] == pytest.approx(LONGER[length][0], abs=5.1e-11)


@pytest.mark.parametrize(
    ("ties", "values"),
    [
        ("leftmost", (0.0906740174, 0.8406915476, 4.8814702193)),
        ("uniform", (0.0377732176, 0.3010678301, 1.3284789155)),
    ],
)
def test_independent_tokens(ties, values):
    for length, value in zip((2, 4, 8), values, strict=True):
        coins = tm.MarkovChain([[0.9, 0.1], [0.9, 0.1]], length)
        assert tm.marginal_kl(coins, tm.DrawnConfidence(1, ties=ties)) == pytest.approx(value, abs=5.1e-11)


def bernoulli_sum(length, e):
    """Law of the number of less likely letters, a sum of independent Bernoulli(e^m), m = 1..L."""
    law = np.array([1.0])
    for m in range(1, length + 1):
        law = np.convolve(law, [1 - e**m, e**m])
    return law


def test_the_number_of_rare_letters():
    """Random ties on i.i.d. letters: given their number, all places are alike."""
    length, e = 7, 0.4
    p = tm.sampler_law(tm.MarkovChain([[1 - e, e]] * 2, length), tm.DrawnConfidence(1, ties="uniform")).pmf
    counts = np.zeros(length + 1)
    for x, mass in np.ndenumerate(p):
        counts[sum(x)] += mass
    np.testing.assert_allclose(counts, bernoulli_sum(length, e), rtol=1e-12)
    binomial = [factorial(length) / (factorial(k) * factorial(length - k)) for k in range(length + 1)]
    for x, mass in np.ndenumerate(p):
        assert mass == pytest.approx(counts[sum(x)] / binomial[sum(x)], rel=1e-11)


def test_quadratic_growth_of_the_number_of_rare_letters():
    """KL / L^2 of the numbers alone (all of KL under random ties), tending to e^2 log(1/e) / 2 = .0733."""
    e = 0.4
    for length, value in {64: 0.07701094, 256: 0.07438343, 1024: 0.07358486}.items():
        logs = np.array([0.0])
        for m in range(1, length + 1):
            hit = m * log(e)
            logs = np.logaddexp(np.append(logs + np.log1p(-exp(hit)), -np.inf), np.append(-np.inf, logs + hit))
        k = np.arange(length + 1)
        binomial = [log(comb(length, j)) + j * log(e) + (length - j) * log(1 - e) for j in k]
        kl = np.exp(binomial) @ (np.array(binomial) - logs)
        assert kl / length**2 == pytest.approx(value, abs=5.1e-9)
    assert e**2 * log(1 / e) / 2 == pytest.approx(0.07330326, abs=5.1e-9)


def test_other_published_values():
    found = [tm.marginal_kl(tm.MarkovChain([[0.8, 0.2], [0.7, 0.3]], n), tm.DrawnConfidence(1)) for n in (2, 4, 6, 8)]
    np.testing.assert_allclose(found, (0.1015547607, 1.2112334547, 3.5459364729, 7.0511486675), rtol=0, atol=5.1e-11)
    unequal = tm.Table(np.outer([0.6, 0.4], [0.7, 0.3]))
    law = tm.sampler_law(unequal, tm.DrawnConfidence(1))
    np.testing.assert_allclose(law.pmf.ravel(), [273 / 500, 27 / 500, 91 / 250, 9 / 250], rtol=1e-14)
    assert tm.marginal_kl(unequal, tm.DrawnConfidence(1)) == pytest.approx(0.1775368562, abs=5.1e-11)
    fair = tm.Table(np.outer([0.5, 0.5], [0.9, 0.1]))
    assert tm.marginal_kl(fair, tm.DrawnConfidence(1)) == pytest.approx(0.1444793475, abs=5.1e-11)


@pytest.mark.parametrize(
    "target",
    [
        tm.Table(np.outer([0.6, 0.4, 0.0], [1 / 3] * 3)),
        tm.zero_sum(2, 4),
        tm.LinearCode(np.array([[1, 0, 1, 1], [0, 1, 1, 0]]), 2),
        tm.targets.WordList(np.array([[0, 1, 0, 1], [1, 0, 1, 0]]), 2),
    ],
)
def test_exact_where_one_position_always_wins(target):
    assert tm.marginal_kl(target, tm.DrawnConfidence(1)) < 1e-12


# randomised selection


def plackett_luce_law(law, vocab_size, length, keep, tau):
    """Every joint draw, every sequence of `keep` positions with weights exp(score / tau)."""
    mass, written = {(-1,) * length: 1.0}, {}
    while mass:
        following = {}
        for y, p in mass.items():
            given = conditionals(law, y, vocab_size)
            for tokens in product(range(vocab_size), repeat=len(given)):
                drawn = dict(zip(given, tokens, strict=True))
                chance = p * float(np.prod([float(given[i][v]) for i, v in drawn.items()]))
                weights = {i: exp(float(given[i][v]) / tau) for i, v in drawn.items()}
                for chosen in permutations(given, min(keep, len(given))):
                    share, rest = chance, sum(weights.values())
                    for i in chosen:
                        share, rest = share * weights[i] / rest, rest - weights[i]
                    z = tuple(drawn[i] if i in chosen else v for i, v in enumerate(y))
                    into = following if -1 in z else written
                    into[z] = into.get(z, 0.0) + share
        mass = following
    return written


@pytest.mark.parametrize("keep", [1, 2])
@pytest.mark.parametrize("tau", [0.1, 1.0])
def test_gumbel_selection(keep, tau, rng):
    q = random_law(np.random.default_rng(9), 3, 3, 0.0)
    expected = floats(plackett_luce_law(q, 3, 3, keep, tau), (3,) * 3)
    target, rule = tm.Table(floats(q, (3,) * 3)), tm.DrawnConfidence(keep, gumbel=tau)
    np.testing.assert_allclose(tm.sampler_law(target, rule).pmf, expected, rtol=0, atol=1e-13)
    runs = tm.sample(target, rule, 20_000, rng)
    assert total_variation(runs.tokens, expected) < total_variation_radius(27, 20_000)
    assert total_variation(runs.tokens, target.pmf) > total_variation_radius(27, 20_000) or keep == 1


def test_sampled_twin_at_length_256():
    """i.i.d. letters of .9: the number of rare ones is far under L/10, as the law says."""
    coins = tm.MarkovChain([[0.9, 0.1], [0.9, 0.1]], 256)
    runs = tm.sample(coins, tm.DrawnConfidence(1, ties="uniform"), 40, np.random.default_rng(0))
    counts = bernoulli_sum(256, 0.1)
    mean = counts @ np.arange(257)
    assert mean == pytest.approx(0.1111111, abs=1e-6)
    assert abs(runs.tokens.sum() / 40 - mean) < 0.5  # sd of the mean .05
    assert (runs.steps == 256).all()


def test_released_settings():
    """Six letters of the chain: entropy of what each setting writes (of 3.396 nats), its distance from the language."""
    chain = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 6)
    q, late = tm.quantities.to_table(chain).pmf, tm.schedules.floor_sizes(6, 6).tolist()

    def written(rule):
        p = tm.sampler_law(chain, rule).pmf
        return -(p[p > 0] * np.log(p[p > 0])).sum(), np.abs(p - q).sum() / 2

    assert written(tm.DrawnConfidence(1))[0] == pytest.approx(0.792, abs=5e-4)
    # the entropy of the marginals at one token per call is exact; the floor schedule writes two in its last call
    assert written(tm.DrawnConfidence(1, score="entropy"))[1] < 1e-14
    assert written(tm.DrawnConfidence(late, score="entropy"))[1] == pytest.approx(0.18, abs=1e-12)
    assert written(tm.DrawnConfidence(late, score="entropy", gumbel=0.5))[1] == pytest.approx(0.0286051350, abs=5e-11)
    assert written(tm.rules.PathPlanning([1, 2, 3, 4, 5, 6], leave_one_out=False)) == pytest.approx(
        written(tm.DrawnConfidence(1))
    )


# likelihood, other arrays, refusals


@pytest.mark.parametrize("rule", [tm.DrawnConfidence(1), tm.DrawnConfidence(2, ties="uniform", block=3)])
def test_likelihood_beyond_the_lattice(rule):
    """V = 4, L = 6: the lattice law at V^L texts against the sum over revealed sets of a few."""
    chain = tm.MarkovChain(np.random.default_rng(0).dirichlet(np.ones(4), size=4), 6)
    x = np.random.default_rng(1).integers(0, 4, (5, 6))
    law = tm.sampler_law(chain, rule).pmf
    np.testing.assert_allclose(np.exp(tm.log_likelihood(chain, rule, x)), law[tuple(x.T)], rtol=1e-12)
    longer = tm.MarkovChain(chain.transition, 9)
    assert np.isfinite(tm.log_likelihood(longer, rule, np.zeros((1, 9), dtype=np.int64))).all()


def test_torch_and_numpy_agree():
    rng = np.random.default_rng(3)
    marginals = rng.dirichlet(np.ones(3), size=(6, 5))
    masked, drawn, noise = rng.random((6, 5)) < 0.8, rng.integers(0, 3, (6, 5)), rng.random((6, 5))
    masked[:, 0] = True
    score = tm.rules.PositionWeighted(0.1, np.array([0.2, 0.3, 0.5]))
    for rule in (
        tm.DrawnConfidence(2, ties="uniform"),
        tm.DrawnConfidence(tm.rules.Factor(1.0), score="margin"),
        tm.DrawnConfidence(1, score=score, block=2, temperature=0.0),
        tm.DrawnConfidence(1, gumbel=0.3, score_temperature=0.5),
    ):
        arrays = [torch.as_tensor(a) for a in (marginals, masked, drawn, noise)]
        np.testing.assert_array_equal(rule.select(*arrays).numpy(), rule.select(marginals, masked, drawn, noise))
        np.testing.assert_allclose(rule.candidates(arrays[0]).numpy(), rule.candidates(marginals), rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keep": 0}, "k = 0, it must be an integer >= 1"),
        ({"keep": [0, 0]}, "sizes = \\(0, 0\\), they must sum"),
        ({"ties": "random"}, "ties = 'random', allowed: leftmost, uniform"),
        ({"score": "likelihood"}, "score = 'likelihood', allowed: probability, margin, entropy"),
        ({"temperature": -1.0}, "temperature = -1.0"),
        ({"score_temperature": 0.0}, "score_temperature = 0.0"),
        ({"keep": tm.rules.Above(0.5), "gumbel": 1.0}, "with gumbel > 0 it must be"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        tm.DrawnConfidence(**arguments)


def test_refused_lengths():
    chain = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 4)
    with pytest.raises(ValueError, match="sizes \\(1, 2\\) sum to 3, they must fit the length 4"):
        tm.sampler_law(chain, tm.DrawnConfidence([1, 2]))
    with pytest.raises(ValueError, match="noise is None"):
        tm.DrawnConfidence(1, ties="uniform").select(
            np.full((1, 2, 2), 0.5), np.ones((1, 2), bool), np.zeros((1, 2), int)
        )
