"""The built site, page by page: internal links and anchors land, images have words, mathematics is set, and nothing is
loaded from elsewhere.
"""

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from re import compile as pattern
from urllib.parse import unquote, urlsplit

LARGEST = 60.0  # megabytes
RAW = pattern(r"\$[^$\s][^$]*\$|\\\(|\\\[|\\(?:frac|mathrm|mathbb|sum|log|le|ge)(?![A-Za-z])|\{prf:|:::")
FILENAME = pattern(r"[\w./-]*\.(png|svg|jpe?g|gif)")
SILENT = ("script", "style", "pre", "code", "annotation", "textarea", "title")
LOADING = ("script", "img", "iframe", "source", "video", "audio", "embed")


@dataclass
class Page(HTMLParser):
    """What one page links to, loads, shows and can be reached at."""

    path: Path
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    wordless: list[str] = field(default_factory=list)
    errors: int = 0
    text: list[str] = field(default_factory=list)
    depth: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "a" and "name" in given:
            self.ids.append(given["name"])
        if tag == "link" and given.get("rel", "") in ("stylesheet", "icon", "preload", "preconnect", "dns-prefetch"):
            self.loads.append(given.get("href", ""))
        if tag in LOADING and given.get("src"):
            self.loads.append(given["src"])
        if tag == "img" and (not given.get("alt", "").strip() or FILENAME.fullmatch(given["alt"].strip())):
            self.wordless.append(given.get("src", "?"))
        if "katex-error" in given.get("class", "").split():
            self.errors += 1
        if tag in SILENT:
            self.depth.append(tag)

    def handle_endtag(self, tag):
        if self.depth and self.depth[-1] == tag:
            self.depth.pop()

    def handle_data(self, data):
        if not self.depth:
            self.text.append(data)


@cache
def read(path: Path) -> Page:
    page = Page(path)
    page.feed(path.read_text(encoding="utf-8"))
    return page


def problems(site: Path) -> list[str]:
    """One line for each defect, with the page that has it."""
    read.cache_clear()
    found, site = [], site.resolve()
    for path in sorted(path for path in site.rglob("*.html") if "_static" not in path.parts):  # templates of the theme
        name, page = path.relative_to(site).as_posix(), read(path)
        found += [f"{name}: {what}" for what in _of_page(page, site)]
    return found


def _of_page(page: Page, site: Path) -> list[str]:
    outside = [target for target in page.loads if urlsplit(target).scheme or target.startswith("//")]
    found = [f"{target} is loaded from elsewhere" for target in outside]
    found += [f"image {source} has no alternative text" for source in page.wordless]
    found += [f"id {name!r} stands twice" for name in sorted({name for name in page.ids if page.ids.count(name) > 1})]
    found += [f"{page.errors} formulas were not set"] * bool(page.errors)
    if raw := RAW.search("".join(page.text)):
        found.append(f"raw mathematics or markup: {raw.group()[:60]!r}")
    for target in dict.fromkeys([*page.links, *page.loads]):
        if missing := _missing(target, page, site):
            found.append(f"broken link {target!r}: {missing}")
    return found


def _missing(target: str, page: Page, site: Path) -> str:
    """Why an internal link does not land; empty when it does or leads outside."""
    parts = urlsplit(target)
    if parts.scheme or target.startswith("//"):
        return ""
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    if path.is_dir():
        return "a folder, which a file:// reader would see as one"
    if not path.is_relative_to(site) or not path.exists():
        return "no such file"
    anchor = unquote(parts.fragment)
    if anchor and path.suffix == ".html" and anchor not in read(path).ids:
        return f"no anchor {anchor!r} there"
    return ""
