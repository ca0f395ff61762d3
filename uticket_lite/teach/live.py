"""Training watched while it runs, and a learner's own Algorithm 1 in the loop."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ipywidgets as widgets
import numpy as np

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.teach import pictures
from uticket_lite.tickets.layer import Layer
from uticket_lite.tickets.ticket import Ticket

MaskBalance = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
"""Algorithm 1 as learners write it: mask (K, weights), n, rng → balanced mask."""


class LiveRounds:
    """A chart of the rounds of several runs, which grows as they finish.

    Show `chart`, and give `follow(name)` to `find_tickets` as `after_round`.
    """

    def __init__(self) -> None:
        self._runs: dict[str, Any] = {}
        self.chart = widgets.HTML("<p>The first round is training …</p>")

    def follow(self, name: str) -> Callable[[Any], None]:
        """What to call with a `LotteryRun` after each of its rounds."""

        def after_round(run: Any) -> None:
            self._runs[name] = run.history
            self.chart.value = self._drawn()

        return after_round

    def _drawn(self) -> str:
        charts = []
        for figure in ("utilization", "accuracy"):
            lines = {
                name: list(zip(100 * history["sparsity"], 100 * history[figure], strict=True))
                for name, history in self._runs.items()
            }
            charts.append(pictures.lines(lines, f"{figure} (%)", "weights pruned (%)"))
        return "".join(charts)


def own_balance(function: MaskBalance) -> Callable[[Ticket, Accelerator, int], Ticket]:
    """A learner's `balance(mask, n, rng)` as `find_tickets` takes it, over all counted layers.

    Raises ValueError where it returns a mask of another shape.
    """

    def balanced(ticket: Ticket, accelerator: Accelerator, seed: int) -> Ticket:
        rng, changed = np.random.default_rng(seed), {}
        for name in ticket.counted:
            layer = ticket.layers[name]
            flat = layer.to_dense().reshape(layer.shape[0], -1)
            after = np.asarray(function(flat, accelerator.n_pe, rng))
            if after.shape != flat.shape:
                raise ValueError(f"balance gave a mask {after.shape} for one of {flat.shape}")
            mask = after.astype(bool).reshape(layer.shape)
            changed[name] = replace(layer, mask=Layer.from_array(mask).bits)
        return ticket.with_layers(changed)

    return balanced
