"""Do the docs say what the software does?

Generated pages are compared with what the sources give now; commands and error codes that a page
names must exist. ``python -m scripts.make_docs`` writes the generated pages anew.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from scripts.floors import PACKAGE, ROOT
from scripts.make_docs import GENERATED, pins_text, walk_commands
from undersigned.cli.explain import Listed, collect_problems, problem_modules
from undersigned.cli.main import SECTIONS, undersigned
from undersigned.cli.output import EXIT_CODES
from undersigned.cli.verbs import list_verbs, load_verb
from undersigned.core.errors import Problem

CODE = re.compile(r"E-[A-Z]{3}-\d{3}")

PREFIXES = {
    "core": "COR",
    "evidence": "EVD",
    "events": "EVT",
    "languages": "LNG",
    "worlds": "WLD",
    "controls": "CTL",
    "attacks": "ATK",
    "agents": "AGT",
    "episodes": "EPI",
    "scoring": "SCO",
    "assessment": "ASM",
    "views": "VIW",
    "cli": "CLI",
}
"""The letters of each package's error codes."""

WRITTEN_BY_HAND = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def pages() -> Iterator[Path]:
    yield from (ROOT / name for name in WRITTEN_BY_HAND if (ROOT / name).is_file())
    yield from sorted((ROOT / "docs").rglob("*.md"))


def commands_in(text: str) -> list[str]:
    """Return the command lines that start with ``undersigned``, in code blocks and code spans."""
    blocks = re.findall(r"```[^\n]*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`(undersigned [^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found = (
        re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?(undersigned [A-Za-z-].*)", line) for line in lines
    )
    return [*(match[1] for match in found if match), *spans]


def fault_of(line: str) -> str:
    """Return what is wrong with a command line: a verb or an option that is not there; or ""."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = undersigned
    # WHY the settings: what an option for help is called is worked out once for each command.
    ctx = click.Context(command, **command.context_settings)
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(ctx, words[0])
        if found is None:
            # A word in capitals stands for any verb, as in `undersigned VERB --help`.
            return "" if words[0].isupper() else f"{line!r}: there is no {words[0]!r}"
        command, ctx, words = found, click.Context(found, parent=ctx), words[1:]
    known = {
        name for each in command.get_params(ctx) for name in (*each.opts, *each.secondary_opts)
    }
    given = [word.partition("=")[0] for word in words if word.startswith("--")]
    unknown = [word for word in given if word not in known | {"--help", "--version", "--"}]
    return f"{line!r}: there is no {unknown[0]!r}" if unknown else ""


@pytest.mark.parametrize("name", GENERATED)
def test_generated_file__sources__say_the_same(name: str) -> None:
    path = ROOT / name
    assert path.is_file(), "run: python -m scripts.make_docs"
    assert path.read_text(encoding="utf-8") == GENERATED[name](), "run: python -m scripts.make_docs"


def test_problems__all_modules__have_unique_well_formed_codes() -> None:
    listed = collect_problems()
    counts = Counter(each.problem.code for each in listed)
    faults = [f"{code} is used {n} times" for code, n in counts.items() if n > 1]
    for problem, module in listed:
        package = module.split(".")[1]
        if not CODE.fullmatch(problem.code) or PREFIXES.get(package) != problem.code[2:5]:
            faults.append(f"{problem.code} in {module}: not E-{PREFIXES.get(package)}-nnn")
        faults += [
            f"{problem.code}: its {name} is empty"
            for name, text in problem._asdict().items()
            if not text.strip()
        ]
    assert not faults, "\n".join(faults)


def test_problems__every_constant__is_listed_in_all() -> None:
    from importlib import import_module

    faults = []
    for name in problem_modules(PACKAGE, "undersigned"):
        module = import_module(name)
        defined = {n: v for n, v in vars(module).items() if isinstance(v, Problem)}
        faults += [f"{name}.{n} is not in ALL" for n, v in defined.items() if v not in module.ALL]
    assert not faults, "\n".join(faults)


def test_errors_page__every_code__has_a_heading() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (\S+)$", text, re.MULTILINE))
    assert headings == {each.problem.code for each in collect_problems()}


def test_cli_page__every_verb_and_sub_verb__has_a_heading() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^#{2,} (undersigned .+)$", text, re.MULTILINE))
    assert headings == {ctx.command_path for ctx in walk_commands(undersigned)}
    assert {f"undersigned {name}" for name in list_verbs()} <= headings


def test_cli_page__every_exit_code__is_named() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert all(f"| {code} | {meaning} |" in text for code, meaning in EXIT_CODES.items())


def test_pages__commands_that_they_show__exist() -> None:
    faults = [
        f"{page.relative_to(ROOT)}: {fault}"
        for page in pages()
        for line in commands_in(page.read_text(encoding="utf-8"))
        if (fault := fault_of(line))
    ]
    assert not faults, "\n".join(faults)


def test_pages__error_codes_that_they_name__exist() -> None:
    known = {each.problem.code for each in collect_problems()}
    faults = [
        f"{page.relative_to(ROOT)}: {code}"
        for page in pages()
        for code in CODE.findall(page.read_text(encoding="utf-8"))
        if code not in known
    ]
    assert not faults, "\n".join(faults)


def test_pages__links_to_files__lead_somewhere() -> None:
    faults = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not faults, "\n".join(faults)


def test_remedies_and_examples__commands_that_they_name__exist() -> None:
    lines = [line for verb in list_verbs().values() for line in verb.examples]
    for problem, _ in collect_problems():
        lines += [
            found.rstrip(" .,;)")
            for found in re.findall(r"undersigned [a-z-][^,;()]*", f"{problem.remedy}")
        ]
    faults = [fault for line in lines if (fault := fault_of(line))]
    assert not faults, "\n".join(faults)


def test_verbs__every_one__is_summed_up_and_takes_json() -> None:
    faults = [
        f"{verb.name}: its first docstring line must be a sentence of at most 70 characters"
        for verb in list_verbs().values()
        if not 10 <= len(verb.summary) <= 70
    ]
    for ctx in walk_commands(undersigned):
        options = {name for each in ctx.command.params for name in each.opts}
        if not isinstance(ctx.command, click.Group) and "--json" not in options:
            faults.append(f"{ctx.command_path}: has no --json")
    assert not faults, "\n".join(faults)
    assert len({name for _, names in SECTIONS for name in names}) == sum(
        len(names) for _, names in SECTIONS
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("undersigned explain E-COR-001 --json", ""),
        ("undersigned VERB --help", ""),
        ("undersigned dokter", "there is no 'dokter'"),
        ("undersigned doctor --colour=on", "there is no '--colour'"),
    ],
)
def test_command_checker__planted_line__is_judged(line: str, fault: str) -> None:
    assert commands_in(f"Run `{line}` now.") == [line]
    assert commands_in(f"```sh\n$ {line}\n```") == [line]
    assert fault in fault_of(line)
    assert bool(fault) == bool(fault_of(line))


def test_pins__requirements_text__names_each_package_once() -> None:
    text = (
        "a-b==1.2 \\\n    --hash=sha256:00\nc==3 ; python_version < '4' \\\n    --hash=sha256:01\n"
    )
    assert pins_text(text) == '{\n "a-b": "1.2",\n "c": "3"\n}\n'


def test_loaded_verbs__each__bears_its_name() -> None:
    assert [load_verb(name).name for name in list_verbs()] == list(list_verbs())
    assert isinstance(collect_problems()[0], Listed)
