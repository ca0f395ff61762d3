"""What tickets need of anybody's torch network, seen while it runs once.

It comes as arguments of `Ticket.from_arrays`. torch is imported inside functions only.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from uticket_lite.edge.arrays import to_array
from uticket_lite.edge.checks import whole_number
from uticket_lite.tickets.calls import Call, watching
from uticket_lite.tickets.conventions import SAYS_PRUNED, convolutions, says_pruned
from uticket_lite.tickets.layer import spread
from uticket_lite.tickets.owners import Parameters
from uticket_lite.tickets.ties import Ties

if TYPE_CHECKING:
    from torch import nn


def trace(
    module: "nn.Module",
    sample_input: Any,
    counted: Iterable[str] | None = None,
    batch_dims: int | None = None,
) -> dict[str, Any]:
    """What a ticket needs of any torch network that has convolutions (1-D to 3-D, grouped too) or
    linear layers.

    The sample is run once, in eval mode and without gradients, to see which convolutions and
    linear functions run, with which weights, in what order and at how many positions. Layers
    are called as in `module.named_modules()`, a bare layer `weight`, as if nothing were
    compiled. What is 0 in the weight that a layer computes with is pruned, however the network
    keeps its masks. A mask beside the weight (see `conventions`) says so too, and magnitudes are
    those before masking. A layer or weight that is used several times counts once, as in
    stepping through time. Training flags are restored; what neurons or encoders remember of the
    sample is not.

    sample_input: the network's input, or a tuple of its arguments, on its device. The first
    dimension is the batch and does not count; time may be folded into it.
    counted: layers to simulate; default all convolutions but the first, which encodes the
    input, and no linear layer; all layers if that leaves none.
    batch_dims: how many of a linear layer's first dimensions are batch or time; those between
    them and the last are positions. It must be said for counted linear layers that meet more
    than two dimensions: (time, batch, features) looks like (batch, tokens, features).

    `ties` are the groups of layers whose filters meet element by element (see `ties`); where that
    cannot be told of a layer, `provenance["ties_unknown"]` says why.
    `provenance["left_out"]`: name to reason for every other parameter with 2 or more dimensions.

    Raises TypeError for what is no module, and ValueError if no layer ran, one ran at differing
    numbers of positions, one named in `counted` did not run, `batch_dims` is needed, or a
    weight is NaN or infinite. Errors of the network itself pass through.
    """
    from torch import equal, jit, nn

    if not isinstance(module, nn.Module):
        raise TypeError(
            f"module must be a torch.nn.Module, not {type(module).__name__}; weights alone go to "
            "Ticket.from_arrays"
        )
    for name, part in module.named_modules():
        scripted = isinstance(part, jit.ScriptModule)
        if scripted and any(parameter.ndim > 1 for parameter in part.parameters()):
            raise TypeError(
                f"{name or 'the module'} is scripted, which hides what its layers compute; give "
                "the module it was made of"
            )
    if batch_dims is not None:
        batch_dims = whole_number("batch_dims", batch_dims, minimum=0)
    parameters = Parameters(module)
    layers: dict[str, Call] = {}
    used: dict[str, str | None] = {}

    def note(call: Call) -> str:
        name, parameter = parameters.of(call, used.values())
        if name not in layers and parameter is not None and parameter in used.values():
            return next(n for n, p in used.items() if p == parameter)  # tied to its weight
        first = layers.setdefault(name, call)
        if parameter is None and not equal(first.weight, call.weight):
            raise ValueError(
                f"{name!r} computes several layers with weights that are none of its parameters; "
                "give them by name to Ticket.from_arrays"
            )
        used.setdefault(name, parameter)
        if first.owner == call.owner and first.positions(batch_dims) != call.positions(batch_dims):
            raise ValueError(
                f"layer {name!r} ran at {first.positions(batch_dims)} and at "
                f"{call.positions(batch_dims)} output positions, but a ticket holds one number "
                "for a layer; say which with Ticket.from_arrays"
            )
        return name

    ties = Ties(sample_input)
    with _evaluating(module), watching(module, note, parameters.follow, ties) as ran:
        module(*sample_input) if isinstance(sample_input, tuple) else module(sample_input)
    left_out = parameters.left_out(layers, set(used.values()), ran)
    if not layers:
        raise ValueError(
            f"no convolution or linear layer of {parameters.model} ran with this sample; it has "
            + (", ".join(f"{name} ({why})" for name, why in left_out.items()) or "none")
        )
    shapes = {name: tuple(call.weight.shape) for name, call in layers.items()}
    counted = tuple(counted or ()) or convolutions(shapes)[1:]
    for name in counted:
        if name in left_out:
            raise ValueError(
                f"layer {name!r} {left_out[name]}; count one that did run: {', '.join(layers)}"
            )
    for name in counted or layers:
        if name in layers:
            _check_batch(name, layers[name], batch_dims)
    masks, strays = parameters.masks(shapes)
    arrays, alive = {}, {}
    for name, call in layers.items():
        own = used[name]
        arrays[name], alive[name] = _weights_and_mask(
            name, call, None if own is None else parameters.weights[own], masks.get(name, {})
        )
    return {
        "arrays": arrays,
        "masks": alive,
        "positions": {name: call.positions(batch_dims) for name, call in layers.items()},
        "input_positions": {
            name: call.input_positions(batch_dims) for name, call in layers.items()
        },
        "counted": counted,
        "ties": ties.groups(),
        "provenance": {
            "model": parameters.model,
            "left_out": {**left_out, **strays},
            **({"ties_unknown": ties.unknown} if ties.unknown else {}),
        },
    }


def _check_batch(name: str, call: Call, batch_dims: int | None) -> None:
    if call.linear and len(call.given) > 2 and batch_dims is None:
        raise ValueError(
            f"linear layer {name!r} met {call.given}: is dimension 1 tokens, or the batch beside "
            "time? Give batch_dims=1 (batch first, then positions) or batch_dims=2 (time and "
            "batch first)"
        )


def _weights_and_mask(
    name: str, call: Call, parameter: Any, masks: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """A layer's weights, before masking where that is known, and which of them are alive.

    parameter: what the weight was made of. masks: what lies beside it, by name; all must keep a
    weight. ValueError for one that says by its name what is pruned, where weights are not 0.
    """
    what = f"layer {name!r}: "
    part = call.part
    quantized = hasattr(part, "weight_fake_quant") and parameter is not None
    weight = to_array(parameter if quantized else call.weight, what)
    if parameter is not None and parameter.numel() == weight.size:
        before = to_array(parameter, what).reshape(weight.shape)
        if weight.dtype.kind == "f":  # a direction of length 0 has no norm
            weight = np.where(np.isnan(weight) & (before == 0), 0, weight)
        alive = weight != 0
        if (before == weight)[alive].all():
            weight = before
    else:
        alive = weight != 0
    zeros, marked = alive, None
    for key, mask in masks.items():
        said = to_array(mask, f"mask of layer {name!r}: ")
        whole, said = said.size == weight.size, spread(said, weight.shape)
        kept = said != 0
        if kept.all() or not kept[zeros].any() or (said[kept] != said[kept][0]).any():
            continue
        if says_pruned(key, name) and (zeros & ~kept).any():
            raise ValueError(f"layer {name!r}: {key} {SAYS_PRUNED}")
        alive = kept & (whole | zeros)
        marked = alive if marked is None else marked & alive
    return weight, zeros if marked is None else marked


@contextmanager
def _evaluating(module: "nn.Module") -> Iterator[None]:
    """Eval mode and no gradients; afterwards every part has its own training flag again."""
    from torch import no_grad

    flags = [(part, part.training) for part in module.modules()]
    try:
        with suppress(NotImplementedError):  # exported graphs know one mode only
            module.eval()
        with no_grad():
            yield
    finally:
        for part, training in flags:
            part.training = training
