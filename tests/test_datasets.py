"""Data sets: normalized, augmented within bounds, and clear about what is missing."""

import sys
import types

import numpy as np
import pytest
import torch

from uticket_lite.training.datasets import (
    ARRAYS,
    CROP,
    DATASETS,
    Dataset,
    from_npz,
    load_dataset,
)


def small(**options):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 3, 16, 16)).astype(np.uint8)
    labels = np.arange(40) % 5
    return Dataset.from_arrays(images, labels, images[:10], labels[:10], **options)


def test_digits_are_split_by_class_and_normalized():
    data = load_dataset("digits")
    assert (len(data.train_images), len(data.test_images)) == (1437, 360)
    assert (data.shape, data.classes) == ((1, 8, 8), 10)
    prepared = data.prepare(data.train_images)
    assert prepared.mean().abs() < 1e-5
    assert prepared.std() == pytest.approx(1, abs=1e-4)
    counts = torch.bincount(data.test_labels)
    assert counts.min() >= 34


def test_crops_are_shifted_images_and_flips_are_mirrored():
    data = small(crop=True, flip=True)
    generator = torch.Generator().manual_seed(0)
    plain = data.prepare(data.train_images)
    seen = data.prepare(data.train_images, generator)
    pad = plain.shape[-1] // CROP
    padded = torch.nn.functional.pad(plain, (pad,) * 4)
    shifts = set()
    for image, source in zip(seen, padded, strict=True):
        matches = [
            (y, x, mirrored)
            for mirrored in (False, True)
            for y in range(2 * pad + 1)
            for x in range(2 * pad + 1)
            if torch.equal(image.flip(-1) if mirrored else image, source[:, y : y + 16, x : x + 16])
        ]
        assert len(matches) == 1
        shifts.add(matches[0])
    assert len(shifts) > 20
    assert len({mirrored for *_, mirrored in shifts}) == 2
    assert torch.equal(data.prepare(data.train_images), plain), "test images stay as they are"


def test_cutout_blanks_a_square_and_leaves_the_rest():
    data = small()
    plain = data.prepare(data.train_images)
    seen = data.prepare(data.train_images, torch.Generator().manual_seed(0), 6)
    black = -data.mean / data.deviation
    sizes = set()
    for image, source in zip(seen, plain, strict=True):
        hole = (image != source).any(0)
        assert torch.equal(image[:, hole], black[:, :, 0].expand(3, int(hole.sum())))
        rows, columns = hole.any(1), hole.any(0)
        assert 3 <= rows.sum() <= 6
        assert 3 <= columns.sum() <= 6
        sizes.add((int(rows.sum()), int(columns.sum())))
    assert (6, 6) in sizes
    assert len(sizes) > 3, "holes at the edge are cut off"


