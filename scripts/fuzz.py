"""Does any input make a reader of evidence crash, accept what nobody signed, or disagree?

``python -m scripts.fuzz [--inputs N] [--seed S] [--only TARGET] [--minutes M] [--json] [--out F]``

Inputs are mutations of valid ones (``scripts/mutate.py``); the rules and what standards allow are
in ``fuzz_oracle`` and in each judge. One seed gives the same inputs again, as long as the targets
stay the same. ``--replay FILE --only TARGET`` judges one kept input. Progress goes to stderr.

Exit codes: 0 no finding, 1 findings (each kept in ``--out``), 2 a wrong command.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import TracebackType
from typing import NamedTuple, Self

from scripts import fuzz_dossiers, fuzz_json, fuzz_texts
from scripts.fuzz_oracle import Target, Unsafe

ROUNDS = 50
"""Turns that the targets take, so that a run that is cut short has attacked all of them."""
KEPT = 5
"""Inputs that are kept of findings alike."""


class Finding(NamedTuple):
    """A broken rule. kind: ``crash``, ``accepted``, ``disagree`` or ``seed``."""

    target: str
    kind: str
    detail: str
    input: bytes


class Boundary:
    """The edge of one judgement. WHY it holds back every error: one that nobody has foreseen is
    just what is looked for; only an interruption by a person passes."""

    def __init__(self) -> None:
        """Start without an error."""
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        """Return the boundary."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Keep an error."""
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None


class Tally:
    """What came of one target's inputs."""

    def __init__(self, target: Target, seed: int) -> None:
        """Start a target with its own stream of draws."""
        self.target = target
        self.draw = Random(f"{seed}/{target.name}")
        self.counts: Counter[str] = Counter()
        self.findings: dict[tuple[str, str], list[Finding]] = {}
        self.seconds = 0.0

    def judge(self, data: bytes) -> str:
        """Judge one input; return what came of it and keep what was found."""
        outcome = "finding"
        with Boundary() as boundary:
            outcome = self.target.judge(data)
        if isinstance(boundary.error, Unsafe):
            self._keep(boundary.error.kind, boundary.error.detail, data)
        elif boundary.error is not None:
            error = boundary.error
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            self._keep("crash", f"{type(error).__name__} at {place}: {error}", data)
        self.counts[outcome] += 1
        return outcome

    def _keep(self, kind: str, detail: str, data: bytes) -> None:
        alike = self.findings.setdefault((kind, detail.split(": ")[0][:80]), [])
        if len(alike) < KEPT:
            alike.append(Finding(self.target.name, kind, detail[:300], data))

    def check_seeds(self) -> None:
        """Judge the valid inputs: mutations of one that is refused would prove nothing."""
        for data in self.target.pool.seeds:
            if self.judge(data) == "refused":
                self._keep("seed", "a valid input is refused", data)
                self.counts["finding"] += 1

    def run(self, count: int, deadline: float) -> None:
        """Judge a number of inputs, or as many as there is time for."""
        start = time.perf_counter()
        for number in range(count):
            if number % 64 == 0 and time.monotonic() > deadline:
                break
            self.judge(self.target.make(self.draw))
        self.seconds += time.perf_counter() - start

    @property
    def total(self) -> int:
        """Return the number of inputs."""
        return sum(self.counts.values())

    def kept(self) -> list[Finding]:
        """Return the findings that are kept."""
        return [each for alike in self.findings.values() for each in alike]


def targets() -> tuple[Target, ...]:
    """Return every target; each must be closed."""
    return (*fuzz_texts.targets(), *fuzz_json.targets(), *fuzz_dossiers.targets())


