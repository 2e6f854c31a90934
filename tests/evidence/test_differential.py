"""Do the package's readers and the stand-alone verifier's read exactly the same bytes?

Two programs that share no code, one corpus of hostile texts. Where they may differ, it says so.
"""

# ruff: noqa: E501  (the corpus: one line holds spellings of one kind)
from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scripts.fuzz_json import read_trust
from tests.evidence import test_tree
from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, TRUST
from undersigned.core.canonical import decode, encode
from undersigned.core.errors import EvidenceError
from undersigned.evidence import notes, verify
from undersigned.evidence.entries import Entry
from undersigned.evidence.problems import BAD_RECEIPT
from undersigned.evidence.tree import EMPTY_ROOT, Tree, leaf_hash, node_hash
from undersigned.evidence.trust import parse_trust
from undersigned.evidence.verify import verify_consistency, verify_inclusion

DEEP = 65
"""Levels of nesting that are accepted: the outermost and 64 within it."""


def nested(levels: int, left: bytes = b"[", right: bytes = b"]", core: bytes = b"") -> bytes:
    return left * levels + core + right * levels


def accepts(reader: Callable[[], object]) -> bool:
    try:
        reader()
    except (EvidenceError, verify.Refusal):
        return False
    return True


ACCEPTED: list[bytes] = [
    b"{}", b"[]", b'{"a":1}', b'{"a":-1}', b'{"a":0}', b'{"a":true}', b'{"a":false}', b'{"a":null}',
    b'{"a":""}', b'{"a":[]}', b'{"a":{}}', b'{"":0}', b'{"A":1,"B":2,"a":3}', b'{"a":1,"aa":2}',
    b'{"1":0,"10":0,"2":0}', b'{"a":9007199254740991}', b'{"a":-9007199254740991}', b"[1,2,3]",
    b'["a","b"]', b'[null,true,false]', b'{"a":"/"}', b'{"a":"<>&\'"}', b'{"a":"\\""}',
    b'{"a":"\\\\"}', b'{"a":"\\b\\f\\n\\r\\t"}', b'{"a":"\\u0000"}', b'{"a":"\\u0001"}',
    b'{"a":"\\u000b"}', b'{"a":"\\u001f"}', b'{"a":"\x7f"}', '{"a":"é"}'.encode(),
    '{"a":"\u0080"}'.encode(), '{"a":"\u2028\u2029"}'.encode(), '{"a":"\ufeff"}'.encode(),
    '{"a":"\ufffe\uffff"}'.encode(), '{"a":"😀"}'.encode(), '{"a":"\U0010ffff"}'.encode(),
    '{"a":"e\u0301"}'.encode(), '{"a":"é\u202e\u200b"}'.encode(), '["付款","பணம்","ចំណាយ"]'.encode(),
    b'{" ":0," a":1}', b'{"a.b":0,"a/b":1}', b'{"\\u0000":0}', b'{"\\"":0,"\\\\":1}',
    b'{"a":"' + b"x" * 100_000 + b'"}', b"[" + b",".join([b"0"] * 10_000) + b"]",
    b'{"' + b"k" * 5000 + b'":0}', nested(DEEP), nested(DEEP - 1, b'{"a":', b"}", b"{}"),
    b'{"__proto__":{},"constructor":0}', b'{"a":"NaN","b":"1.0","c":"-0"}', b'[[],[[]],[{}]]',
]  # fmt: skip

