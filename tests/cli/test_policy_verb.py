"""Does ``undersigned policy`` refuse what cannot be enforced, explain, compare and test?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from undersigned.cli.main import main
from undersigned.episodes.controlled import tool_specs
from undersigned.worlds.family import load_family

TOOLS = tuple(spec.name for spec in tool_specs(load_family("payments", ("en",))))
PERMITS = "".join(
    f'@id("base-{name.replace("_", "-")}") '
    f'permit (principal, action == Action::"{name}", resource);\n'
    for name in TOOLS
)
RULES = """
@id("payee-unvouched") @reason("no trusted source names the account") @else("ask")
forbid (principal, action == Action::"release_payment", resource)
when { context.facts.unvouched.contains("resource.account") };

@id("screen-first")
forbid (principal, action == Action::"release_payment", resource)
unless { context.facts.after.contains("screen_payee.result=clear") };

@id("cap") @else("narrow:amount<=500000")
forbid (principal, action == Action::"draft_payment", resource)
when { context.args.amount > 500000 };
"""
FAMILY = ("--family", "payments")
DRAFT: dict[str, Any] = {
    "reference": "INV-1", "account": "1", "amount": 600000, "currency": "SGD", "purpose": "invoice"
}  # fmt: skip
RELEASE = {"payment_id": "PAY-1"}
CLEAR = {"after": ["screen_payee.result=clear"]}


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.cedar"
    path.write_text(PERMITS + RULES)
    return path


def wrote(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def data(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["policy", *map(str, arguments), *FAMILY, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_check__good_policy__prints_digest_and_no_notes(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "check", str(policy_file), "--strict", *FAMILY]) == 0
    text = capsys.readouterr().out
    assert "notes        none" in text
    assert "ground rule  on" in text
    found = data(capsys, "check", policy_file)["data"]
    assert found["digest"] in text
    assert found["rules"][-1] == "cap"


def test_check__ground_rule_off__says_so_and_has_another_digest(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = data(capsys, "check", policy_file)["data"]
    off = data(capsys, "check", policy_file, "--no-ground-rule")["data"]
    assert on["digest"] != off["digest"]
    assert off["ground_rule"] is False


def test_check__notes__are_1_only_with_strict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wrote(tmp_path / "p.cedar", PERMITS.splitlines()[0])
    found = data(capsys, "check", path)["data"]["notes"]
    assert {note["kind"] for note in found} == {"no-rule"}
    assert len(found) == len(TOOLS) - 1
    assert data(capsys, "check", path, "--strict", code=1)["ok"] is False


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PERMITS + "forbid (principal, action, resource);", "E-CTL-002"),
        (PERMITS.replace("read_payee", "raed_payee"), "E-CTL-006"),
        (PERMITS + RULES.replace("resource.account", "resource.acount"), "E-CTL-016"),
        ("permit(", "E-CTL-001"),
    ],
)
def test_check__policy_that_could_be_inert__is_2_with_code_and_line(
    text: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (error,) = data(capsys, "check", wrote(tmp_path / "p.cedar", text), code=2)["errors"]
    assert error["code"] == code
    assert int(error["fields"]["line"]) >= 1


def test_check__file_that_cannot_be_read__is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (error,) = data(capsys, "check", tmp_path / "none.cedar", code=2)["errors"]
    assert error["code"] == "E-CTL-018"
    (tmp_path / "latin").write_bytes(b"// \xe9")
    (error,) = data(capsys, "check", tmp_path / "latin", code=2)["errors"]
    assert error["code"] == "E-CTL-018"


def test_explain__decision__names_rules_and_facts(
    policy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    action = wrote(
        tmp_path / "a.json",
        json.dumps({
            "tool": "release_payment", "args": RELEASE,
            "facts": {**CLEAR, "unvouched": ["resource.account"]},
        }),
    )  # fmt: skip
    assert main(["policy", "explain", str(policy_file), str(action), *FAMILY]) == 0
    text = capsys.readouterr().out
    assert "release_payment: ask (payee-unvouched)" in text
    assert "* forbid payee-unvouched" in text
    assert "no trusted source names the account" in text
    assert 'facts.unvouched: ["resource.account"]' in text
    found = data(capsys, "explain", policy_file, action)["data"]
    assert found["decision"]["reasons"] == ["payee-unvouched"]


@pytest.mark.parametrize(
    "text",
    [
        "[]", "{", '{"tool": "a", "tool": "b"}', '{"args": {}}', '{"tool": 1}',
        '{"tool": "a", "fact": {}}', '{"tool": "a", "facts": {"trusted": true}}',
        '{"tool": "a", "facts": {"total": "5"}}', '{"tool": "a", "facts": {"cell": "x"}}',
    ],
)  # fmt: skip
def test_explain__action_of_another_form__is_refused(
    text: str, policy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    action = wrote(tmp_path / "a.json", text)
    (error,) = data(capsys, "explain", policy_file, action, code=2)["errors"]
    assert error["code"] == "E-CTL-018"


def lines(*actions: dict[str, Any]) -> str:
    return "\n".join(json.dumps(action) for action in actions) + "\n"


def test_diff__new_policy_lets_more_pass__is_1_and_says_where(
    policy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    actions = wrote(
        tmp_path / "actions.jsonl",
        lines(
            {"tool": "draft_payment", "args": DRAFT},
            {"tool": "draft_payment", "args": {**DRAFT, "amount": 5}},
            {"tool": "release_payment", "args": RELEASE},
        ),
    )
    wide = wrote(tmp_path / "wide.cedar", PERMITS + RULES.replace("500000", "550000"))
    found = data(capsys, "diff", policy_file, wide, actions, code=1)["data"]
    assert (found["actions"], found["wider"]) == (3, 1)
    assert [(c["number"], c["wider"]) for c in found["changes"]] == [(1, True)]
    back = data(capsys, "diff", wide, policy_file, actions)["data"]
    assert [(c["number"], c["wider"]) for c in back["changes"]] == [(1, False)]
    open_ = wrote(tmp_path / "open.cedar", PERMITS)
    assert main(["policy", "diff", str(policy_file), str(open_), str(actions), *FAMILY]) == 1
    text = capsys.readouterr().out
    assert "2 of 3 decisions change, 2 let more pass" in text
    assert "deny (screen-first)  ->  ask (ground-rule)  WIDER" in text
    assert data(capsys, "diff", policy_file, policy_file, actions)["data"]["changes"] == []


def test_test__cases__are_compared_by_kind_and_reasons(
    policy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = """
