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
    if chosen := environment.get("UNDERSIGNED_HOME"):
        return Path(chosen)
    data = environment.get("XDG_DATA_HOME", "")
    # WHY: the specification says that a relative path is invalid and to be ignored.
    base = Path(data) if data.startswith("/") else _home(environment) / ".local" / "share"
    return base / "undersigned"


def key_folder(home: Path) -> Path:
    """Return the folder of private keys, one file per role."""
    return home / "keys"


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME")
    return Path(home) if home else Path.home()
