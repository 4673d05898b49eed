"""The headless browser finds what it looks for."""

import pytest

from book import browse

HEAD = '<head><meta name="viewport" content="width=device-width"></head>'
PAGE = f"<!doctype html><html>{HEAD}<body><main>{{}}</main></body></html>"


@pytest.fixture(scope="module")
def window():
    if not browse.available():
        pytest.skip("no playwright (extra `browser`) or no Chromium on this machine")
    with browse.browser() as found:
        yield found


def seen(window, folder, body):
    (folder / "a.html").write_text(PAGE.format(body))
    return browse.look(window, folder, ["a.html"], 390, dark=False)


def test_a_sound_page(window, tmp_path):
    formula = '<span class="formula"><math><mi>x</mi></math></span>'
    assert seen(window, tmp_path, f"<p>Text. {formula}</p>") == ([], 1)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('<p style="width: 500px">wide</p>', "px wider than the page: P."),
        ("<script>console.error('told')</script>", "console: told"),
        ("<script>nothing()</script>", "error: nothing is not defined"),
        ('<img src="absent.png" alt="x">', "not loaded: "),
        ('<span class="formula">$x$</span>', "1 formulas are not shown as mathematics"),
    ],
)
def test_a_defect_is_named(window, tmp_path, body, named):
    found, _ = seen(window, tmp_path, body)
    assert any(line.startswith("a.html (390 px, light): ") and named in line for line in found), found


def test_pages_of_a_site(tmp_path):
    for name in ("index.html", "claims/a.html", "_static/t.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert browse.pages(tmp_path) == ["claims/a.html", "index.html"]