def test_the_same_generator_gives_the_same_augmentation():
    data = small(crop=True, flip=True)
    one, two = (data.prepare(data.train_images, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two)


def test_own_arrays_by_registration_and_by_file(tmp_path, monkeypatch):
    monkeypatch.setitem(DATASETS, "mine", small)
    assert load_dataset("mine").shape == (3, 16, 16)
    data = small()
    path = tmp_path / "mine.npz"
    np.savez(
        path,
        train_images=data.train_images,
        train_labels=data.train_labels,
        test_images=data.test_images,
        test_labels=data.test_labels,
    )
    again = load_dataset(str(path))
    assert torch.equal(again.train_images, data.train_images)
    np.savez(path, train_images=data.train_images)
    with pytest.raises(ValueError, match=r"mine\.npz has no train_labels, test_images"):
        load_dataset(str(path))
    with pytest.raises(FileNotFoundError, match=r"no data set at .*none\.npz"):
        load_dataset(str(tmp_path / "none.npz"))
    for content in (b"", b"PK", path.read_bytes()[:200], b"no archive"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"bad\.npz cannot be read as an \.npz file"):
            load_dataset(str(tmp_path / "bad.npz"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_images": np.zeros((4, 8))}, r"train_images of shape \(4, 8\)"),
        ({"train_images": np.zeros((4, 8, 9))}, "not square"),
        ({"test_images": np.zeros((2, 3, 8, 8))}, "same channels"),
        ({"train_labels": [0, 1]}, "train_labels must be 4 whole numbers"),
        ({"test_labels": [-1, 0]}, "test_labels must be 2 whole numbers from 0"),
        ({"test_labels": [0, 0.5]}, "test_labels must be 2 whole numbers from 0"),
        ({"test_labels": [0, np.nan]}, "test_labels must be 2 whole numbers from 0"),
        ({"test_labels": ["0", "1"]}, "test_labels must be 2 whole numbers from 0"),
        ({"train_images": np.full((4, 8, 8), np.inf)}, "train_images have pixels that are not fin"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes, words):
    good = {
        "train_images": np.zeros((4, 8, 8)),
        "train_labels": [0, 1, 0, 1],
        "test_images": np.zeros((2, 8, 8)),
        "test_labels": [0, 1],
    }
    with pytest.raises(ValueError, match=words):
        Dataset.from_arrays(**{**good, **changes})


def test_without_torchvision_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ImportError, match=r'pip install "uticket-lite\[datasets\]"'):
        load_dataset("cifar10")


def fake_torchvision(monkeypatch, fail=False):
    """Classes with torchvision's interfaces over made-up images."""
    rng = np.random.default_rng(0)

    class Parts:
        def __init__(self, root, download, train=None, split=None):
            if fail:
                raise RuntimeError("Error downloading")
            assert download
            n = 30 if train or split == "train" else 10
            self.labels = self.targets = [i % 10 for i in range(n)]
            self.data = self.images(n)

    class CIFAR10(Parts):
        def images(self, n):
            return rng.integers(0, 256, (n, 32, 32, 3)).astype(np.uint8)

    class FashionMNIST(Parts):
        def images(self, n):
            return torch.from_numpy(rng.integers(0, 256, (n, 28, 28)).astype(np.uint8))

    class SVHN(Parts):
        def images(self, n):
            return rng.integers(0, 256, (n, 3, 32, 32)).astype(np.uint8)

    datasets = types.ModuleType("torchvision.datasets")
    for kind in (CIFAR10, FashionMNIST, SVHN):
        setattr(datasets, kind.__name__, kind)
    datasets.CIFAR100 = CIFAR10
    torchvision = types.ModuleType("torchvision")
    torchvision.datasets = datasets
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "fashion-mnist", "svhn"])
def test_torchvisions_data_sets_become_32_by_32(monkeypatch, name):
    fake_torchvision(monkeypatch)
    data = load_dataset(name)
    assert data.shape == ((1 if name == "fashion-mnist" else 3), 32, 32)
    assert (len(data.train_images), len(data.test_images), data.classes) == (30, 10, 10)
    assert data.crop
    assert data.flip == (name != "svhn")


def test_without_network_it_says_so(monkeypatch):
    fake_torchvision(monkeypatch, fail=True)
    with pytest.raises(ConnectionError, match=r"could not be downloaded .*UTICKET_DATASETS"):
        load_dataset("cifar10")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_npz_files_are_value_errors_that_name_the_file(save, tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "images.npz"
    images, labels = rng.integers(0, 255, (20, 8, 8), np.uint8), rng.integers(0, 3, 20)
    save(path, **dict(zip(ARRAYS, (images, labels, images, labels), strict=True)))
    content = path.read_bytes()
    said = []
    for number in range(2000):
        bad = bytearray(content)
        place = int(rng.integers(len(bad)))
        match number % 4:
            case 0:
                del bad[place:]
            case 1:
                bad[place] ^= 1 << int(rng.integers(8))
            case 2:
                bad[place : place + 20] = rng.bytes(int(rng.integers(40)))
            case _:  # headers of entries and of the file
                place = content.rindex(b"PK\1\2") + int(rng.integers(30))
                bad[place] = int(rng.integers(256))
        path.write_bytes(bad)
        try:
            from_npz(path)
        except ValueError as error:
            said.append(str(error))
    assert len(said) > 1000
    assert all(str(path) in words for words in said)
