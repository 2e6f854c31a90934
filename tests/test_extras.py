"""Is every optional part run where it can be, and said to be missing where it cannot?

The real scripts run in a small checkout of their own, with planted parts and pinned files that
list no package, so that environments are really made and nothing is fetched.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.floors import ROOT

EXTRAS = sorted(path for path in (ROOT / "extras").iterdir() if path.is_dir())
PASSES = "echo '3 passed in 0.01s'"


class Checkout:
    """A checkout that has nothing but what ./check extras needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "check", folder / "check")
        for name in ("bootstrap.sh", "extras.sh"):
            (folder / "scripts").mkdir(exist_ok=True)
            shutil.copy(ROOT / "scripts" / name, folder / "scripts" / name)
        for name in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
            (folder / name).write_text("# nothing\n")

    def plant(self, part: str, **files: str) -> None:
        """Put a part there. files: its shell scripts by name, ``_`` for the dot in a name."""
        place = self.folder / "extras" / part
        place.mkdir(parents=True)
        for name, text in files.items():
            path = place / name.replace("_", ".")
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)

    def check(self, *parts: str, **environ: str) -> tuple[int, list[str], str]:
        """Return the exit code of ./check extras, the lines of its output, and its errors."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        outside = {k: v for k, v in os.environ.items() if k not in ("CI", "PYTEST_ADDOPTS")}
        done = subprocess.run(
            [self.folder / "check", "extras", *parts],
            env={**outside, "PATH": path, "PYTHON": sys.executable, **environ},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with some parts, whose .venv is ready."""
    checkout = Checkout(tmp_path_factory.mktemp("check out"))
    checkout.plant("good", run=PASSES)
    return checkout


@pytest.fixture
def checkout(made: Checkout) -> Checkout:
    """The same with no parts and no environments of parts."""
    shutil.rmtree(made.folder / "extras")
    for path in made.folder.glob(".venv-*"):
        shutil.rmtree(path)
    (made.folder / "extras").mkdir()
    return made


def summary(lines: list[str]) -> Mapping[str, str]:
    """Return what the summary says of each part."""
    found = re.findall(r"^   (\S+) +\d+ s  (.+)$", "\n".join(lines), re.MULTILINE)
    return dict(found)


def test_extras__every_part__is_run_in_its_own_environment(checkout: Checkout) -> None:
    shows = 'command -v python; echo "$PYTHONPATH $*"; ' + PASSES
    checkout.plant("good", run=shows)
    checkout.plant("more", run="echo '4 passed in 0.02s'")
    code, lines, _ = checkout.check("--", "-k", "x")
    assert code == 0
    assert f"{checkout.folder}/.venv-good/bin/python" in lines
    assert f"{checkout.folder}/src -k x" in lines
    assert summary(lines) == {"good": "ok", "more": "ok"}
    assert lines[-1] == "4 passed in 0.02s"
    assert (checkout.folder / ".venv-more" / "stamp-more").is_file()
    assert (checkout.folder / ".venv-more" / "bin" / "undersigned").is_file()


def test_extras__one_named__is_the_only_one_run(checkout: Checkout) -> None:
    checkout.plant("good", run=PASSES)
    checkout.plant("other", run="exit 1")
    code, lines, _ = checkout.check("good")
    assert (code, summary(lines), lines[-1]) == (0, {"good": "ok"}, "3 passed in 0.01s")


@pytest.mark.parametrize("name", ["nonsense", "../scripts", ".", ""])
def test_extras__unknown_part__is_a_usage_error_that_names_the_known(
    checkout: Checkout, name: str
) -> None:
    checkout.plant("good", run=PASSES)
    checkout.plant("more", run=PASSES)
    code, lines, told = checkout.check("good", name)
    assert (code, lines) == (2, [])
    assert told == f"there is no part '{name}'; the parts are: good more\n"


def test_extras__failing_part__gives_its_exit_code_and_hides_no_other(checkout: Checkout) -> None:
    checkout.plant("bad", run="echo '1 failed in 0.01s'; exit 7")
    checkout.plant("good", run=PASSES)
    checkout.plant("worse", run="exit 9")
    code, lines, _ = checkout.check()
    assert code == 7
    assert summary(lines) == {"bad": "failed (7)", "good": "ok", "worse": "failed (9)"}


def test_extras__part_without_its_run__fails(checkout: Checkout) -> None:
    checkout.plant("empty")
    code, lines, _ = checkout.check()
    assert (code, summary(lines)) == (127, {"empty": "failed (127)"})


def test_extras__part_that_cannot_run__is_skipped_here_and_fails_in_ci(checkout: Checkout) -> None:
    checkout.plant("good", run=PASSES)
    checkout.plant("lacking", here="echo bubblewrap; exit 1", run="echo it ran")
    code, lines, _ = checkout.check()
    assert code == 0
    assert "not here: bubblewrap" in lines
    assert summary(lines) == {"good": "ok", "lacking": "skipped, not here: bubblewrap"}
    assert not (checkout.folder / ".venv-lacking").exists()
    code, lines, _ = checkout.check(CI="true")
    assert (code, summary(lines)["lacking"]) == (1, "failed (1)")
    assert "not here: bubblewrap" in lines
    assert "it ran" not in lines


