"""Tickets made from random numbers, with the filter-to-filter variation of real ones."""

from dataclasses import replace

import numpy as np

from uticket_lite.edge.checks import at_least_zero, fraction, one_of, whole_number
from uticket_lite.kernels.resampling import resample
from uticket_lite.tickets.architectures import CONV_SHAPES, TIES
from uticket_lite.tickets.layer import Layer
from uticket_lite.tickets.ticket import Ticket

ALIKE = 1e-9
"""Filters that vary less are alike: no draw could tell."""


def synthetic_layer(
    shape: tuple[int, ...],
    sparsity: float,
    filter_cov: float,
    rng: np.random.Generator,
    positions: int = 1,
) -> Layer:
    """A random layer (K, C, …) whose filters' densities follow a gamma distribution.

    sparsity: mean fraction of pruned weights. filter_cov: coefficient of variation of the
    filters' densities; 0 prunes uniformly at random. No filter is denser than 1, and the others
    make up for it, so that filters vary less than asked where the layer is dense.
    Raises ValueError where so few filters have any weight that these are too few.
    """
    filters, size = shape[0], int(np.prod(shape[1:]))
    density = np.full(filters, 1 - sparsity)
    if filter_cov > ALIKE and 0 < sparsity < 1:
        density = _capped(rng.gamma(filter_cov**-2, size=filters), 1 - sparsity)
    counts = rng.binomial(size, density)
    empty = Layer.from_indices(shape, np.zeros(filters, np.int64), np.empty(0, np.int32))
    bits = resample(
        empty.bits, size, size, 1, empty.counts, counts, np.empty((0, 0), np.float32), rng
    )
    return replace(empty, mask=bits, positions=positions)


def _capped(drawn: np.ndarray, mean: float) -> np.ndarray:
    """The drawn values, scaled to have that mean once those above 1 are cut off there."""
    falling = np.sort(drawn)[::-1]
    # The k largest are 1, and the rest is scaled so that the mean is right: the first k that fits.
    needed = mean * drawn.size - np.arange(drawn.size)
    rest = falling[::-1].cumsum()[::-1]
    fits = np.flatnonzero((rest > 0) & (needed * falling <= rest))
    if not fits.size:
        raise ValueError(
            f"filters vary so much that only {np.count_nonzero(drawn)} of {drawn.size} keep a "
            f"weight, too few for a density of {mean:.4g}; take a smaller filter_cov or a higher "
            "sparsity"
        )
    with np.errstate(over="ignore"):  # of those that are cut off
        return np.minimum(drawn / rest[fits[0]] * needed[fits[0]], 1)


def synthetic_ticket(
    network: str = "vgg16",
    sparsity: float = 0.982,
    filter_cov: float = 0.3,
    seed: int = 0,
    timesteps: int = 4,
) -> Ticket:
    """A random ticket with the convolutions of `network` (a name in `CONV_SHAPES`).

    The defaults resemble the paper's VGG-16 ticket on 16 PEs: uniform pruning
    (`filter_cov=0`) wastes much less than a real ticket does; about 0.3 gives the paper's
    utilization for VGG-16 and about 0.85 that for ResNet-19. These are equivalents, no
    measurements: here all layers keep the same share of their weights; where they do not, as in
    trained tickets, that costs utilization too (`lost`).

    sparsity: fraction pruned, in [0, 1], the same in every layer up to sampling noise, which is
    that of independent weights: its standard deviation is at most √(s·(1 − s)/weights).
    filter_cov: 0 or more; at low sparsities filters vary less, see `synthetic_layer`.
    timesteps: T. Counts all convolutions but the first.
    Raises ValueError for anything else, and where sparsity and filter_cov exclude each other.
    """
    convs = CONV_SHAPES[one_of("network", network, CONV_SHAPES)]
    sparsity = fraction("sparsity", sparsity)
    filter_cov = at_least_zero("filter_cov", filter_cov)
    seed = whole_number("seed", seed, minimum=0)
    rng = np.random.default_rng(seed)
    layers = {}
    for conv in convs:
        layer = synthetic_layer(conv.weights, sparsity, filter_cov, rng, conv.positions)
        if conv.input_positions != conv.positions:
            layer = replace(layer, input_positions=conv.input_positions)
        layers[conv.name] = layer
    made = {"network": network, "sparsity": sparsity, "filter_cov": filter_cov, "seed": seed}
    return Ticket(layers, timesteps, tuple(layers)[1:], {"synthetic": made}, TIES[network])
