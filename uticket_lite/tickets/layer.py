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


@dataclass(frozen=True, eq=False)
class Layer:
    """The sparse mask of one layer, one bit per weight.

    shape: (K filters, C input channels, *kernel); a linear layer is (outputs, inputs).
    bits: uint64 (K, words), bit i of a filter's row is its weight i (see `kernels.bits`).
    positions: output positions H·W at which every weight is used.
    spike_sparsity: fraction of the layer's input spikes that are 0; None if not known.
    magnitudes: |w| of every weight, pruned ones too, float32 (K, C·kh·kw), for strategies that
    choose by it; None if not known.
    input_positions: H·W of the input, if a stride makes it differ from `positions`.
    """

    shape: tuple[int, ...]
    bits: np.ndarray
    positions: int = 1
    spike_sparsity: float | None = None
    magnitudes: np.ndarray | None = None
    input_positions: int | None = None

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

    @classmethod
    def from_counts(
        cls,
        shape: tuple[int, ...],
        counts: np.ndarray,
        make_bits: Callable[[], np.ndarray] | None = None,
        **known: Any,
    ) -> "Layer":
        """A layer of which the non-zeros of each filter, (K,), are known, and whose bits
        `make_bits` makes when something asks for them, or nobody; `known` goes to `Layer`."""
        layer = _Deferred(shape, no_bits(0, 0), **known)
        del vars(layer)["bits"]
        vars(layer).update(counts=counts, make_bits=make_bits)
        return layer

    @property
    def counts_only(self) -> bool:
        """Whether it is not known which weights survived, only how many of each filter."""
        return False

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


class _Deferred(Layer):
    """See `Layer.from_counts`."""

    make_bits: Callable[[], np.ndarray] | None

    @property
    def counts_only(self) -> bool:
        """See `Layer`."""
        return self.make_bits is None

    @cached_property
    def bits(self) -> np.ndarray:
        """See `Layer`."""
        if self.make_bits is None:
            raise ValueError(
                "only how many weights of each filter survived is recorded of this round, not "
                "which ones: mapping 'input-channel' and strategies that change masks need a "
                "later round"
            )
        return self.make_bits()


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
