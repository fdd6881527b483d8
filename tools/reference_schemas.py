"""The reference pages generated from the JSON Schemas: the keys of playbooks and inventories, and what --json prints.

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
"""Kinds that are described in a section of another name."""
_KINDS = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "null": "null"}


def table(schema: Schema, defs: Schema) -> Iterator[str]:
    """A row for each key of an object."""
    yield from ("| key | kind | |", "| --- | --- | --- |")
    required = schema.get("required", ())
    for key, value in schema["properties"].items():
        if value is False:
            continue
        notes = [_sentence(value, defs)]
        notes += [f"default {value['default']}"] if "default" in value else []
        notes += ["required"] if key in required and not schema.get("description") else []
        yield f"| `{key}` | {kind(value, defs)} | {'; '.join(note for note in notes if note)} |"


def _sentence(schema: Schema, defs: Schema) -> str:
    text = schema.get("description", "")
    return text if len(text) < 150 else ""  # a longer one is the docstring of a class: its section has it


def kind(schema: Schema, defs: Schema) -> str:
    """What a value is, in a few words; a kind with its own section as a link to it."""
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
        "Each command prints one document on stdout and nothing else there. `easops schema report` prints the JSON",
        "Schema of all of them; this page is generated from it, and the tests check the output of every command",
        "against it. A later release may add keys; a key on this page stays, with its meaning.",
        "",
        "Times are ISO 8601 text, durations are seconds. `exit_code` is what the command exits with",
        "([statuses and exit codes](exit-codes.md)).",
        "",
    ]
    for name in [*documents, *sorted(set(defs) - set(documents))]:
        lines += [f"## {name}", "", *_section(defs[name], defs), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(schema: Schema, defs: Schema) -> Iterator[str]:
    text = schema.get("description", "")
    if "properties" not in schema:
        yield from (f"{text[:1].upper()}{text[1:]}: {kind(schema, defs)}.",)
        return
    yield from (f"{text[:1].upper()}{text[1:].rstrip('.')}.", "", *table(schema, defs))
    for key, value in schema["properties"].items():
        inner = _inner(value)
        if inner is not None:
            yield from (
                "",
                f"`{key}` {'is a list of objects' if value.get('type') == 'array' else 'is an object'} with the keys:",
                "",
            )
            yield from table(inner, defs)


def _inner(schema: Schema) -> Schema | None:
    """The schema of the object that a value or each entry of a list is, if it has no section of its own."""
    candidates = [schema, schema.get("items", {}), *schema.get("anyOf", ())]
    return next((one for one in candidates if isinstance(one, Mapping) and "properties" in one), None)


def playbook_keys() -> str:
    schema = playbook_schema(actions=ACTIONS, detectors=DETECTORS)
    defs = schema["$defs"]
    keys = schema["properties"]
    lines = [
        "# Keys of a playbook",
        "",
        "[What a playbook means](../explanation/playbooks.md) explains them; `easops schema` prints the JSON Schema",
        "that this page is generated from. A value of the kind expression is written in braces: `{{ storm.users }}`.",
        "",
        "## The playbook",
        "",
        *table(schema, defs),
        "",
        "## An input",
        "",
        "`inputs:` has one entry for each name.",
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
        "A group, `each_host`, takes the place of a step: all its steps run on one host before the next begins.",
        "They have no `on`.",
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
        "[Connect to your servers](../how-to/connect.md) shows examples; `easops schema inventory` prints the JSON",
        "Schema that this page is generated from.",
        "",
        "## The inventory",
        "",
        *table(schema, {}),
        "",
        "## A host",
        "",
        "`organisation`, `version`, `roles` and `endpoints` are given at each host or in `defaults`.",
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
        "[Be notified of a run's end](../how-to/be-notified.md) shows examples; `easops schema notifications` prints",
        "the JSON Schema that this page is generated from. A value that is a mapping says where a secret is: `env` or",
        "`file`.",
        "",
        "## The file",
        "",
        *table(schema, {}),
        "",
        "## A channel",
        "",
        "`notifications:` is a list of channels; each has one of `webhook`, `smtp` and `file`.",
        "",
        *table(channel, {}),
    ]
    for name, value in channel["properties"].items():
        inner = _inner(value)
        if inner is not None:
            lines += ["", f"## {name}", "", *table(inner, {})]
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "json.md": json_documents,
    "playbook-keys.md": playbook_keys,
    "inventory-keys.md": inventory_keys,
    "notification-keys.md": notification_keys,
}
