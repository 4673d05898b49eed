"""The audit finds planted faults and leaves exact samplers alone.

At full size, measured once:  python tests/toy_models/networks/test_audit_power.py
"""

import sys
import time
from pathlib import Path

import numpy as np
import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from planted_samplers import CHAIN, EXACT, FAULTS, TABLE, Fault

from toy_models import networks

CONFIDENCE = 0.999
FINEST = (
    "a letter's probability off by 3 %",
    "coarse Gumbel noise",
    "one letter in fifty at random",
    "temperature .95",
)


def audited(fault: Fault, size: int, seed: int) -> networks.Audit:
    policies = {k: v for k, v in fault.network.items() if k == "revealed"}
    frame = {k: v for k, v in fault.network.items() if k != "revealed"}
    vocab = fault.target.vocab_size
    network = networks.ExactNetwork(fault.target, vocab, vocab + 2, policies=networks.Policies(**policies), **frame)
    rng = np.random.default_rng(seed)
    return networks.audit(fault.sampler, fault.target, size, rng, CONFIDENCE, fault.rule, network=network, stand=False)


def test_there_are_24_faults():
    assert len(FAULTS) == 24


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in FINEST])
def test_faults_are_found(name):
    """At 6 000 texts; the finest four need the full size, see main()."""
    assert audited(FAULTS[name], 6000, seed=0).findings, name


@pytest.mark.parametrize("name", EXACT)
def test_exact_samplers_are_not_accused(name):
    for target in (CHAIN,) if name == "halving" else (CHAIN, TABLE):
        found = audited(Fault(EXACT[name], target), 1500, seed=1)
        assert found.findings == (), (name, found.verdict)


def main(size: int = 20_000, runs: int = 200) -> None:
    start, found = time.perf_counter(), 0
    for name, fault in FAULTS.items():
        audit = audited(fault, size, seed=2)
        found += bool(audit.findings)
        print(f"{'found' if audit.findings else 'MISSED':<7} {name:<36} {audit.verdict}")
        print("        ", audit.split)
    print(f"{found} of {len(FAULTS)} found at size {size}, {time.perf_counter() - start:.0f} s", flush=True)
    accused, start = 0, time.perf_counter()
    for k in range(runs):
        name = list(EXACT)[k % len(EXACT)]
        target = CHAIN if name == "halving" or k % 2 else TABLE
        audit = audited(Fault(EXACT[name], target), size, seed=1000 + k)
        accused += bool(audit.findings)
        if audit.findings:
            print("accused:", name, audit.verdict)
    print(f"{accused} of {runs} exact samplers accused at {CONFIDENCE}, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
