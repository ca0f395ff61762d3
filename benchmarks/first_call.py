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


def figures() -> Iterable[Figure]:
    """Seconds in a new process, kernels compiled by an earlier one; reference: that one."""
    with tempfile.TemporaryDirectory() as empty:
        compiling, compiled = in_new_process(empty), in_new_process(empty)
    for name, seconds in compiled.items():
        yield Figure(name, seconds, compiling[name], "not yet compiled")


def in_new_process(cache: str) -> dict[str, float]:
    """Seconds that each step of `PROGRAM` takes, with compiled kernels kept in `cache`."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)
