"""Draw a registered figure and write it as SVG + PNG + JSON, whole or not at all.

The JSON holds what was drawn: data, claim ids, parameters, seed, kind, and a hash of the code it depends on. SVG and
JSON are byte-stable run to run on one machine, whatever the user's matplotlibrc.
"""

import ast
import hashlib
import inspect
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import ROOT, STYLE
from figures.drift import unfit
from figures.layout import caption
from figures.registry import Entry
from toy_models.files import write_aside


def draw(entry: Entry, results) -> tuple[Figure, Mapping]:
    """The figure with its caption, and its data, in the style of the suite alone."""
    with plt.style.context(STYLE, after_reset=True):
        fig, data = entry.draw(results)
        caption(fig, entry.caption(results))
    return fig, data


def save(entry: Entry, fig: Figure, data: Mapping, out_dir: str | Path, parameters: Mapping, seed: int) -> Path:
    """Write `entry.name`.svg, .png and .json into `out_dir` and return the path of the JSON.

    `data` holds arrays and numbers (dataclasses, dicts, lists, numpy). For kind "sampled" give intervals as
    {"value": ..., "low": ..., "high": ...}.
    """
    told = plain(data)
    if problems := unfit(entry.accuracy, told):
        raise ValueError(f"{entry.name}: {problems[0]}")
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    record = {
        "name": entry.name,
        "alt": entry.alt,
        "kind": entry.kind,
        "claims": list(entry.claims),
        "needs": entry.needs,
        "parameters": plain(parameters),
        "seed": seed,
        "versions": {p: version(p) for p in ("numpy", "scipy", "matplotlib")},
        "code": code_hash(dependencies(Path(inspect.getfile(entry.draw)))),
        "accuracy": dict(entry.accuracy),
        "data": told,
    }
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=True) + "\n"
    svg, png = io.BytesIO(), io.BytesIO()
    # colours C0, C1, ... and the SVG salt are resolved while drawing
    with plt.style.context(STYLE, after_reset=True):
        fig.savefig(svg, format="svg", metadata={"Date": None, "Title": entry.name, "Description": entry.alt})
        fig.savefig(png, format="png", metadata={"Software": None, "Description": entry.alt})
    plt.close(fig)
    # all three exist before the first is renamed into place: a figure that cannot be drawn or told leaves nothing
    for suffix, content in (("svg", svg.getvalue()), ("png", png.getvalue()), ("json", text.encode())):
        write_aside(out / f"{entry.name}.{suffix}", lambda p, content=content: p.write_bytes(content))
    return out / f"{entry.name}.json"


def dependencies(module: Path) -> list[Path]:
    """`module`, the style, and every module of theory and figures that it imports, directly or by another."""
    found, waiting = {STYLE}, [module.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [p for name in imported(path) for p in [ROOT / f"{name.replace('.', '/')}.py"] if p.exists()]
    return sorted(found)


def imported(path: Path) -> Iterator[str]:
    """Names of theory and figures that the module at `path` imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ("theory", "figures"))


def code_hash(depends: Sequence[Path] = ()) -> str:
    """Content hash of the library and of the given files."""
    digest = hashlib.sha256()
    for path in [*sorted((ROOT / "toy_models").rglob("*.py")), *depends]:
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        digest.update(name.encode() + b"\0" + path.read_bytes())
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
