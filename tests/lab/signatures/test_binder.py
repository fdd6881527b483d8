"""The binder answers as PowerShell's engine does.

The expectations of ``LIKE`` and its siblings are what PowerShell's own engine answered for functions with these
parameters (texts of .NET's own inner errors as Windows PowerShell 5.1 writes them).
"""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest

from easops.lab.signatures.binder import bind
from easops.lab.signatures.signature import COMMON, SHOULD_PROCESS, Membership, Parameter, Signature
from easops.lab.value import CmdletFailed, Obj


def parameter(name: str, type_: str, values: tuple[str, ...] = (), **sets: Membership) -> Parameter:
    numbers = {"A": 0, "B": 1, "C": 2}
    return Parameter(
        name, type_, {numbers[key]: value for key, value in sets.items()} or {-1: Membership()}, values=values
    )


def signature(name: str, *parameters: Parameter, sets: str = "A", default: int | None = None) -> Signature:
    own = {p.name: p for p in parameters}
    return Signature(name, tuple(sets), default, {**own, **COMMON, **SHOULD_PROCESS}, should_process=True)


MANDATORY = Membership(mandatory=True)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
LIKE = signature(
    "Get-T",
    parameter("Identity", "String", A=Membership(position=0, pipeline=3)),
    parameter("Mailbox", "String", B=MANDATORY),
    *(
        parameter(name, type_)
        for name, type_ in {
            "Size": "UInt32",
            "SizeTwo": "Int32",
            "Count": "Int32",
            "Sw": "SwitchParameter",
            "B": "Boolean",
            "Arr": "String[]",
            "Ia": "Int32[]",
            "Ts": "TimeSpan",
            "Dt": "DateTime",
            "H": "Hashtable",
            "G": "Guid",
            "U": "Uri",
            "O": "Object",
            "Ver": "Version",
            "Id": "MailboxIdParameter",
            "Un": "Unlimited",
            "Mv": "MultiValuedProperty",
        }.items()
    ),
    parameter("Day", "DayOfWeek", DAYS),
    parameter("Vset", "String", ("Alpha", "Beta")),
    sets="AB",
    default=0,
)
NEEDS = signature(
    "Set-T", parameter("Identity", "String", A=Membership(True, 0, 3)), parameter("Name", "String", A=MANDATORY)
)
LISTS = signature("Put-T", parameter("L", "String[]", A=MANDATORY), parameter("O", "Object", A=MANDATORY))
TWO = signature("Amb-T", parameter("X", "String", A=Membership()), parameter("Y", "String", B=Membership()), sets="AB")
HARD_DEFAULT = signature(
    "D-T", parameter("X", "String", A=MANDATORY), parameter("Y", "String", B=Membership()), sets="AB", default=0
)
THREE = signature(
    "E-T",
    parameter("X", "String", A=Membership(True, 0)),
    parameter("Y", "Int32", B=Membership(True, 0)),
    parameter("W", "SwitchParameter", C=Membership()),
    sets="ABC",
)
FRONTED = signature("F-T", parameter("Out", "String"), parameter("Outer", "String"), parameter("Errand", "String"))


def refusal(signature: Signature, *arguments: tuple[str | None, Any], piped: bool = False) -> tuple[str, str, str, str]:
    """Identifier, exception, category and sentence."""
    with pytest.raises(CmdletFailed) as failed:
        bind(signature, arguments, piped=piped)
    error = failed.value.error
    assert error.activity == signature.name
    return error.fqid, error.exception.rpartition(".")[2], error.category, error.message


