"""One layer's mask: which of its weights survived pruning."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from uticket_lite.edge.arrays import to_array
from uticket_lite.edge.checks import fraction, whole_number
from uticket_lite.kernels import bits as bits_kernels
from uticket_lite.tickets.stored import StoredMagnitudes

LARGEST = 2**31 - 1
"""Of positions and timesteps: their product is an int64 then, however large they are."""


@dataclass(frozen=True, eq=False)
class Counts:
    """A mask of which the non-zeros of each filter are known, int64 (K,).

    make_bits: makes the bits, see `Layer`, when something asks for them; None if nobody can,
    because no more than counts is recorded.
    """

    counts: np.ndarray
    make_bits: Callable[[], np.ndarray] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Layer:
    """The sparse mask of one layer.

    shape: (K filters, C input channels, *kernel); a linear layer is (outputs, inputs).
    mask: its bits, uint64 (K, words), bit i of a filter's row is its weight i (see
    `kernels.bits`); or `Counts`, if only those are known, or until the bits are needed.
    positions: output positions H·W at which every weight is used.
    spike_sparsity: fraction of the layer's input spikes that are 0; None if not known.
    magnitudes: |w| of every weight, pruned ones too, float32 (K, C·kh·kw), for strategies that
    choose by it, or `StoredMagnitudes`, read from a file when used; None if not known.
    input_positions: H·W of the input, if a stride makes it differ from `positions`.

    Raises TypeError or ValueError for anything else.
    """

    shape: tuple[int, ...]
    mask: np.ndarray | Counts
    positions: int = 1
    spike_sparsity: float | None = None
    magnitudes: np.ndarray | StoredMagnitudes | None = None
    input_positions: int | None = None

    def __post_init__(self) -> None:
        shape = tuple(whole_number("a layer's shape: each side", side) for side in self.shape)
        if len(shape) < 2:
            raise ValueError(f"shape {shape} is not (filters, channels, *kernel)")
        known: dict[str, Any] = {
            "shape": shape,
            "positions": whole_number("positions", self.positions, maximum=LARGEST),
        }
        if self.spike_sparsity is not None:
            known["spike_sparsity"] = fraction("spike_sparsity", self.spike_sparsity)
        if self.input_positions is not None:
            inputs = whole_number("input_positions", self.input_positions, maximum=LARGEST)
            known["input_positions"] = None if inputs == known["positions"] else inputs
        vars(self).update(known)
        _check_mask(self.mask, shape[0], self.filter_size)
        if self.magnitudes is not None and self.magnitudes.shape != (shape[0], self.filter_size):
            raise ValueError(
                f"magnitudes of shape {self.magnitudes.shape} are not {shape[0]} filters of "
                f"{self.filter_size} weights"
            )

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
            _magnitudes(rows) if weights else None,
        )

    @classmethod
    def from_indices(
        cls, shape: tuple[int, ...], counts: np.ndarray, indices: np.ndarray, **known: Any
    ) -> "Layer":
        """A layer from each filter's number of non-zeros, (K,), and their positions inside the
        filter, one filter after the other; `known` goes to `Layer`."""
        bits = no_bits(shape[0], math.prod(shape[1:]))
        bits_kernels.set_bits(bits, counts, indices)
        return cls(shape, bits, **known)

    @property
    def counts_only(self) -> bool:
        """Whether it is not known which weights survived, only how many of each filter."""
        return isinstance(self.mask, Counts) and self.mask.make_bits is None

    @cached_property
    def bits(self) -> np.ndarray:
        """Which weights survived, uint64 (K, words); ValueError if that is not recorded."""
        if not isinstance(self.mask, Counts):
            return self.mask
        if self.mask.make_bits is None:
            raise ValueError(
                "only how many weights of each filter survived is recorded, not which ones: "
                "mapping 'input-channel', strategies that change masks and whatever else looks at "
                "single weights need a ticket that says so, as later rounds of a recorded run do"
            )
        return self.mask.make_bits()

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
        if isinstance(self.mask, Counts):
            return self.mask.counts
        return np.bitwise_count(self.mask).sum(axis=1, dtype=np.int64)

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

    def __repr__(self) -> str:
        known = ", only counts known" if self.counts_only else ""
        return f"Layer({self.shape}, {self.sparsity:.2%} sparse, positions={self.positions}{known})"


def _check_mask(mask: np.ndarray | Counts, filters: int, size: int) -> None:
    if isinstance(mask, Counts):
        counts = mask.counts
        if counts.dtype != np.int64 or counts.shape != (filters,):
            raise ValueError(f"counts are not an int64 for each of the {filters} filters")
        if counts.min() < 0 or counts.max() > size:
            raise ValueError(f"counts of non-zeros lie outside 0 to {size}, a filter's weights")
        return
    words = -(-size // bits_kernels.WORD)
    if (
        not isinstance(mask, np.ndarray)
        or mask.dtype != np.uint64
        or mask.shape != (filters, words)
    ):
        raise ValueError(
            f"a mask's bits must be uint64 ({filters}, {words}), 64 weights a word, or Counts; a "
            "dense mask goes to Layer.from_array"
        )
    if (rest := size % bits_kernels.WORD) and (mask[:, -1] >> np.uint64(rest)).any():
        raise ValueError(f"bits beyond a filter's {size} weights are set")


def _magnitudes(weights: np.ndarray) -> np.ndarray:
    """|w| as float32; what is larger than those become the largest, not infinite."""
    with np.errstate(over="ignore"):
        magnitudes = np.abs(weights).astype(np.float32, copy=False)
    return np.nan_to_num(magnitudes, copy=False)


def no_bits(filters: int, size: int) -> np.ndarray:
    """Bits of filters of that size, none of them set."""
    return np.zeros((filters, -(-size // bits_kernels.WORD)), np.uint64)


def pack(mask: np.ndarray) -> np.ndarray:
    """Bits of a boolean mask (filters, size), C-contiguous."""
    filters, size = mask.shape
    bits = no_bits(filters, size)
    if size % 8 == 0:
        bits_kernels.pack_bytes(mask.view(np.uint64), bits.view(np.uint8))
    else:
        bits_kernels.pack_rows(mask, bits)
    return bits


def spread(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask of filters, say, or a flattened one, as one of weights."""
    if mask.size == math.prod(shape):
        return mask.reshape(shape)
    return np.broadcast_to(mask.reshape(*mask.shape, *[1] * (len(shape) - mask.ndim)), shape)


def _as_numbers(array: Any, layer: str) -> np.ndarray:
    """The array, if it can be a mask or weights; otherwise an error that begins with `layer`."""
    dense = to_array(array, layer)
    if dense.ndim < 2 or dense.size == 0:
        raise ValueError(
            f"{layer}shape {dense.shape} is not (filters, channels, *kernel) with 2 or more "
            "dimensions and at least one weight"
        )
    if dense.dtype.kind == "f" and not np.isfinite(dense).all():
        raise ValueError(f"{layer}contains NaN or infinity; a mask or weights must be finite")
    return dense
