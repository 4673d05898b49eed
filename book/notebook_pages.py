"""Executed notebooks as pages: outputs as the batch left them, figures with their words, set-up cells folded."""

import base64
import re
from collections.abc import Mapping

from book import BookError
from book.markdown import displays, links, references
from book.material import Figure, digest
from theory.ledger.claims import Claim

FOLDED = ("parameters", "injected-parameters")


def page(name: str, executed: dict, figures: Mapping[str, Figure], claims: Mapping[str, Claim]) -> dict:
    """The notebook for myst-nb; BookError names a cell with an image that no figure describes."""
    by_digest = {figure.digest: figure for figure in figures.values()}
    cells = []
    for cell in executed["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            source = displays(links(references(source, claims), f"notebooks/{name}.ipynb", f"notebooks/{name}.ipynb"))
            cells.append({"cell_type": "markdown", "id": cell["id"], "metadata": {}, "source": source})
            continue
        tags = set(cell["metadata"].get("tags", []))
        fold = tags & set(FOLDED) or not re.search(r"^(?!import |from |#|\s*$)", source, re.MULTILINE)
        if fold and cells and cells[-1]["metadata"].get("tags") == ["hide-input"] and not cells[-1]["outputs"]:
            cells[-1]["source"] += f"\n\n{source}"
            cells[-1]["outputs"] = [_output(out, name, cell["id"], by_digest) for out in cell["outputs"] if _shown(out)]
            continue
        cells.append(
            {
                "cell_type": "code",
                "id": cell["id"],
                "metadata": {"tags": ["hide-input"] if fold else []},
                "execution_count": cell["execution_count"],
                "source": source,
                "outputs": [_output(out, name, cell["id"], by_digest) for out in cell["outputs"] if _shown(out)],
            }
        )
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


def _shown(output: dict) -> bool:
    """Progress bars and warnings on the error stream are no result."""
    return output.get("name") != "stderr"


def _output(output: dict, name: str, cell: str, by_digest: Mapping[str, Figure]) -> dict:
    """An image of the batch becomes the figure with its words; other output stays."""
    data = output.get("data", {})
    if "image/png" in data:
        figure = by_digest.get(digest(base64.b64decode("".join(data["image/png"]))))
    elif "image/svg+xml" in data:  # IPython writes it anew; the name stays in its metadata
        named = re.search(r"<dc:title>([^<]+)</dc:title>", "".join(data["image/svg+xml"]))
        figure = next((f for f in by_digest.values() if named and f.name == named[1]), None)
    else:
        return output
    if figure is None:
        raise BookError(f"notebook {name}, cell {cell!r}: an image that is no figure of this batch has no words")
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": figure.html("../")}}
