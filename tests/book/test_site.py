"""The check of the built site: a sound one passes, and each defect is named with its page."""

import pytest

from book.site import problems

GOOD = {
    "index.html": '<h1 id="top">T</h1><a href="claims/a.html#cite">a</a> <a href="#top">up</a> <a href="https://x.org">x</a>'
    '<img src="f.png" alt="What is shown"><pre>$x$ \\frac</pre><code>:::</code> costs $5.',
    "claims/a.html": '<h2 id="cite">C</h2><a href="../index.html">back</a><link rel="stylesheet" href="../s.css">',
    "_static/template.html": '<a href="{{ nowhere }}">',
}


def built(folder, **changes):
    for name, text in GOOD.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + changes.get(path.stem, ""))
    for name in ("f.png", "s.css"):
        (folder / name).touch()
    return problems(folder)


def test_a_sound_site(tmp_path):
    assert built(tmp_path) == []


@pytest.mark.parametrize(
    ("added", "named"),
    [
        ('<a href="b.html">', "claims/a.html: broken link 'b.html': no such file"),
        ('<a href="../index.html#no">', "claims/a.html: broken link '../index.html#no': no anchor 'no' there"),
        ('<a href="#no">', "claims/a.html: broken link '#no': no anchor 'no' there"),
        ('<a href="..">', "claims/a.html: broken link '..': a folder, which a file:// reader would see as one"),
        ('<a href="../../outside.html">', "claims/a.html: broken link '../../outside.html': no such file"),
        ('<img src="../f.png">', "claims/a.html: image ../f.png has no alternative text"),
        ('<img src="../f.png" alt="_images/f.png">', "claims/a.html: image ../f.png has no alternative text"),
        ('<p id="cite">', "claims/a.html: id 'cite' stands twice"),
        ("so $x<1$ holds", "claims/a.html: raw mathematics or markup: '$x<1$'"),
        (r"so \(x\) holds", "claims/a.html: raw mathematics or markup: '\\\\('"),
        (r"so \frac12", "claims/a.html: raw mathematics or markup: '\\\\frac'"),
        ("{prf:ref}", "claims/a.html: raw mathematics or markup: '{prf:'"),
        ('<span class="katex-error">x</span>', "claims/a.html: 1 formulas were not set"),
        ('<script src="https://cdn.org/a.js">', "claims/a.html: https://cdn.org/a.js is loaded from elsewhere"),
        ('<link rel="stylesheet" href="//cdn.org/a.css">', "claims/a.html: //cdn.org/a.css is loaded from elsewhere"),
    ],
)
def test_a_defect_is_named(tmp_path, added, named):
    assert built(tmp_path, a=added) == [named]
