"""Named recipes: many settings at once, each of which may still be given by itself."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from uticket_lite.edge.checks import one_of
from uticket_lite.training.datasets import load_dataset
from uticket_lite.training.settings import Settings

REWIND_AT = 20 / 300
"""The share of the first round's epochs after which the released recipe's weights are rewound."""


@dataclass(frozen=True)
class Recipe:
    """What a recipe sets, and in which points our training stays unlike it.

    text: in a line. make: from the settings given to those that the recipe adds. otherwise: what
    is kept otherwise, and why.
    """

    text: str
    make: Callable[[dict[str, Any]], dict[str, Any]]
    otherwise: dict[str, str]

    def settings(self, **given: Any) -> Settings:
        """The recipe's settings, with those given in their place; ValueError as `Settings`."""
        for name in given:
            one_of("setting", name, [declared.name for declared in fields(Settings)])
        return Settings(**{**self.make(given), **given})


def _released(given: dict[str, Any]) -> dict[str, Any]:
    dataset, epochs = given.get("dataset", "cifar10"), given.get("epochs", 300)
    settings = dict(
        dataset=dataset,
        network="vgg16",
        init="kaiming",
        neuron="input-decay",
        loss="each-timestep",
        norm="stepwise",
        carry="released",
        timesteps=4,
        batch=128,
        learning_rate=0.1,
        epochs=epochs,
        rewind_epoch=round(REWIND_AT * (given.get("dense_epochs") or epochs)),
    )
    if "cutout" not in given:
        settings["cutout"] = load_dataset(dataset).shape[-1] // 2  # 16 of 32 pixels
    return settings


RECIPES = {
    "released": Recipe(
        "VGG-16 as the authors' released code trains it (Kaiming init, a neuron that decays its "
        "input, loss of each timestep, batch norm of each timestep, Cutout, its carry, rewinding "
        "at 20 of 300 epochs); --network for another network, --init torch for ResNet-19 as the "
        "group's earlier code for lottery tickets leaves it",
        _released,
        {
            "head": "the layers before the last have batch norm before their neurons, without "
            "which these hardly ever spike when freshly drawn",
            "timesteps": "T = 4 in every round, as the paper reports; the released early-time rule "
            "always picks 2, which early_kl or timesteps=2 give",
            "epochs": "as many as are given; the rewinding epoch keeps its share of the first "
            "round's",
            "schedule": "the learning rate falls as a cosine in every round, as the paper says",
            "accuracy": "of the last epoch; the best epoch on the test set, as released, would "
            "choose by what it measures",
            "spike sparsity": "of the layers' inputs, which decide the work; released is that of "
            "the neurons' outputs",
            "rewinding": "all weights go back; in the released code biases, aliased, stay trained",
        },
    ),
}
"""Recipe's name to what it sets."""
