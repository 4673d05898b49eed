"""The log of writes against layers and banks."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import Drawn, plain_ticks, style
from figures.registry import figure
from theory.any_process.results import Results
from toy_models.any_process import write_log
from toy_models.any_process.programs import run


@figure("any-process-log", claims=("write-log-layout", "pram-write-once"), kind="exact")
def log_of_writes(results: Results) -> Drawn:
    """Tokens that a binary search takes on three layouts, and the steps of all three; runs on one array per length."""
    sizes = np.array([4, 16, 64, 256, 1024])
    runs = []
    for n in sizes.tolist():
        machine, rounds = write_log.binary_search(n), (n).bit_length() + 1
        runs.append(
            run(write_log.program(machine, n), write_log.start(machine, (0,) * (n // 3) + (1,) * (n - n // 3), rounds))
        )
    steps, tokens = np.array([r.steps for r in runs]), np.array([r.peak for r in runs])
    rows = {
        "layers of all registers: (n + 2)(T + 1)": (sizes + 2) * (steps + 1),
        "two banks, remask: 2 (n + 2)": 2 * (sizes + 2),
        "log of writes: n + T": tokens,
        "steps T, all layouts": steps,
    }
    fig, ax = plt.subplots(figsize=(6.8, 4.2))
    for k, (name, values) in enumerate(rows.items()):
        ax.loglog(sizes, values, label=name, **style(k))
    plain_ticks(ax.xaxis, sizes)
    ax.set(
        xlabel="array length n", ylabel="tokens or steps", title="binary search: nothing is copied that does not change"
    )
    ax.legend(fontsize=8)
    return fig, {"sizes": sizes, "rows": rows}
