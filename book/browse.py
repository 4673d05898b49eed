"""Every page in a headless browser, from file://.    python -m book.browse build/book/html

It needs playwright (extra `browser`) and a Chromium of the system (apt-get install chromium, or CHROMIUM=path).
Looked for: errors on the console, requests that fail or leave the folder, formulas without mathematics, and text wider
than the page at 390 pixels (dark) and 1280 (light).
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

WIDTHS = (390, 1280)
NAMES = ("chromium", "chromium-browser", "google-chrome")
LOOK = """() => {
  const root = document.documentElement, wide = [];
  if (root.scrollWidth > root.clientWidth) for (const part of document.querySelectorAll("main *")) {
    if (part.closest(".highlight, .wide, .formula, .output")) continue;
    if (part.getBoundingClientRect().right > root.clientWidth + 1) wide.push(part.tagName + "." + part.className);
  }
  const maths = [...document.querySelectorAll(".formula")];
  return {
    over: root.scrollWidth - root.clientWidth,
    wide: wide.slice(0, 4),
    formulas: maths.length,
    empty: maths.filter((m) => !m.querySelector("math") || m.querySelector(".katex-error")).length,
    flat: maths.filter((m) => m.offsetParent && m.getBoundingClientRect().height < 4).length,
  };
}"""


def chromium() -> str | None:
    """The path of a Chromium, or None."""
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


def available() -> bool:
    """Whether there are playwright and a Chromium."""
    return find_spec("playwright") is not None and chromium() is not None


@contextmanager
def browser() -> Iterator:
    """A headless Chromium."""
    sync_playwright = import_module("playwright.sync_api").sync_playwright  # of the extra `browser`

    with sync_playwright() as play:
        window = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield window
        finally:
            window.close()


def look(window, site: Path, names: list[str], width: int, dark: bool) -> tuple[list[str], int]:
    """What is wrong with the pages at this width, one line each, and the number of formulas seen."""
    scheme = "dark" if dark else "light"
    context = window.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    found: list[str] = []
    where = [""]
    page.on("console", lambda said: said.type == "error" and found.append(f"{where[0]}: console: {said.text}"))
    page.on("pageerror", lambda error: found.append(f"{where[0]}: error: {error}"))
    page.on("requestfailed", lambda asked: found.append(f"{where[0]}: not loaded: {asked.url}"))
    page.on("request", lambda asked: asked.url.startswith("http") and found.append(f"{where[0]}: asks for {asked.url}"))
    formulas = 0
    for name in names:
        where[0] = f"{name} ({width} px, {scheme})"
        page.goto((site / name).resolve().as_uri(), wait_until="load")
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(60)
        seen = page.evaluate(LOOK)
        formulas += seen["formulas"]
        if seen["over"] > 0:
            found.append(f"{where[0]}: {seen['over']} px wider than the page: {', '.join(seen['wide'])}")
        if seen["empty"] or seen["flat"]:
            found.append(f"{where[0]}: {seen['empty'] + seen['flat']} formulas are not shown as mathematics")
    context.close()
    return found, formulas


def pages(site: Path) -> list[str]:
    """All pages of the site, those of the theme's templates left out."""
    found = (path.relative_to(site) for path in sorted(site.rglob("*.html")))
    return [path.as_posix() for path in found if path.parts[0] != "_static"]


def main(arguments: list[str]) -> int:
    site = Path(arguments[0] if arguments else "build/book/html")
    names = arguments[1:] or pages(site)
    if not available():
        print("browse: no playwright (extra `browser`) or no Chromium (CHROMIUM=path)", file=sys.stderr)
        return 2
    problems = []
    with browser() as window:
        for width in WIDTHS:
            found, formulas = look(window, site, names, width, dark=width == WIDTHS[0])
            problems += found
            print(f"browse: {len(names)} pages at {width} px, {formulas} formulas, {len(found)} problems")
    for problem in problems:
        print(f"browse: {problem}", file=sys.stderr)
    return 1 if problems or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
