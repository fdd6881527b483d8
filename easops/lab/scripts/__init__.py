"""The scripts of easops that the lab knows, each with its twin, which does in Python what the script does: ``SCRIPTS``.

The lab cannot run script text. It recognises a script by its digest, and refuses one that is not here with a typed
error. A test compares each digest with the script in the package.
"""

from __future__ import annotations

from easops.lab.scripts.appcmd import APPCMD
from easops.lab.scripts.source import SOURCE
from easops.registry import table

SCRIPTS = table(APPCMD, SOURCE)
