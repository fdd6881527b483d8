"""Get-DomainController, and Set-ADServerSettings, which decides how much of the forest a session sees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.parameters import parameters_of
from easops.lab.value import Obj
from easops.lab.world import World


def _get_domain_controller(world: World, call: Call) -> Iterable[Any]:
    """That a domain which is not of the forest has no domain controller, and no error, is inferred."""
    wanted = str(parameters_of(call, "DomainName").get("DomainName", world.scenario.domain)).lower()
    for name in world.scenario.every_dc:
        if world.scenario.domain_of_dc(name).lower() == wanted:
            yield Obj(
                ("Microsoft.Exchange.Data.Directory.Management.DomainController", "System.Object"),
                {"Name": name.partition(".")[0], "DnsHostName": name, "ADSite": world.scenario.site},
                text=name,
            )


def _set_ad_server_settings(world: World, call: Call) -> Iterable[Any]:
    call.settings["ViewEntireForest"] = bool(parameters_of(call, "ViewEntireForest").get("ViewEntireForest"))
    return ()


GET_DOMAIN_CONTROLLER: Final = Cmdlet("Get-DomainController", "exchange", _get_domain_controller)
SET_AD_SERVER_SETTINGS: Final = Cmdlet("Set-ADServerSettings", "exchange", _set_ad_server_settings)
