"""Every way in which a sampler calls a network, by a short sampler of that style; and what the network must say."""

import math

import numpy as np
import pytest
import torch

import toy_models as tm
from toy_models.audit.comparison import compare
from toy_models.audit.reference import language, written_by
from toy_models.networks import CallBudgetExceeded, ExactNetwork, Policies
from toy_models.quantities.lattice import to_table

CHAIN = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 5)
ZEROS = tm.MarkovChain([[0.0, 0.6, 0.4], [0.5, 0.0, 0.5], [0.3, 0.7, 0.0]], 4)
SIZE = 6000
ALPHA = 1e-6


def draw(logits: torch.Tensor) -> torch.Tensor:
    p = torch.softmax(logits.double(), dim=-1)
    return torch.multinomial(p.reshape(-1, p.shape[-1]), 1).reshape(p.shape[:-1])


def fits(target, texts, rule=None) -> bool:
    """Whether the texts have the exact law of the language, or of the rule; by enumeration of the law."""
    rng = np.random.default_rng(1)
    reference = language(target, len(texts), rng) if rule is None else written_by(target, rule, len(texts), rng)
    texts = np.asarray(texts)
    inside = (texts >= 0).all(axis=1) & (texts < target.vocab_size).all(axis=1)
    inside[inside] = np.isfinite(target.log_prob(texts[inside]))
    return not compare(target, reference, texts[inside], len(texts), ALPHA, rng).differs


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(3)


def contexts(target, size=64):
    rng = np.random.default_rng(2)
    x = target.sample(size, rng)
    return np.where(rng.random(x.shape) < rng.random((size, 1)), x, tm.MASK)


# -------------------------------------------------------------------------------------------------- what it says


TARGETS = {
    "table": tm.Table(np.random.default_rng(0).dirichlet(np.full(27, 0.4)).reshape(3, 3, 3)),
    "chain": CHAIN,
    "zeros": ZEROS,
    "hmm": tm.HMM([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], [[0.7, 0.3], [0.1, 0.9]], 5),
    "trigram": tm.NGram(np.random.default_rng(1).dirichlet(np.full(2, 0.5), (2, 2)), 5),
    "blocks": tm.Blocks(tm.zero_sum(2, 2), 2),
    "code": tm.LinearCode(np.array([[1, 0, 1], [0, 1, 1]]), 2),
}


@pytest.mark.parametrize("name", TARGETS)
def test_logits_are_the_logarithms_of_the_tables_marginals(name):
    target = TARGETS[name]
    y = contexts(target)
    network = ExactNetwork(target, mask_id=target.vocab_size)
    x = torch.as_tensor(np.where(y == tm.MASK, target.vocab_size, y))
    logits = network(x).logits
    assert logits.dtype == torch.float64
    assert torch.isneginf(logits[:, :, target.vocab_size]).all()
    exact = to_table(target).marginals(y)
    assert np.abs(logits[:, :, : target.vocab_size].exp().numpy() - exact).max() < 1e-12


def test_equal_laws_are_equal_as_bits():
    """Every position of a stationary chain has one law; in 53 bits 162 of 200 chains differ somewhere."""
    rng, apart = np.random.default_rng(0), 0
    for _ in range(40):
        vocab, length = int(rng.integers(2, 5)), int(rng.integers(4, 12))
        chain = tm.MarkovChain(rng.dirichlet(np.ones(vocab), vocab), length)
        nothing = np.full((1, length), tm.MASK)
        raw = chain.marginals(nothing)[0]
        apart += bool((raw != raw[:1]).any())
        logits = ExactNetwork(chain, vocab)(torch.full((1, length), vocab)).logits[0]
        assert bool((logits == logits[:1]).all())
    assert apart > 20  # the rounding is what makes them equal


def test_long_languages_are_served():
    chain = tm.corpus.language(2, 1024)
    y = contexts(chain, 2)
    logits = ExactNetwork(chain, 27)(torch.as_tensor(np.where(y == tm.MASK, 27, y))).logits[:, :, :27]
    assert np.abs(logits.exp().numpy() - chain.marginals(y)).max() < 2.0**-40  # laws of 40 bits
    assert (logits.exp().sum(dim=-1) - 1).abs().max() < 1e-12


