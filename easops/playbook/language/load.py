"""Playbooks from YAML: found, read, and fully checked before anything runs; all problems at once, with their places."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import attrs

from easops.document import Checker, DocumentError, Node, Problem, suggestion
from easops.errors import BadInput
from easops.parameter import Kind, Parameter, ParameterError
from easops.playbook.language.expression import Setting, is_expression
from easops.playbook.language.model import DescribedAction, Limits, Playbook, TakesParameters
from easops.playbook.language.result_types import type_of_input
from easops.playbook.language.setting_reader import Names, SettingReader
from easops.playbook.language.step_reader import StepReader, result_names
from easops.yaml_reader import parse, read_text

REQUIRED: Final = ("easops", "name", "hosts", "steps")
OPTIONAL: Final = ("scenario", "inputs", "limits", "protect")
"""The keys of a playbook: the required ones, and the others."""

LIMITS: Final = {
    parameter.name: parameter
    for parameter in (
        Parameter("changes", "integer", default=Limits().changes, minimum=1),
        Parameter("hosts_at_once", "integer", default=Limits().hosts_at_once, minimum=1),
        Parameter("unreachable", "integer", default=Limits().unreachable, minimum=0),
    )
}
"""The keys of ``limits:``, each with its minimum."""

INPUT_KEYS: Final = ("default", "help", "choices")
"""The keys of an input, besides its ``type``."""

INPUT_KINDS: Final = ("duration", "integer", "number", "text", "boolean", "choice", "list")


def shipped_playbooks() -> Mapping[str, Path]:
    """The playbooks that come with easops, by name: those in the installed package, and in a source checkout."""
    package = Path(__file__).parents[2]
    checkout = package.parent / "playbooks"
    found: dict[str, Path] = {}
    if (package.parent / "pyproject.toml").is_file():
        found = {path.stem: path for path in sorted(checkout.glob("*.yml"))}
    found |= {path.stem: path for path in sorted((package / "shipped").glob("*.yml"))}
    return MappingProxyType(found)


def command_of(source: str) -> str:
    """How to name a playbook on the command line: a shipped one by its name, a file by its path."""
    name = Path(source).stem
    if shipped_playbooks().get(name) == Path(source):
        return name
    return f'"{source}"' if " " in source else source


def load_playbook(
    path_or_name: Path | str,
    *,
    actions: Mapping[str, DescribedAction],
    detectors: Mapping[str, TakesParameters],
) -> Playbook:
    """The playbook in a file, or the shipped playbook of that name. A shipped name wins over a file without a suffix.

    Raises DocumentError with every problem of the file.
    """
    shipped = shipped_playbooks()
    name = str(path_or_name)
    path = shipped.get(name, Path(name)) if isinstance(path_or_name, str) else path_or_name
    if name not in shipped and Path(name).name == name and not Path(name).suffix and not path.exists():
        why = f"the shipped playbooks are {', '.join(shipped) or 'none'}"
        next_step = suggestion(name, shipped) or "Write the name of a shipped playbook, or the path of a file"
        raise DocumentError(
            [Problem(name, None, None, "there is no shipped playbook and no file with this name", why, next_step)]
        )
    return load_playbook_text(read_text(path), str(path), actions=actions, detectors=detectors)


def load_playbook_text(
    text: str,
    source: str,
    *,
    actions: Mapping[str, DescribedAction],
    detectors: Mapping[str, TakesParameters],
) -> Playbook:
    """The playbook in *text*. *source* says where the text comes from, for the problems and the playbook.

    Raises DocumentError with every problem.
    """
    checker = Checker(source)
    root = parse(text, checker)
    playbook = _read(root, checker, text, source, actions, detectors)
    checker.finish()
    return playbook


def check_inputs(playbook: Playbook, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all inputs: the *arguments* by name (as text, as after ``--input``, or of their kind), and the
    defaults of the others.

    Raises BadInput that names every input that is unknown, missing or not valid.
    """
    wrong: list[tuple[str, str]] = []
    known = {parameter.name: parameter for parameter in playbook.inputs}
    values: dict[str, Any] = {}
    for name in arguments:
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "this playbook has no inputs"
            wrong.append((f"there is no input {name!r} ({there})", suggestion(name, known)))
    for name, parameter in known.items():
        if name not in arguments and parameter.required:
            meaning = f": {parameter.help}" if parameter.help else ""
            wrong.append((f"the input {name!r} is missing ({parameter.kind}{meaning})", f"Add --input {name}=..."))
            continue
        try:
            values[name] = parameter.check(arguments.get(name, parameter.default))
        except ParameterError as error:
            wrong.append((f"the input {name!r} is not valid: {error}", ""))
    if wrong:
        raise BadInput(
            f"the inputs do not fit the playbook {playbook.short_name}",
            "; ".join(what for what, _ in wrong),
            " ".join(dict.fromkeys(step for _, step in wrong if step)),
        )
    return values


