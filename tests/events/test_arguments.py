"""One reading of an argument text: the strict one, whichever way it was reached.

The reference below is slow and plain; the parser must agree with it on every text.
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.growth import assert_growth
from undersigned.events.arguments import (
    DEPTH_LIMIT,
    EXPONENT_LIMIT,
    SIZE_LIMIT,
    Parsed,
    parse_arguments,
)


class RefusedError(Exception):
    """The reference refuses a text."""


def pairs(found):
    if len({key for key, _ in found}) != len(found):
        raise RefusedError("a key stands twice")
    return dict(found)


def number(text):
    value = Decimal(text)
    if abs(value.as_tuple().exponent) > EXPONENT_LIMIT or abs(value.adjusted()) > EXPONENT_LIMIT:
        raise RefusedError("a number is out of range")
    return value


def integer(text):
    if len(text) > EXPONENT_LIMIT:
        raise RefusedError("a number is out of range")
    return int(text)


def refuse(_):
    raise RefusedError("no JSON number")


def depth(value):
    if isinstance(value, dict | list):
        return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def strings(value):
    if isinstance(value, dict):
        return [x for pair in value.items() for item in pair for x in strings(item)]
    if isinstance(value, list):
        return [x for item in value for x in strings(item)]
    return [value] if isinstance(value, str) else []


def reference(text):
    """Return the values, or None where the text must be refused."""
    try:
        if len(text.encode()) > SIZE_LIMIT:
            return None
        value = json.loads(
            text,
            object_pairs_hook=pairs,
            parse_int=integer,
            parse_float=number,
            parse_constant=refuse,
        )
        "".join(strings(value)).encode()
    except (RefusedError, UnicodeError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and depth(value) <= DEPTH_LIMIT else None


def same(one, other):
    """Tell whether two values are equal and of the same types throughout."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and str(one) == str(other)


def assert_agrees(text):
    parsed = parse_arguments(text)
    expected = reference(text)
    if expected is None:
        assert parsed.undecodable, text[:200]
        assert parsed.values == {}
    else:
        assert parsed.undecodable == "", text[:200]
        assert same(parsed.values, expected)


SPACE = st.sampled_from(["", "", "", " ", "\n", "\t \r", "\xa0", "\ufeff", "\x00"])
KEY = st.sampled_from(["a", "a", "b", "", "é", "ก", "\\u0061", "\\n", "\\ud83d\\ude00"])
STRING = KEY | st.sampled_from(
    ["\\ud800", "\\udc00\\ud800", "\ud800", "\x01", "\x7f", "\\x", "\\", "\\\"", "{", ']"', ":"]
) | st.text(max_size=3)  # fmt: skip
NUMBER = st.sampled_from(
    ["0", "-0", "1", "01", "+1", "1.", ".5", "1.0", "1.50", "-1e2", "1E+2", "1e400", "1e401",
     "1e-400", "-1e-401", "1e99999999999", "0e999", "0.0", "18446744073709551616", "9" * 300,
     "NaN", "Infinity", "-Infinity",
     "0x1", "1_0", "١", "true", "false", "null", "nul", "True", "'a'"]
)  # fmt: skip


@st.composite
def tree(draw, levels=4):
    """Draw a text that is JSON, or nearly."""
    gap = draw(SPACE)
    kind = draw(st.sampled_from(["number", "string", "object", "object", "list"]))
    if kind == "number":
        return gap + draw(NUMBER)
    if kind == "string":
        return f'{gap}"{draw(STRING)}"'
    count = draw(st.integers(0, 3)) if levels else 0
    items = [draw(tree(levels - 1)) for _ in range(count)]
    if kind == "list":
        return f"{gap}[{','.join(items)}]"
    return gap + "{" + ",".join(f'"{draw(KEY)}":{item}' for item in items) + "}"


@settings(max_examples=300)
@given(tree(), st.sampled_from(["", "", "", " ", "x", "{}", "\x00", ","]))
def test_parse_arguments__any_near_json__agrees_with_the_slow_reference(text, tail):
    assert_agrees(f'{{"k":{text}}}{tail}')
    assert_agrees(text + tail)


@given(st.text(st.characters() | st.sampled_from('{}[]":,\\0'), max_size=30))
def test_parse_arguments__any_text_at_all__never_raises(text):
    assert_agrees(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=20), JSON, max_size=10), st.booleans())
def test_parse_arguments__what_a_json_writer_wrote__is_read_as_written(values, is_ascii):
    assume(all(not 0xD800 <= ord(c) <= 0xDFFF for c in "".join(strings(values))))
    text = json.dumps(values, ensure_ascii=is_ascii)
    parsed = parse_arguments(text)
    assert parsed.undecodable == ""
    assert same(parsed.values, values)


@given(JSON, st.text(max_size=2), JSON)
@example({}, "a", {})
def test_parse_arguments__key_twice_anywhere__is_refused(one, key, other):
    name = json.dumps(key, ensure_ascii=False)
    twice = f"{{{name}:{json.dumps(one)},{name}:{json.dumps(other)}}}"
    for text in (twice, f'{{"k":{twice}}}', f'{{"k":[{twice}]}}', f'{{"k":[[{{"x":{twice}}}]]}}'):
        assert parse_arguments(text) == Parsed({}, "duplicate key")


