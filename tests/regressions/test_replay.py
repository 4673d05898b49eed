"""Shrunk instances, kept: each is replayed against exact rationals."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from flint import fmpq
from oracles import conditionals, hmm_law

import toy_models as tm
from toy_models import exact

FILES = sorted(Path(__file__).parent.glob("*.json"))


def of_kind(kind):
    found = [json.loads(path.read_text()) | {"name": path.stem} for path in FILES]
    return [pytest.param(case, id=case["name"]) for case in found if case["kind"] == kind]


def numbers(nested):
    return [numbers(x) for x in nested] if isinstance(nested, list) else float(Fraction(nested))


@pytest.mark.parametrize("case", of_kind("hmm"))
def test_marginals(case):
    hmm = tm.HMM(*(np.array(numbers(case[k])) for k in ("initial", "transition", "emission")), case["length"])
    law = hmm_law(hmm.initial, hmm.transition, hmm.emission, hmm.length)
    y = tuple(case["y"])
    wanted = conditionals(law, y, hmm.vocab_size)
    found = hmm.marginals(np.array([y]), on_impossible="nan")[0]
    if wanted is None:
        assert np.isnan(found[np.array(y) < 0]).all()
        with pytest.raises(tm.ImpossibleContext):
            hmm.marginals(np.array([y]))
    else:
        assert ((found == 0) == (wanted == 0)).all()
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=0)


@pytest.mark.parametrize("case", of_kind("law"))
def test_laws(case):
    pmf = np.full((case["vocab_size"],) * case["length"], fmpq(0), dtype=object)
    for index, text in case["pmf"]:
        pmf[tuple(index)] = exact.rational(text)
    assert pmf.sum() == 1
    target = tm.Table(exact.to_float(pmf))
    if "blocks" in case:
        rule = tm.FixedOrder(case["blocks"])
        assert tm.trajectory_kl(target, rule) == pytest.approx(tm.marginal_kl(target, rule), abs=1e-12)
        return
    law, impossible = exact.law(pmf, exact.fixed_size_stages(case["sizes"]))
    rule = tm.RandomOrder(tuple(case["sizes"]))
    found = tm.sampler_law(target, rule)
    np.testing.assert_allclose(found.pmf, exact.to_float(law), rtol=1e-12, atol=1e-15)
    assert found.impossible == pytest.approx(float(impossible), abs=1e-15)
    assert tm.sequence_error(target, rule) == pytest.approx(float(1 - exact.support_mass(pmf, law)), abs=1e-12)


def test_there_are_instances_of_both_kinds():
    assert len(of_kind("hmm")) >= 3
    assert len(of_kind("law")) >= 3
    assert len(of_kind("hmm")) + len(of_kind("law")) == len(FILES)
