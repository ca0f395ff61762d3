"""How networks name their weights and the masks beside them: names and shapes in, roles out.

For modules and files alike. What a tensor is called is convention, not law; this page holds all
that the package knows of it:

| weights of layer `conv1` | who |
|---|---|
| `conv1.weight` | everybody |
| `conv1.weight_orig` | `torch.nn.utils.prune`, `spectral_norm` |
| `conv1.parametrizations.weight.original` | `torch.nn.utils.parametrize`, torch.ao's sparsifiers |
| `conv1.weight_v`, `conv1.parametrizations.weight.original1` | weight norm: the direction |

| its mask, 1 for what is kept | who |
|---|---|
| `conv1.weight_mask`, `conv1.mask`, `conv1._mask`, `conv1.pruning_mask` | beside the weight |
| `conv1.parametrizations.weight.0.mask` | a parametrization |
| `conv1.weight.mask`, `masks.conv1`, `masks.conv1.weight`, `mask_conv1___weight` | elsewhere |
| `conv1.kept`, `conv1.m`: of the weight's shape, and only 0 and 1 | beside the weight, unnamed |

A mask called `conv1.drop_mask`, `conv1.pruned` or the like (`OPPOSITE`) says what is pruned: the
weights must be 0 there. A layer with several masks keeps what all of them keep. Parametrizations
whose mask is not in a state dict (torch.ao leaves it out) or that compute the weight otherwise are
refused.

A tensor with "mask" in its name belongs to the layer whose name is left of it without the words
that only say what kind of thing it is (`WORDS`), or else to the one whose name is a part of what
is left, or the only one that begins with it, if it has that layer's shape.
"""

import math
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import lru_cache

Shape = tuple[int, ...]

WEIGHTS = (
    r"weight_orig",
    r"parametrizations\.weight\.original",
    r"parametrizations\.weight\.original1",
    r"weight_v",
    r"weight",
)
WEIGHT = re.compile(rf"(?:^|\.)({'|'.join(WEIGHTS)})$")
LENGTH = {"weight_v": "weight_g", "original1": "original0"}
MADE = re.compile(r"(?:parametrizations\.weight\.original|weight_orig)$")
HARMLESS = re.compile(r"(?:weight_[uv]|\.\d+\._[uv])$")
"""Spectral norm's: a weight that is scaled keeps its zeros."""
MASK = re.compile(r"mask(?!ed)s?", re.IGNORECASE)
WORDS = {
    *("mask", "masks", "weight", "weights", "orig", "original", "buffer", "binary", "kernel"),
    *("prune", "pruned", "pruner", "pruning", "sparse", "sparsity", "param", "parameter", "module"),
}
OPPOSITE = {
    *("drop", "dropped", "remove", "removed", "pruned", "zero", "zeros", "zeroed", "dead"),
    *("discarded", "inactive", "unused", "inverse", "inverted", "inv"),
}
SAYS_PRUNED = (
    "says by its name what is pruned, but the weights there are not 0; save what is kept, as "
    "NAME.mask, or set the pruned weights to 0"
)
MOST = 16
"""Words at the beginning or end of a name that are compared: more than networks are deep."""
KINDS = {
    "an embedding": re.compile(r"\w*emb(ed|edding|eddings)?|wte|wpe"),
    "a norm": re.compile(r"(layer|group|batch|instance|rms)?_?norms?_?\d*|[lbg]n_?\d*"),
    "a transposed convolution": re.compile(r"(conv_?)?transposed?\d*|(de|up|t)_?conv\d*|up"),
}
RECURRENT = re.compile(r"weight_[ih][hr](_l\d+(_reverse)?)?$")


def plain(name: str) -> str:
    """A name without what `torch.compile` puts in it."""
    return re.sub(r"(^|\.)_orig_mod(?=\.|$)", "", name).lstrip(".")


def layer_of(key: str) -> str | None:
    """The layer whose weight is called `key` (`weight` for a bare layer), or None."""
    key = plain(key)
    found = WEIGHT.search(key)
    return (key[: found.start()] or "weight") if found else None


def length_of(key: str) -> str | None:
    """Under weight norm, the tensor of lengths beside the directions `key`; None for others."""
    return next((key[: -len(v)] + g for v, g in LENGTH.items() if key.endswith(v)), None)


def mask_names(shapes: Mapping[str, Shape]) -> set[str]:
    """The tensors that are masks by their names. `mask_head.weight` is none, `masks.head.weight`
    is one if there is a `head.weight` of that shape too."""
    named = [key for key in shapes if MASK.search(key)]
    weights = [key for key in shapes if layer_of(key) and not MASK.search(key)]
    ends = {(end, shapes[key]) for key in weights for end in _ends(_words(key))}
    wholes = {(_words(key), shapes[key]) for key in weights}
    return {
        key
        for key in named
        if layer_of(key) is None
        or (_words(key), shapes[key]) in ends
        or any((end, shapes[key]) in wholes for end in _ends(_words(key)))
    }


