"""What the commands of `uticket` share: their parser."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line.

    late: adds what takes long to load, when this parser is first used.
    """

    late: "Callable[[Parser], None] | None" = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's."""
        late, self.late = self.late, None
        if late is not None:
            late(self)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"uticket: {message}; see {self.prog} --help\n")