def test_leave_one_out_at_revealed_positions():
    network = ExactNetwork(ZEROS, 3, policies=Policies(revealed="leave-one-out"))
    y = contexts(ZEROS, 20)
    found = network(torch.as_tensor(np.where(y == tm.MASK, 3, y))).logits[:, :, :3].exp().numpy()
    table = to_table(ZEROS)
    for i in range(4):
        without = y.copy()
        without[:, i] = tm.MASK
        assert np.abs(found[:, i] - table.marginals(without)[:, i]).max() < 1e-12


def test_impossible_contexts_follow_the_policy():
    x = torch.tensor([[0, 0, 3, 3], [0, 3, 3, 3]])
    uniform = ExactNetwork(ZEROS, 3)
    assert torch.allclose(uniform(x).logits[0, 2:, :3].exp(), torch.tensor(1 / 3, dtype=torch.float64))
    assert uniform(x).logits[0, 0, :3].exp().tolist() == [1.0, 0.0, 0.0]
    assert uniform.record.impossible_rows == 2  # one row in each of two calls
    prior = uniform.with_policies(impossible="prior")(x).logits[0, 2:, :3].exp()
    assert np.allclose(prior, ZEROS.marginals(np.full((1, 4), -1))[0, 2:], atol=1e-15)
    with pytest.raises(tm.ImpossibleContext, match=r"row\(s\) 0 "):
        uniform.with_policies(impossible="raise")(x)
    complete = torch.tensor([[0, 0, 1, 0]])
    assert uniform.with_policies(impossible="raise")(complete).logits.shape == (1, 4, 4)  # no position is masked


def test_foreign_ids_follow_the_policy():
    network = ExactNetwork(CHAIN, mask_id=7, vocab_size=9)
    x = torch.tensor([[8, 7, 0, 7, 7]])
    assert network(x).logits[0, 1, :2].exp().tolist() == [0.5, 0.5]
    assert network.record.foreign_rows == 1
    masked = network.with_policies(foreign="masked")(x).logits[0, :, :2].exp()
    assert np.allclose(masked, CHAIN.marginals(np.array([[-1, -1, 0, -1, -1]]))[0], atol=1e-15)


def test_letters_may_have_any_ids():
    network = ExactNetwork(CHAIN, mask_id=0, vocab_size=12, ids=[11, 4])
    logits = network(torch.tensor([[11, 0, 0, 0, 4]])).logits[0]
    exact = CHAIN.marginals(np.array([[0, -1, -1, -1, 1]]))[0]
    assert np.allclose(logits[:, [11, 4]].exp(), exact, atol=1e-15)
    assert torch.isneginf(logits[:, [k for k in range(12) if k not in (11, 4)]]).all()


@pytest.mark.parametrize(("dtype", "accuracy"), [(torch.float64, 1e-12), (torch.float32, 1e-6), (torch.bfloat16, 0.02)])
def test_dtypes_floor_and_fresh_tensors(dtype, accuracy):
    network = ExactNetwork(ZEROS, 3, dtype=dtype, policies=Policies(floor=-30.0))
    x = torch.tensor([[0, 3, 3, 3]])
    first = network(x).logits
    assert first.dtype == dtype == network.dtype == next(network.parameters()).dtype
    assert float(first.min()) == -30.0
    assert np.allclose(
        first[0, 1:, :3].double().exp(), ZEROS.marginals(np.array([[0, -1, -1, -1]]))[0, 1:], atol=accuracy
    )
    first += 1e6  # samplers do this
    assert float(network(x).logits.max()) <= 0.0
    assert network.to(torch.float32).dtype == torch.float32
    assert not network.eval().training
    assert network.device == torch.device("cpu")


# ---------------------------------------------------------------------------------- samplers in the style of each row


