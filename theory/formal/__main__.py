"""Compile every proof, ask what it rests on, try the changed statements.

    python -m theory.formal             compares with the committed record, checked.json
    python -m theory.formal --record    writes it

Exits 1 when a proof does not stand or the record is not that of these sources, 2 when Coq cannot run here.
"""

import argparse
import sys

from theory.formal import coq, sources
from theory.formal.check import faults
from theory.formal.found import allowed, fresh, record, write_record
from theory.formal.statements import INSTANCES, statements


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m theory.formal", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--record", action="store_true", help="write theory/formal/checked.json")
    options = parser.parse_args(arguments)
    try:
        found = fresh()
    except coq.NoCoq as problem:
        print(f"proofs: {problem}; install: {coq.INSTALL}", file=sys.stderr)
        return 2
    bad = 0
    for claim, proof in statements().items():
        problems = faults(proof, found)
        for change in proof.changes:
            program, _ = sources.with_statement(proof.file, change.theorem, change.old, change.new)
            if (taken := found.changed.get(sources.digest(program), "never tried")) != "rejected":
                problems.append(f"{change.what}: {taken}")
        bad += len(problems)
        print(f"{'!!' if problems else '  '} {claim:<32} {proof.file:<22} {len(proof.changes)} change(s) rejected")
        for problem in problems:
            print(f"     {problem}")
    for file, theorem in INSTANCES:
        more = sorted(set(found.assumptions.get(theorem, ["?"])) - allowed().get(file, set()))
        bad += len(more)
        print(f"{'!!' if more else '  '} {theorem:<32} {file:<22} {', '.join(more) or 'on the axioms of the reals'}")
    if options.record and not bad:
        write_record(found)
    elif record() != found:
        bad += 1
        print("!! checked.json is another finding than this one; python -m theory.formal --record")
    lines = sum(sources.read(name).count("\n") for name in sources.files())
    print(f"{len(statements())} claims proved, {lines} lines, coqc {found.coq}, {bad} red")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