- name: big draft is lowered
  tool: draft_payment
  args: {reference: INV-1, account: "1", amount: 600000, currency: SGD, purpose: invoice}
  expect: narrow
  reasons: [cap]
- tool: release_payment
  args: {payment_id: PAY-1}
  expect: deny
"""
    cases = wrote(tmp_path / "good.yaml", good)
    assert main(["policy", "test", str(policy_file), str(cases), *FAMILY]) == 0
    assert "2 of 2 cases as expected" in capsys.readouterr().out
    bad = wrote(tmp_path / "bad.yaml", good.replace("[cap]", "[cap, other]"))
    assert main(["policy", "test", str(policy_file), str(bad), *FAMILY]) == 1
    text = capsys.readouterr().out
    assert "big draft is lowered: expected narrow (cap, other), got narrow (cap" in text
    found = data(capsys, "test", policy_file, bad, code=1)["data"]["cases"]
    assert [case["passed"] for case in found] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "- 1",
        "- {tool: a}",
        "- {tool: a, expect: maybe}",
        ":[",
        "- {tool: a, expect: deny, expect: allow}",
        "- {tool: a, expect: deny, arg: {}}",
    ],
)
def test_test__file_of_another_form__is_refused(
    text: str, policy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = wrote(tmp_path / "c.yaml", text)
    (error,) = data(capsys, "test", policy_file, cases, code=2)["errors"]
    assert error["code"] == "E-CTL-018"
