"""Messages of the device posterior: plans that are safe and no safer than they must be, flags, recordings."""

import numpy as np
import pytest
import torch

import toy_models as tm
from toy_models import networks
from toy_models.networks import posterior
from toy_models.networks.messages import CUTOFF, MOST, NORMAL, Plan, below_one, hidden_chain
from toy_models.networks.recursion import flagged, propagate, recorded, workspace

CPU = torch.device("cpu")


def dense_hmm(rng, length=120, states=4, vocab=5):
    initial, transition = rng.dirichlet(np.ones(states)), rng.dirichlet(np.ones(states), states)
    return tm.HMM(initial, transition, rng.dirichlet(np.ones(vocab), states), length)


def sparse_hmm(length=120):
    transition = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.25, 0.0, 0.75]]
    return tm.HMM([1.0, 0.0, 0.0], transition, [[0.5, 0.5, 0.0], [0.0, 0.75, 0.25], [0.25, 0.25, 0.5]], length)


def masked(target, rng, size=30):
    x = target.sample(size, rng)
    return torch.as_tensor(np.where(rng.random(x.shape) < 0.3, tm.MASK, x))


def agrees(found, exact, target, dtype) -> bool:
    allowed = networks.error_bound(target, dtype) + networks.error_bound(target)
    return bool((np.abs(found.double().numpy() - exact) <= allowed * exact).all())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_every_plan_alone_gives_the_marginals(rng, dtype):
    """Each plan of a dense and of a sparse chain, at odd and even lengths; nothing is flagged on these rows."""
    tried = set()
    for target in (dense_hmm(rng), dense_hmm(rng, 121), sparse_hmm(), sparse_hmm(121)):
        y, model = masked(target, rng), hidden_chain(target, CPU, dtype)
        exact = target.marginals(y.numpy())
        for plan in model.plans:
            work = workspace(model, plan, y, dtype)
            propagate(model, plan, work)
            assert not flagged(plan, work).any()
            assert (work.evidence > 0).all()
            assert agrees(posterior._laws(model, work), exact, target, dtype)
            tried.add(plan.dense)
    assert tried == {True, False}


def test_levels_are_what_the_derivation_says():
    """a = 2, e = 1 (a likelihood of 1/4 over a maximum of 1/2, rounded up to 1), g = 2 in the sparse chain."""
    for dtype in (torch.float32, torch.float64):
        (plan,) = hidden_chain(sparse_hmm(), CPU, dtype).plans
        c, normal = CUTOFF[dtype], NORMAL[dtype]
        scaled = below_one(np.array([[0.5, 0.5, 0.0], [0.0, 0.75, 0.25], [0.25, 0.25, 0.5]]))
        e = int(-np.log2(scaled[scaled > 0].min()))

        def safe(k, c=c, e=e, normal=normal):
            return c + k * (2 + e) <= normal and 2 * c + 2 * (k - 1) * (2 + e) + 2 <= normal

        assert safe(plan.every)
        assert plan.every == MOST or not safe(plan.every + 1)


def test_likelihoods_are_scaled_by_powers_of_two():
    values = np.array([[0.5, 0.3, 1.0, 0.0], [0.1, 0.001, 0.2, 0.0]])
    scaled = below_one(values)
    assert (scaled[:, :3].max(axis=0) > 0.5).all()
    assert (scaled.max(axis=0) <= 1).all()
    mantissa, _ = np.frexp(scaled[:, :3] / values[:, :3])
    assert (mantissa == 0.5).all()
    assert (scaled[:, 3] == 0).all()


@pytest.mark.parametrize(("dtype", "bits"), [(torch.float32, 10), (torch.float64, 68)])
def test_rows_that_lose_more_than_usual_are_flagged_and_done_again(dtype, bits):
    """Alternating tokens of a chain that changes with probability 2^-bits, where the plan expects a loss of one bit."""
    change = 2.0**-bits
    target = tm.HMM([0.5, 0.5], [[1 - change, change], [change, 1 - change]], [[1.0, 0.0], [0.0, 1.0]], 100)
    y = torch.tensor([[0, 1] * 50, [-1, 0] * 50, [0, 1, -1, -1] * 25])
    model, exact = hidden_chain(target, CPU, dtype), target.marginals(y.numpy())
    plan = model.plans[0]
    assert (plan.dense, plan.every) == (True, MOST)
    work = workspace(model, plan, y, dtype)
    propagate(model, plan, work)
    assert flagged(plan, work).tolist() == [True, False, True]
    assert work.evidence[0] == 0  # what would be called impossible without the flag
    assert agrees(networks.marginals(target, y, "cpu", dtype), exact, target, dtype)


