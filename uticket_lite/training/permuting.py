"""Fold an order of filters into a network: what a layer permutes, the next one expects.

That is all that the order strategies cost: the permuted network computes the same.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from uticket_lite.edge.arrays import to_integers
from uticket_lite.edge.checks import one_of
from uticket_lite.training.layers import SpikingConv
from uticket_lite.training.networks import SpikingNetwork, SpikingResNet, prunable


def fold_orders(network: SpikingNetwork, orders: Mapping[str, np.ndarray]) -> None:
    """Fold the orders of several layers, name to permutation, into the network, in place.

    Layers whose outputs are added share an order: one of them is enough, and they must not
    differ. The last convolution's order goes into the layer behind it.
    Raises ValueError for a name that is no convolution of the network, and where orders differ.
    """
    layers, groups = prunable(network), _flow(network)
    norms = _norms(network)
    known = [name for producers, _ in groups for name in producers]
    for name in orders:
        one_of("layer", name, known)
    for producers, consumers in groups:
        given = [to_integers(orders[name], "order: ") for name in producers if name in orders]
        if any(not np.array_equal(given[0], other) for other in given):
            raise ValueError(
                f"the outputs of {', '.join(producers)} are added: they can only share one order"
            )
        if given:
            moved = [m for name in producers for m in (layers[name], norms[id(layers[name])])]
            _permute(given[0], moved, [layers[name] for name in consumers])


def _permute(
    order: np.ndarray, producers: Iterable[nn.Module], consumers: Iterable[nn.Module]
) -> None:
    """Permute the outputs of some modules, convolution first, and the inputs of others."""
    index = torch.as_tensor(to_integers(order, "order: "))
    producers, consumers = list(producers), list(consumers)
    filters = len(producers[0].weight)  # type: ignore[arg-type]
    if not torch.equal(index.sort().values, torch.arange(filters)):
        raise ValueError(f"order is not a permutation of the layer's {filters} filters")
    with torch.no_grad():
        for module in producers:
            for values in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                if values.dim() > 0:  # a batch norm also counts its batches
                    values.copy_(values[index])
        for consumer in consumers:
            weight: Tensor = consumer.weight  # type: ignore[assignment]
            by_filter = weight.reshape(weight.shape[0], filters, -1)
            weight.copy_(by_filter[:, index].reshape(weight.shape))


def _flow(network: SpikingNetwork) -> list[tuple[list[str], list[str]]]:
    """Convolutions whose outputs are added, and the layers that read the sum, by their names."""
    names = list(prunable(network))
    linear = next(name for name in names if name.startswith("linear"))
    if not isinstance(network, SpikingResNet):
        convs = names[: names.index(linear)]
        return [([name], [names[i + 1]]) for i, name in enumerate(convs)]
    blocks = dict.fromkeys(name.rpartition(".")[0] for name in names if "." in name)
    groups: list[tuple[list[str], list[str]]] = [(["conv1"], [])]
    for block in blocks:
        first, second, shortcut = (f"{block}.{part}" for part in ("conv1", "conv2", "shortcut"))
        groups[-1][1].append(first)
        if shortcut in names:
            groups[-1][1].append(shortcut)
            groups.append(([shortcut], []))
        groups[-1][0].append(second)
        groups.insert(-1, ([first], [second]))
    groups[-1][1].append(linear)
    return groups


def _norms(network: nn.Module) -> dict[int, nn.Module]:
    """The norm behind each convolution, by the convolution's id."""
    found = {}
    for module in network.modules():
        if isinstance(module, SpikingConv):
            found[id(module.conv)] = module.norm
        elif isinstance(module, nn.Sequential) and isinstance(module[0], nn.Conv2d):
            found[id(module[0])] = module[1]
    return found
