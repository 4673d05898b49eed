"""The fewest exact calls: treedepth of the graph, bisection for chains."""

from itertools import product
from math import ceil, log2

import numpy as np

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.sequence_error import fields
from theory.sequence_error.results import Results
from toy_models import exact
from toy_models.rules import fixed_schedule_front, subset_entropies, treedepth_order

ISING = {  # beta = 1/2, field .2 on position 0: (graph, length, td, least KL one step short), as the page prints it
    "path 4": (fields.path(4), 4, 3, 0.0220902690),
    "path 7": (fields.path(7), 7, 3, 0.0457593188),
    "path 8": (fields.path(8), 8, 4, 0.0009997377),
    "cycle 7": (fields.cycle(7), 7, 4, 0.0098427929),
    "star 5": (fields.star(6), 6, 2, 0.5338930255),
    "K4": (fields.complete(4), 4, 4, 0.0245795439),
    "grid 2x3": (fields.grid(2, 3), 6, 4, 0.0113689474),
    "grid 2x4": (fields.grid(2, 4), 8, 4, 0.0590048923),
}


def _random_field(rng: np.random.Generator, graph: fields.Graph, length: int) -> fields.Field:
    bonds, own = rng.integers(2, 6, len(graph)).tolist(), rng.integers(1, 5, (length, 2)).tolist()
    return fields.Field(fields.integer_field(graph, length, bonds, own))


@check("treedepth", tier="rational")
def fewest_steps_are_the_treedepth(results: Results) -> Outcome:
    """treedepth: ferromagnetic fields on connected graphs of 2 to 5 positions in integers. Given every x_R, tokens are
    dependent iff in one component; fewest exact steps, and calls of the luckiest text of the best adaptive rule, = td.
    """
    rng, count, holds, every = np.random.default_rng(71), 0, True, 6 if results.profile == "full" else 40
    for length in (2, 3, 4, 5):
        for k, graph in enumerate(fields.connected_graphs(length)):
            if length == 5 and k % every:
                continue
            field, depth = _random_field(rng, graph, length), treedepth_order(graph, length).steps
            holds &= field.faithful(graph) and field.fewest_steps() == field.luckiest_calls() == depth
            count += 1
    for graph, length in ((fields.path(6), 6), (fields.grid(2, 3), 6), (((0, 1), (2, 3), (3, 4)), 5)):  # the last: two
        field, depth = _random_field(rng, graph, length), treedepth_order(graph, length).steps
        holds &= field.faithful(graph) and field.fewest_steps() == depth
        count += 1
    return decide(holds, count, 0.0)


@check("treedepth", tier="rational")
def treedepth_by_labels(results: Results) -> Outcome:
    """treedepth: the order of the library has as many steps as the least number of labels of a vertex ranking; its
    blocks hold one position per component; every connected graph of at most 5 positions.
    """
    count, holds = 0, True
    for length in (1, 2, 3, 4, 5):
        for graph in fields.connected_graphs(length):
            order = treedepth_order(graph, length)
            label = {v: order.steps - j for j, block in enumerate(order.blocks) for v in block}
            holds &= order.steps == fields.ranking_number(graph, length)
            holds &= fields.is_ranking(graph, length, [label[v] for v in range(length)])
            count += 1
    return decide(holds, count, 0.0)


@check("treedepth", tier="float64")
def one_step_short(results: Results) -> Outcome:
    """treedepth: Ising fields with beta = 1/2: KL of the best order is 0 in td steps and as printed in td - 1, by the
    subset recursion and by every assignment of steps.
    """
    gaps, short = [], []
    for graph, length, depth, printed in ISING.values():
        target = tm.Table(fields.ising(graph, length, 0.5, 0.2))
        front = [best.loss - target.entropy() for best in fixed_schedule_front(target, steps=depth)]
        gaps += [abs(front[-1]), abs(tm.trajectory_kl(target, treedepth_order(graph, length)))]
        gaps += [abs(front[-2] - printed), abs(_best_assignment(target, depth - 1) - printed)]
        short.append(front[-2])
    return decide(max(gaps) < 6e-11, len(gaps), min(short), "margin: least KL one step short, nats")


def _best_assignment(target: tm.Table, steps: int) -> float:
    """min over all N^L assignments of steps of sum over i of H(X_i | what was revealed before) - H(X)."""
    entropy, length = subset_entropies(target), target.length
    step = np.array(list(product(range(steps), repeat=length)))
    before = step[:, None, :] < step[:, :, None]  # [a, i, k]: k revealed before i
    context = before.astype(np.int64) @ (1 << np.arange(length))
    total = entropy[context | 1 << np.arange(length)] - entropy[context]
    return float(total.sum(axis=1).min() - entropy[-1])


@control("treedepth", tier="rational")
def unfaithful_parity(results: Results) -> Outcome:
    """treedepth without dependence: parity of 5 bits is Markov for K5 (td 5); its fewest exact steps are 2."""
    weights = np.array([1 - sum(x) % 2 for x in product((0, 1), repeat=5)], dtype=object).reshape((2,) * 5)
    return decide(fields.Field(weights).fewest_steps() == treedepth_order(fields.complete(5), 5).steps, 1)


@control("treedepth", tier="rational")
def chromatic_number(results: Results) -> Outcome:
    """treedepth replaced by the chromatic number: a path of 4 positions has 2 colours, its field needs 3 steps."""
    field = fields.Field(fields.integer_field(fields.path(4), 4, [3, 3, 3], [(1, 2)] * 4))
    return decide(field.fewest_steps() == 2, 1)


