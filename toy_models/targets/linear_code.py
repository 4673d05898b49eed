"""Uniform laws on linear codes over a prime field."""

from dataclasses import dataclass
from functools import cached_property
from math import isqrt

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import prange

from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.targets.kernels.impossible import reveal_one_hot, settle_impossible
from toy_models.validation import integers, positive_int, tokens

MAX_ENTRIES = 2**27  # marginals held at once: 1 GiB


@dataclass(frozen=True, eq=False)
class LinearCode:
    """q uniform on the row space of `generator` over GF(p), p = modulus prime; tokens are field elements.

    Given revealed tokens, a masked token is determined by them or uniform on GF(p).

    >>> code = tm.LinearCode(np.array([[1, 0, 1], [0, 1, 1]]))
    >>> round(float(code.entropy() / np.log(2)), 12)  # two bits
    2.0
    """

    generator: Int[np.ndarray, "k L"]
    modulus: int = 2

    def __post_init__(self):
        p = positive_int("modulus", self.modulus, 2)
        generator = integers("generator", self.generator)
        if generator.ndim != 2 or generator.size == 0:
            raise ValueError(f"generator must be a non-empty integer matrix, got {generator.dtype} {generator.shape}")
        if generator.shape[1] * (p - 1) ** 2 >= 2**63:
            raise IntractableError(
                "sums of products over GF(p) in 64-bit integers",
                f"L = {generator.shape[1]}, p = {p}, hence L (p-1)^2 = {generator.shape[1] * (p - 1) ** 2:.3g}",
                "L (p-1)^2 < 2^63",
                "take a smaller prime",
            )
        if any(p % d == 0 for d in range(2, isqrt(p) + 1)):
            raise ValueError(f"modulus = {p}, it must be prime")
        generator = row_echelon(generator % p, p)
        if len(generator) == 0:
            raise ValueError("generator has rank 0: the code has a single word")
        generator.setflags(write=False)
        object.__setattr__(self, "generator", generator)

    @property
    def vocab_size(self) -> int:
        return self.modulus

    @property
    def length(self) -> int:
        return self.generator.shape[1]

    @property
    def dimension(self) -> int:
        return self.generator.shape[0]

    @cached_property
    def parity_check(self) -> Int[np.ndarray, "checks L"]:
        """H with H x = 0 mod p exactly on the code."""
        k, length, p = self.dimension, self.length, self.modulus
        pivots = [int(np.flatnonzero(row)[0]) for row in self.generator]
        free = [i for i in range(length) if i not in pivots]
        check = np.zeros((length - k, length), dtype=np.int64)
        for row, i in enumerate(free):
            check[row, i] = 1
            check[row, pivots] = -self.generator[:, i] % p
        return check

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        x = tokens(x, self.vocab_size, self.length, masks=False)
        member = ((x @ self.parity_check.T) % self.modulus == 0).all(axis=1)
        return np.where(member, -self.dimension * np.log(self.modulus), -np.inf)

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        """O(batch k^2 L) by Gaussian elimination on the revealed columns."""
        y = tokens(y, self.vocab_size, self.length, masks=True)
        if y.size * self.modulus > MAX_ENTRIES:
            raise IntractableError(
                "marginals of a linear code",
                f"batch = {len(y)}, L = {self.length}, V = p = {self.modulus}",
                f"batch * L * V <= {MAX_ENTRIES}",
                "pass fewer rows or take a smaller prime",
            )
        result, impossible = eliminate_batch(self.generator, y, self.modulus)
        reveal_one_hot(result, y)
        return settle_impossible(result, y, impossible, on_impossible)

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        return rng.integers(self.modulus, size=(size, self.dimension)) @ self.generator % self.modulus

    def entropy(self) -> float:
        return self.dimension * float(np.log(self.modulus))

    def information_curve(self) -> Float[np.ndarray, " L"]:
        """By the ranks of all column subsets, L <= 20."""
        from toy_models.quantities.information_curve import code_curve

        return code_curve(self)

    def rank(self, revealed: Bool[np.ndarray, " L"]) -> int:
        """Rank of the revealed columns: H(X_T) = rank(T) log p."""
        revealed = np.asarray(revealed)
        if revealed.dtype != np.bool_ or revealed.shape != (self.length,):
            raise ValueError(f"revealed must be {self.length} booleans, got {revealed.dtype} {revealed.shape}")
        return len(row_echelon(np.array(self.generator[:, revealed]), self.modulus))


def row_echelon(matrix: Int[np.ndarray, "k n"], p: int) -> Int[np.ndarray, "r n"]:
    """Reduced row echelon form over GF(p) without zero rows."""
    a = np.array(matrix, dtype=np.int64) % p
    rank = 0
    for column in range(a.shape[1]):
        rows = np.flatnonzero(a[rank:, column])
        if len(rows) == 0:
            continue
        pivot = rank + rows[0]
        a[[rank, pivot]] = a[[pivot, rank]]
        a[rank] = a[rank] * pow(int(a[rank, column]), -1, p) % p
        others = np.arange(len(a)) != rank
        a[others] = (a[others] - np.outer(a[others, column], a[rank])) % p
        rank += 1
        if rank == len(a):
            break
    return a[:rank]


def _inverse(a, p):
    """a^(p-2) = 1/a mod p (Fermat), by repeated squaring."""
    result, exponent = 1, p - 2
    while exponent > 0:
        if exponent & 1:
            result = result * a % p
        a = a * a % p
        exponent >>= 1
    return result


def _eliminate_batch(generator, y, p):
    """Marginals and impossibility of each row: bring the revealed columns to echelon form, carry the values along.

    A message u gives the word u G. Column operations on G = row operations on its transpose: each revealed token is one
    linear equation on u. After elimination a masked column in the span of the revealed ones is determined.
    """
    batch, length = y.shape
    k = generator.shape[0]
    result = np.zeros((batch, length, p))
    impossible = np.zeros(batch, dtype=np.bool_)
    for b in prange(batch):
        basis = np.zeros((k, k), dtype=np.int64)  # echelon equations: basis[r] . u = value[r]
        value = np.zeros(k, dtype=np.int64)
        pivot = np.full(k, -1, dtype=np.int64)
        rank = 0
        work = np.empty(k, dtype=np.int64)
        for position in range(2 * length):
            i = position % length
            wanted = y[b, i] >= 0
            if (position < length) != wanted:  # first pass: revealed columns build the basis; second: masked ones
                continue
            for r in range(k):
                work[r] = generator[r, i]
            rest = y[b, i] if wanted else 0
            for r in range(rank):
                factor = work[pivot[r]]
                if factor != 0:
                    for c in range(k):
                        work[c] = (work[c] - factor * basis[r, c]) % p
                    rest = (rest - factor * value[r]) % p
            lead = -1
            for c in range(k):
                if work[c] != 0:
                    lead = c
                    break
            if wanted:
                if lead < 0:
                    if rest != 0:
                        impossible[b] = True
                else:
                    scale = inverse(work[lead], p)
                    for c in range(k):
                        basis[rank, c] = work[c] * scale % p
                    value[rank] = rest * scale % p
                    pivot[rank] = lead
                    rank += 1
            elif lead >= 0:
                for v in range(p):
                    result[b, i, v] = 1.0 / p
            else:
                result[b, i, (-rest) % p] = 1.0
    return result, impossible


inverse = kernel(_inverse)
eliminate_batch = kernel(_eliminate_batch, parallel=True)
