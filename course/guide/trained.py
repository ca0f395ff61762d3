"""What last tickets of the digits' lottery read when they are trained once more, by their start.

`python -m course.guide.trained` trains them anew and writes the table, half an hour of one core.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

import uticket_lite as ut
from uticket_lite.teach import accuracy_trained_with
from uticket_lite.training import Settings, find_tickets

TABLE = Path(__file__).with_suffix(".csv")
SEEDS, DRAWS = range(3), range(3)


def measured() -> Iterator[dict[str, object]]:
    """A row for each training: seed of the lottery, ticket, start, draw, accuracy, latency.

    ticket: `lth`, or `once`: balanced by Algorithm 1 (seed `draw`) after its last round. start:
    from which weights it was trained: `early` ones, the very `first`, or `new` ones, of a network
    drawn by another seed. The last two of seed 0 alone.
    """
    pes = ut.Accelerator(n_pe=16)
    for seed in SEEDS:
        usual = Settings(seed=seed)
        plain = find_tickets(usual).tickets[-1] if seed else ut.load_ticket("digits-lth")
        starts = [("lth", plain, "early", 0, usual)]
        starts += [
            ("once", ut.balance(plain, pes, seed=draw), "early", draw, usual) for draw in DRAWS
        ]
        if seed == 0:
            starts.append(("lth", plain, "first", 0, replace(usual, rewind_epoch=0)))
            others = [(draw, replace(usual, seed=10 + draw)) for draw in DRAWS]
            starts += [("lth", plain, "new", draw, other) for draw, other in others]
        for name, ticket, start, draw, settings in starts:
            yield {
                "seed": seed,
                "ticket": name,
                "start": start,
                "draw": draw,
                "accuracy": accuracy_trained_with(ticket, settings),
                "latency": ut.simulate(ticket, pes).latency,
            }


if __name__ == "__main__":
    pd.DataFrame(measured()).to_csv(TABLE, index=False, float_format="%.4f")
    print(f"wrote {TABLE}")
