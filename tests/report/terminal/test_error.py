from __future__ import annotations

from easops.document import DocumentError, Problem
from easops.errors import BadInput
from easops.report.terminal.error import error_lines, fitted, three_lines


def test_what_is_missing_leaves_no_line() -> None:
    assert error_lines(BadInput("it is\nwrong")) == ["easops: it is wrong"]


def test_a_problem_of_a_whole_file_has_no_line_number() -> None:
    assert error_lines(DocumentError([Problem("a.yml", None, None, "the file is empty")])) == [
        "a.yml: the file is empty"
    ]


def test_of_several_next_steps_each_has_its_line_whatever_the_terminal() -> None:
    lines = three_lines(
        "it is open", next_step="easops runs resume R   go on with it\neasops undo R          put it back"
    )
    assert lines == [
        "easops: it is open",
        "  next: easops runs resume R   go on with it",
        "        easops undo R          put it back",
    ]
    assert fitted(lines, 80) == lines
    assert fitted(lines, 40)[-2:] == ["        easops undo R          put it", "        back"]


def test_an_error_fits_its_terminal_and_goes_on_under_where_it_began() -> None:
    lines = three_lines(
        "EX1 is not there and nobody knows since when", "no route", "start it, or take it out of the list"
    )
    assert fitted(lines, 40) == [
        "easops: EX1 is not there and nobody",
        "        knows since when",
        "  why:  no route",
        "  next: start it, or take it out of the",
        "        list",
    ]
    assert fitted(["hosts.yml:12:3: the endpoint has no credential"], 40) == [
        "hosts.yml:12:3: the endpoint has no",
        "    credential",
    ]