REFUSED: list[bytes] = [
    # nothing, or not one value
    b"", b" ", b"\n", b"\x00", b"{}{}", b"[][]", b"{},", b"{}x", b"{}\x00", b"{} ", b" {}", b"{}\n",
    b"\n{}", b"\t{}", b"{}\r\n", b"{", b"}", b"[", b"]", b"{]", b"[}", b'{"a":1', b'{"a":', b'{"a"',
    b'{"a', b"[1", b"[1,", b'["a', b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"{}\xef\xbb\xbf",
    b"\xfe\xff\x00{\x00}", b"{}\x1a", b"\x1f\x8b", b"PK\x03\x04", b"null,{}",
    # commas, colons, quotes, comments, other dialects
    b'{"a":1,}', b'{,"a":1}', b'{"a":1,,"b":2}', b"[1,]", b"[,1]", b"[1,,2]", b"[1 2]", b"[,]",
    b'{"a" 1}', b'{"a"=1}', b'{"a"::1}', b'{a:1}', b"{'a':1}", b'{"a":\'x\'}', b"['a']", b'{"a":x}',
    b'{"a":1}//', b"/**/{}", b'{/**/"a":1}', b'{"a":1/**/}', b'{"a":1}#x', b"<!--{}-->", b"({})",
    b'{1:1}', b'{null:1}', b'{true:1}', b'{"a":undefined}', b'{"a":`x`}', b'{"a":"x" "y"}',
    b'{"a":"x"+"y"}', b'{"a":True}', b'{"a":False}', b'{"a":None}', b'{"a":TRUE}', b'{"a":nul}',
    b'{"a":nulll}', b'{"a":tru}', b'{"a";1}', b'["a":1]', b'{"a"}', b'{"a":}', b"{:1}",
    # the same key twice, order, spacing
    b'{"a":1,"a":1}', b'{"a":1,"a":2}', b'{"a":1,"b":2,"a":1}', b'{"a":1,"\\u0061":1}',
    b'{"":0,"":0}', b'{"b":1,"a":1}', b'{"a":0,"A":0}', b'{"aa":0,"a":0}', b'{"10":0,"1":0}',
    b'{"a":{"c":0,"b":0}}', b'[{"b":0,"a":0}]', b'{"a": 1}', b'{ "a":1}', b'{"a" :1}', b'{"a":1 }',
    b'{"a":1, "b":2}', b"[ ]", b"{ }", b"[1, 2]", b'{"a":1,\n"b":2}', b'{"a":\t1}', b'{"a":\xc2\xa01}',
    b'{"a":\xe2\x80\xa81}', b'{\x0c"a":1}', b'{"a":1\x0b}', b'{\r"a":1}',
    # numbers
    b'{"a":-0}', b'{"a":00}', b'{"a":01}', b'{"a":-01}', b'{"a":+1}', b'{"a":1.0}', b'{"a":1.}',
    b'{"a":.5}', b'{"a":0.5}', b'{"a":-0.0}', b'{"a":1e3}', b'{"a":1E3}', b'{"a":1e0}', b'{"a":1e+0}',
    b'{"a":1e-1}', b'{"a":1e400}', b'{"a":-1e400}', b'{"a":9007199254740992}',
    b'{"a":-9007199254740992}', b'{"a":9007199254740993}', b'{"a":9223372036854775807}',
    b'{"a":9223372036854775808}', b'{"a":18446744073709551615}', b'{"a":18446744073709551616}',
    b'{"a":' + b"9" * 5000 + b"}", b'{"a":9007199254740991.0}', b'{"a":NaN}', b'{"a":-NaN}',
    b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":inf}', b'{"a":0x10}', b'{"a":0b1}', b'{"a":0o7}',
    b'{"a":1_000}', b'{"a":1,000}', b'{"a":--1}', b'{"a":-}', b'{"a":- 1}', b'{"a":1a}',
    '{"a":١}'.encode(), '{"a":１}'.encode(), '{"a":½}'.encode(), b'{"a":1n}', b'{"a":1L}',
    # escapes
    b'{"a":"\\u0041"}', b'{"\\u0061":1}', b'{"a":"\\/"}', b'{"a":"\\u002f"}', b'{"a":"\\u001F"}',
    b'{"a":"\\u000A"}', b'{"a":"\\u000a"}', b'{"a":"\\u0008"}', b'{"a":"\\u0022"}', b'{"a":"\\u005c"}',
    b'{"a":"\\u007f"}', b'{"a":"\\u00e9"}', b'{"a":"\\u2028"}', b'{"a":"\\ud83d\\ude00"}',
    b'{"a":"\\uD83D\\uDE00"}', b'{"a":"\\ud800"}', b'{"a":"\\udc00"}', b'{"a":"\\ude00\\ud83d"}',
    b'{"a":"\\ud800\\ud800"}', b'{"a":"\\ud800x"}', b'{"\\ud800":1}', b'{"a":"\\u00"}', b'{"a":"\\u"}',
    b'{"a":"\\uzzzz"}', b'{"a":"\\u 041"}', b'{"a":"\\u+041"}', b'{"a":"\\x41"}', b'{"a":"\\a"}',
    b'{"a":"\\0"}', b'{"a":"\\\'"}', b'{"a":"\\U00000041"}', b'{"a":"\\"}', b'{"a":"\\\n"}',
    # bytes in strings
    b'{"a":"\x00"}', b'{"a":"\x01"}', b'{"a":"\x1f"}', b'{"a":"\n"}', b'{"a":"\t"}', b'{"a":"\r"}',
    b'{"a":"\x1b[31m"}', b'{"\n":1}', b'{"a":"\xff"}', b'{"a":"\x80"}', b'{"a":"\xc0\xaf"}',
    b'{"a":"\xc1\x81"}', b'{"a":"\xe0\x80\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xed\xb0\x80"}',
    b'{"a":"\xed\xa0\xbd\xed\xb8\x80"}', b'{"a":"\xf4\x90\x80\x80"}', b'{"a":"\xf8\x88\x80\x80\x80"}',
    b'{"a":"\xe2\x82"}', b'{"a":"\xc3"}', b'{"a":"\xc3\x28"}', b'{"\xff":1}', b"\xff{}", b"{}\xff",
    # keys outside the profile
    '{"é":1}'.encode(), '{"а":1}'.encode(), '{"付":1}'.encode(), '{"😀":1}'.encode(), b'{"\xc2\x80":1}',
    '{"a":{"ü":1}}'.encode(), '[{"ü":1}]'.encode(), '{"e\u0301":1}'.encode(), '{"\ufeff":1}'.encode(),
    # depth and other tops
    nested(DEEP + 1), nested(DEEP + 2), nested(200), nested(5000), nested(100_000), b"[" * 100_000,
    b'{"a":' * 100_000, nested(DEEP, b'{"a":', b"}", b"{}"), nested(500, b'{"a":', b"}", b"1"),
    nested(40, b'[{"a":', b"}]", b"0"),
]  # fmt: skip