REASONS = {
    '{"a":1,"a":2}': "duplicate key",
    '{"a":1,"\\u0061":2}': "duplicate key",
    '{"":[{"x":"y","x":"y"}]}': "duplicate key",
    '{"a":"\\ud800"}': "lone surrogate",
    '{"\\udfff":1}': "lone surrogate",
    '{"a":"\ud800"}': "lone surrogate",
    '{"a":NaN}': "NaN or Infinity",
    '{"a":[-Infinity]}': "NaN or Infinity",
    '{"a":1e401}': "number out of range",
    '{"a":-1e-401}': "number out of range",
    '{"a":1e999999999}': "number out of range",
    '{"a":0.' + "0" * 500 + "1}": "number out of range",
    "[]": "not an object",
    "null": "not an object",
    '"{}"': "not an object",
    "": "not JSON",
    "{}x": "not JSON",
    "{}{}": "not JSON",
    "{'a':1}": "not JSON",
    '{"a":1,}': "not JSON",
    '{"a":01}': "not JSON",
    '{"a":"\n"}': "not JSON",
    "\ufeff{}": "not JSON",
    '{"a":1}\x00': "not JSON",
    "{" * 33: "nested too deep",
    "[" * 1_000_000: "nested too deep",
    '{"a":"' + "x" * SIZE_LIMIT + '"}': "too long",
    '{"a":"' + "ก" * (SIZE_LIMIT // 3) + '"}': "too long",
}


@pytest.mark.parametrize("text", REASONS, ids=lambda text: repr(text[:20]))
def test_parse_arguments__refused_text__says_why(text):
    assert parse_arguments(text) == Parsed({}, REASONS[text])
    assert_agrees(text)


def test_parse_arguments__numbers__are_exact():
    parsed = parse_arguments(
        '{"a":0.1,"b":1e400,"c":123456789012345678901234567890,"d":-0,"e":1.10}'
    )
    assert parsed.values == {
        "a": Decimal("0.1"),
        "b": Decimal("1e400"),
        "c": 123456789012345678901234567890,
        "d": 0,
        "e": Decimal("1.10"),
    }
    assert str(parsed.values["e"]) == "1.10"


def nested(levels, kinds, core):
    """Return an object that opens ``levels`` brackets, of the kinds in turn, around a core."""
    text = core
    for level in reversed(range(levels)):
        is_object = level == 0 or kinds[level % len(kinds)] == "{"
        text = f'{{"k":{text}}}' if is_object else f"[{text}]"
    return text


@pytest.mark.parametrize("core", ["1", '"x"', "1.5", "null", '"\\n"'])
@pytest.mark.parametrize("kinds", ["{", "[", "[{", "{[[", "{{["])
def test_parse_arguments__thirty_two_levels__are_the_most_that_is_read(kinds, core):
    assert parse_arguments(nested(DEPTH_LIMIT, kinds, core)).undecodable == ""
    assert parse_arguments(nested(DEPTH_LIMIT + 1, kinds, core)).undecodable == "nested too deep"


ODD_DEPTHS = {
    "an empty object in a list": '{"a":[' * 16 + "{}" + "]}" * 16,
    "a number in an object in a list": '{"a":[' * 16 + '{"a":1}' + "]}" * 16,
}


@pytest.mark.parametrize("what", ODD_DEPTHS)
def test_parse_arguments__object_in_a_list_below_the_limit__is_refused(what):
    assert_agrees(ODD_DEPTHS[what])


def test_parse_arguments__brackets_in_strings__are_no_levels():
    text = json.dumps({"a": "[{" * 1000, "b": '\\"[' * 1000})
    assert parse_arguments(text).values == json.loads(text)


def digits(count):
    return f'{{"a":{"9" * count}}}', f'{{"a":{"9" * count},"b":1.5}}'


def test_parse_arguments__integer_of_401_digits__is_read_alike_beside_a_decimal_and_alone():
    alone, beside = map(parse_arguments, digits(EXPONENT_LIMIT + 1))
    assert bool(alone.undecodable) == bool(beside.undecodable)


def test_parse_arguments__integer_of_401_digits_in_a_list__is_refused():
    assert_agrees(f'{{"a":[{"9" * (EXPONENT_LIMIT + 1)}]}}')


@pytest.mark.parametrize("beside", [0, 1])
def test_parse_arguments__integer_of_many_digits__is_refused_in_linear_time(beside):
    def refuse(count):
        assert parse_arguments(digits(count)[beside]).undecodable == "number out of range"

    assert_growth(refuse, 50_000, 900_000, below=5)


# WHY these lengths: both are beyond where the quick way ends and below where texts are too long.
SMALL, LARGE = SIZE_LIMIT // 4 + 1000, SIZE_LIMIT - 1000


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [('{"a":"', '\\"', '"}'), ('{"a":[', "{},", "{}]}"), ("", '{"a":"', ""),
     ('{"', "\\u0061", '":1}'), ('{"a":', " ", "1}")],
    ids=["escapes", "objects", "quotes", "long key", "spaces"],
)  # fmt: skip
def test_parse_arguments__large_hostile_text__is_read_or_refused_in_linear_time(head, unit, tail):
    def text(length):
        return head + unit * (length // len(unit)) + tail

    assert_agrees(text(SMALL))
    assert_growth(lambda length: parse_arguments(text(length)), SMALL, LARGE, below=2.5)