def says_pruned(mask: str, layer: str) -> bool:
    """Whether a mask's name, beside its layer's, says that it is 1 for what is pruned."""
    return not OPPOSITE.isdisjoint({*_split(mask)} - {*_split(layer)})


def is_plural(name: str) -> bool:
    """Whether a name says of masks no more than that they are some."""
    return MASK.search(name) is not None and not _words(name)


def is_bias(key: str, shapes: Mapping[str, Shape]) -> bool:
    """Whether a tensor is the bias beside a weight, of a norm say."""
    return key.endswith("bias") and f"{key.removesuffix('bias')}weight" in shapes


def find_layers(shapes: Mapping[str, Shape]) -> tuple[dict[str, str], dict[str, str]]:
    """The layers in a state dict, name to the tensor that is its weight, and what is left out,
    name to a reason: all with 2 or more dimensions that is neither weight nor mask of a layer."""
    by_kind = sorted(shapes, key=lambda key: _rank(key))
    lengths, masks = {length_of(key) for key in shapes}, mask_names(shapes)
    layers: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for key in by_kind:
        if len(shapes[key]) < 2 or key in masks or is_bias(key, shapes):
            continue
        if key not in lengths:
            layer, why = layer_of(key), _unlike_a_layer(key, shapes)
            if layer in layers and why is None:
                why = f"the layer has {layers[layer]}"
            if why is None and layer is not None:
                layers[layer] = key
            else:
                left_out[layer if layer and layer not in layers else plain(key)] = str(why)
    return {name: layers[name] for name in sorted(layers, key=numbers_by_value)}, left_out


def check_made(keys: Mapping[str, str], masks: Container[str], shapes: Iterable[str]) -> None:
    """ValueError where a state dict has what a weight is made of, but not how.

    keys: layer to the tensor that stands for its weight. masks: layers with masks.
    """
    for layer, key in keys.items():
        if not MADE.search(key) or layer in masks:
            continue
        beside = key.removesuffix("_orig").removesuffix(".original")
        using = [other for other in shapes if other.startswith(beside) and other != key]
        if not using or not all(HARMLESS.search(other) for other in using):
            has = f"only {', '.join(map(plain, using))}" if using else "nothing"
            raise ValueError(
                f"layer {layer!r}: its weight is made of {plain(key)} by a parametrization or "
                f"pruning, of which the file has {has}: no mask that is known. Make it permanent "
                "before saving (sparsifier.squash_mask(), prune.remove or "
                "parametrize.remove_parametrizations), save the mask beside it as "
                f"{layer}.mask, or take Ticket.from_model"
            )


def find_masks(
    layers: Mapping[str, Shape], shapes: Mapping[str, Shape]
) -> tuple[dict[str, list[str]], list[str]]:
    """Layers to the names of their masks, and masks in lists of which it cannot be told whose
    they are.

    layers: name to the shape of its weight. shapes: all tensors of the network. A mask has its
    weight's shape, flattened or not, or one that broadcasts to it, as a mask of filters does.
    """
    by_words: dict[tuple[str, ...], list[str]] = {}
    by_end: dict[tuple[str, ...], list[str]] = {}
    by_begin: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for layer in layers:
        words = _words(layer)
        by_words.setdefault(words, []).append(layer)
        for end in _ends(words):
            by_end.setdefault(end, []).append(layer)
        for n in range(1, min(len(words), MOST) + 1):
            by_begin.setdefault(words[:n], set()).add(words)
    found: dict[str, list[str]] = {}
    listed: dict[str, list[str]] = {}
    masks = mask_names(shapes)
    for key in (key for key in shapes if key in masks):
        words = _words(key)
        if "bias" in words:
            continue
        if len(words) == 1 and words[0].isdigit():
            listed.setdefault(key.removesuffix(words[0]), []).append(key)
        of = by_words.get(words) or (
            by_end.get(words, []) if words and not words[0].isdigit() else []
        )
        if not of:  # words of its own, or beside what wraps the layer
            within = [part for part in _parts(words) if part in by_words]
            around = list(by_begin.get(words, ()))
            best = max(within, key=len) if within else around[0] if len(around) == 1 else None
            of = [n for n in by_words.get(best or (), ()) if _same_size(shapes[key], layers[n])]
        if len(of) == 1 and fits(shapes[key], layers[of[0]]):
            found.setdefault(of[0], []).append(key)
        elif len(of) == 1 and key.endswith("weight_mask"):
            raise ValueError(
                f"layer {of[0]!r}: its mask has shape {shapes[key]}, its weight "
                f"{layers[of[0]]}; they must be the same"
            )
    unclear: list[str] = []
    for keys in listed.values():
        if not set(keys) <= {key for masks in found.values() for key in masks}:
            found = {layer: [k for k in masks if k not in keys] for layer, masks in found.items()}
            found = {layer: masks for layer, masks in found.items() if masks}
            mine = _by_shape(layers, keys, shapes)
            unclear += keys if mine is None else []
            for layer, key in (mine or {}).items():
                found.setdefault(layer, []).append(key)
    return found, unclear


