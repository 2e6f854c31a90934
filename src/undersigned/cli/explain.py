"""Explain an error code and say what to do.

Example: undersigned explain E-COR-002

Codes come from every module called ``problems`` in the package, found by listing the folders.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

import undersigned
from undersigned.cli.output import emit, json_option
from undersigned.cli.problems import UNKNOWN_CODE
from undersigned.cli.values import offered
from undersigned.core.errors import Problem, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Listed(NamedTuple):
    """A problem and the module that lists it."""

    problem: Problem
    module: str

    def as_dict(self) -> dict[str, str]:
        """Return it as ``--json`` shows it."""
        return {**self.problem._asdict(), "module": self.module}


def problem_modules(folder: Path, package: str) -> Iterator[str]:
    """Yield the names of the modules called ``problems`` below a package, without importing."""
    for found in pkgutil.iter_modules([str(folder)]):
        if found.ispkg:
            yield from problem_modules(folder / found.name, f"{package}.{found.name}")
        elif found.name == "problems":
            yield f"{package}.problems"


def collect_problems() -> tuple[Listed, ...]:
    """Import every ``problems`` module and return what their ``ALL`` list, sorted by code."""
    folder = Path(undersigned.__file__).parent
    listed = (
        Listed(problem, name)
        for name in problem_modules(folder, undersigned.__name__)
        for problem in import_module(name).ALL
    )
    return tuple(sorted(listed, key=lambda each: each.problem.code))


def find_problem(code: str, listed: Iterable[Listed]) -> Listed:
    """Return the problem of a code, in any letter case.

    Raises UsageError (E-CLI-004), with the nearest code, when there is none.
    """
    by_code = {each.problem.code: each for each in listed}
    wanted = code.strip().upper()
    if wanted not in by_code:
        near = get_close_matches(wanted, by_code, n=1, cutoff=0.0)
        raise UsageError(UNKNOWN_CODE, code=code, nearest=near[0] if near else "none")
    return by_code[wanted]


def complete_code(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Offer the error codes, in any letter case."""
    problems = (each.problem for each in collect_problems())
    return offered(((each.code, each.title) for each in problems), typed.upper())


@click.command()
@click.argument("code", required=False, shell_complete=complete_code)
@json_option
def command(code: str | None, as_json: bool) -> int:
    """Explain an error code: what it means, why it matters, what to do.

    Without a code, list all of them.
    """
    listed = collect_problems()
    if code is None:
        text = "\n".join(f"{each.problem.code}  {each.problem.title}" for each in listed)
        return emit([each.as_dict() for each in listed], as_json=as_json, text=text)
    found = find_problem(code, listed)
    problem = found.problem
    text = (
        f"{problem.code}: {problem.title}\n"
        f"  why: {problem.why}\n  try: {problem.remedy}\n  listed in: {found.module}"
    )
    return emit(found.as_dict(), as_json=as_json, text=text)
