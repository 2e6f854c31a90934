"""How is a trust file shown to people and programs?

Everything that others have named (origins) is made printable; names and parties are plain already.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from undersigned.core.errors import printable

if TYPE_CHECKING:
    from undersigned.evidence.trust import Key, Trust

WIDTH = 96
"""Columns of a wrapped sentence."""

_INDENT = 15


def wrapped(sentence: str) -> list[str]:
    """Return a sentence as lines of at most ``WIDTH`` columns; commands in it may be longer."""
    return textwrap.wrap(sentence, WIDTH, break_long_words=False, break_on_hyphens=False)


def caveat_lines(caveats: Sequence[str]) -> list[str]:
    """Return caveats as a list, each with a dash."""
    lines = ["mind"]
    for caveat in caveats:
        first, *rest = textwrap.wrap(
            caveat, WIDTH - 4, break_long_words=False, break_on_hyphens=False
        )
        lines += [f"  - {first}", *(f"    {line}" for line in rest)]
    return lines


def key_lines(key: Key) -> list[str]:
    """Return an entry: its name, then a line for each thing that it says."""
    from undersigned.evidence.trusting import fingerprint

    groups = fingerprint(key.public_bytes)
    rows = [("party", key.party), ("roles", ", ".join(key.roles))]
    if key.predicates or "tester" in key.roles:
        rows.append(("may sign", ", ".join(key.predicates) or "no predicate"))
    if key.origins:
        rows.append(("for logs", ", ".join(printable(origin) for origin in key.origins)))
    rows.append(("counts", _validity(key)))
    rows += [("fingerprint", f"SHA-256 {groups[:39]}"), ("", f"        {groups[40:]}")]
    return [key.name, *(f"  {label:{_INDENT - 2}}{value}" for label, value in rows)]


def key_data(key: Key) -> dict[str, object]:
    """Return an entry as data, with its fingerprint."""
    from undersigned.evidence.trusting import fingerprint

    return {
        "name": key.name,
        "party": key.party,
        "roles": key.roles,
        "predicates": key.predicates,
        "origins": key.origins,
        "not_before": key.not_before,
        "not_after": key.not_after,
        "revoked_at": key.revoked_at,
        "public": key.public,
        "fingerprint": fingerprint(key.public_bytes),
    }


def trust_lines(trust: Trust, caveats: Sequence[str]) -> list[str]:
    """Return a trust file: its keys, its rules, what it holds, what it cannot show."""
    from undersigned.evidence.trust import SEPARATE
    from undersigned.evidence.trusting import held_checkpoints

    parties = {key.party for key in trust.keys}
    keys = f"{_count(len(trust.keys), 'key')} of {_count(len(parties), 'party', 'parties')}"
    lines = [keys if trust.keys else "no key"]
    for key in trust.keys:
        lines += ["", *key_lines(key)]
    thresholds = [
        f"{predicate}: {_count(count, 'party', 'parties')}"
        for predicate, count in trust.thresholds.items()
    ]
    always = [f"{one} and {other}" for one, other in SEPARATE]
    own = [f"{one} and {other}" for one, other in trust.separate_roles]
    held = [
        f"{printable(point.origin)} at size {point.size}, root {point.root.hex()[:16]}..."
        for _, point in held_checkpoints(trust)
    ]
    rows = [
        ("must sign", ", ".join([*thresholds, f"{'else ' if thresholds else ''}one party"])),
        ("kept apart", f"{', '.join(always)} (always)"),
        *(("", f"{pair} (this file)") for pair in own),
        ("held", held[0] if held else "no checkpoint"),
        *(("", line) for line in held[1:]),
    ]
    lines += ["", *(f"{label:{_INDENT}}{value}" for label, value in rows)]
    return [*lines, "", *caveat_lines(caveats)] if caveats else lines


def trust_data(trust: Trust) -> dict[str, object]:
    """Return a trust file as data."""
    from undersigned.evidence.trusting import held_checkpoints

    return {
        "keys": [key_data(key) for key in trust.keys],
        "thresholds": trust.thresholds,
        "separate_roles": trust.separate_roles,
        "checkpoints": [
            {"origin": point.origin, "size": point.size, "root": point.root.hex()}
            for _, point in held_checkpoints(trust)
        ],
    }


def _validity(key: Key) -> str:
    first, last = key.not_before, key.not_after
    text = "always"
    if first and last:
        text = f"from {first} to {last}"
    elif first or last:
        text = f"from {first} on" if first else f"until {last}"
    if key.revoked_at is not None:
        until = f"only before log position {key.revoked_at} (REVOKED)"
        return until if text == "always" else f"{text}, {until}"
    return text


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
