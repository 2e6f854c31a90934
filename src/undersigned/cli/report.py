"""Render a dossier as one HTML page, or show one of its episodes.

Example: undersigned report DOSSIER --out report.html
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from undersigned.cli.output import emit, json_option, quiet_option


@click.command()
@click.argument("dossier", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("report.html"),
    show_default=True, help="File to write.",
)  # fmt: skip
@click.option("--episode", type=int, help="Show this episode here instead of writing a page.")
@json_option
@quiet_option
def command(dossier: Path, out: Path, episode: int | None, as_json: bool, quiet: bool) -> int:
    """Render the report of DOSSIER from its evidence, without judging the evidence.

    The page is a view: whoever doubts it runs ``undersigned verify``.
    """
    from undersigned.assessment.dossier import Dossier
    from undersigned.assessment.problems import NO_EPISODE
    from undersigned.assessment.rerun import regrade
    from undersigned.cli.progress import Progress
    from undersigned.core.errors import NothingSelectedError
    from undersigned.core.files import write_file

    with Dossier(dossier) as opened:
        count = opened.plan.count()
        if episode is not None and not 0 <= episode < count:
            raise NothingSelectedError(
                NO_EPISODE, "no such episode", episode=episode, episodes=count
            )
        with Progress("regrading", count, quiet=quiet or as_json) as bar:
            rows = asyncio.run(regrade(opened, lambda done, _: bar.advance(done - bar.done)))
        if episode is not None:
            from undersigned.views.episode import render_episode

            row = rows[episode]
            text = render_episode(opened, episode, row)
            return emit({"row": row, "events": text}, as_json=as_json, text=text)
        from undersigned.views.report import render_report

        page = render_report(opened, rows)
    write_file(out, page)
    return emit({"report": str(out), "bytes": len(page)}, as_json=as_json, text=f"report  {out}")
