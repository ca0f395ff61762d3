"""Which layers' filters meet each other element by element: residual additions, gates, stacks.

Tensors are followed through the functions of torch while a network runs (see `calls`): whose
filters their channels are, and along which axis. Where filters meet, their layers can only be
put into one order, all alike; where it cannot be told what meets what, that is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

INPUT = "the network's input"
MOVES = frozenset(
    [
        *("view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "permute"),
        *("transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "squeeze", "unsqueeze"),
        *("t", "__get__", "__getitem__", "select", "narrow", "index_select", "chunk", "split"),
        *("unbind", "tensor_split", "cat", "concat", "concatenate", "stack", "hstack"),
        *("vstack", "repeat", "repeat_interleave", "expand", "expand_as", "tile", "roll"),
        *("flip", "mean", "amax", "amin", "max_pool1d", "avg_pool1d", "pixel_shuffle"),
        *("pixel_unshuffle", "channel_shuffle", "take_along_dim", "gather", "unfold"),
    ]
)
"""Functions that may put channels elsewhere: tried on the channels' numbers."""
NEW = frozenset(
    [
        *("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like"),
        *("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor"),
    ]
)
"""Functions whose result has nothing of what they are given but the shape."""
MIXES = frozenset(
    [
        *("matmul", "mm", "bmm", "addmm", "addbmm", "baddbmm", "einsum", "tensordot"),
        *("__matmul__", "__rmatmul__", "lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell"),
        *("gru_cell", "multi_head_attention_forward", "scaled_dot_product_attention"),
        *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "bilinear"),
        *("embedding", "kron"),
    ]
)
"""Functions that make channels of their own, which are no layer's filters."""


@dataclass(frozen=True)
class Origin:
    """Whose filters a tensor's channels are, counted from its last axis; no axis: who knows."""

    layers: frozenset[str]
    axis: int | None


