"""Tickets: which weights of a network survived pruning, and where they come from."""

import json
import math
import os
import struct
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from uticket_lite.errors import fraction, one_of, whole_number
from uticket_lite.kernels.counting import filter_nonzeros

FORMAT = "uticket-lite ticket 1"


@dataclass(frozen=True, eq=False)
class Layer:
    """The sparse mask of one layer: for each filter, the positions of its non-zero weights.

    shape: (K filters, C input channels, *kernel); a linear layer is (outputs, inputs).
    counts: int32 (K,), non-zeros of each filter.
    indices: int32 (non-zeros,), positions inside the filter (0 … C·kh·kw − 1), ascending,
    one filter after the other.
    positions: output positions H·W at which every weight is used.
    spike_sparsity: fraction of the layer's input spikes that are 0; None if not known.
    """

    shape: tuple[int, ...]
    counts: np.ndarray
    indices: np.ndarray
    positions: int = 1
    spike_sparsity: float | None = None

    @classmethod
    def from_array(
        cls, array: Any, positions: int = 1, spike_sparsity: float | None = None, name: str = ""
    ) -> "Layer":
        """A layer from a dense mask or weight array (K, C, …); what is not 0 is alive.

        `name` is for error messages. Raises TypeError for arrays that hold no numbers and
        ValueError for other shapes, NaN or infinity.
        """
        layer = f"layer {name!r}: " if name else ""
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
        mask = np.ascontiguousarray(dense != 0).reshape(dense.shape[0], -1)
        counts, indices = filter_nonzeros(mask)
        return cls(
            tuple(dense.shape),
            counts,
            indices,
            whole_number(f"{layer}positions", positions),
            None if spike_sparsity is None else fraction(f"{layer}spike_sparsity", spike_sparsity),
        )

    @property
    def filter_size(self) -> int:
        """Weights of one filter, C·kh·kw, pruned ones included."""
        return math.prod(self.shape[1:])

    @property
    def size(self) -> int:
        """Weights of the layer, pruned ones included."""
        return math.prod(self.shape)

    @property
    def nonzeros(self) -> int:
        """Weights that survived pruning."""
        return int(self.indices.size)

    @property
    def sparsity(self) -> float:
        """Fraction of pruned weights."""
        return 1 - self.nonzeros / self.size

    def flat_indices(self) -> np.ndarray:
        """Positions of the non-zeros in the flattened layer, int64, ascending."""
        filters = np.repeat(np.arange(self.shape[0], dtype=np.int64), self.counts)
        return filters * self.filter_size + self.indices

    def to_dense(self) -> np.ndarray:
        """The mask as a boolean array of the layer's shape."""
        mask = np.zeros(self.size, bool)
        mask[self.flat_indices()] = True
        return mask.reshape(self.shape)


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
        """
        tensors, layers = {}, {}
        for name, layer in self.layers.items():
            small = np.uint16 if layer.filter_size <= 1 << 16 else np.uint32
            tensors[f"{name}/counts"] = layer.counts
            tensors[f"{name}/indices"] = layer.indices.astype(small)
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
        write_atomically(path, save(tensors, {"format": FORMAT, "ticket": json.dumps(header)}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Ticket":
        """Read a ticket that `save` wrote.

        Raises FileNotFoundError, or ValueError for a truncated, damaged or foreign file.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"no ticket file at {path}")
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != FORMAT:
                    raise ValueError(f"its format is {metadata.get('format')!r}, not {FORMAT!r}")
                header = json.loads(metadata["ticket"])
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
        except (
            SafetensorError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            struct.error,
        ) as error:
            raise ValueError(
                f"{path} cannot be read as a ticket: {error}. It may be truncated or of another "
                "kind; tickets are files written by Ticket.save"
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
    counts, indices = counts.astype(np.int32), indices.astype(np.int32)
    if counts.shape != shape[:1] or counts.min() < 0 or counts.sum() != indices.size:
        raise ValueError(f"counts of non-zeros disagree with shape {shape}")
    flat = np.repeat(np.arange(shape[0], dtype=np.int64), counts) * size + indices
    if indices.size and (indices.min() < 0 or indices.max() >= size or (np.diff(flat) <= 0).any()):
        raise ValueError(
            f"positions of non-zeros are not ascending inside filters of {size} weights"
        )
    whole_number("positions", positions)
    return Layer(shape, counts, indices, positions, spike_sparsity)


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
