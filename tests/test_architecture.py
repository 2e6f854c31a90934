"""Does every package know only what lies below it, and only what it declares?

Reads the sources (``scripts/floors.py``), lazy and type-checking imports included, and prints the
map. Planted violations show that the reader would see real ones.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.floors import (
    FLOORS,
    PACKAGE,
    ROOT,
    all_imports,
    find_cycle,
    floor_violations,
    imports_of,
    module_edges,
    module_files,
    package_edges,
)

IMPORT_NAMES = {"fluent.runtime": ("fluent",), "pyyaml": ("yaml",)}
"""Distributions whose import name is another than their own."""

STANDALONE = {"undersigned.evidence.verify": frozenset({"cryptography"})}
"""Modules that may import only the standard library and these, nothing of this project."""


def declared_names() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
    found: set[str] = set()
    for line in (line for group in groups for line in group):
        name = re.split(r"[^A-Za-z0-9._-]", line)[0].lower()
        found.update(IMPORT_NAMES.get(name, (name.replace("-", "_"),)))
    return found


def written(folder: Path, files: Mapping[str, str]) -> Path:
    package = folder / "undersigned"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        (path.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    return package


def test_floors__all_imports__go_downwards_only(capsys: pytest.CaptureFixture[str]) -> None:
    imports = all_imports()
    with capsys.disabled():
        for name, targets in sorted(package_edges(imports).items(), key=lambda e: FLOORS[e[0]]):
            print(f"\n  floor {FLOORS[name]:2} {name} -> {', '.join(sorted(targets))}", end="")
    violations = floor_violations(imports)
    assert not violations, "\n".join(["imports that the floors forbid:", *violations])


def test_floors__packages_and_modules__form_no_cycle() -> None:
    imports = all_imports()
    assert find_cycle(package_edges(imports)) == []
    assert find_cycle(module_edges(imports)) == []


def test_floors__every_folder__is_a_package_on_a_floor() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= FLOORS.keys(), f"on no floor: {sorted(folders - FLOORS.keys())}"


def test_dependencies__all_imports__are_declared() -> None:
    allowed = sys.stdlib_module_names | declared_names() | {"undersigned"}
    strays = [
        f"{each.source}:{each.line} imports {each.target}"
        for each in all_imports()
        if each.target.split(".")[0] not in allowed
    ]
    assert not strays, "\n".join(["imports that pyproject.toml does not declare:", *strays])


@pytest.mark.parametrize("module", sorted(STANDALONE.keys() & module_files().keys()))
def test_standalone_module__imports__need_nothing_of_this_project(module: str) -> None:
    allowed = sys.stdlib_module_names | STANDALONE[module]
    files = module_files()
    strays = [
        each.target
        for each in imports_of(module, files[module], files)
        if each.target.split(".")[0] not in allowed
    ]
    assert not strays


PLANTED = {
    "plain": "import undersigned.cli.main",
    "from": "from undersigned.cli import main",
    "lazy": "def f():\n    from undersigned.cli.main import main",
    "type checking": "if TYPE_CHECKING:\n    from undersigned.cli.main import main",
    "relative": "from ..cli import main",
    "dynamic": "import_module('undersigned.cli.main')",
    "sideways": "from undersigned.events import stream",
    "unknown floor": "from undersigned.attic import chest",
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED.keys())
def test_floor_reader__planted_violation__is_reported(tmp_path: Path, planted: str) -> None:
    package = written(
        tmp_path,
        {
            "evidence/log.py": planted,
            "cli/main.py": "",
            "events/stream.py": "",
            "attic/chest.py": "",
        },
    )
    assert len(floor_violations(all_imports(package))) == 1


def test_floor_reader__clean_twin__is_not_reported(tmp_path: Path) -> None:
    package = written(
        tmp_path,
        {
            "cli/main.py": "from undersigned import evidence\n"
            "from undersigned.evidence.log import x",
            "evidence/log.py": "import json\nfrom undersigned.evidence import tree",
            "evidence/tree.py": "x = 'import undersigned.cli'  # from undersigned.cli import main",
            "incidents/report.py": "from undersigned.assurance import duties",
            "assurance/duties.py": "",
        },
    )
    assert floor_violations(all_imports(package)) == []


def test_cycle_finder__planted_cycle__is_named(tmp_path: Path) -> None:
    package = written(
        tmp_path,
        {
            "core/a.py": "from undersigned.core import b",
            "core/b.py": "def f():\n    from undersigned.core.c import x",
            "core/c.py": "from .a import y",
        },
    )
    cycle = find_cycle(module_edges(all_imports(package)))
    assert cycle == [f"undersigned.core.{name}" for name in ("a", "b", "c", "a")]
    assert find_cycle({"a": ["b", "c"], "b": ["c"]}) == []


def test_root_package__import__brings_in_nothing_else() -> None:
    program = (
        "import sys; before = set(sys.modules); import undersigned; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['undersigned']"