@pytest.mark.parametrize(
    ("name", "sent", "bound"),
    [
        ("Size", 5, 5),
        ("Size", "0x10", 16),
        ("Size", 2.5, 2),
        ("Size", None, 0),
        ("Sw", True, True),
        ("Sw", None, False),
        ("WhatIf", None, True),
        ("Confirm", None, True),
        ("Confirm", False, False),
        ("B", 1, True),
        ("B", 0, False),
        ("Identity", 5, "5"),
        ("Identity", None, ""),
        ("Identity", ["a", "b"], "a b"),
        ("Arr", "x", ["x"]),
        ("Arr", ["x", 1], ["x", "1"]),
        ("Arr", None, None),
        ("Ia", ["1", "2"], [1, 2]),
        ("Day", "monday", "Monday"),
        ("Day", "mon", "Monday"),
        ("Day", 3, 3),
        ("Ts", "01:00:00", datetime.timedelta(hours=1)),
        ("Ts", "1.02:03:04.5", datetime.timedelta(1, 7384, 500_000)),
        ("Dt", "2024-05-01", datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)),
        ("Dt", "05/01/2024 14:00", datetime.datetime(2024, 5, 1, 14, tzinfo=datetime.UTC)),
        ("G", "00000000-0000-0000-0000-000000000007", uuid.UUID(int=7)),
        ("H", None, None),
        ("U", "abc def", "abc def"),
        ("O", None, None),
        ("Ver", "1.2", "1.2"),
        ("Vset", "beta", "beta"),
        ("ErrorAction", "stop", "Stop"),
        ("Id", None, None),
        ("Id", Obj(types=(), properties={"Identity": Obj(types=(), text="ex.example/u1")}), "ex.example/u1"),
        ("Un", "unlimited", "Unlimited"),
        ("Un", "30", 30),
        ("Un", 0, 0),
        ("Mv", "x", ["x"]),
        ("Mv", ["x", "y"], ["x", "y"]),
        ("Mv", {"add": "x", "Remove": ["y"]}, {"Add": ["x"], "Remove": ["y"]}),
        ("Mv", None, None),
    ],
)
def test_a_value_is_converted_as_the_engine_converts_it(name: str, sent: Any, bound: Any) -> None:
    assert bind(LIKE, [(name, sent)]) == {name: bound}


@pytest.mark.parametrize(
    ("name", "sent", "why"),
    [
        (
            "Size",
            "abc",
            'Cannot convert value "abc" to type "System.UInt32". Error: "Input string was not in a correct format."',
        ),
        (
            "Size",
            "-1",
            'Cannot convert value "-1" to type "System.UInt32". '
            'Error: "Value was either too large or too small for a UInt32."',
        ),
        (
            "Day",
            "fooday",
            'Cannot convert value "fooday" to type "System.DayOfWeek". Error: "Unable to match the identifier name '
            "fooday to a valid enumerator name. Specify one of the following enumerator names and try again: "
            'Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday"',
        ),
        (
            "Day",
            None,
            'Cannot convert null to type "System.DayOfWeek" due to enumeration values that are not valid. Specify one '
            "of the following enumeration values and try again. The possible enumeration values are "
            '"Sunday,Monday,Tuesday,Wednesday,Thursday,Friday,Saturday".',
        ),
        (
            "B",
            "true",
            'Cannot convert value "System.String" to type "System.Boolean". Boolean parameters accept only Boolean '
            "values and numbers, such as $True, $False, 1 or 0.",
        ),
        (
            "B",
            None,
            'Cannot convert value "" to type "System.Boolean". Boolean parameters accept only Boolean values and '
            "numbers, such as $True, $False, 1 or 0.",
        ),
        (
            "Sw",
            1,
            'Cannot convert the "1" value of type "System.Int32" to type '
            '"System.Management.Automation.SwitchParameter".',
        ),
        ("H", "abc", 'Cannot convert the "abc" value of type "System.String" to type "System.Collections.Hashtable".'),
        ("G", "abc", 'Cannot convert value "abc" to type "System.Guid". Error: "Unrecognized Guid format."'),
        ("G", None, 'Cannot convert null to type "System.Guid".'),
        ("Ts", None, 'Cannot convert null to type "System.TimeSpan".'),
        (
            "Ia",
            ["1", "b"],
            'Cannot convert value "System.Collections.ArrayList" to type "System.Int32[]". Error: "Cannot convert '
            'value "b" to type "System.Int32". Error: "Input string was not in a correct format.""',
        ),
    ],
)
def test_a_wrong_value_is_refused_with_the_engines_sentence(name: str, sent: Any, why: str) -> None:
    assert refusal(LIKE, (name, sent)) == (
        "ParameterArgumentTransformationError,Get-T",
        "ParameterBindingArgumentTransformationException",
        "InvalidData",
        f"Cannot process argument transformation on parameter '{name}'. {why}",
    )


@pytest.mark.parametrize("sent", ["many", -1, "-1", 1.5, True, "Unlimited!"])
def test_unlimited_takes_numbers_from_zero_and_the_word(sent: Any) -> None:
    assert refusal(LIKE, ("Un", sent))[0] == "ParameterArgumentTransformationError,Get-T"


