"""One road from anybody's tensor to a NumPy array: torch, SciPy, JAX, NumPy's own relatives."""

from typing import Any

import numpy as np


def to_array(value: Any, what: str = "") -> np.ndarray:
    """The values of `value` as an array of booleans, integers or floats NumPy computes with.

    Sparse and quantized tensors are written out; types that NumPy lacks (bfloat16, float8) become
    float32, which holds them exactly. Where an array brings a mask of its own (`numpy.ma`,
    `torch.masked`), what it masks out is 0. The result may share memory with `value`.

    what: "layer 'conv1': ", say, which errors begin with. Raises TypeError for what holds no
    real numbers, ValueError for a ragged list or a tensor that has no values (a lazy layer
    that never ran, one on the meta device).
    """
    try:
        if hasattr(value, "detach"):  # a torch tensor, without importing torch
            value = _torch_values(value)
        elif hasattr(value, "toarray"):  # a sparse matrix of SciPy
            value = value.toarray()
        elif isinstance(value, list | tuple) and any(hasattr(item, "detach") for item in value):
            value = [to_array(item) for item in value]
        elif isinstance(value, np.ma.MaskedArray):
            value = value.filled(0)
        array = np.asarray(value)
        if array.dtype.kind == "V" and array.dtype.isbuiltin == 2:  # bfloat16 and others of JAX
            array = array.astype(np.float32)
    except (ValueError, RuntimeError, NotImplementedError) as error:
        raise ValueError(
            f"{what}not a rectangular array of numbers: {_first_line(error)}; give an array, or "
            "a tensor that holds values"
        ) from None
    except TypeError as error:
        raise TypeError(f"{what}cannot be read as numbers: {_first_line(error)}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}numbers must be booleans or reals, not dtype {array.dtype}")
    return array


def to_integers(value: Any, what: str = "") -> np.ndarray:
    """The same as int64: integers, or floats that are whole; ValueError for others."""
    array = to_array(value, what)
    if array.dtype.kind == "b" or (
        array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.floor(array))).all()
    ):
        name = what.removesuffix(": ") or "values"
        raise ValueError(f"{name} must be whole numbers, not {array.dtype} {array.shape}")
    return array.astype(np.int64)


def _torch_values(tensor: Any) -> Any:
    """What `numpy.asarray` takes."""
    tensor = tensor.detach()
    if hasattr(tensor, "get_mask"):  # a masked tensor
        tensor = tensor.to_tensor(0)
    if getattr(tensor, "is_meta", False):
        raise ValueError("a tensor on the meta device has a shape but no values")
    if getattr(tensor, "is_quantized", False):
        tensor = tensor.dequantize()
    if "strided" not in str(tensor.layout):
        tensor = tensor.to_dense()
    tensor = tensor.cpu().resolve_conj().resolve_neg()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()
    return tensor.numpy()


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
