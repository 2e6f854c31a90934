"""Does every way to fail leave the program as one error, in one shape, with its exit code?

Most tests run the installed command as a user would; faults inside a verb are planted through a
verb folder of the test's own.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from undersigned.cli import main as main_module
from undersigned.cli.main import OUTPUT_GONE, main
from undersigned.cli.output import EXIT_CODES, SCHEMA, emit
from undersigned.core import errors
from undersigned.core.problems import READ_FAILED

PROGRAM = "import sys; from undersigned.cli.main import main; sys.exit(main())"


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        text=True,
        stderr=subprocess.PIPE,
        timeout=600,
        **{"stdout": subprocess.PIPE, **options},
    )


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Make ``undersigned explain`` run a function of the test's."""

    def put(function: Callable[[], object]) -> None:
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        @click.option("--limit", type=click.IntRange(0, 9))
        def command(as_json: bool, limit: int | None) -> object:
            return function()

        monkeypatch.setattr(main_module, "load_verb", lambda name: command)

    return put


def only_error(text: str) -> dict[str, Any]:
    document = json.loads(text)
    assert document.keys() == {"schema", "ok", "data", "errors"}
    assert (document["schema"], document["ok"], document["data"]) == (SCHEMA, False, None)
    (error,) = document["errors"]
    assert error.keys() == {"code", "what", "fields", "why", "remedy"}
    return error  # type: ignore[no-any-return]


def test_main__no_arguments__prints_help_with_examples_first() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.index("Examples:") < done.stdout.index("Find help:")
    assert done.stdout == run("--help").stdout


