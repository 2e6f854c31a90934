"""Does every acknowledged entry survive a kill at any moment, and a system call that fails?

The writers are real processes. What they acknowledged comes out through a pipe, so it is known
whatever happens to them.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evidence.dossiers import LOG_KEY, ORIGIN, entry
from undersigned.evidence.log import Log
from undersigned.evidence.notes import open_checkpoint, verifier_of

KILLS = 200
KILLS_OF_ONE_LOG = 20
"""A log is read whole at each opening, so it is begun anew before that gets slow."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where the machine has one.

    WHY: a killed process loses nothing that it gave to the system, so that a disk, and whoever else
    is writing on it, only takes time.
    """
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="undersigned-tests-", dir=memory) as name:
        yield Path(name)


ACK = struct.Struct(">II")
"""Entries acknowledged, and entries under the newest checkpoint that was returned."""


def write_until_killed(folder: Path, pipe: int) -> None:
    """Append and publish for ever, telling after each what was acknowledged."""
    with Log.open(folder, LOG_KEY) as log:
        published = 0
        while True:
            count = 1 + log.size % 7
            log.append([entry(log.size + i) for i in range(count)])
            os.write(pipe, ACK.pack(log.size, published))
            if log.size % 3 == 0:
                log.checkpoint()
                published = log.size
                os.write(pipe, ACK.pack(log.size, published))


def kill_a_writer(folder: Path, draw: random.Random) -> tuple[int, int]:
    """Fork a writer, kill it at a random moment, and return what it acknowledged last."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_until_killed(folder, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read(ACK.size * draw.randint(1, 12))
        time.sleep(draw.random() * 0.004)
        os.kill(child, signal.SIGKILL)
        said += pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    whole = [ACK.unpack_from(said, at) for at in range(0, len(said) // ACK.size * ACK.size, 8)]
    return whole[-1]


@pytest.mark.slow
def test_log__killed_two_hundred_times__keeps_every_acknowledged_entry(folder: Path) -> None:
    draw = random.Random(7)
    for number in range(KILLS):
        place = folder / f"log{number // KILLS_OF_ONE_LOG}"
        if not place.exists():
            Log.create(place, ORIGIN, LOG_KEY).close()
        size, published = kill_a_writer(place, draw)
        with Log.open(place, LOG_KEY) as log:
            assert log.size >= size
            assert list(log.entries()) == [entry(index) for index in range(log.size)]
            assert open_checkpoint(log.note, [verifier_of(LOG_KEY)], ORIGIN).size >= published
            assert (place / "checkpoint").read_text() == log.note


STRACE = ("-f", "--seccomp-bpf")
"""WHY seccomp: only the calls that are asked for are stopped, not each of ten thousand others."""


def strace_fault() -> str:
    """Return why system calls cannot be made to fail here; empty when they can."""
    if sys.platform != "linux" or not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(
        ["strace", *STRACE, "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=1", "true"],
        capture_output=True, text=True,
    )  # fmt: skip
    return "" if done.returncode == 0 else f"strace may not trace: {done.stderr.strip()[-80:]}"


SCRIPT = """
import os, sys
from pathlib import Path
from undersigned.evidence.log import Log
from tests.evidence.dossiers import LOG_KEY, entry
with Log.open(Path(sys.argv[1]), LOG_KEY) as log:
    for _ in range(4):
        log.append([entry(log.size), entry(log.size + 1)])
        print("kept", log.size, flush=True)
        log.checkpoint()
        print("published", log.size, flush=True)
print("done", flush=True)
"""


def run_with_fault(folder: Path, call: str, when: int) -> list[str]:
    """Run the script while the n-th call of one kind fails, and return what it said."""
    root = Path(__file__).parents[2]
    environment = {
        **os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    done = subprocess.run(
        ["strace", *STRACE, "-qq", "-o", "/dev/null", "-e", f"trace={call}",
         "-e", f"inject={call}:error=EIO:when={when}", sys.executable, "-c", SCRIPT, str(folder)],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    if "done" not in done.stdout:
        assert "E-EVD-028" in done.stderr
    return done.stdout.split("\n")


@pytest.mark.slow
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync", "/^rename", "ftruncate"])
def test_log__system_call_failing_once__loses_nothing_acknowledged(folder: Path, call: str) -> None:
    if fault := strace_fault():
        pytest.skip(fault)
    base = folder / "base"
    with Log.create(base, ORIGIN, LOG_KEY) as log:
        log.append([entry(0)])
        log.checkpoint()
        log.append([entry(1)])
    with (base / "journal").open("ab") as journal:
        journal.write(b"\xffAJ1 torn")
    for when in range(1, 40):
        place = folder / f"run{when}"
        shutil.copytree(base, place)
        said = run_with_fault(place, call, when)
        kept = max((int(line.split()[1]) for line in said if line.startswith("kept")), default=2)
        shown = [int(line.split()[1]) for line in said if line.startswith("published")]
        with Log.open(place, LOG_KEY) as log:
            assert kept <= log.size <= kept + 2
            assert list(log.entries()) == [entry(index) for index in range(log.size)]
            point = open_checkpoint(log.note, [verifier_of(LOG_KEY)], ORIGIN)
            assert point.size >= max(shown, default=1)
        if "done" in said:
            break
    assert "done" in said
    assert when > 1