@control("treedepth", tier="rational")
def some_texts_are_lucky(results: Results) -> Outcome:
    """treedepth, second half, with dependence on average only: one x_R that determines all shortens its texts.

    Three bits: x_0 = 1 forces the others to 0, x_0 = 0 leaves them dependent. Fewest steps 3, luckiest text 2 calls.
    """
    weights = np.array([[[3, 1], [1, 2]], [[1, 0], [0, 0]]], dtype=object)
    field = fields.Field(weights)
    return decide(field.luckiest_calls() == treedepth_order(fields.complete(3), 3).steps == field.fewest_steps(), 1)


not_claimed_tight("treedepth", "an equality")


@check("bisection-optimal", tier="rational")
def chains_need_bisection(results: Results) -> Outcome:
    """bisection-optimal: random positive rational chains, also with changing rows: fewest exact steps and calls of the
    luckiest text are ceil(log2(L + 1)), by definition in integers; products of the rows have rank 2 or more.
    """
    rng, holds, count = np.random.default_rng(72), True, 0
    shapes = ((2, 2), (2, 3), (2, 4), (3, 3), (2, 5), (3, 4), (2, 6)) + (((2, 7),) if results.profile == "full" else ())
    for size, length in shapes:
        for fixed in (True, False):
            rows = [_positive_rows(rng, size) for _ in range(length)]
            rows = [rows[0]] * length if fixed else rows
            field, bound = fields.Field(_chain(rows, length)), ceil(log2(length + 1))
            holds &= all(exact_rank(rows[i:j]) >= 2 for j in range(1, length) for i in range(j))
            holds &= field.fewest_steps() == field.luckiest_calls() == bound == tm.bisection(length).steps
            count += 1
    return decide(holds, count, 0.0)


def _positive_rows(rng: np.random.Generator, size: int) -> np.ndarray:
    """Positive integer rows, all of one sum, so that their product with any weights stays a Markov chain."""
    while True:
        rows = rng.integers(1, 9, size=(size, size))
        rows[:, -1] = 20 - rows[:, :-1].sum(axis=1)
        if rows.min() > 0 and exact_rank([rows]) == size:
            return rows.astype(object)


def _chain(rows: list[np.ndarray], length: int) -> np.ndarray:
    """Integer weights of the chain that starts uniformly."""
    weights = np.ones(len(rows[0]), dtype=object)
    for matrix in rows[: length - 1]:
        weights = weights[..., None] * matrix
    return weights


def exact_rank(rows: list[np.ndarray]) -> int:
    """Rank over Q of a product of integer matrices."""
    from flint import fmpz_mat

    power = fmpz_mat(np.eye(len(rows[0]), dtype=int).tolist())
    for matrix in rows:
        power *= fmpz_mat([[int(v) for v in row] for row in matrix])
    return power.rank()


@check("bisection-optimal", tier="rational")
def depth_of_a_path(results: Results) -> Outcome:
    """bisection-optimal: td of the path by its recursion, by the library and as ceil(log2(n + 1))."""
    depth = [0]
    for n in range(1, 200):
        depth.append(1 + min(max(depth[v], depth[n - 1 - v]) for v in range(n)))
    holds = all(depth[n] == (n).bit_length() == ceil(log2(n + 1)) for n in range(1, 200))
    holds &= all(treedepth_order(fields.path(n), n).steps == depth[n] for n in range(1, 13))
    return decide(holds, 211, 0.0)


@check("bisection-optimal", tier="float64")
def chains_one_step_short(results: Results) -> Outcome:
    """bisection-optimal: rows (.8, .2), (.35, .65): least KL one step short .0213266280 at L = 4, .0008490043 at 8."""
    gaps = []
    for length, steps, printed in ((4, 2, 0.0213266280), (8, 3, 0.0008490043)):
        chain = tm.MarkovChain([[0.8, 0.2], [0.35, 0.65]], length, [0.5, 0.5])
        table = tm.Table(exact.to_float(exact.chain_pmf(["1/2"] * 2, [["4/5", "1/5"], ["7/20", "13/20"]], length)))
        best = fixed_schedule_front(chain, steps=steps)[-1].loss - chain.entropy()
        gaps += [abs(best - printed), abs(_best_assignment(table, steps) - printed)]
    return decide(max(gaps) < 6e-11, len(gaps), 0.0008490043, "margin: least KL one step short, nats")


@control("bisection-optimal", tier="rational")
def forbidden_transitions_are_lucky(results: Results) -> Outcome:
    """bisection-optimal for a chain with a zero: on the golden mean chain, L = 4, some texts take 2 calls."""
    field = fields.Field(_chain([np.array([[1, 1], [2, 0]], dtype=object)] * 4, 4))
    return decide(field.luckiest_calls() == 3, 1)


@control("bisection-optimal", tier="rational")
def powers_of_rank_one(results: Results) -> Outcome:
    """bisection-optimal without the rank condition: a positive P with P^2 of rank one is exact in 2 steps at L = 4."""
    rows = np.array([[4, 4, 1], [2, 2, 5], [3, 3, 3]], dtype=object)  # 9 P
    positive_and_rank_one = rows.min() > 0 and exact_rank([rows]) == 2 and exact_rank([rows, rows]) == 1
    return decide(not positive_and_rank_one or fields.Field(_chain([rows] * 4, 4)).fewest_steps() == 3, 1)


not_claimed_tight("bisection-optimal", "an equality: bisection makes as many calls as the bound")
