"""Check that this machine can run Undersigned.

Example: undersigned doctor
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from undersigned.cli.health import Check, State, check_all
from undersigned.cli.home import former_home, home_folder
from undersigned.cli.output import Colour, emit, json_option, paint
from undersigned.core.errors import printable

COLOURS: dict[State, Colour] = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where evidence will be written (default: here).",
)
@json_option
def command(folder: Path, as_json: bool) -> int:
    """Check interpreter, packages, clock, disk, home folder, keys and locales.

    Repairs nothing. Exit code 0 when nothing failed, 2 when something will not work.
    """
    home = home_folder(os.environ)
    former = former_home(os.environ)
    checks = check_all(home, folder, datetime.now(UTC), sys.stdout.encoding, former)
    counts = Counter(check.state for check in checks)
    data = {
        "checks": checks,
        "counts": {state: counts[state] for state in COLOURS},
    }
    return emit(data, as_json=as_json, text=_text(checks), exit_code=2 if counts["fail"] else 0)


def _text(checks: tuple[Check, ...]) -> str:
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        state = paint(f"{check.state:4}", COLOURS[check.state])
        lines.append(f"{state}  {check.name:{width}}  {printable(check.found, 400)}")
        if check.remedy:
            lines.append(f"{'':6}{'':{width}}  try: {printable(check.remedy, 400)}")
    return "\n".join(lines)
