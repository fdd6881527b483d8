"""The endpoints of an Exchange 2010 server: PowerShell 2.0, protocol 2.1, and no module loaded by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pypsrp.powershell import PowerShell

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.lab.wsman.conftest import RunningFront

RECYCLE = ("Restart-WebAppPool", {"Name": "pool"})
IMPORT = ("Import-Module", {"Name": "WebAdministration"})


def test_an_exchange_2010_server_speaks_an_older_protocol(front: RunningFront) -> None:
    with front.windows(at="EX2") as old, front.windows() as new, front.pool(at="EX2") as exchange:
        versions = [pool.protocol_version for pool in (old, new, exchange)]
        tables = [private.data["PSVersionTable"] for pool in (old, new) if (private := pool.application_private_data)]
    assert versions == ["2.1", "2.3", "2.1"]
    assert [str(table["PSVersion"]) for table in tables] == ["2.0", "5.1"]


def test_powershell_2_runs_the_first_statement_of_a_pipeline_and_ignores_the_others(front: RunningFront) -> None:
    with front.windows(at="EX2") as pool:
        powershell = PowerShell(pool)
        for name in ("first", "second"):
            powershell.add_cmdlet("Import-Module").add_parameter("Name", name).add_statement()
        powershell.invoke()
    assert powershell.had_errors is False
    assert [call[4] for call in front.world.calls] == [{"Name": ["first"]}]


def test_a_command_of_a_module_is_unknown_until_its_pool_has_imported_it(front: RunningFront) -> None:
    with front.windows(at="EX2") as pool:
        before = front.ask(pool, RECYCLE)
        front.ask(pool, IMPORT)
        after = front.ask(pool, RECYCLE)
    with front.windows(at="EX2") as other:
        elsewhere = front.ask(other, RECYCLE)
    assert [shell.had_errors for shell in (before, after, elsewhere)] == [True, False, True]
    assert before.streams.error[-1].fq_error == "CommandNotFoundException"
    assert [call[3] for call in front.world.calls] == ["Import-Module", "Restart-WebAppPool"]


def test_an_import_that_fails_loads_nothing(front: RunningFront) -> None:
    front.world.lacks_modules = True
    with front.windows(at="EX2") as pool:
        front.ask(pool, IMPORT)
        after = front.ask(pool, RECYCLE)
    assert after.streams.error[-1].fq_error == "CommandNotFoundException"


def test_a_newer_engine_loads_a_module_at_its_first_use(front: RunningFront) -> None:
    with front.windows() as pool:
        assert front.ask(pool, RECYCLE).had_errors is False


def test_the_iis_drive_exists_once_the_module_is_loaded(front: RunningFront) -> None:
    read = ("Get-ItemProperty", {"LiteralPath": "IIS:\\AppPools"})
    for server in ("EX1", "EX2"):
        with front.windows(at=server) as pool:
            before = front.ask(pool, read)
            front.ask(pool, IMPORT)
            after = front.ask(pool, read)
        assert before.streams.error[-1].fq_error == "DriveNotFound,Microsoft.PowerShell.Commands.GetItemPropertyCommand"
        assert after.streams.error == []
