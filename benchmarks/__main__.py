"""Measure and print every figure that exists so far: ``./bench [--quick] [--json] [--only NAME]``.

Exit code 0 when every row could be measured, also when it is short of its target; 1 when a row
could not; 2 for a wrong command.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import undersigned
from benchmarks import (
    appends,
    chat,
    decisions,
    imports,
    peers,
    runs,
    standalone,
    tamper,
    verifying,
)
from benchmarks.measure import Measured, Row, Setup, measure

ROWS: tuple[Row, ...] = (
    *runs.ROWS, *verifying.ROWS, *chat.ROWS, *imports.ROWS, *appends.ROWS, *tamper.ROWS,
    *standalone.ROWS, *decisions.ROWS, *runs.FRESH, *verifying.FRESH,
)  # fmt: skip
PACKAGES = ("aiohttp", "cryptography", "msgspec", "numpy", "scipy", "zstandard")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="./bench", description=(__doc__ or "").split(":")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds; rough figures")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--peers", action="store_true", help="add the installed peers")
    parser.add_argument("--repeats", type=int, default=0, help="turns of each row (7, quick: 3)")
    parser.add_argument("--folder", type=Path, default=Path(), help="disk to write on (default: .)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", choices=[row.name for row in ROWS],
        help="only this row (repeat it): " + ", ".join(row.name for row in ROWS),
    )  # fmt: skip
    return parser.parse_args(arguments)


def surroundings() -> dict[str, str]:
    """Return machine, interpreter, load, versions and date."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": ", ".join(
            [platform.system(), platform.machine(), processor(), f"{os.cpu_count()} cores"]
        ),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": " ".join(f"{each:.2f}" for each in os.getloadavg()),
        "versions": ", ".join(
            [f"undersigned {undersigned.__version__}", *(f"{p} {version(p)}" for p in PACKAGES)]
        ),
    }


def processor() -> str:
    """Return the processor's name, as far as the system says."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def figure(value: float) -> str:
    """Return a figure with three significant digits or whole thousands.

    >>> figure(12345.6), figure(0.30839), figure(130.8)
    ('12,346', '0.308', '131')
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def line(done: Measured) -> str:
    """Return the lines of a row."""
    row = done.row
    if done.fault:
        return f"{row.name:12} failed  {row.title}\n{'':14}{done.fault}"
    head = f"{row.name:12} {done.word():6}  {row.title}"
    turns = f"best {figure(done.best)}, spread {done.spread:.0f} %"
    parts = [f"{figure(done.value)} {row.unit} ({turns})"]
    if row.target is not None:
        sign = ">=" if row.better == "more" else "<="
        of = "of floor" if row.is_ratio else row.unit
        parts.append(f"target {sign} {figure(row.target)} {of}")
    if done.floor is not None and done.ratio is not None:
        parts += [f"floor {figure(done.floor)} ({row.floor})", f"ratio {figure(done.ratio)}"]
    notes = f"\n{'':14}{done.note}" if done.note else ""
    return f"{head}\n{'':14}{'   '.join(parts)}{notes}"


def data(done: Measured) -> dict[str, object]:
    """Return a row as plain data."""
    row = done.row
    return {
        "name": row.name, "title": row.title, "unit": row.unit, "better": row.better,
        "target": row.target, "target_is_ratio": row.is_ratio, "measured": done.value,
        "best": done.best, "spread_per_cent": done.spread, "floor": done.floor,
        "floor_is": row.floor, "ratio": done.ratio, "note": done.note, "result": done.word(),
        "fault": done.fault,
    }  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return the exit code."""
    asked = parse(arguments)
    about = surroundings()
    if not asked.json:
        print("\n".join(f"{key:9} {value}" for key, value in about.items()) + "\n", flush=True)
    results = []
    repeats = asked.repeats or (3 if asked.quick else 7)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=asked.folder) as folder:
        setup = Setup(asked.quick, repeats, Path(folder).resolve())
        for row in ROWS:
            if not asked.only or row.name in asked.only:
                results.append(measure(row, setup))
                if not asked.json:
                    print(line(results[-1]), flush=True)
    found = peers.installed() if asked.peers else None
    if asked.json:
        whole = {"about": about, "quick": asked.quick, "rows": [data(each) for each in results]}
        if found is not None:
            whole["peers"] = [each._asdict() for each in found]
        print(json.dumps(whole, indent=1))
    elif found is not None:
        print("\n" + peers.peers_text(found))
    return 1 if any(each.fault for each in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
