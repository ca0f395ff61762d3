"""Table I: accuracy and sparsity of the tickets."""

from collections.abc import Iterator

from uticket_lite.paper.recorded import METHODS, nearest_round, networks, run_name
from uticket_lite.paper.section import Row, Section, rows
from uticket_lite.tickets.recorded import load_history


def accuracy_and_sparsity() -> Iterator[Row]:
    """Of the networks after training with the tickets, in percent; and the tickets' rounds."""
    for network in networks():
        for method in METHODS:
            history = load_history(run_name(network, method))
            number = nearest_round(network, method)
            names = ("accuracy", "sparsity", "spike_sparsity")
            percent = {name: 100 * float(history[name][number]) for name in names}
            yield from rows(network, method, {**percent, "round": number})


SECTION = Section(
    "Table I",
    "Accuracy and sparsity of the tickets",
    20,
    accuracy_and_sparsity,
    {
        "accuracy": "Fewer steps on fewer images, after the last epoch; the released code keeps "
        "the best epoch on the test images: {trained}.",
        "sparsity": "The recorded round that comes nearest. Both prune a quarter of what is left. "
        "Whichever mask u-Ticket carries on, the balanced one (the paper's text, and here) or the "
        "unbalanced one (its code), none ends sparser than LTH: Table I's 98.4 to 99.0 % are "
        "unexplained.",
        "spike_sparsity": "Of the layers' inputs, each layer counted alike; the released code "
        "counts the outputs of neurons, each neuron alike.",
        "round": "The recorded round, of 0 to 14.",
    },
    {"round": "1"},
)
