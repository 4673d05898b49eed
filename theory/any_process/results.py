"""Any-process generation (Yang et al. 2025, arXiv 2510.06190): the experiment behind the notebook and the ledger.

No finite run verifies a complexity statement: constructions are shown with exact counts, and restricted lower bounds
(locality, finite state, write-once, factorisation) are decided by enumeration.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from theory.any_process.correctors import Corrector, corrector_results
from theory.any_process.dyck import Dyck, dyck_results
from theory.any_process.parity import Generation, Parity, generation_results, parity_results, progress
from theory.any_process.search import Learned, Queens, Sudoku, learned_results, queens_results, sudoku_results
from theory.any_process.simulation import Pram, emitter_results, pram_results

Section = TypeVar("Section")


@dataclass(frozen=True, eq=False)
class Results:
    profile: str
    parity: Parity
    generation: Generation
    dyck: Dyck
    pram: Pram
    emitter: dict[tuple[int, int], bool]  # (S, |Sigma|): laws equal
    orders_equal: bool
    sudoku: Sudoku
    queens: Queens
    corrector: Corrector
    learned: Learned


def results(profile: str, rng: np.random.Generator) -> Results:
    """Everything the notebook draws and the ledger reads; "smoke" takes a few seconds, "full" about a minute."""
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    full = profile == "full"
    bar = tqdm(total=9, desc="any-process sections", leave=False)

    def done(section: Section) -> Section:
        bar.update()
        return section

    with bar:
        par = done(parity_results(full, rng))
        gen = done(generation_results(full))
        dy = done(dyck_results(full))
        pr = done(pram_results(full, rng))
        em, orders = done(emitter_results(full, rng))
        su = done(sudoku_results(full))
        qu = done(queens_results(full))
        co = done(corrector_results(full))
        le = done(learned_results(full, rng, progress))
    return Results(profile, par, gen, dy, pr, em, orders, su, qu, co, le)
