"""Small targets that the rules of the entropy-bound topic are compared on."""

import numpy as np

import toy_models as tm
from toy_models.targets import corpus

HAMMING = [[1, 0, 0, 0, 0, 1, 1], [0, 1, 0, 0, 1, 0, 1], [0, 0, 1, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]]


REED_MULLER = [[1] * 8, [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1] * 2, [0, 1] * 4]


def switch() -> tm.Table:
    """Position 0 names one of the three perfect matchings of four bits; matched bits are equal, else free. V = 3."""
    pmf = np.zeros((3,) * 5)
    for which, partner in enumerate((1, 2, 3)):
        others = [i for i in range(1, 4) if i != partner]
        for a in range(2):
            for b in range(2):
                bits = np.empty(4, dtype=int)
                bits[[0, partner]] = a
                bits[others] = b
                pmf[(which, *bits)] = 1 / 12
    return tm.Table(pmf)


def sticky_hmm(length: int) -> tm.HMM:
    """Three persistent hidden states seen through a channel with 10 % noise."""
    transition = np.array([[0.90, 0.08, 0.02], [0.03, 0.90, 0.07], [0.08, 0.02, 0.90]])
    emission = np.array([[0.90, 0.05, 0.05], [0.05, 0.90, 0.05], [0.05, 0.05, 0.90]])
    return tm.HMM(np.full(3, 1 / 3), transition, emission, length)


def english(length: int = 4) -> tm.Table:
    """The 4-gram law of the shipped English counts, 27 symbols; shorter lengths are its marginals."""
    counts = corpus.counts(4).astype(np.float64)
    return tm.Table((counts / counts.sum()).sum(axis=tuple(range(length, 4))))


def targets(profile: str) -> dict[str, tuple[str, object]]:
    """name -> (label, target)."""
    chosen: dict[str, tuple[str, object]] = {
        "pairs": ("4 pairs of 2 symbols", tm.pairs(2, 8)),
        "hamming": ("Hamming [7,4]", tm.LinearCode(np.array(HAMMING))),
        "reed_muller": ("Reed-Muller (1,3)", tm.LinearCode(np.array(REED_MULLER))),
        "parity": ("even parity, L = 8", tm.zero_sum(2, 8)),
        "permutations": ("permutations of 5", tm.permutations(5)),
        "switch": ("switched pairs", switch()),
    }
    if profile == "smoke":
        return chosen | {"hmm": ("hidden Markov, L = 5", sticky_hmm(5)), "english": ("English, L = 3", english(3))}
    return chosen | {
        "hmm": ("hidden Markov, L = 8", sticky_hmm(8)),
        "english": ("English, L = 4", english(4)),
        "sudoku": ("4x4 Sudoku", tm.targets.sudoku4()),
    }
