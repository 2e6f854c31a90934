"""Which verbs are there, and what does the help say about each without importing it?

A verb is a Python file in this folder that defines ``command`` (a click command or group). Its
source is read, not run, so ``undersigned --help`` costs no import of what the verbs need.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

FOLDER = Path(__file__).parent

_DEFINES_COMMAND = re.compile(r"^(?:def command\(|command\b[^\n]*=)", re.MULTILINE)
_DOCSTRING = re.compile(r'\A[rR]?"""(.*?)"""', re.DOTALL)
_EXAMPLE = re.compile(r"^\s*Example: (undersigned .+)$", re.MULTILINE)


class Verb(NamedTuple):
    """What the help shows of a verb.

    name: as typed. summary: the docstring's first line. examples: whole commands.
    """

    name: str
    summary: str
    examples: tuple[str, ...]


def read_verb(path: Path) -> Verb | None:
    """Read a verb from its source, or return None when the file is no verb."""
    source = path.read_text(encoding="utf-8")
    if not _DEFINES_COMMAND.search(source):
        return None
    found = _DOCSTRING.match(source)
    docstring = found[1] if found else ""
    summary = docstring.strip().partition("\n")[0]
    return Verb(path.stem.replace("_", "-"), summary, tuple(_EXAMPLE.findall(docstring)))


def list_verbs(folder: Path = FOLDER) -> dict[str, Verb]:
    """Return all verbs by name, sorted."""
    verbs = (read_verb(path) for path in sorted(folder.glob("[!_]*.py")))
    return {verb.name: verb for verb in verbs if verb is not None}


def load_verb(name: str) -> click.Command:
    """Import a verb and return its command. name: one of ``list_verbs()``."""
    module = import_module(f"undersigned.cli.{name.replace('-', '_')}")
    command = module.command
    if not isinstance(command, click.Command):
        raise TypeError(f"{module.__name__}.command is no click command")
    command.name = name
    return command
