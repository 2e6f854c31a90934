"""Do the sources keep the house rules that ruff and mypy cannot see?

Every rule is a function from a parsed module to findings; each has a planted offender that it
must report and a clean twin that it must not.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.floors import PACKAGE, ROOT, module_files

FILE_LINES = 400
FUNCTION_LINES = 80
WHY_LONG = "WHY this file is long"

BROAD_EXCEPT_ALLOWED = frozenset(
    {
        "cli/main.py",
        "controls/gate.py",
        "controls/stop.py",
        "episodes/engine.py",
        "episodes/episode.py",
        "episodes/written.py",
        "worlds/kit/stage.py",
    }
)
"""The program's top, an episode's boundary, and a tool's: the only places that catch everything.
A tool that raises what it should not is a fault of the instrument, whatever it raised."""

BANNED = re.compile(
    r"(?<![a-z])(manager|helpers?|utils?|engine2|smart|trust[ _]?score|compliance[ _]percentage)"
    r"(?![a-z])",
    re.IGNORECASE,
)
"""Words that say nothing, or claim too much."""

FOLDERS = ("src/undersigned", "scripts")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """A parsed source file."""

    name: str
    source: str
    tree: ast.Module


def parse(name: str, source: str) -> Module:
    return Module(name, source, ast.parse(source, filename=name))


@lru_cache(maxsize=1)
def modules() -> list[Module]:
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [
        parse(str(path.relative_to(ROOT)).removeprefix("src/undersigned/"), path.read_text("utf-8"))
        for path in paths
    ]


def functions(module: Module) -> Iterator[Function]:
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def is_overload(node: Function) -> bool:
    return any("overload" in ast.unparse(each) for each in node.decorator_list)


def long_files(module: Module) -> Iterator[str]:
    lines = len(module.source.splitlines())
    if lines > FILE_LINES and WHY_LONG not in (ast.get_docstring(module.tree) or ""):
        yield f":1 {lines} lines, at most {FILE_LINES} without '{WHY_LONG}' in its docstring"


def long_functions(module: Module) -> Iterator[str]:
    for node in functions(module):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            yield f":{node.lineno} {node.name} has {lines} lines, at most {FUNCTION_LINES}"


def broad_excepts(module: Module) -> Iterator[str]:
    if module.name in BROAD_EXCEPT_ALLOWED:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and not is_passed_on(node):
            caught = ast.unparse(node.type) if node.type else "everything"
            if caught == "everything" or re.search(r"\b(Base)?Exception\b", caught):
                yield f":{node.lineno} except {caught}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            broad = [arg for arg in node.args if ast.unparse(arg) in ("Exception", "BaseException")]
            yield from (f":{node.lineno} {ast.unparse(node)}" for _ in broad)


def is_passed_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler only cleans up: it ends in a bare ``raise`` and never leaves early."""
    last = handler.body[-1]
    leaves = any(
        isinstance(node, ast.Return | ast.Continue | ast.Break) for node in ast.walk(handler)
    )
    return isinstance(last, ast.Raise) and last.exc is None and not leaves


def missing_docstrings(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree):
        yield ":1 the module has no docstring"
    yield from _undocumented(module.tree, "")


def _undocumented(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        name = f"{prefix}{node.name}"
        skipped = isinstance(node, Function) and is_overload(node)
        if not skipped and not ast.get_docstring(node):
            yield f":{node.lineno} {name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node, f"{name}.")


def banned_names(module: Module) -> Iterator[str]:
    if found := BANNED.search(Path(module.name).stem):
        yield f"the file's name holds {found[0]!r}"
    for node in ast.walk(module.tree):
        for name in _names(node):
            # camelCase and snake_case alike are split, so a word inside another is no finding.
            words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).replace("_", " ")
            if found := BANNED.search(words):
                yield f":{getattr(node, 'lineno', 1)} {name} holds {found[0]!r}"


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, Function | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def missing_annotations(module: Module) -> Iterator[str]:
    for node in functions(module):
        every = node.args
        given = [*every.posonlyargs, *every.args, *every.kwonlyargs]
        given += [each for each in (every.vararg, every.kwarg) if each]
        bare = [each.arg for each in given if each.annotation is None]
        bare = [name for name in bare if name not in ("self", "cls", "mcs", "mcls")]
        if node.returns is None:
            bare.append("the result")
        if bare:
            yield f":{node.lineno} {node.name} does not annotate {', '.join(bare)}"


