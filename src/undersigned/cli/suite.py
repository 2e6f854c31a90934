"""List the suites, or show what one tests.

Example: undersigned suite show payments
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from undersigned.cli.output import emit, json_option, quiet_option
from undersigned.cli.values import complete_family, complete_locale

if TYPE_CHECKING:
    from undersigned.worlds.suite import Suite


@click.group()
def command() -> None:
    """List the suites, or show the tasks, hazards, channels and checks of one."""


@command.command("list")
@json_option
def list_suites(as_json: bool) -> int:
    """List the suites with their versions."""
    from undersigned.worlds.family import family_names

    rows = []
    for name in family_names():
        suite = _load(name, ())
        rows.append(
            {
                "name": name,
                "version": suite.family.version,
                "title": suite.family.title,
                "combinations": len(suite.combinations),
                "digest": suite.digest,
            }
        )
    text = "\n".join(f"{r['name']}  {r['version']}  {r['title']}" for r in rows)
    return emit(rows, as_json=as_json, text=text)


@command.command("show")
@click.argument("name", shell_complete=complete_family)
@click.option(
    "--locale", "locales", multiple=True, shell_complete=complete_locale,
    help="Only these locales (repeat it).",
)  # fmt: skip
@click.option("--admission", is_flag=True, help="Run the admission of every combination.")
@click.option("--instrument", is_flag=True, help="Run the reference agents against declarations.")
@json_option
@quiet_option
def show_suite(
    name: str,
    locales: tuple[str, ...],
    admission: bool,
    instrument: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show what suite NAME tests, and whether its questions and its instrument are sound.

    Exit code 70 when a check that was asked for fails.
    """
    suite = _load(name, locales)
    data = _contents(suite)
    lines = _content_lines(suite)
    failed = False
    if admission:
        data["admission"], more = _admission(suite, quiet=quiet or as_json)
        failed = failed or bool(data["admission"])
        lines += more
    if instrument:
        data["instrument"], more, sound = _instrument(suite, quiet=quiet or as_json)
        failed = failed or not sound
        lines += more
    return emit(data, as_json=as_json, text="\n".join(lines), exit_code=70 if failed else 0)


def _load(name: str, locales: tuple[str, ...]) -> Suite:
    from undersigned.attacks.channels import channels
    from undersigned.languages.locales import LOCALES
    from undersigned.worlds.suite import load_suite

    return load_suite(name, locales or tuple(LOCALES), channels())


def _contents(suite: Suite) -> dict[str, Any]:
    family = suite.family
    return {
        "name": family.name,
        "version": family.version,
        "title": family.title,
        "digest": suite.digest,
        "code": family.digest,
        "locales": suite.locales,
        "tools": [{"name": t.name, "class": t.kind} for t in family.own_tools()],
        "tasks": list(family.tasks),
        "hazards": [
            {
                "name": h.name, "kind": h.kind, "rule": h.rule, "channels": list(h.channels),
                "summary": h.summary, "asi": h.asi, "atlas": h.atlas, "measure": h.measure,
            }
            for h in family.hazards.values()
        ],
        "combinations": len(suite.combinations),
        "strata": len(suite.strata),
    }  # fmt: skip


def _content_lines(suite: Suite) -> list[str]:
    family = suite.family
    combinations = (
        f"combinations  {len(suite.combinations)} of task, hazard and channel; "
        f"{len(suite.strata)} strata"
    )
    lines = [
        f"{family.name} {family.version}: {family.title}",
        f"digest        {suite.digest}",
        f"locales       {' '.join(suite.locales)} (texts: drafts, reviewed by no named person)",
        combinations,
        f"tools         {', '.join(f'{t.name} ({t.kind})' for t in family.own_tools())}",
        f"tasks         {', '.join(family.tasks)}",
        "hazards",
    ]
    width = max(len(name) for name in family.hazards)
    lines += [f"  {h.name:{width}}  {h.kind:9}  {h.summary}" for h in family.hazards.values()]
    return lines


def _admission(suite: Suite, *, quiet: bool) -> tuple[list[dict[str, str]], list[str]]:
    from undersigned.assessment.admitted import run_admission, tries
    from undersigned.cli.progress import Progress

    tried = tries(suite)
    with Progress("admission", tried, quiet=quiet) as bar:
        refusals = run_admission(suite, bar.advance).refused
    rows = [
        {
            "task": r.combination.task, "hazard": r.combination.hazard,
            "channel": r.combination.channel, "locale": r.locale, "why": r.why,
        }
        for r in refusals
    ]  # fmt: skip
    lines = [f"admission     {tried - len(rows)} of {tried} combinations admitted"]
    lines += [
        f"  {r['task']}, {r['hazard']}, {r['channel']}, {r['locale']}: {r['why']}" for r in rows
    ]
    return rows, lines


def _instrument(suite: Suite, *, quiet: bool) -> tuple[object, list[str], bool]:
    from undersigned.agents.roster import roster
    from undersigned.assessment.instrument import check_instrument
    from undersigned.cli.progress import Progress
    from undersigned.episodes.rig import Rig

    with Progress("instrument", len(roster()), quiet=quiet) as bar:
        found = asyncio.run(
            check_instrument(suite, Rig(suite.family), on_agent=lambda _: bar.advance(1))
        )
    right = f"{found.agents_right()} of {len(found.agents)}"
    lines = [f"instrument    {right} agents earned what they declare"]
    lines += [
        f"  {a.agent:22} {a.episodes:5} episodes  {a.unsafe:4} unsafe  {a.useful:4} useful  "
        f"{a.misses} misses"
        for a in found.agents
    ]
    lines += [
        f"  blinded: {m.mutant}: {'caught' if m.caught else 'NOT CAUGHT'}" for m in found.mutants
    ]
    if found.first_miss:
        lines.append(f"  first miss: {found.first_miss}")
    return found, lines, found.is_sound()
