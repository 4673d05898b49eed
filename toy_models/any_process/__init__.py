"""Any-process generation: sequences that unmask, remask, insert and delete.

transition   one step g(x, y, c)          programs  runs, step and context counters, cycles
laws         exact laws of stochastic programs    rules     a compact notation   trace  text and grids
parity, even_parity, local_programs, dyck, pram, counter, qbf, queens, sudoku,
sudoku_oracle, corrector, mixtures, emitter, remask, remdm

    x = tm.any_process.apply([-1, 1, -1], proposal=[0, 0, 1], remask=[0, 1, 0], insert=[1, 0, 0], delete=[0, 0, 1])
"""

from toy_models.any_process.laws import ProgramLaw, next_law, program_law, support, visits
from toy_models.any_process.programs import ContextLimit, ProgramCycle, ProgramError, Run, StepLimit, run
from toy_models.any_process.rewriting import Rules
from toy_models.any_process.trace import grid, render
from toy_models.any_process.transition import apply, emit, reveal_only

__all__ = [
    "ContextLimit",
    "ProgramCycle",
    "ProgramError",
    "ProgramLaw",
    "Rules",
    "Run",
    "StepLimit",
    "apply",
    "corrector",
    "counter",
    "dyck",
    "emit",
    "emitter",
    "even_parity",
    "grid",
    "local_programs",
    "mixtures",
    "next_law",
    "parity",
    "pram",
    "program_law",
    "qbf",
    "queens",
    "remask",
    "remdm",
    "render",
    "reveal_only",
    "run",
    "sudoku",
    "sudoku_oracle",
    "support",
    "visits",
]
