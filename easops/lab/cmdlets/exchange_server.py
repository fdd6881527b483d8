"""Get-ExchangeServer and Get-OrganizationConfig."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.answer import (
    PRESENTATION,
    ad_id,
    checks_domain_controller,
    directory_properties,
    given,
    multi,
    not_found,
)
from easops.lab.cmdlets.mailbox import piped_identity
from easops.lab.value import Enum, Obj
from easops.lab.world import World
from easops.lab.world.directory import EVER

VERSIONS: Final = {"2016": (15, 1, 2507, 39)}
"""Version numbers by product; a scenario of another product is not there yet."""


def _configuration(world: World) -> str:
    domain = ",".join(f"DC={part}" for part in world.scenario.domain.split("."))
    return f"CN={world.scenario.organisation},CN=Microsoft Exchange,CN=Services,CN=Configuration,{domain}"


def _get_exchange_server(world: World, call: Call) -> Iterable[Any]:
    parameters = given(call, "Identity", "Status")
    identity = parameters.get("Identity") or piped_identity(call)
    servers = list(world.servers.values())
    if identity:
        wanted = str(identity).lower()
        servers = [s for s in servers if wanted in (s.name.lower(), s.fqdn.lower(), str(_guid(s.name)))]
        if not servers:
            raise not_found(world, call, str(identity), "SystemConfigurationTasks")
    major, minor, build, revision = VERSIONS[world.scenario.version]
    site = world.scenario.site
    for server in servers:
        dn = f"CN={server.name},CN=Servers,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),{_configuration(world)}"
        version = Obj(
            ("Microsoft.Exchange.Data.ServerVersion", "System.Object"),
            {"Major": major, "Minor": minor, "Build": build, "Revision": revision},
            text=f"Version {major}.{minor} (Build {build}.{revision})",
        )
        yield Obj(
            ("Microsoft.Exchange.Data.Directory.Management.ExchangeServer", *PRESENTATION),
            {
                **directory_properties(world, dn, _guid(server.name), server.name, EVER),
                "Identity": ad_id(server.name, dn, _guid(server.name)),
                "Fqdn": server.fqdn,
                "Domain": world.scenario.domain,
                "Edition": Enum("Microsoft.Exchange.Data.ServerEditionType", "Enterprise", 2),
                "AdminDisplayVersion": version,
                "Site": ad_id(site, f"CN={site},CN=Sites", text=f"{world.scenario.domain}/Configuration/Sites/{site}"),
                # From 2016 on the mailbox role is client access too, and the only one that is named.
                "ServerRole": Enum("Microsoft.Exchange.Data.Directory.SystemConfiguration.ServerRole", "Mailbox", 2),
                "IsMailboxServer": True,
                "IsClientAccessServer": True,
                "IsEdgeServer": False,
                "IsE15OrLater": True,
                "NetworkAddress": multi((f"ncacn_ip_tcp:{server.fqdn}",), "NetworkAddress"),
                "CurrentDomainControllers": multi((world.scenario.dc,)),
            },
            text=server.name,
        )


def _guid(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"server:{name}")


def _get_organization_config(world: World, call: Call) -> Iterable[Any]:
    given(call)
    name = world.scenario.organisation
    dn = _configuration(world)
    guid = uuid.uuid5(uuid.NAMESPACE_DNS, f"organisation:{name}")
    yield Obj(
        ("Microsoft.Exchange.Data.Directory.Management.OrganizationConfig", *PRESENTATION),
        {
            **directory_properties(world, dn, guid, name, EVER),
            "Identity": ad_id(name, dn, guid),
            "ObjectVersion": 16_223,
        },
        text=name,
    )


GET_EXCHANGE_SERVER: Final = Cmdlet("Get-ExchangeServer", "exchange", checks_domain_controller(_get_exchange_server))
GET_ORGANIZATION_CONFIG: Final = Cmdlet(
    "Get-OrganizationConfig", "exchange", checks_domain_controller(_get_organization_config)
)
