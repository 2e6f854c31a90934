"""Can this machine run Undersigned, and what is to be done where it cannot?

Each check is a function that looks at one thing and returns a ``Check``; nothing is repaired and
nothing outside the scratch folder is written.
"""

from __future__ import annotations

import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib import metadata, resources
from pathlib import Path
from typing import Final, Literal

import msgspec

from undersigned.cli.home import key_folder
from undersigned.core.errors import UndersignedError

State = Literal["ok", "warn", "fail"]
"""ok: nothing to do. warn: works, with the named drawback. fail: something will not work."""

RELEASED: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""A clock before this is wrong, because this version did not exist yet."""

LIFETIME: Final = timedelta(days=20 * 365)
"""A clock this long after the release is taken to be wrong."""

SKEW_S: Final = 5.0
"""Seconds by which the clock and the file system may differ."""

SPACE_FAIL_MIB: Final = 100
SPACE_WARN_MIB: Final = 1024
"""Mebibytes free below which runs will fail, or large runs may."""


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at. remedy: what to do, empty when ok."""

    name: str
    state: State
    found: str
    remedy: str = ""


def check_python(version: tuple[int, int], implementation: str) -> Check:
    """Look at the interpreter. version: major and minor. implementation: as ``sys`` names it."""
    found = f"{implementation} {version[0]}.{version[1]}"
    if version < (3, 11):
        return Check("python", "fail", found, "install Python 3.11 or newer")
    if implementation != "cpython":
        return Check("python", "warn", found, "use CPython, the only implementation tested")
    return Check("python", "ok", found)