def test_full_length_with_attention_mask_and_prompt():
    """model(x, attention_mask=...).logits over prompt + text; the batch is padded on the right."""
    network = ExactNetwork(CHAIN, mask_id=5, vocab_size=8, prompt=2)
    x = torch.full((SIZE, 2 + 5 + 1), 5)
    x[:, :2], x[:, -1] = torch.tensor([6, 7]), 7
    seen = torch.ones_like(x)
    seen[:, -1] = 0
    for _ in range(5):
        masked = x == 5
        p = torch.rand(x.shape).masked_fill(~masked, -1).argmax(dim=1)
        x[torch.arange(SIZE), p] = draw(network(x, attention_mask=seen).logits[torch.arange(SIZE), p])
    assert fits(CHAIN, x[:, 2:7])
    assert (network.record.calls, network.record.rows, network.record.foreign_rows) == (5, 5 * SIZE, 0)


def test_empty_prompt_and_what_the_fixed_rule_promises():
    network = ExactNetwork(CHAIN, 2)
    x = torch.cat([torch.zeros((SIZE, 0), dtype=torch.int64), torch.full((SIZE, 5), 2)], dim=1)
    for block in ([0, 2, 4], [1, 3]):
        x[:, block] = draw(network(input_ids=x).logits)[:, block]
    assert fits(CHAIN, x, tm.FixedOrder([[0, 2, 4], [1, 3]]))
    assert not fits(CHAIN, x)


@pytest.mark.parametrize("over", ["ids", "pairs", "scores"])
def test_hidden_padding_on_the_left_with_position_ids(over):
    """tok_idx counts attended ids alone; what is padded stands nowhere, whichever mask says so."""
    network = ExactNetwork(CHAIN, mask_id=2, vocab_size=4)
    x = torch.cat([torch.full((SIZE, 3), 3), torch.full((SIZE, 5), 2)], dim=1)
    seen = (torch.arange(8) >= 3).expand(SIZE, -1)
    positions = (seen.long().cumsum(dim=1) - 1).masked_fill(~seen, 1)
    if over != "ids":
        seen = seen[:, None, None, :] & seen[:, None, :, None]
    if over == "scores":
        seen = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    for i in range(5):
        x[:, 3 + i] = draw(network(x, seen, positions).logits[:, 3 + i])
    assert fits(CHAIN, x[:, 3:])


def test_hidden_letters_are_marginalised():
    """A letter that the mask hides is not known, wherever it stands."""
    network = ExactNetwork(CHAIN, 2)
    seen = torch.tensor([[1, 0, 1, 1, 1]])
    found = network(torch.tensor([[0, 1, 2, 2, 1]]), seen).logits[0, :, :2].exp()
    assert np.allclose(found, CHAIN.marginals(np.array([[0, -1, -1, -1, 1]]))[0], atol=1e-14)


def test_logits_shifted_by_one():
    """Next-token networks: the logits of column j are about column j + 1, and one column stands before the text."""
    network = ExactNetwork(CHAIN, mask_id=2, vocab_size=4, prompt=1, shift=1)
    x = torch.full((SIZE, 6), 2)
    x[:, 0] = 3
    for i in (2, 0, 4, 1, 3):
        logits = network(x, "full", None).logits
        logits = torch.cat([logits[:, :1], logits[:, :-1]], dim=1)
        x[:, 1 + i] = draw(logits[:, 1 + i])
    assert fits(CHAIN, x[:, 1:])


def test_time_is_accepted_and_a_plain_tensor_returned():
    """backbone(x, sigma) -> tensor; the sampler adds a large negative number to the mask's logit, in place."""
    network = ExactNetwork(CHAIN, 2, policies=Policies(output="tensor", floor=-1e4), dtype=torch.float32)
    x, steps = torch.full((SIZE, 5), 2), 3
    for k in range(steps):
        logits = network(x, torch.full((SIZE,), 1 - k / steps))
        logits[:, :, 2] += -1e6
        now = (x == 2) & (torch.rand(x.shape) < 1 / (steps - k))
        x = torch.where(now, draw(logits), x)
    assert fits(CHAIN, x, tm.IndependentReveal([1 / 3] * 3))


