"""The reference pages made from the JSON Schemas: the keys of playbooks and inventories, and what --json prints.

``tools/reference.py`` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.inventory.schema import inventory_schema
from easops.notify.schema import notifications_schema
from easops.playbook.language.json_schema import playbook_schema
from easops.readings import READINGS
from easops.report.document.json_schema import report_schema

Schema = Mapping[str, Any]

_SECTIONS = {"step_of_group": "[steps](#a-step)"}
"""Kinds that are told in a section of another name."""
_KINDS = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "null": "null"}


def table(schema: Schema, defs: Schema) -> Iterator[str]:
    """A row for each key of an object."""
    yield from ("| key | kind | |", "| --- | --- | --- |")
    required = schema.get("required", ())
    for key, held in schema["properties"].items():
        if held is False:
            continue
        told = [_sentence(held, defs)]
        told += [f"default {held['default']}"] if "default" in held else []
        told += ["required"] if key in required and not schema.get("description") else []
        yield f"| `{key}` | {kind(held, defs)} | {'; '.join(part for part in told if part)} |"


def _sentence(schema: Schema, defs: Schema) -> str:
    held = schema.get("description", "")
    return held if len(held) < 150 else ""  # a class's own is its section's


def kind(schema: Schema, defs: Schema) -> str:
    """What a value is, in a few words; a kind with a section of its own as a link to it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _SECTIONS.get(name, f"[{name}](#{name})")
    if "const" in schema:
        return f"`{_written(schema['const'])}`"
    if "enum" in schema:
        words = {_written(one).lower(): _written(one) for one in reversed(schema["enum"])}
        return ", ".join(f"`{word}`" for word in reversed(words.values()))
    if schema.get("oneOf") and all("const" in one for one in schema["oneOf"]):
        return kind({"enum": [one["const"] for one in schema["oneOf"]]}, defs)
    if "anyOf" in schema or "oneOf" in schema:
        kinds = [kind(one, defs) for one in schema.get("anyOf", schema.get("oneOf", ()))]
        return " or ".join(dict.fromkeys(one for one in kinds if one))
    if schema.get("type") == "array":
        inner = kind(schema.get("items", {}), defs)
        return f"list of {inner}" if inner not in ("", "any", "mapping") else "list"
    if schema.get("type") == "object":
        inner = kind(schema.get("additionalProperties") or {}, defs)
        return f"mapping of {inner}" if inner not in ("", "any", "mapping") else "mapping"
    if schema.get("format") == "date-time":
        return "time (ISO 8601)"
    if "{" in schema.get("pattern", ""):
        return "expression"
    return _KINDS.get(schema.get("type", ""), "any" if not schema or set(schema) == {"description"} else "")