def _read(
    root: Node,
    checker: Checker,
    text: str,
    source: str,
    actions: Mapping[str, DescribedAction],
    detectors: Mapping[str, TakesParameters],
) -> Playbook:
    top = checker.entries(
        root,
        "a playbook",
        required=REQUIRED,
        optional=OPTIONAL,
    )
    if "easops" in top and top["easops"].plain() != 1:
        checker.add(top["easops"], "this version of easops reads playbook format 1 only", "", "Write `easops: 1`")
    settings = SettingReader(checker, result_names(top["steps"]) if "steps" in top else ())
    inputs = _inputs(top["inputs"], checker, settings) if "inputs" in top else {}
    names: Names = {name: type_of_input(parameter) for name, parameter in inputs.items()}
    steps = StepReader(checker, settings, names, inputs, actions, detectors)
    lf = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return Playbook(
        name=checker.text(top["name"], "the name") if "name" in top else "",
        scenario=checker.text(top["scenario"], "the scenario") if "scenario" in top else None,
        inputs=tuple(inputs.values()),
        hosts=settings.hosts(top["hosts"], "hosts", names) if "hosts" in top else None,
        limits=_limits(top["limits"], checker, settings, names, inputs) if "limits" in top else Limits(),
        protect=_protect(top["protect"], settings, names, inputs) if "protect" in top else (),
        parts=steps.all(top["steps"]) if "steps" in top else (),
        source=source,
        text=text,
        digest=hashlib.sha256(lf.encode("utf-8", "surrogatepass")).hexdigest(),
    )


def _limits(
    node: Node, checker: Checker, settings: SettingReader, names: Names, inputs: Mapping[str, Parameter]
) -> Limits:
    fields = checker.entries(node, "limits", optional=LIMITS)
    return attrs.evolve(
        Limits(),
        **{
            key: settings.value(fields[key], LIMITS[key], f"limits.{key}", names, inputs)
            for key in LIMITS
            if key in fields
        },
    )


def _protect(node: Node, settings: SettingReader, names: Names, inputs: Mapping[str, Parameter]) -> Setting:
    """Mailboxes and groups: a list, or an expression whose value is one."""
    return settings.value(node, Parameter("protect", "list"), "protect", names, inputs)


def _inputs(node: Node, checker: Checker, settings: SettingReader) -> dict[str, Parameter]:
    inputs: dict[str, Parameter] = {}
    for name, declaration in checker.named(node, "inputs").items():
        settings.name(node.keys[name], name, "an input")
        parameter = _input(name, declaration, checker)
        if parameter is not None:
            inputs[name] = parameter
    return inputs


def _input(name: str, node: Node, checker: Checker) -> Parameter | None:
    fields = checker.entries(node, f"the input {name!r}", required=("type",), optional=INPUT_KEYS)
    kind = checker.one_of(fields["type"], "the type of an input", INPUT_KINDS) if "type" in fields else None
    help_ = checker.text(fields["help"], "help") if "help" in fields else ""
    choices: tuple[str, ...] = ()
    if "choices" in fields:
        items = checker.items(fields["choices"], "choices")
        choices = tuple(checker.text(item, "a choice") for item in items)
        if kind is not None and kind != "choice":
            checker.add(
                node.keys["choices"], f"an input of type {kind} cannot have choices", "", "Write `type: choice`"
            )
    if kind == "choice" and not choices:
        checker.add(node, f"the input {name!r} has no choices", "its type is choice", "Add `choices: [a, b]`")
        return None
    if kind is None:
        # The name is known all the same, so that its uses are not reported as problems too.
        return Parameter(name, "text", help_)
    parameter = Parameter(name, cast("Kind", kind), help_, choices=choices)
    if "default" not in fields:
        return parameter
    default = fields["default"].plain()
    if isinstance(default, str) and is_expression(default):
        checker.add(
            fields["default"], f"the default of {name!r} must be a constant", "inputs are set before any step runs"
        )
        return parameter
    if default is not None:
        try:
            parameter.check(default)
        except ParameterError as error:
            checker.add(fields["default"], f"the default of {name!r} is not valid", str(error))
            return parameter
    return Parameter(name, parameter.kind, help_, tuple(default) if isinstance(default, list) else default, choices)
