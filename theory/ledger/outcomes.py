"""outcomes.json: what each registered function of each claim found, for the pages that show it.

    python -m theory.ledger.outcomes --topic energy --fast      run some topics and bring their part up to date

The full run (`python -m theory`) writes the whole file beside verdicts.json. Deterministic columns only; margins as the
ledger shows them. `profile` says on which instances: smoke (small) or full.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from theory.ledger import THEORY
from theory.ledger.claims import TOPICS, load_claims
from theory.ledger.report import shown_margin, shown_verdict
from theory.ledger.run import Line, Ran, run_topic
from toy_models.files import write_aside

OUTCOMES = THEORY / "outcomes.json"


def record(lines: Sequence[Line], profile: str) -> dict[str, dict]:
    """{claim: verdict, tier, margin, instances, note, profile, and what each function found}."""
    return {
        line.claim.id: {
            "profile": profile,
            "verdict": line.verdict,
            "shown": shown_verdict(line),
            "tier": line.tier,
            "margin": shown_margin(line.margin, line.tier),
            "instances": line.instances,
            "note": line.note,
            "ran": [_found(ran) for ran in line.ran],
        }
        for line in lines
    }


def _found(ran: Ran) -> dict:
    told = {"role": ran.entry.role, "function": ran.entry.function.__name__, "tier": ran.entry.tier}
    if ran.outcome is None:
        return told | {"result": "error", "instances": 0, "margin": "", "note": ran.error}
    margin = shown_margin(ran.outcome.margin, ran.entry.tier)
    return told | {
        "result": ran.outcome.result,
        "instances": ran.outcome.instances,
        "margin": margin,
        "note": ran.outcome.note,
    }


def recorded() -> dict[str, dict]:
    """What the file holds; empty without it."""
    return json.loads(OUTCOMES.read_text(encoding="utf-8")) if OUTCOMES.exists() else {}


def write(found: dict[str, dict], keep: bool = False) -> None:
    """Write the records; `keep`: those of other claims that still exist stay."""
    known = load_claims()
    kept = {name: told for name, told in recorded().items() if name in known} if keep else {}
    text = json.dumps(kept | found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_aside(OUTCOMES, lambda path: path.write_text(text, encoding="utf-8"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m theory.ledger.outcomes")
    parser.add_argument("--topic", action="append", choices=TOPICS, help="this topic (may be repeated); default all")
    parser.add_argument("--fast", action="store_true", help="small instances")
    options = parser.parse_args(arguments)
    profile = "smoke" if options.fast else "full"
    for topic in options.topic or TOPICS:
        lines = run_topic(topic, profile)
        write(record(lines, profile), keep=True)
        print(f"{topic}: {len(lines)} claims", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
