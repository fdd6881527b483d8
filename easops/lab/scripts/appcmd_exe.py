"""appcmd.exe: lists application pools, sites, worker processes and their requests, and recycles a pool.

Forms, texts and exit codes are those of published output of IIS 7.5 and later. That an empty list ends with 1 in XML
too is inferred from its text form.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import quoteattr

import attrs

from easops.lab.cmdlets.iis import pool_settings, site_settings
from easops.lab.cmdlets.web_request import executing
from easops.lab.value import I64
from easops.lab.world import World
from easops.lab.world.host import Server

_NOT_FOUND: Final = 1168  # ERROR_NOT_FOUND
_NOT_STARTED: Final = -2147023834  # 0x80070426
_NOTHING: Final = 1


class NotSimulated(Exception):
    """The lab does not know what appcmd.exe answers to these arguments."""


@attrs.frozen
class Result:
    """The lines that appcmd.exe wrote, and its exit code."""

    lines: tuple[str, ...]
    code: int = 0


@attrs.frozen
class _Object:
    """One object that appcmd lists.

    The first of its *attributes* is its name. *summary* is what a line of text shows of it. *settings* are its
    configuration, values by dotted name, below an element called *root*.
    """

    kind: str
    attributes: Mapping[str, str]
    summary: str
    root: str = ""
    settings: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def name(self) -> str:
        return next(iter(self.attributes.values()))

    def value(self, name: str) -> str | None:
        """An attribute or, by its dotted name, a setting; None where there is neither."""
        values = {**self.attributes, **{key: _text(value) for key, value in self.settings.items()}}
        return next((value for key, value in values.items() if key.lower() == name.lower()), None)

    def element(self, *, configuration: bool) -> ET.Element:
        """The object as XML, with its settings where *configuration* is True."""
        element = ET.Element(self.kind, dict(self.attributes))
        if configuration and self.settings:
            root = ET.SubElement(element, self.root)
            for name, value in self.settings.items():
                *path, last = name.split(".")
                inner = root
                for part in path:
                    found = inner.find(part)
                    inner = ET.SubElement(inner, part) if found is None else found
                inner.set(last, _text(value))
        return element


def changes(arguments: Sequence[str]) -> bool:
    """Whether these arguments change the world."""
    return bool(arguments) and arguments[0].lower() != "list"


def run(world: World, server: Server, arguments: Sequence[str]) -> Result:
    """Run appcmd.exe with *arguments* on *server*. Raises NotSimulated."""
    words = [argument for argument in arguments if not argument.startswith("/")]
    options = dict(_option(argument) for argument in arguments if argument.startswith("/"))
    if len(words) not in (2, 3):
        raise NotSimulated(" ".join(arguments))
    verb, kind = words[0].lower(), words[1].lower().removesuffix("s")
    if kind not in _KINDS or (verb, kind) not in [*(("list", kind) for kind in _KINDS), ("recycle", "apppool")]:
        raise NotSimulated(" ".join(arguments))
    if "elapsed" in options:  # its value is a comparison
        raise NotSimulated(" ".join(arguments))
    objects = list(_KINDS[kind](world, server))
    name = words[2] if len(words) == 3 else options.pop(f"{kind}.name", None) if verb == "recycle" else None
    if name is not None:
        objects = [one for one in objects if one.name.lower() == name.lower()]
        if not objects:
            return _error(f'Cannot find {kind.upper()} object with identifier "{name}".', _NOT_FOUND, options)
    if verb == "recycle":
        if name is None or options:
            raise NotSimulated(" ".join(arguments))
        return _recycle(world, server, objects[0].name)
    form: dict[str, str] = {option: options.pop(option) for option in ("xml", "config", "text") if option in options}
    for option, value in options.items():
        objects = [one for one in objects if (one.value(option) or "").lower() == value.lower()]
    return Result(tuple(_written(objects, form)), 0 if objects else _NOTHING)


def _recycle(world: World, server: Server, name: str) -> Result:
    pool = server.pools[name.lower()]
    if not pool.started:
        message = "ERROR ( hresult:80070426, message:Command execution failed."
        return Result((message, "The service has not been started.", " )"), _NOT_STARTED)
    world.recycle(server, pool)
    return Result((f'"{name}" successfully recycled',))


def _option(argument: str) -> tuple[str, str]:
    name, _, value = argument[1:].partition(":")
    return name.lower(), value


def _error(message: str, code: int, options: Mapping[str, str]) -> Result:
    if "xml" in options:
        return Result(tuple(_document([f"    <ERROR message={quoteattr(message)} />"])), code)
    return Result((f"ERROR ( message:{message} )",), code)


def _written(objects: Sequence[_Object], form: Mapping[str, str]) -> Iterator[str]:
    if "xml" in form:
        lines: list[str] = []
        for one in objects:
            element = one.element(configuration="config" in form)
            ET.indent(element, "    ", level=1)
            lines += f"    {ET.tostring(element, encoding='unicode')}".splitlines()
        yield from _document(lines)
    elif "text" in form:
        for one in objects:
            if form["text"] == "*":
                yield from _tree(one.element(configuration=True))
            elif (value := one.value(form["text"])) is not None:
                yield value
    else:
        for one in objects:
            yield f'{one.kind} "{one.name}" ({one.summary})'


def _document(lines: Sequence[str]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield "<appcmd>"
    yield from lines
    yield "</appcmd>"


def _tree(element: ET.Element, depth: int = 0) -> Iterator[str]:
    """``/text:*``: an object with its values, and its sections in brackets, each level indented."""
    yield f"{'  ' * depth}{element.tag if depth == 0 else f'[{element.tag}]'}"
    for name, value in element.attrib.items():
        yield f'{"  " * (depth + 1)}{name}:"{value}"'
    for inner in element:
        yield from _tree(inner, depth + 1)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.timedelta):
        hours, rest = divmod(value.seconds, 3600)
        days = f"{value.days}." if value.days else ""
        return f"{days}{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return str(value.value if isinstance(value, I64) else value)


def _pools(world: World, server: Server) -> Iterator[_Object]:
    for pool in server.pools.values():
        settings = pool_settings(server, pool)
        state, version, mode = (
            str(settings.pop("state")), settings["managedRuntimeVersion"], settings["managedPipelineMode"],
        )  # fmt: skip
        yield _Object(
            "APPPOOL",
            {"APPPOOL.NAME": pool.name, "PipelineMode": mode, "RuntimeVersion": version, "state": state},
            f"MgdVersion:{version},MgdMode:{mode},state:{state}",
            "add",
            settings,
        )


def _sites(world: World, server: Server) -> Iterator[_Object]:
    for number, name in server.product.sites.items():
        bindings = "http/*:80:,https/*:443:" if number == 1 else "http/*:81:,https/*:444:"
        yield _Object(
            "SITE",
            {"SITE.NAME": name, "SITE.ID": str(number), "bindings": bindings, "state": "Started"},
            f"id:{number},bindings:{bindings},state:Started",
            "site",
            site_settings(server, number),
        )


def _worker_processes(world: World, server: Server) -> Iterator[_Object]:
    for worker in server.workers:
        yield _Object("WP", {"WP.NAME": str(worker.pid), "APPPOOL.NAME": worker.pool}, f"apppool:{worker.pool}")


def _requests(world: World, server: Server) -> Iterator[_Object]:
    for worker in server.workers:
        for request in executing(world, server, worker):
            texts = {name: _text(value) for name, value in request.items()}
            yield _Object(
                "REQUEST",
                {
                    "REQUEST.NAME": texts["requestId"],
                    "Url": texts["url"],
                    "Verb": texts["verb"],
                    "ClientIp": texts["clientIPAddr"],
                    "Stage": texts["pipelineState"],
                    "ModuleName": texts["currentModule"],
                    "Time": texts["timeElapsed"],
                    "SITE.ID": texts["siteId"],
                    "WP.NAME": str(worker.pid),
                    "APPPOOL.NAME": worker.pool,
                },
                f"url:{texts['verb']} {texts['url']}, time:{texts['timeElapsed']} msec, "
                f"client:{texts['clientIPAddr']}, stage:{texts['pipelineState']}, module:{texts['currentModule']}",
            )


_KINDS: Final[Mapping[str, Callable[[World, Server], Iterator[_Object]]]] = {
    "apppool": _pools,
    "site": _sites,
    "request": _requests,
    "wp": _worker_processes,
}
"""The kinds of object that are listed; the plural is accepted too."""
