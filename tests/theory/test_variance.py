"""The topic's results and claims on the smoke profile."""

import json
from fractions import Fraction

import numpy as np
import pytest
from smoke import results as smoke

from theory.ledger.run import run_topic
from theory.variance import exact
from theory.variance import pairs as pair_language
from theory.variance import results as topic
from toy_models.files import ROOT


@pytest.fixture(scope="module")
def results():
    return smoke("variance")


def test_every_claim_is_judged_without_problems(results):
    lines = run_topic("variance", "smoke", results=results)
    assert {line.claim.id: line.problems for line in lines if line.problems} == {}
    committed = json.loads((ROOT / "theory" / "verdicts.json").read_text(encoding="utf-8"))
    assert {line.claim.id: line.verdict for line in lines} == {
        line.claim.id: committed[line.claim.id]["verdict"] for line in lines
    }


def test_reference_values_reach_the_results(results):
    parts = results.instances["K1 oracle"].methods["uniform"].parts
    assert parts.total == pytest.approx(1.76909217, abs=6e-9)
    assert results.sampled.low < results.sampled_exact.total < results.sampled.high
    assert results.curves.epr_total == pytest.approx(1.2036, abs=5e-4)
    assert results.family.correlation[:4] == pytest.approx([-0.0304, -0.0275, -0.0198, -0.0142], abs=6e-5)


def test_the_printed_parts_add_up_to_the_variance_per_call(results):
    for method in results.instances["K1 oracle"].methods.values():
        p = method.parts
        assert (p.pattern + method.rate + p.data) * p.calls == method.per_call
        removed = p.rate_time_first if method.stratified else 0.0
        assert method.per_call == pytest.approx((p.total - removed) * p.calls, rel=1e-12)
    assert results.instances["K1 oracle"].methods["uniform, stratified"].rate < p.rate


def test_unknown_profile():
    with pytest.raises(ValueError, match="profile = 'quick', allowed"):
        topic.results("quick", np.random.default_rng(0))


def test_closed_forms_of_the_pair_language():
    times = [float(pair_language.best_time(n)) for n in (4, 16, 64, 256, 1024)]
    assert times == pytest.approx([0.4087150451, 0.1264912743, 0.0398611282, 0.0123738577, 0.0037400059], abs=6e-11)
    assert pair_language.uniform_size(4) == Fraction(7, 36)
    assert float(pair_language.uniform_size(1024)) == pytest.approx(0.0841370627, abs=6e-11)


def test_rational_helpers_agree_with_each_other():
    s = [Fraction(0), Fraction(1), Fraction(2), Fraction(4)]
    t = Fraction(1, 3)
    assert exact.mirrored_covariance(s, 2, t) == exact.fourier_covariance(s, 2, t)
    assert exact.mirrored_covariance(s, 2, t) != exact.fourier_covariance(s, 2, t, sign=1)
    assert sum(exact.mask_law(3, t)) == 1
    assert exact.variance([Fraction(0), Fraction(2)], [Fraction(1, 2)] * 2) == 1
