"""What differs between servers of two Exchange versions: Windows, pools, sites, and the fields of the logs.

2016: as captured from servers. 2010: Windows Server 2008 R2, the oldest that was in wide use; pool names as documented,
one web site, and the fields that IIS 7.5 logs by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

SYNC_POOL: Final = "MSExchangeSyncAppPool"

Model = Literal["percent", "budget"]
"""How throttling policies limit a user: by percentages of each minute (2010) or by budgets (2013 and later)."""

_IIS_10: Final = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-substatus sc-win32-status time-taken"
)
"""The fields that IIS 10 logs by default."""
_IIS_7: Final = _IIS_10.replace("cs(Referer) ", "")


def _with_bytes(fields: str) -> str:
    """*fields* with the two sizes, which an administrator has to switch on."""
    return fields.replace("time-taken", "sc-bytes cs-bytes time-taken")


@attrs.frozen
class Windows:
    """The operating system: *caption*, *version* and *powershell*, the version of its engine."""

    caption: str
    version: str
    powershell: str

    @property
    def build(self) -> str:
        return self.version.rpartition(".")[2]


@attrs.frozen
class Product:
    """One version of Exchange.

    *build* is what AdminDisplayVersion shows, *object_version* the ExchangeVersion of the objects that it makes.
    *throttling* is the model of its policies. *pools* are those of a server with the client access role: whether the
    pool is started, and how many processors its worker process uses when idle (0: it has none). *sites* are the web
    sites by number; where there are two, a front end (1) passes requests on to a back end (2). *fields* are what each
    site logs. *protocol* is the newest version of ActiveSync, times ten.
    """

    version: str
    build: tuple[int, int, int, int]
    object_version: str
    windows: Windows
    iis: str
    clr: str
    install: str
    throttling: Model
    pools: Mapping[str, tuple[bool, float]]
    sites: Mapping[int, str]
    fields: Mapping[int, str]
    protocol: int

    def pools_of(self, *, client_access: bool) -> Mapping[str, tuple[bool, float]]:
        """The pools of a server; without the client access role it has only a few."""
        few = ("MSExchangePowerShellAppPool", "DefaultAppPool")
        return {name: pool for name, pool in self.pools.items() if client_access or name in few}

    @property
    def has_back_end(self) -> bool:
        return len(self.sites) > 1


_2010: Final = Product(
    version="2010",
    build=(14, 3, 123, 4),
    object_version="0.10 (14.0.100.0)",
    windows=Windows("Microsoft Windows Server 2008 R2 Standard ", "6.1.7601", "2.0"),
    iis="7.5",
    clr="v2.0",
    install=r"C:\Program Files\Microsoft\Exchange Server\V14",
    throttling="percent",
    pools={
        SYNC_POOL: (True, 0.02),
        "MSExchangeAutodiscoverAppPool": (True, 0.006),
        "MSExchangeECPAppPool": (True, 0.004),
        "MSExchangeOWAAppPool": (True, 0.01),
        "MSExchangePowerShellAppPool": (True, 0.008),
        "MSExchangeServicesAppPool": (True, 0.02),
        "DefaultAppPool": (True, 0.0),
        "Classic .NET AppPool": (True, 0.0),
    },
    sites={1: "Default Web Site"},
    fields={1: _with_bytes(_IIS_7)},
    protocol=141,
)

_2016: Final = Product(
    version="2016",
    build=(15, 1, 2507, 39),
    object_version="0.20 (15.0.0.0)",
    windows=Windows("Microsoft Windows Server 2016 Standard", "10.0.14393", "5.1"),
    iis="10.0",
    clr="v4.0",
    install=r"C:\Program Files\Microsoft\Exchange Server\V15",
    throttling="budget",
    pools={
        SYNC_POOL: (True, 0.02),
        "MSExchangeAutodiscoverAppPool": (True, 0.006),
        "MSExchangeECPAppPool": (True, 0.004),
        "MSExchangeMapiFrontEndAppPool": (True, 0.02),
        "MSExchangeMapiMailboxAppPool": (True, 0.03),
        "MSExchangeOWAAppPool": (True, 0.01),
        "MSExchangePowerShellAppPool": (True, 0.008),
        "MSExchangePowerShellFrontEndAppPool": (True, 0.002),
        "MSExchangeRpcProxyAppPool": (True, 0.01),
        "MSExchangeServicesAppPool": (True, 0.02),
        "DefaultAppPool": (True, 0.0),
        ".NET v4.5 Classic": (False, 0.0),
    },
    sites={1: "Default Web Site", 2: "Exchange Back End"},
    fields={1: _IIS_10, 2: _with_bytes(_IIS_10)},
    protocol=161,
)

PRODUCTS: Final[Mapping[str, Product]] = {product.version: product for product in (_2010, _2016)}
