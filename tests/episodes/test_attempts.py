"""Is every turn that was acknowledged there after a kill, and is none that was not?"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undersigned.agents.view import ToolCall, Turn, Usage
from undersigned.core.errors import StorageError
from undersigned.episodes.attempts import (
    Attempt,
    Line,
    open_attempts,
    turn_from_text,
    turn_to_text,
)

TURNS = (
    Turn("hello", (ToolCall("a", "pay", '{"x":1}'),), usage=Usage(tokens_in=7, wall_us=9)),
    Turn("\ud800\u202e\x1b[2J\n", (ToolCall("\udfff", "\x00", "\ud800"),), refused=True),
    Turn("ครับ"),
)


def written(path: Path) -> list[Line]:
    """Record two attempts, one of them ended, and return their lines."""
    lines = [
        Line(0, started=True),
        Line(1, started=True),
        *[Line(0, turn=turn_to_text(turn)) for turn in TURNS],
        Line(1, turn=turn_to_text(TURNS[0])),
        Line(0, ended="reported", note="n"),
    ]
    attempts = open_attempts(path)

    async def record() -> None:
        for line in lines:
            await attempts.record(line)

    asyncio.run(record())
    attempts.close()
    return lines


def known(path: Path) -> dict[int, Attempt]:
    attempts = open_attempts(path)
    attempts.close()
    return attempts.known


def test_attempts__reopened__are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    written(path)
    found = known(path)
    assert found == {0: Attempt(list(TURNS), "reported", "n", 1), 1: Attempt([TURNS[0]], starts=1)}
    assert found[0].recorded() == (TURNS, "reported", "n")


@given(st.text(st.characters(), max_size=20), st.text(st.characters(), max_size=20))
def test_pack__any_text__comes_back_even_when_it_is_no_unicode(text: str, args: str) -> None:
    turn = Turn(text, (ToolCall(args, text, args),), usage=Usage(model="m"))
    packed = turn_to_text(turn)
    assert packed.isascii()
    assert turn_from_text(packed) == turn


def test_attempts__torn_at_every_byte__keep_every_whole_line_and_go_on(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    written(path)
    data = path.read_bytes()
    last = data.rindex(b"\n", 0, -1) + 1
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        attempts = open_attempts(path)
        whole = data[:cut].count(b"\n")
        turns = sum(len(a.turns) for a in attempts.known.values())
        assert turns == min(max(whole - 2, 0), 4)
        assert path.read_bytes() == data[: data[:cut].rfind(b"\n") + 1]
        if cut >= last:
            asyncio.run(attempts.record(Line(9, started=True)))
            attempts.close()
            assert known(path)[9] == Attempt([], starts=1)
        else:
            attempts.close()


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b'{"episode":"0"}', b'{"episode":1,"x":2}',
                                    b'{"episode": 1}', b'{"episode":1,"turn":"{"}',
                                    b'{"episode":1,"turn":"[]"}', b"[" * 5000])  # fmt: skip
def test_attempts__damaged_line_before_the_last__is_refused_by_number(
    damage: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "attempts.jsonl"
    written(path)
    lines = path.read_bytes().split(b"\n")
    lines[3] = damage
    kept = b"\n".join(lines)
    path.write_bytes(kept)
    with pytest.raises(StorageError) as caught:
        open_attempts(path)
    assert (caught.value.code, caught.value.fields["line"]) == ("E-EPI-004", "4")
    assert str(path) in caught.value.remedy
    assert path.read_bytes() == kept


def test_attempts__recorded_together__are_flushed_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = open_attempts(tmp_path / "attempts.jsonl")
    flushes = 0
    flush = os.fdatasync

    def count(handle: int) -> None:
        nonlocal flushes
        flushes += 1
        flush(handle)

    monkeypatch.setattr(os, "fdatasync", count)

    async def record() -> None:
        await asyncio.gather(*[attempts.record(Line(n, started=True)) for n in range(200)])

    asyncio.run(record())
    attempts.close()
    assert flushes <= 3
    assert sorted(known(tmp_path / "attempts.jsonl")) == list(range(200))


def test_attempts__killed_after_an_acknowledgement__have_the_line(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from undersigned.episodes.attempts import Line, open_attempts\n"
        "async def record():\n"
        "    attempts = open_attempts(Path(sys.argv[1]))\n"
        "    for n in range(10**6):\n"
        "        await attempts.record(Line(n, started=True))\n"
        "        print(n, flush=True)\n"
        "asyncio.run(record())"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    seen = [int(child.stdout.readline()) for _ in range(200)]
    child.kill()
    seen += [int(line) for line in child.communicate()[0].splitlines()]
    assert set(seen) <= set(known(path))


def test_attempts__disk_full__is_told_and_nothing_is_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    attempts = open_attempts(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    asyncio.run(attempts.record(Line(0, started=True)))
    size = path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5, hard))
    try:
        with pytest.raises(StorageError) as caught:
            asyncio.run(attempts.record(Line(1, started=True)))
        # WHY again, now that there is room: it would stand behind a torn line.
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with pytest.raises(StorageError, match="earlier write failed"):
            asyncio.run(attempts.record(Line(2, started=True)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        attempts.close()
    assert caught.value.code == "E-COR-004"
    assert "--resume" in caught.value.remedy
    assert sorted(known(path)) == [0]
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
