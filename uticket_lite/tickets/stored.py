"""Magnitudes that stay in their file until something asks for them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from uticket_lite.edge.tensors import Stored, blocks, whole


@dataclass(frozen=True, eq=False)
class StoredMagnitudes(NDArrayOperatorsMixin):
    """|w| of a tensor as an array, float32 (K, C·kh·kw), read from where it is with every use.

    length: under weight norm, the filters' lengths; `weight` is their direction then.
    """

    weight: Stored
    length: Stored | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Filters and weights of one filter."""
        return self.weight.shape[0], math.prod(self.weight.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        found = np.empty(self.shape, np.float32)
        for block in blocks(*self.shape):
            with np.errstate(over="ignore"):
                found[block] = np.abs(self.weight.block(*block))
        np.nan_to_num(found, copy=False)
        if self.length is not None:
            found = _scaled(found.reshape(self.weight.shape), whole(self.length))
        return found.reshape(self.shape).astype(dtype or np.float32, copy=False)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        arrays = [np.asarray(x) if isinstance(x, StoredMagnitudes) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what copying and pickling ask for
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def __getitem__(self, key: Any) -> np.ndarray:
        return np.asarray(self)[key]


def _scaled(v: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Directions v (K, C, …) with lengths g, which has size 1 where a length is taken over."""
    g = np.abs(g).reshape(*g.shape, *[1] * (v.ndim - g.ndim))
    axes = tuple(axis for axis, size in enumerate(g.shape) if size == 1)
    norm = np.sqrt(np.square(v, dtype=np.float64).sum(axis=axes, keepdims=True))
    return (v * (g / np.where(norm, norm, 1))).astype(np.float32)
