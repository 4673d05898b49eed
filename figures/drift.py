"""Compare regenerated figure data with the committed ones.

    python -m figures.drift build/ci-figures figures/out

Exact data must agree at rtol 1e-9, or at the accuracy that the figure states for what an optimiser found; sampled data
by overlap of their intervals, trained data by their schema. A figure that is missing on either side is a difference.
"""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

RTOL = 1e-9
INTERVAL = {"value", "low", "high"}
ATOL = 1e-12  # exact data below this size are rounding of zero


def differences(fresh: Path, committed: Path) -> list[str]:
    """One line for each figure or number that differs."""
    found = []
    names = {p.stem for p in fresh.glob("*.json")} | {p.stem for p in committed.glob("*.json")}
    if not names:
        return [f"no figure data in {fresh} nor in {committed}"]
    for name in sorted(names):
        sides = [folder / f"{name}.json" for folder in (fresh, committed)]
        missing = [str(side.parent) for side in sides if not side.exists()]
        if missing:
            found.append(f"{name}: missing in {missing[0]}")
            continue
        for side in sides:
            found += [
                f"{name}: no {s} in {side.parent}" for s in ("svg", "png") if not side.with_suffix(f".{s}").exists()
            ]
        try:
            new, old = (json.loads(side.read_text(encoding="utf-8")) for side in sides)
        except ValueError as problem:
            found.append(f"{name}: no JSON, {problem}")
            continue
        for key in ("kind", "claims", "parameters", "seed"):
            if new[key] != old[key]:
                found.append(f"{name}: {key} was {old[key]}, is {new[key]}")
        if new["accuracy"] != old["accuracy"]:
            found.append(f"{name}: accuracy was {old['accuracy']}, is {new['accuracy']}")
        rtol = max(RTOL, min(new["accuracy"], old["accuracy"]))
        found += [f"{name}: {line}" for line in compare(new["data"], old["data"], new["kind"], "data", rtol)]
    return found


def compare(new, old, kind: str, where: str, rtol: float = RTOL) -> Iterator[str]:
    """Lines for the places where `new` and `old` differ by the rule of `kind`."""
    if isinstance(new, dict) and isinstance(old, dict):
        if set(new) != set(old):
            yield f"{where}: keys {sorted(set(new) ^ set(old))} are on one side only"
        keys = set(new) & set(old)
        if kind == "sampled" and keys >= INTERVAL:
            yield from overlap(new, old, where)
            keys -= INTERVAL
        for key in sorted(keys):
            yield from compare(new[key], old[key], kind, f"{where}.{key}", rtol)
    elif isinstance(new, list) and isinstance(old, list):
        if len(new) != len(old):
            if kind != "trained":
                yield f"{where}: {len(old)} entries, now {len(new)}"
            return
        for k, (a, b) in enumerate(zip(new, old, strict=True)):
            yield from compare(a, b, kind, f"{where}[{k}]", rtol)
    elif is_number(new) and is_number(old):
        if kind != "trained" and not same(float(new), float(old), rtol):
            yield f"{where}: {old!r}, now {new!r}"
    elif type(new) is not type(old) or (kind != "trained" and new != old):
        yield f"{where}: {old!r}, now {new!r}"


def overlap(new: dict, old: dict, where: str) -> Iterator[str]:
    """Interval overlap, entry by entry."""
    lows, highs = ([flat(side[key]) for side in (new, old)] for key in ("low", "high"))
    if len({len(x) for x in (*lows, *highs)}) != 1:
        yield f"{where}: intervals of different shape"
        return
    for k, (a_low, b_low, a_high, b_high) in enumerate(zip(*lows, *highs, strict=True)):
        if not (max(a_low, b_low) <= min(a_high, b_high) or (same(a_low, b_low) and same(a_high, b_high))):
            yield f"{where}[{k}]: [{b_low}, {b_high}] and now [{a_low}, {a_high}] do not overlap"


def flat(value) -> list[float]:
    return [x for part in value for x in flat(part)] if isinstance(value, list) else [float(value)]


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(a: float, b: float, rtol: float = RTOL) -> bool:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return a == b or (math.isnan(a) and math.isnan(b))
    return abs(a - b) <= max(rtol * max(abs(a), abs(b)), ATOL)


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    found = differences(Path(sys.argv[1]), Path(sys.argv[2]))
    for line in found[:200]:
        print(line)
    print(f"{len(found)} difference(s) between {sys.argv[1]} and {sys.argv[2]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