def pinned() -> dict[str, str]:
    """Return the tested version of each run-time package, as shipped in ``pins.json``."""
    data = resources.files("undersigned.cli").joinpath("pins.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, str])


def check_packages(pins: Mapping[str, str]) -> Check:
    """Compare installed packages with the tested versions."""
    missing: list[str] = []
    other: list[str] = []
    for name, version in pins.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if installed != version:
            other.append(f"{name} {installed} (tested: {version})")
    remedy = "pip install --require-hashes -r requirements.txt"
    if missing:
        return Check("packages", "fail", "missing: " + ", ".join(missing), remedy)
    if other:
        return Check("packages", "warn", "; ".join(other), remedy)
    return Check("packages", "ok", f"{len(pins)} packages, each at its tested version")


def check_clock(now: datetime, scratch: Path) -> Check:
    """Compare the clock with the release date and with the time a new file gets. now: aware."""
    found = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    remedy = "set the clock, for example with timedatectl set-ntp true"
    if not RELEASED <= now <= RELEASED + LIFETIME:
        return Check("clock", "fail", f"{found} cannot be right", remedy)
    with tempfile.NamedTemporaryFile(dir=scratch) as file:
        skew = abs(Path(file.name).stat().st_mtime - now.timestamp())
    if skew > SKEW_S:
        return Check("clock", "warn", f"{found}, but files are {skew:.0f} s away from it", remedy)
    return Check("clock", "ok", found)


def check_disk(folder: Path) -> Check:
    """Look at the free space where evidence will be written. folder: may not exist yet."""
    free_mib = shutil.disk_usage(nearest_existing(folder)).free // 2**20
    found = f"{free_mib} MiB free for {folder}"
    if free_mib < SPACE_FAIL_MIB:
        return Check("disk", "fail", found, "free space, or choose another folder")
    if free_mib < SPACE_WARN_MIB:
        return Check("disk", "warn", found, "free space before a large run")
    return Check("disk", "ok", found)


def nearest_existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def check_home(home: Path) -> Check:
    """Look at who may enter the home folder."""
    if not home.exists():
        return Check("home", "ok", f"{home} (made when first needed)")
    mode = stat.S_IMODE(home.stat().st_mode)
    found = f"{home}, mode {mode:04o}"
    remedy = f"chmod 700 {home}"
    if not home.is_dir():
        return Check("home", "fail", f"{home} is no folder", "set UNDERSIGNED_HOME to a folder")
    if mode & 0o022:
        return Check("home", "fail", f"{found}: others may write", remedy)
    if mode & 0o055:
        return Check("home", "warn", f"{found}: others may look in", remedy)
    return Check("home", "ok", found)


def check_keys(home: Path) -> Check:
    """Look at the modes of private keys: every file of the key folder that does not end .pub."""
    folder = key_folder(home)
    keys = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".pub"]
    open_keys = [path for path in keys if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_keys:
        named = " ".join(str(path) for path in open_keys)
        found = f"readable or writable by others: {named}"
        return Check("keys", "fail", found, f"chmod 600 {named} (and consider the keys known)")
    return Check("keys", "ok", f"{len(keys)} private keys in {folder}")


def check_former(former: Path, home: Path) -> Check:
    """Tell of the home folder of the former name, which nothing here reads."""
    from undersigned.evidence.former import NAME

    found = f"{former} is the home folder of this program's former name, {NAME}"
    if former.absolute() == home.absolute():
        remedy = "unset UNDERSIGNED_HOME, or set it to another folder, and leave this one as it is"
    else:
        remedy = (
            f"leave it as it is: keys and log there belong to that version, those here to {home}"
        )
    return Check("former", "warn", found, remedy)


def check_signatures() -> Check:
    """Sign and verify once, and see an altered message refused."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    signature = key.sign(b"message")
    key.public_key().verify(signature, b"message")
    try:
        key.public_key().verify(signature, b"massage")
    except InvalidSignature:
        return Check("signatures", "ok", "Ed25519 signs, verifies and refuses")
    remedy = "pip install --force-reinstall --require-hashes -r requirements.txt"
    return Check("signatures", "fail", "Ed25519 accepted an altered message", remedy)


def check_locales() -> Check:
    """Write a number and a day in every shipped locale."""
    from undersigned.languages.locales import LOCALES
    from undersigned.languages.quantities import Day, format_day, format_number

    broken: list[str] = []
    for tag in LOCALES:
        try:
            format_number(tag, 1234567)
            format_day(tag, Day("2026-11-21"))
        except (UndersignedError, LookupError, ValueError) as error:
            broken.append(f"{tag} ({error})")
    if broken:
        remedy = "pip install --require-hashes -r requirements.txt"
        return Check("locales", "fail", "cannot be written: " + ", ".join(broken), remedy)
    return Check("locales", "ok", ", ".join(LOCALES))


def check_generators() -> Check:
    """Name the versions that generated texts depend on, beside the package versions."""
    from undersigned.languages.texts import versions

    named = ", ".join(f"{name} {version}" for name, version in versions().items())
    return Check("generators", "ok", named)


def check_terminal(encoding: str) -> Check:
    """Look at whether the terminal can show every script. encoding: of standard output."""
    if encoding.lower().replace("-", "") != "utf8":
        found = f"standard output is {encoding}"
        return Check("terminal", "warn", found, "export PYTHONUTF8=1, or use a UTF-8 locale")
    return Check("terminal", "ok", "UTF-8")


def check_all(
    home: Path, folder: Path, now: datetime, encoding: str, former: Path | None = None
) -> tuple[Check, ...]:
    """Run every check.

    home: where keys and logs live. folder: where evidence will be written. now: the clock, aware.
    encoding: of standard output. former: home folder of the former name, None where there is none.
    """
    return (
        check_python(sys.version_info[:2], sys.implementation.name),
        check_packages(pinned()),
        check_clock(now, Path(tempfile.gettempdir())),
        check_disk(folder),
        check_home(home),
        *((check_former(former, home),) if former is not None else ()),
        check_keys(home),
        check_signatures(),
        check_locales(),
        check_generators(),
        check_terminal(encoding),
    )
