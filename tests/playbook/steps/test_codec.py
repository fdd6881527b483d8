from __future__ import annotations

import json

from easops.playbook.execution.json_serializer import JsonSerializer
from easops.playbook.steps.codec import dumps

HALF = {"user": "J\udcfcrgen \ud83d", "whole": "J\xfcrgen \U0001f4f1"}
"""A name with a byte that was not UTF-8, as Python reads it, and half of a character beyond the first 65,536."""


def test_half_a_character_is_stored_as_it_came() -> None:
    for text in (dumps(HALF), JsonSerializer().serialize(HALF)):
        assert json.loads(text) == HALF
        assert HALF["whole"] in text
        text.encode("utf-8")
