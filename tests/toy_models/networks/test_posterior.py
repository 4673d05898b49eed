"""The device posterior beside the CPU route and beside the table of the law, within its derived bound."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import toy_models as tm
from toy_models import networks
from toy_models.quantities.lattice import to_table

CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]


def instances(rng):
    yield tm.MarkovChain(CHAIN_A, 6)
    yield tm.NGram(rng.dirichlet(np.full(3, 0.4), (3, 3)), 6)
    yield tm.NGram(rng.dirichlet(np.full(2, 0.4), (2, 2, 2)), 6)
    yield tm.NGram(rng.dirichlet(np.full(2, 0.4), (2, 2, 2)), 3)
    yield tm.NGram(np.array([0.2, 0.5, 0.3]), 4)
    yield tm.HMM(rng.dirichlet(np.ones(3)), rng.dirichlet(np.full(3, 0.3), 3), rng.dirichlet(np.full(2, 0.3), 3), 7)
    yield tm.HMM([0.5, 0.5], [[1 - 1e-14, 1e-14], [1e-14, 1 - 1e-14]], [[1.0, 0.0], [1e-14, 1 - 1e-14]], 6)
    yield tm.Blocks(tm.MarkovChain(CHAIN_A, 3), 2)
    yield tm.pairs(2, 6)
    yield tm.Table(rng.dirichlet(np.full(27, 0.3)).reshape(3, 3, 3))


def contexts(target, rng, size=60):
    x = target.sample(size, rng)
    return np.where(rng.random(x.shape) < rng.random((size, 1)), x, tm.MASK)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_agrees_with_the_table_within_the_bound(rng, dtype):
    for target in instances(rng):
        y = contexts(target, rng)
        exact = to_table(target).marginals(y)
        found = networks.marginals(target, y, "cpu", dtype)
        assert found.dtype == dtype
        gap = np.abs(found.double().numpy() - exact)
        # the table's own sums: at most 3^7 nonnegative terms
        allowed = networks.error_bound(target, dtype) + 2 * 3**7 * 2.0**-53
        assert (gap <= allowed * exact).all(), type(target).__name__


def test_bound_grows_with_length_and_shrinks_with_precision():
    short, long = tm.MarkovChain(CHAIN_A, 8), tm.MarkovChain(CHAIN_A, 64)
    assert networks.error_bound(short) < networks.error_bound(long) < networks.error_bound(long, torch.float32)
    with pytest.raises(ValueError, match="float64"):
        networks.error_bound(tm.MarkovChain(CHAIN_A, 2_000_000), torch.float32)


@given(st.integers(2, 4), st.integers(1, 3), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_random_hmms_with_zeros(states, vocab, length, seed):
    rng = np.random.default_rng(seed)

    def rows(size, width):
        weight = rng.integers(0, 3, (size, width)).astype(float)
        weight[np.arange(size), rng.integers(width, size=size)] += 1
        return weight / weight.sum(axis=1, keepdims=True)

    target = tm.HMM(rows(1, states)[0], rows(states, states), rows(states, vocab), length)
    y = rng.integers(-1, vocab, (40, length))
    exact = target.marginals(y, on_impossible="nan")
    found = networks.marginals(target, y, "cpu", on_impossible="nan").numpy()
    assert (np.isnan(found) == np.isnan(exact)).all()
    seen = ~np.isnan(exact)
    allowed = 2 * networks.error_bound(target)
    assert (np.abs(found - exact)[seen] <= allowed * exact[seen]).all()


def test_impossible_contexts():
    target = tm.MarkovChain(CHAIN_A, 4)
    y = np.array([[0, -1, -1, -1], [0, 2, -1, -1], [0, 1, 2, 2], [0, 2, 2, 2]])
    with pytest.raises(tm.ImpossibleContext) as problem:
        networks.marginals(target, y, "cpu")
    assert problem.value.rows == [1, 3]
    uniform = networks.marginals(target, y, "cpu", on_impossible="uniform").numpy()
    assert uniform[1, 2] == pytest.approx(np.full(3, 1 / 3))
    assert np.isnan(networks.marginals(target, y, "cpu", on_impossible="nan").numpy()).any(axis=(1, 2)).tolist() == [
        False,
        True,
        False,
        False,
    ]


def test_long_rows_with_tiny_probabilities_do_not_underflow():
    """A path of probability 1e-40 per step for 200 steps: below float64 as a product, exact after rescaling."""
    target = tm.HMM([0.5, 0.5], [[1 - 1e-9, 1e-9], [1e-9, 1 - 1e-9]], [[1.0, 0.0], [1e-9, 1 - 1e-9]], 200)
    y = np.tile([0, 1, -1, -1], (1, 50))
    exact = target.marginals(y)
    for dtype in (torch.float64, torch.float32):
        found = networks.marginals(target, y, "cpu", dtype).double().numpy()
        allowed = networks.error_bound(target, dtype) + networks.error_bound(target)
        assert (np.abs(found - exact) <= allowed * exact).all()


def test_bad_input():
    target = tm.MarkovChain(CHAIN_A, 4)
    with pytest.raises(ValueError, match=r"shape \(batch, 4\)"):
        networks.marginals(target, np.zeros((2, 3), dtype=int), "cpu")
    with pytest.raises(ValueError, match=r"allowed: 0\.\.2"):
        networks.marginals(target, np.full((1, 4), 3), "cpu")
    with pytest.raises(ValueError, match="float64"):
        networks.marginals(target, np.zeros((1, 4), dtype=int), "cpu", torch.float16)
    with pytest.raises(TypeError, match="LinearCode"):
        networks.marginals(tm.LinearCode(np.array([[1, 1]])), np.zeros((1, 2), dtype=int), "cpu")


def tiny_instances(tiny):
    """A token or a start of probability `tiny` in every kind of target."""
    rows = [[1.0 - tiny, tiny]]
    yield tm.Table(np.array(rows[0]))
    yield tm.NGram(np.array(rows[0]), 2)
    yield tm.HMM([0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], rows * 2, 3)
    yield tm.HMM([0.5, 0.5], [[1.0, 0.0], [0.5, 0.5]], rows * 2, 3)
    yield tm.HMM(rows[0], np.eye(2), np.eye(2), 3)
    yield tm.MarkovChain(np.eye(2), 3, initial=np.array(rows[0]))
    yield tm.MarkovChain(rows * 2, 4)
    yield tm.NGram(np.array([[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2]), 4, initial=np.diag(rows[0]))
    yield tm.Blocks(tm.MarkovChain(np.eye(2), 2, initial=np.array(rows[0])), 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("tiny", [1e-30, 1e-40, 1e-50, 1e-200])
def test_what_the_dtype_cannot_hold_is_off_by_its_smallest_normal_number(dtype, tiny):
    """|found - q| <= g q + eta, all contexts of positive probability: none of them is called impossible."""
    for target in tiny_instances(tiny):
        width = target.vocab_size + 1
        every = np.stack(np.unravel_index(np.arange(width**target.length), (width,) * target.length), axis=1) - 1
        exact = target.marginals(every, on_impossible="nan")
        possible = ~np.isnan(exact).any(axis=(1, 2))
        full = (every != tm.MASK).all(axis=1)
        possible[full] = ~np.isneginf(target.log_prob(every[full]))
        found = networks.marginals(target, every[possible], "cpu", dtype).double().numpy()
        exact = exact[possible]
        allowed = networks.error_bound(target, dtype) + networks.error_bound(target)
        assert (np.abs(found - exact) <= allowed * exact + torch.finfo(dtype).tiny).all(), type(target).__name__


def test_a_zero_is_not_the_support():
    """The relative bound alone fails: 1e-50 is a zero in float32 and itself in float64; log_prob knows the support."""
    target, y = tm.Table(np.array([1.0 - 1e-50, 1e-50])), np.array([[tm.MASK]])
    assert networks.marginals(target, y, "cpu", torch.float32)[0, 0, 1] == 0.0
    assert networks.marginals(target, y, "cpu")[0, 0, 1] == 1e-50
    assert target.log_prob(np.array([[1]])) == pytest.approx(np.log(1e-50))


CHOICES = """
import numpy as np
import torch
import toy_models as tm
from toy_models import networks