def find_unnamed(keys: Mapping[str, str], shapes: Mapping[str, Shape]) -> dict[str, list[str]]:
    """Layers to the tensors beside their weights that are as large, and may be masks by what they
    hold; keys: layer to the tensor that is its weight."""
    found: dict[str, list[str]] = {}
    for key in shapes:
        if layer_of(key) is None and not MASK.search(key):
            found.setdefault(key.rpartition(".")[0], []).append(key)
    return {
        layer: [
            other
            for other in found.get(key.rpartition(".")[0], ())
            if shapes[other] == shapes[key] and ".parametrizations." not in f".{key}"
        ]
        for layer, key in keys.items()
    }


def left_masks(shapes: Mapping[str, Shape], used: set[str]) -> dict[str, str]:
    """Masks that belong to no layer, name to a reason."""
    left = mask_names(shapes) - used
    return {
        plain(key): "a mask, but no layer has its name and shape"
        for key in shapes
        if key in left and len(shapes[key]) > 1
    }


def numbers_by_value(name: str) -> list[str | int]:
    """A key to sort names by: `features.2` before `features.10`."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"([0-9]+)", name))]


def convolutions(shapes: Mapping[str, Shape]) -> tuple[str, ...]:
    """Layers with 3 or more dimensions."""
    return tuple(name for name, shape in shapes.items() if len(shape) > 2)


def _rank(key: str) -> int:
    found = WEIGHT.search(plain(key))
    names = [name.replace("\\", "") for name in WEIGHTS]
    return names.index(found[1]) if found else len(names)


def _unlike_a_layer(key: str, shapes: Mapping[str, Shape]) -> str | None:
    """Why a tensor is no weight of a layer with filters, or None. The kind of its layer is told
    by the bias beside it, else by its last name."""
    layer, shape = layer_of(key), shapes[key]
    if layer is None:
        recurrent = RECURRENT.search(key)
        return "a recurrent layer" if recurrent else "its name is not that of a layer's weight"
    length = length_of(key)
    if length and length in shapes and not _broadcasts(shapes[length], shape) and shapes[length]:
        return f"a parametrization of several tensors, {plain(length)} among them"
    bias = shapes.get(f"{key[: -len(WEIGHT.search(key)[1])]}bias")  # type: ignore[index]
    if bias == shape:
        return "a norm: its bias has the shape of its weight"
    if bias is not None and len(bias) == 1 and bias[0] != shape[0]:
        return f"a transposed convolution: {bias[0]} biases, not one for each of {shape[0]} filters"
    last = layer.rpartition(".")[2].lower()
    for kind, pattern in KINDS.items():
        fits = {"an embedding": len(shape) == 2, "a transposed convolution": len(shape) > 2}
        if pattern.fullmatch(last) and fits.get(kind, True):
            return f"{kind}, by its name"
    return None


@lru_cache(maxsize=2**16)
def _words(name: str) -> tuple[str, ...]:
    """What is left of a name: `masks.conv1` and `conv1.weight_mask` are both conv1."""
    name = MASK.sub("_", re.sub(r"(parametrizations)\.weight\.\d+", r"weight", plain(name)))
    return tuple(word for word in _split(name) if word not in WORDS)


def _split(name: str) -> list[str]:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[\W_]+", name.lower()) if word]


def _ends(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [words[-n:] for n in range(1, min(len(words), MOST) + 1)]


def _parts(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for begin in range(min(len(words), MOST)):
        for n in range(1, min(len(words) - begin, MOST) + 1):
            yield words[begin : begin + n]


def fits(mask: Shape, weight: Shape) -> bool:
    """Whether a tensor of that shape says something of each weight, or of each filter."""
    return _same_size(mask, weight) or _broadcasts(mask, weight)


def _same_size(mask: Shape, weight: Shape) -> bool:
    """Whether it has a number for each weight, in their order."""
    size = math.prod(weight)
    return mask in (weight, (size,), (weight[0], size // max(1, weight[0])))


def _broadcasts(mask: Shape, weight: Shape) -> bool:
    if mask == weight[:1]:
        return True
    return len(mask) == len(weight) and all(m in (1, w) for m, w in zip(mask, weight, strict=True))


def _by_shape(
    layers: Mapping[str, Shape], keys: list[str], shapes: Mapping[str, Shape]
) -> dict[str, str] | None:
    """Masks in a list, if the shape of each is that of one layer only; None if of several."""
    matching = {key: [n for n, shape in layers.items() if shapes[key] == shape] for key in keys}
    if not any(matching.values()):
        return {}
    if any(len(names) != 1 for names in matching.values()):
        return None
    return {names[0]: key for key, names in matching.items()}
