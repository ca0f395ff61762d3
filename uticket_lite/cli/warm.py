"""`uticket warm`: compile every kernel before anybody waits for it."""

import argparse
import importlib.util
import os
import subprocess
import sys

import numpy as np

from uticket_lite.cli.parser import Commands
from uticket_lite.hardware.accelerator import MAPPINGS, Accelerator
from uticket_lite.kernels.cache import SHARED, user_folder
from uticket_lite.simulation.comparison import compare
from uticket_lite.simulation.run import simulate
from uticket_lite.simulation.spikes import BARRIERS, simulate_spikes
from uticket_lite.simulation.sweeps import sweep
from uticket_lite.strategies import STRATEGIES
from uticket_lite.tickets.recorded import load_ticket
from uticket_lite.tickets.synthetic import synthetic_ticket
from uticket_lite.tickets.ticket import Ticket


def add_warm(commands: Commands) -> None:
    """Add `uticket warm`."""
    command = commands.add_parser(
        "warm",
        help="compile every kernel now, so that nobody waits for it later",
        description="Compile every kernel now, so that nobody waits for it later.",
    )
    command.add_argument(
        "--shared",
        action="store_true",
        help="beside the installed packages, for every user and any CPU of this kind (an image, "
        f"a hub's environment): {SHARED}",
    )
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.shared:
        SHARED.mkdir(parents=True, exist_ok=True)  # says so if it cannot be written
        # Numba reads what CPU it compiles for when it is imported.
        anywhere = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
        environment = {**os.environ, **anywhere, "NUMBA_CACHE_DIR": str(SHARED)}
        command = [sys.executable, "-m", "uticket_lite.cli", "warm"]
        return subprocess.run(command, env=environment, check=False).returncode
    warm()
    folder = user_folder()
    kept = 0 if folder is None else len(list(folder.glob("*.kernel")))
    if not kept:
        raise OSError(f"compiled kernels cannot be kept: {folder or 'no home directory'}")
    print(f"{kept} compiled kernels in {folder}")
    return 0


def warm() -> None:
    """Use every kernel as the notebooks do; training's too, where torch is installed."""
    pes = Accelerator(4)
    for mapping in MAPPINGS:
        compare(load_ticket("digits-lth", 14), Accelerator(4, mapping))
    sweep(load_ticket("digits-lth", 14), n_pe=[4], strategies=STRATEGIES)
    simulate(synthetic_ticket("digits"), pes).utilization_as(rounding="ceil")
    for size in (3, 8):
        ticket = Ticket.from_arrays({"conv": np.eye(8, size).reshape(8, size, 1, 1)})
        simulate(ticket, pes)
        spikes = np.ones((2, size, 4, 4), np.uint8)
        for barrier in BARRIERS:
            simulate_spikes(ticket.layers["conv"], spikes, pes, barrier=barrier)
    if importlib.util.find_spec("torch") and importlib.util.find_spec("snntorch"):
        _warm_neurons()


def _warm_neurons() -> None:
    import torch

    from uticket_lite.training.neurons import FusedLeaky

    for timesteps in (None, 2):
        x = torch.ones(2, 3, requires_grad=True)
        spikes, membranes = FusedLeaky().with_membranes(x, timesteps)
        (spikes.sum() + membranes.sum()).backward()
