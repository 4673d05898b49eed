"""The least chance that an adjacent pair, drawn at once with nothing revealed near it, is impossible: rational."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from flint import fmpq, fmpq_mat

from toy_models.exact import rational


@dataclass(frozen=True, eq=False)
class Clash:
    """beta = least chance of a clash, at (l, r, u, v); proved: no context with a distance >= `far` has less."""

    beta: fmpq
    at: tuple[int | None, int | None, int, int]
    proved: bool


def primitive_power(rows: Sequence[Sequence]) -> int:
    """The least m with P^m > 0 entrywise."""
    step, power, m = _matrix(rows), _matrix(rows), 1
    while not all(value > 0 for value in power.entries()):
        power, m = power * step, m + 1
        if m > len(rows) ** 2:
            raise ValueError("no power of the transition matrix is positive")
    return m


def stationary(rows: Sequence[Sequence]) -> list[fmpq]:
    """pi P = pi, sum pi = 1, in Q."""
    size, step = len(rows), _matrix(rows)
    system = [[step[j, i] - int(i == j) for j in range(size)] for i in range(size - 1)] + [[fmpq(1)] * size]
    solution = fmpq_mat(system).solve(fmpq_mat([[fmpq(0)]] * (size - 1) + [[fmpq(1)]]))
    return [solution[i, 0] for i in range(size)]


def least_clash(rows: Sequence[Sequence], far: int = 24) -> Clash:
    """min over l, r in m+1..far-1 or absent, and over u, v, of P(P(Y, Z) = 0); beyond, bounded from below.

    A neighbour at distance >= far counts as absent at a factor of at least (1-d)^2/(1+d) in each of the two marginals,
    d = max |P^far/pi - 1|.
    """
    size, m, law = len(rows), primitive_power(rows), stationary(rows)
    step = _matrix(rows)
    powers = [fmpq_mat([[fmpq(int(i == j)) for j in range(size)] for i in range(size)])]
    for _ in range(far):
        powers.append(powers[-1] * step)
    forbidden = [(y, z) for y, z in product(range(size), repeat=2) if step[y, z] == 0]

    def chance(left: int | None, right: int | None, u: int, v: int) -> fmpq:
        near = law if left is None else [powers[left][u, y] for y in range(size)]
        next_ = law if left is None else [powers[left + 1][u, z] for z in range(size)]
        first = [a * (fmpq(1) if right is None else powers[right + 1][y, v]) for y, a in enumerate(near)]
        second = [a * (fmpq(1) if right is None else powers[right][z, v]) for z, a in enumerate(next_)]
        return sum((first[y] * second[z] for y, z in forbidden), fmpq(0)) / (sum(first, fmpq(0)) * sum(second, fmpq(0)))

    distances = [*range(m + 1, far), None]
    every = [(chance(*c), c) for c in product(distances, distances, range(size), range(size))]
    beta, at = min(every, key=lambda pair: pair[0])
    d = max(abs(powers[far][u, x] / law[x] - 1) for u in range(size) for x in range(size))
    absent = min(value for value, (left, right, _, _) in every if left is None or right is None)
    return Clash(beta, at, bool(d < 1 and absent * ((1 - d) ** 2 / (1 + d)) ** 2 > beta))


def window_events(steps: Sequence[int], m: int) -> int:
    """Windows of 2m + 2 positions whose middle pair has one step and no other position an earlier one."""
    width, found = 2 * m + 2, 0
    for start in range(0, len(steps) - width + 1, width):
        window = steps[start : start + width]
        found += int(window[m] == window[m + 1] == min(window))
    return found


def event_rate(weights: Sequence, m: int):
    """rho = sum_j Delta_j^2 (1 - a_{j-1})^(2m), in the arithmetic of the weights."""
    left, total = weights[0] * 0 + 1, weights[0] * 0
    for weight in weights:
        total += weight * weight * left ** (2 * m)
        left -= weight
    return total


def _matrix(rows: Sequence[Sequence]) -> fmpq_mat:
    return fmpq_mat([[rational(value) for value in row] for row in rows])
