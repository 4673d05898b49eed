"""The antibody network's committed texts and its refusal without the extra; the known network beside its truth."""

import importlib.util

import numpy as np
import pytest
from smoke import results

import toy_models as tm
from theory.your_network import antibody


def test_committed_texts():
    x = antibody.texts()
    assert x.shape[1] == antibody.LENGTH
    assert len(x) >= 64
    assert x.min() >= 0
    assert x.max() < len(antibody.LETTERS) == len(set(antibody.LETTERS)) == 20
    assert len(np.unique(x, axis=0)) == len(x)


def test_without_the_extra_its_name_is_told(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "antiberty" else found(name))
    with pytest.raises(
        ModuleNotFoundError, match=r"antiberty is not installed; pip install 'masked-diffusion-theory\[real\]'"
    ):
        antibody.make()


def test_parts_that_exist_are_not_drawn_again(tmp_path, monkeypatch):
    """A killed run goes on where it stopped; parts come from seeds of their own."""
    small = tm.MarkovChain([[0.6, 0.4], [0.3, 0.7]], 4)
    for name, value in (("LENGTH", 4), ("PART", 3), ("make", lambda: small)):
        monkeypatch.setattr(antibody, name, value)
    whole = antibody.draw(tmp_path / "a", 8)
    assert whole.shape == (8, 4)
    second = tmp_path / "a" / "part-001.npy"
    kept = second.stat().st_mtime_ns
    (tmp_path / "a" / "part-002.npy").unlink()
    np.testing.assert_array_equal(antibody.draw(tmp_path / "a", 8), whole)
    assert second.stat().st_mtime_ns == kept
    np.testing.assert_array_equal(antibody.draw(tmp_path / "b", 5), whole[:5])


def test_the_known_network_is_judged_right():
    known = results("your_network").known
    band, true = known.costs.curves.cross_entropy.band, known.cross_entropy.rows[0]
    assert (band.low <= true).all()
    assert (true <= band.high).all()
    assert (known.learning > 0).all()
    assert known.costs.learning is not None
    assert 0 < known.costs.learning.largest <= known.largest
    covered = [
        s.nelbo.low <= exact <= s.nelbo.high for s, exact in zip(known.costs.schedules, known.exact, strict=True)
    ]
    covered += [r.nll.low <= e <= r.nll.high for r, e in zip(known.costs.rules, known.exact_rules, strict=True)]
    assert all(covered)
    gap = known.entropy.rows[0] - tm.information_curve(known.target)
    assert abs(gap).max() > 0.01  # what the network expects to pay is not what the exact denoiser pays
