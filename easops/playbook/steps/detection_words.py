"""Detections in words: what was not judged, why a verify has not passed, and what it waits for."""

from __future__ import annotations

from easops.detectors.finding import Detection
from easops.status import Status


def undetermined_words(found: Detection) -> str:
    """What could not be judged, and why; empty where everything was."""
    parts = [f"{item.host}: {item.why}" for item in found.unreachable]
    parts += [f"{item.subject}: {item.why}" for item in found.undetermined if item.required]
    return "; ".join(parts)


def verify_words(seen: Detection, status: Status) -> str:
    """Why a verify has not passed; empty where it has."""
    if status is Status.VERIFY_FAILED:
        if seen.users:
            return "; ".join(f"{user.user}: {user.evidence}" for user in seen.users)
        sentences = [f"{host}: {sentence}" for host, sentence in seen.sentences.items() if host in seen.hosts]
        sentences = sentences or [
            f"{m.host}: {m.evidence or f'{m.value:g} {m.unit}'}" for m in seen.measurements if m.host in seen.hosts
        ]
        return "; ".join(sentences) or f"still found on {', '.join(seen.hosts)}"
    return undetermined_words(seen)


def waiting_for(seen: Detection) -> tuple[str, bool]:
    """Why a verify goes on: its reason that takes longest, and whether this text says how long it will take."""
    if seen.found:
        return "the fault is still there", False
    longest = max(seen.undetermined, key=lambda item: item.seconds or 0.0, default=None)
    return ("no answer", False) if longest is None else (longest.why, longest.seconds is not None)
