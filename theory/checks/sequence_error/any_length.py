"""Chains of any length: the first-order law and the certified recursion."""

from functools import cache

import numpy as np

import toy_models as tm
from theory.perplexity import CHAIN_A
from theory.registry import Outcome, check, control, decide, not_claimed_tight
from theory.sequence_error import Results
from theory.sequence_error_chain import first_order_constant
from toy_models.gaps.recursion import sequence_error_table


@cache
def chain_a_table():
    """SER of chain A, N = 1..64, at L = 64 and 128."""
    return sequence_error_table(tm.MarkovChain(CHAIN_A, 128), 64, [64, 128])


@cache
def chain_a_constant() -> float:
    return first_order_constant(tm.MarkovChain(CHAIN_A, 128))


@check("first-order-law", tier="float64")
def first_order_law(results: Results) -> Outcome:
    """first-order-law, conjectured: -(N/L) log(1 - SER) -> kappa, measured on one chain against two-token clashes."""
    table, kappa = chain_a_table(), chain_a_constant()
    scaled = (table.log_valid[:, 0] - table.log_valid[:, 1]) * table.steps / 64
    richardson = 2 * scaled[63] - scaled[31]
    gap = abs(richardson / kappa - 1)
    return decide(gap < 0.001, 1, gap, f"kappa = {kappa:.5f}; margin: relative gap after one extrapolation")


@control("first-order-law", tier="float64")
def first_order_law_doubled(results: Results) -> Outcome:
    """first-order-law with twice the constant (each clash counted from both sides)."""
    gap = abs(-chain_a_table().log_valid[63, 1] * 64 / 129 / (2 * chain_a_constant()) - 1)
    return decide(gap < 0.01, 1)


not_claimed_tight("first-order-law", "an asymptotic equality, argued and measured, not proved")


@check("certified-any-length", tier="float64")
def certified(results: Results) -> Outcome:
    """certified-any-length: the length-free value lies within its bound of the exact one, and the bound is small."""
    chain, lengths = tm.MarkovChain(CHAIN_A, 160), [40, 80, 160, 200]
    exact_table = sequence_error_table(chain, 16, lengths, method="exact")
    free = sequence_error_table(chain, 16, lengths, method="certified")
    gap = np.abs(exact_table.log_valid - free.log_valid)
    allowed = free.error_bound + exact_table.error_bound
    margin = float((allowed - gap).min())
    return decide(
        bool((gap <= allowed).all() and allowed.max() < 1e-6), gap.size, margin, "margin: nats of log(1 - SER)"
    )


@control("certified-any-length", tier="float64")
def certified_off_by_one(results: Results) -> Outcome:
    """certified-any-length with the answer of one step more."""
    chain = tm.MarkovChain(CHAIN_A, 160)
    exact_table = sequence_error_table(chain, 17, [200], method="exact")
    free = sequence_error_table(chain, 17, [200], method="certified")
    gap = np.abs(exact_table.log_valid[:-1] - free.log_valid[1:])
    return decide(bool((gap <= free.error_bound[1:] + exact_table.error_bound[:-1]).all()), gap.size)


not_claimed_tight("certified-any-length", "the bound is conservative by four orders of magnitude")
