"""The plan for large sweeps: its simulation is right where the answer is known, and its page
says what it computes."""

import json
import math
from pathlib import Path

import pytest

from benchmarks.cluster_model import Constants, most_workers, sweep_seconds
from uticket_lite.simulation.chunks import LONGEST, MOST

ROOT = Path(__file__).parents[1]
RATE, HANDING, WRITE, BYTES, TICKET = 24_000, 0.006, 0.007, 4.1, 1.8e6
POINTS = min(MOST, int(RATE * LONGEST))
PAGE = Constants(POINTS / RATE, HANDING, WRITE, 0.1)


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
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    chunks = math.ceil(1e9 / POINTS)
    for workers in (1, 10, 100, 1600):
        assert f"| {workers:,} | {sweep_seconds(chunks, workers, PAGE):,.0f} |" in page
    for said in (
        f"at most {MOST:,} points and takes up to {LONGEST:.0f} seconds of a core, here {POINTS:,}",
        f"so these are {chunks:,} chunks",
        f"each chunk costs it {1000 * (HANDING + WRITE):.0f} ms and a worker {PAGE.chunk:.1f} s",
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


def test_the_pages_constants_are_those_recorded():
    suite = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))["sweeps"]
    found = {figure["name"]: figure["ours"] for figure in suite["figures"]}
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert round(found["configurations a second"], -3) == RATE
    assert round(found["handing out a chunk and fetching it"], 3) == HANDING
    assert round(found["writing 10,000 rows"], 3) == WRITE
    assert round(found["10,000 rows as Parquet"] * 1e6 / 1e4, 1) == BYTES
    peaks = [value for name, value in found.items() if name.startswith("most memory")]
    assert f"| {peaks[0]:.0f} and {peaks[1]:.0f} MB |" in page
    assert peaks[1] < 1.1 * peaks[0], "memory stays, however many rows"
    for figure in suite["figures"]:
        if "that sleep" in figure["name"]:
            workers = figure["name"].split(", ")[1].split()[0]
            tasks, share = 48 / figure["ours"], figure["reference"] / figure["ours"]
            row = (
                f"| {figure['ours']:.1f} | {figure['reference']:.1f} | {tasks:.1f} | {share:.2f} |"
            )
            assert f"| {workers} {row}" in page
    assert suite["beside"].startswith("a busy machine") == ("beside a busy machine" in page)