def both(data: bytes, type_: Any, form: Any) -> tuple[bool, bool]:
    return accepts(lambda: decode(data, type_)), accepts(lambda: verify.read_json(data, form, ""))


def shape(data: bytes) -> Any:
    return list if data.lstrip()[:1] == b"[" else dict


def test_corpus__size__is_as_stated() -> None:
    assert len({*ACCEPTED, *REFUSED}) == len(ACCEPTED) + len(REFUSED) >= 250


@pytest.mark.parametrize("data", ACCEPTED, ids=lambda d: repr(d[:40]))
def test_json__canonical_text__is_read_alike(data: bytes) -> None:
    kind = shape(data)
    assert decode(data, kind) == verify.read_json(data, kind, "")
    assert encode(decode(data, kind)) == data


@pytest.mark.parametrize("data", REFUSED, ids=lambda d: repr(d[:40]))
def test_json__hostile_text__is_refused_by_both(data: bytes) -> None:
    assert both(data, shape(data), shape(data)) == (False, False)


@pytest.mark.parametrize("data", [b"null", b"true", b"0", b'"a"', b"[]", b"1.5", b"-1"])
def test_json__another_value_than_an_object__is_refused_by_both(data: bytes) -> None:
    assert both(data, dict, dict) == (False, False)


scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20)
keys = st.text(alphabet=st.characters(max_codepoint=0x3FF), max_size=6)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
)


