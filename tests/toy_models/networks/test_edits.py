"""Edit programs on the transformer: tiny ones learned exactly, judges on known programs, broken networks refused."""

import math
from itertools import product

import pytest
import torch

from toy_models.any_process import even_parity
from toy_models.any_process.laws import program_law
from toy_models.any_process.parity import decide, first_pair, tournament
from toy_models.any_process.programs import run, sure
from toy_models.networks import (
    CheckpointError,
    Config,
    NonFiniteLoss,
    OutOfMemory,
    TrainOptions,
    Transformer,
    edit_judge,
    edits,
)
from toy_models.networks import edit_learner as learner

SHORT = [x for n in range(6) for x in edits.parity_states(n)]


@pytest.fixture(scope="module")
def local():
    """The first-pair program from inputs of at most five bits: one layer in a band of radius 2."""
    torch.set_num_threads(1)
    config = Config(3, 12, width=16, layers=1, heads=4, controls=True, visible=edits.band(12, 2))
    return edits.train_edits(first_pair, SHORT, config, steps=120, seed=0, device="cpu")


@pytest.fixture(scope="module")
def runs():
    return edit_judge.edit_runs("smoke", 0, "cpu")


def fresh(vocab_size=3, length=12, **options):
    """An untrained network, its heads drawn at random so that nothing is hidden by zeros."""
    config = Config(vocab_size, length, width=16, controls=True, **options)
    model = Transformer(config, torch.Generator().manual_seed(0))
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        model.head.weight.normal_(std=0.3, generator=draw)
        model.control.weight.normal_(generator=draw)
    return model.eval()


def test_parity_states_are_what_runs_meet():
    met = [set() for _ in range(8)]
    for n in range(8):
        for bits in product((0, 1), repeat=n):
            for x in decide(first_pair, bits)[1].trace:
                met[len(x) - 1].add(x)
    for n in range(8):
        states = edits.parity_states(n)
        assert len(states) == len(met[n])
        assert set(states) == met[n]


def test_loss_before_training_is_that_of_the_biases():
    model = Transformer(Config(3, 12, controls=True))
    data = learner.transitions(first_pair, SHORT, pad=4)
    bits = data.bits.sum(dim=-1)[data.valid]
    wanted = (3 * math.log1p(math.exp(-2)) + 2 * bits).mean()  # nothing is written: no cross-entropy
    torch.testing.assert_close(learner.loss(edits.Reading(model), data), wanted, rtol=1e-6, atol=0.0)


def test_the_loss_of_half_precision_logits_is_computed_in_float32():
    """As autocast leaves them on a CPU: rounded logits, but no rounding after them."""
    network, data = edits.Reading(fresh()), learner.transitions(first_pair, SHORT, pad=4)

    def half(tokens):
        return tuple(part.bfloat16() for part in network(tokens))

    found = learner.loss(half, data)
    wanted = learner.loss(lambda tokens: tuple(part.float() for part in half(tokens)), data)
    assert found.dtype == torch.float32
    assert torch.equal(found, wanted)


def test_training_learns_the_program_exactly_at_every_length(local):
    assert sum(local.losses[-20:]) / 20 < local.losses[0] / 20
    network = edits.Reading(local.model)
    assert edits.agrees_at_every_length(local.model, 2)
    for n in range(8):
        states = edits.parity_states(n)
        assert edits.agreement(network, first_pair, states) == len(states)
        assert edit_judge.parity_right(network, n) == 2**n
    one_by_one = learner.as_program(network)
    for bits in product((0, 1), repeat=5):
        assert run(one_by_one, (2, *bits)).trace == decide(first_pair, bits)[1].trace


def test_certified_weights_decide_long_inputs(local):
    longer = edits.lengthened(local.model, 65, 2)
    x = torch.tensor([[2, -1, 1, 0, 1, 1]])
    for one, two in zip(local.model(x), longer(x), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-6, atol=1e-6)
    inputs = torch.randint(2, (8, 64), generator=torch.Generator().manual_seed(0)).tolist()
    for bits in inputs:
        final, _ = edits.final_law(edits.Reading(longer), {(2, *bits): 1}, 132, 65)
        assert set(final) <= ({(2, 1)} if sum(bits) % 2 else {(2,), (2, 0)})
        assert len(final) == 1


