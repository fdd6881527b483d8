"""Throttling policies: percentages and the default policy of 2010, budgets and the Global policy of 2013 and later.

The Global values are those of a real policy (Exchange 2013 CU23, as an administrator published them); 2016 has the
same names and a few more, which the lab does not have. Of 2010's, EASPercentTimeInCAS is as KB 2711053 states it and
EASMaxConcurrency as the cmdlet's page does; the other values have no effect here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

import attrs

from easops.lab.world.product import Model
from easops.lab.world.replication import Write

_GLOBAL: Final = """
AnonymousMaxConcurrency=1 AnonymousMaxBurst=120000 AnonymousRechargeRate=420000 AnonymousCutoffBalance=720000
EasMaxConcurrency=10 EasMaxBurst=480000 EasRechargeRate=1800000 EasCutoffBalance=600000 EasMaxDevices=100
EasMaxDeviceDeletesPerMonth=Unlimited EasMaxInactivityForDeviceCleanup=Unlimited EwsMaxConcurrency=27
EwsMaxBurst=300000 EwsRechargeRate=900000 EwsCutoffBalance=3000000 EwsMaxSubscriptions=5000
ImapMaxConcurrency=Unlimited ImapMaxBurst=3600000 ImapRechargeRate=600000 ImapCutoffBalance=Unlimited
OutlookServiceMaxConcurrency=27 OutlookServiceMaxBurst=300000 OutlookServiceRechargeRate=900000
OutlookServiceCutoffBalance=3000000 OutlookServiceMaxSubscriptions=5000
OutlookServiceMaxSocketConnectionsPerDevice=4 OutlookServiceMaxSocketConnectionsPerUser=12 OwaMaxConcurrency=20
OwaMaxBurst=480000 OwaRechargeRate=1800000 OwaCutoffBalance=Unlimited OwaVoiceMaxConcurrency=3
OwaVoiceMaxBurst=75000 OwaVoiceRechargeRate=375000 OwaVoiceCutoffBalance=525000 PopMaxConcurrency=20
PopMaxBurst=3600000 PopRechargeRate=600000 PopCutoffBalance=Unlimited PowerShellMaxConcurrency=18
PowerShellMaxBurst=Unlimited PowerShellRechargeRate=Unlimited PowerShellCutoffBalance=Unlimited
PowerShellMaxTenantConcurrency=Unlimited PowerShellMaxOperations=Unlimited
PowerShellMaxCmdletsTimePeriod=Unlimited ExchangeMaxCmdlets=Unlimited PowerShellMaxCmdletQueueDepth=Unlimited
PowerShellMaxDestructiveCmdlets=Unlimited PowerShellMaxDestructiveCmdletsTimePeriod=Unlimited
PowerShellMaxCmdlets=Unlimited PowerShellMaxRunspaces=Unlimited PowerShellMaxTenantRunspaces=Unlimited
PowerShellMaxRunspacesTimePeriod=Unlimited PswsMaxConcurrency=18 PswsMaxRequest=Unlimited
PswsMaxRequestTimePeriod=Unlimited RcaMaxConcurrency=40 RcaMaxBurst=150000 RcaRechargeRate=900000
RcaCutoffBalance=Unlimited CpaMaxConcurrency=20 CpaMaxBurst=Unlimited CpaRechargeRate=Unlimited
CpaCutoffBalance=Unlimited MessageRateLimit=Unlimited RecipientRateLimit=Unlimited ForwardeeLimit=Unlimited
DiscoveryMaxConcurrency=2 DiscoveryMaxMailboxes=5000 DiscoveryMaxKeywords=500
DiscoveryMaxPreviewSearchMailboxes=5000 DiscoveryMaxStatsSearchMailboxes=100
DiscoveryPreviewSearchResultsPageSize=200 DiscoveryMaxKeywordsPerPage=25 DiscoveryMaxRefinerResults=10
DiscoveryMaxSearchQueueDepth=32 DiscoverySearchTimeoutPeriod=10 PushNotificationMaxConcurrency=20
PushNotificationMaxBurst=Unlimited PushNotificationRechargeRate=Unlimited
PushNotificationCutoffBalance=Unlimited PushNotificationMaxBurstPerDevice=10
PushNotificationRechargeRatePerDevice=6 PushNotificationSamplingPeriodPerDevice=600000
EncryptionSenderMaxConcurrency=200 EncryptionSenderMaxBurst=4800000 EncryptionSenderRechargeRate=18000000
EncryptionSenderCutoffBalance=Unlimited EncryptionRecipientMaxConcurrency=20 EncryptionRecipientMaxBurst=480000
EncryptionRecipientRechargeRate=1800000 EncryptionRecipientCutoffBalance=Unlimited
ComplianceMaxExpansionDGRecipients=10000 ComplianceMaxExpansionNestedDGs=25
"""

_DEFAULT: Final = """
AnonymousMaxConcurrency=1 AnonymousPercentTimeInAD= AnonymousPercentTimeInCAS= AnonymousPercentTimeInMailboxRPC=
EASMaxConcurrency=10 EASPercentTimeInAD= EASPercentTimeInCAS=100 EASPercentTimeInMailboxRPC= EASMaxDevices=100
EASMaxDeviceDeletesPerMonth= EWSMaxConcurrency=10 EWSPercentTimeInAD=50 EWSPercentTimeInCAS=90
EWSPercentTimeInMailboxRPC=60 EWSMaxSubscriptions=5000 EWSFastSearchTimeoutInSeconds=60 EWSFindCountLimit=1000
IMAPMaxConcurrency= IMAPPercentTimeInAD= IMAPPercentTimeInCAS= IMAPPercentTimeInMailboxRPC= OWAMaxConcurrency=5
OWAPercentTimeInAD=30 OWAPercentTimeInCAS=150 OWAPercentTimeInMailboxRPC=150 POPMaxConcurrency=20 POPPercentTimeInAD=
POPPercentTimeInCAS= POPPercentTimeInMailboxRPC= PowerShellMaxConcurrency=18 PowerShellMaxTenantConcurrency=
PowerShellMaxCmdlets= PowerShellMaxCmdletsTimePeriod= ExchangeMaxCmdlets= PowerShellMaxCmdletQueueDepth=
PowerShellMaxDestructiveCmdlets= PowerShellMaxDestructiveCmdletsTimePeriod= RCAMaxConcurrency=20 RCAPercentTimeInAD=5
RCAPercentTimeInCAS=205 RCAPercentTimeInMailboxRPC=200 CPAMaxConcurrency=20 CPAPercentTimeInCAS=205
CPAPercentTimeInMailboxRPC=200 MessageRateLimit= RecipientRateLimit= ForwardeeLimit= CPUStartPercent=75
"""

GLOBAL_VALUES: Final[Mapping[str, str]] = {
    name: value for name, _, value in (item.partition("=") for item in _GLOBAL.split())
}
"""The values of the Global policy by the names that Get-ThrottlingPolicy prints: digits, or ``Unlimited``."""

DEFAULT_PERCENTS: Final[Mapping[str, str]] = {
    name: value for name, _, value in (item.partition("=") for item in _DEFAULT.split())
}
"""The values of 2010's default policy, by the names that Get-ThrottlingPolicy prints: digits, or nothing (no limit)."""