def _written(value: object) -> str:
    return (
        {True: "true", False: "false", None: "null"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )


def json_documents() -> str:
    schema = report_schema(READINGS)
    defs = schema["$defs"]
    documents = [one["$ref"].rpartition("/")[2] for one in schema["anyOf"]]
    lines = [
        "# What --json prints",
        "",
        "Each command prints one document on stdout and nothing else there. `easops schema report` gives the JSON",
        "Schema of them all; this page is made from it, and the outputs of every command are held against it. A later",
        "release may add keys; one that is here stays, with its meaning.",
        "",
        "Times of the day are ISO 8601 text, durations are seconds. `exit_code` is what the command exits with",
        "([statuses and exit codes](exit-codes.md)).",
        "",
    ]
    for name in [*documents, *sorted(set(defs) - set(documents))]:
        lines += [f"## {name}", "", *_section(defs[name], defs), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(schema: Schema, defs: Schema) -> Iterator[str]:
    told = schema.get("description", "")
    if "properties" not in schema:
        yield from (f"{told[:1].upper()}{told[1:]}: {kind(schema, defs)}.",)
        return
    yield from (f"{told[:1].upper()}{told[1:].rstrip('.')}.", "", *table(schema, defs))
    for key, held in schema["properties"].items():
        inner = _inner(held)
        if inner is not None:
            yield from (
                "",
                f"`{key}` {'has one object each' if held.get('type') == 'array' else 'is an object'} of:",
                "",
            )
            yield from table(inner, defs)


def _inner(schema: Schema) -> Schema | None:
    """The object that a value is, or that each of a list is, where it has no section of its own."""
    ways = [schema, schema.get("items", {}), *schema.get("anyOf", ())]
    return next((one for one in ways if isinstance(one, Mapping) and "properties" in one), None)


def playbook_keys() -> str:
    schema = playbook_schema(actions=ACTIONS, detectors=DETECTORS)
    defs = schema["$defs"]
    keys = schema["properties"]
    lines = [
        "# Keys of a playbook",
        "",
        "[What a playbook means](../explanation/playbooks.md) explains them; `easops schema` gives the JSON Schema",
        "that this page is made from. Where a kind is an expression, it stands in braces: `{{ storm.users }}`.",
        "",
        "## The playbook",
        "",
        *table(schema, defs),
        "",
        "## An input",
        "",
        "`inputs:` has one for each name.",
        "",
        *table(keys["inputs"]["additionalProperties"], defs),
        "",
        "## Limits",
        "",
        *table(keys["limits"], defs),
        "",
        "## A step",
        "",
        f"A step has exactly one of {', '.join(f'`{one}`' for one in _kinds_of(defs['step']))}.",
        "",
        *table(defs["step"], defs),
        "",
        "## A group",
        "",
        "`each_host` in the place of a step: all its steps on one host before the next begins. They have no `on`.",
        "",
        *table(keys["steps"]["items"]["then"], defs),
    ]
    return "\n".join(lines) + "\n"


def _kinds_of(step: Schema) -> list[str]:
    return [one["required"][0] for one in step["oneOf"]]


def inventory_keys() -> str:
    schema = inventory_schema()
    keys = schema["properties"]
    host = keys["hosts"]["items"]
    endpoint = next(iter(host["properties"]["endpoints"]["properties"].values()))
    credential = keys["credentials"]["additionalProperties"]
    lines = [
        "# Keys of an inventory",
        "",
        "[Connect to your servers](../how-to/connect.md) shows whole ones; `easops schema inventory` gives the JSON",
        "Schema that this page is made from.",
        "",
        "## The inventory",
        "",
        *table(schema, {}),
        "",
        "## A host",
        "",
        "`organisation`, `version`, `roles` and `endpoints` stand at each host or in `defaults`.",
        "",
        *table(host, {}),
        "",
        "## An endpoint",
        "",
        "`exchange` reaches the organisation, `windows` one server; a host has one of them or both.",
        "",
        *table(endpoint, {}),
        "",
        "## A credential",
        "",
        *table(credential, {}),
        "",
        "`password` is one of:",
        "",
        *table(credential["properties"]["password"], {}),
    ]
    return "\n".join(lines) + "\n"


def notification_keys() -> str:
    schema = notifications_schema()
    channel = schema["properties"]["notifications"]["items"]
    lines = [
        "# Keys of notifications",
        "",
        "[Be notified of a run's end](../how-to/be-notified.md) shows whole files; `easops schema notifications` gives",
        "the JSON Schema that this page is made from. A value that is a mapping names where a secret is: `env` or",
        "`file`.",
        "",
        "## The file",
        "",
        *table(schema, {}),
        "",
        "## A channel",
        "",
        "`notifications:` is a list of these; each has one of `webhook`, `smtp` and `file`.",
        "",
        *table(channel, {}),
    ]
    for name, held in channel["properties"].items():
        inner = _inner(held)
        if inner is not None:
            lines += ["", f"## {name}", "", *table(inner, {})]
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "json.md": json_documents,
    "playbook-keys.md": playbook_keys,
    "inventory-keys.md": inventory_keys,
    "notification-keys.md": notification_keys,
}
