"""Adaptive rules: one row at a time by the definition, numpy against torch, bad input."""

from itertools import product

import numpy as np
import pytest
import torch

import toy_models as tm
from toy_models.rules.entropy_bounded import prefix_excess
from toy_models.rules.proxies import entropies, proxy_scores

PROXIES = ("confidence", "entropy", "margin")


def random_batch(seed, rows=40, length=9, vocab_size=4):
    rng = np.random.default_rng(seed)
    marginals = rng.dirichlet(np.full(vocab_size, 0.4), size=(rows, length))
    masked = rng.random((rows, length)) < 0.7
    masked[:, 0] |= ~masked.any(axis=1)
    return marginals, masked


def by_definition(marginals, masked, gamma, proxy):
    """The loop of the paper: add positions in order while sum H - max H <= gamma."""
    order = sorted(np.flatnonzero(masked), key=lambda i: (proxy_scores(marginals[None], proxy)[0, i], i))
    h = entropies(marginals[None])[0]
    chosen = []
    for i in order:
        inside = [h[j] for j in [*chosen, i]]
        if sum(inside) - max(inside) > gamma and chosen:
            break
        chosen.append(i)
    return np.isin(np.arange(len(masked)), chosen)


@pytest.mark.parametrize(("proxy", "gamma"), list(product(PROXIES, (0.0, 0.2, 0.9, 2.5, np.inf))))
def test_entropy_bounded_is_the_papers_loop(proxy, gamma):
    marginals, masked = random_batch(1)
    found = tm.EntropyBounded(gamma, proxy).select(marginals, masked)
    expected = [by_definition(m, k, gamma, proxy) for m, k in zip(marginals, masked, strict=True)]
    np.testing.assert_array_equal(found, np.array(expected))
    assert (found & ~masked).sum() == 0
    assert found.any(axis=1).all()


RULES = [
    *[tm.EntropyBounded(g, p) for g in (0.0, 0.7) for p in PROXIES],
    *[tm.TopK(k, p) for k in (1, 3) for p in PROXIES],
    *[tm.Threshold(0.6, p) for p in PROXIES],
    *[tm.EntropySum(b, p) for b in (0.0, 0.9) for p in PROXIES],
    *[rule(f) for rule in (tm.FactorThreshold, tm.FrechetBound) for f in (0.0, 0.8, 1.5)],
    tm.SemiAutoregressive(4, tm.EntropyBounded(0.7)),
    tm.SemiAutoregressive(2, tm.TopK(1)),
]


def loop(marginals, masked, cost):
    """Add positions by descending confidence (cost "entropy": by ascending entropy) while the cost allows."""
    h, top = entropies(marginals[None])[0], marginals.max(axis=1)
    order = sorted(np.flatnonzero(masked), key=lambda i: (h[i] if cost == "entropy" else -top[i], i))
    sums = {
        "entropy": lambda chosen: sum(h[i] for i in chosen),
        "factor": lambda chosen: (len(chosen) + 1) * (1 - top[chosen[-1]]),
        "frechet": lambda chosen: sum(1 - top[i] for i in chosen) + 1 - top[chosen[-1]],
    }
    return lambda budget: np.isin(
        np.arange(len(masked)),
        order[: max([k for k in range(1, len(order) + 1) if sums[cost](order[:k]) <= budget], default=1)],
    )


@pytest.mark.parametrize("budget", [0.0, 0.3, 0.9, 2.5, np.inf])
def test_three_sums_by_definition(budget):
    marginals, masked = random_batch(5)
    rules = {"entropy": tm.EntropySum, "factor": tm.FactorThreshold, "frechet": tm.FrechetBound}
    for cost, rule in rules.items():
        expected = [loop(m, k, cost)(budget) for m, k in zip(marginals, masked, strict=True)]
        np.testing.assert_array_equal(rule(budget).select(marginals, masked), np.array(expected))


def test_which_rule_reveals_more():
    """sum H - max H <= sum H; Frechet's sum <= (k + 1)(1 - c_(k)), with equality for equal confidences."""
    marginals, masked = random_batch(6)
    for b in (0.2, 0.9, 2.0):
        assert (tm.EntropySum(b).select(marginals, masked) <= tm.EntropyBounded(b).select(marginals, masked)).all()
        factor, frechet = (rule(b).select(marginals, masked) for rule in (tm.FactorThreshold, tm.FrechetBound))
        assert (factor <= frechet).all()
        assert (factor != frechet).any()
    flat = np.full((1, 6, 2), [0.85, 0.15])
    for b in (0.3, 0.45, 0.6, 0.8, 1.1):
        every = np.ones((1, 6), dtype=bool)
        np.testing.assert_array_equal(tm.FactorThreshold(b).select(flat, every), tm.FrechetBound(b).select(flat, every))