def test_tuples():
    network = ExactNetwork(CHAIN, 2, policies=Policies(output="tuple"))
    x = torch.full((SIZE, 5), 2)
    assert network.config.do_x1_sc is False
    for i in range(5):
        logits, _ = network(x, 0.5)
        x[:, i] = draw(logits[:, i])
    assert fits(CHAIN, x)


def test_log_scores():
    """Ratios of the absorbing process: exp(score) = p / (e^sigma - 1) at masks, 1 at the own id; one analytic step."""
    network = ExactNetwork(CHAIN, 2, policies=Policies(output="log-score"))
    sigma = torch.full((SIZE, 1), 0.7)
    score = network(torch.full((SIZE, 5), 2), sigma)
    p = score[:, :, :2].double().exp() * math.expm1(0.7)
    assert torch.allclose(p.sum(dim=-1), torch.ones(SIZE, 5, dtype=torch.float64), atol=1e-6)
    assert (score[:, :, 2] == 0).all()
    x = torch.full((SIZE, 5), 2)
    for left, now in ((3.0, 1.2), (1.2, 0.4), (0.4, 0.0)):  # noise levels; alpha = e^-sigma of letters are kept
        p = network(x, torch.full((SIZE,), left))[:, :, :2].exp() * math.expm1(left)
        chance = (math.exp(-now) - math.exp(-left)) / (1 - math.exp(-left))
        x = torch.where((x == 2) & (torch.rand(x.shape) < chance), draw(p.log()), x)
    alpha = np.exp(-np.array([3.0, 1.2, 0.4, 0.0]))
    first = np.append(alpha[0], np.diff(alpha))  # what e^-3 would have revealed is written in the first step
    assert abs(first.sum() - 1) < 1e-12
    weights = np.diff(alpha) / (1 - alpha[0])
    assert fits(CHAIN, x, tm.IndependentReveal(weights))
    with pytest.raises(ValueError, match="needs a time"):
        network(x)


def test_growing_prefixes_are_marginalised():
    """backbone(x, sigma, store_kv=...) over the first blocks; BOS stands first."""
    network = ExactNetwork(CHAIN, mask_id=2, vocab_size=4, prompt=1)
    x = torch.full((SIZE, 1), 3)
    for width in (2, 2, 1):
        x = torch.cat([x, torch.full((SIZE, width), 2)], dim=1)
        for j in range(x.shape[1] - width, x.shape[1]):
            x[:, j] = draw(network(x, torch.ones(SIZE, 1), store_kv=True, sample_mode=True).logits[:, j])
    assert fits(CHAIN, x[:, 1:])


@pytest.mark.parametrize("dual", [False, True])
def test_caches_hold_the_ids(dual):
    """Suffix windows over a cut cache, or block windows with replaced positions, one text at a time and in batches."""
    for rows in (1, SIZE):
        network, texts = ExactNetwork(CHAIN, 2), []
        for _ in range(20 if rows == 1 else 1):
            x = torch.full((rows, 5), 2)
            for start, end in ((0, 3), (3, 5)):
                out = network(x, use_cache=True)
                cut = [tuple(part[:, :, :start] for part in layer) for layer in out.past_key_values]
                x[:, start] = draw(out.logits[:, start])
                place = torch.zeros(x.shape, dtype=torch.bool)
                place[:, start:end] = True
                for j in range(start + 1, end):
                    if dual:
                        logits = network(
                            x[:, start:end], past_key_values=out.past_key_values, replace_position=place
                        ).logits
                    else:
                        logits = network(x[:, start:], past_key_values=cut, use_cache=True).logits
                    x[:, j] = draw(logits[:, j - start])
            texts.append(x)
        whole = torch.cat(texts)
        network.record.close(whole)
        assert network.record.rows == 5 * len(whole) == network.record.writing_rows
    assert fits(CHAIN, whole)


def test_a_guided_batch_hides_its_prompt():
    """Half of a doubled batch has the given letters masked: the law without them."""
    network = ExactNetwork(CHAIN, 2)
    x = torch.tensor([[0, 2, 2, 2, 2]])
    both = network(torch.cat([x, torch.full_like(x, 2)])).logits[:, 1, :2].exp()
    assert np.allclose(both[0], CHAIN.transition[0], atol=1e-15)
    assert np.allclose(both[1], CHAIN.initial @ CHAIN.transition, atol=1e-15)


