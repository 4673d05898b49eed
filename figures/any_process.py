"""Figures of any-process generation. Pure functions of theory.any_process.Results."""

from pathlib import Path

import matplotlib.pyplot as plt

from figures import STYLE
from figures.any_process_correctors import corrector, learned, remask, search
from figures.any_process_programs import dyck, layouts, space_time
from figures.layout import sources
from figures.save import save
from theory.any_process import Results

ACCURACY = {
    "any-process-corrector": {"mixtures": 1e-6},  # bounds where an iteration stopped
    "any-process-remask": {"floors": 1e-6},  # of an eigenvector
}


def save_all(results: Results, out_dir: str | Path, parameters: dict, seed: int, names=None) -> list[Path]:
    """Draw and write every figure of the topic, or those named; the JSON paths."""
    p, d, c = results.pram, results.dyck, results.corrector
    data = {
        "any-process-space-time": (space_time, "exact", ["parity-first-pair", "parity-edit-decision",
            "even-parity-generation", "pram-two-bank", "dyck-support"],
            {"parity": results.parity.traces, "even_parity": results.generation.trace, "counter": p.trace,
             "dyck": d.growth}),
        "any-process-layouts": (layouts, "exact", ["pram-write-once", "pram-two-bank", "write-once-step-bound"],
            {"scan": p.scan, "counter": p.counter, "gray": p.gray, "qbf": p.qbf_steps}),
        "any-process-dyck": (dyck, "exact", ["dyck-support", "dyck-finite-state"],
            {"sizes": d.sizes, "classes": d.classes, "windows": d.windows, "valid": numbers(d.valid)}),
        "any-process-search": (search, "exact", ["queens-backtracking", "sudoku-group-remask"],
            {"left_to_right": [searched(s) for s in results.queens.left_to_right],
             "adaptive": [searched(s) for s in results.queens.adaptive],
             "sudoku": {n: numbers(vars(g)) for n, g in results.sudoku.oracle.items()}}),
        "any-process-corrector": (corrector, "exact", ["two-colour-corrector"],
            # how many schedules have different laws is counted in floats, and a matter of rounding
            {"rows": c.rows, "mixtures": {b: {"low": m.low, "high": m.high} for b, m in c.mixtures.items()}}),
        "any-process-remask": (remask, "exact", ["remdm-hurts", "remask-floor"],
            {"remdm": c.remdm, "floors": c.floors}),
        "any-process-learned": (learned, "trained", ["learned-parity"],
            {"parity": results.learned.parity, "relative": results.learned.relative}),
    }  # fmt: skip
    depends = sources("any_process")
    paths = []
    with plt.style.context(STYLE):
        for name, (draw, kind, claims, content) in data.items():
            if names is not None and name not in names:
                continue
            paths.append(
                save(
                    draw(results),
                    name,
                    out_dir,
                    data=content,
                    claims=claims,
                    kind=kind,
                    parameters=parameters,
                    seed=seed,
                    depends=depends,
                    accuracy=ACCURACY.get(name, {}),
                )
            )
    return paths


def numbers(values: dict) -> dict:
    """Fractions as floats."""
    return {k: v if isinstance(v, int) else float(v) for k, v in values.items()}


def searched(s) -> dict:
    return numbers(vars(s))
