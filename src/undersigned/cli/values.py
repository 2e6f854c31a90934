"""Which words may stand here? For the shell, when a user asks it to complete a value.

Each ``complete_`` function is a ``shell_complete`` callback of click, for an option or argument
whose values are a closed set. What cannot be listed in a fraction of a second is not offered.

Invariants:
- A verb that names a callback imports nothing of what the callback lists; only asking does.
- Only words that start with what was typed are offered, each with what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem


def complete_budget(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Offer the named budgets."""
    from undersigned.scoring.sizes import BUDGETS

    return offered(((name, f"{count} episodes") for name, count in BUDGETS.items()), typed)


def complete_locale(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Offer the shipped locales."""
    from undersigned.languages.locales import LOCALES

    return offered(((each.tag, each.name) for each in LOCALES.values()), typed)


def complete_family(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Offer the families, each of which is a suite."""
    from undersigned.worlds.family import family_names

    return offered(((name, "") for name in family_names()), typed)


def complete_hazard(
    ctx: click.Context, _: click.Parameter, typed: str
) -> list[CompletionItem[str]]:
    """Offer the hazards of the suite that was named, of every family when none was."""
    from undersigned.worlds.family import family_names, load_family

    chosen = ctx.params.get("suite")
    families = [name for name in family_names() if chosen in (None, name)]
    hazards = (each for name in families for each in load_family(name, ("en",)).hazards.values())
    return offered(((each.name, each.summary) for each in hazards), typed)


def complete_agent(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Offer the reference agents; other parameters than those listed may be typed."""
    from undersigned.agents.roster import roster

    return offered(((each.name, each.summary) for each in roster().values()), typed)


def complete_role(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Offer the roles of keys."""
    from undersigned.evidence.keys import ROLES

    return offered(((role, "") for role in ROLES), typed)


def offered(words: Iterable[tuple[str, str]], typed: str) -> list[CompletionItem[str]]:
    """Return what the shell may offer. words: with their meanings, which may be empty."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(word, help=meaning or None)
        for word, meaning in words
        if word.startswith(typed)
    ]
