"""Which program is this, as far as the bytes and numbers of a dossier depend on it?

Babel, CLDR, Fluent and Unicode by version; this program by its version and by the digest of the
packages that episodes, scores and report come from. A dossier made by another one cannot be
regenerated here, and verification then says what to install.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from undersigned import __version__
from undersigned.core.canonical import Digest, digest, digest_bytes
from undersigned.languages.texts import versions

PACKAGES = ("core", "events", "languages", "attacks", "agents", "episodes", "scoring", "assessment",
            "views")  # fmt: skip
"""Packages that bytes or numbers come from; worlds and families are pinned by the suite."""


@lru_cache(maxsize=1)
def program_digest() -> Digest:
    """Return the digest of the code that episodes and scores come from."""
    rows: list[list[str]] = []
    for package in PACKAGES:
        _collect(files("undersigned").joinpath(package), package, rows)
    return digest(rows)


def _collect(folder: Traversable, path: str, rows: list[list[str]]) -> None:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_file() and entry.name.endswith((".py", ".html", ".css")):
            rows.append([f"{path}/{entry.name}", digest_bytes(entry.read_bytes())])
        elif entry.is_dir() and not entry.name.startswith(("_", ".")):
            _collect(entry, f"{path}/{entry.name}", rows)


def pinned_versions() -> dict[str, str]:
    """Return what a plan pins, by name."""
    return {**versions(), "undersigned": __version__, "program": program_digest()}
