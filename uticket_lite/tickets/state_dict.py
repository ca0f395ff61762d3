"""Layers from a network's weights alone: a state dict, of any size, read a piece at a time."""

import math
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from uticket_lite.edge.tensors import (
    INDEX,
    Stored,
    blocks,
    metadata_of,
    open_tensors,
    readable,
    whole,
)
from uticket_lite.kernels.bits import WORD
from uticket_lite.tickets.conventions import (
    MADE,
    SAYS_PRUNED,
    check_made,
    convolutions,
    find_layers,
    find_masks,
    find_unnamed,
    left_masks,
    length_of,
    plain,
    says_pruned,
)
from uticket_lite.tickets.copies import find_copies
from uticket_lite.tickets.file import FORMAT
from uticket_lite.tickets.layer import Layer, no_bits, pack, spread
from uticket_lite.tickets.stored import StoredMagnitudes

SAVING = "a state dict is a file written by safetensors.torch.save_file"


def read_state_dict(
    path: str | os.PathLike[str],
    counted: Iterable[str] | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> dict[str, Any] | None:
    """What `Ticket` needs of a safetensors file of weights; None if the file is a ticket.

    path: the file, or the `.safetensors.index.json` of one that is sharded. Weights and masks
    are known by their names and shapes, as `conventions` says; where there is no mask, what is
    0 is pruned. Such a file does not say in which order layers run: they are sorted by name,
    layer 2 before layer 10. Nor at how many output positions.

    The file is read a piece at a time and takes a bit of memory for each weight; magnitudes are
    read when something asks for them.

    counted: layers to simulate; default all with 3 or more dimensions (convolutions) but the
    first, all layers if that leaves none. progress: called with the
    weights read so far and all there are.

    Raises FileNotFoundError, or ValueError for a truncated or foreign file, one without weights
    of layers, unknown names, NaN or infinite weights.
    """
    sharded = str(path).endswith(INDEX)
    if not sharded and FORMAT in metadata_of(path, "ticket or state dict", SAVING):
        return None
    tensors = open_tensors(path, "ticket or state dict", SAVING)
    try:
        return from_tensors(tensors, Path(path).name, counted, progress)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as a state dict: {error}") from error


def from_tensors(
    tensors: Mapping[str, Stored],
    source: str,
    counted: Iterable[str] | None = None,
    progress: Callable[[int, int], Any] | None = None,
    beside: str | None = None,
) -> dict[str, Any]:
    """The same of tensors by name; source: what to call where they come from.

    beside: what names of masks begin with that were kept apart; ValueError if there are such,
    none is that of a layer, and nothing is pruned.
    """
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    keys, left_out = find_layers(shapes)
    layer_shapes = {name: shapes[key] for name, key in keys.items()}
    if copies := find_copies(layer_shapes):
        masks, _ = find_masks(layer_shapes, shapes)
        theirs = {key for name in copies for key in masks.get(name, ())}
        theirs |= {key for key in shapes if key.rpartition(".")[0] in copies}
        shapes = {key: shape for key, shape in shapes.items() if key not in theirs}
        for name in copies:
            del keys[name], layer_shapes[name]
        left_out |= copies
    if not keys:
        has = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
        raise ValueError(
            "it has no tensor called NAME.weight with 2 or more dimensions that is the weight of "
            f"a layer, but {has or 'no tensor at all'}"
        )
    masks, unclear = find_masks(layer_shapes, shapes)
    if unclear:
        raise ValueError(
            f"the masks {', '.join(unclear)} do not say which layers they belong to, and neither "
            "do their shapes; give weights and masks by name to Ticket.from_arrays"
        )
    check_made(keys, masks, shapes)
    unnamed = find_unnamed(keys, shapes)
    used = {key for names in masks.values() for key in names}
    left_out |= left_masks(shapes, used)
    layers = {}
    total = sum(math.prod(shape) for shape in layer_shapes.values())
    done = 0

    def read(weights: int) -> None:
        nonlocal done
        done += weights
        if progress:
            progress(done, total)

    for name, key in keys.items():
        for other in (key, *masks.get(name, ())):
            readable(other, tensors[other])
        length = length_of(key)
        layers[name], useless = _layer(
            name,
            key,
            tensors[key],
            {mask: tensors[mask] for mask in masks.get(name, ())},
            tensors.get(length) if length else None,
            read,
        )
        left_out |= useless
        for other in unnamed[name]:
            told = nullcontext() if says_pruned(other, name) else suppress(ValueError)
            with told:  # no numbers, or the opposite of a mask
                readable(other, tensors[other])
                kept, _ = _masked(name, layers[name].bits, tensors[key], other, tensors[other])
                if kept is not layers[name].bits and kept.any():
                    layers[name] = replace(layers[name], mask=kept & layers[name].bits)
                    left_out.pop(plain(other), None)
    apart = [key for key in shapes if beside and key.startswith(f"{beside}.")]
    dense = all(layer.nonzeros > 0.99 * layer.size for layer in layers.values())
    if apart and used.isdisjoint(apart) and dense:
        raise ValueError(
            f"nothing is pruned, and none of its masks ({', '.join(apart[:8])}) has the name and "
            "the shape of a layer's weight; save each beside its weight, as NAME.mask"
        )
    _check_masks_keep(layers, [name for name in masks if not MADE.search(keys[name])])
    return {
        "arrays": layers,
        "counted": tuple(counted or ()) or convolutions(layer_shapes)[1:],
        "provenance": {"state_dict": source, "left_out": left_out},
    }


def _check_masks_keep(layers: Mapping[str, Layer], masked: list[str]) -> None:
    """ValueError if masks leave nothing of a network, of whose weights something is left."""
    empty = not any(layer.nonzeros for layer in layers.values())
    if empty and any(np.asarray(layers[name].magnitudes).any() for name in masked):
        raise ValueError(
            f"the masks of {', '.join(masked)} keep nothing of any layer; if they say what is "
            "pruned, give Ticket.from_arrays weights and their opposite as masks="
        )


def _layer(
    name: str,
    weight_key: str,
    weight: Stored,
    masks: Mapping[str, Stored],
    length: Stored | None,
    read: Callable[[int], None],
) -> tuple[Layer, dict[str, str]]:
    """A layer and, of masks that say nothing of it, why."""
    shape = weight.shape
    rows, columns = shape[0], math.prod(shape[1:])
    if not rows * columns:
        raise ValueError(f"layer {name!r}: shape {shape} has no weight")
    alive = no_bits(rows, columns)
    floating = False
    for block in blocks(rows, columns):
        numbers = weight.block(*block)
        floating = numbers.dtype.kind == "f"
        if floating and not np.isfinite(numbers).all():
            raise ValueError(
                f"layer {name!r}: contains NaN or infinity; a mask or weights must be finite"
            )
        _set(alive, block, numbers != 0)
        read(numbers.size)
    useless, kept = {}, None
    for key, mask in masks.items():
        said, why = _masked(name, alive, weight, key, mask)
        if why:
            if MADE.search(weight_key):
                raise ValueError(f"layer {name!r}: {plain(key)} is {why}")
            useless[plain(key)] = why
        elif said is not alive:
            kept = said if kept is None else kept & said
    alive = alive if kept is None else kept
    if length is not None:  # filters of length 0 are pruned, whatever their direction
        g = whole(length)
        if g.shape and g.shape[0] == rows:
            alive[g.reshape(rows, -1).max(axis=1) == 0] = 0
    if not floating:
        return Layer(shape, alive), useless
    return Layer(shape, alive, magnitudes=StoredMagnitudes(weight, length)), useless


def _masked(
    name: str, alive: np.ndarray, weight: Stored, key: str, mask: Stored
) -> tuple[np.ndarray, str | None]:
    """What a mask leaves of a weight's bits, and why if it says nothing of them.

    A mask that says what is pruned says no more than the zeros of its weight, where it has them;
    ValueError where it has none, or nothing would be left.
    """
    shape = weight.shape
    rows, columns = shape[0], math.prod(shape[1:])
    kept, value = no_bits(rows, columns), None
    small = spread(whole(mask), shape) if mask.shape != shape else None
    for block in blocks(rows, columns):
        if small is None:
            numbers = mask.block(*block)
        else:
            part = small[block[0]]
            numbers = part.reshape(len(part), -1)[:, block[1]]
        said = numbers[numbers != 0]
        if said.size:
            value = said.flat[0] if value is None else value
            if not (said == value).all():
                return alive, "a mask, but of other numbers than 0 and 1"
        _set(kept, block, numbers != 0)
    pruned = rows * columns - int(np.bitwise_count(kept).sum())
    opposite = says_pruned(key, name)
    if not pruned and not opposite:
        return alive, None  # it keeps everything: the zeros of the weights say more
    disjoint = not (kept & alive).any()
    if opposite and (disjoint or (alive & ~kept).any()):
        if disjoint:
            return alive, None
        raise ValueError(f"layer {name!r}: {plain(key)} {SAYS_PRUNED}")
    if disjoint and kept.any() and alive.any():
        if int(np.bitwise_count(alive).sum()) == pruned:  # the very zeros
            return alive, None
        raise ValueError(
            f"layer {name!r}: its mask keeps none of the weights that are not 0; if it says what "
            "is pruned, give Ticket.from_arrays its opposite"
        )
    return (kept if math.prod(mask.shape) == rows * columns else kept & alive), None


def _set(bits: np.ndarray, block: tuple[slice, slice], mask: np.ndarray) -> None:
    rows, columns = block
    packed = pack(np.ascontiguousarray(mask))
    bits[rows, columns.start // WORD : columns.start // WORD + packed.shape[1]] = packed
