"""An audit: a sampler as a black box, run on an exact network, and what it wrote compared with the language."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Int

from toy_models.audit import estimates, standing
from toy_models.audit.comparison import Comparison, compare
from toy_models.audit.excess import excess_parts
from toy_models.audit.reference import language, written_by
from toy_models.audit.report import Audit, Finding, told
from toy_models.door import require_generator, require_rule, require_target
from toy_models.networks.call_record import CallRecord
from toy_models.networks.contract import default_budget, run_sampler
from toy_models.networks.exact_network import ExactNetwork
from toy_models.networks.framing import FOREIGN
from toy_models.networks.why import why
from toy_models.quantities.intervals import Estimate, clopper_pearson, exactly, student_interval
from toy_models.rules.kinds import EVERY_KIND
from toy_models.rules.protocol import Rule
from toy_models.targets.protocol import Target
from toy_models.validation import MASK, confidence_level, positive_int


def audit(
    sampler: Callable,
    target: Target,
    size: int,
    rng: np.random.Generator,
    confidence: float = 0.99,
    rule: Rule | None = None,
    mask_id: int | None = None,
    network: ExactNetwork | None = None,
    stand: bool = True,
) -> Audit:
    """Run sampler(network, size) -> ids against the exact network of `target` and compare what it writes with q.

    The mask's id is V unless given; the sampler finds it, the length and the device on the network. `network`: an
    ExactNetwork of the target with other policies (shifted logits, a prompt before the text, a budget). `rule`: a rule
    that the sampler claims to follow; its exact law, or a sampled one of the same marginals, is compared too.
    An exact sampler whose rows are independent is accused with probability at most 1 - confidence. stand=False leaves
    out the baselines.

    torch's generator is seeded from `rng` and put back afterwards. ContractError, one line, for a sampler that returns
    no sample, raises, or exceeds the budget.

    >>> def one_by_one(network, size):
    ...     x = torch.full((size, network.length), network.mask_id)
    ...     for i in range(network.length):
    ...         x[:, i] = torch.distributions.Categorical(logits=network(x).logits[:, i]).sample()
    ...     return x
    >>> found = audit(one_by_one, tm.repetition(2, 4), 200, np.random.default_rng(0))
    >>> found.exact, float(found.calls.value), float(found.sequence_error.value)
    (True, 4.0, 0.0)
    """
    size, level = positive_int("size", size, minimum=2), confidence_level(confidence)
    require_target(target)
    require_generator(rng)
    if rule is not None:
        require_rule(rule, target.length, EVERY_KIND)
    if network is None:
        network = ExactNetwork(target, target.vocab_size if mask_id is None else mask_id)
    elif network.target is not target or (mask_id is not None and mask_id != network.mask_id):
        raise ValueError("network is one of another target or mask_id; pass an ExactNetwork of this target")
    elif network.record.calls:
        raise ValueError(f"network has been called {network.record.calls} times, it must be a fresh one")
    if network.budget is None:
        network.budget = size * default_budget(target.length)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**63)))
        ids = run_sampler(sampler, network, size)
    letters = letters_of(ids, network)
    record = network.record
    record.close(torch.as_tensor(letters, device=network.device))
    whole = (letters >= 0).all(axis=1)
    possible = np.zeros(size, dtype=bool)
    possible[whole] = np.isfinite(target.log_prob(letters[whole]))
    texts = letters[possible]
    alpha = (1.0 - level) / (2 if rule is not None else 1)
    reference = language(target, size, rng)
    comparison = compare(target, reference, texts, size, alpha, rng)
    ruled = None
    if rule is not None:
        ruled = compare(target, written_by(target, rule, size, rng), texts, size, alpha, rng)
    calls, useful = call_estimates(record, size, level)
    return Audit(
        size,
        target.length,
        target.vocab_size,
        level,
        calls,
        useful,
        clopper_pearson(int((~possible).sum()), size, level),
        clopper_pearson(int((letters == MASK).any(axis=1).sum()), size, level),
        estimates.entropy(
            np.where(letters < 0, target.vocab_size, letters), target.vocab_size + int(not whole.all()), level
        ),
        estimates.cross_entropy(target, texts, size, level),
        estimates.divergence(reference, texts, size, comparison.kl_low, level),
        target.entropy(),
        findings(ids, letters, possible, record, comparison, ruled, rule),
        comparison,
        None if rule is None else repr(rule),
        ruled,
        standing.baselines(target, float(useful.value)) if stand and useful.value >= 1 else (),  # none has fewer calls
        why(record, 1.0 - level),
        excess(record, target, letters, possible, level),
        tuple(round(new / max(rows, 1), 6) for rows, new in record.written),
    )


def letters_of(ids: Int[np.ndarray, "size L"], network: ExactNetwork) -> Int[np.ndarray, "size L"]:
    """Letters, MASK or FOREIGN of ids that may lie outside the vocabulary."""
    table = np.full(network.vocab_size + 1, FOREIGN)
    table[list(network.ids)] = np.arange(len(network.ids))
    table[network.mask_id] = MASK
    return table[np.where((ids >= 0) & (ids < network.vocab_size), ids, network.vocab_size)]


def call_estimates(record: CallRecord, size: int, confidence: float) -> tuple[Estimate, Estimate]:
    """Forward passes per text, and those that wrote. Means over the texts, or counts where slots are no texts.

    The passes of a batch are the same for all its rows: their interval has no width, and says what this run took.
    """
    per_text = np.concatenate(record.per_text) if record.per_text else np.zeros((0, 2))
    if len(per_text) != size:
        return (
            exactly(record.rows / size, confidence),
            exactly(record.writing_rows / size, confidence),
        )
    both = student_interval(per_text.astype(np.float64), confidence)
    return both.at(0), both.at(1)


def excess(
    record: CallRecord, target: Target, letters: np.ndarray, possible: np.ndarray, confidence: float
) -> tuple[tuple[str, Estimate], ...]:
    """E[-log q] - H(q) of the possible texts in its parts; () where the calls do not tell who wrote what."""
    paid = np.concatenate(record.paid) if record.paid else np.zeros((0, 2))
    if record.rewritten or len(paid) != len(letters) or possible.sum() < 2:
        return ()
    return excess_parts(paid[possible], -target.log_prob(letters[possible]), target.entropy(), confidence)


def findings(
    ids: Int[np.ndarray, "size L"],
    letters: Int[np.ndarray, "size L"],
    possible: np.ndarray,
    record: CallRecord,
    comparison: Comparison,
    ruled: Comparison | None,
    rule: Rule | None,
) -> tuple[Finding, ...]:
    """What is wrong, the plainest first."""
    size = len(ids)
    found = []
    for kind, wrong, what in (
        ("masks left", (letters == MASK).any(axis=1), "hold a mask"),
        ("foreign tokens", (letters == FOREIGN).any(axis=1), "hold an id that is no letter"),
        ("impossible texts", ~possible & (letters >= 0).all(axis=1), "have probability 0"),
    ):
        if wrong.any():
            row = int(wrong.argmax())
            found.append(Finding(kind, f"{int(wrong.sum())} of {size} {what}, first row {row}: {_shown(ids[row])}"))
    if comparison.differs:
        found.append(Finding("law", told(comparison, "the language")))
    if ruled is not None and ruled.differs:
        found.append(Finding("rule", told(ruled, f"the rule {type(rule).__name__}")))
    silent = record.masked_rows - record.writing_rows
    empty = record.calls - record.masked_calls
    if silent or empty:
        told_calls = []
        if silent:
            told_calls.append(f"{silent / size:.4g} calls per text saw a mask and wrote nothing")
        if empty:
            told_calls.append(f"{empty} of {record.calls} passes saw no mask in any row")
        found.append(Finding("calls", ", ".join(told_calls)))
    return tuple(found)


def _shown(ids: Int[np.ndarray, " L"]) -> str:
    shown = ids[:24].tolist()
    return f"{shown}" if len(ids) <= 24 else f"{shown}"[:-1] + ", ...]"
