"""What can a trust file, as it stands, not show, and what in it does not count?

For people who have just written or changed one. Takes no rule away and adds none: everything here
is allowed, and each sentence says in plain words what it costs.
"""

from __future__ import annotations

import datetime
from difflib import get_close_matches

from undersigned.evidence.statements import PREDICATES
from undersigned.evidence.trust import Trust
from undersigned.evidence.trusting import contradictions, counting_at, held_checkpoints

_SHOWN = 3
"""Names that a sentence lists before it counts the rest."""

_BOTH = {
    ("tester", "log"): (
        "tester and log in one party. The log is the tester's own: it cannot change what a "
        "checkpoint that you hold covers, but it could show others another history."
    ),
    ("tester", "provider"): (
        "tester and provider in one party. Turns marked relayed would be the tester's word."
    ),
    ("tester", "owner"): (
        "tester and owner in one party. It tests the system that it answers for."
    ),
}
"""Roles that one party may hold both, and what that means."""


def caveats(trust: Trust, today: datetime.date) -> list[str]:
    """Return what the file as it stands cannot show or will not count, a sentence or two each.

    today: for keys that have ended or not begun.
    """
    if not trust.keys:
        nobody = "No key: this file believes nobody, so nothing can be verified with it."
        return [nobody, *_about_predicates(trust)]
    return [
        *_about_roles(trust),
        *_about_keys(trust, today),
        *_about_predicates(trust),
        *_about_thresholds(trust),
        *_about_logs(trust),
    ]


def _about_roles(trust: Trust) -> list[str]:
    held: dict[str, set[str]] = {}
    for key in trust.keys:
        held.setdefault(key.party, set()).update(key.roles)
    said = []
    for pair, meaning in _BOTH.items():
        both = [party for party, roles in held.items() if roles.issuperset(pair)]
        said += [f"{_listed(both)}: {meaning}"] if both else []
    roles = set[str]().union(*held.values())
    if "tester" not in roles:
        said.append("No tester's key: no dossier can be verified with this file.")
    if "log" not in roles:
        said.append("No log's key: no log, and so no dossier, can be verified with this file.")
    if "witness" not in roles:
        said.append(
            "No witness: a log could show you one history and others another. You would notice "
            "only by comparing checkpoints with them."
        )
    return said


def _about_keys(trust: Trust, today: datetime.date) -> list[str]:
    day = today.isoformat()
    ended = [key.name for key in trust.keys if key.not_after is not None and key.not_after < day]
    early = [key.name for key in trust.keys if key.not_before is not None and key.not_before > day]
    mute = [key.name for key in trust.keys if "tester" in key.roles and not key.predicates]
    said = []
    if ended:
        said.append(
            f"Ended: {_listed(ended)}. What it signs from now on does not count; ask its party for "
            "its present key."
        )
    if early:
        said.append(f"Not valid yet: {_listed(early)}.")
    if mute:
        said.append(f"A tester's key that may sign no predicate: {_listed(mute)}.")
    return said


def _about_predicates(trust: Trust) -> list[str]:
    said = []
    named = {name for key in trust.keys for name in key.predicates} | trust.thresholds.keys()
    for name in sorted(named - set(PREDICATES)):
        near = get_close_matches(name, PREDICATES, n=1)
        hint = f"; did you mean {near[0]}?" if near else f". There are: {', '.join(PREDICATES)}."
        said.append(f"Nothing is called {name} among the predicates of this version{hint}")
    return said


def _about_thresholds(trust: Trust) -> list[str]:
    said = []
    for predicate, count in trust.thresholds.items():
        parties = {key.party for key in trust.keys if predicate in key.predicates}
        if len(parties) < count:
            said.append(
                f"{predicate} needs {count} parties and {len(parties)} may sign it: none can pass."
            )
    return said


def _about_logs(trust: Trust) -> list[str]:
    origins = {origin for key in trust.keys if "log" in key.roles for origin in key.origins}
    held = held_checkpoints(trust)
    said = [
        f"The log {one.origin} has signed two states of size {one.size}. Keep this file: it "
        "holds the proof."
        for one, _ in contradictions(trust)
    ]
    for _, point in held:
        if not counting_at(trust, point.size).verifiers(point.origin):
            said.append(
                f"The checkpoint of {point.origin} at size {point.size} was signed by a key that "
                "is revoked at an earlier position; it no longer counts."
            )
    unseen = sorted(origins - {point.origin for _, point in held})
    if unseen:
        said.append(
            f"No checkpoint is held of {_listed(unseen)}: a history that was rewritten before you "
            "first look would go unnoticed."
        )
    return said


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