def child_cpu_s(program: str, *arguments: str) -> float:
    """Return the CPU seconds of a Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program, *arguments], stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def test_help__from_a_cold_start__stays_within_its_budget() -> None:
    """The budget is relative to what it cannot do without; see ``tests/growth.py`` for why."""
    child_cpu_s(PROGRAM, "--help")  # byte-code and page cache, as after installation
    ours = floor = 9.0
    for _ in range(10):
        floor = min(floor, child_cpu_s("import click"))
        ours = min(ours, child_cpu_s(PROGRAM, "--help"))
        if ours <= 2.5 * floor:
            return
    raise AssertionError(f"undersigned --help took {ours:.3f} s CPU, importing click {floor:.3f}")


def test_help__imports__nothing_heavy() -> None:
    program = (
        "import sys\nfrom undersigned.cli.main import main\nmain(['--help'])\n"
        "print(sorted({'numpy', 'scipy', 'rich', 'msgspec', 'aiohttp', 'babel', 'jinja2',"
        " 'cryptography'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [(["explian"], "explain"), (["doctor", "--jsn"], "--json"), (["zzzzqq"], "none")],
)
def test_main__misspelt__suggests_the_nearest(arguments: list[str], nearest: str) -> None:
    plain = run(*arguments)
    assert (plain.returncode, plain.stdout) == (2, "")
    assert plain.stderr.startswith("E-CLI-001: ")
    assert nearest in plain.stderr
    as_json = run(*arguments, "--json")
    assert (as_json.returncode, as_json.stderr) == (2, "")
    assert nearest in only_error(as_json.stdout)["fields"]["nearest"]


def test_main__hostile_verb__is_shown_without_acting_on_the_terminal() -> None:
    done = run("\x1b[31m\u202eevil")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\u202e" not in done.stderr


def test_main__argument_that_is_not_utf8__is_a_usage_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, b"\xff\xfe", "--json"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert only_error(done.stdout)["code"] == "E-CLI-001"


@pytest.mark.parametrize(
    "kind",
    [
        errors.UndersignedError,
        errors.UsageError,
        errors.EvidenceError,
        errors.UndecidableError,
        errors.NothingSelectedError,
        errors.AccessDeniedError,
        errors.StorageError,
        errors.InterruptedRunError,
    ],
)
def test_main__error_of_the_tree__has_its_exit_code_with_and_without_json(
    kind: type[errors.UndersignedError],
    plant: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise kind(READ_FAILED, "planted", path="/x")

    plant(fail)
    assert main(["explain"]) == kind.exit_code
    plain = capsys.readouterr()
    assert plain.out == ""
    assert "E-COR-005: planted\n  path: /x\n" in plain.err
    assert main(["explain", "--json"]) == kind.exit_code
    assert only_error(capsys.readouterr().out)["fields"] == {"path": "/x"}
    assert kind.exit_code in EXIT_CODES


@pytest.mark.parametrize("stop", [KeyboardInterrupt, click.Abort])
def test_main__stopped_by_a_person__is_130(
    stop: type[BaseException],
    plant: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise stop

    plant(fail)
    assert main(["explain"]) == 130
    assert capsys.readouterr().err.strip().startswith("E-CLI-003")


def test_main__unforeseen_exception__is_70_and_traced_only_on_request(
    plant: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise RuntimeError("planted \x1b[2J")

    plant(fail)
    monkeypatch.delenv("UNDERSIGNED_DEBUG", raising=False)
    assert main(["explain"]) == 70
    quiet = capsys.readouterr().err
    assert "E-COR-006" in quiet
    assert "Traceback" not in quiet
    assert "\x1b" not in quiet
    monkeypatch.setenv("UNDERSIGNED_DEBUG", "1")
    assert main(["explain"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_main__broken_pipe_of_the_verbs_own__is_no_silence(
    plant: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise BrokenPipeError(32, "the model hung up")

    plant(fail)
    assert main(["explain"]) == 70
    assert "the model hung up" in capsys.readouterr().err


def test_main__value_out_of_range__is_a_usage_error(
    plant: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    plant(lambda: None)
    assert main(["explain", "--limit", "10", "--json"]) == 2
    error = only_error(capsys.readouterr().out)
    assert "--limit" in error["what"]
    assert error["remedy"] == "undersigned explain --help"


@pytest.mark.parametrize("code", [0, 1, 4])
def test_main__verb_returns_a_code__json_does_not_change_it(
    code: int,
    plant: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    plant(lambda: emit({"n": 1}, as_json=False, text="text", exit_code=code))
    assert main(["explain"]) == code
    assert capsys.readouterr().out == "text\n"
    plant(lambda: emit({"n": 1}, as_json=True, text="text", exit_code=code))
    assert main(["explain", "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert document == {"schema": SCHEMA, "ok": code == 0, "data": {"n": 1}, "errors": []}


def test_main__json_after_double_dash__is_no_flag() -> None:
    done = run("explain", "--", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "E-CLI-004" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "arguments", [["explain"], ["explain", "--json"], ["--help"], ["x", "--json"]]
)
def test_main__disk_full_on_standard_output__is_reported(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(*arguments, stdout=full)
    assert done.returncode == 70
    assert "E-CLI-002" in done.stderr
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_main__standard_output_closed__is_reported() -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" explain >&-', sys.executable, PROGRAM],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 70
    assert done.stderr.startswith("E-CLI-002")


@pytest.mark.parametrize("arguments", [["explain"], ["--help"], ["explain", "nope", "--json"]])
def test_main__reader_went_away__ends_quietly(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run(*arguments, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (OUTPUT_GONE, "")


def test_main__interrupt_signal__is_130() -> None:
    program = (
        "import sys, time, click\nfrom undersigned.cli import main as m\n"
        "@click.command()\ndef command():\n    print('ready', flush=True); time.sleep(30)\n"
        "m.load_verb = lambda name: command\nsys.exit(m.main(['explain']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=600)
    assert child.returncode == 130
    assert told.startswith("E-CLI-003")


def test_main__output_that_the_terminal_cannot_encode__is_escaped() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = run("explain", "தமிழ்", env=environment)
    assert done.returncode == 2
    assert "\\u0ba4" in done.stderr


def test_main__shell_asks_for_completions__names_the_verbs() -> None:
    asked = {
        "_UNDERSIGNED_COMPLETE": "bash_complete",
        "COMP_WORDS": "undersigned do",
        "COMP_CWORD": "1",
    }
    done = run(env={**os.environ, **asked})
    assert "doctor" in done.stdout
