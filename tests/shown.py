"""All that a tool could show of an error: what Sentry, or ``rich`` with local variables, would print."""

from __future__ import annotations

import traceback


def everything_in(error: BaseException) -> str:
    """The texts and arguments of an error and of all that led to it, and the local variables of easops's frames and of
    those of libraries; not those of the tests."""
    found: list[str] = []
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        found += [str(one), repr(one), repr(one.args), repr(vars(one)), repr(getattr(one, "object", ""))]
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if "/tests/" not in frame.f_code.co_filename.replace("\\", "/"):
                found += [repr(value) for value in frame.f_locals.values()]
        left += [one.__cause__, one.__context__]
    return "\n".join(found)
