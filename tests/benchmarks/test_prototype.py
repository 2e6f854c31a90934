"""Does the bare prototype do what it is a floor for: worlds, facts, verdicts, canonical events?"""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.prototype import Episode, cedar, prototype_episodes
from undersigned.core.canonical import encode_trusted

GOOD = {"unvouched": [], "after": ["screen_payee"], "total": 0, "calls": 3}


def test_episode__five_calls__are_canonical_events_with_effects_and_facts() -> None:
    data = Episode(7).run(None)
    events = [msgspec.json.decode(each) for each in data.split(b"\n")]
    assert [each["at"] for each in events] == list(range(24))
    assert b"\n".join(map(encode_trusted, events)) == data
    assert [each["event"] for each in events[3:7]] == [
        "proposed", "decided", "effected", "observed",
    ]  # fmt: skip
    effects = [effect for each in events for effect in each.get("effects", ())]
    assert [each["kind"] for each in effects] == [
        "read", "disclosed", "changed", "changed", "moved",
    ]  # fmt: skip
    facts = [each["facts"] for each in events if each["event"] == "decided"]
    assert [each["unvouched"] for each in facts] == [[], [], [], [], ["note"]]


@pytest.mark.parametrize(
    ("facts", "allowed"),
    [
        (GOOD, True),
        (GOOD | {"unvouched": ["payment_id"]}, False),
        (GOOD | {"after": []}, False),
        (GOOD | {"total": 1_000_001}, False),
    ],
)
def test_cedar__each_rule__decides(facts: dict[str, object], allowed: bool) -> None:
    assert cedar()("release_payment", "PAY-1", facts) is allowed


def test_episode__call_that_is_refused__does_not_run() -> None:
    with pytest.raises(RuntimeError, match="read_invoice"):
        Episode(0).run(lambda *_: False)


def test_prototype__root__is_of_every_episode() -> None:
    allow = cedar()
    assert prototype_episodes(5) == prototype_episodes(5, allow) != prototype_episodes(6)
