"""What was read together: a claim's statement and the functions that decide it.

accepted.json holds one hash per claim, over the text of its theorem block and the source of its registered functions;
of a machine-checked proof it is the Coq statement with the definitions and hypotheses that give it its meaning. When
either changes the claim is red until somebody has read both again and says so: `python -m theory --accept ID`.
"""

import hashlib
import inspect
import json
import textwrap
from collections.abc import Iterable

from theory.ledger import THEORY
from theory.ledger.claims import Claim
from theory.ledger.registry import REGISTRY
from theory.ledger.statements import statement_of
from toy_models.files import write_aside

ACCEPTED = THEORY / "accepted.json"


def fingerprint(claim: Claim) -> str:
    """Sixteen hex digits of the SHA-256 of statement and checks; the topic's functions must be registered."""
    block = statement_of(claim.topic, claim.id)
    stated = f"{block.kind}\n{block.text}" if block else ""
    sources = sorted(e.read or textwrap.dedent(inspect.getsource(e.function)) for e in REGISTRY.of(claim.id))
    text = "\n".join((stated, *sources, REGISTRY.not_tight.get(claim.id, "")))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def unaccepted(claims: Iterable[Claim]) -> list[str]:
    """One line for each claim whose statement or functions are not those that were accepted."""
    accepted = _read()
    told = {True: "changed since it was accepted", False: "was never accepted"}
    return [
        f"{c.id}: statement or check {told[c.id in accepted]}; read both, then `python -m theory --accept {c.id}`"
        for c in claims
        if accepted.get(c.id) != fingerprint(c)
    ]


def accept(chosen: Iterable[Claim], claims: Iterable[str]) -> None:
    """Record the chosen claims as read, and forget ids that are no claims any more."""
    known = set(claims)
    hashes = {i: h for i, h in _read().items() if i in known} | {claim.id: fingerprint(claim) for claim in chosen}
    text = json.dumps(hashes, indent=1, sort_keys=True) + "\n"
    write_aside(ACCEPTED, lambda p: p.write_text(text, encoding="utf-8"))


def _read() -> dict[str, str]:
    return json.loads(ACCEPTED.read_text(encoding="utf-8")) if ACCEPTED.exists() else {}
