"""What single figures draw is what their results hold; sampled curves carry their interval."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from smoke import results

from figures import registry
from figures.save import draw, plain
from theory.ledger.figures import load


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def picture(topic, name):
    load(topic)
    return draw(registry.FIGURES[name], results(topic))


def data(topic, name):
    return plain(picture(topic, name)[1])


def test_perplexity_collapse():
    for drawn, part in zip(
        data("perplexity", "perplexity-collapse")["trajectory"], results("perplexity").collapses, strict=True
    ):
        assert drawn["language"] == part.language
        np.testing.assert_array_equal(drawn["excess"], part.excess)


def test_sequence_error_chain():
    drawn = data("sequence_error", "sequence-error-chain")["curves"]
    np.testing.assert_array_equal(drawn["error"], results("sequence_error").chain.error)
    assert drawn["kappa"] == results("sequence_error").chain.kappa


@pytest.mark.parametrize(
    ("topic", "name", "key"),
    [("perplexity", "perplexity-order", "excess"), ("sequence_error", "sequence-error-text", "error")],
)
def test_sampled_curves_carry_their_interval(topic, name, key):
    curves = data(topic, name)["curves"]
    assert [p["order"] for p in curves] == [2, 3, 4]
    assert isinstance(curves[0][key], list)
    for part in curves[1:]:
        low, value, high = (np.array(part[key][k]) for k in ("low", "value", "high"))
        assert ((low <= value) & (value <= high)).all()
        assert (low < high)[1:].all()


def test_energy_ratios_are_constant():
    ratios = data("energy", "energy-integrands")["ratios"]
    for name, constant in (("kinetic", 6), ("conditional", 4), ("geodesic", 2)):
        np.testing.assert_allclose(ratios[name], constant, rtol=1e-12)
    assert np.ptp(np.array(ratios["source_kinetic"]) / np.array(ratios["source_conditional"])) > 0.5


def test_entropy_bound_fronts():
    case, ax = results("entropy_bound").cases[0], picture("entropy_bound", "entropy-bound-fronts")[0].axes[0]
    drawn = [line.get_xdata() for line in ax.get_lines()]
    for curve in case.curves:
        assert any(len(x) == len(curve.calls) and (np.asarray(x) == curve.calls).all() for x in drawn)


def test_variance_parts():
    drawn = data("variance", "variance-parts")["K1 oracle"]["uniform"]["per_call"]
    assert drawn == results("variance").instances["K1 oracle"].methods["uniform"].per_call


def test_networks_bounds():
    drawn, small = data("networks", "networks-bounds"), results("networks").small
    assert drawn["environment"]["device"] == "CPU"
    assert drawn["values"]["network_kl"] == small.network_kl.tolist()
    assert drawn["values"]["largest"] == small.largest


def test_start_here():
    trace, law = (data("start_here", name) for name in ("start-here-trace", "start-here-law"))
    np.testing.assert_array_equal(trace["trace"], results("start_here").trace)
    np.testing.assert_array_equal(law["written"], results("start_here").written)
