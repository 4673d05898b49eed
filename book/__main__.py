"""Build the book from what the batch left.    python -m book --figures figures/out --out build/book

Pages are generated into OUT/source, Sphinx writes OUT/html with every warning an error, and the result is checked:
links, anchors, words of images, mathematics, and that nothing is loaded from elsewhere. Whatever is wrong is named, and
the exit status is 1.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from book import BOOK, ROOT, BookError, katex, site, sources


def sphinx(source: Path, html: Path) -> int:
    """Sphinx with warnings as errors; its exit status. One process: myst-nb does not read in several."""
    call = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", str(BOOK), "-b", "html"]
    call += ["-d", str(html.parent / "doctrees"), str(source), str(html)]
    return subprocess.run(call, cwd=ROOT, env=os.environ | {"BOOK_SOURCE": str(source.resolve())}).returncode


def forget_if_changed(doctrees: Path) -> None:
    """What Sphinx keeps of unchanged pages was made by this code, or goes."""
    files = [path for path in sorted(BOOK.glob("*.*")) if path.is_file()]
    code = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    mark = doctrees / "code"
    if not mark.exists() or mark.read_text() != code:
        shutil.rmtree(doctrees, ignore_errors=True)
        doctrees.mkdir(parents=True)
        mark.write_text(code)


def build(figures: Path, out: Path) -> list[str]:
    """Build into `out`; what is wrong, one line each, or nothing. BookError when it cannot be built."""
    start = time.perf_counter()
    katex.install()
    count = sources.write(out / "source", figures)
    forget_if_changed(out / "doctrees")
    shutil.rmtree(out / "html", ignore_errors=True)  # Sphinx keeps pages whose sources went
    if sphinx(out / "source", out / "html"):
        raise BookError(f"Sphinx found the above, in {out}/source")
    problems = site.problems(out / "html")
    size = sum(path.stat().st_size for path in (out / "html").rglob("*") if path.is_file()) / 1e6
    print(f"book: {count} pages, {size:.1f} MB, {time.perf_counter() - start:.0f} s: {out}/html/index.html")
    if size > site.LARGEST:
        problems.append(f"{out}/html has {size:.1f} MB, allowed: {site.LARGEST}")
    return problems


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m book", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--figures", type=Path, default=Path("figures/out"), help="the folder of the batch")
    parser.add_argument("--out", type=Path, default=Path("build/book"))
    options = parser.parse_args(arguments)
    try:
        problems = build(options.figures, options.out)
    except ValueError as problem:  # BookError, a malformed ledger
        problems = str(problem).splitlines()
    for problem in problems:
        print(f"book: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
