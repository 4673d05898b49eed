"""What the batch left: figures with their records, and executed notebooks. Whatever is missing is named."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from book import ROOT, BookError
from notebooks.run import notebook_names

IMAGE = re.compile(r"^!\[([^\]]*)\]\(figures/(?:out/)?([\w-]+)\.(\w+)\)$", re.MULTILINE)
SUFFIXES = ("png", "svg", "json")


@dataclass(frozen=True)
class Figure:
    """A figure of the batch: its name, what it shows in words, the claims it shows, and the hash of its PNG."""

    name: str
    alt: str
    kind: str
    claims: tuple[str, ...]
    profile: str
    digest: str  # of the PNG

    def html(self, up: str, links: bool = True) -> str:
        """The figure with its words below it, for a page from which the site's root is `up` (such as "../")."""
        told = "".join(f' · <a href="{up}claims/{c}.html"><code>{c}</code></a>' for c in self.claims) if links else ""
        place, alt = f"{up}figures/{self.name}", escape(self.alt, quote=True)
        return (
            f'<figure class="shown" id="figure-{self.name}"><a href="{place}.svg">'
            f'<img src="{place}.png" alt="{alt}" loading="lazy"></a>\n'
            f'<figcaption>{escape(self.alt)} <span class="kind">{self.kind}{told} · '
            f'<a href="{place}.json">data</a></span></figcaption></figure>\n'
        )


def read_figures(folder: Path) -> dict[str, Figure]:
    """{name: figure} of the records in `folder`; BookError names a figure that lacks a file or alternative text."""
    found, problems = {}, []
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        missing = [s for s in SUFFIXES if not path.with_suffix(f".{s}").exists()]
        if missing:
            problems.append(f"figure {path.stem}: no {path.stem}.{missing[0]} in {folder}")
        elif not record.get("alt", "").strip():
            problems.append(f"figure {path.stem}: no alternative text (the docstring of its draw function)")
        else:
            png = path.with_suffix(".png").read_bytes()
            profile = str(record["parameters"].get("profile", ""))
            kind, claims = record["kind"], tuple(record["claims"])
            found[path.stem] = Figure(path.stem, " ".join(record["alt"].split()), kind, claims, profile, digest(png))
    if problems:
        raise BookError("\n".join(problems))
    if not found:
        raise BookError(f"no figures in {folder}: run the batch first, make figures")
    return found


def images(text: str, up: str, figures: Mapping[str, Figure]) -> str:
    """The README's images as figures: those of the batch with their words, others with the words given."""

    def shown(found: re.Match) -> str:
        alt, name, suffix = found.groups()
        if name in figures:
            return figures[name].html(up)
        words = escape(alt, quote=True)
        return f'<figure class="shown"><img src="{up}figures/{name}.{suffix}" alt="{words}"></figure>\n'

    return IMAGE.sub(shown, text)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_notebooks(figures: Path, names: list[str] | None = None) -> dict[str, dict]:
    """{stem: notebook as the batch of `figures` executed it}; BookError names each that is missing, failed or stale."""
    found, problems = {}, []
    for name in notebook_names() if names is None else names:
        path = figures / ".runs" / f"{name}.ipynb"
        if not path.exists() or not path.with_suffix(".done").exists():
            problems.append(f"notebook {name}: failed or did not run in the batch of {figures}; see .runs/{name}.log")
        else:
            page = json.loads(path.read_text(encoding="utf-8"))
            problem = _fault(page, name, figures)
            if problem:
                problems.append(f"notebook {name}: {problem}")
            found[name] = page
    if problems:
        raise BookError("\n".join(problems))
    return found


def _fault(page: dict, name: str, figures: Path) -> str:
    """Why an executed copy cannot be shown: an error in a cell, another batch, or another source; empty if none."""
    told = page["metadata"].get("papermill", {})
    for cell in page["cells"]:
        state = cell["metadata"].get("papermill", {})
        errors = [out for out in cell.get("outputs", []) if out["output_type"] == "error"]
        if errors or state.get("exception") or state.get("status") == "failed":
            return f"failed in cell {cell['id']!r}: {errors[0]['ename'] if errors else 'no error was kept'}"
    if told.get("exception"):
        return "failed"
    drawn = told.get("parameters", {}).get("out_dir")
    if drawn is None or Path(drawn).resolve() != figures.resolve():
        return f"was executed for {drawn}, and not for {figures}; run the batch again"
    source = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    for cell, ran in zip(source["cells"], _own_cells(page), strict=False):
        if "".join(cell["source"]).rstrip() != "".join(ran["source"]).rstrip():
            return f"was executed before its cell {cell['id']!r} changed; run the batch again"
    if len(source["cells"]) != len(_own_cells(page)):
        return "was executed with other cells; run the batch again"
    return ""


def _own_cells(page: dict) -> list[dict]:
    """Cells of the source: papermill adds one that holds the parameters given."""
    return [cell for cell in page["cells"] if "injected-parameters" not in cell["metadata"].get("tags", [])]
