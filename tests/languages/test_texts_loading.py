"""Strict loading: what Fluent would skip, guess or leave to one language is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from undersigned.core.canonical import digest_bytes
from undersigned.core.errors import UsageError
from undersigned.languages.texts import Texts

GOOD = "# note\nhello = Hello { $name }\nbye = Bye\n"


def load(folder: Path, en: str, ms: str | None = None) -> Texts:
    (folder / "en.ftl").write_text(en, "utf-8", newline="")
    if ms is not None:
        (folder / "ms.ftl").write_text(ms, "utf-8", newline="")
    return Texts.load(folder, ["en"] if ms is None else ["en", "ms"])


def refusal(folder: Path, en: str, ms: str | None = None) -> dict[str, str]:
    with pytest.raises(UsageError) as caught:
        load(folder, en, ms)
    return {"code": caught.value.code, **caught.value.fields}


@pytest.mark.parametrize(
    ("added", "line", "said"),
    [
        ("oops\n", "4", "Expected token"),
        ("broken = { $name\n", "5", "Expected token"),
        ("hello = Again\n", "4", "defined twice"),
        ("m = Text\n    .title = Title\n", "5", "attribute"),
        ("m =\n    .title = Title\n", "5", "attribute"),
        ("-brand = Answer\n", "4", "no message uses"),
        ("-a = { -b }\n-b = { -a }\nm = { -a }\n", "5", "refers to itself"),
        ("m = { m }\n", "4", "refers to itself"),
        ("m = { -missing }\n", "4", "does not define"),
        ("m = { missing }\n", "4", "does not define"),
        ("m = { hello.title }\n", "4", "not accepted"),
        ('-t = T\nm = { -t(case: "x") }\n', "5", "not accepted"),
        ("m = { UPPER($name) }\n", "4", "unknown function UPPER"),
        ("m = { DATETIME($on) }\n", "4", "unknown function DATETIME"),
        ("m = { MONEY($a, digits: 3) }\n", "4", "exactly one slot"),
        ("m = { MONEY($a, $b) }\n", "4", "exactly one slot"),
        ("m = { MONEY() }\n", "4", "exactly one slot"),
        ('m = { DATE("2026-11-03") }\n', "4", "with a slot"),
        ("m = { 5 }\n", "4", "NumberLiteral"),
        ("m = { $n ->\n    [1.5] a\n   *[other] b\n    }\n", "5", "no integer"),
        ("m = { MONEY($n) ->\n    [1] a\n   *[other] b\n    }\n", "4", "selects by"),
        ("m = { $n ->\n    [one] a\n    }\n", "6", "default"),
    ],
)
def test_load__text_outside_the_syntax__is_refused_by_file_message_and_line(
    tmp_path: Path, added: str, line: str, said: str
) -> None:
    told = refusal(tmp_path, GOOD + added)
    assert told["code"] == "E-LNG-003"
    assert told["file"].endswith("en.ftl")
    assert told["line"] == line
    assert said in told["reason"]
    assert told["message"]


@pytest.mark.parametrize(
    ("ms", "code", "message"),
    [
        ("hello = Helo { $name }\n", "E-LNG-004", "bye"),
        ("hello = Helo { $name }\nbye = Selamat\nextra = x\n", "E-LNG-004", "extra"),
        ("hello = Helo\nbye = Selamat\n", "E-LNG-005", "hello"),
        ("hello = Helo { $nama }\nbye = Selamat\n", "E-LNG-005", "hello"),
        ("hello = { $name }\nbye = { $n ->\n   *[other] x\n    }\n", "E-LNG-005", "bye"),
    ],
)
def test_load__locales_that_disagree__are_refused(
    tmp_path: Path, ms: str, code: str, message: str
) -> None:
    told = refusal(tmp_path, GOOD, ms)
    assert (told["code"], told["message"]) == (code, message)
    assert told["line"].isdecimal()


def test_load__slot_only_inside_a_term_or_variant__counts(tmp_path: Path) -> None:
    en = "m = { -t }\n-t = { $a } { $n ->\n    [one] { $b }\n   *[other] { bye }\n    }\nbye = x\n"
    texts = load(tmp_path, en, "m = { $n } { $a } { $b }\nbye = y\n")
    assert texts.slots("m") == {"a", "b", "n"}
    assert texts.render("en", "m", {"a": "A", "b": "B", "n": 1}) == "A B"


def test_load__file_missing_or_not_utf8__is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="E-LNG-002"):
        Texts.load(tmp_path, ["en"])
    (tmp_path / "en.ftl").write_bytes(b"hello = \xff\n")
    with pytest.raises(UsageError, match="E-LNG-002"):
        Texts.load(tmp_path, ["en"])
    with pytest.raises(UsageError, match="E-LNG-001"):
        Texts.load(tmp_path, ["en", "fr"])
    with pytest.raises(UsageError, match="E-LNG-001"):
        Texts.load(tmp_path, [])


def test_sources__each_file__is_digested_byte_for_byte(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).sources() == {"en": digest_bytes(GOOD.encode())}


def test_message_digest__changes_with_what_the_message_says_and_nothing_else(
    tmp_path: Path,
) -> None:
    base = "m = Hi { $name } { -t }\n-t = Bank\nother = x\n"
    before = load(tmp_path, base).message_digest("en", "m")
    unrelated = load(tmp_path, "# comment\n" + base.replace("other = x", "other = y"))
    assert unrelated.message_digest("en", "m") == before
    for changed in (
        base.replace("Hi", "Hi "),
        base.replace("Bank", "Bunk"),
        base.replace("$name", "$nome"),
        base.replace("{ $name }", "{$name}"),
        base.replace("{ -t }", "Bank { -t }"),
    ):
        assert load(tmp_path, changed).message_digest("en", "m") != before
    assert load(tmp_path, base, base).message_digest("ms", "m") != before


def test_load__windows_line_ends__give_the_same_text(tmp_path: Path) -> None:
    unix = load(tmp_path, "m = One\n    two { $a }\nn = x\n")
    said = unix.render("en", "m", {"a": "!"})
    windows = load(tmp_path, "m = One\r\n    two { $a }\r\nn = x\r\n")
    assert windows.render("en", "m", {"a": "!"}) == said == "One\ntwo !"
