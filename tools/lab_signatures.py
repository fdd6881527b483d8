"""Check the lab's cmdlet signatures, or show one: ``python tools/lab_signatures.py [--check] [CMDLET [VERSION]]``.

The signatures, ``easops/lab/signatures/exchange.json`` and ``windows.json``, are edited by hand, from Microsoft's
reference page of each cmdlet; ``easops/lab/signatures/compact.py`` says how to write one. Without arguments this checks
both files and writes them in their usual layout; with ``--check`` it writes nothing, and fails where it would. With a
cmdlet it prints the syntax of each parameter set, to be compared with the SYNTAX section of the page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from easops.lab.signatures.compact import EVERY_VERSION, VERSIONS, signature_of
from easops.lab.signatures.signature import COMMON, SHOULD_PROCESS, Membership, Parameter, Signature

FOLDER = Path(__file__).parents[1] / "easops" / "lab" / "signatures"
FILES = ("exchange.json", "windows.json")
# In the order in which an entry has them, each with the value that is left out.
KEYS: Mapping[str, Any] = {
    "page": None,
    "module": "",
    "aliases": [],
    "versions": EVERY_VERSION,
    "should_process": False,
    "sets": None,
    "default": "",
    "parameters": None,
}
DEFAULTS: Sequence[Any] = (None, None, EVERY_VERSION, [], [])


def problems(content: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong in the content of one file, a sentence each."""
    for name, entry in content["cmdlets"].items():
        if unknown := set(entry) - set(KEYS):
            yield f"{name}: there is no key {', '.join(sorted(unknown))}; there are {', '.join(KEYS)}"
        if missing := {key for key, default in KEYS.items() if default is None} - set(entry):
            yield f"{name}: it needs {', '.join(sorted(missing))}"
            continue
        repository = "/".join(str(entry["page"]).split("/")[:2])
        if repository not in content["sources"]:
            yield f"{name}: page has to start with one of sources: {', '.join(content['sources'])}"
        if entry.get("default", entry["sets"][0]) not in entry["sets"]:
            yield f"{name}: default is not one of its sets"
        for parameter, value in entry["parameters"].items():
            yield from (f"{name} -{parameter}: {what}" for what in _parameter_problems(entry, value))
        spellings = [s.lower() for key, value in entry["parameters"].items() for s in (key, *_filled(value)[3])]
        if twice := sorted({spelling for spelling in spellings if spellings.count(spelling) > 1}):
            yield f"{name}: two parameters are called {', '.join(twice)}"


def _parameter_problems(entry: Mapping[str, Any], value: Sequence[Any]) -> Iterator[str]:
    if not 2 <= len(value) <= len(DEFAULTS):
        yield "it is written [type, sets, versions, aliases, values], at least the first two"
        return
    _, sets, versions, _, _ = _filled(value)
    numbers = [number for number, *_ in sets]
    if not numbers or len(set(numbers)) < len(numbers) or (-1 in numbers and len(numbers) > 1):
        yield "it is in each set once, or in all of them (-1)"
    if any(not -1 <= number < len(entry["sets"]) for number in numbers):
        yield f"a set has a number from 0 to {len(entry['sets']) - 1}; -1 is all of them"
    if any(not (flag in (0, 1) and position >= -1 and pipeline in range(4)) for _, flag, position, pipeline in sets):
        yield "a set is written [number, mandatory 0 or 1, position or -1, pipeline 0 to 3]"
    if not 0 < versions <= EVERY_VERSION or not versions & entry.get("versions", EVERY_VERSION):
        highest = 1 << len(VERSIONS) - 1
        yield f"versions are bits, 1 ({VERSIONS[0]}) to {highest} ({VERSIONS[-1]}); one at least is its cmdlet's too"


def _filled(value: Sequence[Any]) -> Sequence[Any]:
    return [*value, *DEFAULTS[len(value) :]]


def layout(content: Mapping[str, Any]) -> str:
    """The content of a file as it is written: sorted, a line a parameter, and nothing that is the default."""
    cmdlets = ",\n".join(_cmdlet(name, entry) for name, entry in sorted(content["cmdlets"].items()))
    return f'{{"sources": {json.dumps(content["sources"])},\n"cmdlets": {{\n{cmdlets}\n}}}}\n'


def _cmdlet(name: str, entry: Mapping[str, Any]) -> str:
    head = {key: entry[key] for key in KEYS if key in entry and key != "parameters" and entry[key] != KEYS[key]}
    parameters = ",\n".join(f"  {_json(key)}: {_json(_trimmed(value))}" for key, value in entry["parameters"].items())
    return f'{_json(name)}: {_json(head)[:-1]}, "parameters": {{\n{parameters}}}}}'


def _trimmed(value: Sequence[Any]) -> Sequence[Any]:
    kept = list(value)
    while len(kept) > 2 and kept[-1] == DEFAULTS[len(kept) - 1]:
        kept.pop()
    return kept


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def syntax(signature: Signature) -> Iterator[str]:
    """One line a parameter set, as a reference page writes it; common parameters are left out."""
    own = [p for name, p in signature.parameters.items() if name not in COMMON and name not in SHOULD_PROCESS]
    for number in range(len(signature.sets)):
        members = [(p, membership) for p in own if (membership := p.membership(number)) is not None]
        members.sort(key=lambda member: len(own) if member[1].position is None else member[1].position)
        yield " ".join([signature.name, *(_spelled(parameter, membership) for parameter, membership in members)])


def _spelled(parameter: Parameter, membership: Membership) -> str:
    name = f"-{parameter.name}" if membership.position is None else f"[-{parameter.name}]"
    text = name if parameter.type == "SwitchParameter" else f"{name} <{parameter.type}>"
    return text if membership.mandatory else f"[{text}]"


def show(cmdlet: str, version: str) -> int:
    """Print a signature, with its page."""
    for file in FILES:
        content = json.loads((FOLDER / file).read_text(encoding="utf-8"))
        for name, entry in content["cmdlets"].items():
            if name.lower() == cmdlet.lower():
                signature = signature_of(name, entry, version)
                owner, repository, path = entry["page"].split("/", 2)
                commit = content["sources"][f"{owner}/{repository}"]
                print(f"# https://github.com/{owner}/{repository}/blob/{commit}/{path}")
                print("\n\n".join(syntax(signature)) if signature else f"# {version} does not have it")
                return 0
    print(f"there is no signature of {cmdlet} in {FOLDER}", file=sys.stderr)
    return 1


def check(*, write: bool) -> int:
    """Check both files; write them in their usual layout, or say that they are not."""
    wrong = []
    for file in FILES:
        path = FOLDER / file
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        found = [f"{file}: {problem}" for problem in problems(content)]
        if not found and text != layout(content):
            if write:
                path.write_text(layout(content), encoding="utf-8", newline="\n")
            else:
                found = [f"{file}: not in its usual layout; run python tools/lab_signatures.py"]
        wrong += found
    print("\n".join(wrong) or f"{', '.join(FILES)}: no problems")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cmdlet", nargs="?", help="show the signature of this cmdlet")
    parser.add_argument("version", nargs="?", default=VERSIONS[-1], choices=VERSIONS, help="of this Exchange version")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    if arguments.cmdlet:
        return show(arguments.cmdlet, arguments.version)
    return check(write=not arguments.check)


if __name__ == "__main__":
    sys.exit(main())