class Ties:
    """What is found: `groups` of layers that meet, and `unknown`, layer to reason."""

    def __init__(self, sample: Any) -> None:
        from torch.utils.weak import WeakIdKeyDictionary

        self.origins: Any = WeakIdKeyDictionary()
        self.met: list[frozenset[str]] = []
        self.unknown: dict[str, str] = {}
        for tensor in tensors_in(sample):
            self.origins[tensor] = Origin(frozenset({INPUT}), None)

    def layer(self, name: str, given: "Tensor", made: "Tensor", groups: int, axis: int) -> None:
        """A layer ran. The channels it makes are its filters."""
        self.origins[made] = Origin(frozenset({name}), axis)
        before = self.origins.get(given)
        if groups > 1 and before is not None and before.layers != {INPUT}:
            if made.shape[axis] == given.shape[axis] == groups and before.axis is not None:
                self._meet(before.layers | {name})
            else:
                for layer in before.layers - {INPUT}:
                    self.unknown[layer] = f"its filters are channels of groups of {name}"

    def function(self, name: str, function: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Any other function ran."""
        name = name.removesuffix("_") if not name.startswith("__") else name
        if name == "__setitem__":
            self._set(args[0], args[-1])
            return
        made = [x for x in tensors_in(result) if x.ndim]
        known = [(x, self.origins[x]) for x in tensors_in((args, kwargs)) if x in self.origins]
        if not made or not known or name in NEW:
            return
        if name in MIXES:
            for tensor in made:
                self.origins[tensor] = Origin(frozenset(), None)
            return
        layers = frozenset().union(*(origin.layers for _, origin in known))
        if name in ("group_norm", "local_response_norm"):
            groups = args[1] if len(args) > 1 else kwargs.get("num_groups")
            if name != "group_norm" or groups not in (1, known[0][0].shape[1]):
                for layer in layers - {INPUT}:
                    self.unknown[layer] = f"{name} looks at neighbouring channels"
        axes = (
            self._moved(function, args, kwargs, made) if name in MOVES
            else [self._kept(tensor, known) for tensor in made]
        )  # fmt: skip
        distinct = {origin.layers for _, origin in known}
        lost = any(origin.axis is None and origin.layers != {INPUT} for _, origin in known)
        together = len(distinct) > 1 and (name not in MOVES or any(a is not None for a in axes))
        if together and (lost or INPUT in layers):
            self._cannot_tell(layers, INPUT in layers)
        if together and not lost:
            self._meet(layers)
        for tensor, axis in zip(made, axes, strict=True):
            self.origins[tensor] = Origin(layers, None if lost else axis)

    def part(self, given: Any, made: Any) -> None:
        """A part without layers ran, in which a tensor may have left torch: a neuron, say. What
        it makes has the channels it was given if the shape says so."""
        for tensor in tensors_in(made):
            for before in tensors_in(given):
                origin = self.origins.get(before)
                if origin is None or tensor in self.origins:
                    continue
                same = origin.axis is not None and self._fits(tensor, before, origin.axis)
                self.origins[tensor] = Origin(origin.layers, origin.axis if same else None)

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Layers that meet, each in one group only, those that cannot be told left out."""
        groups: list[set[str]] = []
        for met in self.met:
            joined = set(met).union(*(g for g in groups if g & met))
            groups = [g for g in groups if not g & met] + [joined]
        return tuple(tuple(sorted(group)) for group in groups)

    def _meet(self, layers: frozenset[str]) -> None:
        layers -= {INPUT}
        if len(layers) > 1 and layers not in self.met:
            self.met.append(layers)

    def _cannot_tell(self, layers: frozenset[str], fixed: bool) -> None:
        for layer in layers - {INPUT}:
            self.unknown[layer] = (
                f"its filters meet {INPUT}, whose order is given"
                if fixed
                else "its filters meet others of which it cannot be told whose they are"
            )

    def _set(self, target: Any, value: Any) -> None:
        origin = self.origins.get(value) if _is_tensor(value) else None
        if origin is not None:
            known = self.origins.get(target)
            layers = origin.layers | (known.layers if known else frozenset())
            fits = origin.axis is not None and self._fits(target, value, origin.axis)
            self.origins[target] = Origin(layers, origin.axis if fits else None)

    def _kept(self, made: "Tensor", known: list[tuple[Any, Origin]]) -> int | None:
        axes = {origin.axis for _, origin in known} - {None}
        if len(axes) != 1:
            return None
        (axis,) = axes
        fits = all(self._fits(made, x, axis) for x, origin in known if origin.axis is not None)
        return axis if fits else None

    def _fits(self, made: "Tensor", given: "Tensor", axis: int | None) -> bool:
        assert axis is not None
        return made.ndim >= -axis and made.shape[axis] == given.shape[axis]

    def _moved(self, function: Any, args: Any, kwargs: Any, made: list[Any]) -> list[int | None]:
        """Where the function puts the channels, tried on a tensor of their numbers."""
        import torch

        def numbered(value: Any) -> Any:
            if isinstance(value, list | tuple) and any(map(_is_tensor, value)):
                return type(value)(map(numbered, value))  # a list of tensors
            origin = self.origins.get(value) if _is_tensor(value) else None
            if origin is None or origin.axis is None:
                return value
            shape = [1] * value.ndim
            shape[origin.axis] = -1
            numbers = torch.arange(value.shape[origin.axis], dtype=torch.float32)
            return numbers.reshape(shape).expand(value.shape).clone().to(value.device)

        try:
            result = function(*map(numbered, args), **{k: numbered(v) for k, v in kwargs.items()})
        except Exception:  # whatever: it then cannot be told
            return [None] * len(made)
        found = [x for x in tensors_in(result) if x.ndim]
        return [_numbered_axis(x) for x in found] if len(found) == len(made) else [None] * len(made)


def _numbered_axis(tensor: "Tensor") -> int | None:
    """The axis along which a tensor counts from 0, alike everywhere else; negative."""
    import torch

    for axis in range(-tensor.ndim, 0):
        numbers = torch.arange(tensor.shape[axis], dtype=tensor.dtype, device=tensor.device)
        shape = [1] * tensor.ndim
        shape[axis] = -1
        if len(numbers) > 1 and bool((tensor == numbers.reshape(shape)).all()):
            return axis
    return None


def _is_tensor(value: Any) -> bool:
    from torch import Tensor

    return isinstance(value, Tensor)


def tensors_in(value: Any) -> Iterator["Tensor"]:
    """The tensors in an argument, or in lists and dictionaries of them."""
    if _is_tensor(value):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(item)
