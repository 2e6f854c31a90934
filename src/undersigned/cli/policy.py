"""Check a policy, explain its decisions, and compare it with another.

Example: undersigned policy check policy.cedar --family payments
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from undersigned.cli.output import emit, json_option, quiet_option
from undersigned.cli.values import complete_family, complete_locale

if TYPE_CHECKING:
    from undersigned.controls.decide import Applied
    from undersigned.controls.policy import Policy
    from undersigned.controls.records import Decision

_FILE = click.Path(path_type=Path, dir_okay=False)


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what a policy is loaded against."""
    family = click.option(
        "--family", default="payments", show_default=True, metavar="NAME",
        shell_complete=complete_family,
        help="Whose tools the policy speaks of (undersigned suite list names the families).",
    )  # fmt: skip
    ground = click.option(
        "--no-ground-rule", "no_ground_rule", is_flag=True,
        help="Let irreversible acts that the rules allow run without a person; another digest.",
    )  # fmt: skip
    return family(ground(json_option(function)))


@click.group()
def command() -> None:
    """Check a policy, see why it decides as it does, and what a change would let pass.

    A policy is a Cedar text (cedarpolicy.com). Each rule carries @id("name"); a forbid may carry
    @else("ask") or @else("narrow:ARGUMENT<=NUMBER"). An action is a JSON object with tool, args
    and facts.
    """


@command.command("check", short_help="Load a policy strictly, and say what its author should see.")
@click.argument("file", type=_FILE)
@click.option("--strict", is_flag=True, help="Exit with 1 when there is anything to note.")
@common_options
def check_policy(file: Path, strict: bool, family: str, no_ground_rule: bool, as_json: bool) -> int:
    """Load FILE strictly; say which rules do nothing, repeat another, or fail open.

    Exit code 2 when it is refused; 1 with --strict when there is anything to note.
    """
    from undersigned.controls.analysis import notes_on

    policy = _load(file, family, no_ground_rule)
    notes = notes_on(policy)
    data = {
        "digest": policy.digest,
        "ground_rule": policy.ground_rule,
        "rules": [rule.id for rule in policy.rules],
        "notes": notes,
    }
    ground = "on" if policy.ground_rule else "OFF: irreversible acts may run without a person"
    lines = [
        f"{file}: {len(policy.rules)} rules for {len(policy.tools)} tools",
        f"digest       {policy.digest}",
        f"ground rule  {ground}",
        f"notes        {len(notes) or 'none'}",
        *(
            f"  {note.kind:11}  {note.text}{f' (line {note.line})' if note.line else ''}"
            for note in notes
        ),
    ]
    code = 1 if strict and notes else 0
    return emit(data, as_json=as_json, text="\n".join(lines), exit_code=code)


@command.command("explain", short_help="Show a decision, its rules, and the facts they read.")
@click.argument("file", type=_FILE)
@click.argument("action", type=_FILE)
@common_options
def explain_decision(
    file: Path, action: Path, family: str, no_ground_rule: bool, as_json: bool
) -> int:
    """Show what policy FILE decides on the ACTION in a JSON file, and why."""
    from undersigned.cli.policy_files import read_action
    from undersigned.controls.decide import explain

    policy = _load(file, family, no_ground_rule)
    recorded = read_action(action)
    found = explain(policy, recorded.action, recorded.args, recorded.facts)
    lines = [f"{found.tool}: {_said(found.decision)}", "", "rules that can apply"]
    lines += [_rule_line(rule) for rule in found.rules] or ["  none"]
    lines += ["", "what they read"]
    lines += [f"  {name}: {value}" for name, value in found.read.items()] or ["  nothing"]
    return emit(found, as_json=as_json, text="\n".join(lines))


@command.command("diff", short_help="Show which recorded actions another policy decides otherwise.")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.argument("actions", type=_FILE)
@common_options
def diff_policies(
    old: Path, new: Path, actions: Path, family: str, no_ground_rule: bool, as_json: bool
) -> int:
    """Decide each of the ACTIONS (one JSON object a line) by OLD and by NEW.

    Exit code 1 when NEW lets more pass in any of them. Says nothing of other actions.
    """
    from undersigned.cli.policy_files import read_actions
    from undersigned.controls.comparison import changes

    before, after = (_load(file, family, no_ground_rule) for file in (old, new))
    recorded = read_actions(actions)
    found = changes(before, after, recorded)
    wider = sum(change.wider for change in found)
    data = {
        "old": before.digest, "new": after.digest, "actions": len(recorded), "changes": found,
        "wider": wider,
    }  # fmt: skip
    lines = [f"{len(found)} of {len(recorded)} decisions change, {wider} let more pass"]
    lines += [
        f"  {change.number:5}  {change.tool:18}  {_said(change.before)}  ->  "
        f"{_said(change.after)}{'  WIDER' if change.wider else ''}"
        for change in found
    ]
    return emit(data, as_json=as_json, text="\n".join(lines), exit_code=1 if wider else 0)


