"""Lines of an embedding file: the traps that real files hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tf1hub.publishing.embeddings.lines import parse_lines

NBSP, NEL, LINE_SEPARATOR = "\u00a0".encode(), "\u0085".encode(), "\u2028".encode()

TOKENS = [
    b"the",
    b". . .",
    b"at name@domain.com",
    b'"',
    b'"quoted"',
    b"'",
    b"#",
    b"# comment",
    b"\\",
    b"\\n",
    NBSP,
    NEL,
    LINE_SEPARATOR,
    b"a" + NBSP + b"b",
    b"a" + LINE_SEPARATOR + b"b",
    b"nan",
    b"null",
    b"NA",
    b"inf",
    b"1.0",
    b"1e5",
    b"-",
    b"",
    b"\xff\xfe",
    b"caf\xe9",
    "東京".encode(),
    b"a\0b",
    b"a\tb",
    b"a,b",
    b"\x0c",
    b"x" * 5000,
]


@pytest.mark.parametrize("token", TOKENS, ids=repr)
def test_a_token_is_what_stands_before_the_values(token):
    parsed = parse_lines(b"first 1 2 3\n" + token + b" 0.5 -1.5 2\nlast 4 5 6\n", 3)
    assert (parsed.tokens, parsed.problem) == ([b"first", token, b"last"], "")
    np.testing.assert_array_equal(parsed.vectors, [[1, 2, 3], [0.5, -1.5, 2], [4, 5, 6]])


@pytest.mark.parametrize(
    "value", [b"1e-05", b"-0", b".5", b"5.", b"+3", b"1E3", b"-1.25e+2", b"007", b"1_000", b"4" * 30]
)
def test_a_value_is_what_python_takes_for_it(value):
    parsed = parse_lines(b"a 1 " + value + b"\nb c 1 " + value + b"\n", 2)
    expected = np.float32(float(value))
    assert parsed.problem == ""
    np.testing.assert_array_equal(parsed.vectors, [[1, expected], [1, expected]])
    assert (np.signbit(parsed.vectors[:, 1]) == np.signbit(expected)).all()


@pytest.mark.parametrize(
    "text",
    [
        b"a 1 2\r\nb c 3 4\r\n",
        b"a 1 2 \nb c 3 4 \n",
        b"a 1 2    \nb c 3 4  \n",
        b"a 1 2 \r\nb c 3 4 \r\n",
        b"a  1   2\nb  c 3  4\n",
        b" a 1 2\n  b c 3 4\n",
        b"\na 1 2\n\n\nb c 3 4\n\n",
        b"\r\na 1 2\r\n   \r\nb c 3 4\r\n  \n",
    ],
)
def test_spaces_and_line_ends_do_not_count(text):
    parsed = parse_lines(text, 2)
    assert (parsed.tokens, parsed.problem, parsed.lines) == ([b"a", b"b c"], "", text.count(b"\n"))
    np.testing.assert_array_equal(parsed.vectors, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"a 1 2", "it has 2 of the 3 values"),
        (b"new york 1 2", "'york' is no number"),
        (b"a", "it has 0 of the 3 values"),
        (b"a 1 2 3 4", "more than the 3 values"),
        (b"new 1 1 2 3", "more than the 3 values"),
        (b"a  1 2 3 4", "more than the 3 values"),
        (b"a\t1\t2\t3", "tabs in it"),
        (b"a\t1 2 3", "tabs in it"),
        (b"a 1\t2 3", "tabs in it"),
        (b"a 1 x 3", "'x' is no number"),
        (b"a 1 2,5 3", "'2,5' is no number"),
        (b"a 1 2-5 3", "'2-5' is no number"),
        (b"a 1 2.5.1 3", "'2.5.1' is no number"),
        (b"a 1 \xff 3", "'\\\\xff' is no number"),
        (b"a 1 0x10 3", "'0x10' is no number"),
        (b"a 1 nan 3", "value 2 is nan"),
        (b"a 1 2 inf", "value 3 is inf"),
        (b"a b -1e999 2 3", "value 1 is -inf"),
        (b"a 1e39 2 3", "value 1 is inf"),
        (b"a\rb 1 2 3", "carriage return"),
        (b"a\rb c 1 2 3", "carriage return"),
    ],
)
def test_a_bad_line_is_named_and_those_before_it_are_kept(line, problem):
    parsed = parse_lines(b"first 1 2 3\n\nsecond 4 5 6\n" + line + b"\nlast 7 8 9\n", 3)
    assert parsed.bad_line == 3
    assert problem in parsed.problem
    assert parsed.tokens == [b"first", b"second"]
    np.testing.assert_array_equal(parsed.vectors, [[1, 2, 3], [4, 5, 6]])


def test_the_first_of_several_bad_lines_is_named():
    bad = [b"a 1 x\n", b"b 1\n", b"c 1 nan\n", b"d\re 1 2\n"]
    for at, line in enumerate(bad):
        parsed = parse_lines(b"ok 1 2\n" + line + b"".join(bad[:at] + bad[at + 1 :]), 2)
        assert parsed.bad_line == 1


def test_values_that_are_not_finite_can_be_allowed():
    parsed = parse_lines(b"a nan 1\nb c inf -inf\n", 2, allow_nonfinite=True)
    np.testing.assert_array_equal(parsed.vectors, np.array([[np.nan, 1], [np.inf, -np.inf]], np.float32))


def test_a_wide_dimension_and_many_short_lines_take_no_memory():
    parsed = parse_lines(b"a\n" * 100_000, 1 << 20)
    assert parsed.bad_line == 0


@settings(deadline=None, max_examples=400)
@given(
    st.lists(
        st.sampled_from([b"a", b"1", b"-2.5", b" ", b" ", b"\n", b"\n", b"\t", b".", b"\r", b"nan", b"\xff", b"1e3"])
    )
)
def test_lines_are_parsed_one_by_one_as_together(pieces):
    text = b"".join(pieces) + b"\n"
    together = parse_lines(text, 2)
    found = []
    for number, line in enumerate(text.split(b"\n")[:-1]):
        alone = parse_lines(line + b"\n", 2)
        if alone.bad_line is not None:
            assert (together.bad_line, together.problem) == (number, alone.problem)
            break
        found += zip(alone.tokens, alone.vectors.tolist(), strict=True)
    else:
        assert together.bad_line is None
    assert list(zip(together.tokens, together.vectors.tolist(), strict=True)) == found


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(st.sampled_from(["a", "b.", "7", "1.5", "-2", "1e3"]), min_size=1, max_size=5), min_size=1))
def test_what_the_predecessors_loader_accepts_is_the_same(rows):
    text = "".join(" ".join(row) + "\n" for row in rows)
    dimension = len(rows[0]) - 1
    try:
        expected = [(row[0].encode(), [float(value) for value in row[1:]]) for row in rows]
    except ValueError:
        return
    if dimension and all(len(row) == dimension + 1 for row in rows):
        parsed = parse_lines(text.encode(), dimension)
        assert list(zip(parsed.tokens, parsed.vectors.tolist(), strict=True)) == expected
