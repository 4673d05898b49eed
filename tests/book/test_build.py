"""Sphinx over a few pages: formulas are mathematics, and what is broken stops the build with its place."""

import os
import subprocess
import sys

import pytest

from book import BOOK, ROOT, BookError, browse, katex, site
from book.extension import side_by_side

PAGE = """# A page

:::{prf:theorem} One
:label: one
:nonumber:

With $x<1$ (and $y$), so

$$
\\int_0^1h(a)\\,da=\\frac1L\\mathrm{KL}(q\\,\\|\\,p),\\qquad\\sum_{j=1}^{N}\\Delta_jh(a_{j-1})-\\int_0^1h(a)\\,da\\le\\max_j\\Delta_j\\,(h(0)-h(1)).
$$
:::

See {prf:ref}`this <one>`.
"""


@pytest.fixture(scope="module", autouse=True)
def mathematics():
    try:
        katex.install()
    except (BookError, OSError) as problem:
        pytest.skip(f"KaTeX cannot be fetched: {problem}")


def built(folder, text=PAGE):
    """The exit status and words of Sphinx on one page, and the site."""
    source, html = folder / "source", folder / "html"
    (source / "extra").mkdir(parents=True)
    (source / "index.md").write_text(text)
    katex.copy_style(source / "static" / "katex")
    for path in (BOOK / "static").iterdir():
        (source / "static" / path.name).write_bytes(path.read_bytes())
    call = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", str(BOOK), str(source), str(html)]
    environment = os.environ | {"BOOK_SOURCE": str(source), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(call, capture_output=True, text=True, env=environment, cwd=folder)
    return done.returncode, done.stdout + done.stderr, html


def test_formulas_are_set():
    assert "<math" in katex.render("x<1", False)
    assert "\\frac" not in katex.render("\\frac12", True).split("</annotation>")[1]
    with pytest.raises(ValueError, match=r"Undefined control sequence: \\nonsense"):
        katex.render("\\nonsense", False)


@pytest.mark.parametrize(
    ("tex", "parts"),
    [
        (r"a,\qquad b", ["a,", "b"]),
        (r"\left(a\qquad b\right),\qquad c", [r"\left(a\qquad b\right),", "c"]),
        (r"\{a\qquad b\}", [r"\{a", r"b\}"]),
        (r"\begin{aligned}a\qquad b\\c\end{aligned}", [r"\begin{aligned}a\qquad b\\c\end{aligned}"]),
        (r"\text{a \qquad b}", [r"\text{a \qquad b}"]),
        (r"\qquad a", ["a"]),
    ],
)
def test_displays_side_by_side(tex, parts):
    assert side_by_side(tex) == parts


def test_a_page(tmp_path):
    status, said, html = built(tmp_path)
    assert (status, said.strip()) == (0, "")
    assert site.problems(html) == []
    text = (html / "index.html").read_text()
    assert text.count('<span class="formula">') == 2
    assert text.count('<div class="formula"') == 1
    assert '<div class="proof theorem admonition" id="one">' in text
    assert '<span class="caption-number">Theorem</span> (One)' in text
    assert text.count('<span class="after">),</span></span></span></span></span>') == 1  # y), inside the formula
    if browse.available():  # and in a browser, where there is one: see test_browse.py
        with browse.browser() as window:
            assert browse.look(window, html, ["index.html"], 390, dark=True) == ([], 3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("# P\n\nSee {prf:ref}`nowhere`.\n", "label 'nowhere' not found"),
        ("# P\n\nSee [it](absent.md).\n", "index.md:3: WARNING: 'myst' cross-reference target not found: 'absent.md'"),
        ("# P\n\nSo $\\nonsense$.\n", "index.md:3: WARNING: KaTeX parse error: Undefined control sequence: \\nonsense"),
    ],
)
def test_what_is_broken_stops_the_build(tmp_path, text, named):
    status, said, _ = built(tmp_path, text)
    assert status == 1
    assert named in said
