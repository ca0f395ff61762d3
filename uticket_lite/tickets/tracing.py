"""What tickets need of anybody's network: a torch module, run once, or a file of its weights.

Both come as arguments of `Ticket.from_arrays`. torch is imported inside functions only, so that
files of weights are read without it.
"""

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import safe_open

from uticket_lite.edge.arrays import to_array
from uticket_lite.edge.files import open_safetensors
from uticket_lite.tickets.file import FORMAT

if TYPE_CHECKING:
    from torch import Tensor, nn

SAVING = "a state dict is a file written by safetensors.torch.save_file"


def trace(
    module: "nn.Module", sample_input: Any, counted: Iterable[str] | None = None
) -> dict[str, Any]:
    """What a ticket needs of any torch network that has convolutions (1-D to 3-D, grouped too) or
    linear layers.

    The sample is run once, in eval mode and without gradients, to see which layers run, in what
    order and at how many positions. Layers are called as in `module.named_modules()`,
    a bare layer `weight`. A zero is a pruned weight; under `torch.nn.utils.prune`, its mask says
    which are pruned, and magnitudes are those before masking. Layers that did not run are left
    out (`provenance["left_out"]`); transposed convolutions are not supported and are left out
    too. A layer or weight that is used several times counts once, as in stepping through time.
    Training flags are restored; what neurons or encoders remember of the sample is not.

    sample_input: the network's input, or a tuple of its arguments, on its device. The first
    dimension is the batch and does not count; time may be folded into it. For a linear layer,
    the dimensions between the first and the last are positions.
    counted: layers to simulate; default all convolutions but the first, which encodes the
    input, and no linear layer; all layers if that leaves none.

    Raises TypeError for what is no module, and ValueError if no layer ran, one ran at differing
    numbers of positions, one named in `counted` did not run, or a weight is NaN or infinite.
    Errors of the network itself pass through.
    """
    from torch import Tensor, nn

    if not isinstance(module, nn.Module):
        raise TypeError(
            f"module must be a torch.nn.Module, not {type(module).__name__}; weights alone go to "
            "Ticket.from_arrays"
        )
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
    layers = {name or "weight": m for name, m in module.named_modules() if isinstance(m, kinds)}
    positions, inputs = _run(module, layers, sample_input)
    left_out = [name for name in layers if name not in positions]
    if not positions:
        raise ValueError(
            f"no convolution or linear layer of {type(module).__name__} ran with this sample; "
            f"it has {', '.join(left_out) or 'none'}"
        )
    counted = tuple(counted or ())
    if idle := [name for name in counted if name in left_out]:
        raise ValueError(
            f"layer {idle[0]!r} did not run with this sample; count one that did: "
            f"{', '.join(positions)}"
        )
    weights, masks, seen = {}, {}, set()
    for name in positions:
        layer, mask = layers[name], getattr(layers[name], "weight_mask", None)
        weight: Any = layer.weight if mask is None else layer.weight_orig
        if weight not in seen:  # not tied to that of another layer
            seen.add(weight)
            weights[name] = to_array(weight, f"layer {name!r}: ")
            if isinstance(mask, Tensor):
                masks[name] = to_array(mask, f"mask of layer {name!r}: ")
    return {
        "arrays": weights,
        "masks": masks,
        "positions": {name: positions[name] for name in weights},
        "input_positions": {name: inputs[name] for name in weights},
        "counted": counted or _convolutions(weights)[1:],
        "provenance": {"model": type(module).__name__, "left_out": left_out},
    }


