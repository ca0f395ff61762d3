"""What a training run depends on."""

from dataclasses import dataclass

from uticket_lite.edge.checks import fraction, one_of, whole_number
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.strategies import MASK_STRATEGIES
from uticket_lite.training.datasets import check_dataset
from uticket_lite.training.loop import LOSSES, PRECISIONS
from uticket_lite.training.networks import INITS, NETWORKS, NEURONS, NORMS
from uticket_lite.training.pruning import SCOPES

LTH = "lth"
"""The method that balances nothing; the others are the names of `MASK_STRATEGIES`."""

CARRIES = {
    "balanced": "the balanced mask is pruned further (the paper's text)",
    "original": "the mask before balancing is pruned further; a copy is balanced and trained",
    "released": "as `original`, but the threshold is that of the balanced weights, and what "
    "balancing dropped is gone for good (the released code)",
}


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on; the same settings give the same tickets.

    dataset: a name in `DATASETS` or the path of an .npz file. network: a name in `NETWORKS`.
    method: `lth` (prune only), `uticket` (prune and balance) or another strategy that changes
    masks. rounds: training rounds, the first one dense. prune: fraction of the alive weights
    pruned between rounds. scope: a name in `SCOPES`. init, neuron, loss: names in `INITS`,
    `NEURONS` and `LOSSES`. cutout: side of the square blanked in training images, 0 for none.
    carry: a name in `CARRIES`. epochs: in every round. dense_epochs: in the first one, if it
    needs more. rewind_epoch: weights are rewound to those after this epoch of the first round.
    early_kl: search with the fewest timesteps whose prediction diverges by less than this (nats)
    from that of all timesteps, and use all of them in the last round; None: always all.
    norm: a name in `NORMS`. precision: a name in `PRECISIONS`; bfloat16 is quicker where the
    processor or GPU has instructions for it. n_pe, mapping: the accelerator to balance for.
    probe: a sparsity; in the first round the weights are pruned to it, as they are and for a
    look only, at 1, 2, 3, 6, … steps and at each epoch's end (see `lottery.PROBED`).
    Defaults are the paper's, but for epochs, batch and learning_rate, chosen for the digits.
    """

    dataset: str = "digits"
    network: str = "digits"
    method: str = LTH
    rounds: int = 15
    prune: float = 0.25
    scope: str = "global"
    init: str = "torch"
    neuron: str = "leaky"
    loss: str = "mean-score"
    cutout: int = 0
    carry: str = "balanced"
    epochs: int = 16
    dense_epochs: int | None = None
    rewind_epoch: int = 2
    batch: int = 64
    learning_rate: float = 0.2
    timesteps: int = 4
    early_kl: float | None = None
    norm: str = "folded"
    precision: str = "float32"
    n_pe: int = 16
    mapping: str = "output-channel"
    seed: int = 0
    probe: float | None = None

    def __post_init__(self) -> None:
        check_dataset(self.dataset)
        one_of("network", self.network, NETWORKS)
        one_of("method", self.method, (LTH, *MASK_STRATEGIES))
        one_of("scope", self.scope, SCOPES)
        one_of("carry", self.carry, CARRIES)
        one_of("init", self.init, INITS)
        one_of("neuron", self.neuron, NEURONS)
        one_of("loss", self.loss, LOSSES)
        one_of("norm", self.norm, NORMS)
        one_of("precision", self.precision, PRECISIONS)
        for name in ("rounds", "epochs", "batch", "timesteps"):
            whole_number(name, getattr(self, name))
        whole_number("seed", self.seed, minimum=0)
        whole_number("cutout", self.cutout, minimum=0)
        if self.probe is not None:
            fraction("probe", self.probe, below_one=True)
        whole_number("rewind_epoch", self.rewind_epoch, minimum=0)
        if self.dense_epochs is not None:
            whole_number("dense_epochs", self.dense_epochs)
        if self.rewind_epoch > (first := self.epochs_of(0)):
            raise ValueError(f"rewind_epoch={self.rewind_epoch} is after the {first} epochs")
        for name in ("learning_rate", "early_kl"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive, not {value!r}")
        fraction("prune", self.prune, below_one=True)
        _ = self.accelerator  # raises for bad n_pe and mapping

    def epochs_of(self, number: int) -> int:
        """Epochs in a round, counted from 0."""
        return self.epochs if number or self.dense_epochs is None else self.dense_epochs

    @property
    def accelerator(self) -> Accelerator:
        """The PE array to balance for."""
        return Accelerator(self.n_pe, self.mapping)
