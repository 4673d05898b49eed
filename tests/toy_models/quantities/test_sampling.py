"""What tm.sample draws against the exact law, with wrong samplers that the same test rejects."""

import re

import numpy as np
import oracles
import pytest

import toy_models as tm
from toy_models.quantities.sampling import write_tokens
from toy_models.targets import controls

SIZE = 100_000
SKEW = [[0.8, 0.15, 0.05], [0.05, 0.7, 0.25], [0.3, 0.1, 0.6]]
CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]
WEIGHTS = [0.2, 0.5, 0.3]


def distance(denoiser, rule, law, seed):
    """Total variation of the empirical law of SIZE completed rows from `law`; no row may stop."""
    runs = tm.sample(denoiser, rule, SIZE, np.random.default_rng(seed))
    assert not runs.impossible.any()
    return oracles.total_variation(runs.tokens, law)


@pytest.mark.parametrize(
    "rule",
    [
        tm.IndependentReveal(WEIGHTS),
        tm.ShiftedReveal(3),
        tm.RandomOrder((1, 2, 1)),
        tm.FixedOrder(((0, 2), (), (3, 1))),
        tm.TopK(2),
        tm.Threshold(0.75, "confidence"),
        tm.EntropyBounded(0.7),
        tm.SemiAutoregressive(2, tm.TopK(1, "entropy")),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_samples_have_the_exact_law(rule):
    chain = tm.MarkovChain(SKEW, 4)
    law = tm.sampler_law(chain, rule)
    radius = oracles.total_variation_radius(3**4, SIZE)
    assert distance(chain, rule, law.pmf, 1) < radius
    runs = tm.sample(chain, rule, 20_000, np.random.default_rng(2))
    wide = 5.0 * 4 / np.sqrt(20_000)  # steps lie in 1..4: five deviations of at most 4/2, alpha < 1e-6
    assert runs.steps.mean() == pytest.approx(law.mean_steps, abs=wide)


WRONG = {
    "tempered": lambda chain: (tm.Tempered(chain, 0.9), tm.IndependentReveal(WEIGHTS)),
    "greedy": lambda chain: (controls.greedy(chain), tm.IndependentReveal(WEIGHTS)),
    "nucleus": lambda chain: (controls.nucleus(chain, 0.9), tm.IndependentReveal(WEIGHTS)),
    "context-blind": lambda chain: (controls.context_blind(chain), tm.IndependentReveal(WEIGHTS)),
    "swapped rows": lambda chain: (controls.swapped_rows(chain), tm.IndependentReveal(WEIGHTS)),
    "off by one": lambda chain: (chain, controls.off_by_one(np.array(WEIGHTS))),
    "smoothed": lambda chain: (tm.Smoothed(chain, 0.05), tm.IndependentReveal(WEIGHTS)),
    "windowed": lambda chain: (tm.Windowed(chain, 0), tm.IndependentReveal(WEIGHTS)),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_samplers_are_rejected(name):
    """The test above, with the same size and radius, tells each named mistake from the right sampler."""
    chain = tm.MarkovChain(SKEW, 4)
    law = tm.sampler_law(chain, tm.IndependentReveal(WEIGHTS)).pmf
    denoiser, rule = WRONG[name](chain)
    assert distance(denoiser, rule, law, 3) > oracles.total_variation_radius(3**4, SIZE)


def test_impossible_rows_are_flagged_and_stop():
    """Their share is law.impossible, the rest has the law; a stopped row keeps what it wrote, masked elsewhere."""
    chain, rule = tm.MarkovChain(CHAIN_A, 4), tm.IndependentReveal(WEIGHTS)
    law = tm.sampler_law(chain, rule)
    runs = tm.sample(chain, rule, SIZE, np.random.default_rng(4))
    assert law.impossible > 0.05
    deviation = np.sqrt(law.impossible * (1 - law.impossible) / SIZE)
    assert runs.impossible.mean() == pytest.approx(law.impossible, abs=5 * deviation)  # two-sided alpha = 6e-7
    whole = runs.tokens[~runs.impossible]
    assert (whole >= 0).all()
    radius = oracles.total_variation_radius(3**4, len(whole))
    assert oracles.total_variation(whole, law.pmf / law.pmf.sum()) < radius
    stopped = runs.tokens[runs.impossible]
    assert (stopped == tm.MASK).any(axis=1).all()
    assert np.isnan(chain.marginals(stopped[:50], on_impossible="nan")).any(axis=(1, 2)).all()
    assert (runs.steps[runs.impossible] >= 1).all()


def test_one_token_per_step_never_stops():
    runs = tm.sample(tm.MarkovChain(CHAIN_A, 6), tm.RandomOrder((1,) * 6), 2000, np.random.default_rng(5))
    assert not runs.impossible.any()
    assert (runs.steps == 6).all()
    assert np.isfinite(tm.MarkovChain(CHAIN_A, 6).log_prob(runs.tokens)).all()


def test_the_same_seed_gives_the_same_rows():
    chain, rule = tm.MarkovChain(SKEW, 6), tm.TopK(2)
    first, again, other = (tm.sample(chain, rule, 50, np.random.default_rng(seed)).tokens for seed in (6, 6, 7))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_write_tokens_inverts_the_cdf_and_skips_zeros():
    """u = 0 and u just below one never choose a token of probability zero, also where the sum misses one."""

    class Fixed(np.random.Generator):
        u = 0.0

        def random(self, shape):
            return np.full(shape, self.u)

    rng = Fixed(np.random.PCG64(0))
    y = np.full((1, 2), tm.MASK)
    marginals = np.array([[[0.0, 0.5, 0.25, 0.25 - 1e-10, 0.0]] * 2])
    selected = np.array([[True, False]])
    for rng.u, token in ((0.0, 1), (0.4999, 1), (0.5 + 1e-9, 2), (0.75 + 1e-9, 3), (1 - 2**-53, 3)):
        written = write_tokens(y, marginals, selected, rng)
        assert written.tolist() == [[token, tm.MASK]]
    assert (y == tm.MASK).all()


def test_sequence_error_interval_covers_and_rejects():
    """Clopper-Pearson at 1 - 1e-6 holds the exact SER and not that of 12 or 22 steps instead of 16."""
    pairs, rule = tm.pairs(4, 20), tm.IndependentReveal(np.full(16, 1 / 16))
    found = tm.quantities.estimate_sequence_error(pairs, rule, 10_000, np.random.default_rng(8), confidence=1 - 1e-6)
    exact = [tm.sequence_error(pairs, tm.IndependentReveal(np.full(n, 1 / n))) for n in (12, 16, 22)]
    assert found.low < exact[1] < found.high
    assert exact[2] < found.low < found.value < found.high < exact[0]


def test_sequence_error_interval_at_its_ends():
    chain = tm.MarkovChain(CHAIN_A, 3)
    never = tm.quantities.estimate_sequence_error(chain, tm.RandomOrder((1, 1, 1)), 100, np.random.default_rng(9))
    assert (never.value, never.low) == (0.0, 0.0)
    assert never.high == pytest.approx(1 - 0.005 ** (1 / 100), rel=1e-12)
    always = tm.quantities.estimate_sequence_error(
        tm.MarkovChain([[0.0, 1.0], [1.0, 0.0]], 200), tm.RandomOrder((200,)), 100, np.random.default_rng(10)
    )
    assert (always.value, always.high) == (1.0, 1.0)
    assert always.low == pytest.approx(0.005 ** (1 / 100), rel=1e-12)


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_refused_size(size):
    """The check is reached only where annotations are not enforced, hence the unwrapped function."""
    with pytest.raises(ValueError, match=re.escape(f"size = {size}, it must be an integer >= 1")):
        tm.sample.__wrapped__(tm.MarkovChain(SKEW, 2), tm.TopK(1), size, np.random.default_rng(0))


def test_refused_confidence_and_partitions():
    chain, rng = tm.MarkovChain(SKEW, 4), np.random.default_rng(0)
    with pytest.raises(ValueError, match=re.escape("confidence = 1.5, it must lie strictly between 0 and 1")):
        tm.quantities.estimate_sequence_error(chain, tm.TopK(1), 10, rng, confidence=1.5)
    with pytest.raises(ValueError, match="they must sum to the length 4"):
        tm.sample(chain, tm.RandomOrder((3,)), 10, rng)
    with pytest.raises(ValueError, match="blocks cover 5 positions, the length is 4"):
        tm.sample(chain, tm.FixedOrder(((0, 1, 2, 3, 4),)), 10, rng)
