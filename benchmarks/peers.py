"""Which other tools are installed here, and what can be measured of them on this machine?

A neutral table: name, version, CPU of an import, and for Inspect the samples per second of its own
model that does nothing. Nothing is downloaded or installed; what is not installed is not measured.
The tools do different things, so the figures are no ranking.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from statistics import median
from typing import NamedTuple

from benchmarks.measure import child_cpu

INSPECT_SAMPLES = 200
INSPECT = f"""
import sys, time
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
samples = [Sample(input=str(i), target="x") for i in range({INSPECT_SAMPLES})]
task = Task(dataset=samples, scorer=includes())
start = time.process_time()
eval(task, model="mockllm/model", display="none", log_dir=sys.argv[1])
sys.stderr.write(str({INSPECT_SAMPLES} / (time.process_time() - start)))
"""


class Peer(NamedTuple):
    """A tool. module: to import. package: on the index. rate: measures samples per CPU second."""

    module: str
    package: str
    rate: Callable[[], float] | None = None


class Found(NamedTuple):
    """An installed tool. import_s: CPU seconds of an import, interpreter included. samples: per CPU
    second, or None where nothing of the kind is measured. fault: what could not be measured."""

    module: str
    version: str
    import_s: float
    samples: float | None
    fault: str = ""


def inspect_samples() -> float:
    """Return Inspect's samples per CPU second with its mock model: one turn, no tool calls."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", INSPECT, folder], capture_output=True, text=True, check=True,
            cwd=folder, env={**os.environ, "INSPECT_DISPLAY": "none"},
        )  # fmt: skip
    return float(done.stderr.strip().split()[-1])


PEERS = (
    Peer("inspect_ai", "inspect-ai", inspect_samples),
    Peer("garak", "garak"),
    Peer("pyrit", "pyrit"),
    Peer("agentdojo", "agentdojo"),
)


def installed() -> list[Found]:
    """Measure the installed ones."""
    found = []
    for peer in PEERS:
        if find_spec(peer.module) is None:
            continue
        try:
            number = version(peer.package)
        except PackageNotFoundError:
            number = "unknown"
        found.append(_measured(peer, number))
    return found


def _measured(peer: Peer, number: str) -> Found:
    arguments = ("-c", f"import {peer.module}")
    seconds, samples = 0.0, None
    try:
        child_cpu(arguments)
        seconds = median([child_cpu(arguments) for _ in range(3)])
        samples = peer.rate() if peer.rate else None
    except (RuntimeError, ValueError, IndexError, subprocess.CalledProcessError) as error:
        return Found(peer.module, number, seconds, samples, str(error)[:200])
    return Found(peer.module, number, seconds, samples)


def peers_text(found: list[Found]) -> str:
    """Return the table, or a line that says that there is nothing to show."""
    names = ", ".join(peer.module for peer in PEERS)
    if not found:
        return f"peers: none of {names} is installed here, so nothing is compared"
    lines = ["peers installed here (they do different things; no ranking)"]
    for each in found:
        if each.fault:
            lines.append(f"  {each.module:12} {each.version:12} not measured: {each.fault}")
            continue
        samples = "" if each.samples is None else f"  {each.samples:,.1f} samples/s CPU, mock model"
        lines.append(
            f"  {each.module:12} {each.version:12} import {each.import_s:.2f} s CPU{samples}"
        )
    absent = [p.module for p in PEERS if p.module not in {f.module for f in found}]
    return "\n".join([*lines, *([f"  not installed: {', '.join(absent)}"] if absent else [])])
