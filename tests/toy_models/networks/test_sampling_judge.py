"""The torch sampler writes the exact law, and the judge reports what enumeration says."""

from math import comb

import numpy as np
import pytest
import torch
from scipy.stats import chi2

import toy_models as tm
from toy_models import networks
from toy_models.networks.judge import regressed
from toy_models.quantities import lattice

CHAIN = tm.MarkovChain(np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]), 4)
# no two positions tie: rules that break ties by position would see roundings of the last bit
GENERIC = tm.MarkovChain(
    np.array([[0.7, 0.3, 0.0], [0.0, 0.55, 0.45], [0.52, 0.0, 0.48]]), 4, np.array([0.6, 0.3, 0.1])
)
RULES = {
    "independent": tm.IndependentReveal(np.array([0.2, 0.5, 0.3])),
    "sizes": tm.RandomOrder((1, 3)),
    "fixed": tm.FixedOrder(((0, 2), (1, 3))),
    "shifted": tm.ShiftedReveal(3),
    "top-k": tm.TopK(2),
    "entropy bounded": tm.EntropyBounded(0.7),
    "threshold": tm.Threshold(0.57),
    "blocks": tm.SemiAutoregressive(2, tm.TopK(1)),
}


@pytest.fixture(scope="module")
def network():
    """An untrained network with a random head: wrong, and enumerable."""
    model = networks.Transformer(networks.Config(3, 4, width=16, layers=1), torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.head.weight.normal_(0.0, 0.4, generator=torch.Generator().manual_seed(1))
    return networks.Network(model.eval())


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("oracle", [False, True])
def test_written_law_is_the_exact_law(network, name, oracle):
    """Pearson's test at 1e-6 of 4000 runs against the enumerated law, impossible mass as one more cell."""
    denoiser = networks.Oracle(GENERIC, torch.device("cpu")) if oracle else network
    law = tm.sampler_law(GENERIC if oracle else networks.tabulate(network), RULES[name])
    runs = networks.sample(denoiser, RULES[name], 4000, torch.Generator().manual_seed(7))
    assert pearson(law, runs)
    assert float(runs.calls.double().mean()) == pytest.approx(law.mean_steps, abs=0.1)


def pearson(law, runs) -> bool:
    whole = ~runs.impossible.numpy()
    pmf = np.append(law.pmf.ravel(), law.impossible)
    code = np.ravel_multi_index(tuple(runs.tokens.numpy()[whole].T), law.pmf.shape)
    seen = np.append(np.bincount(code, minlength=law.pmf.size), (~whole).sum())
    possible = pmf > 1e-15
    if seen[~possible].any():
        return False
    wanted = pmf[possible] * len(whole)
    return ((seen[possible] - wanted) ** 2 / wanted).sum() < chi2.isf(1e-6, max(possible.sum() - 1, 1))


def test_another_rule_is_rejected(network):
    law = tm.sampler_law(CHAIN, RULES["fixed"])
    oracle = networks.Oracle(CHAIN, torch.device("cpu"))
    assert not pearson(law, networks.sample(oracle, tm.RandomOrder((1,) * 4), 4000, torch.Generator().manual_seed(7)))


def test_causal_sampler_has_its_own_law():
    model = networks.Transformer(
        networks.Config(3, 4, width=16, layers=1, causal=True), torch.Generator().manual_seed(0)
    )
    with torch.no_grad():
        model.head.weight.normal_(0.0, 0.4, generator=torch.Generator().manual_seed(1))
        x = lattice.sequences(3, 4)
        logs = torch.log_softmax(model(torch.as_tensor(x)).double(), dim=-1).numpy()
    pmf = np.exp(np.take_along_axis(logs, x[:, :, None], axis=2).sum(axis=(1, 2)))
    assert pmf.sum() == pytest.approx(1.0, abs=1e-5)
    law = tm.Law(pmf.reshape((3,) * 4), 0.0, 4.0)
    runs = networks.sample_left_to_right(model, 4000, torch.Generator().manual_seed(2))
    assert pearson(law, runs)
    assert set(runs.calls.tolist()) == {4}


def test_network_is_a_denoiser(network):
    y = np.array([[0, -1, 2, -1]])
    found = network.marginals(y)
    assert found[0, 0].tolist() == [1.0, 0.0, 0.0]
    assert found.sum(axis=2) == pytest.approx(np.ones((1, 4)))
    assert networks.tabulate(network).marginals(y) == pytest.approx(found, abs=1e-6)


def test_learning_error_against_enumeration(network, rng):
    """Everything masked, one context only: the enumerated KL; and no sampled maximum beats the exact one."""
    table = networks.tabulate(network)
    x = torch.as_tensor(CHAIN.sample(500, rng))
    found = networks.learning_error(CHAIN, network, x, (0.5, 1.0), torch.Generator().manual_seed(0))
    empty = np.full((1, 4), tm.MASK)
    q, p = CHAIN.marginals(empty)[0], table.marginals(empty)[0]
    assert found.mean.value[1] == pytest.approx((q * np.log(q / p)).sum(axis=1).mean(), rel=1e-5)
    exact = tm.learning_error(CHAIN, table)
    assert found.largest.max() <= exact * (1 + 1e-5)
    assert found.largest.max() > 0.5 * exact
    oracle = networks.Oracle(CHAIN, torch.device("cpu"))
    floor = networks.learning_error(CHAIN, oracle, x, (0.5, 1.0), torch.Generator().manual_seed(0))
    assert floor.largest.max() < 1e-12


@pytest.fixture(scope="module")
def curves(network):
    x = torch.as_tensor(CHAIN.sample(3000, np.random.default_rng(5)))
    return networks.path_curves(CHAIN, network, x, torch.Generator().manual_seed(6))


def test_replayed_curves_against_the_exact_ones(network, curves):
    """Means over rows: the information curve, and per revealed count the mean KL over contexts, six errors wide."""
    table = networks.tabulate(network)
    y = lattice.states(3, 4)
    weight, count = lattice.state_probabilities(CHAIN), (y != tm.MASK).sum(axis=1)
    q, p = lattice.state_marginals(CHAIN), table.table
    masked = (y == tm.MASK)[:, :, None]
    ratio = np.where(masked & (q > 0), q / np.where(masked, p, 1.0), 1.0)
    kl = np.where(masked, q * np.log(ratio), 0.0).sum(axis=2)
    per_count = np.array(
        [(weight[:, None] * kl)[(count == m) & (weight > 0)].sum() / (4 * comb(3, m)) for m in range(4)]
    )
    for found, wanted in ((curves.exact, tm.information_curve(CHAIN)), (curves.learning, per_count)):
        radius = 6 * found.std(axis=0, ddof=1) / np.sqrt(len(found)) + 1e-6
        assert (np.abs(found.mean(axis=0) - wanted) < radius).all()
        assert (radius < 0.1 * wanted.max()).all()


def test_path_cost_against_enumeration(network, curves):
    table, steps = networks.tabulate(network), (1, 2, 5)
    found = networks.path_cost(curves, steps, confidence=1 - 1e-6)
    for k, n in enumerate(steps):
        rule = tm.IndependentReveal(np.full(n, 1 / n))
        whole = tm.trajectory_kl(CHAIN, rule, table) / 4
        exact = tm.trajectory_kl(CHAIN, rule) / 4
        for part, wanted in ((found.total, whole), (found.exact, exact), (found.learning, whole - exact)):
            assert part.low[k] - 1e-6 < wanted < part.high[k] + 1e-6
    assert found.total.high[0] < 1.1 * found.total.value[0]
    assert found.exact.value[0] == pytest.approx(tm.total_correlation(CHAIN) / 4, rel=1e-9)  # the control variate


def test_regression_removes_what_the_control_explains():
    rng = np.random.default_rng(0)
    control, noise = rng.normal(size=400), 0.01 * rng.normal(size=400)
    found = regressed((3.0 + 2.0 * control + noise)[:, None], control)
    assert found.low[0] < 3.0 < found.high[0]
    assert found.high[0] - found.low[0] < 0.01
    plain = regressed((3.0 + 2.0 * control)[:, None], np.zeros(400))
    assert plain.value[0] == pytest.approx(3.0 + 2.0 * control.mean())
    assert plain.high[0] - plain.low[0] > 0.1


def test_learning_error_by_fraction_is_the_learning_curve(curves):
    found = curves.learning_error()
    assert found.fraction.tolist() == [0.25, 0.5, 0.75, 1.0]
    np.testing.assert_allclose(found.mean.value, curves.learning.mean(axis=0)[::-1])
    assert (found.largest >= found.mean.value).all()


def test_sequence_error_interval_holds_the_exact_value(network):
    rule = RULES["independent"]
    exact = tm.sequence_error(CHAIN, rule, networks.tabulate(network))
    runs = networks.sample(network, rule, 4000, torch.Generator().manual_seed(3))
    found = networks.sequence_error(CHAIN, runs, confidence=1 - 1e-6)
    assert found.low < exact < found.high
    assert not found.low < 1.2 * exact < found.high


def test_generative_cross_entropy(network, rng):
    oracle = networks.Oracle(CHAIN, torch.device("cpu"))
    exact = networks.sample(oracle, tm.RandomOrder((1,) * 4), 4000, torch.Generator().manual_seed(3))
    found = networks.generative_cross_entropy(CHAIN, exact, rng, 1 - 1e-6)
    assert found.possible.low[0] < CHAIN.entropy() / 4 < found.possible.high[0]
    assert found.value == pytest.approx(found.possible.value[0])
    broken = networks.sample(network, RULES["independent"], 400, torch.Generator().manual_seed(3))
    assert networks.generative_cross_entropy(CHAIN, broken, rng).value == np.inf
