"""Whether the hits of one user make a suspicion, or a finding. Pure.

Three hits of one user and device in which the client sends are a finding; fewer, and syncs that the server fills (a new
phone), are only to be watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from easops.detectors.contact_sync.criteria import Criteria
from easops.detectors.contact_sync.device import by_device, device_of
from easops.detectors.contact_sync.evidence import samples, sentence
from easops.detectors.contact_sync.sync import ContactSync
from easops.detectors.finding import UserFinding

MINIMUM: Final = 3
"""Hits of one user and device from which on it is a finding; with fewer it is only a suspicion."""


def suspect(
    user: str, guid: str | None, hits: Sequence[ContactSync], criteria: Criteria
) -> tuple[list[UserFinding], list[UserFinding]]:
    """One user's finding, and what is to be watched of him: none or one of each."""
    flooding, watched = _split(hits)
    found = []
    watch = []
    if flooding:
        found.append(user_finding(user, guid, flooding, sentence(flooding, criteria.threshold, criteria.within)))
    if watched:
        evidence = sentence(watched, criteria.threshold, criteria.within, _why_not(watched))
        watch.append(user_finding(user, guid, watched, evidence))
    return found, watch


def user_finding(user: str, guid: str | None, devices: Sequence[Sequence[ContactSync]], evidence: str) -> UserFinding:
    """The finding about one user; *devices* are the hits of each device. The mailbox's contacts are not known here."""
    hits = [hit for device_hits in devices for hit in device_hits]
    return UserFinding(
        user=user,
        mailbox=guid,
        resolved=guid is not None,
        hits=len(hits),
        devices=tuple(device_of(device_hits) for device_hits in devices),
        hosts=tuple(sorted({hit.host for hit in hits if hit.host})),
        contacts=None,
        evidence=evidence,
        samples=samples(hits),
    )


def _split(
    hits: Sequence[ContactSync],
) -> tuple[tuple[Sequence[ContactSync], ...], tuple[Sequence[ContactSync], ...]]:
    """The hits of one user by device: the devices that are a finding (most hits first), and those to be watched."""
    found: list[Sequence[ContactSync]] = []
    watched: list[Sequence[ContactSync]] = []
    for device_hits in by_device(hits).values():
        sending = [hit for hit in device_hits if hit.client_sends]
        if len(sending) >= MINIMUM:
            found.append(sending)
        else:
            watched.append(sending or device_hits)
    return tuple(sorted(found, key=len, reverse=True)), tuple(watched)


def _why_not(devices: Sequence[Sequence[ContactSync]]) -> str:
    hits = [hit for device_hits in devices for hit in device_hits]
    if any(hit.client_sends for hit in hits):
        return f"fewer than {MINIMUM} from one device are not a finding"
    if any(hit.server_fills for hit in hits):
        return "the server sends, the client does not: a new or newly set up device"
    return "the client sends no contacts"
