"""The objects that several cmdlets answer with, and the properties that they share."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, Final

from easops.lab.cmdlet import Call
from easops.lab.cmdlets.domain_controller import domain_controller
from easops.lab.value import Enum, Obj
from easops.lab.world import World
from easops.lab.world.product import Product
from easops.lab.world.recipient import Mailbox
from easops.lab.world.replication import EVER

AD_OBJECT: Final = (
    "Microsoft.Exchange.Data.Directory.ADObject",
    "Microsoft.Exchange.Data.Directory.ADRawEntry",
    "Microsoft.Exchange.Data.ConfigurableObject",
    "System.Object",
)
PRESENTATION: Final = ("Microsoft.Exchange.Data.Directory.Management.ADPresentationObject", *AD_OBJECT)


def ad_id(name: str, dn: str, guid: uuid.UUID | None = None, text: str | None = None) -> Obj:
    """An ADObjectId, which is printed as its text."""
    return Obj(
        ("Microsoft.Exchange.Data.Directory.ADObjectId", "System.Object"),
        {"Name": name, "DistinguishedName": dn, "ObjectGuid": guid},
        text=text if text is not None else name,
    )


def mailbox_id(mailbox: Mailbox) -> Obj:
    return ad_id(mailbox.name, mailbox.dn, mailbox.guid, mailbox.canonical)


def multi(values: Iterable[Any], kind: str = "System.String") -> Obj:
    """A MultiValuedProperty."""
    return Obj((f"Microsoft.Exchange.Data.MultiValuedProperty`1[[{kind}]]", "System.Object"), items=tuple(values))


def unlimited(value: str) -> Obj:
    """An Unlimited value: an object whose text is the digits or the word."""
    return Obj(
        ("Microsoft.Exchange.Data.Unlimited`1[[System.UInt32]]", "System.ValueType", "System.Object"),
        {"IsUnlimited": value == "Unlimited"},
        text=value,
    )


def server_version(product: Product) -> Obj:
    """An AdminDisplayVersion."""
    major, minor, build, revision = product.build
    return Obj(
        ("Microsoft.Exchange.Data.ServerVersion", "System.Object"),
        {"Major": major, "Minor": minor, "Build": build, "Revision": revision},
        text=f"Version {major}.{minor} (Build {build}.{revision})",
    )


def size(size: int) -> str:
    """A size as its text: ``152.1 MB (159,449,088 bytes)``."""
    scaled, unit = float(size), "B"
    for following in ("KB", "MB", "GB", "TB"):
        if scaled < 1024:
            break
        scaled, unit = scaled / 1024, following
    return f"{scaled:.4g} {unit} ({size:,} bytes)"


def directory_properties(
    world: World, call: Call, dn: str, guid: uuid.UUID, name: str, created: float
) -> dict[str, Any]:
    """The properties that every object of the directory has."""
    when = world.local(world.start - 400 * 86_400 if created == EVER else created)
    return {
        "Name": name,
        "DistinguishedName": dn,
        "Guid": guid,
        "WhenCreated": when,
        "WhenCreatedUTC": when.astimezone(dt.UTC),
        "OrganizationId": "",
        "OriginatingServer": domain_controller(world, call),
        "IsValid": True,
        "ObjectState": Enum("Microsoft.Exchange.Data.ObjectState", "Unchanged", 1),
    }
