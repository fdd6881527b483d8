"""A credential's first use is alone; a refused logon is sent nowhere else."""

from __future__ import annotations

import threading

import pytest

from easops.errors import AccessRefused
from easops.remoting.trust import Trust


def test_after_a_refused_logon_nothing_is_sent_to_any_other_host() -> None:
    trust = Trust("CONTOSO\\admin")
    trust.refused("host 1")
    with pytest.raises(AccessRefused, match="was not tried") as refused, trust.use("host 2"):
        pytest.fail("the logon was sent")
    assert "host 1" in refused.value.why


def test_the_first_use_is_alone_and_later_ones_are_not() -> None:
    trust = Trust("u")
    inside, most = 0, 0
    both = threading.Barrier(2, timeout=5)
    mutex = threading.Lock()

    def first() -> None:
        nonlocal inside, most
        with trust.use("h"):
            with mutex:
                inside += 1
                most = max(most, inside)
            with mutex:
                inside -= 1

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trust.proven

    def later() -> None:
        with trust.use("h"):
            both.wait()  # two are inside at once, or this breaks

    threads = [threading.Thread(target=later) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not both.broken
