"""Sphinx configuration. The sources are written by `python -m book` (book/__main__.py), which also calls Sphinx."""

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

project = "Masked diffusion theory"
author = "The masked-diffusion theory suite contributors"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
copyright = f"version {release}, MIT licence"

extensions = ["myst_nb", "sphinx_proof", "book.extension"]
root_doc = "index"
exclude_patterns = ["extra", "static"]
nb_execution_mode = "off"
nb_output_stderr = "remove"
nb_merge_streams = True
nb_code_prompt_show = "Set-up"
nb_code_prompt_hide = "Set-up"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "attrs_inline", "attrs_block"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
suppress_warnings = []
highlight_language = "text"
pygments_style = "a11y-high-contrast-light"

html_theme = "sphinx_book_theme"
html_title = "Masked diffusion theory"
html_math_renderer = "katex"
FILES = Path(os.environ["BOOK_SOURCE"])  # what `python -m book` put beside the pages
html_static_path = [str(FILES / "static")]
html_extra_path = [str(FILES / "extra")]
html_css_files = ["katex/katex.min.css", "book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_baseurl = os.environ.get("BOOK_URL", "")
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # it fetches pages, which file:// forbids
html_last_updated_fmt = None
html_context = {"default_mode": "auto"}
html_theme_options = {
    "secondary_sidebar_items": {"**": ["page-toc"], "ledger": [], "graph": [], "index": []},
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_issues_button": False,
    "use_repository_button": False,
    "use_source_button": False,
    "home_page_in_toc": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
