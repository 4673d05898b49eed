"""Run the claims.

    python -m theory                      all claims; writes theory/LEDGER.md, verdicts.json and outcomes.json
    python -m theory --fast --compare     small instances, nothing written, compared with the committed verdicts
    python -m theory --claim ID --topic TOPIC --tier TIER
    python -m theory --accept ID ...      statement and check of these claims were read together

Exits 1 when a line is red (error, undecided, a control that passes, a verdict without support), a link is missing, a
statement or check changed without having been accepted, or a line differs from the committed one.
"""

import argparse
import json
import platform
import sys
from contextlib import suppress
from pathlib import Path

from theory.formal.check import Asked, ask
from theory.ledger import outcomes
from theory.ledger.accepted import accept, unaccepted
from theory.ledger.claims import TOPICS, Claim, LedgerError, load_claims
from theory.ledger.links import broken_links
from theory.ledger.parallel import RECORD, all_topics, recorded_seconds
from theory.ledger.registry import TIERS
from theory.ledger.report import differences, is_red, write
from theory.ledger.run import Line, available_topics, load_topic
from toy_models.files import in_checkout

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m theory", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--claim", metavar="ID", help="run one claim")
    parser.add_argument("--topic", help="run the claims of one topic")
    parser.add_argument("--tier", help="run the claims decided on one tier")
    parser.add_argument("--fast", action="store_true", help="small instances")
    parser.add_argument("--accept", metavar="ID", nargs="+", help="record that statement and check were read")
    parser.add_argument("--compare", action="store_true", help="compare with the committed verdicts, write nothing")
    options = parser.parse_args(arguments)
    try:
        claims = load_claims()
        known = {*available_topics(), *(claim.topic for claim in claims.values())}
        topics = [topic for topic in TOPICS if topic in known]
        _require("claim", options.claim, list(claims))
        _require("topic", options.topic, topics)
        _require("tier", options.tier, list(TIERS))
        partial = options.claim or options.topic or options.tier or options.fast or options.compare
        if not partial and not in_checkout():
            raise LedgerError(
                "the full run rewrites the ledger of a checkout, and this is an installed copy; add --fast"
            )
        for name in options.accept or ():
            _require("claim", name, list(claims))
    except LedgerError as problem:
        print(f"theory: {problem}", file=sys.stderr)
        return 2
    if options.accept:
        return _accept([claims[name] for name in options.accept], claims)
    wanted = [options.topic] if options.topic else topics
    if options.claim:
        wanted = [claims[options.claim].topic]
    return _run(wanted, options, claims)


def _require(what: str, value: str | None, allowed: list[str]) -> None:
    if value is not None and value not in allowed:
        raise LedgerError(f"unknown {what} {value!r}; there are: {', '.join(allowed)}")


def _accept(chosen: list[Claim], claims: dict[str, Claim]) -> int:
    for topic in {claim.topic for claim in chosen}:
        load_topic(topic)
    accept(chosen, claims)
    print(f"accepted: {', '.join(claim.id for claim in chosen)}")
    return 0


def _run(topics: list[str], options, claims: dict[str, Claim]) -> int:
    for topic in topics:
        with suppress(Exception):  # its lines are errors already
            load_topic(topic)  # the proofs and the links below ask the registry of this process
    proofs = ask({options.claim} if options.claim else {c.id for c in claims.values() if c.topic in topics})
    lines, seconds = all_topics(topics, "smoke" if options.fast else "full", options.claim)
    if options.tier:
        lines = [line for line in lines if line.tier == options.tier]
    partial = bool(options.claim or options.topic or options.tier)
    for line in lines:
        mark = "!!" if is_red(line) else "  "
        print(f"{mark} {line.claim.id:<44} {line.verdict:<22} {line.tier:<9} {line.controls} control(s)")
        for problem in line.problems:
            print(f"     {problem}")
        if line.claim.id in proofs.not_asked:
            print(f"     proof not re-checked here: {proofs.why}")
    if proofs.told:
        print(proofs.told)
    chosen = {line.claim.id: line.claim for line in lines}
    found = broken_links(claims, chosen.values() if partial else None) + unaccepted(chosen.values())
    if options.compare:
        committed = ROOT / "theory" / "verdicts.json"
        found += [d for d in differences(lines, committed) if not partial or d.split(":")[0] in chosen]
    for line in found:
        print(f"!! {line}")
    red = [line for line in lines if is_red(line)]
    print(f"{len(lines)} claims, {sum(x.controls for x in lines)} controls, {len(red) + len(found)} red")
    _record(lines, seconds if options.claim is None else {}, proofs)
    if not (partial or options.compare or options.fast):
        write(lines, ROOT / "theory", ROOT / "README.md")
        outcomes.write(outcomes.record(lines, "full"))
    return 1 if red or found else 0


def _record(lines: list[Line], seconds: dict[str, float], proofs: Asked) -> None:
    """Times and environment, which are not deterministic; the next run starts the longest topics first."""
    claims = {line.claim.id: round(sum(r.seconds for r in line.ran), 2) for line in lines}
    record = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "seconds": recorded_seconds() | seconds,
        "proofs not re-checked": {"why": proofs.why, "claims": sorted(proofs.not_asked)},
        "slowest claims": dict(sorted(claims.items(), key=lambda item: -item[1])[:20]),
    }
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
