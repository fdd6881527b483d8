"""``python -m tests.simulation``: see ``tests.simulation.night``."""

from __future__ import annotations

import sys

from tests.simulation.night import main

if __name__ == "__main__":
    sys.exit(main())
