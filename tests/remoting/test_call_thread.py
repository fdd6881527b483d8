"""A call on a thread of its own: its value, its exception, and the time that it may take."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from easops.remoting.call_thread import CallThread, Progress


@pytest.fixture
def thread() -> Iterator[CallThread]:
    thread = CallThread("test")
    yield thread
    thread.end()


def test_all_calls_are_made_by_the_same_thread_and_return_their_values(thread: CallThread) -> None:
    names = {thread.run(lambda: threading.current_thread().name, 5) for _ in range(3)}

    assert names == {"test"}


def test_an_exception_of_a_call_is_raised_to_its_caller_and_the_thread_goes_on(thread: CallThread) -> None:
    with pytest.raises(ZeroDivisionError):
        thread.run(lambda: 1 // 0, 5)

    assert thread.run(lambda: "next", 5) == "next"


def test_a_call_that_takes_too_long_is_a_time_out_and_its_late_value_reaches_nobody(thread: CallThread) -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError):
        thread.run(lambda: release.wait(5), 0.01)
    release.set()

    assert thread.run(lambda: "the next one's own", 5) == "the next one's own"


def test_nothing_is_sent_once_nobody_waits_for_it() -> None:
    progress = Progress()
    progress.abandon()

    with pytest.raises(TimeoutError):
        progress.sending()
    assert not progress.sent


def test_what_is_being_sent_counts_as_sent() -> None:
    progress = Progress()

    progress.sending()

    assert progress.sent