@settings(max_examples=400)
@given(st.dictionaries(keys, values, max_size=4), st.booleans(), st.booleans(), st.booleans())
def test_json__any_document_in_any_spelling__is_judged_alike(
    value: dict[str, object], is_sorted: bool, is_tight: bool, is_ascii: bool
) -> None:
    text = json.dumps(
        value, sort_keys=is_sorted, ensure_ascii=is_ascii,
        separators=(",", ":") if is_tight else None,
    )  # fmt: skip
    data = text.encode("utf-8", "surrogatepass")
    ours, theirs = both(data, dict, dict)
    assert ours == theirs
    if ours:
        assert decode(data, dict) == value == verify.read_json(data, dict, "")


@settings(max_examples=400)
@given(st.sampled_from(ACCEPTED[:40]), st.data())
def test_json__any_byte_of_a_canonical_text_changed__is_judged_alike(
    data: bytes, draw: st.DataObject
) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    new = draw.draw(st.binary(max_size=3))
    changed = data[:at] + new + data[at + 1 :]
    ours, theirs = both(changed, shape(changed), shape(changed))
    assert ours == theirs


ENTRY = {
    "closes": "", "digest": "sha256:" + "a" * 64, "predicate": verify.uri("prereg"),
    "retention": "permanent", "size": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("predicate", ["", "p", "p" * 200, "p" * 201, "é", "a b", "a\n", 1, None, []]),
        ("digest", ["", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "sha256:" + "a" * 64 + "\n"]),
        ("size", [0, -1, 2**53 - 1, True, "1", None, []]),
        ("retention", ["term", "erasable", "forever", "permanent\n", None, ""]),
        ("closes", ["sha256:" + "b" * 64, "sha256:", "\n", "x", None, 0]),
        ("other", [0, None, ""]),
    ],
)
def test_entry__field_with_an_odd_value__is_judged_alike(field: str, values: list[object]) -> None:
    for value in values:
        data = encode({**ENTRY, field: value})
        ours, theirs = both(data, Entry, verify.ENTRY)
        assert ours == theirs, data
    assert both(encode(ENTRY), Entry, verify.ENTRY) == (True, True)


@pytest.mark.parametrize("field", sorted(ENTRY))
def test_entry__field_left_out__is_refused_by_both(field: str) -> None:
    data = encode({name: value for name, value in ENTRY.items() if name != field})
    assert both(data, Entry, verify.ENTRY) == (False, False)


RAW: dict[str, Any] = json.loads(msgspec.json.encode(TRUST))
HONEST = json.dumps(RAW, indent=1)


def top(**changes: object) -> str:
    return json.dumps({**RAW, **changes}, ensure_ascii=False)


def of_key(**changes: object) -> str:
    return top(keys=[RAW["keys"][0], {**RAW["keys"][1], **changes}])


def of_log(**changes: object) -> str:
    return top(keys=[{**RAW["keys"][0], **changes}, RAW["keys"][1]])


