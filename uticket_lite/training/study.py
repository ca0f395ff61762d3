"""The study of what decides utilization: named settings × seeds, listed in `study.toml` beside.

`uticket study` trains them; `paper.study.collect` reads what they left into one table.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from uticket_lite.edge.checks import one_of
from uticket_lite.training.settings import Settings

STUDY: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("study.toml").read_text("utf-8"))
"""files: images by their short name; common: settings of all runs; runs: name to what differs."""


def study_settings(
    data: str | os.PathLike[str],
    *,
    names: Iterable[str] | None = None,
    seeds: Iterable[int] | None = None,
) -> dict[str, Settings]:
    """Settings of the study's runs, by the name of their directory, `NAME-seedN`.

    data: directory of the files of images. names, seeds: those to take; default all. In the order
    in which they are best trained: all names with the first seed, then with the next.
    Raises ValueError for unknown names.
    """
    chosen = list(STUDY["runs"] if names is None else names)
    for name in chosen:
        one_of("run of the study", name, STUDY["runs"])
    runs = {}
    for seed in STUDY["seeds"] if seeds is None else seeds:
        for name in chosen:
            changed = {**STUDY["common"], **STUDY["runs"][name]}
            file = Path(data) / STUDY["files"][changed.pop("dataset")]
            runs[f"{name}-seed{seed}"] = Settings(**changed, dataset=file, seed=seed)
    return runs
