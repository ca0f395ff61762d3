"""Data sets as tensors: images (N, C, H, W) float32 and labels (N,) int64."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from uticket_lite.errors import one_of


@dataclass(frozen=True)
class Dataset:
    """Images and labels for training and for testing."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def digits() -> Dataset:
    """scikit-learn's 1,797 handwritten digits, 8×8: 1,437 to train, 360 to test, stratified.

    The split is the same whatever the training seed; pixels are scaled to mean 0, deviation 1.
    """
    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(bunch.target, dtype=torch.int64)
    train, test = train_test_split(
        torch.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels
    )
    images = (images - images[train].mean()) / images[train].std()
    return Dataset(images[train], labels[train], images[test], labels[test])


DATASETS: dict[str, Callable[[], Dataset]] = {"digits": digits}
"""Data set name to its loader."""


def load_dataset(name: str) -> Dataset:
    """A data set by name; ValueError for unknown names."""
    return DATASETS[one_of("dataset", name, DATASETS)]()