B64 = RAW["keys"][1]["public"]
NOTE = notes.sign_note(notes.Checkpoint(ORIGIN, 3, bytes(32)).text(), LOG_KEY)
TRUSTED = [
    HONEST, top(), HONEST.replace("\n", "\r\n"), "\n\t " + HONEST + " \n", top(keys=[]),
    HONEST.replace('"lab"', '"l\\u0061b"'), top(thresholds={}), top(thresholds={"prereg": 2}),
    top(separate_roles=[["log", "owner"]]), top(separate_roles=[]), top(checkpoints=[]),
    top(checkpoints=[NOTE]), of_key(not_before="2026-01-01"), of_key(not_after="2026-12-31"),
    of_key(not_before=None), of_key(not_after=None), of_key(revoked_at=None), of_key(revoked_at=0),
    of_key(revoked_at=2**53 - 1), of_key(predicates=[]), of_key(roles=["tester", "tester"]),
    of_key(not_before="2024-02-29"), of_log(origins=[ORIGIN, "other"]), of_log(origins=["o" * 401]), of_log(origins=["a b", "ü"]),
    of_key(roles=["tester", "owner", "provider"]), json.dumps(dict(reversed(RAW.items()))),
]  # fmt: skip
UNTRUSTED = [
    "", "{}", "[]", "null", HONEST + "x", HONEST + HONEST, "\ufeff" + HONEST, HONEST[:-1],
    HONEST.replace("v1", "v2", 1), top(schema=None), top(other=1), of_key(other=1),
    HONEST.replace('"schema"', '"schema":"x","schema"', 1), of_key(name="lab\n"), of_key(name=""),
    of_key(name="Lab"), of_key(name="x" * 129), of_key(party=""), of_key(party="Ü"),
    of_key(name=ORIGIN), of_key(public=RAW["keys"][0]["public"]), of_key(public=""),
    of_key(public="AAAA"), of_key(public=B64[:-1]), of_key(public=B64 + "="), of_key(public=B64 + "\n"),
    of_key(public=" " + B64), of_key(public=B64.replace("=", "")), of_key(public="_" * 43 + "="),
    of_key(public="A" * 42 + "B="), of_key(algorithm="ed448"), of_key(algorithm="Ed25519"),
    of_key(algorithm="ed25519\n"), of_key(algorithm=None), of_key(roles=[]), of_key(roles=None),
    of_key(roles=["god"]), of_key(roles=["tester\n"]), of_key(roles="tester"), of_log(origins=[]),
    of_key(roles=["witness"]), of_key(roles=["tester", "approver"]), of_key(predicates=None),
    of_log(roles=["log", "witness"]), of_log(origins=None), of_log(origins=[1]),
    of_key(not_before="2026-02-30"), of_key(not_before="0000-01-01"), of_key(not_before="20260101"),
    of_key(not_before="2026-1-1"), of_key(not_before="2026-W01-1"), of_key(not_before=""),
    of_key(not_before="2026-01-01T00:00:00Z"), of_key(not_before="٢٠٢٦-01-01"), of_key(not_after=1),
    of_key(not_before="2026-12-31", not_after="2026-01-01"), of_key(revoked_at=-1),
    of_key(revoked_at=2**53), of_key(revoked_at=2**70), of_key(revoked_at=1.0), of_key(revoked_at="1"),
    of_key(revoked_at=True), top(thresholds={"prereg": 0}), top(thresholds={"prereg": -1}),
    top(thresholds={"prereg": 1.0}), top(thresholds={"prereg": True}), top(thresholds={"prereg": None}),
    top(thresholds={"é": 1}), top(thresholds=None), top(thresholds=[]), top(checkpoints=None),
    top(separate_roles=None), top(separate_roles=[["log"]]), top(separate_roles=[["log", "log"]]),
    top(separate_roles=[["log", "owner", "tester"]]), top(separate_roles=[["log", "x"]]),
    top(separate_roles=[["log", "tester"]]), top(keys=None), top(keys={}), top(keys=[[]]),
    top(thresholds={"a": float("nan")}), top(thresholds={"a": float("inf")}), of_key(predicates=[""]),
    of_key(predicates=["Pre reg"]), of_key(predicates=["a\x00"]), of_key(predicates=[1]),
    of_log(origins=[""]), of_log(origins=[" "]), of_log(origins=["a\x1b[31m"]),
    of_log(origins=["\u202eabc"]), of_log(origins=["a\u00a0b"]), of_log(origins=["a\u2028b"]), HONEST.replace('"prereg"', '"pre\\ud800"'), top(checkpoints=["x"]),
    top(checkpoints=[NOTE + NOTE]), top(checkpoints=[NOTE.replace("3", "4", 1)]), top(checkpoints=[1]),
    top(checkpoints=[notes.sign_note(NOTE.partition("\n\n")[0] + "\n", MALLORY)]), "{" * 10_000,
    '{"schema":' * 10_000, HONEST.replace("\n", "\n//x\n", 1), HONEST.replace('"', "'"),
]  # fmt: skip


