from __future__ import annotations

from easops.document import DocumentError, Problem
from easops.errors import BadInput
from easops.report.error import error_lines


def test_what_is_missing_leaves_no_line() -> None:
    assert error_lines(BadInput("it is\nwrong")) == ["easops: it is wrong"]


def test_a_problem_of_a_whole_file_has_no_line_number() -> None:
    assert error_lines(DocumentError([Problem("a.yml", None, None, "the file is empty")])) == [
        "a.yml: the file is empty"
    ]
