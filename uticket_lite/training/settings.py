"""What a training run depends on; each setting is declared in one line.

The line gives default, check and meaning. The command line's options, the docstring of
`Settings` and the errors are made from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, get_args, get_type_hints

from uticket_lite.edge.checks import fraction, one_of, positive, whole_number
from uticket_lite.hardware.accelerator import MAPPINGS, Accelerator
from uticket_lite.strategies import MASK_STRATEGIES
from uticket_lite.training.datasets import DATASETS, check_dataset
from uticket_lite.training.layers import INITS, NEURONS, NORMS
from uticket_lite.training.loop import ANNEALS, LOSSES, PRECISIONS
from uticket_lite.training.networks import NETWORKS
from uticket_lite.training.pruning import SCOPES

Check = Callable[[str, Any], Any]
"""From a setting's name and the value given to the value kept; raises ValueError or TypeError."""

LTH = "lth"
"""The method that balances nothing; the others are the names of `MASK_STRATEGIES`."""

CARRIES = {
    "balanced": "the balanced mask is pruned further (the paper's text)",
    "original": "the mask before balancing is pruned further; a copy is balanced and trained",
    "released": "as `original`, but the threshold is that of the balanced weights, and what "
    "balancing dropped is gone for good (the released code)",
}


def methods() -> dict[str, str]:
    """Method's name to what it does in each round; registered strategies too."""
    strategies = {name: strategy.label for name, strategy in MASK_STRATEGIES.items()}
    return {LTH: "prune only", **strategies}


def setting(default: Any, check: Check, text: str, names: Callable[[], Any] = tuple) -> Any:
    """A field of `Settings`. names: the names allowed, where they can be listed."""
    return field(default=default, metadata={"check": check, "help": text, "names": names})


def choice(default: str, registry: Callable[[], Mapping[str, Any]], text: str) -> Any:
    """A setting that is one of the names in a registry."""
    return setting(default, lambda what, value: one_of(what, value, registry()), text, registry)


def at_least(minimum: int) -> Check:
    """Whole numbers from `minimum`."""
    return lambda what, value: whole_number(what, value, minimum)


def share(what: str, value: Any) -> float:
    """A number in [0, 1)."""
    return fraction(what, value, below_one=True)


def optional(check: Check) -> Check:
    """None, or what `check` allows."""
    return lambda what, value: None if value is None else check(what, value)


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on; the same settings give the same tickets.

    On the same kind of processor with the same versions, that is, and the same number of threads
    (see `find_tickets`), which stand in a run's history. Defaults are the paper's, but for
    epochs, batch and learning_rate, chosen for the digits. Raises ValueError or TypeError for what
    is not allowed.
    """

    dataset: str = setting(
        "digits",
        lambda what, value: check_dataset(value),
        "images: a name in `DATASETS`, or the path of an .npz file of arrays",
        lambda: DATASETS,
    )
    network: str = choice("digits", lambda: NETWORKS, "spiking network")
    method: str = choice(
        LTH, methods, "`lth` only prunes; a strategy that changes masks balances every round too"
    )
    rounds: int = setting(15, at_least(1), "training rounds, the first one dense")
    prune: float = setting(0.25, share, "fraction of the alive weights pruned between rounds")
    scope: str = choice("global", lambda: SCOPES, "which weights are compared when pruning")
    init: str = choice("torch", lambda: INITS, "initialization of weights")
    neuron: str = choice("leaky", lambda: NEURONS, "`input-decay` is the released code's")
    loss: str = choice(
        "mean-score", lambda: LOSSES, "cross-entropy; `each-timestep` is the released code's"
    )
    cutout: int = setting(
        0, at_least(0), "side of the square blanked in training images; 0 for none"
    )
    carry: str = choice("balanced", lambda: CARRIES, "the mask that the next round prunes further")
    epochs: int = setting(16, at_least(1), "epochs in every round")
    dense_epochs: int | None = setting(
        None, optional(at_least(1)), "epochs in the first round, if it needs more"
    )
    rewind_epoch: int = setting(
        2, at_least(0), "weights are rewound to those after this epoch of the first round"
    )
    batch: int = setting(64, at_least(1), "images in a batch")
    learning_rate: float = setting(0.2, positive, "at the start of a round; it falls as a cosine")
    anneal: str = choice(
        "epoch", lambda: ANNEALS, "when the learning rate falls; `step` is for rounds of few epochs"
    )
    timesteps: int = setting(4, at_least(1), "T")
    early_kl: float | None = setting(
        None,
        optional(positive),
        "search with the fewest timesteps whose prediction diverges by less than this (nats) from "
        "that of all, and use all in the last round; without it always all",
    )
    norm: str = choice(
        "folded", lambda: NORMS, "batch norm over all timesteps (folded) or each by itself"
    )
    precision: str = choice(
        "float32",
        lambda: PRECISIONS,
        "of convolutions and linear layers; bfloat16 is quicker where the processor or GPU has "
        "instructions for it",
    )
    n_pe: int = setting(16, at_least(1), "PEs to balance for")
    mapping: str = choice("output-channel", lambda: MAPPINGS, "mapping to balance for")
    seed: int = setting(0, at_least(0), "of weights, order of images, and balancing")
    probe: float | None = setting(
        None,
        optional(share),
        "a sparsity: in the first round the weights are pruned to it, as they are and for a look "
        "only, at 1, 2, 3, 4, 6, 8, … steps and at its end",
    )

    def __post_init__(self) -> None:
        for declared in fields(self):
            given = getattr(self, declared.name)
            kept = declared.metadata["check"](declared.name, given)
            object.__setattr__(self, declared.name, kept)
        if self.rewind_epoch > (first := self.epochs_of(0)):
            raise ValueError(f"rewind_epoch={self.rewind_epoch} is after the {first} epochs")
        _ = self.accelerator  # raises for more PEs than there may be

    def epochs_of(self, number: int) -> int:
        """Epochs in a round, counted from 0."""
        return self.epochs if number or self.dense_epochs is None else self.dense_epochs

    @property
    def accelerator(self) -> Accelerator:
        """The PE array to balance for."""
        return Accelerator(self.n_pe, self.mapping)


def kind_of(declared: Field[Any]) -> type:
    """The type of a setting's values: str, int or float."""
    hint = get_type_hints(Settings)[declared.name]
    return next((kind for kind in get_args(hint) if kind is not type(None)), hint)


def help_of(declared: Field[Any]) -> str:
    """What a setting means, the names it may have, and its default."""
    names = ", ".join(declared.metadata["names"]())
    default = "" if declared.default is None else f" (default: {declared.default})"
    return declared.metadata["help"] + (f": {names}" if names else "") + default


Settings.__doc__ = f"{Settings.__doc__.rstrip()}\n\n" + "\n".join(  # type: ignore[union-attr]
    f"    {declared.name}: {help_of(declared)}" for declared in fields(Settings)
)