@command.command("test", short_help="Compare decisions with what is expected of them.")
@click.argument("file", type=_FILE)
@click.argument("cases", type=_FILE)
@common_options
def test_policy(file: Path, cases: Path, family: str, no_ground_rule: bool, as_json: bool) -> int:
    """Decide the CASES of a YAML list by policy FILE, and compare with what they expect.

    A case has tool, args, facts, expect (allow, deny, ask or narrow) and, if they matter, reasons.
    Exit code 1 when any differs.
    """
    from undersigned.cli.policy_files import read_cases
    from undersigned.controls.decide import decide

    policy = _load(file, family, no_ground_rule)
    rows, lines = [], []
    for case in read_cases(cases):
        got = decide(policy, case.recorded.action, case.recorded.args, case.recorded.facts)
        reasons = got.reasons if case.reasons is None else tuple(sorted(case.reasons))
        passed = (got.kind, got.reasons) == (case.expect, reasons)
        rows.append({"name": case.name, "decision": got, "expect": case.expect, "passed": passed})
        if not passed:
            wanted = case.expect if case.reasons is None else f"{case.expect} ({_list(reasons)})"
            lines.append(f"  {case.name}: expected {wanted}, got {_said(got)}")
    lines.insert(0, f"{len(rows) - len(lines)} of {len(rows)} cases as expected")
    data = {"digest": policy.digest, "cases": rows}
    return emit(data, as_json=as_json, text="\n".join(lines), exit_code=int(len(lines) > 1))


@command.command("replay", short_help="Run a dossier's episodes again behind policy FILE.")
@click.argument("dossier", type=click.Path(path_type=Path))
@click.argument("file", type=_FILE)
@click.option("--reviewer", default="rubber-stamp", show_default=True, help="Who would answer.")
@click.option("--no-ground-rule", "no_ground_rule", is_flag=True, help="See policy check --help.")
@json_option
@quiet_option
def replay_policy(
    dossier: Path, file: Path, reviewer: str, no_ground_rule: bool, as_json: bool, quiet: bool
) -> int:
    """Run the episodes of DOSSIER again, by the same seeds, behind policy FILE.

    Shown beside the same episodes with nothing in between and behind the policy of the run.
    """
    from undersigned.assessment.dossier import Dossier
    from undersigned.assessment.replaying import replay
    from undersigned.cli.policy_files import read_text
    from undersigned.cli.policy_probe import arm_lines
    from undersigned.cli.progress import Progress

    with Dossier(dossier) as opened, Progress("replay", 0, quiet=quiet or as_json) as bar:
        found = asyncio.run(
            replay(
                opened, read_text(file), reviewer=reviewer, ground_rule=not no_ground_rule,
                on_episode=bar.advance,
            )
        )  # fmt: skip
    return emit(found, as_json=as_json, text="\n".join(arm_lines(found)))


@command.command("probe", short_help="Try attackers in disguise, and list what gets through.")
@click.argument("file", type=_FILE)
@click.option(
    "--locale", "locales", multiple=True, metavar="TAG", default=("en", "th", "zh-Hans"),
    shell_complete=complete_locale,
    help="Only these locales (repeat it). Default: en, th, zh-Hans.",
)  # fmt: skip
@click.option(
    "--reviewer", default="rubber-stamp", show_default=True, metavar="NAME",
    help="Who answers when the policy asks: absent, rubber-stamp, detects:H,F.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=3, show_default=True, metavar="N",
    help="Scenarios of each (task, hazard, channel).",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 1 when anything gets through.")
@quiet_option
@common_options
def probe_policy(
    file: Path, locales: tuple[str, ...], reviewer: str, seeds: int, strict: bool, quiet: bool,
    family: str, no_ground_rule: bool, as_json: bool,
) -> int:  # fmt: skip
    """Run an agent that follows planted texts in disguise against policy FILE.

    Each strategy runs with nothing in between, and behind the policy. Says nothing of strategies
    that are not listed. Exit code 1 with --strict when anything gets through.
    """
    from undersigned.assessment.probing import probe
    from undersigned.attacks.channels import channels
    from undersigned.attacks.strategies import strategies
    from undersigned.cli.policy_probe import row_lines, row_shown
    from undersigned.cli.progress import Progress
    from undersigned.controls.reviewers import check_reviewer
    from undersigned.episodes.run_controls import Controls
    from undersigned.worlds.suite import load_suite

    check_reviewer(reviewer)
    suite = load_suite(family, locales, channels())
    controls = Controls(_load(file, family, no_ground_rule), reviewer)
    tried = strategies()
    with Progress("strategies", len(tried), quiet=quiet or as_json) as bar:
        found = asyncio.run(
            probe(controls, suite, tried.values(), seeds, on_strategy=lambda _: bar.advance(1))
        )
    through = sum(row.verdict == "gets through" for row in found)
    data = {
        "digest": controls.policy.digest, "reviewer": reviewer, "locales": suite.locales,
        "seeds": seeds, "strategies": [row_shown(row) for row in found], "through": through,
    }  # fmt: skip
    text = "\n".join(row_lines(found, reviewer, suite.locales))
    return emit(data, as_json=as_json, text=text, exit_code=1 if strict and through else 0)


def _load(file: Path, family: str, no_ground_rule: bool) -> Policy:
    from undersigned.cli.policy_files import read_text
    from undersigned.controls.policy import load_policy
    from undersigned.episodes.controlled import tool_specs
    from undersigned.worlds.family import load_family

    tools = tool_specs(load_family(family, ("en",)))
    return load_policy(read_text(file), tools, ground_rule=not no_ground_rule)


def _said(decision: Decision) -> str:
    lowered = "".join(f", {each.argument} to {each.limit}" for each in decision.narrowed)
    return f"{decision.kind} ({_list(decision.reasons)}{lowered})"


def _list(reasons: Sequence[str]) -> str:
    return ", ".join(reasons)


def _rule_line(rule: Applied) -> str:
    mark = "*" if rule.determined else " "
    more = f", else {rule.otherwise}" if rule.otherwise else ""
    reason = f": {rule.reason}" if rule.reason else ""
    return f"{mark} {rule.effect:6} {rule.id} (line {rule.line}{more}){reason}"
