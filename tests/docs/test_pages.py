"""Do the hand-written pages say what the code does?

Python blocks of a page are one file, which is run beside the page's Fluent blocks; tables between
``table`` comments are made from the code. ``python tests/docs/test_pages.py`` writes the tables.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import pytest

from undersigned.agents.chat_settings import KEY_PREFIX, ChatSettings
from undersigned.agents.declarations import When
from undersigned.agents.roster import roster
from undersigned.assessment.card import (
    METRICS,
    AgentSource,
    Card,
    ClaimWish,
    ControlsWish,
    Owner,
    ReferenceEndpoint,
    load_card,
)
from undersigned.assessment.governance import FAMILY, ControlFiles, family_policy, open_controls
from undersigned.assessment.probing import probe
from undersigned.attacks.channels import channels
from undersigned.attacks.strategies import strategies
from undersigned.controls.envelope import Verdict
from undersigned.evidence import verify
from undersigned.evidence.entries import ENTRY_LIMIT
from undersigned.evidence.trust import Key, Trust, parse_trust
from undersigned.languages.locales import LOCALES
from undersigned.languages.transforms import TRANSFORMS
from undersigned.scoring.binomial import zero_failure_n
from undersigned.scoring.budgets import design
from undersigned.scoring.figures import PLACES
from undersigned.scoring.outcomes import INVALID_REASONS
from undersigned.scoring.sizes import BUDGETS
from undersigned.scoring.summary import ZERO_LIMITS
from undersigned.scoring.verdicts import INVALID_PERCENT
from undersigned.worlds.kit.variants import VARIANTS
from undersigned.worlds.scenario import assemble
from undersigned.worlds.suite import Suite, load_suite

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"<!-- table: (\w+) -->\n(.*?)<!-- /table -->", re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [code for kind, code in BLOCK.findall(page.read_text("utf-8")) if kind == language]


def payments() -> Suite:
    return load_suite("payments", tuple(LOCALES), channels())


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n".replace("|---", "|---") for line in lines)


def hazards() -> str:
    return table(
        ("hazard", "kind", "what happens", "channels", "ASI", "ATLAS", "measure"),
        (
            (f"`{h.name}`", h.kind, h.summary, ", ".join(h.channels) or "none", h.asi or "-",
             h.atlas or "-", h.measure or "-")
            for h in payments().family.hazards.values()
        ),
    )  # fmt: skip


def condition(when: When) -> str:
    parts = [
        *(f"{', '.join(values)}" for values in (when.kinds, when.hazards) if values),
        *([f"in {', '.join(when.locales)}"] if when.locales else []),
        *([f"by {', '.join(when.channels)}"] if when.channels else []),
        *([f"where it would call {' and '.join(when.tools)}"] if when.tools else []),
        *([f"where it would not call {', '.join(when.lacks)}"] if when.lacks else []),
    ]
    return " ".join(parts) or "always"


def conditions(all_: Iterable[When], per_cent: int = 100) -> str:
    said = "; ".join(condition(when) for when in all_) or "never"
    return said if per_cent == 100 else f"{per_cent} % of: {said}"


def agents() -> str:
    return table(
        ("agent", "does", "declares unsafe", "declares not useful"),
        (
            (f"`{a.name}`", a.summary,
             conditions(a.declaration.unsafe, a.declaration.per_cent),
             conditions(a.declaration.useless, a.declaration.per_cent))
            for a in roster().values()
        ),
    )  # fmt: skip


def locales() -> str:
    return table(
        ("tag", "name", "in itself", "script"),
        ((f"`{each.tag}`", each.name, each.endonym, each.script) for each in LOCALES.values()),
    )


def transforms() -> str:
    return table(
        ("transform", "can be undone"),
        ((f"`{each.name}`", "no" if each.lossy else "yes") for each in TRANSFORMS.values()),
    )


def checks() -> str:
    source = inspect.getsource(verify)
    lines = re.findall(r'\("(\w+)", self\._\w+, "([^"]+)"\)', source)
    return table(("line", "it says"), ((n, what) for n, (_, what) in enumerate(lines, 1)))


def limits() -> str:
    return table(
        ("code", "what", "why", "what would settle it"),
        (
            (f"`E-EVD-{number}`", *texts)
            for number, texts in sorted(verify.CODES.items())
            if number >= 180
        ),
    )


def budgets() -> str:
    rows = []
    for name in BUDGETS:
        made = design(payments().strata, name)
        powers = [f"{level.power or '-'}{' *' * level.reached}" for level in made.levels]
        rows.append((name, made.episodes, made.main, made.twins, made.parallel, *powers))
    head = ("budget", "episodes", "main", "twins", "parallels")
    levels = tuple(f"power, {level}" for level in ("suite", "hazard", "locale", "cell"))
    return (
        table((*head, *levels), rows)
        + "\nPower is of the weakest claim of a level; `*`: reached.\n"
    )


def zero() -> str:
    return table(
        ("limit", "episodes without harm"),
        ((limit, zero_failure_n(float(limit), 0.05)) for limit in ZERO_LIMITS),
    )


def invalid() -> str:
    from undersigned.scoring import outcomes

    notes = dict(
        re.findall(r'^    "([\w-]+)",  # (.+)$', inspect.getsource(outcomes), re.MULTILINE)
    )
    return table(("reason", "is"), ((f"`{name}`", notes[name]) for name in INVALID_REASONS))


@lru_cache(maxsize=1)
def evasions() -> str:
    suite = load_suite("payments", ("en", "th", "zh-Hans"), channels())
    given = ControlFiles(family_policy(suite.family))
    controls = open_controls(ControlsWish(FAMILY), given, suite.family)
    assert controls is not None
    rows = asyncio.run(probe(controls, suite, strategies().values()))
    return table(
        ("strategy", "it", "harm without", "with the policy", "what was wanted"),
        (
            (
                f"`{row.strategy}`",
                row.summary,
                f"{row.harmed_ungoverned} of {row.episodes}",
                row.harmed_governed,
                row.aimed_governed,
            )
            for row in rows
        ),
    )


TABLES: Mapping[str, Callable[[], str]] = {
    "hazards": hazards, "roster": agents, "locales": locales, "transforms": transforms,
    "checks": checks, "limits": limits, "budgets": budgets, "zero": zero, "invalid": invalid,
    "evasions": evasions,
}  # fmt: skip


def with_tables(text: str) -> str:
    """Return a page with its tables as the code gives them now."""
    return TABLE.sub(lambda m: f"<!-- table: {m[1]} -->\n{TABLES[m[1]]()}<!-- /table -->", text)


def run_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[path.stem]
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page__its_tables__are_what_the_code_gives(page: Path) -> None:
    text = page.read_text("utf-8")
    assert with_tables(text) == text, "run: python tests/docs/test_pages.py"


def test_pages__every_table__stands_on_one() -> None:
    found = [name for page in PAGES for name, _ in TABLE.findall(page.read_text("utf-8"))]
    assert sorted(found) == sorted(TABLES)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem
)
def test_page__its_python__runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for text in blocks(page, "fluent"):
        path = tmp_path / text.split("\n", 1)[0].removeprefix("# ")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    path = tmp_path / f"page_{page.stem}.py"
    path.write_text("\n\n".join(blocks(page, "python")), "utf-8")
    run_file(path)


def test_families_page__its_hazard_made_unfair__is_refused(tmp_path: Path) -> None:
    """The page's last assertion can fail: an attack that does nothing is not admitted."""
    page = DOCS / "families.md"
    for text in blocks(page, "fluent"):
        path = tmp_path / text.split("\n", 1)[0].removeprefix("# ")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    code = "\n\n".join(blocks(page, "python"))
    honest = code.replace("task.honest.but(ship_parcel, address=elsewhere)", "task.honest")
    assert honest != code
    path = tmp_path / "unfair.py"
    path.write_text(honest, "utf-8")
    with pytest.raises(AssertionError):
        run_file(path)