RULES: tuple[Callable[[Module], Iterator[str]], ...] = (
    long_files,
    long_functions,
    broad_excepts,
    missing_docstrings,
    banned_names,
    missing_annotations,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_style__every_source__keeps_the_rule(rule: Callable[[Module], Iterator[str]]) -> None:
    found = [f"{module.name}{finding}" for module in modules() for finding in rule(module)]
    assert not found, "\n".join([f"{rule.__name__}:", *found])


DOC = '"""Doc."""\n'
PLANTED = {
    long_files: (
        DOC + "x = 1\n" * 400,
        f'"""Doc.\n\n{WHY_LONG}: one table.\n"""\n' + "x = 1\n" * 400,
    ),
    long_functions: (
        DOC + "def f():\n" + "    x = 1\n" * 80,
        DOC + "def f():\n" + "    x = 1\n" * 79,
    ),
    broad_excepts: (
        "try:\n    f()\nexcept (ValueError, Exception):\n    pass",
        "try:\n    f()\nexcept ValueError:\n    pass",
    ),
    missing_docstrings: (
        DOC + "class A:\n    '''Doc.'''\n    def f(self): ...",
        DOC + "class A:\n    '''Doc.'''\n    def _f(self): ...",
    ),
    banned_names: ("class RunManager: pass", "class Managerial: pass\ncoutils = smarter = 1"),
    missing_annotations: ("def f(x, *, y: int) -> int: ...", "def f(self, x: int) -> int: ..."),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule__planted_offender_and_clean_twin__are_told_apart(
    rule: Callable[[Module], Iterator[str]],
) -> None:
    offender, clean = PLANTED[rule]
    assert len(list(rule(parse("planted.py", offender)))) == 1
    assert list(rule(parse("planted.py", clean))) == []


@pytest.mark.parametrize(
    "offence",
    [
        "try:\n    f()\nexcept:\n    pass",
        "try:\n    f()\nexcept BaseException:\n    pass",
        "with contextlib.suppress(Exception):\n    f()",
        "for x in y:\n    try:\n        g()\n    except Exception:\n        if x:\n            break\n        raise",  # noqa: E501
    ],
)
def test_broad_excepts__other_spellings__are_reported(offence: str) -> None:
    assert len(list(broad_excepts(parse("planted.py", offence)))) == 1


def test_broad_excepts__clean_up_that_raises_on__is_not_reported() -> None:
    clean = "try:\n    f()\nexcept BaseException:\n    g()\n    raise"
    assert list(broad_excepts(parse("planted.py", clean))) == []


GUARD = """
import builtins, importlib, io, os, sys

FORBIDDEN = {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system",
             "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.chmod"}
at_work = []

def watch(event, arguments):
    if not at_work:
        return
    if event == "open":
        path, mode, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        reads_data = isinstance(path, str) and path.endswith((".json", ".ftl", ".cedar", ".yaml"))
        ours = isinstance(path, str) and OURS in path
        if writes or (reads_data and ours):
            at_work[-1].append(f"opens {path}")
    elif event in FORBIDDEN:
        at_work[-1].append(f"{event} {arguments!r}")

sys.dont_write_bytecode = True
sys.addaudithook(watch)
OURS = sys.argv[1]
for name in sys.argv[2:]:
    found = []
    at_work.append(found)
    try:
        importlib.import_module(name)
    except Exception as error:
        found.append(f"cannot be imported: {error!r}")
    finally:
        at_work.pop()
    for each in found:
        print(f"{name}: {each}")
"""


def watched_imports(folder: Path, names: list[str], ours: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", GUARD, ours, *names],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return done.stdout


def test_import__every_module__opens_no_file_and_no_socket() -> None:
    found = watched_imports(PACKAGE.parent, list(module_files()), str(PACKAGE))
    assert not found, f"importing has effects:\n{found}"


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("open('made-at-import', 'w')", "opens"),
        ("import socket; socket.socket().bind(('127.0.0.1', 0))", "socket.bind"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import pathlib; (pathlib.Path(__file__).parent / 'x.json').read_text()", "opens"),
        ("import absent_module", "cannot be imported"),
        ("x = 1", ""),
    ],
)
def test_import_watch__planted_effect__is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, finding: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "planted.py").write_text(textwrap.dedent(source))
    (tmp_path / "x.json").write_text("{}")
    found = watched_imports(tmp_path, ["planted"], str(tmp_path))
    assert (finding in found) if finding else (found == "")
