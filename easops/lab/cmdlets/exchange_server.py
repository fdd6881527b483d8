"""Get-ExchangeServer and Get-OrganizationConfig."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.errors import not_found
from easops.lab.cmdlets.mailbox import piped_identity
from easops.lab.cmdlets.objects import PRESENTATION, ad_id, directory_properties, multi, server_version
from easops.lab.cmdlets.parameters import checks_domain_controller, parameters_of
from easops.lab.value import Enum, Obj
from easops.lab.world import World
from easops.lab.world.host import Server
from easops.lab.world.product import Product
from easops.lab.world.replication import EVER


def _configuration(world: World) -> str:
    domain = ",".join(f"DC={part}" for part in world.scenario.domain.split("."))
    return f"CN={world.scenario.organisation},CN=Microsoft Exchange,CN=Services,CN=Configuration,{domain}"


def _get_exchange_server(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "Status")
    identity = parameters.get("Identity") or piped_identity(call)
    servers = list(world.servers.values())
    if identity:
        wanted = str(identity).lower()
        servers = [s for s in servers if wanted in (s.name.lower(), s.fqdn.lower(), str(_guid(s.name)))]
        if not servers:
            raise not_found(world, call, str(identity), "SystemConfigurationTasks")
    own = world.servers[call.server].product
    site = world.scenario.site
    for server in servers:
        product = server.product
        dn = f"CN={server.name},CN=Servers,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),{_configuration(world)}"
        newer = product.has_back_end
        yield Obj(
            ("Microsoft.Exchange.Data.Directory.Management.ExchangeServer", *PRESENTATION),
            {
                **directory_properties(world, call, dn, _guid(server.name), server.name, EVER),
                "Identity": ad_id(server.name, dn, _guid(server.name)),
                "Fqdn": server.fqdn,
                "Domain": world.scenario.domain,
                "Edition": Enum("Microsoft.Exchange.Data.ServerEditionType", "Enterprise", 2),
                "AdminDisplayVersion": server_version(product),
                "Site": ad_id(site, f"CN={site},CN=Sites", text=f"{world.scenario.domain}/Configuration/Sites/{site}"),
                "ServerRole": _roles(server, own),
                "IsMailboxServer": bool(server.database),
                "IsClientAccessServer": server.client_access,
                "IsEdgeServer": False,
                **({"IsE15OrLater": newer} if own.has_back_end else {"IsE14OrLater": True}),
                "NetworkAddress": multi((f"ncacn_ip_tcp:{server.fqdn}",), "NetworkAddress"),
                # without -Status these are empty (a published capture)
                "CurrentDomainControllers": multi((server.dc,) if parameters.get("Status") is True else ()),
            },
            text=server.name,
        )


def _roles(server: Server, own: Product) -> Enum:
    """The roles of *server* as a server of version *own* shows them.

    From 2016 on the mailbox role includes client access, and 2016 names no other role. That 2010, which does not know
    of that, lists what is in the directory is inferred.
    """
    if server.product.has_back_end and own.has_back_end:
        names = ["Mailbox"]
    elif server.product.has_back_end:
        names = ["Mailbox", "ClientAccess", "UnifiedMessaging", "HubTransport"]
    else:
        names = [*(["Mailbox"] if server.database else []), *(["ClientAccess"] if server.client_access else [])]
        names.append("HubTransport")
    numbers = {"Mailbox": 2, "ClientAccess": 4, "UnifiedMessaging": 16, "HubTransport": 32}
    kind = "Microsoft.Exchange.Data.Directory.SystemConfiguration.ServerRole"
    return Enum(kind, ", ".join(names), sum(numbers[name] for name in names))


def _guid(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"server:{name}")


def _get_organization_config(world: World, call: Call) -> Iterable[Any]:
    parameters_of(call)
    name = world.scenario.organisation
    dn = _configuration(world)
    guid = uuid.uuid5(uuid.NAMESPACE_DNS, f"organisation:{name}")
    yield Obj(
        ("Microsoft.Exchange.Data.Directory.Management.OrganizationConfig", *PRESENTATION),
        {
            **directory_properties(world, call, dn, guid, name, EVER),
            "Identity": ad_id(name, dn, guid),
            "ObjectVersion": 16_223,
        },
        text=name,
    )


GET_EXCHANGE_SERVER: Final = Cmdlet("Get-ExchangeServer", "exchange", checks_domain_controller(_get_exchange_server))
GET_ORGANIZATION_CONFIG: Final = Cmdlet(
    "Get-OrganizationConfig", "exchange", checks_domain_controller(_get_organization_config)
)
