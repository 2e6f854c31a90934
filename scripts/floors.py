"""Which package may import which, and which does?

The table of floors is the one of the design: a package imports from floors below, and sideways
only where an arrow says so. Imports are read from the source with ``ast``, so those inside
functions and under ``TYPE_CHECKING`` count like any other. ``tests/test_architecture.py`` judges
them; ``scripts/make_docs.py`` draws the map.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "undersigned"

FLOORS: Mapping[str, int] = {
    "core": 0,
    "evidence": 1,
    "events": 1,
    "languages": 1,
    "worlds": 2,
    "controls": 2,
    "attacks": 3,
    "oversight": 3,
    "agents": 3,
    "episodes": 4,
    "scoring": 5,
    "assessment": 6,
    "assurance": 7,
    "incidents": 7,
    "access": 7,
    "exchange": 8,
    "hosts": 8,
    "views": 9,
    "cli": 10,
}
"""The floor of each package; packages that do not exist yet keep their place."""

ARROWS = frozenset({("incidents", "assurance")})
"""Sideways imports that are allowed: (from, to) on one floor."""


class Import(NamedTuple):
    """One import statement. source, target: dotted module names."""

    source: str
    target: str
    line: int


def module_files(package: Path = PACKAGE) -> dict[str, Path]:
    """Return every module below a package by dotted name."""
    found: dict[str, Path] = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = path
    return found


def imports_of(module: str, path: Path, known: Iterable[str]) -> Iterator[Import]:
    """Yield every import in a file, wherever it stands, with the module it reaches.

    known: modules that exist, which tell ``from package import module`` from an imported name.
    """
    modules = frozenset(known)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, path, node)
            for alias in node.names:
                deeper = f"{base}.{alias.name}"
                yield Import(module, deeper if deeper in modules else base, node.lineno)
        elif isinstance(node, ast.Call) and (target := _dynamic(node)):
            yield Import(module, target, node.lineno)


def _base(module: str, path: Path, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    keep = len(parts) - node.level + (path.name == "__init__.py")
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def _dynamic(call: ast.Call) -> str:
    """Return the module that ``import_module("a.b")`` or ``__import__("a.b")`` names, or ""."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in ("import_module", "__import__") or not call.args:
        return ""
    first = call.args[0]
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return ""


def all_imports(package: Path = PACKAGE) -> tuple[Import, ...]:
    """Return every import of every module below a package."""
    files = module_files(package)
    return tuple(each for name, path in files.items() for each in imports_of(name, path, files))


def package_of(module: str) -> str:
    """Return the package on a floor that a module of this project belongs to, or "".

    >>> package_of("undersigned.worlds.kit.records")
    'worlds'
    """
    parts = module.split(".")
    if parts[:2] == ["undersigned", "__main__"]:
        return "cli"  # it is the command under another name
    return parts[1] if parts[0] == "undersigned" and len(parts) > 1 else ""


def floor_violations(imports: Iterable[Import]) -> list[str]:
    """Return one line per import that goes up, sideways without an arrow, or from no floor."""
    found: list[str] = []
    for each in imports:
        source, target = package_of(each.source), package_of(each.target)
        where = f"{each.source}:{each.line} imports {each.target}"
        if each.target == "undersigned" or (not target and not source) or source == target:
            continue
        if each.target.split(".")[0] != "undersigned":
            continue
        unknown = [name for name in (source, target) if name and name not in FLOORS]
        if unknown:
            found.append(f"{where}: {unknown[0]} is on no floor")
        elif not source:
            found.append(f"{where}: undersigned/__init__.py imports nothing")
        elif FLOORS[target] > FLOORS[source]:
            found.append(f"{where}: upwards, floor {FLOORS[source]} to {FLOORS[target]}")
        elif FLOORS[target] == FLOORS[source] and (source, target) not in ARROWS:
            found.append(f"{where}: sideways on floor {FLOORS[source]}, no arrow allows it")
    return found


def package_edges(imports: Iterable[Import]) -> dict[str, set[str]]:
    """Return which packages each package imports, itself left out."""
    edges: dict[str, set[str]] = {}
    for each in imports:
        source, target = package_of(each.source), package_of(each.target)
        if source and target and source != target:
            edges.setdefault(source, set()).add(target)
    return edges


def module_edges(imports: Iterable[Import]) -> dict[str, set[str]]:
    """Return which modules of this project each module imports, itself left out."""
    edges: dict[str, set[str]] = {}
    for each in imports:
        if each.target.split(".")[0] == "undersigned" and each.source != each.target:
            edges.setdefault(each.source, set()).add(each.target)
    return edges


def find_cycle(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """Return one cycle, first name repeated at the end, or an empty list.

    >>> find_cycle({"a": ["b"], "b": ["a"]})
    ['a', 'b', 'a']
    """
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for following in sorted(edges.get(name, ())):
            if cycle := visit(following, [*trail, name]):
                return cycle
        done.add(name)
        return []

    for start in sorted(edges):
        if cycle := visit(start, []):
            return cycle
    return []