def test_families_page__the_channel_it_shows__is_the_shipped_one() -> None:
    source = (ROOT / "src/undersigned/attacks/channels/request.py").read_text("utf-8")
    shown = source[source.index("class RequestChannel") : source.index("CHANNEL =")].strip()
    shown = re.sub(r"  # noqa: \w+", "", shown)
    assert shown in (DOCS / "families.md").read_text("utf-8")


def test_agents_page__its_card__loads(tmp_path: Path) -> None:
    (text,) = blocks(DOCS / "agents.md", "yaml")
    path = tmp_path / "card.yaml"
    path.write_text(text, "utf-8")
    card = load_card(path)
    assert card.agent.chat is not None
    assert card.claim.metric in METRICS


@pytest.mark.parametrize(
    ("struct", "prefix"),
    [
        (Card, ""),
        (Owner, "owner."),
        (AgentSource, "agent."),
        (ReferenceEndpoint, "agent.endpoint."),
        (ClaimWish, "claim."),
        (ChatSettings, ""),
    ],
)
def test_agents_page__every_key_of_a_card__is_named(struct: type, prefix: str) -> None:
    text = (DOCS / "agents.md").read_text("utf-8")
    absent = [
        name
        for name in struct.__struct_fields__  # type: ignore[attr-defined]
        if f"`{prefix}{name}`" not in text and f"`{prefix}{name}." not in text
    ]
    assert not absent


def test_evidence_page__its_trust_file__is_usable_and_every_field_is_named() -> None:
    (text,) = blocks(DOCS / "evidence.md", "json")
    assert [key.party for key in parse_trust(text.encode()).keys] == ["self", "self"]
    page = (DOCS / "evidence.md").read_text("utf-8")
    fields = {*Key.__struct_fields__, *Trust.__struct_fields__} - {"schema", "keys"}
    assert not [name for name in fields if f"`{name}`" not in page]


def test_scoring_page__every_verdict__is_named() -> None:
    page = (DOCS / "scoring.md").read_text("utf-8")
    assert not [name for name in Verdict.__args__ if f"| `{name}` |" not in page]  # type: ignore[attr-defined]


def test_pages__numbers_in_prose__are_those_of_the_code() -> None:
    assert inspect.signature(assemble).parameters["fault_share"].default == 4
    assert len(VARIANTS) == 6
    assert ENTRY_LIMIT == 1024
    assert INVALID_PERCENT == 5
    assert PLACES == 6
    assert f"`{KEY_PREFIX}`" in (DOCS / "agents.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page__links_within_and_between_pages__lead_to_a_heading(page: Path) -> None:
    faults = []
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", page.read_text("utf-8")):
        other = (page.parent / target) if target else page
        headings = re.findall(r"^#+ (.+)$", other.read_text("utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
        if anchor not in slugs:
            faults.append(f"{target}#{anchor}")
    assert not faults


def test_index__every_page__is_listed() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    names = [page.name for page in DOCS.glob("*.md") if page.name != "README.md"]
    assert not [name for name in names if f"({name})" not in index]


def test_decisions__numbers__are_in_order_without_gaps() -> None:
    names = [page.name for page in sorted(DOCS.glob("decisions/*.md"))]
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for page in DOCS.glob("decisions/*.md"):
        text = page.read_text("utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. ")
        assert all(part in text for part in ("\nDate: ", "## Context", "## Decision", "## Consequ"))


if __name__ == "__main__":
    for each in PAGES:
        each.write_text(with_tables(each.read_text("utf-8")), "utf-8")
