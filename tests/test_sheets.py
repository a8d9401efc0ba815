"""Tables that people send: a quote that is not closed costs its own row, wherever it stands."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InputError
from labeling.sheets import Row, read_csv

KNOWN = ("key", "text")
OPEN = "it cannot be read as CSV: the quote that opens in line {} is not closed"
CELLS = st.text(st.sampled_from('ab1 ,";\n\r'), max_size=8)


def rows(*lines: str, end: str = "\n") -> list[Row]:
    return read_csv(end.join(("key,text", *lines)).encode(), KNOWN, KNOWN)


def told(found: list[Row]) -> list[tuple[int, str]]:
    """Each row by its line: its text, or what is wrong with it."""
    return [(row.line, row.problem or row.values["text"]) for row in found]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "mac"])
@pytest.mark.parametrize("after", ["d,four", 'd,"four"', '"d","four"'], ids=["plain", "text", "all"])
def test_rows_after_a_quote_that_is_not_closed_are_read(after: str, end: str) -> None:
    """Whether the file ends within it, or another quote seems to close it."""
    found = rows("a,one", 'b,"two', "c,three", after, 'e,"fi""ve"', end=end)
    assert told(found) == [(2, "one"), (3, OPEN.format(3)), (4, "three"), (5, "four"), (6, 'fi"ve')]


def test_a_cell_of_several_lines_is_whole_before_and_after() -> None:
    found = rows('a,"one\n1"', '"b\n2","two', 'c,"three\n3"', "d,four")
    assert told(found) == [(2, "one\n1"), (4, OPEN.format(5)), (6, "three\n3"), (8, "four")]


def test_each_quote_that_is_not_closed_is_named() -> None:
    found = rows('a,"one', "b,two", 'c,"three', 'd,"four', "e,five")
    assert told(found) == [(2, OPEN.format(2)), (3, "two"), (4, OPEN.format(4)), (5, OPEN.format(5)), (6, "five")]


def test_what_else_is_wrong_with_a_line_keeps_its_words() -> None:
    found = rows('a,"one"1', "b,two")
    assert told(found) == [(2, "it cannot be read as CSV: ',' expected after '\"'"), (3, "two")]


def test_a_quote_that_is_not_closed_among_the_names_is_said() -> None:
    with pytest.raises(InputError, match="the quote that opens in line 1 is not closed"):
        read_csv(b'key,"text\na,one\n', KNOWN, KNOWN)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_tables_that_are_whole_are_read_as_csv_reads_them(cells: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([KNOWN, *cells])
    wanted = [{name: cell for name, cell in zip(KNOWN, row, strict=True) if cell.strip()} for row in cells]
    assert [row.values for row in read_csv(file.getvalue().encode(), KNOWN, KNOWN)] == [row for row in wanted if row]