PRINTED: Final[Mapping[Model, Mapping[str, str]]] = {
    "budget": {name.lower(): name for name in GLOBAL_VALUES},
    "percent": {name.lower(): name for name in DEFAULT_PERCENTS},
}
"""The printed name of each setting by its lower-case one: New-ThrottlingPolicy writes some in another case."""


@attrs.define(eq=False)
class Policy:
    """One policy. *history* has, for each change, all values that the policy sets itself from then on."""

    name: str
    guid: uuid.UUID
    scope: str
    model: Model
    history: list[Write]
    removed: Write | None = None

    @property
    def created(self) -> float:
        return self.history[0].time


LOW_RECHARGE: Final = 900_000.0
LOW_BURST: Final = 240_000.0
LOW_PERCENT: Final = 50.0


def is_low(values: Mapping[str, str]) -> bool:
    """Whether a user with these ActiveSync limits is over budget as soon as the phone floods.

    A simplification: a flooding phone costs more than half of the default budget and less than all of it. So it is
    refused at once where a limit is at most half the default, and never where none is. No other phone comes near a
    limit. Of the percentages of 2010, a flood reaches only the one for time in the client access server.
    """
    if "EASPercentTimeInCAS" in values:
        return _number(values["EASPercentTimeInCAS"]) <= LOW_PERCENT
    return _number(values["EasRechargeRate"]) <= LOW_RECHARGE or _number(values["EasMaxBurst"]) <= LOW_BURST


def _number(value: str) -> float:
    """A limit as a number; ``Unlimited`` and an empty text are infinite."""
    return float(value) if value.isdigit() else float("inf")
