from __future__ import annotations

from typing import Any

import pytest

SYNC = "MSExchangeSyncAppPool"


def pid(ask: Any, server: str = "AMS-EX01") -> int:
    found: int = ask.world.servers[server].sync_worker.pid
    return found


def test_requests_have_the_properties_of_iis(ask: Any) -> None:
    first, *_ = ask("Get-WebRequest", Process=pid(ask))
    assert first.types[0] == "Microsoft.IIs.PowerShell.Framework.ConfigurationElement#request"
    assert set(first.notes) == {
        "requestId", "connectionId", "processId", "url", "verb", "siteId", "timeElapsed", "clientIPAddr", "hostName",
        "localIPAddress", "localPort", "pipelineState", "currentModule", "timeInState", "timeInModule",
    }  # fmt: skip
    assert len(first.notes["requestId"]) == 16
    assert first.notes["processId"].value == pid(ask)


def test_front_end_and_back_end_share_the_pool_and_each_has_its_own_request(ask: Any) -> None:
    found = ask("Get-WebRequest", AppPool=SYNC)
    assert {request.notes["siteId"].value for request in found} == {1, 2}
    assert len({request.notes["requestId"] for request in found}) == len(found)
    for request in found:
        front = request.notes["siteId"].value == 1
        assert request.notes["url"].startswith(
            "/Microsoft-Server-ActiveSync/" + ("default" if front else "Proxy/default")
        )
        assert request.notes["clientIPAddr"].startswith(
            ("198.51.100.", "203.0.113.", "192.0.2.") if front else "10.20.0."
        )


def test_the_age_of_a_request_grows_with_the_worlds_clock(ask: Any) -> None:
    def ages() -> dict[str, int]:
        return {request.notes["requestId"]: request.notes["timeElapsed"].value for request in ask("Get-WebRequest")}

    before = ages()
    ask.world.advance(2)
    after = ages()
    still_there = before.keys() & after.keys()
    assert still_there
    assert {after[number] - before[number] for number in still_there} == {2000}


def test_another_pool_has_no_requests(ask: Any) -> None:
    assert ask("Get-WebRequest", AppPool="MSExchangeOWAAppPool") == []


@pytest.mark.parametrize("parameters", [{"Process": 3}, {"AppPool": "none"}])
def test_an_unknown_process_or_pool_is_an_error(ask: Any, parameters: dict[str, Any]) -> None:
    assert ask.error("Get-WebRequest", **parameters).fqid == "LabNotSimulated,Get-WebRequest"
