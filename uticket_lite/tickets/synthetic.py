"""Tickets made from random numbers, with the filter-to-filter variation of real ones."""

from dataclasses import replace

import numpy as np

from uticket_lite.edge.checks import fraction, one_of, whole_number
from uticket_lite.kernels.resampling import resample
from uticket_lite.tickets.architectures import CONV_SHAPES
from uticket_lite.tickets.layer import Layer
from uticket_lite.tickets.ticket import Ticket


def synthetic_layer(
    shape: tuple[int, ...],
    sparsity: float,
    filter_cov: float,
    rng: np.random.Generator,
    positions: int = 1,
) -> Layer:
    """A random layer (K, C, …) whose filters' densities follow a gamma distribution.

    sparsity: mean fraction of pruned weights. filter_cov: coefficient of variation of the
    filters' densities; 0 prunes uniformly at random.
    """
    filters, size = shape[0], int(np.prod(shape[1:]))
    density = np.full(filters, 1 - sparsity)
    if filter_cov > 0 and 0 < sparsity < 1:
        drawn = rng.gamma(filter_cov**-2, size=filters)
        for _ in range(50):  # no filter is denser than 1: the others make up for it
            density = np.minimum(drawn, 1)
            drawn *= (1 - sparsity) / density.mean()
    counts = rng.binomial(size, density)
    empty = Layer.from_indices(shape, np.zeros(filters, np.int64), np.empty(0, np.int32))
    bits = resample(
        empty.bits, size, size, 1, empty.counts, counts, np.empty((0, 0), np.float32), rng
    )
    return replace(empty, bits=bits, positions=positions)


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
    utilization for VGG-16 and about 0.85 that for ResNet-19.

    sparsity: fraction pruned, in [0, 1], the same in every layer up to sampling noise.
    filter_cov: 0 or more. timesteps: T. Counts all convolutions but the first.
    Raises ValueError for anything else.
    """
    convs = CONV_SHAPES[one_of("network", network, CONV_SHAPES)]
    sparsity = fraction("sparsity", sparsity)
    if not 0 <= filter_cov < np.inf:
        raise ValueError(f"filter_cov must be 0 or more, not {filter_cov!r}")
    rng = np.random.default_rng(whole_number("seed", seed, minimum=0))
    layers = {}
    for conv in convs:
        layer = synthetic_layer(conv.weights, sparsity, filter_cov, rng, conv.positions)
        if conv.input_positions != conv.positions:
            layer = replace(layer, input_positions=conv.input_positions)
        layers[conv.name] = layer
    made = {"network": network, "sparsity": sparsity, "filter_cov": filter_cov, "seed": seed}
    return Ticket(layers, timesteps, tuple(layers)[1:], {"synthetic": made})
