"""The cmdlets that the lab answers: ``CMDLETS``. Each file has one noun of Exchange or Windows."""

from __future__ import annotations

from easops.lab.cmdlets.cas_mailbox import GET_CAS_MAILBOX, SET_CAS_MAILBOX
from easops.lab.cmdlets.cim import GET_CIM_INSTANCE, GET_WMI_OBJECT
from easops.lab.cmdlets.exchange_server import GET_EXCHANGE_SERVER, GET_ORGANIZATION_CONFIG
from easops.lab.cmdlets.forest import GET_DOMAIN_CONTROLLER, SET_AD_SERVER_SETTINGS
from easops.lab.cmdlets.group import GET_GROUP, GET_RECIPIENT
from easops.lab.cmdlets.iis import (
    GET_ITEM_PROPERTY,
    GET_WEB_APP_POOL_STATE,
    GET_WEB_CONFIGURATION_PROPERTY,
    GET_WEBSITE,
    RESTART_WEB_APP_POOL,
)
from easops.lab.cmdlets.mailbox import (
    GET_MAILBOX,
    GET_MAILBOX_FOLDER_STATISTICS,
    GET_MAILBOX_STATISTICS,
    GET_USER,
)
from easops.lab.cmdlets.mobile_device import (
    GET_ACTIVE_SYNC_DEVICE,
    GET_ACTIVE_SYNC_DEVICE_STATISTICS,
    GET_MOBILE_DEVICE,
    GET_MOBILE_DEVICE_STATISTICS,
)
from easops.lab.cmdlets.shell import GET_CHILD_ITEM, GET_DATE, IMPORT_MODULE
from easops.lab.cmdlets.throttling_policy import (
    GET_ASSOCIATION,
    GET_POLICY,
    NEW_POLICY,
    REMOVE_POLICY,
    SET_ASSOCIATION,
    SET_POLICY,
)
from easops.lab.cmdlets.web_request import GET_WEB_REQUEST
from easops.registry import table

CMDLETS = table(
    GET_ACTIVE_SYNC_DEVICE,
    GET_ACTIVE_SYNC_DEVICE_STATISTICS,
    GET_ASSOCIATION,
    GET_CAS_MAILBOX,
    GET_CHILD_ITEM,
    GET_CIM_INSTANCE,
    GET_DATE,
    GET_EXCHANGE_SERVER,
    GET_DOMAIN_CONTROLLER,
    SET_AD_SERVER_SETTINGS,
    GET_GROUP,
    GET_ITEM_PROPERTY,
    GET_MAILBOX,
    GET_MAILBOX_FOLDER_STATISTICS,
    GET_MAILBOX_STATISTICS,
    GET_MOBILE_DEVICE,
    GET_MOBILE_DEVICE_STATISTICS,
    GET_ORGANIZATION_CONFIG,
    GET_POLICY,
    GET_RECIPIENT,
    GET_USER,
    GET_WEBSITE,
    GET_WEB_APP_POOL_STATE,
    GET_WEB_CONFIGURATION_PROPERTY,
    GET_WEB_REQUEST,
    GET_WMI_OBJECT,
    IMPORT_MODULE,
    NEW_POLICY,
    REMOVE_POLICY,
    RESTART_WEB_APP_POOL,
    SET_ASSOCIATION,
    SET_CAS_MAILBOX,
    SET_POLICY,
)
