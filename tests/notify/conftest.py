from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from easops.lab.certificate import Certificate, make_certificate
from tests.notify.servers import Hook, webhook


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """An authority's that nobody trusts who was not told to, and a server's for this machine."""
    return make_certificate()


@pytest.fixture
def ca(certificate: Certificate, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    certificate.write_authority(path)
    return path


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as hook:
        yield hook
