"""The log line of an ActiveSync request on 2010: one line, with ``Log=``, in the client access server's one web site.

The query is logged as the phone sent it, also where that is base64. Tokens and their order are those of published lines
of 2010 servers: integers follow their key directly; ``RpcC`` and ``RpcL`` are RPC requests and their time.
"""

from __future__ import annotations

import random
from typing import Final

from easops.lab.world.eas_line import text
from easops.lab.world.host import Server
from easops.lab.world.phone import Phone
from easops.lab.world.request import Folder, Request

STEM: Final = "/Microsoft-Server-ActiveSync/default.eas"


def _block(folder: Folder) -> str:
    client, server = folder.client.removesuffix("0s0fs"), folder.server.removesuffix("0A0sd")
    return (
        f"Fid:{folder.id}_Ty:{folder.kind}_Filt{folder.filter}_St:{folder.state}_Sk:{folder.key}_Sst{folder.size}"
        f"_Srv:{server}_Cli:{client}"
    )


def _budget(request: Request, milliseconds: int, rng: random.Random) -> str:
    """How much of each minute is used, and the allowed percentages (``$null``: no limit)."""
    used = 0 if request.error else min(60_000, milliseconds)
    times = (used // 90, used, used // 3)
    parts = "".join(
        f"{name}%3a{time}%2f60000%2f{limit}%25%2c"
        for name, time, limit in zip(("AD", "CAS", "RPC"), times, request.budget, strict=True)
    )
    health = f",Norm[Resources:(Mdb){request.client.phone.home.database}(Health:{rng.randint(-1, 100)}%,HistLoad:0),]"
    return f"{text('(D)Conn:1,HangingConn:0,')}{parts}FC%3a1000%2f0%2cPolicy%3a{request.policy}{text(health)}"


def line(request: Request, ended: float, win32: int = 0) -> str:
    """The line, without date and time."""
    client = request.client
    phone, rng, server = client.phone, client.rng, request.back
    milliseconds = round((ended - request.start) * 1000)
    account = phone.account if rng.random() > 0.02 else phone.other_account
    tail = (
        f" 443 {account} {phone.ip} {phone.user_agent} {request.status} 0 {win32} "
        f"{request.bytes_out} {request.bytes_in} {milliseconds}"
    )
    if request.command == "OPTIONS":
        return f"{server.ip} OPTIONS {STEM} &Log=V0_LdapC1_LdapL{rng.randint(2, 20)}_{tail}"
    log = (
        f"V{phone.protocol}_{f'Fc1_{_block(request.folder)}_' if request.folder else ''}"
        f"{f'Hb{request.heartbeat}_' if request.heartbeat else ''}{'Rto1_' if request.timed_out else ''}"
        f"LdapC{rng.randint(1, 3)}_LdapL{rng.randint(2, 40)}"
        f"_RpcC{request.rpc}_RpcL{request.rpc * 2 + rng.randint(0, 50)}_"
        f"{f'Error:{request.error}_' if request.error else ''}Pk{phone.policy_key}"
        f"{f'_As:{request.access}' if request.access else ''}_Mbx:{phone.home.fqdn}_Dc:{server.dc}_Throttle0_"
        f"Budget:{_budget(request, milliseconds, rng)}_"
    )
    return f"{server.ip} POST {STEM} {phone.front_query(request.command)}&Log={log}{tail}"


def challenge_line(server: Server, phone: Phone, command: str, rng: random.Random) -> str:
    """A first attempt without credentials: 401."""
    tail = f"443 - {phone.ip} {phone.user_agent} 401 2 5 {rng.randint(1200, 1300)} {rng.randint(180, 420)} 4"
    return f"{server.ip} POST {STEM} {phone.front_query(command)} {tail}"
