"""The two ways in which an exact computation can refuse an input."""

from collections.abc import Sequence


class ImpossibleContext(ValueError):
    """A conditional law was asked for given revealed tokens of probability zero; `rows` lists the batch rows.

    >>> tm.repetition(2, 3).marginals(np.array([[0, 1, -1]]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    toy_models.errors.ImpossibleContext: the revealed tokens of row(s) 0 have probability 0 ...
    """

    def __init__(self, rows: Sequence[int]):
        self.rows = [int(row) for row in rows]
        shown = ", ".join(map(str, self.rows[:10])) + (", ..." if len(self.rows) > 10 else "")
        super().__init__(
            f"the revealed tokens of row(s) {shown} have probability 0 under the target, so no conditional law exists; "
            'pass on_impossible="uniform" or "nan" to go on'
        )


class IntractableError(ValueError):
    """No exact route serves this size; the message names the size, the limit and the alternative.

    >>> tm.information_curve(tm.HMM([0.5, 0.5], np.eye(2), np.eye(2), 64))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    toy_models.errors.IntractableError: the information curve by enumeration: V = 2, L = 64, ...
    """

    def __init__(self, what: str, size: str, limit: str, alternative: str):
        super().__init__(f"{what}: {size} is beyond the exact limit ({limit}); {alternative}")
