"""Made-up names of people."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Final

FIRST: Final = (
    "Anna Bart Chloe Daan Elena Femke Gijs Hanna Igor Julia Karel Lotte Maarten Nadia Oscar Paula Quentin Rosa Stefan "
    "Tessa Uwe Vera Willem Xenia Yusuf Zoe Amir Bianca Cornelis Dorothea Emil Fatima Gustav Hilde Ibrahim Jasper "
    "Katrin Lars Mila Noah"
).split()
LAST: Final = (
    "Berg Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Brouwer Dijkstra Koster Kuipers Hoekstra "
    "Willems Schouten Postma Kramer Jansen Fischer Weber Keller Vogel Frank Lehmann Krause Huber Kaiser Rossi Ferrari "
    "Bianchi Romano Costa Silva Santos Moreau Laurent Girard Andersen Nielsen Hansen Larsen Olsen Lindqvist Nyman "
    "Virtanen Kowalski Nowak Horvat Kovacs Dvorak Svoboda Ivanova Popov Yilmaz Demir Haddad Okonkwo"
).split()


def people(rng: random.Random, taken: frozenset[str]) -> Iterator[str]:
    """First and last names in random order, none of them twice, and none of *taken*.

    After some thousand, when all have been given, there are the same people with a double last name.
    """
    everybody = [f"{first} {last}" for first in FIRST for last in LAST]
    rng.shuffle(everybody)
    doubled = (f"{name}-{second}" for second in LAST for name in everybody if not name.endswith(f" {second}"))
    return (name for name in itertools.chain(everybody, doubled) if name not in taken)