def test_the_same_seed_gives_the_same_weights(local):
    config = local.model.config
    one, two, other = (edits.train_edits(first_pair, SHORT, config, 3, seed, "cpu") for seed in (5, 5, 6))
    assert one.losses == two.losses != other.losses
    for p, q in zip(one.model.parameters(), two.model.parameters(), strict=True):
        assert torch.equal(p, q)


def test_networks_that_must_fail(local):
    states = edits.parity_states(3)
    untrained = edits.Reading(Transformer(local.model.config))
    assert edits.agreement(untrained, first_pair, states) == 0
    assert edit_judge.parity_right(untrained, 3) == 0
    for head in ("remask", "delete"):  # without either no bit ever goes
        broken = edits.Reading(local.model, (head,))
        assert edits.agreement(broken, first_pair, states) < len(states)
        assert edit_judge.parity_right(broken, 3) == 0
    with torch.no_grad():
        local.model.control.bias[1] += 50.0  # every position inserts
        assert not edits.agrees_at_every_length(local.model, 2)
        local.model.control.bias[1] -= 50.0
    assert not edits.agrees_at_every_length(fresh(layers=1), 2)


def test_certificate_refuses_a_network_trained_on_two_bits_only(local):
    two = [x for n in range(3) for x in edits.parity_states(n)]
    model = edits.train_edits(first_pair, two, local.model.config, steps=150, seed=0, device="cpu").model
    network = edits.Reading(model)
    assert edits.agreement(network, first_pair, two) == len(two)
    assert not edits.agrees_at_every_length(model, 2)


