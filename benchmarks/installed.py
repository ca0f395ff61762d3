"""Size of an installation with each extra: what its packages hold on this disk.

Counted from what is installed here (everything, after `make setup-dev`), so nothing is fetched.
"""

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.measure import Figure
from benchmarks.memory import MEGABYTE

PROJECT = tomllib.loads(
    Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8")
)["project"]
EXTRAS = ("lab", "training", "cluster", "course", "dev")


def figures() -> Iterable[Figure]:
    """Megabytes."""
    yield Figure("the core", size(packages()), unit="MB")
    for extra in EXTRAS:
        yield Figure(f"with {extra}", size(packages(extra)), unit="MB")


def packages(*extras: str) -> set[str]:
    """Names of all packages that the core and these extras need here, one through another."""
    found: set[str] = set()
    waiting = [*own(""), *(each for extra in extras for each in own(extra))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        needed = waiting.pop()
        name, options = canonicalize_name(needed.name), frozenset(needed.extras)
        if (name, options) in seen:
            continue
        seen.add((name, options))
        found.add(name)
        for line in distribution(name).requires or ():
            waiting += applying(Requirement(line), options)
    return found


def own(extra: str) -> Iterator[Requirement]:
    """What pyproject.toml asks for, in this extra or, without its name, always."""
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    for needed in map(Requirement, lines):
        if canonicalize_name(needed.name) == PROJECT["name"]:
            for other in needed.extras:
                yield from own(other)
        else:
            yield needed


def applying(needed: Requirement, extras: Iterable[str]) -> Iterator[Requirement]:
    """The requirement, if it holds on this system, or for one of the extras of who asks."""
    if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in ("", *extras)):
        yield needed


def size(names: Iterable[str]) -> float:
    """Megabytes of all their files."""
    files = [file for name in names for file in distribution(name).files or ()]
    paths = {Path(str(file.locate())) for file in files}
    return sum(path.stat().st_size for path in paths if path.is_file()) / MEGABYTE
