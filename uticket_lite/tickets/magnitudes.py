"""One network at many sparsities: prune by magnitude without looking at every weight again."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from uticket_lite.edge.checks import fraction, instance
from uticket_lite.tickets.layer import Counts, Layer, pack
from uticket_lite.tickets.ticket import Ticket

LEVELS = 200


def magnitude_ladder(
    ticket: Ticket, sparsities: Iterable[float] | None = None
) -> tuple[Ticket, ...]:
    """The ticket pruned further by one threshold on |w| for all its layers, once per sparsity.

    The magnitudes are sorted once; from then on a sparsity costs no more than looking up each
    filter's stored number of non-zeros. A ticket's masks are made when something asks for them.

    sparsities: fractions of all weights pruned, those pruned before included; default 200
    steps from the ticket's own to 99.9 %, each keeping the same share of what is left. Below
    the ticket's own sparsity, nothing is pruned. ⌊sparsity·weights⌋ weights are pruned, fewer
    where magnitudes are equal: all weights at the threshold stay.

    Raises ValueError if a layer's magnitudes are not known, or for sparsities outside [0, 1].
    """
    instance("ticket", ticket, Ticket, "ut.Ticket.from_model(network, images), say")
    unknown = [name for name, layer in ticket.layers.items() if layer.magnitudes is None]
    if unknown:
        raise ValueError(
            f"layers without magnitudes: {', '.join(unknown)}; make the ticket from weights, "
            "not from masks"
        )
    # A weight pruned before is as small as can be; one that is alive is not, even if it is 0.
    alive = {
        name: np.where(
            layer.to_dense().reshape(layer.shape[0], -1), np.asarray(layer.magnitudes), -1
        )
        for name, layer in ticket.layers.items()
        if layer.magnitudes is not None
    }
    ascending = np.sort(np.concatenate([magnitudes.ravel() for magnitudes in alive.values()]))
    own = np.count_nonzero(ascending < 0)
    if sparsities is None:
        density = 1 - own / ascending.size  # 0: nothing is left, and there is one rung
        sparsities = 1 - np.geomspace(density, min(density, 1e-3), LEVELS) if density else [1.0]
    shares = [fraction("sparsity", sparsity) for sparsity in sparsities]
    pruned = np.maximum((np.array(shares) * ascending.size).astype(np.int64), own)
    thresholds = np.append(ascending, np.inf)[pruned]
    levels = {
        name: _levels(layer, alive[name], thresholds) for name, layer in ticket.layers.items()
    }
    return tuple(
        ticket.with_layers(
            {name: layers[i] for name, layers in levels.items()}, pruned_below=float(threshold)
        )
        for i, threshold in enumerate(thresholds)
    )


def _levels(given: Layer, alive: np.ndarray, thresholds: np.ndarray) -> list[Layer]:
    """The layer below each threshold; alive: magnitudes (K, C·kh·kw), −1 where pruned."""
    rows = np.sort(alive, axis=1)
    pruned = np.array([np.searchsorted(row, thresholds) for row in rows])
    return [
        replace(given, mask=Counts(counts, partial(_bits, given, threshold)))
        for threshold, counts in zip(thresholds, given.filter_size - pruned.T, strict=True)
    ]


def _bits(given: Layer, threshold: float) -> np.ndarray:
    return given.bits & pack(np.asarray(given.magnitudes) >= threshold)