def test_padding_changes_nothing():
    states = [x for n in range(6) for x in edits.parity_states(n)]
    data = learner.transitions(first_pair, states, pad=4)
    for model in (fresh(), fresh(visible=edits.band(12, 2))):
        network = edits.Reading(model)
        scores, bits = network(data.tokens)
        assert torch.isfinite(bits).all()
        padded = learner.actions(network, data.tokens)
        for row, x in enumerate(states):
            alone = network(torch.tensor([x]) + 1)
            torch.testing.assert_close(scores[row, : len(x)], alone[0][0], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(bits[row, : len(x)], alone[1][0], rtol=1e-4, atol=1e-5)
            assert (padded[1][row, : len(x)] == (alone[1][0] > 0).numpy()).all()
    x = torch.tensor([[2, 1, 0, -1, -1]])  # a mask in place of the padding is seen
    assert (fresh()(x)[1][:, :3] - fresh()(x[:, :3])[1]).abs().min() > 1e-3


class Stub(torch.nn.Module):
    """A network whose logits are log weights of a program's actions and +-1 for its bits."""

    def __init__(self, program, vocab_size=3):
        super().__init__()
        self.program, self.vocab_size = program, vocab_size

    def forward(self, tokens):
        scores = torch.full((*tokens.shape, self.vocab_size), -math.inf)
        bits = -torch.ones(*tokens.shape, 3)
        for row, x in enumerate((tokens - 1).tolist()):
            sites = self.program(tuple(x)) or [sure((0, int(v == -1), 0, 0)) for v in x]
            for i, site in enumerate(sites):
                for weight, action in site:
                    scores[row, i, action[0]] = math.log(weight)
                bits[row, i] = 2 * torch.tensor(site[0][1][1:]) - 1
        return scores, bits


def test_judges_on_networks_that_are_programs():
    states = {n: edits.parity_states(n) for n in range(7)}
    assert all(edits.agreement(Stub(first_pair), first_pair, states[n]) == len(states[n]) for n in states)
    assert all(edit_judge.parity_right(Stub(first_pair), n) == 2**n for n in range(7))
    assert edits.agreement(Stub(tournament), first_pair, states[4]) < len(states[4])  # another way to the same answers
    assert all(edit_judge.parity_right(Stub(tournament), n) == 2**n for n in range(7))
    assert edit_judge.parity_right(Stub(lambda x: None), 1) == 2  # `< 0` and `< 1` are answers
    assert edit_judge.parity_right(Stub(lambda x: None), 2) == 0
    for n in (2, 3, 5):
        probability, tv, cut = edit_judge.even_law(Stub(even_parity.hidden_bits), n)
        assert (probability, cut) == (1.0, 0.0)
        assert tv < 1e-6  # logits are float32


def test_final_law_is_the_law_of_the_program():
    def biased(x):
        sites = even_parity.hidden_bits(x)
        return sites and [((0.3, s[0][1]), (0.7, s[1][1])) if len(s) == 2 else s for s in sites]

    exact = program_law(biased, even_parity.start(5)).final
    found, cut = edits.final_law(Stub(biased), {even_parity.start(5): 1}, 8, 10, keep=0.25)
    assert cut == 0
    assert found.keys() == exact.keys()
    for x, mass in exact.items():
        assert found[x] == pytest.approx(float(mass), rel=1e-5)
    assert len(edits.final_law(Stub(biased), {even_parity.start(5): 1}, 8, 10, keep=0.5)[0]) == 1
    assert edits.final_law(Stub(biased), {even_parity.start(5): 1}, 8, 9, keep=0.25)[0] == {}  # the peak is 10
    assert edits.final_law(Stub(biased), {even_parity.start(5): 1}, 2, 10, keep=0.25)[0] == {}  # three steps needed


def test_what_is_cut_is_reported(monkeypatch):
    monkeypatch.setattr(edits, "MOST", 12)
    probability, _, cut = edit_judge.even_law(Stub(even_parity.hidden_bits), 5)
    assert probability == pytest.approx(12 / 16, rel=1e-6)
    assert cut == pytest.approx(4 / 16, rel=1e-6)


def test_even_parity_needs_every_head_and_generates_within_trained_lengths(runs):
    (even,) = (r for r in runs if r.program == "even parity")
    for n, states, agree, right, tv in zip(even.lengths, even.states, even.agree, even.right, even.tv, strict=True):
        assert states == 3 * 2 ** (n - 1) + 1
        if n <= even.trained:
            assert agree == states
            assert right == pytest.approx(1, rel=1e-12)
            assert tv < 0.05
        assert 0 <= right <= 1 + 1e-12
    assert even.ignored["insert"] == even.ignored["delete"] == 0  # without either the string has the wrong length
    assert even.ignored["remask"] < 0.5
    assert even.untrained[0] < even.states[even.lengths.index(even.trained)]


def test_first_pair_runs(runs):
    special, full, local = (r for r in runs if r.program == "first pair")
    assert (special.every_length, full.every_length, local.every_length) == (True, None, True)
    for r in (special, local):
        assert r.agree == r.states
        assert set(r.right) == {1.0}
    for n, states, agree in zip(full.lengths, full.states, full.agree, strict=True):
        assert agree == states or n > full.trained
    for r in (full, local):
        assert (r.ignored["remask"], r.ignored["delete"]) == (0, 0)
        assert r.untrained == (0, 0.0)


def test_errors_name_what_is_wrong(local):
    with pytest.raises(ValueError, match="controls = False"):
        edits.Reading(Transformer(Config(3, 4)))
    with pytest.raises(ValueError, match="'swap', allowed: remask, insert, delete"):
        edits.Reading(local.model, ("swap",))
    with pytest.raises(ValueError, match="profile = 'quick'"):
        edit_judge.edit_runs("quick")
    endless = TrainOptions(batch=8, rate=math.inf, warmup=0)
    with pytest.raises(NonFiniteLoss, match="at step"):
        edits.train_edits(first_pair, SHORT, local.model.config, 20, 0, "cpu", endless)
    with pytest.raises(ValueError, match="device = 'abacus'"):
        edits.train_edits(first_pair, SHORT, local.model.config, 1, 0, "abacus")


def test_out_of_memory_names_a_smaller_batch(local, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(learner, "loss", full)
    with pytest.raises(OutOfMemory, match="batch = 32 with accumulate = 2"):
        edits.train_edits(first_pair, SHORT, local.model.config, 1, 0, "cpu")


def test_checkpoints_know_their_transitions(local, tmp_path):
    """A finished run is read back as it was; another table of transitions is another configuration."""
    path = tmp_path / "edits.pt"
    first, again = (edits.train_edits(first_pair, SHORT, local.model.config, 4, 0, "cpu", path=path) for _ in range(2))
    assert again.resumed_at == 4
    for one, two in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, two)
    with pytest.raises(CheckpointError, match="another configuration \\(loss"):
        edits.train_edits(first_pair, SHORT[:3], local.model.config, 4, 0, "cpu", path=path)
