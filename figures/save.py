"""Write a figure as SVG + PNG + JSON, whole or not at all.

The JSON holds what was drawn: data, claim ids, parameters, seed, kind, and a hash of the code it depends on. SVG and
JSON are byte-stable run to run on one machine.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import STYLE
from figures.drift import unfit
from theory.files import write_aside

Kind = Literal["exact", "sampled", "trained"]
ROOT = Path(__file__).resolve().parent.parent


def save(
    fig: Figure,
    name: str,
    out_dir: str | Path,
    *,
    data: Mapping,
    claims: Sequence[str],
    kind: Kind,
    parameters: Mapping,
    seed: int,
    depends: Sequence[str] = (),
    accuracy: Mapping[str, float] = MappingProxyType({}),
) -> Path:
    """Write `name`.svg, .png and .json into `out_dir` and return the path of the JSON.

    `data` holds arrays and numbers (dataclasses, dicts, lists, numpy). For kind "sampled" give intervals as
    {"value": ..., "low": ..., "high": ...}. `depends` lists code files below the repository root, beside the library,
    that the data depend on, such as "theory/perplexity.py". `accuracy`: {path: relative accuracy, at least 1e-6} of the
    data that an optimiser, an iterative fit or an eigen-solver ended at; figures/drift.py says what a path is.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"{name}: kind = {kind!r}, allowed: {', '.join(get_args(Kind))}")
    told = plain(data)
    if problems := unfit(accuracy, told):
        raise ValueError(f"{name}: {problems[0]}")
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    record = {
        "name": name,
        "kind": kind,
        "claims": list(claims),
        "parameters": plain(parameters),
        "seed": seed,
        "versions": {p: version(p) for p in ("numpy", "scipy", "matplotlib")},
        "code": code_hash(depends),
        "accuracy": dict(accuracy),
        "data": told,
    }
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=True) + "\n"
    svg, png = io.BytesIO(), io.BytesIO()
    with plt.style.context(STYLE):  # colours C0, C1, ... and the SVG salt are resolved while drawing
        fig.savefig(svg, format="svg", metadata={"Date": None})
        fig.savefig(png, format="png", metadata={"Software": None})
    plt.close(fig)
    # all three exist before the first is renamed into place: a figure that cannot be drawn or told leaves nothing
    for suffix, content in (("svg", svg.getvalue()), ("png", png.getvalue()), ("json", text.encode())):
        write_aside(out / f"{name}.{suffix}", lambda p, content=content: p.write_bytes(content))
    return out / f"{name}.json"


def code_hash(depends: Sequence[str] = ()) -> str:
    """Content hash of the library and of the listed files."""
    digest = hashlib.sha256()
    files = sorted((ROOT / "toy_models").rglob("*.py")) + [ROOT / d for d in sorted(depends)]
    for path in files:
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def plain(value):
    """Arrays, dataclasses and numpy scalars as lists, dicts and numbers that JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    return value
