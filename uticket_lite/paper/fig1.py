"""Fig. 1: other balancers."""

import math
from collections.abc import Iterator

from uticket_lite.paper.published import paper_numbers
from uticket_lite.paper.recorded import nearest_round, networks, report, run_name
from uticket_lite.paper.section import Row, Section, rows
from uticket_lite.tickets.recorded import load_history


def other_balancers() -> Iterator[Row]:
    """Queues and permutations on the LTH round that is pruned nearest to what the paper says.

    unbalanced: utilization of the same round without them. Area is not modelled.
    """
    numbers = paper_numbers()
    for network in networks():
        history = load_history(run_name(network, "lth"))
        for method, strategy in (("fifo", "fifo-d"), ("permuting", "sort")):
            paper = numbers[(numbers["source"] == "Fig. 1") & (numbers["method"] == method)]
            wanted = paper.set_index("quantity")["value"]["sparsity"]
            number = nearest_round(network, "lth", wanted)
            found = {
                "utilization": report(network, "lth", number, strategy=strategy).utilization,
                "unbalanced": report(network, "lth", number).utilization,
                "sparsity": 100 * history["sparsity"][number],
                "extra_area": math.nan,
            }
            yield from rows(network, method, found)


SECTION = Section(
    "Fig. 1",
    "Other balancers",
    10,
    other_balancers,
    {
        "utilization": "The paper cites other designs; ours are queues of 4 waves (fifo-d) and "
        "the permutation `sort`, on our LTH ticket of that round.",
        "unbalanced": "The same round without them: so few weights pruned hardly need balancing.",
        "sparsity": "The recorded round that comes nearest.",
        "extra_area": "Area is not modelled here.",
    },
    {"unbalanced": "1"},
)