def test_a_value_outside_a_validate_set_has_its_own_error() -> None:
    assert refusal(LIKE, ("Vset", "gamma")) == (
        "ParameterArgumentValidationError,Get-T",
        "ParameterBindingValidationException",
        "InvalidData",
        'Cannot validate argument on parameter \'Vset\'. The argument "gamma" does not belong to the set "Alpha,Beta" '
        "specified by the ValidateSet attribute. Supply an argument that is in the set and then try the command again.",
    )


SETS = (
    "Parameter set cannot be resolved using the specified named parameters. One or more parameters issued cannot be "
    "used together or an insufficient number of parameters were provided."
)


@pytest.mark.parametrize(
    ("which", "arguments", "identifier", "message"),
    [
        (
            LIKE,
            [("Nope", 1)],
            "NamedParameterNotFound",
            "A parameter cannot be found that matches parameter name 'Nope'.",
        ),
        (
            LIKE,
            [("Si", 5)],
            "AmbiguousParameter",
            "Parameter cannot be processed because the parameter name 'Si' is ambiguous. Possible matches include: "
            "-Size -SizeTwo.",
        ),
        (
            FRONTED,
            [("O", 5)],
            "AmbiguousParameter",
            "Parameter cannot be processed because the parameter name 'O' is ambiguous. Possible matches include: "
            "-Out -Outer -OutVariable -OutBuffer.",
        ),
        (
            LIKE,
            [("Identity", "a"), ("identity", "b")],
            "ParameterAlreadyBound",
            "Cannot bind parameter because parameter 'Identity' is specified more than once. To provide multiple "
            "values to parameters that can accept multiple values, use the array syntax. For example, "
            '"-parameter value1,value2,value3".',
        ),
        (
            LIKE,
            [(None, "a"), (None, "b")],
            "PositionalParameterNotFound",
            "A positional parameter cannot be found that accepts argument 'b'.",
        ),
        (LIKE, [("Identity", "a"), ("Mailbox", "b")], "AmbiguousParameterSet", SETS),
        (TWO, [], "AmbiguousParameterSet", SETS),
        (TWO, [("X", "a"), ("Y", "a")], "AmbiguousParameterSet", SETS),
        (
            NEEDS,
            [("Identity", "a")],
            "MissingMandatoryParameter",
            "Cannot process command because of one or more missing mandatory parameters: Name.",
        ),
        (
            NEEDS,
            [],
            "MissingMandatoryParameter",
            "Cannot process command because of one or more missing mandatory parameters: Identity Name.",
        ),
        (
            HARD_DEFAULT,
            [],
            "MissingMandatoryParameter",
            "Cannot process command because of one or more missing mandatory parameters: X.",
        ),
        (
            LIKE,
            [("ErrorAction", "Bogus")],
            "CannotConvertArgumentNoMessage",
            "Cannot bind parameter 'ErrorAction'. Cannot convert value \"Bogus\" to type "
            '"System.Management.Automation.ActionPreference". Error: "Unable to match the identifier name Bogus to a '
            "valid enumerator name. Specify one of the following enumerator names and try again: SilentlyContinue, "
            'Stop, Continue, Inquire, Ignore, Suspend"',
        ),
        (
            LIKE,
            [("ErrorAction", 9)],
            "CannotConvertArgumentNoMessage",
            "Cannot bind parameter 'ErrorAction'. Cannot convert value \"9\" to type "
            '"System.Management.Automation.ActionPreference" due to enumeration values that are not valid. Specify one '
            "of the following enumeration values and try again. The possible enumeration values are "
            '"SilentlyContinue,Stop,Continue,Inquire,Ignore,Suspend".',
        ),
        *(
            (
                LIKE,
                [(name, "false")],
                "CannotConvertArgument",
                "Cannot convert 'System.String' to the type 'System.Management.Automation.SwitchParameter' required by "
                f"parameter '{name}'. ",
            )
            for name in ("Confirm", "WhatIf", "Verbose", "Debug")
        ),
    ],
)
def test_a_call_that_does_not_bind_is_refused(
    which: Signature, arguments: list[tuple[str | None, Any]], identifier: str, message: str
) -> None:
    assert refusal(which, *arguments) == (
        f"{identifier},{which.name}",
        "ParameterBindingException",
        "InvalidArgument",
        message,
    )


