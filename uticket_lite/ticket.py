"""Tickets: which weights of a network survived pruning, and where they come from."""

import json
import math
import os
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from uticket_lite.errors import fraction, one_of, whole_number
from uticket_lite.kernels import bits as bits_kernels

if TYPE_CHECKING:
    from torch import nn

FORMAT = "uticket-lite ticket 1"
"""The one key of a ticket file's metadata (several would be written in random order)."""


@dataclass(frozen=True, eq=False)
class Layer:
    """The sparse mask of one layer, one bit per weight.

    shape: (K filters, C input channels, *kernel); a linear layer is (outputs, inputs).
    bits: uint64 (K, words), bit i of a filter's row is its weight i (see `kernels.bits`).
    positions: output positions H·W at which every weight is used.
    spike_sparsity: fraction of the layer's input spikes that are 0; None if not known.
    magnitudes: |w| of every weight, pruned ones too, float32 (K, C·kh·kw), for strategies that
    choose by it; None if not known.
    """

    shape: tuple[int, ...]
    bits: np.ndarray
    positions: int = 1
    spike_sparsity: float | None = None
    magnitudes: np.ndarray | None = None

    @classmethod
    def from_array(
        cls, array: Any, positions: int = 1, spike_sparsity: float | None = None, name: str = ""
    ) -> "Layer":
        """A layer from a dense mask or weight array (K, C, …); what is not 0 is alive.

        Of floating-point weights the magnitudes are kept. `name` is for error messages.
        Raises TypeError for arrays that hold no numbers and ValueError for other shapes, NaN
        or infinity.
        """
        layer = f"layer {name!r}: " if name else ""
        dense = _as_numbers(array, layer)
        rows = np.ascontiguousarray(dense).reshape(dense.shape[0], -1)
        weights = dense.dtype.kind == "f"
        return cls(
            tuple(dense.shape),
            pack(rows if rows.dtype == bool else rows != 0),
            whole_number(f"{layer}positions", positions),
            None if spike_sparsity is None else fraction(f"{layer}spike_sparsity", spike_sparsity),
            np.abs(rows).astype(np.float32, copy=False) if weights else None,
        )

    @classmethod
    def from_indices(
        cls, shape: tuple[int, ...], counts: np.ndarray, indices: np.ndarray, **known: Any
    ) -> "Layer":
        """A layer from each filter's number of non-zeros, (K,), and their positions inside the
        filter, one filter after the other; `known` goes to `Layer`."""
        bits = _no_bits(shape[0], math.prod(shape[1:]))
        bits_kernels.set_bits(bits, counts, indices)
        return cls(shape, bits, **known)

    @property
    def filter_size(self) -> int:
        """Weights of one filter, C·kh·kw, pruned ones included."""
        return math.prod(self.shape[1:])

    @property
    def size(self) -> int:
        """Weights of the layer, pruned ones included."""
        return math.prod(self.shape)

    @cached_property
    def counts(self) -> np.ndarray:
        """Non-zeros of each filter, int64 (K,)."""
        return bits_kernels.filter_counts(self.bits)

    @cached_property
    def nonzeros(self) -> int:
        """Weights that survived pruning."""
        return int(self.counts.sum())

    @property
    def sparsity(self) -> float:
        """Fraction of pruned weights."""
        return 1 - self.nonzeros / self.size

    def indices(self) -> np.ndarray:
        """Positions of the non-zeros inside their filters, int32, ascending, filter by filter."""
        return bits_kernels.list_filters(self.bits, self.nonzeros)

    def to_dense(self) -> np.ndarray:
        """The mask as a boolean array of the layer's shape."""
        bits = np.unpackbits(self.bits.view(np.uint8), axis=1, bitorder="little")
        return bits[:, : self.filter_size].astype(bool).reshape(self.shape)


