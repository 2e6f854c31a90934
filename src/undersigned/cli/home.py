"""Where do this person's keys and logs live, outside every project and dossier?

UNDERSIGNED_HOME, else ``undersigned`` in the data folder of the XDG base directory specification
(XDG_DATA_HOME, default ``~/.local/share``). Nothing is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def home_folder(environment: Mapping[str, str]) -> Path:
    """Return the home folder. environment: the process's variables, HOME among them.

    >>> home_folder({"UNDERSIGNED_HOME": "/srv/undersigned"})
    PosixPath('/srv/undersigned')
    """
    return _chosen(environment, "UNDERSIGNED_HOME", "undersigned")


def former_home(environment: Mapping[str, str]) -> Path | None:
    """Return the home folder of the former name: if its variable is set, or the folder is there."""
    from undersigned.evidence.former import HOME_FOLDER, HOME_VARIABLE

    folder = _chosen(environment, HOME_VARIABLE, HOME_FOLDER)
    return folder if environment.get(HOME_VARIABLE) or folder.exists() else None


def key_folder(home: Path) -> Path:
    """Return the folder of private keys, one file per role."""
    return home / "keys"


def _chosen(environment: Mapping[str, str], variable: str, name: str) -> Path:
    if chosen := environment.get(variable):
        return Path(chosen)
    data = environment.get("XDG_DATA_HOME", "")
    # WHY: the specification says that a relative path is invalid and to be ignored.
    base = Path(data) if data.startswith("/") else _home(environment) / ".local" / "share"
    return base / name


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME")
    return Path(home) if home else Path.home()
