"""`uticket study`."""

import argparse
from pathlib import Path

from uticket_lite.cli.parser import Commands
from uticket_lite.edge.processors import sleep_while_waiting


def add_study(commands: Commands) -> None:
    """Add `uticket study`."""
    study = commands.add_parser(
        "study",
        help="train the study of what decides utilization; write its table",
        description="Train the runs of the study (uticket_lite/training/study.toml), one thread "
        "each, as many at once as there are processors. Killed, the same command goes on. "
        "Without --data nothing is trained: the table of the finished runs is written.",
    )
    study.add_argument("out", metavar="DIR", type=Path, help="directory with a directory per run")
    study.add_argument("--data", type=Path, help="directory of the .npz files of images")
    study.add_argument("--runs", nargs="+", metavar="NAME", help="default: all")
    study.add_argument("--seeds", nargs="+", type=int, metavar="N", help="default: 0 1 2")
    study.add_argument("--processes", type=int, help="runs at once; default: processors granted")
    study.add_argument("--table", type=Path, help="CSV file to write; default: DIR/study.csv")
    study.set_defaults(run=_study)


def _study(options: argparse.Namespace) -> int:
    sleep_while_waiting()
    from uticket_lite.edge.files import write_atomically
    from uticket_lite.paper.study import collect
    from uticket_lite.training.many import find_tickets_many
    from uticket_lite.training.study import study_settings

    if options.data is not None:
        settings = study_settings(options.data, names=options.runs, seeds=options.seeds)
        find_tickets_many(settings, out=options.out, processes=options.processes)
    table = collect(sorted(path for path in options.out.glob("*") if path.is_dir()))
    if table.empty:
        raise ValueError(f"no finished run in a directory of {options.out}; --data DIR trains them")
    file = options.table or options.out / "study.csv"
    write_atomically(file, table.to_csv(index=False, float_format="%.6g").encode())
    runs = len(table.drop_duplicates(["run", "seed"]))
    print(f"wrote {file}: {runs} run{'s' * (runs > 1)}, {len(table)} rows")
    return 0