@pytest.mark.parametrize(
    ("which", "arguments", "kind", "what"),
    [
        (NEEDS, [("Identity", ""), ("Name", "a")], "EmptyString", "'Identity' because it is an empty string"),
        (NEEDS, [("Identity", None), ("Name", "a")], "EmptyString", "'Identity' because it is an empty string"),
        (LISTS, [("L", []), ("O", 1)], "EmptyArray", "'L' because it is an empty array"),
        (LISTS, [("L", None), ("O", 1)], "Null", "'L' because it is null"),
        (LISTS, [("L", ["a", None]), ("O", 1)], "EmptyString", "'L' because it is an empty string"),
        (LISTS, [("L", ["a"]), ("O", None)], "Null", "'O' because it is null"),
    ],
)
def test_a_mandatory_parameter_refuses_an_empty_value(
    which: Signature, arguments: list[tuple[str | None, Any]], kind: str, what: str
) -> None:
    assert refusal(which, *arguments) == (
        f"ParameterArgumentValidationError{kind}NotAllowed,{which.name}",
        "ParameterBindingValidationException",
        "InvalidData",
        f"Cannot bind argument to parameter {what}.",
    )


@pytest.mark.parametrize(
    ("which", "arguments", "bound"),
    [
        (LIKE, [(None, "pos")], {"Identity": "pos"}),
        (LIKE, [("SizeT", 5)], {"SizeTwo": 5}),
        (LIKE, [("wi", True)], {"WhatIf": True}),
        (FRONTED, [("Out", "1")], {"Out": "1"}),
        (FRONTED, [("Er", "1")], {"Errand": "1"}),
        (FRONTED, [("ErrorA", "Stop")], {"ErrorAction": "Stop"}),
        (THREE, [], {}),
        (THREE, [(None, "x")], {"X": "x"}),
    ],
    ids=["position", "beginning", "alias", "exact before longer", "own before common", "common", "complete", "first"],
)
def test_names_and_positions_find_their_parameter(
    which: Signature, arguments: list[tuple[str | None, Any]], bound: dict[str, Any]
) -> None:
    assert bind(which, arguments) == bound


def test_a_parameter_that_the_pipe_fills_is_not_missing() -> None:
    assert bind(NEEDS, [("Name", "a")], piped=True) == {"Name": "a"}
    assert refusal(NEEDS, piped=True)[3].endswith("parameters: Name.")


def test_a_switch_of_the_engine_takes_a_number() -> None:
    assert bind(LIKE, [("Confirm", 0), ("Verbose", 1)]) == {"Confirm": False, "Verbose": True}


def test_a_buffer_has_no_negative_size() -> None:
    assert refusal(LIKE, ("OutBuffer", -1)) == (
        "ParameterArgumentValidationError,Get-T",
        "ParameterBindingValidationException",
        "InvalidData",
        "Cannot validate argument on parameter 'OutBuffer'. The -1 argument is less than the minimum allowed range of "
        "0. Supply an argument that is greater than or equal to 0 and then try the command again.",
    )


@pytest.mark.parametrize("number", [7, "99"])
def test_a_number_of_no_member_is_refused(number: object) -> None:
    _, exception, category, message = refusal(LIKE, ("Day", number))
    assert (exception, category) == ("ParameterBindingArgumentTransformationException", "InvalidData")
    assert message.startswith(
        f"Cannot process argument transformation on parameter 'Day'. Cannot convert value \"{number}\" to type "
        '"System.DayOfWeek" due to enumeration values that are not valid.'
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("1kb", 1024), ("2MB", 2 << 20), ("1.5kb", 1536), ("-1kb", -1024), ("0x1kb", 1024), ("5L", 5), ("1e3", 1000)],
)
def test_a_number_may_be_written_as_in_the_language(text: str, number: int) -> None:
    assert bind(LIKE, [("Count", text)]) == {"Count": number}


@pytest.mark.parametrize(("name", "text"), [("Count", "1 kb"), ("Count", "1b"), ("Size", "5gb")])
def test_what_is_no_number_of_the_language_is_refused(name: str, text: str) -> None:
    *_, message = refusal(LIKE, (name, text))
    assert message.endswith('Error: "Input string was not in a correct format."')
