"""Does each check pass on a sound machine and name the remedy on a planted fault?"""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest

from undersigned.cli import health
from undersigned.cli.health import (
    RELEASED,
    Check,
    check_clock,
    check_disk,
    check_generators,
    check_home,
    check_keys,
    check_locales,
    check_packages,
    check_python,
    check_signatures,
    check_terminal,
    pinned,
)
from undersigned.cli.home import home_folder, key_folder
from undersigned.cli.main import main

Usage = namedtuple("Usage", "total used free")


def sound(check: Check) -> bool:
    return check.state == "ok" and check.remedy == "" and check.found != ""


def test_doctor__this_machine__names_every_check_and_a_remedy_for_each_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    code = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    checks = document["data"]["checks"]
    assert [each["name"] for each in checks] == [
        "python",
        "packages",
        "clock",
        "disk",
        "home",
        "keys",
        "signatures",
        "locales",
        "generators",
        "terminal",
    ]
    assert all(bool(each["remedy"]) == (each["state"] != "ok") for each in checks)
    assert sum(document["data"]["counts"].values()) == len(checks)
    assert document["ok"] == (code == 0) == (document["data"]["counts"]["fail"] == 0)


def test_doctor__exposed_key__fails_in_both_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = key_folder(tmp_path) / "tester.pem"
    key.parent.mkdir()
    key.write_text("private")
    key.chmod(0o640)
    monkeypatch.setenv("UNDERSIGNED_HOME", str(tmp_path))
    assert main(["doctor"]) == 2
    assert f"try: chmod 600 {key}" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["ok"] is False


@pytest.mark.parametrize(
    ("version", "implementation", "state"),
    [
        ((3, 11), "cpython", "ok"),
        ((3, 14), "cpython", "ok"),
        ((3, 10), "cpython", "fail"),
        ((3, 11), "pypy", "warn"),
    ],
)
def test_python__version_and_implementation__decide(
    version: tuple[int, int], implementation: str, state: str
) -> None:
    assert check_python(version, implementation).state == state


def test_packages__pins_of_the_release__are_what_is_compared() -> None:
    assert {"click", "msgspec", "cryptography", "babel"} <= pinned().keys()
    assert sound(check_packages({"click": metadata.version("click")}))
    other = check_packages({"click": "0.0.1"})
    assert (other.state, "tested: 0.0.1" in other.found) == ("warn", True)
    missing = check_packages({"no-such-package": "1", "click": "0.0.1"})
    assert (missing.state, missing.found) == ("fail", "missing: no-such-package")


def test_clock__before_release_or_far_after__fails(tmp_path: Path) -> None:
    assert check_clock(RELEASED - timedelta(seconds=1), tmp_path).state == "fail"
    assert check_clock(RELEASED + timedelta(days=30 * 365), tmp_path).state == "fail"


def test_clock__away_from_file_times__warns(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert sound(check_clock(now, tmp_path))
    assert check_clock(now + timedelta(hours=8), tmp_path).state == "warn"


@pytest.mark.parametrize(("free_mib", "state"), [(99, "fail"), (1023, "warn"), (1024, "ok")])
def test_disk__free_space__decides(
    free_mib: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, free_mib * 2**20))
    assert check_disk(tmp_path / "not" / "made" / "yet").state == state


@pytest.mark.parametrize(
    ("mode", "state"), [(0o700, "ok"), (0o750, "warn"), (0o705, "warn"), (0o770, "fail")]
)
def test_home__mode__decides(mode: int, state: str, tmp_path: Path) -> None:
    tmp_path.chmod(mode)
    assert check_home(tmp_path).state == state
    tmp_path.chmod(0o700)


def test_home__absent_or_a_file__is_told_apart(tmp_path: Path) -> None:
    assert check_home(tmp_path / "absent").state == "ok"
    (tmp_path / "file").touch()
    assert check_home(tmp_path / "file").state == "fail"


@pytest.mark.parametrize(
    ("name", "mode", "state"),
    [
        ("a.pem", 0o600, "ok"),
        ("a.pem", 0o604, "fail"),
        ("b/a", 0o620, "fail"),
        ("a.pub", 0o644, "ok"),
    ],
)
def test_keys__mode__decides(name: str, mode: int, state: str, tmp_path: Path) -> None:
    path = key_folder(tmp_path) / name
    path.parent.mkdir(parents=True)
    path.touch()
    path.chmod(mode)
    assert check_keys(tmp_path).state == state


def test_signatures_locales_generators__as_installed__are_sound() -> None:
    assert sound(check_signatures())
    assert sound(check_locales())
    assert "unicode" in check_generators().found


def test_locales__broken_writer__names_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    from undersigned.languages import quantities

    def write(tag: str, number: int) -> str:
        if tag == "ta":
            raise LookupError("no data")
        return str(number)

    monkeypatch.setattr(quantities, "format_number", write)
    check = check_locales()
    assert (check.state, check.found) == ("fail", "cannot be written: ta (no data)")


def test_terminal__encoding__decides() -> None:
    assert sound(check_terminal("UTF-8"))
    assert sound(check_terminal("utf8"))
    assert check_terminal("ascii").state == "warn"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"UNDERSIGNED_HOME": "/a", "XDG_DATA_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_DATA_HOME": "/b", "HOME": "/c"}, "/b/undersigned"),
        ({"XDG_DATA_HOME": "relative", "HOME": "/c"}, "/c/.local/share/undersigned"),
        ({"HOME": "/c"}, "/c/.local/share/undersigned"),
    ],
)
def test_home_folder__environment__decides(environment: dict[str, str], expected: str) -> None:
    assert home_folder(environment) == Path(expected)


def test_health__module__repairs_nothing(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    health.check_all(tmp_path / "home", tmp_path, datetime.now(UTC), "utf-8")
    assert sorted(tmp_path.rglob("*")) == before
