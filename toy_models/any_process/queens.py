"""n queens, one queen per row: local guesses, with and without remask as backtracking.

Columns still allowed in a row are its candidates; a guess is uniform over them. Costs: a guess is 1 step, a pass of
parallel naked singles is 1 step, and a failed guess is taken back by 1 remask step with all that followed from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from toy_models.any_process.programs import Site, String, stay_all, sure
from toy_models.any_process.transition import REMASK, write
from toy_models.validation import MASK, positive_int

Board = tuple[int, ...]  # column per row, MASK where no queen stands


@dataclass(frozen=True)
class Search:
    """Exact numbers of one search program.

    success = P(no remask needed); restart = E[steps] when a dead end remasks everything (1 step) and starts again;
    backtrack = E[steps] when it remasks the last open guess and never tries it again.
    """

    success: Fraction
    restart: Fraction
    backtrack: Fraction


def candidates(board: Board, row: int) -> list[int]:
    """Columns of a row that no queen attacks."""
    n = len(board)
    taken = set()
    for other, column in enumerate(board):
        if column != MASK:
            taken |= {column, column + row - other, column - row + other}
    return [c for c in range(n) if c not in taken]


def consistent(board: Board) -> bool:
    """No two queens attack each other."""
    placed = [(r, c) for r, c in enumerate(board) if c != MASK]
    return all(c != d and abs(r - s) != abs(c - d) for i, (r, c) in enumerate(placed) for s, d in placed[:i])


def settle_none(board: Board) -> tuple[Board | None, int]:
    """No propagation."""
    return board, 0


def settle_singles(board: Board) -> tuple[Board | None, int]:
    """Parallel naked singles until nothing changes: (board, steps), board = None at a contradiction."""
    steps = 0
    while True:
        open_rows = {r: candidates(board, r) for r, c in enumerate(board) if c == MASK}
        if any(not found for found in open_rows.values()):
            return None, steps
        forced = {r: found[0] for r, found in open_rows.items() if len(found) == 1}
        if not forced:
            return board, steps
        board = tuple(forced.get(r, c) for r, c in enumerate(board))
        steps += 1
        if not consistent(board):
            return None, steps


def first_open(board: Board) -> int:
    return board.index(MASK)


def fewest_candidates(board: Board) -> int:
    """The open row with fewest candidates, the first of equals."""
    return min((r for r, c in enumerate(board) if c == MASK), key=lambda r: len(candidates(board, r)))


def search(n: int, choose: Callable[[Board], int] = first_open, settle=settle_none) -> Search:
    """Exact success probability and expected steps, by recursion over the guess tree in Fractions."""
    empty = (MASK,) * positive_int("n", n)
    node = explore(empty, choose, settle, candidates)
    if not node.solved:
        raise ValueError(f"n = {n} has no solution")
    return summary(node)


def adaptive_search(n: int) -> Search:
    """`search` with the fewest-candidates row and naked-single propagation."""
    return search(n, fewest_candidates, settle_singles)


@dataclass(frozen=True)
class Node:
    """One node of the guess tree. success = P(a run of uniform guesses ends well); attempt = E[steps of such a run,
    good or bad]; full = E[steps] of the backtracking search below the node."""

    solved: bool
    success: Fraction
    attempt: Fraction
    full: Fraction


DEAD = Node(False, Fraction(0), Fraction(0), Fraction(0))
SOLVED = Node(True, Fraction(1), Fraction(0), Fraction(0))


def explore(board: Board, choose, settle, options: Callable[[Board, int], list[int]]) -> Node:
    """The node of `board`; `options(board, cell)` lists the values a guess is drawn from."""
    board, passes = settle(board)
    if board is None:
        return Node(False, Fraction(0), Fraction(passes), Fraction(passes))
    if MASK not in board:
        return Node(True, Fraction(1), Fraction(passes), Fraction(passes))
    cell = choose(board)
    children = [explore((*board[:cell], v, *board[cell + 1 :]), choose, settle, options) for v in options(board, cell)]
    return combine(children, passes) if children else Node(False, Fraction(0), Fraction(passes), Fraction(passes))


def combine(children: list[Node], passes: int = 0) -> Node:
    """The node above its children, whose guesses are tried in uniformly random order.

    With s solved children, a failed child is tried before the first solved one with probability 1 / (s + 1), which is 1
    if s = 0; each solved child comes first among the solved with probability 1 / s.
    """
    many, good = len(children), [c for c in children if c.solved]
    failed = sum((c.full + 2 for c in children if not c.solved), Fraction(0)) / (len(good) + 1)
    solved = sum((c.full + 1 for c in good), Fraction(0)) / max(1, len(good))
    return Node(
        bool(good),
        sum((c.success for c in children), Fraction(0)) / many,
        passes + 1 + sum((c.attempt for c in children), Fraction(0)) / many,
        passes + failed + solved,
    )


def summary(node: Node) -> Search:
    """Restarting: E = attempt / success + (1 / success - 1) remask-all steps (Wald)."""
    return Search(node.success, node.attempt / node.success + 1 / node.success - 1, node.full)


def backtracker(n: int):
    """Left-to-right queens as a Markov edit program: n value slots, then n^2 tried slots (masked = untried).

    A step guesses the first open row uniformly among columns neither attacked nor tried. At a dead end, in one step,
    the previous value is remasked, its tried slot is written, and the tried slots of the dead row are remasked.
    """

    def program(x: String) -> list[Site] | None:
        board = x[:n]
        if MASK not in board:
            return None
        row = board.index(MASK)
        tried = x[n + row * n : n + (row + 1) * n]
        free = [c for c in candidates(board, row) if tried[c] == MASK]
        sites = stay_all(x)
        if free:
            sites[row] = tuple((Fraction(1, len(free)), write(c)) for c in free)
            return sites
        if row == 0:
            return None
        sites[row - 1] = sure(REMASK)
        sites[n + (row - 1) * n + board[row - 1]] = sure(write(0))
        for c in range(n):
            sites[n + row * n + c] = sure(REMASK)
        return sites

    return program


def backtracker_start(n: int) -> String:
    return (MASK,) * (n + n * n)


def forgetful(n: int):
    """The same without tried slots: a dead end only remasks the last guess, the lowest free column is guessed.

    Deterministic, and it can cycle for ever: remask needs memory.
    """

    def program(x: String) -> list[Site] | None:
        if MASK not in x:
            return None
        row = x.index(MASK)
        free = candidates(x, row)
        sites = stay_all(x)
        if free:
            sites[row] = sure(write(free[0]))
        elif row:
            sites[row - 1] = sure(REMASK)
        return sites

    return program
