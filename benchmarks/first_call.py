"""What a learner waits for once: the import and the first calls, before and after compiling."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable

from benchmarks.measure import Figure

# The masks come from NumPy: making a synthetic ticket would compile kernels before their turn.
PROGRAM = """
import json, time
clock = [time.perf_counter()]
import uticket_lite as ut
clock.append(time.perf_counter())
import numpy as np
masks = {"conv": np.random.default_rng(0).random((512, 512, 3, 3)) < 0.018}
clock.append(time.perf_counter())
ticket = ut.Ticket.from_arrays(masks)
report = ut.simulate(ticket, ut.Accelerator(16))
report.utilization, report.work, report.idle, report.latency
clock.append(time.perf_counter())
ut.balance(ticket, ut.Accelerator(16))
clock.append(time.perf_counter())
print(json.dumps({
    "import uticket_lite": clock[1] - clock[0],
    "first report of masks": clock[3] - clock[2],
    "first balance (u-Ticket)": clock[4] - clock[3],
}))
"""

LESSON = """
import json, time
import uticket_lite as ut
began = time.perf_counter()
ticket, pes = ut.load_ticket("digits-lth"), ut.Accelerator(16)
ut.simulate(ticket, pes)
ut.compare(ticket, pes)
print(json.dumps({"first simulate and compare": time.perf_counter() - began}))
"""
COMPILED, COMPILING = 1, 6
"""Seconds that a lesson's first calls may take in a prepared image, and on a fresh laptop."""


def figures() -> Iterable[Figure]:
    """Seconds in a new process, kernels compiled by an earlier one; reference: that one."""
    with tempfile.TemporaryDirectory() as empty:
        compiling, compiled = in_new_process(PROGRAM, empty), in_new_process(PROGRAM, empty)
    for name, seconds in compiled.items():
        yield Figure(name, seconds, compiling[name], "not yet compiled")
    with tempfile.TemporaryDirectory() as empty:
        for what, limit in (("compiling", COMPILING), ("compiled", COMPILED)):
            for name, seconds in in_new_process(LESSON, empty).items():
                yield Figure(f"{name}, {what}", seconds, limit=limit)


def in_new_process(program: str, cache: str) -> dict[str, float]:
    """Seconds that each step of a program takes, with compiled kernels kept in `cache`."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)
