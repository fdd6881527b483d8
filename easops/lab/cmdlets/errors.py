"""The error records that several cmdlets answer with."""

from __future__ import annotations

import uuid
import zlib

from easops.lab.cmdlet import Call
from easops.lab.cmdlets.domain_controller import domain_controller
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.lab.world import World
from easops.lab.world.product import Product


def not_simulated(call: Call, what: str) -> CmdletFailed:
    """The lab does not know what a server answers; it says so instead of guessing. *what* ends the sentence."""
    return CmdletFailed(
        ErrorInfo(
            f"The lab does not simulate {what}.",
            "System.NotSupportedException",
            f"LabNotSimulated,{call.cmdlet}",
            "NotImplemented",
            activity=call.cmdlet,
            target=what,
        )
    )


def exchange_error(world: World, call: Call, exception: str, message: str, namespace: str) -> CmdletFailed:
    """An error record of Exchange; 2013 and later put a prefix before its identifier.

    *exception* is a full type name, *namespace* that of the cmdlet's class.

    Source: error records of Get-Mailbox and others, as administrators published them.
    """
    short = exception.rpartition(".")[2]
    number = zlib.crc32(f"{call.cmdlet}:{short}".encode())
    fqid = f"{number:X},Microsoft.Exchange.Management.{namespace}.{call.cmdlet.replace('-', '')}"
    if world.servers[call.server].product.version != "2010":
        moment = world.local(world.time)
        stamp = f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"
        # Made from the call, not at random: the same world gives the same answers.
        asked = f"{world.seed}:{call.server}:{call.cmdlet}:{sorted(call.parameters.items())}:{world.time}"
        request = uuid.uuid5(uuid.NAMESPACE_OID, asked)
        prefix = f"[Server={call.server},RequestId={request},TimeStamp={stamp}] [FailureCategory=Cmdlet-{short}]"
        fqid = f"{prefix} {fqid}"
    return CmdletFailed(ErrorInfo(message, exception, fqid, "NotSpecified", activity=call.cmdlet))


def not_found(world: World, call: Call, what: str, namespace: str = "RecipientTasks") -> CmdletFailed:
    """The object *what* is not in the directory."""
    dc = domain_controller(world, call)
    return exchange_error(
        world,
        call,
        "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
        f"The operation couldn't be performed because object '{what}' couldn't be found on '{dc}'.",
        namespace,
    )


def ambiguous(world: World, call: Call, what: str, namespace: str = "RecipientTasks") -> CmdletFailed:
    """*what* is a name of several objects."""
    return exchange_error(
        world,
        call,
        "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException",
        f"The operation couldn't be performed because '{what}' matches multiple entries.",
        namespace,
    )


def of_another_version(world: World, call: Call, what: str, product: Product, namespace: str) -> CmdletFailed:
    """*what* was made by *product*, and the server of the call, which is of another version, cannot change it.

    The message about a newer object is as servers write it. That about an older one is the lab's own: no published one
    was found.
    """
    own = world.servers[call.server].product
    if product.build > own.build:
        message = (
            f"Object is read only because it was created by a future version of Exchange: {product.object_version}. "
            f"Current supported version is {own.object_version}."
        )
    else:
        message = f"{what} belongs to Exchange {product.version} and can't be changed by Exchange {own.version}."
    return exchange_error(world, call, "Microsoft.Exchange.Data.InvalidObjectOperationException", message, namespace)


def path_not_found(call: Call, path: str) -> CmdletFailed:
    """The error of the file system and of the ``IIS:`` drive for a path that does not exist."""
    name = "".join(part.capitalize() for part in call.cmdlet.split("-"))
    name = {"GetChilditem": "GetChildItem", "GetItemproperty": "GetItemProperty"}.get(name, name)
    return CmdletFailed(
        ErrorInfo(
            f"Cannot find path '{path}' because it does not exist.",
            "System.Management.Automation.ItemNotFoundException",
            f"PathNotFound,Microsoft.PowerShell.Commands.{name}Command",
            "ObjectNotFound",
            activity=call.cmdlet,
            target=path,
        )
    )