def fuzz(
    every: Sequence[Target], inputs: int, seed: int, *, seconds: float = float("inf"),
    progress: Callable[[int], object] = lambda _: None,
) -> list[Tally]:  # fmt: skip
    """Attack targets with ``inputs`` inputs in all, divided by their shares, for a time at most."""
    tallies = [Tally(target, seed) for target in every]
    deadline, shares = time.monotonic() + seconds, sum(target.share for target in every)
    for tally in tallies:
        tally.check_seeds()
    for turn in range(ROUNDS):
        for tally in tallies:
            whole = max(1, round(inputs * tally.target.share / shares))
            tally.run(whole * (turn + 1) // ROUNDS - whole * turn // ROUNDS, deadline)
            progress(sum(each.total for each in tallies))
    return tallies


def table(tallies: Sequence[Tally]) -> str:
    """Return the summary, one line for each target."""
    heads = ("target", "inputs", "accepted-equal", "refused", "findings", "us each")
    lines = ["{:12} {:>10} {:>15} {:>10} {:>9} {:>8}".format(*heads)]
    rows = [(t.target.name, t.total, t.counts, t.seconds) for t in tallies]
    every = sum((t.counts for t in tallies), Counter[str]())
    rows.append(("all", sum(t.total for t in tallies), every, sum(t.seconds for t in tallies)))
    for name, total, counts, seconds in rows:
        lines.append(
            f"{name:12} {total:10,} {counts['accepted']:15,} {counts['refused']:10,} "
            f"{counts['finding']:9,} {1e6 * seconds / max(1, total):8.0f}"
        )
    return "\n".join(lines)


def keep(findings: Sequence[Finding], folder: Path) -> list[Path]:
    """Write each finding's input and what was found beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, finding in enumerate(findings):
        path = folder / f"{finding.target}-{number:03d}.input"
        path.write_bytes(finding.input)
        path.with_suffix(".txt").write_text(
            f"{finding.kind}: {finding.detail}\n", "utf-8", "replace"
        )
        paths.append(path)
    return paths


def parse(arguments: Sequence[str], names: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all (1,000,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the draws (1)")
    parser.add_argument("--only", action="append", default=[], choices=names, metavar="TARGET",
                        help="one of: " + ", ".join(names))  # fmt: skip
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop then")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", type=Path, default=Path("fuzz-out"), help="folder for findings")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="judge this input and stop")
    found = parser.parse_args(arguments)
    if found.replay and len(found.only) != 1:
        parser.error("--replay needs one --only TARGET")
    return found


def _replay(target: Target, path: Path) -> int:
    tally = Tally(target, 0)
    outcome = tally.judge(path.read_bytes())
    print("\n".join([outcome, *(f"{each.kind}: {each.detail}" for each in tally.kept())]))
    return 1 if outcome == "finding" else 0


def _run(asked: argparse.Namespace, every: Sequence[Target]) -> int:
    chosen = [target for target in every if not asked.only or target.name in asked.only]
    if asked.replay:
        return _replay(chosen[0], asked.replay)
    start = time.monotonic()

    def progress(done: int) -> None:
        taken = time.monotonic() - start
        left = taken * (asked.inputs - done) / max(1, done)
        sys.stderr.write(f"\r{done:,}/{asked.inputs:,} inputs, {taken:.0f} s, {left:.0f} s left   ")

    tallies = fuzz(chosen, asked.inputs, asked.seed, seconds=60 * asked.minutes, progress=progress)
    sys.stderr.write("\n")
    findings = [finding for tally in tallies for finding in tally.kept()]
    paths = keep(findings, asked.out) if findings else []
    told = [
        {"target": f.target, "kind": f.kind, "detail": f.detail, "file": str(path)}
        for f, path in zip(findings, paths, strict=True)
    ]
    if asked.json:
        rows = [
            {"name": t.target.name, "inputs": t.total, "accepted": t.counts["accepted"],
             "refused": t.counts["refused"], "findings": t.counts["finding"]}
            for t in tallies
        ]  # fmt: skip
        seconds = round(time.monotonic() - start, 1)
        whole = {"seed": asked.seed, "seconds": seconds, "targets": rows, "findings": told}
        print(json.dumps(whole, indent=1))
    else:
        print(table(tallies))
        for each in told:
            print(f"{each['target']}: {each['kind']}: {each['detail']!r}\n    {each['file']}")
    return 1 if findings else 0


def main(arguments: Sequence[str]) -> int:
    """Attack, print the table and return the exit code."""
    every = targets()
    try:
        return _run(parse(arguments, [target.name for target in every]), every)
    finally:
        for target in every:
            target.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
