"""Notebooks as they are committed: without outputs and execution counts.

python -m notebooks.strip notebooks/01-perplexity.ipynb ...        rewrites those that hold any, and returns 1
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from toy_models.files import write_aside


def stripped(text: str) -> str:
    """The same notebook without outputs, in the form that Jupyter writes."""
    page = json.loads(text)
    for cell in page["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(page, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(names: Sequence[str]) -> int:
    changed = []
    for path in map(Path, names):
        before = path.read_text(encoding="utf-8")
        after = stripped(before)
        if after != before:
            write_aside(path, lambda aside, text=after: aside.write_text(text, encoding="utf-8"))
            changed.append(path)
            print(f"{path}: outputs removed", file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
