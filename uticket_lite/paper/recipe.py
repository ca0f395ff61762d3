"""How our training differs from the released recipe, choice by choice."""

from collections.abc import Iterator

from uticket_lite.paper.recorded import about, networks
from uticket_lite.paper.section import Row, Section

CHOICES = (
    ("neuron", "neuron", "leaky", "input-decay: v ← .25 v + .75 x"),
    ("loss", "loss", "mean-score", "each-timestep: mean of the timesteps' cross-entropies"),
    ("batch norm", "norm", "folded", "stepwise: each timestep by itself"),
    ("Cutout", "cutout", 0, "16: a square of 16 × 16 pixels"),
    (
        "mask that the next round prunes",
        "carry",
        "balanced",
        "released: the one before balancing, by a threshold of the balanced weights",
    ),
    ("timesteps", "timesteps", 4, "4"),
    ("fewer timesteps until the last round", "early_kl", None, "where outputs hardly change: 2"),
)
"""What, the setting, what it is where a run does not say, and the released code's choice."""
RELEASED_INITS = {
    "vgg16": "kaiming: Kaiming normal, fan out; linear N(0, .01)",
    "resnet19": "torch in the group's earlier lottery-ticket code, which has Kaiming's lines "
    "commented out",
}
"""The initialization differs by network."""
FIXED = (
    ("accuracy", "after the last epoch", "the best epoch on the test images"),
    (
        "rewinding",
        "all parameters",
        "weights; the stored biases become the parameters, and train on",
    ),
    (
        "spike sparsity",
        "of layers' inputs, each layer counted alike",
        "of neurons' outputs, each neuron alike",
    ),
)
"""What, here, and in the released code; without a setting."""


def recipe() -> Iterator[Row]:
    """A row for each choice and recorded network: here, in the released code, the setting."""
    for network in networks():
        settings = about(network, "uticket")["settings"]
        given = settings.get("init", "torch")
        yield _row(network, "initialization", given, RELEASED_INITS[network], "init")
        for what, setting, otherwise, released in CHOICES:
            here = str(settings.get(setting, otherwise) or "no")
            yield _row(network, what, here, released, setting)
        for what, here, released in FIXED:
            yield _row(network, what, here, released, "")


def _row(network: str, what: str, here: str, released: str, setting: str) -> Row:
    return {
        "network": network,
        "what": what,
        "here": here,
        "released code": released,
        "setting": setting,
    }


SECTION = Section("recipe", "Where our training differs from the released recipe", 15, recipe)
