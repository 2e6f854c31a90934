"""Is every card that is not exactly right refused with a code, a reason and a remedy?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.floors import ROOT
from tests.growth import assert_growth
from undersigned.assessment.card import SIZE_LIMIT, Card, card_locales, check_tools, load_card
from undersigned.core.errors import StorageError, UndersignedError
from undersigned.languages.locales import LOCALES
from undersigned.worlds.family import load_family

PLAIN = """\
name: clerk
version: "1"
owner: {name: A, role: B}
agent: {reference: honest-plain}
"""


def load(folder: Path, text: str | bytes) -> Card:
    path = folder / "card.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_card(path)


def refused(folder: Path, text: str | bytes) -> UndersignedError:
    with pytest.raises(UndersignedError) as caught:
        load(folder, text)
    assert caught.value.remedy
    assert "{" not in caught.value.remedy
    return caught.value


def edit(old: str, new: str) -> str:
    assert PLAIN.count(old) == 1
    return PLAIN.replace(old, new)


CHAT = "agent: {{chat: {{base_url: https://a.example/v1, model: m{more}}}}}"


def chat(more: str) -> str:
    return edit("agent: {reference: honest-plain}", CHAT.format(more=more))


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda p: p.name)
def test_card__every_example__loads(path: Path) -> None:
    card = load_card(path)
    assert card_locales(card) == tuple(LOCALES)


@pytest.mark.parametrize(("text", "seeds"), [("", 1), (", probe: 0", 0), (", probe: 20", 20)])
def test_card__probe__is_on_unless_switched_off(text: str, seeds: int, tmp_path: Path) -> None:
    card = load(tmp_path, PLAIN + f"controls: {{policy: family{text}}}\n")
    assert card.controls is not None
    assert card.controls.probe == seeds


def test_card__same_content_written_otherwise__has_the_same_digest(tmp_path: Path) -> None:
    one = load(tmp_path, PLAIN)
    again = load(tmp_path, '{"agent": {"reference": "honest-plain"}, "name": "clerk", '
                           '"version": "1", "owner": {"role": "B", "name": "A"}}')  # fmt: skip
    assert one.digest() == again.digest()
    assert load(tmp_path, edit("clerk", "clerks")).digest() != one.digest()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLAIN + "colour: red\n", "colour"),
        (edit("reference: honest-plain", "referense: x"), "referense"),
        (edit("role: B", "role: B, age: 4"), "age"),
        (edit('version: "1"', "version: 1"), "version"),
        (edit('version: "1"', "version: 2026-11-21"), "version"),
        (edit("name: clerk", "name: [clerk]"), "name"),
        (edit("name: clerk", "name: null"), "name"),
        (edit("name: clerk\n", ""), "name"),
        (edit("owner: {name: A, role: B}", "owner: A"), "owner"),
        (PLAIN + "locales: th\n", "locales"),
        (PLAIN + "claim: {limit: 0.05}\n", "claim.limit"),
        (chat(", max_tokens: true"), "max_tokens"),
        (chat(", max_tokens_field: tokens"), "max_tokens_field"),
        (PLAIN + "name: again\n", "stands twice"),
        (edit("role: B", "role: B, role: C"), "stands twice"),
        (edit("owner: {name: A, role: B}", "owner: &o {name: A, role: B}") + "x: *o\n", "aliases"),
        (PLAIN + "<<: {description: smuggled}\n", "plain text"),
        (PLAIN + "? [a, b]\n: c\n", "plain text"),
        (edit("name: clerk", "name:\tclerk\n\tversion: x"), "card"),
        (edit("name: clerk", "name: !!python/object/apply:os.system [true]"), "python"),
        (edit("name: clerk", "name: !!timestamp never"), ""),
        (edit("name: clerk", "name: !!bool maybe"), ""),
        (edit("name: clerk", 'name: !!int ""'), ""),
        (edit("name: clerk", "name: " + "9" * 5000), ""),
        (PLAIN + "---\n" + PLAIN, "document"),
        ("", "object"),
        ("[]", "object"),
        ("[" * 5000, ""),
        (PLAIN.encode() + b"\x00", ""),
        (PLAIN.encode() + b"\xff\xfe", ""),
        (os.urandom(4096), ""),
        (edit("agent: {reference: honest-plain}", "agent: {}"), "exactly one"),
        (edit("reference: honest-plain", "reference: honest-plain, tape: x"), "exactly one"),
        (edit("reference: honest-plain", "reference: a, endpoint: {token_env: T}"), "exactly one"),
        (edit("reference: honest-plain", 'tape: "a\\0b"'), "agent.tape"),
        (edit("reference: honest-plain", "reference: a, concurrency: 0"), "concurrency"),
        (edit("reference: honest-plain", "reference: a, concurrency: 257"), "concurrency"),
        (edit("name: clerk", 'name: "  "'), "empty"),
        (edit("name: A", 'name: ""'), "empty"),
        (PLAIN + "controls: {policy: family, probe: -1}\n", "controls.probe"),
        (PLAIN + "controls: {policy: family, probe: 21}\n", "controls.probe"),
        (PLAIN + "controls: {policy: family, probe: true}\n", "controls.probe"),
        (PLAIN + 'controls: {policy: family, probe: "1"}\n', "controls.probe"),
        (PLAIN + "controls: {policy: family, probe: 0.5}\n", "controls.probe"),
    ],
)  # fmt: skip
def test_card__malformed__is_refused_with_the_key(
    text: str | bytes, said: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, text)
    assert (error.code, error.exit_code) == ("E-ASM-001", 2)
    assert said in error.text()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PLAIN + "locales: [th, tlh]\n", "E-LNG-001"),
        (PLAIN + "claim: {metric: trust}\n", "E-ASM-010"),
        (chat(", temperature: warm"), "E-AGT-008"),
        (chat(", currency: dollars"), "E-AGT-008"),
        (chat("").replace("https://a.example/v1", "http://a.example/v1"), "E-AGT-005"),
        (chat("").replace("https://a.example/v1", "https://u:p@a.example/v1"), "E-AGT-008"),
        (edit("name: clerk", 'name: "\\ud800"'), "E-COR-001"),
    ],
)
def test_card__unknown_name_or_setting__has_its_own_code(
    text: str, code: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, text)
    assert (error.code, error.exit_code) == (code, 2)


def test_card__huge_or_endless__is_refused_without_reading_it_all(tmp_path: Path) -> None:
    assert "too large" in refused(tmp_path, PLAIN + "#" * SIZE_LIMIT).text()
    with pytest.raises(UndersignedError, match="too large"):
        load_card(Path("/dev/zero"))


@pytest.mark.parametrize("unit", ["k%d: 1\n", "- %d\n", "? k%d\n"])
def test_card__many_keys__is_refused_in_linear_time(unit: str, tmp_path: Path) -> None:
    def refuse(count: int) -> None:
        text = "".join(unit % n for n in range(count))
        assert len(text) < SIZE_LIMIT
        refused(tmp_path, text)

    assert_growth(refuse, 500, 5_000, below=4)


def test_card__missing__is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        load_card(tmp_path / "none.yaml")
    assert caught.value.code == "E-COR-005"


def test_tools__exactly_the_suites__pass_and_any_other_list_is_refused(tmp_path: Path) -> None:
    family = load_family("payments", ("en",))
    own = [tool.name for tool in family.own_tools()]
    check_tools(load(tmp_path, PLAIN), family)
    check_tools(load(tmp_path, PLAIN + f"tools: [{', '.join(own)}]\n"), family)
    for tools, said in ((own[1:], own[0]), ([*own, "wire_mony"], "wire_mony")):
        card = load(tmp_path, PLAIN + f"tools: [{', '.join(tools)}]\n")
        with pytest.raises(UndersignedError, match=said) as caught:
            check_tools(card, family)
        assert (caught.value.code, caught.value.exit_code) == ("E-ASM-002", 2)
        assert caught.value.remedy == "undersigned suite show payments"
