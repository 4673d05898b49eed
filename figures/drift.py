"""Compare regenerated figure data with the committed ones.

    python -m figures.drift build/ci-figures figures/out

Exact data must agree at rtol 1e-9. A datum that an optimiser, an iterative fit or an eigen-solver ended at moves with
the machine's rounding: its record states how far, accuracy = {path: relative accuracy}, and it must agree at that. A
path is the keys that lead to the datum, joined by dots, list positions left out; it speaks for all that lies under it,
and of two paths that cover a datum the longer one counts. Sampled data agree by overlap of their intervals, trained
data by their schema. A figure that is missing on either side is a difference, unless its record names what a machine
needs to regenerate it: then it is listed as not regenerated.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

RTOL = 1e-9
INTERVAL = {"value", "low", "high"}
ATOL = 1e-12  # exact data below this size are rounding of zero
LEAST = 1e-6  # the finest accuracy that a datum may state: two healthy machines may end an iteration this far apart


def differences(fresh: Path, committed: Path) -> list[str]:
    """One line for each figure or number that differs."""
    found = []
    names = {p.stem for p in fresh.glob("*.json")} | {p.stem for p in committed.glob("*.json")}
    if not names:
        return [f"no figure data in {fresh} nor in {committed}"]
    absent = not_regenerated(fresh, committed)
    for name in sorted(names):
        sides = [folder / f"{name}.json" for folder in (fresh, committed)]
        missing = [str(side.parent) for side in sides if not side.exists()]
        if missing and name in absent:
            continue
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
        for key in ("kind", "claims", "needs", "parameters", "seed", "accuracy"):
            if new[key] != old[key]:
                found.append(f"{name}: {key} was {old[key]}, is {new[key]}")
        agreed = {path: stated for path, stated in new["accuracy"].items() if old["accuracy"].get(path) == stated}
        found += [f"{name}: {line}" for line in compare(new["data"], old["data"], new["kind"], agreed)]
    return found


def not_regenerated(fresh: Path, committed: Path) -> dict[str, str]:
    """{name: what it needs} of the committed figures that this machine did not draw and need not."""
    found = {}
    for path in sorted(committed.glob("*.json")):
        if not (fresh / path.name).exists():
            try:
                found[path.stem] = json.loads(path.read_text(encoding="utf-8"))["needs"]
            except ValueError:  # a torn record names no need
                continue
    return {name: need for name, need in found.items() if need}


def compare(new, old, kind: str, accuracy: Mapping[str, float], path: str = "", where: str = "data") -> Iterator[str]:
    """Lines for the places where `new` and `old` differ by the rule of `kind`; `path` is `where` without positions."""
    if isinstance(new, dict) and isinstance(old, dict):
        if set(new) != set(old):
            yield f"{where}: keys {sorted(set(new) ^ set(old))} are on one side only"
        keys = set(new) & set(old)
        if kind == "sampled" and keys >= INTERVAL:
            yield from overlap(new, old, where)
            keys -= INTERVAL
        for key in sorted(keys):
            yield from compare(new[key], old[key], kind, accuracy, f"{path}.{key}" if path else key, f"{where}.{key}")
    elif isinstance(new, list) and isinstance(old, list):
        if len(new) != len(old):
            if kind != "trained":
                yield f"{where}: {len(old)} entries, now {len(new)}"
            return
        for k, (a, b) in enumerate(zip(new, old, strict=True)):
            yield from compare(a, b, kind, accuracy, path, f"{where}[{k}]")
    elif is_number(new) and is_number(old):
        if kind != "trained" and not same(float(new), float(old), accuracy_at(path, accuracy)):
            yield f"{where}: {old!r}, now {new!r}"
    elif type(new) is not type(old) or (kind != "trained" and new != old):
        yield f"{where}: {old!r}, now {new!r}"


def covers(stated: str, path: str) -> bool:
    """The datum at `path` is the one that `stated` names, or lies under it."""
    return path == stated or path.startswith(f"{stated}.")


def accuracy_at(path: str, accuracy: Mapping[str, float]) -> float:
    """Relative accuracy of the datum at `path`: of the longest stated path that covers it, else RTOL."""
    return accuracy[max(found, key=len)] if (found := [p for p in accuracy if covers(p, path)]) else RTOL


def number_paths(data, path: str = "") -> Iterator[str]:
    """Paths of all numbers in `data`."""
    if isinstance(data, dict):
        for key, part in data.items():
            yield from number_paths(part, f"{path}.{key}" if path else key)
    elif isinstance(data, list):
        for part in data:
            yield from number_paths(part, path)
    elif is_number(data):
        yield path


def unfit(accuracy: Mapping[str, float], data) -> list[str]:
    """What is wrong with a statement of accuracy: a path without a number under it, a value too fine or too coarse."""
    known = set(number_paths(data))
    found = [f"accuracy names {p!r}, no number of the data" for p in accuracy if not any(covers(p, k) for k in known)]
    return found + [
        f"accuracy of {p!r} = {stated!r}, allowed: {LEAST:g} to 0.01"
        for p, stated in accuracy.items()
        if not LEAST <= stated <= 0.01
    ]


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


def is_number(value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(a: float, b: float, rtol: float = RTOL) -> bool:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return a == b or (math.isnan(a) and math.isnan(b))
    return abs(a - b) <= max(rtol * max(abs(a), abs(b)), ATOL)


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    fresh, committed = Path(sys.argv[1]), Path(sys.argv[2])
    found = differences(fresh, committed)
    for name, need in not_regenerated(fresh, committed).items():
        print(f"{name}: not regenerated, needs {need}")
    for line in found[:200]:
        print(line)
    print(f"{len(found)} difference(s) between {sys.argv[1]} and {sys.argv[2]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
