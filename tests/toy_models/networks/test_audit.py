"""The audit's numbers beside exact ones, its verdicts in words, and the contracts it holds a sampler to."""

import doctest
import importlib
import json
import re
from itertools import permutations, product

import numpy as np
import pytest
import torch
from planted_samplers import CHAIN, FAULTS, TABLE, blank, by_order, draw, drawn_confidence, laws, ones, random_order
from planted_samplers import random_orders as orders_of
from scipy.special import entr

import toy_models as tm
from toy_models import networks
from toy_models.audit.excess import PARTS
from toy_models.audit.standing import even_sizes
from toy_models.networks import ContractError, ExactNetwork, audit
from toy_models.networks.call_record import CallRecord
from toy_models.networks.why import why

SIZE = 3000


def run(sampler, target=CHAIN, size=SIZE, seed=0, **options):
    return audit(sampler, target, size, np.random.default_rng(seed), stand=False, **options)


def in_twos(network, size):
    return by_order(network, size, orders_of(network, size), [2] * (network.length // 2))


def test_intervals_hold_the_exact_numbers_of_a_rule():
    """Random order in twos: every field against the enumerated law."""
    rule = tm.RandomOrder([2, 2])
    law = tm.sampler_law(TABLE, rule)
    found = run(in_twos, TABLE, rule=rule, seed=3)
    inside = law.pmf[TABLE.pmf > 0]
    exact = {"sequence_error": 1 - inside.sum(), "kl": tm.marginal_kl(TABLE, rule), "calls": 2.0, "useful_calls": 2.0}
    for name, value in exact.items():
        estimate = getattr(found, name)
        assert estimate.low - 1e-12 <= value <= estimate.high + 1e-12, name
    assert float(found.kl.low) > 0.25 * exact["kl"]
    assert float(found.cross_entropy.value) == np.inf
    assert found.rule_comparison is not None
    assert not found.rule_comparison.differs
    assert not found.exact
    assert [f.kind for f in found.findings] == ["impossible texts", "law"]


def test_drawn_confidence_is_bounded_below_and_explained():
    """KL of the exact law of the rule, 3.508 nats, is above the certified bound; the texts fit that law."""
    rule = tm.DrawnConfidence(1)
    found = run(drawn_confidence, size=SIZE, rule=rule)
    assert 1.0 < float(found.kl.low) < tm.marginal_kl(CHAIN, rule)
    assert not found.rule_comparison.differs
    assert run(random_order, rule=rule).rule_comparison.differs
    assert float(found.entropy.high) < float(found.language_entropy)
    assert float(found.cross_entropy.high) < float(found.language_entropy)
    assert any(reason.startswith("choice of positions:") for reason in found.split)


def cost_of_pairs(target) -> np.ndarray:
    """E of (-log q(x) - paid, paid - entropies, entropies) of random order in twos, over every order and text."""
    found, texts = np.zeros(3), np.array(list(product(range(target.vocab_size), repeat=4)))
    orders = list(permutations(range(4)))
    for order in orders:
        first, second = list(order[:2]), list(order[2:])
        for x, loss in zip(texts, -target.log_prob(texts), strict=True):
            y = np.full((1, 4), tm.MASK)
            before = target.marginals(y)[0, first]
            y[0, first] = x[first]
            laws = np.concatenate([before, target.marginals(y)[0, second]])
            chances = laws[np.arange(4), x[first + second]]
            paid, entropies = -np.log(chances).sum(), entr(laws).sum()
            found += chances.prod() * np.array([loss - paid, paid - entropies, entropies]) / len(orders)
    return found - [0, 0, target.entropy()]


def test_the_bias_in_nats_adds_up_and_is_the_enumerated_one():
    chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 4)
    exact = cost_of_pairs(chain)
    assert abs(exact[1]) < 1e-12  # letters of their marginals
    assert exact[0] > 0.05
    found = run(in_twos, chain, size=20_000, confidence=0.9999)
    parts = [part for _, part in found.excess]
    assert [name for name, _ in found.excess] == list(PARTS)
    for part, value in zip(parts, exact, strict=True):
        assert part.low <= value <= part.high
    total = float(found.cross_entropy.value) - found.language_entropy
    assert abs(sum(float(part.value) for part in parts) - total) < 1e-9


@pytest.mark.parametrize("fault", ["temperature .95", "drawn confidence", "schedule off by one"])
def test_the_part_that_is_at_fault_is_named(fault):
    together, off, _ = (part for _, part in run(FAULTS[fault].sampler, size=20_000).excess)
    if fault == "schedule off by one":
        assert together.low > 0
        assert off.low < 0 < off.high
    else:
        assert max(abs(together.low), abs(together.high)) < 6 * 2.0**-40  # six laws of 40 bits
        assert off.high < 0


def test_the_bias_is_the_same_in_batches_and_one_after_another():
    def singly(network, size):
        return torch.cat([FAULTS["temperature .95"].sampler(network, 1) for _ in range(size)])

    one = run(singly, size=400, seed=3).excess
    paid = [float(part.value) for _, part in one]
    assert len(one) == 3
    assert abs(paid[0]) < 6 * 2.0**-40
    others = ExactNetwork(CHAIN, 2, policies=networks.Policies(revealed="leave-one-out"))
    assert run(FAULTS["corrector by margin"].sampler, size=50, network=others).excess == ()


def test_temperature_is_not_taken_for_a_choice():
    found = run(FAULTS["temperature .95"].sampler, size=SIZE)
    assert not any(reason.startswith("choice of positions:") for reason in found.split)


@pytest.mark.parametrize(("excess", "said"), [(0.02, "draws or choice"), (0.2, "choice of positions")])
def test_a_choice_is_named_where_draws_cannot_explain_it(excess, said):
    """The draws of last masks are faithful, as far as 1 000 of them show; those before come too often."""
    record = CallRecord()
    for name, count, share in (("forced", 1000, 0.5), ("chosen", 50_000, 0.5 + excess)):
        came = np.arange(count) < share * count
        record.draws.likeliest[name].add(np.full(count, 0.5), came)
    assert why(record, 0.01)[0].startswith(said)


def test_parallelism_is_named_where_draws_are_faithful():
    found = run(in_twos)
    assert [r.split(":")[0] for r in found.split] == ["parallelism"]
    assert found.written_per_call == (2.0, 2.0, 2.0)


def test_an_exact_sampler_gets_a_verdict_with_its_power():
    found = run(random_order)
    assert found.exact
    assert found.findings == ()
    size = re.search(r"a change of ([\d.]+) in the chance", found.verdict)
    assert size is not None
    assert 0.02 < float(size[1]) < 0.1
    assert float(found.kl.low) == 0.0
    assert (float(found.calls.value), float(found.useful_calls.value)) == (6.0, 6.0)
    json.loads(found.to_json())


def test_a_seed_repeats_a_run_and_the_generator_is_put_back():
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    first, second = run(random_order, size=200, seed=4), run(random_order, size=200, seed=4)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.to_dict() == second.to_dict()
    assert run(random_order, size=200, seed=5).to_dict() != first.to_dict()


def test_large_languages_are_compared_with_their_texts():
    chain = tm.corpus.language(2, 24)

    def cooled(network, size):
        return by_order(network, size, orders_of(network, size), ones(network), lambda p, _: p ** (1 / 0.8))

    assert run(random_order, chain, 400).exact
    found = run(cooled, chain, 400)
    assert not found.exact
    assert 0 < float(found.kl.low) < np.inf


def test_standing_is_exact_where_it_can_be():
    found = audit(in_twos, CHAIN, 500, np.random.default_rng(0))
    by_name = {b.name: b for b in found.baselines}
    rule = tm.RandomOrder(even_sizes(6, 3))
    assert abs(by_name["random order"].kl - tm.marginal_kl(CHAIN, rule)) < 1e-12
    assert by_name["halving"].kl < 1e-12
    front = by_name["optimal front"]
    assert front.kl <= min(b.kl for b in found.baselines if b.calls <= front.calls + 1e-9) + 1e-9
    assert found.regret(front)[0] == float(found.kl.low) - front.kl
    grid = by_name["grid"]
    assert abs(grid.calls - 3.0) < 1e-9
    assert grid.kl > by_name["random order"].kl


# ------------------------------------------------------------------------------------------------------- contracts


def returning(change):
    return lambda network, size: change(random_order(network, size))


def endless(network, size):
    x = blank(network, size)
    while True:
        network(x)


def raising(network, size):
    network(blank(network, size))
    raise RuntimeError("size mismatch\nat layer 3")


def meddling(network, size):
    x = random_order(network, size)
    network.prompt = 1
    return x


BREACHES = {
    "fewer rows": (returning(lambda x: x[:-2]), r"returned 8 rows, row 8 is missing: 10 were asked for"),
    "more rows": (returning(lambda x: torch.cat([x, x])), r"returned shape \(20, 6\), .* \(10, 6\)"),
    "too short": (returning(lambda x: x[:, :4]), r"returned shape \(10, 4\), .* \(10, 6\)"),
    "one text": (returning(lambda x: x[0]), r"returned shape \(6,\)"),
    "ragged": (returning(lambda x: [*x[:-1], x[-1, :3]]), r"row 9 has 3 tokens, row 0 has 6: texts have 6"),
    "nothing": (returning(lambda x: None), r"returned None"),
    "probabilities": (returning(lambda x: x.double() / 3), r"returned dtype float64, row 0: .*, ids are integers"),
    "raises": (raising, r"raised RuntimeError after 1 calls: size mismatch at layer 3"),
    "endless": (
        endless,
        r"does not end: more than 12200 rows were passed to the network for 10 texts \(1220 calls each",
    ),
    "changes its input": (meddling, r"changed network.prompt from 0 to 1"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_breaches_are_one_line(name):
    sampler, message = BREACHES[name]
    with pytest.raises(ContractError, match=message) as told:
        run(sampler, size=10)
    assert "\n" not in str(told.value)


def test_masks_and_foreign_ids_are_findings_with_their_first_row():
    def leaving(x):
        x[7, 2] = 2
        return x

    found = run(returning(leaving), size=400)
    assert found.findings[0].text.startswith("1 of 400 hold a mask, first row 7: [")
    assert float(found.masks_left.value) == 1 / 400
    assert float(found.sequence_error.low) > 0

    def straying(x):
        x[5, 0], x[6, 1] = 9, -4
        return x

    found = run(returning(straying), size=400)
    assert found.findings[0].text.startswith("2 of 400 hold an id that is no letter, first row 5: [9, ")


def test_texts_may_come_with_their_prompt_as_lists_or_arrays():
    for change in (lambda x: x.tolist(), lambda x: x.numpy(), lambda x: list(x)):
        assert run(returning(change), size=300).exact
    network = ExactNetwork(CHAIN, 2, vocab_size=4, prompt=1)

    def with_bos(network, size):
        x = by_order(network, size, orders_of(network, size), ones(network))
        x[:, 0] = 3
        return x

    assert run(with_bos, size=300, network=network).exact


def test_letters_written_elsewhere_than_asked_are_seen_in_the_calls():
    """A last call whose draws are not those returned: nothing in the inputs shows it, the returned text does."""

    def swapped(network, size):
        x = random_order(network, size)
        return x[torch.randperm(size)]

    found = run(swapped)
    assert found.exact  # the law is right: rows are exchangeable
    assert found.split[-1].startswith("rewriting:")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 1.0}, "confidence = 1.0"),
        ({"size": 1}, "size = 1, it must be an integer >= 2"),
        ({"mask_id": 0}, "mask_id = 0 is the id of a letter"),
        ({"network": ExactNetwork(TABLE, 3)}, "network is one of another target"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        run(random_order, **{"size": 10, **options})


def test_a_used_network_is_refused():
    network = ExactNetwork(CHAIN, 2)
    laws(network, blank(network, 2))
    with pytest.raises(ValueError, match="called 1 times"):
        run(random_order, size=10, network=network)


def test_a_rule_is_judged_apart_from_the_language():
    """Exact texts do not fit a declared rule that is not exact, and the other way round."""
    found = run(random_order, rule=tm.RandomOrder([3, 3]))
    assert [f.kind for f in found.findings] == ["rule"]
    assert found.exact
    assert not run(in_twos, rule=tm.RandomOrder([2, 2, 2])).rule_comparison.differs


@pytest.mark.parametrize("name", ["exact_network", "black_box", "shortest"])
def test_examples_come_out_as_written(name):
    module = importlib.import_module(f"toy_models.networks.{name}")
    report, runner = [], doctest.DocTestRunner(verbose=False)
    names = {"tm": tm, "np": np, "torch": torch}
    tests = doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=names)
    assert any(test.examples for test in tests)
    for test in tests:
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_the_shortest_text_in_error_is_found():
    """One call for everything is exact on one letter, wrong on two; twos do not serve odd lengths."""
    rng = np.random.default_rng(0)

    def language(length):
        return tm.MarkovChain(CHAIN.transition, length)

    def all_at_once(network, size):
        return draw(laws(network, blank(network, size)))

    assert networks.shortest_error(all_at_once, language, 4, 1000, rng).length == 2
    assert networks.shortest_error(random_order, language, 3, 500, rng) is None

    def even_only(network, size):
        assert network.length % 2 == 0
        return in_twos(network, size)

    assert networks.shortest_error(even_only, language, 4, 1000, rng).length == 2