def _no_bits(filters: int, size: int) -> np.ndarray:
    return np.zeros((filters, -(-size // bits_kernels.WORD)), np.uint64)


def pack(mask: np.ndarray) -> np.ndarray:
    """Bits of a boolean mask (filters, size), C-contiguous."""
    filters, size = mask.shape
    bits = _no_bits(filters, size)
    if size % 8 == 0:
        bits_kernels.pack_bytes(mask.view(np.uint64), bits.view(np.uint8))
    else:
        bits_kernels.pack_rows(mask, bits)
    return bits


def _as_numbers(array: Any, layer: str) -> np.ndarray:
    """The array, if it can be a mask or weights; otherwise an error that begins with `layer`."""
    if hasattr(array, "detach"):  # a torch tensor, without importing torch
        array = array.detach().cpu()
    try:
        dense = np.asarray(array)
    except ValueError as error:
        raise ValueError(f"{layer}not a rectangular array of numbers: {error}") from None
    if dense.dtype.kind not in "biuf":
        raise TypeError(
            f"{layer}a mask or weights must be booleans or reals, not dtype {dense.dtype}"
        )
    if dense.ndim < 2 or dense.size == 0:
        raise ValueError(
            f"{layer}shape {dense.shape} is not (filters, channels, *kernel) with 2 or more "
            "dimensions and at least one weight"
        )
    if dense.dtype.kind == "f" and not np.isfinite(dense).all():
        raise ValueError(f"{layer}contains NaN or infinity; a mask or weights must be finite")
    return dense


@dataclass(frozen=True, eq=False)
class Ticket:
    """Sparse masks of a network's layers, with what is known of their origin.

    layers: name to `Layer`, in the order in which the network runs them.
    timesteps: T, how often each weight meets the input.
    counted: names of the layers that `simulate` counts unless told otherwise.
    provenance: where the ticket comes from (JSON-like: seed, round, accuracy, …).
    """

    layers: Mapping[str, Layer]
    timesteps: int = 1
    counted: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a ticket needs at least one layer; none was given")
        whole_number("timesteps", self.timesteps)
        counted = self.names(self.counted or None)
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))
        object.__setattr__(self, "counted", counted)

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, Any],
        *,
        positions: Mapping[str, int] | None = None,
        timesteps: int = 1,
        spike_sparsity: Mapping[str, float] | None = None,
        counted: Iterable[str] | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> "Ticket":
        """A ticket from dense masks or weights, name to array (K, C, …); 0 means pruned.

        positions: name to H_out·W_out; 1 for a layer not named (cycles of one position).
        timesteps: T, default 1. spike_sparsity: name to the fraction of zero input spikes.
        counted: names to simulate; default every layer given.

        Raises TypeError or ValueError, naming the layer, for anything that is no mask.
        """
        positions, spikes = dict(positions or {}), dict(spike_sparsity or {})
        for what, names in (
            ("positions for layer", positions),
            ("spike_sparsity for layer", spikes),
        ):
            for name in names:
                one_of(what, name, arrays)
        layers = {
            name: Layer.from_array(array, positions.get(name, 1), spikes.get(name), name)
            for name, array in arrays.items()
        }
        return cls(layers, timesteps, tuple(counted or ()), dict(provenance or {}))

    @classmethod
    def from_model(
        cls,
        module: "nn.Module",
        sample_input: Any,
        *,
        timesteps: int = 1,
        counted: Iterable[str] | None = None,
    ) -> "Ticket":
        """A ticket from a torch network, pruned or not, which runs `sample_input` once.

        timesteps: T. counted: names to simulate; default all convolutions but the first.
        `tracing.ticket_from_model` says the rest.
        """
        from uticket_lite.tracing import ticket_from_model

        return ticket_from_model(module, sample_input, timesteps=timesteps, counted=counted)

    @classmethod
    def from_safetensors(
        cls,
        path: str | os.PathLike[str],
        *,
        positions: Mapping[str, int] | None = None,
        timesteps: int = 1,
        counted: Iterable[str] | None = None,
    ) -> "Ticket":
        """A ticket from a network's weights, a state dict saved as safetensors.

        positions: name to H_out·W_out; 1 for a layer not named. timesteps: T. counted: names
        to simulate; default all convolutions but the first.
        `tracing.ticket_from_state_dict` says the rest.
        """
        from uticket_lite.tracing import ticket_from_state_dict

        return ticket_from_state_dict(
            path, positions=positions, timesteps=timesteps, counted=counted
        )

    def names(self, layers: Iterable[str] | None = None) -> tuple[str, ...]:
        """The layers' names, or `layers` if all of them exist (ValueError otherwise)."""
        if layers is None:
            return tuple(self.layers)
        return tuple(one_of("layer", name, self.layers) for name in layers)

    def with_layers(self, changed: Mapping[str, Layer], **provenance: Any) -> "Ticket":
        """A copy with some layers replaced and `provenance` added."""
        return replace(
            self,
            layers={**self.layers, **changed},
            provenance={**self.provenance, **provenance},
        )

    @property
    def sparsity(self) -> float:
        """Fraction of pruned weights over the counted layers."""
        layers = [self.layers[name] for name in self.counted]
        return 1 - sum(layer.nonzeros for layer in layers) / sum(layer.size for layer in layers)

    def filter_counts(self, names: tuple[str, ...]) -> np.ndarray:
        """Non-zeros of the filters of the named layers, one after the other, int64 (filters,)."""
        return self._once(
            "counts", names, lambda layers: np.concatenate([x.counts for x in layers])
        )

    def filter_starts(self, names: tuple[str, ...]) -> np.ndarray:
        """Where each named layer begins in `filter_counts`, int64 (layers + 1,)."""
        return self._once("starts", names, lambda xs: np.cumsum([0, *(x.shape[0] for x in xs)]))

    def sizes(self, names: tuple[str, ...]) -> np.ndarray:
        """Weights of each named layer, int64 (layers,)."""
        return self._once("sizes", names, lambda layers: np.array([x.size for x in layers]))

    def positions(self, names: tuple[str, ...]) -> np.ndarray:
        """Output positions of each named layer, int64 (layers,)."""
        return self._once("positions", names, lambda xs: np.array([x.positions for x in xs]))

    def _once(
        self, what: str, names: tuple[str, ...], make: Callable[[list[Layer]], np.ndarray]
    ) -> np.ndarray:
        """`make` of the named layers; kept, because moving a slider asks for it every time."""
        kept = self.__dict__.setdefault("_kept", {})
        if (what, names) not in kept:
            kept[what, names] = make([self.layers[name] for name in names])
        return kept[what, names]

    def masks(self) -> dict[str, np.ndarray]:
        """Dense boolean masks of all layers, name to array."""
        return {name: layer.to_dense() for name, layer in self.layers.items()}

    def __repr__(self) -> str:
        return (
            f"Ticket({len(self.layers)} layers, {len(self.counted)} counted, "
            f"{self.sparsity:.2%} sparse, T={self.timesteps})"
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ticket as a safetensors file, whole or not at all.

        Per layer: `counts` (int32) and `indices` (the smallest unsigned type that fits).
        Magnitudes are not written.
        """
        tensors, layers = {}, {}
        for name, layer in self.layers.items():
            small = np.uint16 if layer.filter_size <= 1 << 16 else np.uint32
            tensors[f"{name}/counts"] = layer.counts.astype(np.int32)
            tensors[f"{name}/indices"] = layer.indices().astype(small)
            layers[name] = {
                "shape": layer.shape,
                "positions": layer.positions,
                "spike_sparsity": layer.spike_sparsity,
            }
        header = {
            "layers": layers,
            "timesteps": self.timesteps,
            "counted": self.counted,
            "provenance": dict(self.provenance),
        }
        write_atomically(path, save(tensors, {FORMAT: json.dumps(header)}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Ticket":
        """Read a ticket that `save` wrote.

        Raises FileNotFoundError, or ValueError for a truncated, damaged or foreign file.
        """
        with open_safetensors(path, "ticket", "tickets are files written by Ticket.save") as file:
            metadata = file.metadata() or {}
            if FORMAT not in metadata:
                raise ValueError(f"it says nothing of {FORMAT!r}")
            header = json.loads(metadata[FORMAT])
            layers = {
                name: _read_layer(
                    tuple(about["shape"]),
                    file.get_tensor(f"{name}/counts"),
                    file.get_tensor(f"{name}/indices"),
                    about["positions"],
                    about["spike_sparsity"],
                )
                for name, about in header["layers"].items()
            }
            return cls(layers, header["timesteps"], tuple(header["counted"]), header["provenance"])


@contextmanager
def open_safetensors(path: str | os.PathLike[str], kind: str, hint: str) -> Iterator[Any]:
    """A safetensors file, open for reading; `kind` and `hint` are for error messages.

    Raises FileNotFoundError, or ValueError for whatever goes wrong while it is open.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no {kind} file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        struct.error,
    ) as error:
        raise ValueError(
            f"{path} cannot be read as a {kind}: {error}. It may be truncated or of another "
            f"kind; {hint}"
        ) from error


def _read_layer(
    shape: tuple[int, ...],
    counts: np.ndarray,
    indices: np.ndarray,
    positions: int,
    spike_sparsity: float | None,
) -> Layer:
    """A layer from a file's arrays, trusted only as far as they agree with each other."""
    size = math.prod(shape[1:])
    counts = counts.astype(np.int64)
    if counts.shape != shape[:1] or counts.min() < 0 or counts.sum() != indices.size:
        raise ValueError(f"counts of non-zeros disagree with shape {shape}")
    flat = np.repeat(np.arange(shape[0]) * size, counts) + indices
    if indices.size and (indices.max() >= size or (np.diff(flat) <= 0).any()):
        raise ValueError(f"positions of non-zeros do not ascend inside filters of {size} weights")
    whole_number("positions", positions)
    return Layer.from_indices(
        shape, counts, indices, positions=positions, spike_sparsity=spike_sparsity
    )


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that readers find the old or the new content, never a part of it."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
