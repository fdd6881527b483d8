"""Names as the directory compares them: without regard to case, to diacritics, and to ligatures such as ß and ss.

Active Directory finds the user ``lbrändt`` by ``lbrandt``, and does not let both exist as account names.
Source: KB 938447 (searches in Active Directory ignore diacritics).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def folded(name: str) -> str:
    """*name* in the form in which equal names are the same text."""
    decomposed = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def matches(identity: str, names: Iterable[str]) -> bool:
    """Whether *identity*, with or without ``DOMAIN\\``, is one of *names*."""
    wanted = folded(identity)
    return bool({wanted, wanted.rpartition("\\")[2]} & {folded(name) for name in names})
