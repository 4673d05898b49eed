"""Tables of measurements that are committed with the benchmarks, for display."""

from pathlib import Path

from toy_models.files import in_checkout

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "RESULTS.md"


def measured(name: str) -> str:
    """The Markdown between the markers `<!-- name -->` of benchmarks/RESULTS.md; ValueError where there are none.

    An installed copy does not hold the benchmarks, and says where they are.
    """
    if not in_checkout():
        return f"*The measured table `{name}` is in benchmarks/RESULTS.md of the repository.*"
    text = RESULTS.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in text or end not in text:
        raise ValueError(f"name = {name!r}: {RESULTS.name} has no markers {start} and {end}")
    return text.split(start)[1].split(end)[0].strip()
