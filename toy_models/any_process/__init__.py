"""Any-process generation: sequences that unmask, remask, insert and delete.

transition   one step g(x, y, c)          programs  runs, step and context counters, cycles
laws         exact laws of stochastic programs    rewriting  a compact notation   trace  text and grids
parity, even_parity, local_programs, dyck, pram, counter, qbf, queens, sudoku, sudoku_oracle, corrector, gibbs,
remask, remdm, mixtures, emitter, write_log

    x = tm.any_process.apply([-1, 1, -1], proposal=[0, 0, 1], remask=[0, 1, 0], insert=[1, 0, 0], delete=[0, 0, 1])
"""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "laws": ["ProgramLaw", "next_law", "program_law", "support", "visits"],
        "programs": [
            "ContextLimit",
            "ProgramCycle",
            "ProgramError",
            "Run",
            "Site",
            "StepLimit",
            "String",
            "run",
            "stay_all",
            "sure",
        ],
        "rewriting": ["Rules"],
        "trace": ["EMPTY", "grid", "render"],
        "transition": ["Action", "HOLD", "KEEP", "REMASK", "apply", "emit", "reveal_only", "write"],
    },
    [
        "corrector",
        "counter",
        "dyck",
        "emitter",
        "even_parity",
        "gibbs",
        "local_programs",
        "mixtures",
        "parity",
        "pram",
        "qbf",
        "queens",
        "remask",
        "remdm",
        "rewriting",
        "sudoku",
        "sudoku_oracle",
        "write_log",
    ],
)
