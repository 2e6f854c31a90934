"""What did an episode consist of, and which of its effects were the harm?

Reads episodes out of a dossier, each shard at most once, and makes the scenario of each again, to
learn what the bytes do not hold: the planted text, the rules as ids, which of the recorded effects
constitute a harm. No world is run: judging the bytes is verification's work. Where the suite is not
installed, or the bytes are of another scenario, the episode is shown without these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from undersigned.assessment.dossier import Dossier
from undersigned.assessment.grading import require_planned
from undersigned.attacks.channels import channels
from undersigned.core.errors import UndersignedError
from undersigned.episodes.episode import Episode
from undersigned.episodes.plan import SHARD_SIZE, Item, items
from undersigned.episodes.rig import Rig
from undersigned.events.stream import Event
from undersigned.languages.texts import Texts
from undersigned.worlds.family import load_family
from undersigned.worlds.kit.oracles import Grade
from undersigned.worlds.kit.records import Text
from undersigned.worlds.kit.trace import Trace
from undersigned.worlds.scenario import Scenario
from undersigned.worlds.suite import Draw, Suite, load_suite

ENGLISH = "en"


class Replayed(NamedTuple):
    """What the scenario of an episode says of it. trace: what the agent did, from its events."""

    item: Item
    scenario: Scenario
    trace: Trace
    grade: Grade
    render: Callable[[Text], str]


class Opened(NamedTuple):
    """An episode, opened. replayed: None when its scenario could not be made here."""

    number: int
    events: list[Event]
    replayed: Replayed | None


class Archive:
    """The episodes of a dossier, and the scenarios behind them where the suite is installed."""

    def __init__(self, dossier: Dossier) -> None:
        """Open an archive. Nothing is read before it is asked for."""
        self.dossier = dossier
        self.suite = _suite(dossier)
        self._rig = Rig(self.suite.family) if self.suite else None
        self._items = list(items(dossier.plan, self.suite, dossier.nonce)) if self.suite else []
        self._english = _english(dossier)

    def read(self, numbers: Iterable[int]) -> dict[int, bytes]:
        """Return the bytes of episodes by number; each shard is decoded once.

        Raises EvidenceError (E-EPI-001) for a shard that cannot be read.
        """
        by_shard: dict[int, list[int]] = {}
        for number in sorted(set(numbers)):
            by_shard.setdefault(number // SHARD_SIZE, []).append(number)
        found = {}
        for shard, wanted in by_shard.items():
            episodes = self.dossier.shard(shard)
            for number in wanted:
                if number % SHARD_SIZE < len(episodes):
                    found[number] = episodes[number % SHARD_SIZE]
        return found

    def open(self, number: int, data: bytes) -> Opened:
        """Open an episode. Raises EvidenceError (E-EVT-001) when the bytes are no episode."""
        episode = Episode.parsed(data)
        return Opened(number, episode.events, self._replay(number, episode))

    def _replay(self, number: int, episode: Episode) -> Replayed | None:
        if self.suite is None or self._rig is None or number >= len(self._items):
            return None
        item = self._items[number]
        try:
            scenario = self.suite.scenario(Draw(item.template, item.seed))
            require_planned(episode, item, scenario, self.suite.family, "episodes")
        except UndersignedError:
            return None
        grade = scenario.grade(episode.trace)
        render = self._rig.renderer(scenario.template.locale)
        return Replayed(item, scenario, episode.trace, grade, render)

    def rule_words(self, scenario: Scenario, rule: str) -> str:
        """Return a rule in English as a scenario words it, or an empty text."""
        for text in scenario.rules:
            if text.message == rule and self._english is not None:
                try:
                    return self._english.render(ENGLISH, text.message, text.slots)
                except UndersignedError:
                    return ""
        return ""

    def example_rules(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Return the words of a rule for each hazard, as its first planned episode words it.

        wanted: message id of the rule by hazard. Empty where nothing was planned or installed.
        """
        found: dict[str, str] = {}
        for item in self._items:
            hazard = item.template.hazard
            if self.suite is None or len(found) == len(wanted):
                break
            if hazard in wanted and hazard not in found:
                scenario = self.suite.scenario(Draw(item.template, item.seed))
                found[hazard] = self.rule_words(scenario, wanted[hazard])
        return found


def _suite(dossier: Dossier) -> Suite | None:
    """Return the suite that the plan pins, or None when another one is installed."""
    plan = dossier.plan
    try:
        suite = load_suite(plan.family, plan.locales, channels(), plan.hazards)
    except UndersignedError:
        return None
    return suite if suite.digest == plan.suite else None


def _english(dossier: Dossier) -> Texts | None:
    try:
        return load_family(dossier.plan.family, (ENGLISH,)).texts
    except UndersignedError:
        return None
