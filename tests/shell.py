"""What tests of several files share: the command line, in this process."""

import contextlib
import io

from uticket_lite import cli


def run_cli(*words):
    """What the command `uticket` prints, in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        cli.main([str(word) for word in words])
    return out.getvalue()