def test_frechet_reveals_modes():
    """sum + max < 1: the argmaxes are the mode of their joint law; above 1 a counterexample."""
    target = tm.Table(np.array([[0.4, 0.3], [0.3, 0.0]]))  # (0, 0) .4; doubts .3, .3: sum + max = .9
    every, y = np.ones((1, 2), dtype=bool), np.full((1, 2), -1)
    assert tm.FrechetBound(0.89).select(target.marginals(y), every).sum() == 1
    assert tm.FrechetBound(0.91).select(target.marginals(y), every).all()
    worse = tm.Table(np.array([[0.28, 0.36], [0.36, 0.0]]))  # doubts .36: sum + max = 1.08, the argmaxes are no mode
    assert tm.FrechetBound(1.1).select(worse.marginals(y), every).all()
    assert worse.pmf[0, 0] < worse.pmf.max()


def test_dilated_against_halving():
    """One call less than halving, whose last one it needs: path of 8, three calls against four."""
    assert tm.Dilated(6).blocks == ((0, 3), (1, 2, 4, 5))
    assert tm.Dilated(1).blocks == ((0,),)
    assert tm.Dilated(9, 3).blocks == ((0, 3, 6), (1, 2, 4, 5, 7, 8))
    chain = tm.MarkovChain([[0.8, 0.2], [0.35, 0.65]], 8, [0.5, 0.5])
    assert len(tm.Dilated(8).blocks) == 3
    assert tm.trajectory_kl(chain, tm.Dilated(8)) > 8e-4  # fewest exact calls on a path of 8: 4
    assert tm.trajectory_kl(chain, tm.bisection(8)) < 1e-12
    with pytest.raises(ValueError, match="base = 1, it must be an integer >= 2"):
        tm.Dilated(4, 1)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_numpy_and_torch_select_the_same(rule):
    marginals, masked = random_batch(2)
    on_torch = rule.select(torch.from_numpy(marginals), torch.from_numpy(masked))
    assert on_torch.dtype == torch.bool
    np.testing.assert_array_equal(on_torch.numpy(), rule.select(marginals, masked))


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rows_of_a_batch_do_not_see_each_other(rule):
    """A running maximum along the batch axis would make a row depend on the rows above it."""
    marginals, masked = random_batch(3)
    together = rule.select(marginals, masked)
    alone = np.concatenate([rule.select(marginals[r : r + 1], masked[r : r + 1]) for r in range(len(masked))])
    np.testing.assert_array_equal(together, alone)
    on_torch = rule.select(torch.from_numpy(marginals), torch.from_numpy(masked)).numpy()
    np.testing.assert_array_equal(on_torch, alone)


def test_batch_axis_trap_would_be_seen():
    """The wrong formula, cumsum minus a maximum along axis 0, disagrees with the rule on this very batch."""
    marginals, masked = random_batch(3)
    h = np.sort(np.where(masked, entropies(marginals), 9.0), axis=1)
    wrong = np.cumsum(h, axis=1) - np.maximum.accumulate(h, axis=0)
    assert ((wrong <= 0.7) != (prefix_excess(h) <= 0.7)).any()


def test_known_entropies_in_confidence_order():
    h = np.array([[0.5, 0.05, 0.05, 0.6], [0.1, 0.2, 0.4, 0.5]])
    np.testing.assert_allclose(prefix_excess(h), [[0, 0.05, 0.10, 0.60], [0, 0.1, 0.3, 0.7]], rtol=1e-14)
    assert (prefix_excess(h) <= 0.12).sum(axis=1).tolist() == [3, 2]
    assert ((np.cumsum(h, axis=1) - h)[0] <= 0.12).sum() == 1  # cumsum - own: the known wrong shortcut


def test_excess_is_monotone_in_floats():
    h = np.random.default_rng(4).random((200, 300)) ** 9
    h[:, :2] = 1e-17
    assert (np.diff(prefix_excess(h), axis=1) >= 0).all()
    assert (prefix_excess(h)[:, 1] == 1e-17).all()
    subtracted = np.cumsum(h, axis=1) - np.maximum.accumulate(h, axis=1)
    assert (np.diff(subtracted, axis=1) < 0).any()


