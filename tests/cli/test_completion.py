"""Does a shell that has read its script complete verbs, options and closed sets of values?

Real shells ask the real command. Bash is asked in both ways: by its function, which shows all that
is offered, and by pressing the key in a terminal; zsh by the key, fish by ``complete -C``.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from undersigned.cli.completion import SCRIPTS
from undersigned.cli.explain import collect_problems
from undersigned.cli.main import main
from undersigned.cli.verbs import list_verbs
from undersigned.evidence.keys import ROLES
from undersigned.languages.locales import LOCALES
from undersigned.scoring.sizes import BUDGETS
from undersigned.worlds.family import family_names, load_family

PROGRAM = "import sys; from undersigned.cli.main import main; sys.exit(main())"
PATIENCE_S = 60.0
"""Seconds after which a terminal that shows nothing has failed."""

BASH_ASKS = """
compopt() { printf '<%s>\\n' "$*"; }
source "$1"
[[ $(complete -p undersigned) == *"-F _undersigned_completion undersigned" ]] || exit 9
COMP_LINE=$2 COMP_POINT=${#2}
_undersigned_completion "$3" "" ""
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""What bash does when the key is pressed: call the function that is registered for the command."""

IN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Run a program with its standard input as its terminal."""


class Shell:
    """The shells of this machine, with the command on their path and their scripts in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command = folder / "bin" / "undersigned"
        self.command.parent.mkdir()
        python = shlex.quote(sys.executable)
        self.command.write_text(f'#!/bin/sh\nexec {python} -c "{PROGRAM}" "$@"\n')
        self.command.chmod(0o755)
        (folder / "a-dossier.zip").touch()
        (folder / "a-folder").mkdir()
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{self.command.parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TERM": "dumb",
            "INPUTRC": os.devnull,
            "PS1": "ready> ",
        }

    def script(self, shell: str) -> Path:
        """Write a shell's script by the command itself, and return the file."""
        done = subprocess.run(
            [self.command, "completion", shell],
            env=self.environment, capture_output=True, check=True,
        )  # fmt: skip
        path = self.folder / f"script.{shell}"
        path.write_bytes(done.stdout)
        return path

    def run(self, *arguments: str | Path) -> list[str]:
        """Run a program and return the lines it prints; it must end well and warn of nothing."""
        done = subprocess.run(
            arguments, env=self.environment, cwd=self.folder, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.splitlines()

    def bash(self, line: str, command: str = "undersigned") -> list[str]:
        """Return what bash offers at the end of a line. command: as its first word stands for."""
        offers = self.run(
            "bash", "--norc", "--noprofile", "-c", BASH_ASKS, "bash", self.script("bash"), line,
            command,
        )  # fmt: skip
        return [offer for offer in offers if offer]

    def pressed(self, argv: Sequence[str], shell: str, typed: str, expected: str) -> str:
        """Type into a shell in a terminal, press the key, and return what the terminal shows.

        Stops as soon as what is expected is there, or when patience ends.
        """
        terminal, inside = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-c", IN_TERMINAL, *argv], env=self.environment, cwd=self.folder,
            stdin=inside, stdout=inside, stderr=inside,
        )  # fmt: skip
        os.close(inside)
        try:
            _until(terminal, "ready> ")
            os.write(terminal, f"source {self.script(shell)}; PS1='s''et> '\n".encode())
            _until(terminal, "set> ")
            os.write(terminal, f"{typed}\t".encode())
            return _until(terminal, expected)
        finally:
            os.close(terminal)
            child.kill()
            child.wait()


def _until(terminal: int, expected: str) -> str:
    """Read a terminal until it shows a text; escape sequences and carriage returns left out."""
    seen, end = b"", time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 4096)
        shown = re.sub(
            r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\r\x07]", "", seen.decode(errors="replace")
        )
        if expected in shown:
            return shown
    raise AssertionError(f"{expected!r} was not shown, but {seen!r}")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("shell"))


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test where a shell is not installed."""
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed here")


def hazards() -> list[str]:
    return [name for family in family_names() for name in load_family(family, ("en",)).hazards]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("undersigned ver", ["verify"]),
        ("undersigned nothing-such", []),
        ("undersigned log ch", ["checkpoint"]),
        ("undersigned log show --op", ["--open"]),
        ("undersigned --", ["--version", "--help"]),
        ("undersigned test card.yaml --budget ", list(BUDGETS)),
        ("undersigned test --locale ", list(LOCALES)),
        ("undersigned test --locale=t", ["ta", "th"]),
        ("undersigned test --locale th --locale v", ["vi"]),
        ("undersigned policy probe p.cedar --locale zh", ["zh-Hans"]),
        ("undersigned test --hazard ", hazards()),
        ("undersigned test --suite payments --hazard=skip", ["skip-callback"]),
        ("undersigned test --suite none-such --hazard ", []),
        ("undersigned test --suite ", list(family_names())),
        ("undersigned suite show p", ["payments"]),
        ("undersigned agents serve honest-pl", ["honest-plain"]),
        ("undersigned agents serve follower-channel:", ["document", "tool"]),
        ("undersigned explain e-cor-001", ["E-COR-001"]),
        ("undersigned trust key mine --role ", list(ROLES)),
        ("undersigned completion ", list(SCRIPTS)),
        ("undersigned test --retention ", ["term", "erasable"]),
        ("undersigned verify ", ["<-o default>"]),
        ("undersigned doctor --folder ", ["<-o dirnames>"]),
        ("undersigned none-such --", ["--version", "--help"]),
        ("undersigned test 'a card", []),
    ],
)
def test_bash__line__offers_what_fits(line: str, offered: list[str], shell: Shell) -> None:
    assert shell.bash(line) == offered


def test_bash__nothing_typed_yet__offers_every_verb_in_the_order_of_the_help(shell: Shell) -> None:
    offered = shell.bash("undersigned ")
    assert sorted(offered) == sorted(list_verbs())
    assert offered[0] == "test"
    assert offered[-3:] == ["doctor", "explain", "completion"]


def test_bash__every_error_code__is_offered(shell: Shell) -> None:
    codes = [each.problem.code for each in collect_problems()]
    assert shell.bash("undersigned explain ") == codes


def test_bash__command_typed_as_a_path_from_home__is_the_one_that_is_asked(shell: Shell) -> None:
    assert shell.bash("~/bin/undersigned ver", "~/bin/undersigned") == ["verify"]
    assert shell.bash("bin/undersigned ver", "bin/none-such") == []


PRESSED = [
    ("undersigned compl", "undersigned completion "),
    ("undersigned log fs", "undersigned log fsck "),
    ("undersigned agents serve follower-channel:d", "follower-channel:document "),
    ("undersigned test --hazard=skip-c", "--hazard=skip-callback "),
    ("undersigned explain e-lng-001", "E-LNG-001 "),
    ("~/bin/undersigned doct", "undersigned doctor "),
    ("undersigned verify a-dos", "verify a-dossier.zip "),
    ("undersigned verify d --trust=a-dos", "--trust=a-dossier.zip "),
    ("undersigned log export a-fol", "export a-folder/"),
]


@pytest.mark.parametrize(("typed", "shown"), PRESSED)
def test_bash__key_pressed__completes_the_line(typed: str, shown: str, shell: Shell) -> None:
    argv = ("bash", "--norc", "--noprofile", "-i")
    assert shown in shell.pressed(argv, "bash", typed, shown)


@needs("zsh")
@pytest.mark.parametrize(("typed", "shown"), PRESSED)
def test_zsh__key_pressed__completes_the_line(typed: str, shown: str, shell: Shell) -> None:
    assert shown in shell.pressed(("zsh", "-f", "-i"), "zsh", typed, shown)


@needs("fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (
            "undersigned compl",
            ["completion\tPrint the script with which a shell completes commands."],
        ),
        ("undersigned log exp", ["export\tWrite the log as static files (tlog-tiles)..."]),
        ("undersigned test --budget s", ["screen\t400 episodes", "sign-off\t12000 episodes"]),
        ("undersigned test --locale=vi", ["--locale=vi\tVietnamese"]),
        ("~/bin/undersigned completion z", ["zsh"]),
        ("undersigned verify a-dos", ["a-dossier.zip"]),
        ("undersigned verify d --trust=a-dos", ["--trust=a-dossier.zip"]),
        ("undersigned log export a-fol", ["a-folder/\tDirectory"]),
        ("undersigned none-such x", []),
    ],
)
def test_fish__line__offers_what_fits(line: str, offered: list[str], shell: Shell) -> None:
    asked = f"source {shell.script('fish')}; complete -C {json.dumps(line)}"
    assert shell.run("fish", "--no-config", "-c", asked) == offered


HEAVY = ("numpy", "scipy", "undersigned.assessment", "undersigned.views", "undersigned.cli.policy")


@pytest.mark.parametrize("line", ["undersigned ", "undersigned test --budget ", "undersigned log "])
def test_main__asked_by_a_shell__imports_nothing_heavy(line: str, shell: Shell) -> None:
    program = (
        "import sys; from undersigned.cli.main import main; main(); "
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    asked = {"COMP_WORDS": line, "COMP_CWORD": "", "_UNDERSIGNED_COMPLETE": "fish_complete"}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**shell.environment, **asked},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", SCRIPTS)
def test_completion__json__holds_the_script_that_is_printed(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", name]) == 0
    script = capsys.readouterr().out
    assert main(["completion", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == {"shell": name, "script": script}


def test_completion__shell_without_a_script__is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err
