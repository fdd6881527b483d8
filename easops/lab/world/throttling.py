"""Throttling policies of 2013 and later, and what the Global one holds.

The values are those of a real Global policy (Exchange 2013 CU23, as an administrator published them); 2016 has the
same names and a few more, which the lab does not know.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

import attrs

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

GLOBAL_VALUES: Final[Mapping[str, str]] = {
    name: value for name, _, value in (item.partition("=") for item in _GLOBAL.split())
}
"""The values of the Global policy by the names that Get-ThrottlingPolicy prints: digits, or ``Unlimited``."""

SETTINGS: Final[Mapping[str, str]] = {name.lower(): name for name in GLOBAL_VALUES}
"""The printed name of each setting by its lower-case one: New-ThrottlingPolicy writes some in another case."""


@attrs.define
class Policy:
    """One policy. *history* holds what it sets itself (all else it inherits), with the world time of each change."""

    name: str
    guid: uuid.UUID
    scope: str
    created: float
    history: list[tuple[float, Mapping[str, str]]]

    @property
    def values(self) -> Mapping[str, str]:
        """What it sets itself now."""
        return self.history[-1][1]

    def values_at(self, time: float) -> Mapping[str, str]:
        """What it set itself at *time*; the earliest known where it is younger."""
        for since, values in reversed(self.history):
            if since <= time:
                return values
        return self.history[0][1]


def number(value: str) -> float:
    """A limit as a number; ``Unlimited`` is above all."""
    return float("inf") if value == "Unlimited" else float(value)


LOW_RECHARGE: Final = 900_000.0
LOW_BURST: Final = 240_000.0


def is_low(values: Mapping[str, str]) -> bool:
    """Whether a user with these ActiveSync limits is soon over budget when his phone floods.

    A simplification: a flooding phone costs more than half of the default budget and less than all of it, so it is
    refused at once where either limit is at most half the default, and never where none is. Nobody else comes near.
    """
    return number(values["EasRechargeRate"]) <= LOW_RECHARGE or number(values["EasMaxBurst"]) <= LOW_BURST
