"""What the batch left: everything that is missing is named."""

import json
from pathlib import Path

import pytest

from book import ROOT, BookError, notebook_pages
from book.material import read_figures, read_notebooks

RECORD = {"name": "f", "alt": "What is shown.", "kind": "exact", "claims": ["game-number"], "parameters": {}}
NAME = "00-start-here"
INJECTED = {
    "cell_type": "code",
    "id": "x",
    "metadata": {"tags": ["injected-parameters"]},
    "source": [],
    "outputs": [],
    "execution_count": 1,
}


def batch(folder: Path, alt: str = "What is shown.", suffixes=("png", "svg")) -> Path:
    """The folder of a batch with one figure and one executed notebook."""
    (folder / ".runs").mkdir(parents=True)
    (folder / "f.json").write_text(json.dumps(RECORD | {"alt": alt}))
    for suffix in suffixes:
        (folder / f"f.{suffix}").write_bytes(b"picture")
    source = json.loads((ROOT / "notebooks" / f"{NAME}.ipynb").read_text())
    source["metadata"]["papermill"] = {"parameters": {"out_dir": str(folder)}, "exception": None}
    source["cells"].insert(2, INJECTED)
    keep(folder, source)
    (folder / ".runs" / f"{NAME}.done").touch()
    return folder


def keep(folder: Path, page: dict) -> None:
    (folder / ".runs" / f"{NAME}.ipynb").write_text(json.dumps(page))


def executed(folder: Path) -> dict:
    return read_notebooks(folder, [NAME])[NAME]


def test_a_whole_batch(tmp_path):
    folder = batch(tmp_path / "out")
    figure = read_figures(folder)["f"]
    assert (figure.alt, figure.kind, figure.claims) == ("What is shown.", "exact", ("game-number",))
    assert 'alt="What is shown."' in figure.html("../")
    assert '<a href="../claims/game-number.html">' in figure.html("../")
    assert len(executed(folder)["cells"]) > 10


def test_a_figure_without_words(tmp_path):
    with pytest.raises(BookError, match=r"^figure f: no alternative text"):
        read_figures(batch(tmp_path / "out", alt="  "))


def test_a_figure_without_a_drawing(tmp_path):
    with pytest.raises(BookError, match=r"^figure f: no f\.svg in "):
        read_figures(batch(tmp_path / "out", suffixes=("png",)))


def test_no_batch(tmp_path):
    with pytest.raises(BookError, match=r"^no figures in "):
        read_figures(tmp_path)


@pytest.mark.parametrize("suffix", ["done", "ipynb"])
def test_a_notebook_that_did_not_run(tmp_path, suffix):
    folder = batch(tmp_path / "out")
    (folder / ".runs" / f"{NAME}.{suffix}").unlink()
    with pytest.raises(BookError, match=rf"^notebook {NAME}: failed or did not run .*\.runs/{NAME}\.log$"):
        executed(folder)


def test_a_notebook_with_an_error(tmp_path):
    folder = batch(tmp_path / "out")
    page = executed(folder)
    page["cells"][5]["outputs"] = [{"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}]
    keep(folder, page)
    with pytest.raises(BookError, match=rf"^notebook {NAME}: failed in cell '{page['cells'][5]['id']}': ValueError$"):
        executed(folder)


def test_a_notebook_of_another_batch(tmp_path):
    folder = batch(tmp_path / "out")
    page = executed(folder)
    page["metadata"]["papermill"]["parameters"]["out_dir"] = "elsewhere"
    keep(folder, page)
    with pytest.raises(BookError, match="was executed for elsewhere, and not for "):
        executed(folder)


def test_a_notebook_that_changed_since(tmp_path):
    folder = batch(tmp_path / "out")
    page = executed(folder)
    page["cells"][1]["source"] = "profile: str = 'old'"
    keep(folder, page)
    with pytest.raises(BookError, match=r"was executed before its cell 'parameters' changed; run the batch again$"):
        executed(folder)
    page = json.loads((ROOT / "notebooks" / f"{NAME}.ipynb").read_text())
    page["metadata"]["papermill"] = {"parameters": {"out_dir": str(folder)}}
    keep(folder, page | {"cells": page["cells"][:-1]})
    with pytest.raises(BookError, match="was executed with other cells"):
        executed(folder)


def test_an_image_in_a_notebook_needs_words(tmp_path):
    folder = batch(tmp_path / "out")
    page, figures = executed(folder), read_figures(folder)
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "cGljdHVyZQ=="}}  # b"picture"
    cell = page["cells"][5]
    cell["outputs"] = [picture]
    shown = notebook_pages.page(NAME, page, figures, {})
    (output,) = next(c for c in shown["cells"] if c["id"] == cell["id"])["outputs"]
    assert 'src="../figures/f.png" alt="What is shown."' in output["data"]["text/html"]
    picture["data"]["image/png"] = "b3RoZXI="
    with pytest.raises(BookError, match=rf"^notebook {NAME}, cell '{cell['id']}': an image that is no figure"):
        notebook_pages.page(NAME, page, figures, {})


def test_set_up_is_folded_and_errors_streams_left_out(tmp_path):
    folder = batch(tmp_path / "out")
    page = executed(folder)
    page["cells"][5]["outputs"] = [{"output_type": "stream", "name": "stderr", "text": "100%"}]
    cells = notebook_pages.page(NAME, page, {}, {})["cells"]
    folded = [cell["id"] for cell in cells if cell["metadata"].get("tags")]
    assert folded == ["parameters"]  # with the injected ones and the imports
    assert all(not cell.get("outputs") for cell in cells)