def test_without_flags_a_long_row_would_be_lost(rng):
    """One rescaling at the start and no more: messages vanish, the flag sees it, and the public route does not."""
    target = dense_hmm(rng, 2000)
    y, model = torch.as_tensor(target.sample(4, rng)), hidden_chain(target, CPU, torch.float64)
    plan = Plan(2000, model.plans[0].level, True)
    work = workspace(model, plan, y, torch.float64)
    propagate(model, plan, work)
    assert (work.evidence == 0).all()
    assert flagged(plan, work).all()
    assert (networks.marginals(target, y, "cpu").sum(dim=2) == 1).all()


def test_small_entries_are_flagged_in_sparse_chains():
    """A path of probability 2^-40 beside a likely one: float32 flags the row, the answer comes from float64."""
    tiny = 2.0**-40
    target = tm.HMM([1.0, 0.0], [[1 - tiny, tiny], [0.0, 1.0]], [[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]], 6)
    y = torch.tensor([[0, 1, -1, -1, -1, 0], [0, -1, -1, -1, -1, 2]])
    model = hidden_chain(target, CPU, torch.float32)
    work = workspace(model, model.plans[0], y, torch.float32)
    propagate(model, model.plans[0], work)
    assert flagged(model.plans[0], work).all()
    exact = target.marginals(y.numpy())
    assert agrees(networks.marginals(target, y, "cpu", torch.float32), exact, target, torch.float32)


def test_recorded_body_reads_its_buffers_only(rng):
    """What a CUDA graph replays: the same body on the same buffers, with another y in them."""
    target = dense_hmm(rng, 33)
    model, first, second = hidden_chain(target, CPU, torch.float64), masked(target, rng), masked(target, rng)
    plan = model.plans[0]
    calls = []

    def record(body):
        calls.append(body)
        body()
        return body

    work, run = recorded(model, plan, first, torch.float64, record)
    for y in (second, first):
        fresh = workspace(model, plan, y, torch.float64)
        propagate(model, plan, fresh)
        work.y.copy_(y)
        run()
        assert torch.equal(work.joint, fresh.joint)
        assert torch.equal(posterior._laws(model, work), posterior._laws(model, fresh))
    assert len(calls) == 1


def test_recordings_are_kept_for_one_shape(rng):
    """The route of graph = True with a recorder that runs on the CPU."""
    target, recordings = dense_hmm(rng, 21), []

    def record(body):
        recordings.append(body)
        return body

    for size in (5, 5, 7, 5):
        y = masked(target, rng, size)
        found, _ = posterior._posterior(target, y, torch.float64, record)
        assert torch.equal(found, networks.marginals(target, y, "cpu"))
    assert len(recordings) == 3  # 5, 7 and 5 again: the last shape only


def test_buffers_kept_between_calls_carry_nothing_over(rng):
    target = dense_hmm(rng, 40)
    y, z = masked(target, rng, 6), masked(target, rng, 6)
    before = networks.marginals(target, y, "cpu")
    copy = before.clone()
    networks.marginals(target, z, "cpu")
    assert torch.equal(before, copy)
    assert torch.equal(networks.marginals(target, y, "cpu"), copy)


def test_graph_needs_cuda_and_float32_needs_full_products():
    target = tm.MarkovChain([[0.5, 0.5], [0.25, 0.75]], 3)
    y = torch.full((1, 3), -1)
    with pytest.raises(ValueError, match=r'graph = True, but device = "cpu"'):
        networks.marginals(target, y, "cpu", graph=True)
    torch.set_float32_matmul_precision("high")
    try:
        with pytest.raises(ValueError, match='are "tf32"'):
            networks.marginals(target, y, "cpu", torch.float32)
        assert networks.marginals(target, y, "cpu").shape == (1, 3, 2)
    finally:
        torch.set_float32_matmul_precision("highest")