chain, y = tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 3), np.array([[0, -1, -1]])
backends = torch.backends
for choice in open(0).read().splitlines():
    backends.fp32_precision = backends.cuda.matmul.fp32_precision = backends.mkldnn.matmul.fp32_precision = "none"
    exec(choice)
    networks.marginals(chain, y, "cpu", torch.float64)
    try:
        networks.marginals(chain, y, "cpu", torch.float32)
        print("taken")
    except ValueError as problem:
        print(problem)
"""


def test_reduced_precision_is_refused_however_it_was_chosen():
    """By torch's older call and by its newer attributes; in a process of its own, since both are global."""
    said = {
        'torch.set_float32_matmul_precision("medium")': "bf16",
        'torch.set_float32_matmul_precision("high")': "tf32",
        'torch.set_float32_matmul_precision("highest")': None,
        'backends.fp32_precision = "tf32"': "tf32",
        'backends.fp32_precision = "ieee"': None,
        'backends.mkldnn.matmul.fp32_precision = "bf16"': "bf16",
        'backends.cuda.matmul.fp32_precision = "tf32"': None,  # of another device
    }
    command = [sys.executable, "-c", CHOICES]
    done = subprocess.run(command, input="\n".join(said), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-1000:]
    refusal = 'float32 matrix products on cpu are "{}", the bound needs "ieee"; use float64'
    assert done.stdout.splitlines() == ["taken" if how is None else refusal.format(how) for how in said.values()]
