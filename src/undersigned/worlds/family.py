"""Which families are there, and what does each consist of?

A family is a folder of ``worlds/families`` (``docs/families.md`` shows how to write one). It is
found by listing the folder; nothing else names it. Its parts: ``VERSION`` in ``__init__``,
tools in ``tools``, tasks in ``tasks`` and ``tasks_*``, hazards in ``hazards`` and ``hazards_*``,
texts in ``texts/<locale>.ftl``.

The two-part version ``N-X`` says: results with the same N may be compared; families with the same
X take the same knobs and give the same kinds of records.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from types import ModuleType
from typing import NamedTuple, TypeVar

from undersigned.core.canonical import Digest, digest, digest_bytes
from undersigned.core.errors import UsageError
from undersigned.events.stream import Magnitude
from undersigned.languages.texts import Texts
from undersigned.worlds.kit.common import COMMON
from undersigned.worlds.kit.tools import Tool, ToolFunction
from undersigned.worlds.problems import BAD_FAMILY, UNKNOWN_FAMILY, UNKNOWN_NAME
from undersigned.worlds.scenario import HazardMaker, TaskMaker

T = TypeVar("T")

FAMILIES = "undersigned.worlds.families"


class Family(NamedTuple):
    """A family, loaded. name: of its folder. version: two-part. title: first line of its docstring.
    tools: by name, the three common ones included. digest: of its code and texts. in_reference:
    turns a magnitude into the family's reference unit, by the family's own dated rates."""

    name: str
    version: str
    title: str
    tools: Mapping[str, Tool]
    tasks: Mapping[str, TaskMaker]
    hazards: Mapping[str, HazardMaker]
    texts: Texts
    digest: Digest
    in_reference: Callable[[Magnitude], Magnitude]

    def own_tools(self) -> tuple[Tool, ...]:
        """Return the tools of the family's domain, without the three common ones."""
        common = {tool.name for tool in COMMON}
        return tuple(tool for name, tool in self.tools.items() if name not in common)

    def task(self, name: str) -> TaskMaker:
        """Return a task by name. Raises UsageError (E-WLD-004)."""
        return _named(self.tasks, name, "task")

    def hazard(self, name: str) -> HazardMaker:
        """Return a hazard by name. Raises UsageError (E-WLD-004)."""
        return _named(self.hazards, name, "hazard")


def _named(things: Mapping[str, T], name: str, kind: str) -> T:
    found = things.get(name)
    if found is None:
        near = difflib.get_close_matches(name, things, 1)
        raise UsageError(
            UNKNOWN_NAME, f"unknown {kind}", **{kind: name}, known=", ".join(near or things)
        )
    return found


def family_names() -> tuple[str, ...]:
    """Return the names of all families, sorted."""
    return tuple(
        sorted(
            entry.name
            for entry in files(FAMILIES).iterdir()
            if entry.is_dir() and entry.joinpath("tasks.py").is_file()
        )
    )


@lru_cache(maxsize=32)
def load_family(name: str, locales: tuple[str, ...]) -> Family:
    """Load a family with its texts in some locales.

    Raises UsageError: E-WLD-002 when there is no such family, E-WLD-001 when it is badly written.
    """
    if name not in family_names():
        near = difflib.get_close_matches(name, family_names(), 1)
        known = ", ".join(near or family_names())
        raise UsageError(UNKNOWN_FAMILY, "unknown family", family=name, known=known)
    package = import_module(f"{FAMILIES}.{name}")
    tools = _of(import_module(f"{FAMILIES}.{name}.tools"), ToolFunction)
    version = getattr(package, "VERSION", None)
    if not isinstance(version, str) or not tools:
        raise UsageError(BAD_FAMILY, "a family lacks its version or tools", family=name)
    tasks = _in_modules(name, "tasks", TaskMaker)
    hazards = _in_modules(name, "hazards", HazardMaker)
    offered = {tool.name: tool.tool for tool in tools} | {tool.name: tool for tool in COMMON}
    return Family(
        name=name,
        version=version,
        title=(package.__doc__ or "").strip().splitlines()[0],
        tools=offered,
        tasks={maker.name: maker for maker in tasks},
        hazards={maker.name: maker for maker in hazards},
        texts=Texts.load(files(f"{FAMILIES}.{name}").joinpath("texts"), locales),
        digest=code_digest(name),
        in_reference=getattr(package, "in_reference", _as_it_is),
    )


def _as_it_is(magnitude: Magnitude) -> Magnitude:
    return magnitude


def _in_modules(name: str, part: str, kind: type[T]) -> list[T]:
    """Return what a family declares in ``<part>.py`` and in every ``<part>_*.py`` beside it.

    Raises UsageError (E-WLD-001) when the first of these declares nothing.
    """
    if not _of(import_module(f"{FAMILIES}.{name}.{part}"), kind):
        raise UsageError(BAD_FAMILY, f"a family lacks its {part}", family=name)
    listed = [entry.name for entry in files(f"{FAMILIES}.{name}").iterdir()]
    stems = [each[:-3] for each in listed if each.endswith(".py")]
    modules = sorted(stem for stem in stems if stem == part or stem.startswith(f"{part}_"))
    return [
        value
        for module in modules
        for value in _of(import_module(f"{FAMILIES}.{name}.{module}"), kind)
    ]


def _of(module: ModuleType, kind: type[T]) -> Sequence[T]:
    return [value for value in vars(module).values() if isinstance(value, kind)]


@lru_cache(maxsize=32)
def code_digest(name: str) -> Digest:
    """Return the digest of a family's code and texts and of the kit that runs it."""
    rows = []
    for package in (
        f"{FAMILIES}.{name}",
        f"{FAMILIES}.{name}.texts",
        "undersigned.worlds.kit",
        "undersigned.worlds",
    ):
        folder = (
            files(f"{FAMILIES}.{name}").joinpath("texts")
            if package.endswith(".texts")
            else files(package)
        )
        rows += [
            [package, entry.name, digest_bytes(entry.read_bytes())]
            for entry in sorted(folder.iterdir(), key=lambda e: e.name)
            if entry.is_file() and entry.name.endswith((".py", ".ftl", ".cedar"))
        ]
    return digest(rows)
