"""The plan for large sweeps: its simulation is right where the answer is known, and its page
says what it computes."""

import math
from pathlib import Path

import pytest

from benchmarks.cluster_model import Constants, most_workers, sweep_seconds
from uticket_lite.simulation.chunks import MOST

RATE, HANDING, WRITE, BYTES, TICKET = 36_000, 0.006, 0.015, 4.1, 1.8e6
PAGE = Constants(MOST / RATE, HANDING, WRITE, 0.1)


def test_workers_that_wait_for_nothing_share_the_chunks():
    quick = Constants(1.0, 0.0, 0.0, 0.0)
    assert [sweep_seconds(12, workers, quick) for workers in (1, 2, 4, 12, 100)] == [12, 6, 3, 1, 1]
    assert sweep_seconds(5, 2, quick) == 3


def test_one_process_hands_out_everything():
    """However many workers: each chunk is handed out and written by it."""
    slow = Constants(1.0, 0.1, 0.2, 0.0)
    assert most_workers(slow) == 3
    assert sweep_seconds(1000, 100, slow) == pytest.approx(1000 * 0.3, rel=0.01)
    assert sweep_seconds(1000, 2, slow) == pytest.approx(500, rel=0.01)


def test_tickets_are_waited_for_once():
    late = Constants(1.0, 0.0, 0.0, 7.0)
    assert sweep_seconds(10, 1, late) == 17


def test_the_page_says_what_the_simulation_finds():
    page = (Path(__file__).parents[1] / "docs" / "scaling.md").read_text()
    chunks = math.ceil(1e9 / MOST)
    for workers in (1, 10, 100, 1600):
        assert f"| {workers:,} | {sweep_seconds(chunks, workers, PAGE):,.0f} |" in page
    for said in (
        f"at most {MOST:,} points, {PAGE.chunk:.1f} seconds of a core, so these are {chunks:,}",
        f"{1e9 * BYTES / 1e9:.1f} GB of Parquet",
        f"one process keeps {most_workers(PAGE)} workers busy",
        f"would keep only {most_workers(PAGE._replace(chunk=0.25))} busy",
        f"they would keep {most_workers(PAGE._replace(write=0.0))} workers busy",
        f"{1600 * TICKET / 1e9:.1f} GB for 1,600 workers",
        f"| {RATE:,} |",
        f"| {HANDING * 1000:.0f} ms |",
        f"| {WRITE * 1000:.0f} ms |",
    ):
        assert said in page
