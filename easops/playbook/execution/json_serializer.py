"""How DBOS stores the values of workflows and steps: as JSON, where its default would pickle them."""

from __future__ import annotations

import json
import traceback
from typing import Any, Final

from dbos import Serializer

from easops.playbook.steps.codec import storable

_BUG: Final = "easops.bug"


class JsonSerializer(Serializer):
    """JSON. Only a bug lets an exception into the outcome of a workflow: of that, its traceback is stored."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = {_BUG: "".join(traceback.format_exception(data))}
        return storable(json.dumps(data, ensure_ascii=False, separators=(",", ":")))

    def deserialize(self, serialized_data: str) -> Any:
        data = json.loads(serialized_data)
        return RuntimeError(data[_BUG]) if isinstance(data, dict) and _BUG in data else data

    def name(self) -> str:
        return "easops_json"
