"""Data sets of labelled images, in memory.

`digits` comes with scikit-learn and works offline. The others are loaded through torchvision,
which downloads them once; that is the only time the package asks for the network. Your own
arrays: `DATASETS["name"] = lambda: Dataset.from_arrays(…)`, or the path of an .npz file.
"""

import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from uticket_lite.edge.checks import one_of

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
DAMAGED = (
    *(ValueError, OSError, EOFError, TypeError, KeyError, RuntimeError, MemoryError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What zipfile and NumPy raise, depending on where a file is damaged."""
CROP = 8
"""An image is padded by its side / CROP before a random crop of its own size: 4 pixels of 32, the
paper's."""


@dataclass(frozen=True)
class Dataset:
    """Images (N, C, H, W), as stored (uint8 or float32), and labels (N,) int64.

    mean, deviation: of the training images' channels, (C, 1, 1); `prepare` normalizes by them.
    crop, flip: whether training images are cropped at random and mirrored at random.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    mean: Tensor
    deviation: Tensor
    crop: bool = False
    flip: bool = False

    @classmethod
    def from_arrays(
        cls,
        train_images: Any,
        train_labels: Any,
        test_images: Any,
        test_labels: Any,
        *,
        crop: bool = False,
        flip: bool = False,
    ) -> "Dataset":
        """A data set from arrays: images (N, H, W) or (N, C, H, W), labels (N,) from 0.

        Raises ValueError for shapes or labels that do not fit each other.
        """
        train, test = _images("train_images", train_images), _images("test_images", test_images)
        if train.shape[1:] != test.shape[1:]:
            raise ValueError(
                f"train_images are {tuple(train.shape[1:])}, test_images {tuple(test.shape[1:])}; "
                "they must have the same channels, height and width"
            )
        labels = [
            _labels(f"{part}_labels", values, len(images))
            for part, values, images in (
                ("train", train_labels, train),
                ("test", test_labels, test),
            )
        ]
        pixels = train.float() if train.dtype != torch.uint8 else train[:20_000].float()
        mean = pixels.mean(dim=(0, 2, 3)).view(-1, 1, 1)
        deviation = pixels.std(dim=(0, 2, 3)).view(-1, 1, 1).clamp_min(1e-6)
        return cls(train, labels[0], test, labels[1], mean, deviation, crop, flip)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(max(self.train_labels.max(), self.test_labels.max())) + 1

    def prepare(
        self, images: Tensor, generator: torch.Generator | None = None, cutout: int = 0
    ) -> Tensor:
        """Normalized float32 images; with a generator, cropped and mirrored at random.

        cutout: side of a square, centred on a random pixel, that is blanked (Cutout); 0: none.
        """
        x = (images.float() - self.mean) / self.deviation
        if generator is not None and self.crop:
            x = _random_crop(x, generator)
        if generator is not None and self.flip:
            mirror = torch.rand(len(x), generator=generator) < 0.5
            x[mirror] = x[mirror].flip(-1)
        if generator is not None and cutout:
            x = torch.where(_hole(x, cutout, generator), -self.mean / self.deviation, x)
        return x


def _hole(x: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Which pixels of images (B, C, H, W) lie in a square of that side, bool (B, 1, H, W)."""
    down, right = torch.randint(0, x.shape[-1], (2, len(x), 1), generator=generator)
    along = torch.arange(x.shape[-1])
    rows, columns = (
        (along >= centre - size // 2) & (along < centre + size // 2) for centre in (down, right)
    )
    return (rows[:, :, None] & columns[:, None, :]).unsqueeze(1)


def _random_crop(x: Tensor, generator: torch.Generator) -> Tensor:
    side = x.shape[-1]
    pad = side // CROP
    padded = functional.pad(x, (pad,) * 4)
    down, right = torch.randint(0, 2 * pad + 1, (2, len(x), 1), generator=generator)
    rows = (down + torch.arange(x.shape[-2]))[:, None, :, None]
    columns = (right + torch.arange(side))[:, None, None, :]
    which = torch.arange(len(x))[:, None, None, None]
    return padded[which, torch.arange(x.shape[1])[None, :, None, None], rows, columns]


def _images(what: str, values: Any) -> Tensor:
    given = np.asarray(values)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{what} must be numbers, not {given.dtype}")
    images = torch.as_tensor(given)
    if images.dim() == 3:
        images = images.unsqueeze(1)
    if images.dim() != 4 or images.shape[2] != images.shape[3] or len(images) == 0:
        raise ValueError(f"{what} of shape {tuple(images.shape)} are not square (N, C, H, W)")
    if not torch.isfinite(images).all():
        raise ValueError(f"{what} have pixels that are not finite")
    return images if images.dtype == torch.uint8 else images.float()


def _labels(what: str, values: Any, n: int) -> Tensor:
    given = np.asarray(values)
    whole = given.dtype.kind in "biu" or (
        given.dtype.kind == "f" and (given == np.floor(given)).all() and np.isfinite(given).all()
    )
    if not whole or given.shape != (n,) or given.min() < 0:
        raise ValueError(
            f"{what} must be {n} whole numbers from 0, one for each image, not {given.dtype} "
            f"{given.shape}" + (f" such as {given.flat[0]}" if given.size else "")
        )
    return torch.as_tensor(given.astype(np.int64))


def digits() -> Dataset:
    """scikit-learn's 1,797 handwritten digits, 8×8: 1,437 to train, 360 to test, stratified.

    The split is the same whatever the training seed.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    train, test = train_test_split(
        np.arange(len(bunch.target)), test_size=0.2, random_state=0, stratify=bunch.target
    )
    images = bunch.images.astype(np.float32)
    return Dataset.from_arrays(images[train], bunch.target[train], images[test], bunch.target[test])


def from_torchvision(name: str, *, pad: int = 0, crop: bool = True, flip: bool = True) -> Dataset:
    """A data set of torchvision's, by the name of its class, downloaded once.

    It lies in the directory that `UTICKET_DATASETS` names, by default `datasets` in the working
    directory. pad: pixels around every image, for 28×28 images in networks made for 32×32.
    Raises ImportError with what to install, or ConnectionError where it cannot be downloaded.
    """
    try:
        from torchvision import datasets  # type: ignore[import-not-found]
    except ImportError as error:
        raise ImportError(
            f"{name} is loaded through torchvision, which is not installed; "
            'run: pip install "uticket-lite[datasets]"'
        ) from error
    root = Path(os.environ.get("UTICKET_DATASETS", "datasets"))
    arguments: list[dict[str, Any]] = [{"split": part} for part in ("train", "test")]
    if name != "SVHN":
        arguments = [{"train": True}, {"train": False}]
    try:
        parts = [getattr(datasets, name)(root, download=True, **more) for more in arguments]
    except (OSError, RuntimeError) as error:
        raise ConnectionError(
            f"{name} is not in {root.resolve()} and could not be downloaded ({error}); connect "
            "to the network once, or set UTICKET_DATASETS to a directory that has it"
        ) from error
    arrays: list[Any] = []
    for part in parts:
        images = torch.as_tensor(np.asarray(part.data))
        if images.dim() == 4 and images.shape[-1] == 3:
            images = images.permute(0, 3, 1, 2)
        labels = part.labels if name == "SVHN" else part.targets
        arrays += [functional.pad(images, (pad,) * 4), np.asarray(labels)]
    return Dataset.from_arrays(*arrays, crop=crop, flip=flip)


def from_npz(path: str | os.PathLike[str]) -> Dataset:
    """A data set from an .npz file with `train_images`, `train_labels`, `test_images` and
    `test_labels`; training images of 16×16 or more are cropped and mirrored at random.

    Raises FileNotFoundError, or ValueError for a file without these arrays.
    """
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            missing = [name for name in ARRAYS if name not in file]
            arrays = [] if missing else [file[name] for name in ARRAYS]
    except FileNotFoundError:
        raise FileNotFoundError(f"no data set at {path}") from None
    except DAMAGED as error:
        raise ValueError(f"{path} cannot be read as an .npz file of arrays: {error}") from error
    if missing:
        raise ValueError(f"{path} has no {', '.join(missing)}; it must have {', '.join(ARRAYS)}")
    natural = arrays[0].shape[-1] >= 16
    return Dataset.from_arrays(*arrays, crop=natural, flip=natural)


DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": digits,
    "fashion-mnist": partial(from_torchvision, "FashionMNIST", pad=2),
    "cifar10": partial(from_torchvision, "CIFAR10"),
    "cifar100": partial(from_torchvision, "CIFAR100"),
    "svhn": partial(from_torchvision, "SVHN", flip=False),  # a mirrored 2 is no 2
}
"""Data set name to its loader; add your own."""


def check_dataset(name: str) -> str:
    """`name` if it is a registered data set or the path of an .npz file; ValueError otherwise."""
    if not isinstance(name, str | os.PathLike):
        raise TypeError(f"dataset must be a name or the path of an .npz file, not {name!r:.50}")
    name = str(os.fspath(name))
    return name if Path(name).suffix == ".npz" else one_of("dataset", name, DATASETS)


def load_dataset(name: str) -> Dataset:
    """A data set by name, or from the path of an .npz file."""
    check_dataset(name)
    return from_npz(name) if Path(name).suffix == ".npz" else DATASETS[name]()