def trusts(data: bytes) -> bool:
    """Tell whether the stand-alone verifier can use a trust file and everything in it."""
    try:
        check = verify.Check(Path(), Path())
        check.have = {"trust": read_trust(data)}
        for note in check.have["trust"].get("checkpoints") or []:
            check._checkpoint(note, "", "")
    except verify.Refusal:
        return False
    return True


@pytest.mark.parametrize("text", TRUSTED, ids=range(len(TRUSTED)))
def test_trust__usable_file__is_usable_for_both(text: str) -> None:
    assert trusts(text.encode())
    assert accepts(lambda: parse_trust(text.encode()))


@pytest.mark.parametrize("text", UNTRUSTED, ids=range(len(UNTRUSTED)))
def test_trust__unusable_file__is_refused_by_both(text: str) -> None:
    assert not accepts(lambda: parse_trust(text.encode()))
    assert not trusts(text.encode())


@pytest.mark.parametrize("data", [b"\xff", HONEST.encode("utf-16"), HONEST.encode() + b"\xff"])
def test_trust__bytes_that_are_no_utf8__are_refused_by_both(data: bytes) -> None:
    assert not accepts(lambda: parse_trust(data))
    assert not trusts(data)


LOOK_ALIKES = [
    "A", "AA", "AAA", "AAAAA", "A===", "AA=", "AA===", "AAA==", "AAAA=", "AAAA==", "=", "==", "====",
    "AA==AA==", "AAAA====", "=AAA", "A=AA", "AB==", "A/==", "AAB=", "AA/=", "AAA\n", "AAAA\n", "\nAAAA",
    "AA AA", "AAAA ", " AAAA", "AA\tAA", "AA\r\nAA", "____", "----", "AA-_", "AA+_", "ＡＡＡＡ", "AAÁA",
    "AA\x00A", "\x00", "AAA\u0430", "AA==\n", "AA%3D", "AAAA#", "AAA*", "AA.=", "AAAA,", "AA\u00a0==",
    "AAA\u200b", "AA\ufe0fAA", "\ufeffAAAA", "AA=\n=", "A A A A", "\udcff", "AAAA\udc80", "AA:=",
]  # fmt: skip


@pytest.mark.parametrize("text", LOOK_ALIKES, ids=ascii)
def test_base64__look_alike__is_refused_by_both(text: str) -> None:
    assert not accepts(lambda: notes.decode64(text, BAD_RECEIPT))
    assert not accepts(lambda: verify.decode64(text, 119))