# ------------------------------------------------------------------------------------------------------ counters


def test_calls_that_write_are_told_from_calls_that_do_not():
    network = ExactNetwork(CHAIN, 2)
    x = torch.full((2, 5), 2)
    network(x)
    network(x)
    x[0, 0], x[1, 3] = 0, 1
    network(x)
    x = torch.where(x == 2, 1, x)
    network(x)
    record = network.record
    record.close(x)
    assert (record.calls, record.rows, record.masked_calls, record.masked_rows) == (4, 8, 3, 6)
    assert (record.writing_calls, record.writing_rows) == (2, 4)
    assert record.written == [[2, 0], [2, 2], [2, 8], [0, 0]]
    assert record.per_text[0].tolist() == [[4, 2], [4, 2]]


def test_texts_written_one_after_another_are_told_apart():
    network, texts = ExactNetwork(CHAIN, 2), []
    for _ in range(7):
        x = torch.full((1, 5), 2)
        for i in range(5):
            x[:, i] = draw(network(x).logits[:, i])
        texts.append(x)
    network.record.close(torch.cat(texts))
    assert np.concatenate(network.record.per_text).tolist() == [[5, 5]] * 7
    assert network.record.draws.likeliest["forced"].draws == 7
    assert network.record.rewritten == 0


def test_rewriting_is_counted():
    network = ExactNetwork(CHAIN, 2)
    network(torch.tensor([[0, 0, 2, 2, 2], [0, 0, 2, 2, 2]]))
    network(torch.tensor([[0, 2, 1, 2, 2], [0, 1, 1, 2, 2]]))
    network.record.close(torch.tensor([[0, 0, 1, 1, 1], [0, 1, 1, 1, 1]]))
    assert network.record.rewritten == 2


def test_budget():
    network = ExactNetwork(CHAIN, 2, budget=5)
    x = torch.full((2, 5), 2)
    network(x), network(x)
    with pytest.raises(CallBudgetExceeded, match="more than 5 rows"):
        network(x)


# ------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask_id": 1}, "mask_id = 1 is the id of a letter"),
        ({"mask_id": 2, "ids": [0]}, "ids = .*must be 2 different ids"),
        ({"mask_id": 2, "vocab_size": 2}, "vocab_size = 2, it must be an integer >= 3"),
        ({"mask_id": -1}, "mask_id = -1"),
        ({"mask_id": 2, "shift": -1}, "shift = -1"),
        ({"mask_id": 2, "dtype": torch.float16}, "dtype = torch.float16, allowed"),
    ],
)
def test_bad_networks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExactNetwork(CHAIN, **arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [("revealed", "junk"), ("impossible", "nan"), ("foreign", "kept"), ("output", "x"), ("floor", 1.0)],
)
def test_bad_policies_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} = "):
        Policies(**{name: value})


def test_bad_inputs_are_refused():
    network = ExactNetwork(CHAIN, 2)
    with pytest.raises(ValueError, match=r"shape \(batch, S\), got \(5,\)"):
        network(torch.full((5,), 2))
    with pytest.raises(ValueError, match=r"input_ids holds 0\.\.9, allowed: 0\.\.2"):
        network(torch.tensor([[0, 9, 2, 2, 2]]))
    with pytest.raises(TypeError, match="no argument 'attention_maks'"):
        network(torch.full((1, 5), 2), attention_maks=None)
    with pytest.raises(ValueError, match="attention_mask has shape"):
        network(torch.full((1, 5), 2), torch.ones(2, 5, dtype=torch.int64))
    with pytest.raises(ValueError, match="attention_mask has shape"):
        network(torch.full((1, 5), 2), torch.ones(1, 5, 5, dtype=torch.int64))
    with pytest.raises(ValueError, match="position_ids have width 4"):
        network(torch.full((1, 5), 2), position_ids=torch.arange(4)[None])
