"""Check a dossier without trusting whoever made it.

Example: answerable verify DOSSIER --trust trust.json
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from answerable.cli.output import emit, json_option, paint, quiet_option

if TYPE_CHECKING:
    from answerable.assessment.verification import Verified
    from answerable.evidence.verify import Finding


@click.command()
@click.argument("dossier", type=click.Path(path_type=Path))
@click.option(
    "--trust", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="Your own trust file: whose keys you believe, and for what.",
)  # fmt: skip
@click.option(
    "--seen", type=click.Path(path_type=Path, dir_okay=False),
    help="A checkpoint of the tester's log that you hold.",
)  # fmt: skip
@json_option
@quiet_option
def command(dossier: Path, trust: Path, seen: Path | None, as_json: bool, quiet: bool) -> int:
    """Check signatures, log and digests, then run every episode again and recompute every number.

    Works offline. Exit code 0 when all holds, 3 when something does not, 4 when it cannot be
    decided here.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = trust if seen is None else _with_checkpoint(trust, seen, Path(folder))
        result = asyncio.run(_verify(dossier, own, quiet=quiet or as_json))
    data = {
        "dossier": str(dossier),
        "episodes": result.episodes,
        "findings": [
            {"status": f.status, "what": f.what, "code": f.code, "file": f.file, "remedy": f.remedy}
            for f in result.findings
        ],
    }
    return emit(data, as_json=as_json, text=_text(result), exit_code=result.code)


def _with_checkpoint(trust: Path, seen: Path, folder: Path) -> Path:
    """Return a copy of the trust file that also holds a checkpoint."""
    import msgspec

    from answerable.core.errors import EvidenceError
    from answerable.core.files import read_file
    from answerable.evidence.problems import BAD_TRUST
    from answerable.evidence.trust import load_trust, write_trust

    held = load_trust(trust)
    try:
        note = read_file(seen).decode()
    except UnicodeDecodeError as error:
        raise EvidenceError(BAD_TRUST, "the checkpoint is no text", path=str(seen)) from error
    path = folder / "trust.json"
    write_trust(path, msgspec.structs.replace(held, checkpoints=(*held.checkpoints, note)))
    return path


async def _verify(dossier: Path, trust: Path, *, quiet: bool) -> Verified:
    from answerable.assessment.verification import verify
    from answerable.cli.progress import Progress

    with Progress("verifying", 0, quiet=quiet) as bar:

        def on_episode(done: int, total: int) -> None:
            bar.total = total
            bar.advance(done - bar.done)

        result = await verify(dossier, trust, on_episode=on_episode)
    if not result.rows or result.code == 3:
        return result
    line = _check_report(dossier, result)
    code = 3 if line.status == "fails" else result.code
    return result._replace(findings=[*result.findings, line], code=code)


def _check_report(path: Path, result: Verified) -> Finding:
    """Render the report again and compare, where the dossier has one."""
    from answerable.assessment.dossier import Dossier
    from answerable.assessment.problems import REPORT_DIFFERS
    from answerable.assessment.verification import finding
    from answerable.views.report import render_report

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
    from answerable.assessment.verification import worst_first
    from answerable.cli.outcome import finding_line

    words = {0: "HOLDS", 3: "DOES NOT HOLD", 4: "CANNOT BE DECIDED HERE"}
    lines = [finding_line(item) for item in worst_first(result.findings)]
    colour = {0: "green", 3: "red", 4: "yellow"}[result.code]
    return "\n".join([*lines, "", paint(words[result.code], colour)])  # type: ignore[arg-type]