def test_certain_tokens_ride_along_at_gamma_zero():
    rows = np.array([[[0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [0.6, 0.4]]])
    masked = np.ones((1, 4), dtype=bool)
    assert tm.EntropyBounded(0.0).select(rows, masked).tolist() == [[False, True, True, True]]
    assert tm.EntropyBounded(0.0).select(rows[:, [0, 3]], masked[:, :2]).tolist() == [[False, True]]


def test_ties_go_to_the_left():
    rows = np.full((1, 4, 2), 0.5)
    masked = np.array([[False, True, True, True]])
    for rule in (tm.TopK(1), tm.EntropyBounded(0.1), tm.Threshold(0.9)):
        assert rule.select(rows, masked).tolist() == [[False, True, False, False]]


def nearly_equal_rows(seed, rows=30, length=7, vocab_size=6):
    """Marginals that are permutations of two laws per row: equal scores by definition, a few ulps apart in floats."""
    rng = np.random.default_rng(seed)
    laws = rng.dirichlet(np.ones(vocab_size), size=(rows, 2))
    which = rng.integers(0, 2, (rows, length))
    marginals = np.take_along_axis(laws, which[:, :, None], axis=1)
    marginals = rng.permuted(marginals, axis=2)
    return marginals / rng.permuted(marginals, axis=2).sum(axis=2, keepdims=True), which, laws


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("k", [1, 3, 5])
def test_scores_equal_up_to_rounding_are_ties(proxy, k):
    marginals, which, laws = nearly_equal_rows(6)
    masked = np.ones(which.shape, dtype=bool)
    exact = np.take_along_axis(proxy_scores(laws, proxy), which, axis=1)  # one float per law: equal where tied
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    for convert in (np.asarray, torch.from_numpy):
        found = np.asarray(tm.TopK(k, proxy).select(convert(marginals), convert(masked)))
        np.testing.assert_array_equal(np.sort(order, axis=1), np.nonzero(found)[1].reshape(-1, k))
    by_ulps = np.argsort(proxy_scores(marginals, proxy), axis=1, kind="stable")[:, :k]
    assert (np.sort(by_ulps, axis=1) != np.sort(order, axis=1)).any()  # the floats alone would choose otherwise


def test_a_chain_of_ties_is_one_tie_and_a_determined_token_comes_first():
    ulp = np.finfo(np.float64).eps
    rising = 0.7 + ulp * np.array([0, 40, 80, 120, 160])  # neighbours are tied, the ends alone would not be
    for top in (rising, rising[::-1]):
        rows = np.stack([top, 1 - top], axis=1)[None]
        assert tm.TopK(2).select(rows, np.ones((1, 5), dtype=bool))[0].tolist() == [True, True, False, False, False]
    rows[0, :2] = [[0.7 - 1e-12, 0.3 + 1e-12]] * 2  # further away than rounding: no tie
    assert tm.TopK(2).select(rows, np.ones((1, 5), dtype=bool))[0].tolist() == [False, False, True, True, False]
    near = np.array([[[1 - ulp, ulp], [1 - ulp, ulp], [1.0, 0.0]]])
    for proxy in PROXIES:
        assert tm.TopK(1, proxy).select(near, np.ones((1, 3), dtype=bool))[0].tolist() == [False, False, True]
        assert tm.EntropyBounded(0.0, proxy).select(near, np.ones((1, 3), dtype=bool))[0, 2]


@pytest.mark.parametrize("vocab_size", [2, 3, 5, 6, 7, 10, 27, 31])
def test_gamma_and_threshold_on_the_edge(vocab_size):
    """Uniform marginals have entropy log K and confidence 1/K: the value itself passes, whatever its last place."""
    rows, masked = np.full((1, 2, vocab_size), 1 / vocab_size), np.ones((1, 2), dtype=bool)
    for convert in (np.asarray, torch.from_numpy):
        for rule in (
            tm.EntropyBounded(np.log(vocab_size)),
            tm.Threshold(np.log(vocab_size), "entropy"),
            tm.Threshold(1 / vocab_size),
        ):
            assert rule.select(convert(rows), convert(masked)).all()
        assert int(tm.EntropyBounded(np.log(vocab_size) - 1e-9).select(convert(rows), convert(masked)).sum()) == 1


def test_half_precision_is_accepted_and_widened():
    marginals, masked = random_batch(5)
    half = torch.from_numpy(marginals).to(torch.bfloat16)
    assert tm.EntropyBounded(0.7).select(half, torch.from_numpy(masked)).any(dim=1).all()
    assert entropies(half).dtype == torch.float32


@pytest.mark.parametrize("gamma", [-0.1, float("nan"), -np.inf])
def test_bad_gamma(gamma):
    with pytest.raises(ValueError, match=r"gamma = .*>= 0"):
        tm.EntropyBounded(gamma)


@pytest.mark.parametrize(
    "make", [lambda p: tm.EntropyBounded(0.1, p), lambda p: tm.TopK(1, p), lambda p: tm.Threshold(0.5, p)]
)
def test_unknown_proxy_lists_the_known(make):
    with pytest.raises(ValueError, match="'surprise', allowed: confidence, entropy, margin"):
        make("surprise")


@pytest.mark.parametrize(
    "rule", [tm.EntropyBounded(0.1), tm.TopK(1), tm.Threshold(0.5), tm.SemiAutoregressive(2, tm.TopK(1))]
)
@pytest.mark.parametrize("bad", [[0.5, 0.6], [1.5, -0.5], [np.nan, 1.0], [0.0, 0.0]])
@pytest.mark.parametrize("convert", [np.array, torch.tensor])
def test_marginals_that_are_no_distribution(rule, bad, convert):
    rows = [[[1.0, 0.0], [0.5, 0.5]], [bad, [0.5, 0.5]]]
    masked = [[True, True], [True, True]]
    with pytest.raises(ValueError, match=r"marginals\[1, 0\] is not a distribution"):
        rule.select(convert(rows), convert(masked))
    masked[1][0] = False  # a revealed position is not looked at
    assert rule.select(convert(rows), convert(masked)).shape == (2, 2)


def test_shapes_are_compared():
    with pytest.raises(ValueError, match=r"\(batch, L, V\) and masked \(batch, L\)"):
        tm.EntropyBounded(0.1).select(np.full((2, 3, 2), 0.5), np.ones((2, 2), dtype=bool))
