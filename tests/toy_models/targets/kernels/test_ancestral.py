"""Ancestral samples: over a grid of uniforms they have exactly the dyadic law, one uniform per draw, in any chunks."""

from itertools import product

import numpy as np
import oracles
import pytest

from toy_models.targets.kernels import ancestral

QUARTERS = np.array([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
START = np.array([0.25, 0.0, 0.5, 0.25])


def grid(draws: int) -> np.ndarray:
    """All points of midpoints of four cells, shape (4**draws, draws): a law in quarters gets its exact share."""
    return np.array(list(product((np.arange(4) + 0.5) / 4, repeat=draws)))


def require_law(x: np.ndarray, law: dict) -> None:
    """Each text occurs exactly as often among the rows as its probability says."""
    words, counts = np.unique(x, axis=0, return_counts=True)
    wanted = {word: int(p * len(x)) for word, p in law.items() if p}
    assert {tuple(int(t) for t in word): int(n) for word, n in zip(words, counts, strict=True)} == wanted


@pytest.mark.parametrize(("context", "length"), [(2, 2), (2, 4), (1, 3), (0, 3)])
def test_windows_over_the_grid_have_the_law(context, length):
    """START is a law of two binary tokens, or of one of four; without context the tokens are independent."""
    if context == 2:
        initial, rows = START, QUARTERS
    elif context == 1:
        initial, rows = START, np.array([START, START[::-1], [0, 1, 0, 0], [0.25] * 4])
    else:
        initial, rows = np.ones(1), START[None]
    vocab = rows.shape[1]
    uniforms = grid(length - context + 1)
    x = np.full((len(uniforms), length), -1)
    ancestral.draw_windows(np.cumsum(initial), np.cumsum(rows, axis=1), context, uniforms, x)
    conditional = rows.reshape((vocab,) * (context + 1))
    require_law(x, oracles.ngram_law(initial.reshape((vocab,) * context), conditional, length))


def test_hidden_markov_samples_over_the_grid_have_the_law():
    initial, transition = np.array([0.25, 0.75]), QUARTERS[:2]
    emission = np.array([[0.5, 0.25, 0.25], [0.0, 0.75, 0.25]])
    uniforms = grid(4)
    x = np.full((len(uniforms), 2), -1)
    cdfs = (np.cumsum(initial), np.cumsum(transition, axis=1), np.cumsum(emission, axis=1))
    ancestral.draw_hmm(*cdfs, uniforms, x)
    require_law(x, oracles.hmm_law(initial, transition, emission, 2))


@pytest.mark.parametrize(
    "pmf", [[1.0], [0.0, 1.0], [0.5, 0.0, 0.5], [0.25, 0.25, 0.25, 0.25], [0.0, 3.0, 0.0, 1.0, 0.0]]
)
def test_invert_is_the_smallest_value_whose_cdf_exceeds_the_uniform(pmf):
    cdf = np.cumsum(pmf)
    for u in np.arange(64) / 64:
        assert ancestral.invert(cdf, u) == np.flatnonzero(cdf > u * cdf[-1])[0]


def test_chunks_share_one_stream(monkeypatch):
    """At most UNIFORMS numbers are held, at least one row; the parts together are one array of uniforms."""
    for held, draws, sizes in ((7, 3, [2, 2, 1]), (6, 3, [2, 2, 1]), (2, 3, [1] * 5), (15, 3, [5]), (100, 3, [5])):
        monkeypatch.setattr(ancestral, "UNIFORMS", held)
        parts = []
        ancestral.in_chunks(5, draws, np.random.default_rng(1), lambda rows, u, parts=parts: parts.append((rows, u)))
        assert [rows.stop - rows.start for rows, _ in parts] == sizes
        assert [rows.start for rows, _ in parts] == np.cumsum([0, *sizes[:-1]]).tolist()
        np.testing.assert_array_equal(
            np.concatenate([u for _, u in parts]), np.random.default_rng(1).random((5, draws))
        )


def test_one_uniform_per_draw():
    """The public samplers are the inversion of rng.random((size, draws)): 1 + L - context draws, or two a position."""
    for context, length in ((2, 5), (2, 2)):
        x = ancestral.sample_windows(START, QUARTERS, context, length, 6, np.random.default_rng(2))
        wanted = np.empty_like(x)
        uniforms = np.random.default_rng(2).random((6, length - context + 1))
        ancestral.draw_windows(np.cumsum(START), np.cumsum(QUARTERS, axis=1), context, uniforms, wanted)
        np.testing.assert_array_equal(x, wanted)
    x = ancestral.sample_hmm(START[:2] * 4, QUARTERS[:2], QUARTERS[:2], 3, 6, np.random.default_rng(3))
    wanted, cdf = np.empty_like(x), np.cumsum(QUARTERS[:2], axis=1)
    ancestral.draw_hmm(np.cumsum(START[:2] * 4), cdf, cdf, np.random.default_rng(3).random((6, 6)), wanted)
    np.testing.assert_array_equal(x, wanted)
    assert x.shape == (6, 3)
