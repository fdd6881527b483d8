from __future__ import annotations

import pytest

from easops.cli.arguments import inputs, parameter_values, with_defaults
from easops.errors import BadInput
from easops.parameter import Parameter

USER = Parameter("user", "text", "the mailbox")
COUNT = Parameter("count", "integer", "how many", 3)
NAMES = Parameter("names", "list", "who", ())
EARLIER = Parameter("half_of", "result", "an earlier reading", None)


def test_words_become_values_of_their_kind() -> None:
    assert parameter_values(["user=anna", "count=5", "names=a,b"], [USER, COUNT, NAMES], "it") == {
        "user": "anna",
        "count": 5,
        "names": ("a", "b"),
    }


def test_the_one_text_that_is_required_may_stand_bare() -> None:
    assert with_defaults(parameter_values(["anna@contoso.example"], [USER, COUNT], "it"), [USER, COUNT]) == {
        "user": "anna@contoso.example",
        "count": 3,
    }


def test_the_only_text_may_stand_bare_where_none_is_required() -> None:
    pool = Parameter("pool", "text", "the pool", default="MSExchangeSyncAppPool")
    assert parameter_values(["MSExchangeOwaAppPool"], [pool, COUNT], "it") == {"pool": "MSExchangeOwaAppPool"}


WRONG = {
    "misspelt": (["usr=anna"], "it has no parameter 'usr'", "Did you mean 'user'?"),
    "wrong type": (["user=a", "count=many"], "it: the value of count is not valid", "how many"),
    "missing": ([], "it: user is missing", "add user=…"),
    "twice": (["user=a", "user=b"], "it: user is set twice", "set it once; separate the items of a list by commas"),
    "of an earlier step": (["user=a", "half_of=b"], "it has no parameter 'half_of'", ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_word_is_named_with_what_to_write(name: str) -> None:
    words, what, next_step = WRONG[name]
    with pytest.raises(BadInput) as raised:
        parameter_values(words, [USER, COUNT, EARLIER], "it")
    assert (raised.value.what, raised.value.next_step) == (what, next_step)


def test_a_bare_word_needs_a_parameter_that_it_can_be() -> None:
    with pytest.raises(BadInput, match="'anna' has no parameter name"):
        parameter_values(["anna"], [COUNT], "it")


def test_an_input_keeps_what_follows_its_first_equals_sign() -> None:
    assert inputs(["on=name=EX1", "empty="]) == {"on": "name=EX1", "empty": ""}


@pytest.mark.parametrize("pairs", [["window"], ["=1h"], ["window=1h", "window=2h"]])
def test_a_wrong_input_is_bad_input(pairs: list[str]) -> None:
    with pytest.raises(BadInput):
        inputs(pairs)