def read_state_dict(
    path: str | os.PathLike[str], counted: Iterable[str] | None = None
) -> dict[str, Any] | None:
    """The same of a safetensors file of weights, as torch users save them; None if it is a ticket.

    Every tensor `NAME.weight` with 2 or more dimensions is a layer NAME; what is 0 is pruned.
    So is a pair `NAME.weight_orig`, `NAME.weight_mask`, as `torch.nn.utils.prune` leaves them.
    Biases and norms, with 1 dimension, are passed over. Such a file does not say in which order
    layers run: they are sorted by name, layer 2 before layer 10.
    Nor at how many output positions.

    counted: layers to simulate; default all with 3 or more dimensions (convolutions) but the
    first, all layers if that leaves none.

    Raises FileNotFoundError, or ValueError for a truncated or foreign file, one without weights
    of layers, unknown names, NaN or infinite weights.
    """
    with open_safetensors(path, "ticket or state dict", SAVING) as file:
        if FORMAT in (file.metadata() or {}):
            return None
        weights, masks = _read(file, path)
    return {
        "arrays": weights,
        "masks": masks,
        "counted": tuple(counted or ()) or _convolutions(weights)[1:],
        "provenance": {"state_dict": Path(path).name},
    }


def _convolutions(weights: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    return tuple(name for name, weight in weights.items() if weight.ndim > 2)


def _run(
    module: "nn.Module", layers: Mapping[str, "nn.Module"], sample: Any
) -> tuple[dict[str, int], dict[str, int]]:
    """Names of the layers that run, in order, to their output and to their input positions."""
    from torch import nn, no_grad

    positions: dict[str, int] = {}
    inputs: dict[str, int] = {}

    def count(layer: Any, tensor: "Tensor") -> int:
        linear = isinstance(layer, nn.Linear)
        return math.prod(tensor.shape[1:-1] if linear else tensor.shape[-len(layer.kernel_size) :])

    def note(name: str, layer: Any, given: tuple["Tensor", ...], output: "Tensor") -> None:
        now = count(layer, output)
        inputs.setdefault(name, count(layer, given[0]) if given else now)  # given by keyword
        if positions.setdefault(name, now) != now:
            raise ValueError(
                f"layer {name!r} ran at {positions[name]} and at {now} output positions, but a "
                "ticket holds one number for a layer; say which with Ticket.from_arrays"
            )

    with _eval_mode(module), no_grad():
        hooks = [m.register_forward_hook(partial(note, name)) for name, m in layers.items()]
        try:
            module(*sample) if isinstance(sample, tuple) else module(sample)
        finally:
            for hook in hooks:
                hook.remove()
    return positions, inputs


@contextmanager
def _eval_mode(module: "nn.Module") -> Iterator[None]:
    """Eval mode for a while; afterwards every part has its own training flag again."""
    flags = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for part, training in flags:
            part.training = training


def _read(
    file: Any, path: str | os.PathLike[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Weights and, where there are some, masks of the layers in a state dict's open file."""
    shapes = {key: file.get_slice(key).get_shape() for key in file.keys()}  # noqa: SIM118
    layers = [key for key in sorted(shapes, key=_numbers_by_value) if len(shapes[key]) > 1]
    weights: dict[str, np.ndarray] = {}
    masks: dict[str, np.ndarray] = {}
    for key in layers:
        stem, _, kind = key.rpartition(".")
        name, mask = stem or "weight", key.removesuffix("orig") + "mask"
        if kind == "weight":
            weights[name] = _read_array(file, path, key)
        elif kind == "weight_orig" and mask in shapes:
            weights[name] = _read_array(file, path, key)
            masks[name] = _read_array(file, path, mask)
    if not weights:
        has = ", ".join(f"{key} {tuple(shape)}" for key, shape in shapes.items())
        raise ValueError(
            "it has no tensor called NAME.weight with 2 or more dimensions, but "
            f"{has or 'no tensor at all'}"
        )
    return weights, masks


def _read_array(file: Any, path: str | os.PathLike[str], key: str) -> np.ndarray:
    try:
        return file.get_tensor(key)
    except (TypeError, AttributeError):  # bfloat16 and the like: NumPy lacks them, torch does not
        with safe_open(path, framework="pt") as again:
            return to_array(again.get_tensor(key), f"tensor {key!r}: ")


def _numbers_by_value(name: str) -> list[str | int]:
    """A key to sort names by: `features.2` before `features.10`."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", name))]
