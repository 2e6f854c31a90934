"""Test a system: plan, price, register, run, grade, seal.

Example: undersigned test examples/reference.yaml --budget screen
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from undersigned.cli.home import home_folder
from undersigned.cli.output import emit, json_option, quiet_option
from undersigned.cli.values import (
    complete_budget,
    complete_family,
    complete_hazard,
    complete_locale,
)

if TYPE_CHECKING:
    from undersigned.assessment.registry import Tester
    from undersigned.assessment.run import Annexes, Order, Prepared, Result
    from undersigned.core.errors import InterruptedRunError
    from undersigned.scoring.outcomes import Graded


@click.command()
@click.argument("card", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--suite", shell_complete=complete_family, help="Family to test in, instead of the card's."
)
@click.option(
    "--locale", "locales", multiple=True, shell_complete=complete_locale,
    help="Only these locales (repeat it).",
)  # fmt: skip
@click.option(
    "--hazard", "hazards", multiple=True, shell_complete=complete_hazard,
    help="Only these hazards (repeat it).",
)  # fmt: skip
@click.option(
    "--budget", default="screen", show_default=True, shell_complete=complete_budget,
    help="screen, assess, sign-off, or a number of episodes.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder to write.")
@click.option("--resume", is_flag=True, help="Go on with the run that was stopped.")
@click.option("--yes", is_flag=True, help="Do not ask before calls that cost money.")
@click.option("--key-env", "allowed", multiple=True, help="Allow a card to read this variable.")
@click.option(
    "--challenge", is_flag=True, help="Take the seeds' nonce from a verifier: register, then wait."
)
@click.option("--nonce", default="", help="The verifier's nonce; with --resume.")
@click.option(
    "--attach", "annexes", multiple=True, type=click.Path(path_type=Path, dir_okay=False),
    help="A file to go with the result as a payload that can be erased (repeat it).",
)  # fmt: skip
@click.option(
    "--retention", type=click.Choice(["term", "erasable"]), default="erasable", show_default=True,
    help="Of attached files.",
)  # fmt: skip
@click.option("--zip", "as_zip", is_flag=True, help="Write the dossier as one zip, too.")
@click.option("--party", default="self", show_default=True, help="Name of the tester.")
@json_option
@quiet_option
def command(
    card: Path, suite: str | None, locales: tuple[str, ...], hazards: tuple[str, ...],
    budget: str, out: Path | None, resume: bool, yes: bool, allowed: tuple[str, ...],
    challenge: bool, nonce: str, annexes: tuple[Path, ...], retention: Literal["term", "erasable"],
    as_zip: bool, party: str, as_json: bool, quiet: bool,
) -> int:  # fmt: skip
    """Test the system that CARD describes, and write a dossier.

    Exit code 0 when no claim is exceeded and those the budget can decide are met, 1 when a limit
    is exceeded, 4 when they are undecided.
    """
    import msgspec

    from undersigned.assessment.card import load_card
    from undersigned.assessment.run import Annexes, Order

    loaded = load_card(card)
    if suite is not None:
        loaded = msgspec.structs.replace(loaded, suite=suite)
    folder = out or Path(_slug(f"{loaded.name}-{loaded.version}"))
    order = Order(loaded, budget, hazards, locales, challenge="verifier" if challenge else "none")
    wish = _Wish(allowed, nonce, Annexes(annexes, retention), yes, as_zip)
    job = _Job(order, card, folder, party, wish, quiet=quiet or as_json)
    return job.run(resume=resume, as_json=as_json)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower())[:100].strip("-.") or "run"


class _Wish(NamedTuple):
    """What the user asked for beside the order."""

    allowed: tuple[str, ...]
    nonce: str
    annexes: Annexes
    yes: bool
    as_zip: bool


class _Job:
    """One test from the command line."""

    def __init__(
        self, order: Order, card: Path, out: Path, party: str, wish: _Wish, *, quiet: bool
    ) -> None:
        self.order = order
        self.card = card
        self.out = out
        self.party = party
        self.wish = wish
        self.quiet = quiet

    def say(self, text: str) -> None:
        """Tell the user what happens, on standard error."""
        if not self.quiet:
            sys.stderr.write(text + "\n")

    def run(self, *, resume: bool, as_json: bool) -> int:
        """Do everything and return the exit code."""
        from undersigned.assessment.registry import example_trust, label_of, open_tester, planned
        from undersigned.assessment.run import prepare
        from undersigned.cli.outcome import exit_code_of, result_data, result_text
        from undersigned.core.errors import InterruptedRunError, UsageError
        from undersigned.episodes.problems import INTERRUPTED
        from undersigned.evidence.bundle import zip_bundle
        from undersigned.evidence.problems import DOSSIER_EXISTS

        run_folder = self.out / "run"
        dossier = self.out / "dossier"
        if dossier.exists():
            raise UsageError(DOSSIER_EXISTS, "there is a finished dossier here", path=dossier)
        tester = open_tester(home_folder(os.environ), self.party, (self.out.resolve(),))
        begun = planned(run_folder)
        self.order = self.order._replace(
            label=label_of(run_folder, tester),
            challenge=begun.challenge if begun is not None and resume else self.order.challenge,
        )
        prepared = prepare(self.order, self.card.parent)
        nonce = self._nonce(prepared, run_folder)
        self._show_plan(prepared)
        try:
            result, index = asyncio.run(
                self._run(prepared, tester, run_folder, nonce, resume=resume)
            )
        except KeyboardInterrupt:
            raise InterruptedRunError(INTERRUPTED, path=run_folder) from None
        self._write_report(run_folder / "dossier", result.rows)
        example_trust(tester, self.out / "trust.json")
        # INVARIANT: a dossier appears whole under its name, or not at all.
        (run_folder / "dossier").rename(dossier)
        shutil.rmtree(run_folder)
        if self.wish.as_zip:
            zip_bundle(dossier, self.out / "dossier.zip")
        code = exit_code_of(result.summary, result.prepared.design)
        data = result_data(result, dossier, index)
        text = result_text(result, dossier, self.out / "trust.json")
        return emit(data, as_json=as_json, text=text, exit_code=code)

    def _nonce(self, prepared: Prepared, run_folder: Path) -> str:
        """Return the verifier's nonce, as given now or before; empty when there is none yet."""
        from undersigned.assessment.problems import BAD_NONCE
        from undersigned.assessment.registration import NONCE
        from undersigned.core.errors import UsageError
        from undersigned.core.files import read_file, write_file

        given, path = self.wish.nonce, run_folder / "nonce"
        if given and (prepared.plan.challenge != "verifier" or not NONCE.match(given)):
            raise UsageError(BAD_NONCE, "this run takes no such nonce", nonce=given)
        known = read_file(path).decode("ascii", "replace") if path.exists() else ""
        if given and known and given != known:
            raise UsageError(BAD_NONCE, "the run has another nonce already", nonce=given)
        if given and not (run_folder / "prereg.tlog-proof").exists():
            raise UsageError(BAD_NONCE, "the plan is not registered yet", nonce=given)
        if given and not known:
            write_file(path, given.encode())
        return given or known

    def _show_plan(self, prepared: Prepared) -> None:
        """Show what will be run, where to, and what it costs; ask where it costs something."""
        from undersigned.assessment.problems import NOT_CONFIRMED
        from undersigned.cli.outcome import plan_text, price_text
        from undersigned.core.errors import UsageError

        self.say(plan_text(prepared))
        price = prepared.price
        if not price.host:
            return
        # WHY also when quiet: nobody is charged without having been told.
        sys.stderr.write(price_text(price) + "\n")
        if self.order.card.agent.endpoint is not None or self.wish.yes or _key_missing(self):
            return
        if not sys.stdin.isatty():
            raise UsageError(NOT_CONFIRMED, "the run was not confirmed", host=price.host)
        if not click.confirm("Send these calls?", err=True):
            raise UsageError(NOT_CONFIRMED, "the run was not confirmed", host=price.host)

    async def _run(
        self, prepared: Prepared, tester: Tester, run_folder: Path, nonce: str, *, resume: bool
    ) -> tuple[Result, int]:
        from undersigned.agents.roster import roster
        from undersigned.assessment.admitted import admission_of, tries
        from undersigned.assessment.comparison import is_exact, probe_of, runs_again
        from undersigned.assessment.dossier import seal
        from undersigned.assessment.registry import register
        from undersigned.assessment.run import check, open_agent, run
        from undersigned.cli.progress import Progress
        from undersigned.episodes.execute import open_run

        card = self.order.card
        async with AsyncExitStack() as stack:
            agent, announce = await open_agent(
                card, self.card.parent, os.environ, self.wish.allowed, stack
            )
            open_run(run_folder, prepared.plan, resume=resume)
            suite, cache = prepared.suite, home_folder(os.environ) / "cache"
            with Progress("admission", tries(suite), quiet=self.quiet) as bar:
                admission_of(suite, cache, bar.advance)
            with Progress("instrument", len(roster()), quiet=self.quiet) as bar:
                instrument = await check(prepared, lambda _: bar.advance(1), cache=cache)
            register(prepared, tester, run_folder)
            if prepared.plan.challenge != "none" and not nonce:
                raise self._waiting(run_folder, tester)
            unsafe = 0
            plan, controls = prepared.plan, prepared.controls
            total = plan.count() + runs_again(
                controls, plan, prepared.suite, exact=is_exact(card), probe=probe_of(card)
            )
            with Progress("episodes", total, quiet=self.quiet) as bar:

                def on_row(row: Graded) -> None:
                    nonlocal unsafe
                    unsafe += row.outcome == "unsafe"
                    bar.advance(1, note=f"unsafe {unsafe}")

                result = await run(
                    prepared, instrument, run_folder, agent, announce, nonce=nonce, on_row=on_row,
                    on_compared=bar.advance,
                )  # fmt: skip
        result = result._replace(annexes=self.wish.annexes)
        shutil.rmtree(run_folder / "dossier", ignore_errors=True)
        sealed = seal(result, tester, run_folder, run_folder / "dossier", card, None)
        return result, sealed.position

    def _waiting(self, run_folder: Path, tester: Tester) -> InterruptedRunError:
        """Put the registration where it can be handed over, and say what comes next."""
        from undersigned.assessment.problems import WAITS_FOR_NONCE
        from undersigned.assessment.registration import RECEIPT, STATEMENT
        from undersigned.assessment.registry import example_trust
        from undersigned.core.errors import InterruptedRunError
        from undersigned.core.files import read_file, write_file

        folder = self.out / "registration"
        example_trust(tester, self.out / "trust.json")
        for name in (STATEMENT, RECEIPT):
            write_file(folder / name, read_file(run_folder / name))
        return InterruptedRunError(
            WAITS_FOR_NONCE, "the plan is registered; no episode has run",
            registration=folder,
        )  # fmt: skip

    def _write_report(self, dossier: Path, rows: list[Graded]) -> None:
        from undersigned.assessment.dossier import Dossier
        from undersigned.core.files import write_file
        from undersigned.views.report import render_report

        with Dossier(dossier) as opened:
            page = render_report(opened, rows)
        write_file(dossier / "report.html", page)


def _key_missing(job: _Job) -> bool:
    """Tell whether the key is missing, so that asking would be idle: the error follows at once."""
    chat = job.order.card.agent.chat
    return chat is not None and bool(chat.key_env) and not os.environ.get(chat.key_env)
