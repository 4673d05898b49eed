"""Rows of the GPU table, the environment they were measured in, and where both are written.

gpu.json: {"environment": {name: text}, "rows": [{"part", "what", "value", "unit", "note"}]}; value null: not measured.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
COMMITTED = ROOT / "benchmarks" / "gpu.json"
HEADING = "## Networks on a device"


@dataclass(frozen=True)
class Row:
    """One measured number. value None: not measured, and the note says why if there is a reason beyond 'no GPU'."""

    part: str
    what: str
    unit: str
    value: float | None = None
    note: str = ""

    def shown(self) -> str:
        return "not measured" if self.value is None else f"{self.value:.4g} {self.unit}".strip()


def filled(rows: tuple[Row, ...], found: dict[str, tuple[float | None, str]]) -> list[Row]:
    """The rows with the values found under their names; KeyError when the two do not name the same numbers."""
    if {row.what for row in rows} != set(found):
        raise KeyError(f"measured {sorted(found)}, the table has {sorted(row.what for row in rows)}")
    return [Row(row.part, row.what, row.unit, *found[row.what]) for row in rows]


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(run: Callable[[], object], device: torch.device, rounds: int = 7) -> float:
    """Median wall time of one call, after a first one."""
    run()
    times = []
    for _ in range(rounds):
        synchronise(device)
        start = time.perf_counter()
        run()
        synchronise(device)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def matrix_rate(dtype: torch.dtype, device: torch.device, side: int) -> float:
    """flop/s of the product of two square matrices, 2 side^3 flops."""
    a, out = torch.randn(side, side, device=device, dtype=dtype), torch.empty(side, side, device=device, dtype=dtype)
    return 2.0 * side**3 / seconds(lambda: torch.mm(a, a, out=out), device)


def memory_rate(device: torch.device, numbers: int) -> float:
    """bytes/s read and written by scaling a float32 vector in place."""
    a = torch.ones(numbers, device=device)
    return 2.0 * 4 * numbers / seconds(lambda: a.mul_(1.0), device)


def environment(device: torch.device) -> dict[str, str]:
    """Device, torch, CUDA and driver."""
    driver = "none"
    if device.type == "cuda" and shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        driver = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split("\n")[0] or "unknown"
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    return {"device": name, "torch": torch.__version__, "cuda": str(torch.version.cuda or "none"), "driver": driver}


def as_markdown(rows: list[Row], place: dict[str, str]) -> str:
    lines = [", ".join(f"{name}: {value}" for name, value in place.items()) + ".", ""]
    lines += ["| part | what | value | note |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {row.part} | {row.what} | {row.shown()} | {row.note} |" for row in rows])


def dump(path: Path, rows: list[Row], place: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"environment": place, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")


def load(path: Path) -> tuple[list[Row], dict[str, str]]:
    found = json.loads(path.read_text())
    return [Row(**row) for row in found["rows"]], found["environment"]


def put(text: str, name: str, table: str) -> str:
    """`text` with `table` between the markers of `name`; the section is appended where there is none."""
    opening, closing = f"<!-- networks-{name} -->", f"<!-- /networks-{name} -->"
    block = f"{opening}\n{table}\n{closing}"
    if (opening in text) != (closing in text):
        raise ValueError(f"{RESULTS.name} has one of {opening} and {closing}; both or none are allowed")
    if opening in text:
        before, rest = text.split(opening, 1)
        return before + block + rest.split(closing, 1)[1]
    heading = "" if HEADING in text else f"{HEADING}\n\n"
    return f"{text.rstrip()}\n\n{heading}{block}\n"
