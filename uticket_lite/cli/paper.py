"""`uticket paper`: every table and figure of the paper beside what this project measures."""

import argparse

import pandas as pd

from uticket_lite.cli.parser import Commands
from uticket_lite.cli.printing import print_json
from uticket_lite.paper import SECTIONS, side_by_side

SHOWN = "{:.4g}".format
MOST = 100
"""Rows that are printed of a table; of a longer one, its first and last."""


def add_paper(commands: Commands) -> None:
    """Add `uticket paper`."""
    listed = "\n".join(f"  {name:<10} {section.title}" for name, section in SECTIONS.items())
    paper = commands.add_parser(
        "paper",
        help="print the paper's tables and figures beside ours",
        description="Print the paper's tables and figures beside what the recorded tickets give.",
        epilog=f"tables and figures:\n{listed}\n\nEnergy cuts, shares and sparsities in percent; "
        "cycles as the paper's timesteps count them.\nExit code: 0 done, 2 bad input.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    paper.add_argument(
        "sources", metavar="NAME", nargs="*", help='which, "Table II" say; default: all'
    )
    paper.add_argument("--json", action="store_true", help="print one JSON object, by name")
    paper.set_defaults(run=_paper)


def _paper(options: argparse.Namespace) -> int:
    tables = {source: side_by_side(source) for source in options.sources or SECTIONS}
    if options.json:
        print_json({source: table.to_dict("records") for source, table in tables.items()})
        return 0
    for source, table in tables.items():
        print(f"{source}: {SECTIONS[source].title}\n")
        print("  nothing is recorded for it" if table.empty else _text(table), "\n")
        for why, quantities in SECTIONS[source].reasons(table).items():
            print(f"  {', '.join(quantities)}: {why}")
        print()
    return 0


def _text(table: pd.DataFrame) -> str:
    shown = table.drop(columns="why", errors="ignore")
    text = shown.to_string(index=False, float_format=SHOWN, na_rep="-", max_rows=MOST)
    more = f"\n  ({len(table)} rows; --json prints all)" if len(table) > MOST else ""
    return text + more
