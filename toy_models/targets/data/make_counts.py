"""Make english_4gram.npz: circular 4-gram counts of the documentation topics inside Python.

    python toy_models/targets/data/make_counts.py

The text is pydoc_data.topics, the English prose behind help(); only its counts are stored.
"""

import platform
import pydoc_data.topics
from pathlib import Path

import numpy as np

from toy_models.targets.corpus import circular_counts, fold


def main() -> None:
    topics = pydoc_data.topics.topics
    text = " ".join(topics[name] for name in sorted(topics)).replace("ß", " ")  # quoted once as a character, no English
    tokens = fold(text)
    counts = circular_counts(tokens, 4).ravel()
    index = np.flatnonzero(counts)
    description = (
        f"circular 4-gram counts over a-z and space of {len(tokens)} tokens: the {len(topics)} documentation topics "
        f"of Python {platform.python_version()} (pydoc_data.topics, PSF License)"
    )
    out = Path(__file__).with_name("english_4gram.npz")
    np.savez_compressed(
        out, index=index.astype(np.uint32), count=counts[index].astype(np.uint32), description=np.array(description)
    )
    print(f"{out.name}: {len(index)} distinct 4-grams, {out.stat().st_size} bytes\n{description}")


if __name__ == "__main__":
    main()
