"""Committed notebooks are a fixed point of the stripping hook; one with outputs is not."""

import json

import pytest

from notebooks.run import notebook_names, source
from notebooks.strip import main, stripped


@pytest.mark.parametrize("name", notebook_names())
def test_committed_notebooks_are_stripped(name):
    text = source(name).read_text(encoding="utf-8")
    assert stripped(text) == text


def test_outputs_go_and_everything_else_stays(tmp_path):
    text = source(notebook_names()[0]).read_text(encoding="utf-8")
    page = json.loads(text)
    code = next(cell for cell in page["cells"] if cell["cell_type"] == "code")
    code.update(outputs=[{"output_type": "stream", "name": "stdout", "text": ["é\n"]}], execution_count=3)
    path = tmp_path / "run.ipynb"
    path.write_text(json.dumps(page), encoding="utf-8")
    assert main([str(path)]) == 1
    assert path.read_text(encoding="utf-8") == text
    assert main([str(path)]) == 0
