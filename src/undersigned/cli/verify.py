"""Check a dossier without trusting whoever made it.

Example: undersigned verify DOSSIER --trust trust.json
Example: undersigned verify registration --trust trust.json
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from undersigned.cli.output import emit, json_option, paint, quiet_option

if TYPE_CHECKING:
    from undersigned.assessment.verification import Verified
    from undersigned.evidence.verify import Finding


@click.command()
@click.argument("dossier", type=click.Path(path_type=Path))
@click.option(
    "--trust", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="Your own trust file: whose keys you believe, and for what.",
)  # fmt: skip
@click.option(
    "--seen", type=click.Path(path_type=Path, dir_okay=False), multiple=True,
    help="A signed checkpoint of the tester's log that you hold (repeat it).",
)  # fmt: skip
@click.option("--nonce", default="", help="The nonce that you gave for this plan.")
@json_option
@quiet_option
def command(
    dossier: Path, trust: Path, seen: tuple[Path, ...], nonce: str, as_json: bool, quiet: bool
) -> int:
    """Check signatures, log and digests, then run every episode again and recompute every number.

    Works offline. Exit code 0 when all holds, 3 when something does not, 4 when it cannot be
    decided here. DOSSIER may also be the registration of a run that waits for your nonce: then a
    fresh nonce is printed.
    """
    from undersigned.assessment.problems import BAD_NONCE
    from undersigned.assessment.registration import NONCE, is_registration
    from undersigned.core.errors import UsageError

    if nonce and not NONCE.match(nonce):
        raise UsageError(BAD_NONCE, "this is no nonce", nonce=nonce)
    for path in seen:
        _check_seen(path)
    if is_registration(dossier):
        return _registration(dossier, trust, as_json=as_json)
    result = asyncio.run(_verify(dossier, trust, seen, nonce, quiet=quiet or as_json))
    data = {
        "dossier": str(dossier),
        "episodes": result.episodes,
        "findings": [
            {"status": f.status, "what": f.what, "code": f.code, "file": f.file, "remedy": f.remedy}
            for f in result.findings
        ],
    }
    return emit(data, as_json=as_json, text=_text(result), exit_code=result.code)


def _check_seen(path: Path) -> None:
    """Refuse what is no checkpoint, which says nothing about the dossier. Raises EvidenceError."""
    from undersigned.core.errors import EvidenceError
    from undersigned.core.files import read_file
    from undersigned.evidence.notes import parse_checkpoint
    from undersigned.evidence.problems import BAD_CHECKPOINT

    try:
        text = read_file(path).decode()
    except UnicodeDecodeError as error:
        raise EvidenceError(BAD_CHECKPOINT, "the checkpoint is no text", path=path) from error
    parse_checkpoint(text.partition("\n\n")[0] + "\n")


def _registration(folder: Path, trust: Path, *, as_json: bool) -> int:
    """Verify a registration and offer a nonce for it."""
    from undersigned.assessment.registration import new_nonce, read_registration

    found = read_registration(folder, trust)
    nonce = new_nonce()
    data = {
        "plan": found.plan, "index": found.position, "log": found.origin, "size": found.size,
        "tester": found.party, "episodes": found.said.get("episodes"), "nonce": nonce,
    }  # fmt: skip
    text = (
        f"registered  plan {found.plan}\n"
        f"            by {found.party}, entry {found.position} of the log {found.origin}"
        f" (checkpoint of size {found.size})\n"
        f"nonce       {nonce}\n\n"
        "Keep the nonce and this folder; give the nonce to the tester once.\n"
        f"Later: undersigned verify DOSSIER --trust {trust} --nonce {nonce}"
    )
    return emit(data, as_json=as_json, text=text)


async def _verify(
    dossier: Path, trust: Path, seen: tuple[Path, ...], nonce: str, *, quiet: bool
) -> Verified:
    from undersigned.assessment.verification import verify
    from undersigned.cli.progress import Progress

    with Progress("verifying", 0, quiet=quiet) as bar:

        def on_episode(done: int, total: int) -> None:
            bar.total = total
            bar.advance(done - bar.done)

        result = await verify(dossier, trust, seen=seen, nonce=nonce, on_episode=on_episode)
    if not result.rows or result.code == 3:
        return result
    line = _check_report(dossier, result)
    code = 3 if line.status == "fails" else result.code
    return result._replace(findings=[*result.findings, line], code=code)


def _check_report(path: Path, result: Verified) -> Finding:
    """Render the report again and compare, where the dossier has one."""
    from undersigned.assessment.dossier import Dossier
    from undersigned.assessment.problems import REPORT_DIFFERS
    from undersigned.assessment.verification import finding
    from undersigned.views.report import render_report

    name = "report.html"
    with Dossier(path) as dossier:
        if name not in dossier.bundle.names():
            return finding("holds", "there is no report in the dossier; the evidence needs none")
        if render_report(dossier, result.rows) == dossier.bundle.read(name):
            return finding("holds", "report.html was rendered again and is the same")
    remedy = REPORT_DIFFERS.remedy.replace("{path}", str(path))
    return finding(
        "fails", "report.html is not what the evidence gives", REPORT_DIFFERS.code, name, remedy
    )


def _text(result: Verified) -> str:
    from undersigned.assessment.verification import worst_first
    from undersigned.cli.outcome import finding_line

    words = {0: "HOLDS", 3: "DOES NOT HOLD", 4: "CANNOT BE DECIDED HERE"}
    lines = [finding_line(item) for item in worst_first(result.findings)]
    colour = {0: "green", 3: "red", 4: "yellow"}[result.code]
    return "\n".join([*lines, "", paint(words[result.code], colour)])  # type: ignore[arg-type]
