"""Run topics side by side, each in a process of its own, the longest first."""

import json
import math
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from theory.ledger.run import Line, run_topic

RECORD = Path("build") / "ledger-environment.json"  # in the working folder


def timed_topic(topic: str, profile: str, only: str | None) -> tuple[str, list[Line], float]:
    """The lines of one topic and the seconds they took."""
    start = time.perf_counter()
    lines = run_topic(topic, profile, only=only)
    return topic, lines, time.perf_counter() - start


def recorded_seconds() -> dict[str, float]:
    """Seconds per topic of the last runs; empty where nothing readable was recorded."""
    try:
        return json.loads(RECORD.read_text(encoding="utf-8"))["seconds"]
    except (OSError, ValueError, KeyError):
        return {}


def by_length(topics: list[str], seconds: dict[str, float]) -> list[str]:
    """The order in which topics start: with the longest first, or unknown, the workers end together."""
    return sorted(topics, key=lambda t: -seconds.get(t, math.inf))


def all_topics(topics: list[str], profile: str, only: str | None) -> tuple[list[Line], dict[str, float]]:
    """Every topic, each in a process of its own, as many at a time as there are cores; lines in the order given."""
    found: dict[str, list[Line]] = {}
    seconds: dict[str, float] = {}
    workers = min(len(topics), os.cpu_count() or 1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(timed_topic, topic, profile, only) for topic in by_length(topics, recorded_seconds())]
        with tqdm(total=len(jobs), unit="topic", disable=not sys.stderr.isatty()) as bar:
            for job in as_completed(jobs):
                topic, found[topic], seconds[topic] = job.result()
                bar.set_description(topic)
                bar.update()
    return [line for topic in topics for line in found[topic]], {t: round(seconds[t], 2) for t in topics}
