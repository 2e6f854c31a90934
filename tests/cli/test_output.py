"""Is what a verb prints whole, coloured only where colour belongs, and bounded in talk?"""

from __future__ import annotations

import io
import json
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from undersigned.cli.output import SCHEMA, emit, emit_error, has_colour, paint
from undersigned.cli.progress import LINE_EVERY_S, Progress
from undersigned.core.errors import UndersignedError, UsageError
from undersigned.core.problems import INTERNAL


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Result(msgspec.Struct, frozen=True):
    name: str
    n: int


def test_emit__struct_as_json__is_one_canonical_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert emit([Result("ä\x1b", 1)], as_json=True, text="-", exit_code=4) == 4
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "\x1b" not in out
    assert json.loads(out) == {
        "schema": SCHEMA,
        "ok": False,
        "data": [{"name": "ä\x1b", "n": 1}],
        "errors": [],
    }


def test_emit__float_in_data__is_refused() -> None:
    with pytest.raises(UsageError, match="E-COR-001"):
        emit({"rate": 0.5}, as_json=True, text="")


@given(st.text(), st.text())
def test_emit_error__any_text__is_valid_json_with_the_same_code(what: str, value: str) -> None:
    error = UndersignedError(INTERNAL, what, value=value)
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr(sys, "stdout", out)
        assert emit_error(error, as_json=True) == 70
    (shown,) = json.loads(out.getvalue())["errors"]
    assert shown["code"] == "E-COR-006"
    assert out.getvalue().isascii()


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_has_colour__stream_and_environment__decide(
    stream: io.StringIO, environment: dict[str, str], expected: bool
) -> None:
    assert has_colour(stream, environment) is expected


def test_paint__pipe__leaves_the_text_alone() -> None:
    assert paint("text", "red", io.StringIO()) == "text"


def test_progress__no_terminal__writes_one_line_per_ten_seconds() -> None:
    clock, stream = Clock(), io.StringIO()
    with Progress("testing", 100, stream=stream, clock=clock) as progress:
        for _ in range(25):
            clock.now += 1
            progress.advance(2, note="harm 1 of 9")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 25 // LINE_EVERY_S
    assert lines[0] == "testing: 20 of 100, 2/s, 40 s left, harm 1 of 9"


def test_progress__no_terminal_and_quick__stays_silent() -> None:
    stream = io.StringIO()
    with Progress("testing", 3, stream=stream) as progress:
        progress.advance(3)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["terminal", "pipe"])
def test_progress__quiet__stays_silent_however_long(stream: io.StringIO) -> None:
    clock = Clock()
    with Progress("testing", 3, quiet=True, stream=stream, clock=clock) as progress:
        clock.now += 60
        progress.advance(3)
    assert (stream.getvalue(), progress.done) == ("", 3)


def test_progress__terminal__draws_a_bar_only_after_a_second() -> None:
    clock, stream = Clock(), Terminal()
    with Progress("testing", 10, stream=stream, clock=clock) as progress:
        clock.now += 0.5
        progress.advance()
        assert stream.getvalue() == ""
        clock.now += 1
        progress.advance(4, note="[red]not markup[/red]")
    assert "5/10" in stream.getvalue()
    assert "[red]not markup[/red]" in stream.getvalue()


def test_progress__quick_command__does_not_import_rich() -> None:
    program = (
        "import sys\nfrom undersigned.cli.progress import Progress\n"
        "with Progress('x', 1) as p: p.advance()\nprint('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"
