"""`python -m uticket_lite.cli` is `uticket`."""

import sys

from uticket_lite.cli import main

sys.exit(main())
