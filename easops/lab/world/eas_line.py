"""The log lines of an ActiveSync request on 2016: one in the front end's site, and one with ``Log=`` in the back end's.

The form of the tokens and their order are those of published lines of 2016 servers.
"""

from __future__ import annotations

import random
from typing import Final
from urllib.parse import quote

from easops.lab.world.host import Server
from easops.lab.world.phone import Phone
from easops.lab.world.request import Folder, Request

BACK_STEM: Final = "/Microsoft-Server-ActiveSync/Proxy/default.eas"
FRONT_STEM: Final = "/Microsoft-Server-ActiveSync/default.eas"


def text(value: str) -> str:
    """A text value of ``Log=``: URL-encoded in lower case, ``_`` too."""
    encoded = quote(value, safe="!*()-.")
    parts = encoded.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])]).replace("_", "%5F")


def _guid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _block(folder: Folder) -> str:
    """A folder block of ``Log=``."""
    return (
        f"Fid:{folder.id}_Ty:{folder.kind}_Filter1:{folder.filter}_St:{folder.state}_Sk:{folder.key}"
        f"_Sks:{folder.key + 1}_Sst1:{folder.size}_SsCmt1:{folder.size // 3 + 1}"
        f"_Srv:{folder.server}_Cli:{folder.client}"
    )


def back_line(request: Request, ended: float, domain: str, win32: int = 0) -> str:
    """The back end's line, without date and time."""
    client = request.client
    phone, rng = client.phone, client.rng
    milliseconds = round((ended - request.start) * 1000)
    back, front = request.back, request.front
    account = phone.account if rng.random() > 0.02 else phone.other_account
    tail = (
        f" 444 {account} {front.ip} {phone.user_agent} - {request.status} 0 {win32} "
        f"{request.bytes_out} {request.bytes_in} {milliseconds}"
    )
    if request.command == "OPTIONS":
        log = f"Ver1:0_HH:mail.{domain}_Cafe:{front.fqdn.upper()}_Throttle:0_"
        return f"{back.ip} OPTIONS {BACK_STEM} &Log={log}{tail}"
    mailbox = phone.mailbox
    instance = f"%5b{back.name.lower()}.{back.database.lower()}%5d"
    burst, cutoff, recharge = request.budget
    budget = (
        f"Owner%3a{mailbox.sid}%5F{phone.device_id}%5F{phone.kind}%2cConn%3a1%2cMaxConn%3a10%2cMaxBurst%3a{burst}"
        f"%2cBalance%3a{request.balance}%2cCutoff%3a{cutoff}%2cRechargeRate%3a{recharge}%2cPolicy%3a{request.policy}"
        "%2cIsServiceAccount%3aFalse%2cLiveTime%3a00%3a00%3a"
    )
    live = rng.random() * 50
    rpc_time = request.rpc * 2 + int(live)
    log = (
        f"{'' if request.error else 'SC1:1_'}PrxFrom:{front.ip}_Ver1:{phone.protocol}_HH:mail.{domain}"
        f"_SmtpAdrs:{mailbox.smtp.replace('@', '%40')}_"
        f"{f'Hb:{request.heartbeat}_' if request.heartbeat else ''}{'Rto:1_' if request.timed_out else ''}"
        f"{f'FldrC1:1_{_block(request.folder)}_' if request.folder else ''}"
        f"{f'Error:{request.error}_' if request.error else ''}Fet:{milliseconds}_Pk:{phone.policy_key}"
        f"{f'_As:{request.access}' if request.access else ''}_Mbx:{back.fqdn}_Cafe:{front.fqdn.upper()}_Dc:{back.dc}"
        f"_Throttle:0_{'BkOffRsn:OutOfBudget_SBkOffD:L%2f600' if request.error == 'OverBudget' else 'SBkOffD:L%2f-470'}"
        f"_Budget:(A){budget}{live:010.7f}%3b(D){budget}{live / 2:010.7f}"
        f"_ActivityContextData:ActivityID%3d{_guid(rng)}%3bI32%3aADS.C%5bdc01%5d%3d1%3bF%3aADS.AL%5bdc01%5d%3d{live:.4f}"
        f"%3bI32%3aRPC.C{instance}%3d{request.rpc}%3bDbl%3aRPC.T{instance}%3d{rpc_time}"
        f"%3bI32%3aROP.C{instance}%3d{request.rpc * 7}%3bS%3aWLM.Bal%3d{request.balance}%3bS%3aWLM.BT%3dEas_"
    )
    return f"{back.ip} POST {BACK_STEM} {phone.query(request.command)}&Log={log}{tail}"


def front_line(request: Request, ended: float, status: int, win32: int = 0) -> str:
    """The front end's line, without date and time. *status* differs from the back end's where that process ended."""
    phone, rng = request.client.phone, request.client.rng
    milliseconds = round((ended - request.start) * 1000) + 6
    proxy = f"CorrelationID=<empty>;&cafeReqId={_guid(rng)};"
    if request.command == "OPTIONS":
        verb, query = "OPTIONS", f"&{proxy}"
    else:
        verb, query = "POST", f"{phone.front_query(request.command)}&{proxy}"
    return (
        f"{request.front.ip} {verb} {FRONT_STEM} {query} 443 {phone.account} {phone.ip} {phone.user_agent} - "
        f"{status} 0 {win32} {milliseconds}"
    )


def challenge_line(front: Server, phone: Phone, command: str) -> str:
    """A first attempt without credentials: 401 from the front end, and no line in the back end."""
    query = f"{phone.front_query(command)}&CorrelationID=<empty>;"
    return f"{front.ip} POST {FRONT_STEM} {query} 443 - {phone.ip} {phone.user_agent} - 401 0 0 4"


def probe_lines(server: Server, mailbox: str, rng: random.Random) -> tuple[str, str]:
    """A health probe of Managed Availability: the lines of the front end and the back end."""
    user = f"User={mailbox.replace('@', '%40')}&DeviceId=EASProbeDeviceId141&DeviceType=EASProbeDeviceType&Cmd=Settings"
    agent = "AMProbe/Local/ClientAccess"
    front = (
        f"127.0.0.1 POST {FRONT_STEM} {user}&CorrelationID=<empty>;&cafeReqId={_guid(rng)}; 443 {mailbox} 127.0.0.1 "
        f"{agent} - 200 0 0 {rng.randint(20, 90)}"
    )
    log = (
        f"SC1:1_PrxFrom:{server.ip}_Ver1:141_HH:localhost_Mbx:{server.fqdn}_Cafe:{server.fqdn.upper()}_Dc:{server.dc}"
        f"_Throttle:0_ActivityContextData:ActivityID%3d{_guid(rng)}%3bI32%3aRPC.C%5b{server.name.lower()}."
        f"{server.database.lower()}%5d%3d3_"
    )
    back = (
        f"{server.ip} POST {BACK_STEM} {user}&Log={log} 444 {mailbox} {server.ip} {agent} - 200 0 0 "
        f"{rng.randint(220, 320)} 190 {rng.randint(15, 60)}"
    )
    return front, back
