"""What the paper prints, never ours; read from `data/paper.csv`."""

import pandas as pd

from uticket_lite.tickets.recorded import DATA


def paper_numbers() -> pd.DataFrame:
    """What the paper prints (arXiv 2302.06746, version 1), one number a row; never ours.

    Columns: source (table or figure), network, dataset, method, n_pe, quantity, unit, value.
    """
    return pd.read_csv(DATA / "paper.csv")


def paper_table() -> pd.DataFrame:
    """Tables I and II and Fig. 7a: rows (network, dataset), columns (quantity, method)."""
    numbers = paper_numbers()
    chosen = numbers[numbers["source"].isin(["Table I", "Table II", "Fig. 7a"])]
    return chosen.pivot(
        index=["network", "dataset"], columns=["quantity", "method"], values="value"
    )