def test_extras__what_is_missing_can_be_installed__ci_installs_it_and_nobody_else(
    checkout: Checkout,
) -> None:
    checkout.plant("tool", here="[ -f tool ] || { echo tool; exit 1; }", debian_sh=">tool",
                   run=PASSES)  # fmt: skip
    code, lines, _ = checkout.check()
    assert (code, summary(lines)) == (0, {"tool": "skipped, not here: tool"})
    assert "try: extras/tool/debian.sh" in lines
    code, lines, _ = checkout.check(CI="true")
    assert (code, summary(lines)) == (0, {"tool": "ok"})


def test_extras__part_that_ci_need_not_have__is_skipped_there_too(checkout: Checkout) -> None:
    checkout.plant("second", here="echo a second one; exit 77", run=PASSES)
    code, lines, _ = checkout.check(CI="true")
    assert (code, summary(lines)) == (0, {"second": "skipped, not here: a second one"})


@pytest.mark.parametrize("interpreter", ["echo /bin/false", "exit 1"])
def test_extras__environment_that_cannot_be_made__is_missing(
    checkout: Checkout, interpreter: str
) -> None:
    checkout.plant("broken", run=PASSES, interpreter=interpreter)
    code, lines, _ = checkout.check()
    told = "skipped, not here: its environment, see above"
    assert (code, summary(lines)) == (0, {"broken": told})
    code, lines, _ = checkout.check(CI="true")
    assert (code, summary(lines)) == (2, {"broken": "failed (2)"})


def test_extras__environment__is_made_again_only_when_what_it_is_made_of_changes(
    checkout: Checkout,
) -> None:
    checkout.plant("good", run=PASSES, interpreter=f"echo '{sys.executable}'")
    assert "making .venv-good" in checkout.check()[2]
    assert checkout.check()[2] == ""
    mark = checkout.folder / ".venv-good" / "mark"
    mark.write_text("")
    (checkout.folder / "extras" / "good" / "requirements.txt").write_text("# changed\n")
    assert "installing requirements-dev.txt extras/good/requirements.txt" in checkout.check()[2]
    assert not mark.exists()


def test_extras__no_parts_at_all__is_no_failure(checkout: Checkout) -> None:
    assert checkout.check()[0] == 0


@pytest.mark.parametrize("folder", EXTRAS, ids=lambda path: path.name)
def test_part__every_one__can_be_run_and_its_packages_are_pinned(folder: Path) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", folder.name)
    scripts = {"run", "here", "debian.sh", "interpreter"} & {p.name for p in folder.iterdir()}
    assert "run" in scripts
    assert all(os.access(folder / name, os.X_OK) for name in scripts)
    asked, pinned = folder / "requirements.in", folder / "requirements.txt"
    assert asked.exists() == pinned.exists(), "run scripts/lock.sh --keep"


def test_second_python__only_one_here__is_said_and_is_no_fault_in_ci(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    shutil.copytree(ROOT / "extras" / "python", tmp_path / "extras" / "python")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "sort", "tail", "cut", "grep", "ls"):
        (tools / name).symlink_to(shutil.which(name) or "")
    (tools / "python3.14").write_text("#!/bin/sh\nexit 127\n")
    (tools / "python3.13").symlink_to(sys.executable)
    (tools / "python3.14").chmod(0o755)
    done = subprocess.run(
        [tmp_path / "extras" / "python" / "here"], cwd=tmp_path,
        env={"PATH": str(tools), "HOME": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (77, "")
    assert done.stdout == "a second CPython, 3.11 or newer, on PATH or in pyenv\n"


CHECK = """#!/bin/sh
[ "$CI" ] || exit 99
[ "$1" != extras ] || { echo '2 passed in 0.01s'; exit "$EXTRAS"; }
echo "stages $*"
echo '5 passed in 0.02s'
exit "$STAGES"
"""


@pytest.mark.parametrize(("stages", "extras", "code"), [(0, 0, 0), (3, 0, 3), (0, 4, 4), (3, 4, 3)])
def test_ci__stages_and_parts__both_run_and_the_first_failure_is_the_exit_code(
    tmp_path: Path, stages: int, extras: int, code: int
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "check").write_text(CHECK)
    (tmp_path / "check").chmod(0o755)
    environ = {k: v for k, v in os.environ.items() if k != "CI"}
    environ |= {"STAGES": str(stages), "EXTRAS": str(extras)}
    run = [tmp_path / ".ci" / "run"]
    done = subprocess.run(run, env=environ, capture_output=True, text=True)
    assert done.returncode == code
    lines = done.stdout.splitlines()
    assert lines[0] == "stages "
    assert "2 passed in 0.01s" in lines
    assert lines[-1] == "5 passed in 0.02s"
    some = subprocess.run([*run, "lint"], env=environ, capture_output=True, text=True)
    assert (some.returncode, some.stdout) == (stages, "stages lint\n5 passed in 0.02s\n")
