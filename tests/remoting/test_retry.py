"""What is sent again, and what never is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from easops.errors import AccessRefused, CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
from easops.remoting.retry import retrying


def failing(*failures: EasopsError) -> tuple[Callable[[], str], list[EasopsError]]:
    left = list(failures)
    sent: list[EasopsError] = []

    def send() -> str:
        if left:
            sent.append(left.pop(0))
            raise sent[-1]
        return "done"

    return send, sent


@pytest.mark.parametrize("reads", [True, False])
def test_what_was_not_sent_is_sent_again(reads: bool) -> None:
    send, _ = failing(UnreachableHost("no way"))
    assert retrying(send, reads=reads, wait_max=0.001) == "done"


def test_a_read_without_an_answer_is_sent_again() -> None:
    send, _ = failing(OutcomeUnknown("lost"))
    assert retrying(send, reads=True, wait_max=0.001) == "done"


@pytest.mark.parametrize(
    ("error", "reads"),
    [
        (OutcomeUnknown("lost"), False),
        (AccessRefused("401", reason="logon"), True),
        (AccessRefused("401", reason="logon"), False),
        (UnreachableHost("a load quota", wait=90.0), True),
        (CommandFailed("refused"), True),
        (CommandFailed("refused"), False),
    ],
    ids=[
        "a change without an answer",
        "a refused logon",
        "a refused logon of a change",
        "a refusal for a time",
        "a refusal",
        "a refused change",
    ],
)
def test_some_failures_are_never_sent_again(error: EasopsError, reads: bool) -> None:
    send, sent = failing(error, error, error)
    with pytest.raises(type(error)):
        retrying(send, reads=reads, wait_max=0.001)
    assert len(sent) == 1


def test_it_gives_up_after_three() -> None:
    send, sent = failing(*[UnreachableHost("no way")] * 5)
    with pytest.raises(UnreachableHost):
        retrying(send, reads=False, wait_max=0.001)
    assert len(sent) == 3
