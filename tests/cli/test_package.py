"""Does what is shipped hold all that runs, and do the pinned files cover what is declared?"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.floors import PACKAGE, ROOT

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
LOCKED = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")


def pins_of(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {canonicalize_name(found): version for found, version in PIN.findall(text)}


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in project["dependencies"]]


def test_requirements__declared_dependencies__are_pinned_within_their_bounds() -> None:
    pins = pins_of("requirements.txt")
    faults = [
        f"{each}: pinned {pins.get(canonicalize_name(each.name), 'nowhere')}"
        for each in declared()
        if pins.get(canonicalize_name(each.name), "") not in each.specifier
    ]
    assert not faults, "run scripts/lock.sh --keep:\n" + "\n".join(faults)


def test_requirements_dev__all_tools_and_run_time_pins__are_in_it() -> None:
    dev = pins_of("requirements-dev.txt")
    assert pins_of("requirements.txt").items() <= dev.items()
    lines = (ROOT / "requirements-dev.in").read_text(encoding="utf-8").splitlines()
    asked = {canonicalize_name(line) for line in lines if line and line[0].isalpha()}
    assert asked <= dev.keys()
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert all(dev[Requirement(line).name] in Requirement(line).specifier for line in build)


@pytest.mark.parametrize("name", LOCKED)
def test_requirements__every_line__is_a_hashed_pin_and_names_no_place(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    shape = re.compile(
        r"[a-z0-9._-]+==[0-9][0-9a-z.]*( ; [a-zA-Z_ '!=<>().0-9]+)? \\|"
        r"    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    assert [line for line in lines if not shape.fullmatch(line)] == []
    assert lines[0].endswith(" \\")


def test_wheel__built_from_the_sources__holds_every_file_and_the_command(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        info = next(name for name in held if name.endswith("entry_points.txt"))
        assert "undersigned = undersigned.cli.main:main" in archive.read(info).decode()
    sources = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources - held == set()


@pytest.mark.parametrize("script", ["demo", "check", "bench"])
def test_bootstrap__python_too_old__says_what_is_needed_and_makes_nothing(
    script: str, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n')
    old.chmod(0o755)
    for name in ("sh", "dirname", "cat", "cksum", "rm"):
        (tools / name).symlink_to(shutil.which(name) or "")
    checkout = tmp_path / "check out"
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    for name in (*LOCKED, script):
        shutil.copy(ROOT / name, checkout / name)
    done = subprocess.run(
        [checkout / script], env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs Python 3.11 or newer; python3 here is: Python 3.9.2" in done.stderr
    assert "try: install Python 3.11" in done.stderr
    assert not (checkout / ".venv").exists()


def test_check__unknown_stage__is_a_usage_error_before_anything_is_made(tmp_path: Path) -> None:
    shutil.copy(ROOT / "check", tmp_path / "check")
    done = subprocess.run([tmp_path / "check", "tset"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "usage: ./check" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["check"]
