"""Which of a module's parameters a weight is, and what became of all the others."""

from collections.abc import Container
from types import MethodType
from typing import TYPE_CHECKING, Any

from uticket_lite.tickets.calls import Call
from uticket_lite.tickets.conventions import (
    find_masks,
    is_bias,
    layer_of,
    left_masks,
    length_of,
    mask_names,
    plain,
)
from uticket_lite.tickets.ties import tensors_in

if TYPE_CHECKING:
    from torch import Tensor, nn

NOT_RUN = "did not run with this sample"


class Parameters:
    """The tensors of a module by name, those that compiling renames under their own names."""

    def __init__(self, module: "nn.Module") -> None:
        from torch.nn.parameter import is_lazy
        from torch.utils.weak import WeakIdKeyDictionary

        self.parts = {plain(name): part for name, part in module.named_modules()}
        self.model = type(self.parts[""]).__name__
        own = {plain(k): v for k, v in module.named_parameters(remove_duplicate=False)}
        self.lazy = [name for name, tensor in own.items() if is_lazy(tensor)]
        self.own = {name: tensor for name, tensor in own.items() if not is_lazy(tensor)}
        buffers = {plain(k): v for k, v in module.named_buffers(remove_duplicate=False)}
        self.tensors = {**_attributes(self.parts), **buffers, **self.own}
        self.shapes = {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}
        masks = mask_names(self.shapes)
        self.weights = {
            name: tensor
            for name, tensor in {**buffers, **self.own}.items()
            if tensor.ndim > 1 and name not in masks
        }
        self.made_of: Any = WeakIdKeyDictionary()
        self.by_memory: dict[tuple[int, int], list[str]] = {}
        for name, tensor in self.weights.items():
            self.by_memory.setdefault(_memory(tensor), []).append(name)

    def follow(self, given: Any, made: Any) -> None:
        """What a function makes of a weight, as large as it, is that weight: masked or scaled."""
        known = {x: self.made_of.get(x, _memory(x)) for x in tensors_in(given)}
        weights = [(x, key) for x, key in known.items() if key in self.by_memory]
        weights.sort(key=lambda found: layer_of(self.by_memory[found[1]][0]) is None)
        for x, key in weights:
            for tensor in tensors_in(made):
                if tensor.numel() == x.numel():
                    self.made_of.setdefault(tensor, key)

    def of(self, call: Call, used: Container[str | None]) -> tuple[str, str | None]:
        """The name of the layer that made a call and of its parameter, if one can be told.

        It is the tensor the call computes with, or one that this was made of, or that equals it
        but for zeros (of several, one that is not used yet); else the weight of the part that
        calls. Of tied parameters, the first.
        """
        owner = plain(call.owner)
        if same := self.by_memory.get(self.made_of.get(call.weight, _memory(call.weight))):
            name = next((name for name in same if self._is_of(name, owner)), same[0])
            return layer_of(name) or name, same[0]
        likely = [name for name in self.weights if self._covers(name, call.weight)]
        likely.sort(key=lambda name: (not self._is_of(name, owner), name in used))
        if not likely or not self._is_of(likely[0], owner):  # norms and the like: other numbers
            likely = [
                name
                for name, tensor in self.weights.items()
                if layer_of(name) == (owner or "weight") and tensor.numel() == call.weight.numel()
            ] or likely
        if not likely:
            return owner or "weight", None
        return layer_of(likely[0]) or likely[0], likely[0]

    def _is_of(self, name: str, owner: str) -> bool:
        rest = name.removeprefix(f"{owner}." if owner else "")
        return (not owner or rest != name) and (
            "." not in rest or rest.startswith("parametrizations.")
        )

    def _covers(self, name: str, weight: "Tensor") -> bool:
        mine = self.weights[name]
        if mine.numel() != weight.numel() or mine.is_sparse or mine.is_quantized:
            return False
        try:
            same = mine.reshape(weight.shape).to(weight) == weight
            return bool((same | (weight == 0)).all())
        except (RuntimeError, NotImplementedError):  # numbers that cannot be compared
            return False

    def left_out(
        self, layers: Container[str], used: set[str | None], ran: Container[str]
    ) -> dict[str, str]:
        """Every other parameter with 2 or more dimensions, name to a reason."""
        passed: dict[str, str] = {}
        seen = {_memory(self.weights[name]) for name in used if name is not None}
        known = {length_of(name) for name in used if name is not None}
        for name in (*self.own, *self.lazy):
            if name not in self.lazy:
                tensor = self.own[name]
                if name not in self.weights or name in known or _memory(tensor) in seen:
                    continue
            layer = layer_of(name) or name
            if layer not in layers and not is_bias(name, self.shapes):
                passed[layer] = self._reason(name, ran)
        for name, part in self.parts.items():
            if isinstance(getattr(part, "weight", None), MethodType):
                passed[name or "weight"] = "its weights are packed; give the network before that"
        return passed

    def _reason(self, name: str, ran: Container[str]) -> str:
        from torch import nn

        owner = name.partition(".parametrizations")[0] if ".param" in name else (
            name.rpartition(".")[0]
        )  # fmt: skip
        part = self.parts.get(owner)
        kinds: tuple[tuple[Any, str], ...] = (
            (nn.modules.conv._ConvTransposeNd, "is a transposed convolution"),
            ((nn.Embedding, nn.EmbeddingBag), "is an embedding"),
            (nn.MultiheadAttention, "is a projection of attention"),
            ((nn.RNNBase, nn.RNNCellBase), "is a recurrent layer"),
            ((nn.LayerNorm, nn.RMSNorm), "is a norm"),
            (nn.Bilinear, "is a bilinear layer"),
        )
        for kind, reason in kinds:
            if isinstance(part, kind):
                return reason
        parent = self.parts.get(owner.rpartition(".")[0])
        if isinstance(parent, nn.MultiheadAttention):
            return "is a projection of attention"
        if owner not in ran:
            return NOT_RUN
        return "was not the weight of a convolution or linear function with this sample"

    def masks(
        self, shapes: dict[str, tuple[int, ...]]
    ) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        """Masks of the named layers, by name, and a reason for each that is none of theirs."""
        found, _ = find_masks(shapes, self.shapes)
        return (
            {layer: {name: self.tensors[name] for name in names} for layer, names in found.items()},
            left_masks(self.shapes, {name for names in found.values() for name in names}),
        )


def _memory(tensor: "Tensor") -> tuple[int, int]:
    try:
        return tensor.data_ptr(), tensor.numel()
    except RuntimeError:  # sparse tensors have no one place
        return id(tensor), -1


def _attributes(parts: dict[str, Any]) -> dict[str, Any]:
    """Masks that are plain attributes of modules, alone or in lists and dictionaries."""
    from torch import Tensor

    found: dict[str, Any] = {}
    for name, part in parts.items():
        for attribute, value in vars(part).items():
            if "mask" in attribute.lower():
                items = (
                    value.items() if isinstance(value, dict)
                    else enumerate(value) if isinstance(value, list | tuple)
                    else [("", value)]
                )  # fmt: skip
                for key, item in items:
                    if isinstance(item, Tensor):
                        path = ".".join(str(x) for x in (name, attribute, key) if str(x))
                        found[path] = item
    return found
