"""All source files of the book in one folder: what Sphinx reads, and the files that go to the site as they are."""

import json
import shutil
from pathlib import Path

from book import (
    BOOK,
    ROOT,
    BookError,
    api_pages,
    claim_pages,
    derivation_pages,
    front,
    graph_page,
    ledger_page,
    notebook_pages,
    reference_pages,
    topic_pages,
)
from book import katex as mathematics
from book.markdown import displays, links, references
from book.material import SUFFIXES, images, read_figures, read_notebooks
from theory.ledger import figures as drawn
from theory.ledger.claims import TOPICS, load_claims
from theory.ledger.outcomes import recorded
from theory.ledger.report import TITLES
from theory.ledger.run import load_topic
from toy_models.files import write_aside

REPOSITORY = {"README.md": "readme", "CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog"}


def pages(figures_folder: Path) -> dict[str, str]:
    """{path: text} of every page; BookError names every place that is missing something."""
    claims = load_claims()
    problems = derivation_pages.claims_without_block(claims)
    problems += [line for topic in TITLES for line in derivation_pages.unproved(topic)]
    found = recorded()
    problems += [f"claim {name}: no outcome is recorded; run make verify" for name in claims if name not in found]
    if problems:
        raise BookError("\n".join(problems))
    drawn.load()
    for topic in TOPICS:
        load_topic(topic)
    figures = read_figures(figures_folder)
    notebooks = read_notebooks(figures_folder)
    written = {
        "index.md": front.page(claims, found, figures),
        "ledger.md": ledger_page.page(claims, found),
        "corrections.md": ledger_page.corrections(claims, found),
        "graph.md": graph_page.page(claims, found),
        "sources.md": reference_pages.sources(claims, found),
        "glossary.md": reference_pages.glossary(claims),
        "figures.md": topic_pages.gallery(figures, {"start_here": "Start here", **TITLES}),
        "theory/notation.md": displays((ROOT / "theory" / "notation.md").read_text(encoding="utf-8")),
        "api/index.md": api_pages.index(),
        "api/top.md": api_pages.page(""),
    }
    written |= {f"api/{subject}.md": api_pages.page(subject) for subject in api_pages.SUBJECTS}
    written |= {f"theory/{topic}/derivation.md": derivation_pages.page(topic, claims, found) for topic in TITLES}
    written |= {f"topics/{topic}.md": topic_pages.page(topic, claims, found, figures) for topic in TITLES}
    written |= {f"claims/{c.id}.md": claim_pages.page(c, claims, found, figures) for c in claims.values()}
    for name, notebook in notebooks.items():
        page = notebook_pages.page(name, notebook, figures, claims)
        written[f"notebooks/{name}.ipynb"] = json.dumps(page, indent=1, ensure_ascii=False)
    for source, name in REPOSITORY.items():
        place = f"repository/{name}.md"
        text = images((ROOT / source).read_text(encoding="utf-8"), "../", figures)
        written[place] = displays(links(references(text, claims, claim_pages.link_from_elsewhere), source, place))
    return written


def write(folder: Path, figures_folder: Path) -> int:
    """Write the pages and the files that go along; those of an earlier build that are no more go. How many pages."""
    written = pages(figures_folder)
    for path in [p for p in folder.rglob("*") if p.is_file() and p.suffix in (".md", ".ipynb")]:
        if path.relative_to(folder).as_posix() not in written:
            path.unlink()
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # unchanged pages are not read again
            write_aside(path, lambda aside, text=text: aside.write_text(text, encoding="utf-8"))
    shutil.rmtree(folder / "extra", ignore_errors=True)
    shutil.rmtree(folder / "static", ignore_errors=True)
    shutil.copytree(BOOK / "static", folder / "static")
    mathematics.copy_style(folder / "static" / "katex")
    (folder / "extra" / "figures").mkdir(parents=True)
    for path in [*(ROOT / "figures").glob("*.gif"), *figures_folder.iterdir()]:
        if path.suffix[1:] in (*SUFFIXES, "gif"):
            shutil.copy(path, folder / "extra" / "figures" / path.name)
    if front.live():
        shutil.copytree(BOOK / "page", folder / "extra" / "page", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return len(written)
