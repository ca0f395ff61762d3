"""A few of scikit-learn's digits, for runs that take a second or two."""

import numpy as np

from uticket_lite.training.datasets import load_dataset


def few_digits(path, train, test):
    """Write the first images to train and to test, so many of each, into an .npz file."""
    data = load_dataset("digits")
    np.savez(
        path,
        train_images=data.train_images[:train],
        train_labels=data.train_labels[:train],
        test_images=data.test_images[:test],
        test_labels=data.test_labels[:test],
    )
    return str(path)
