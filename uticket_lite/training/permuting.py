"""Fold an order of filters into a network: what a layer permutes, the next one expects.

That is all that the order strategies cost: the permuted network computes the same.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from uticket_lite.edge.checks import one_of
from uticket_lite.training.networks import SpikingVGG, prunable


def permute_filters(
    order: np.ndarray, producer: nn.Module, norms: Iterable[nn.Module], consumer: nn.Module
) -> None:
    """Put the filters of `producer` into `order`, in place, without changing what comes out.

    order: a permutation of the producer's filters, as in `Report.orders`. norms: modules with
    one entry per filter (batch norms), permuted along. consumer: the convolution or linear
    layer that reads the filters, flattened channel by channel if linear.

    Raises ValueError if the order does not fit, or if the consumer is a grouped convolution.
    """
    index = torch.as_tensor(np.asarray(order, np.int64))
    filters = len(producer.weight)  # type: ignore[arg-type]
    if not torch.equal(index.sort().values, torch.arange(filters)):
        raise ValueError(f"order is not a permutation of the layer's {filters} filters")
    if getattr(consumer, "groups", 1) != 1:
        raise ValueError("the consumer is a grouped convolution; its groups fix the order")
    with torch.no_grad():
        for module in (producer, *norms):
            for values in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                if values.dim() > 0:  # a batch norm also counts its batches
                    values.copy_(values[index])
        weight: Tensor = consumer.weight  # type: ignore[assignment]
        by_filter = weight.reshape(weight.shape[0], filters, -1)
        weight.copy_(by_filter[:, index].reshape(weight.shape))


def fold_orders(network: SpikingVGG, orders: Mapping[str, np.ndarray]) -> None:
    """Fold the orders of several layers, name to permutation, into the network, in place.

    The last convolution's order goes into the classifier. In a residual network the layers
    whose outputs are added would have to agree on one order; this is for plain chains.
    Raises ValueError for a name that is no convolution of the network.
    """
    layers = prunable(network)
    norms = {f"conv{i}": block.norm for i, block in enumerate(network.convs, 1)}
    names = list(layers)
    for name, order in orders.items():
        one_of("layer", name, norms)
        consumer = layers[names[names.index(name) + 1]]
        permute_filters(order, layers[name], [norms[name]], consumer)