@given(st.binary(max_size=80))
def test_base64__any_bytes__have_one_spelling_for_both(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert notes.decode64(text, BAD_RECEIPT) == data == verify.decode64(text, 119)
    others = {base64.urlsafe_b64encode(data).decode(), text.rstrip("="), text + "=", text + "\n"}
    for other in others - {text}:
        assert not accepts(lambda other=other: notes.decode64(other, BAD_RECEIPT))  # type: ignore[misc]
        assert not accepts(lambda other=other: verify.decode64(other, 119))  # type: ignore[misc]


@given(st.text(alphabet="AB/+=_- \n\u00e1", max_size=10))
@example("AAAA")
def test_base64__any_text__is_judged_alike(text: str) -> None:
    ours = accepts(lambda: notes.decode64(text, BAD_RECEIPT))
    assert ours == accepts(lambda: verify.decode64(text, 119))


@pytest.mark.parametrize(
    "line",
    [
        "\N{EM DASH} a+b AAAAAAAA", "\N{EM DASH} a\u00a0b AAAAAAAA", "\N{EM DASH} a\u2028b AAAAAAAA",
        "\N{EM DASH} a\x85b AAAAAAAA", "\N{EM DASH}  AAAAAAAA", "\N{EM DASH} a", "\N{EM DASH} a ",
        "\N{EM DASH} a AAAA", "\N{EM DASH} a AAAAAAA", "\N{EM DASH} a AAAAAAAA ", "- a AAAAAAAA",
        "\N{EN DASH} a AAAAAAAA", " \N{EM DASH} a AAAAAAAA", "\N{EM DASH}\u00a0a AAAAAAAA",
        "\N{EM DASH} a b AAAAAAAA", "\N{EM DASH} a\x00 AAAAAAAA", "\N{EM DASH} a\t AAAAAAAA",
        "\N{EM DASH} \ud800 AAAAAAAA", "\N{EM DASH} a AA==AAAA", "", "x",
        "\n".join(f"\N{EM DASH} n{number} AAAAAAAA" for number in range(64)),
    ],
    ids=lambda line: ascii(line)[:32],
)  # fmt: skip
def test_note__odd_signature_line_after_a_good_one__is_refused_by_both(line: str) -> None:
    pairs, verifiers = [(LOG_KEY.name, LOG_KEY.public)], [notes.verifier_of(LOG_KEY)]
    assert accepts(lambda: notes.open_note(NOTE + "\N{EM DASH} a AAAAAAAA\n", verifiers))
    assert accepts(lambda: verify.open_note(NOTE + "\N{EM DASH} a AAAAAAAA\n", pairs))
    assert not accepts(lambda: notes.open_note(f"{NOTE}{line}\n", verifiers))
    assert not accepts(lambda: verify.open_note(f"{NOTE}{line}\n", pairs))


# ---- RFC 9162: the public vectors are run, and properties that they cannot show ------------------


def test_vectors__both_files__hold_98_cases_of_each_kind_and_run_against_the_verifier() -> None:
    """``test_tree`` runs each by name; here the numbers are counted on the verifier itself."""
    judged = {True: 0, False: 0}
    for case in test_tree.cases("rfc9162-inclusion.json"):
        index, size = int(str(case["leafIdx"])), int(str(case["treeSize"]))
        leaf, root = test_tree.raw(case["leafHash"]), test_tree.raw(case["root"])
        holds = verify_inclusion(leaf, index, size, test_tree.proof(case), root)
        assert holds is not case["wantErr"]
        judged[holds] += 1
    inclusion = dict(judged)
    for case in test_tree.cases("rfc9162-consistency.json"):
        sizes = int(str(case["size1"])), int(str(case["size2"]))
        roots = test_tree.raw(case["root1"]), test_tree.raw(case["root2"])
        holds = verify_consistency(*sizes, test_tree.proof(case), *roots)
        assert holds is not case["wantErr"]
        judged[holds] += 1
    assert sum(inclusion.values()) == 98
    assert sum(judged.values()) == 196
    assert min(*inclusion.values(), judged[True] - inclusion[True]) > 0
    listed = {path.name for path in test_tree.VECTORS.glob("*.json")}
    assert listed == {"rfc9162-inclusion.json", "rfc9162-consistency.json"}


LEAVES = [leaf_hash(b"%d" % number) for number in range(600)]
TREE = Tree()
TREE.extend(LEAVES)
sizes = st.integers(1, len(LEAVES))


@given(sizes, st.data())
def test_inclusion__wrong_index_size_leaf_or_root__never_verifies(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    path, root = TREE.inclusion(index, size), TREE.root(size)
    assert verify_inclusion(LEAVES[index], index, size, path, root)
    other = data.draw(st.integers(0, len(LEAVES) - 1).filter(lambda i: i != index))
    assert not verify_inclusion(LEAVES[other], index, size, path, root)
    assert not verify_inclusion(LEAVES[index], other, size, path, root)
    wrong = data.draw(sizes.filter(lambda s: s != size))
    assert not verify_inclusion(LEAVES[index], index, wrong, path, TREE.root(wrong))
    assert not verify_inclusion(LEAVES[index], index, size, path, TREE.root(wrong))
    assert not verify_inclusion(LEAVES[index], index, size, [*path, bytes(32)], root)
    assert not verify_inclusion(LEAVES[index], index, size, [bytes(32), *path], root)
    assert not path or not verify_inclusion(LEAVES[index], index, size, path[1:], root)
    assert not verify_inclusion(LEAVES[index], index - size, size, path, root)
    for odd in ([*path, b""], [item[:-1] for item in path] or [b"x"], [p + b"\0" for p in path]):
        assert odd == path or not verify_inclusion(LEAVES[index], index, size, odd, root)


@given(sizes, st.data())
def test_inclusion__path_with_two_hashes_swapped_or_one_changed__never_verifies(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = TREE.inclusion(index, size)
    at = data.draw(st.integers(0, max(0, len(path) - 1)))
    if path:
        changed = [*path[:at], data.draw(st.binary(min_size=32, max_size=32)), *path[at + 1 :]]
        assert changed == path or not verify_inclusion(
            LEAVES[index], index, size, changed, TREE.root(size)
        )
        swapped = [*path[:at], *reversed(path[at:])]
        assert swapped == path or not verify_inclusion(
            LEAVES[index], index, size, swapped, TREE.root(size)
        )


def test_inclusion__inner_node_as_a_leaf__never_verifies_under_the_true_size() -> None:
    inner = node_hash(LEAVES[0], LEAVES[1])
    for size in range(2, 40):
        path = TREE.inclusion(0, size)
        for index in range(size):
            assert not verify_inclusion(inner, index, size, path[1:], TREE.root(size))
            assert not verify_inclusion(inner, index, size, path, TREE.root(size))


@given(sizes, sizes, st.data())
def test_consistency__wrong_sizes_or_roots__never_verifies(
    one: int, two: int, data: st.DataObject
) -> None:
    one, two = sorted((one, two))
    path, roots = TREE.consistency(one, two), (TREE.root(one), TREE.root(two))
    assert verify_consistency(one, two, path, *roots)
    wrong = data.draw(sizes.filter(lambda s: s not in (one, two)))
    assert not verify_consistency(one, two, path, TREE.root(wrong), roots[1])
    assert not verify_consistency(one, two, path, roots[0], TREE.root(wrong))
    assert not verify_consistency(wrong, two, path, TREE.root(wrong), roots[1])
    assert not verify_consistency(one, wrong, path, roots[0], TREE.root(wrong))
    assert one == two or not verify_consistency(two, one, path, *reversed(roots))
    assert not verify_consistency(one, two, [*path, bytes(32)], *roots)
    assert not path or not verify_consistency(one, two, path[:-1], *roots)
    assert not path or not verify_consistency(one, two, path[1:], *roots)
    assert not verify_consistency(0, two, path, EMPTY_ROOT, roots[1])
    assert not verify_consistency(-one, two, path, *roots)


@given(st.integers(2, 200), st.data())
def test_consistency__history_with_one_leaf_rewritten__never_verifies(
    two: int, data: st.DataObject
) -> None:
    """No proof exists for a rewritten past, whatever leaf below the old size differs."""
    one = data.draw(st.integers(1, two - 1))
    at = data.draw(st.integers(0, one - 1))
    forged = Tree()
    forged.extend([*LEAVES[:at], leaf_hash(b"forged"), *LEAVES[at + 1 : two]])
    assert not verify_consistency(
        one, two, forged.consistency(one, two), TREE.root(one), forged.root(two)
    )
    assert forged.root(two) != TREE.root(two)


def test_root__of_each_prefix__is_the_tree_that_ended_there() -> None:
    draw = random.Random(9162)
    for size in [*range(70), *(draw.randrange(70, len(LEAVES)) for _ in range(20))]:
        grown = Tree()
        grown.extend(LEAVES[:size])
        assert TREE.root(size) == grown.root() == verify.tree_root(LEAVES[:size])
