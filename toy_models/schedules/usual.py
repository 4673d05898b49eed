"""The sizes that people use, by name."""

import numpy as np
from jaxtyping import Int

from toy_models.schedules.named import CosineSchedule, LinearSchedule
from toy_models.schedules.sizes import growing_sizes

USUAL = ("uniform", "cosine", "growing")


def usual_sizes(schedule: str, steps: int, length: int) -> Int[np.ndarray, " N"]:
    """uniform, cosine (few tokens first) or growing (1 : 2 : ... : N), in at most `steps` calls; none is empty.

    >>> [tm.schedules.usual_sizes(name, 3, 12).tolist() for name in ("uniform", "cosine", "growing")]
    [[4, 4, 4], [2, 4, 6], [2, 4, 6]]
    """
    if schedule not in USUAL:
        raise ValueError(f"schedule = {schedule!r}, allowed: {', '.join(USUAL)}")
    if schedule == "growing":
        made = growing_sizes(length, steps)
    else:
        made = {"uniform": LinearSchedule(), "cosine": CosineSchedule()}[schedule].sizes(steps, length)
    return made[made > 0]
