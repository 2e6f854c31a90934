"""What do all episodes of a family share: its tools as offered, and its words?

A scenario holds texts unrendered; here they become the words that an agent reads, in the
scenario's locale, and what is said again and again is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec

from undersigned.agents.view import Offer, noted
from undersigned.events.lines import (
    Labels,
    Later,
    LaterLine,
    Line,
    ObservedLine,
    encode_text,
    labels_of,
)
from undersigned.events.stream import Label
from undersigned.worlds.family import Family
from undersigned.worlds.kit.records import Text
from undersigned.worlds.scenario import Scenario

OPERATOR = labels_of(Label("", "operator"))
USER = labels_of(Label("", "user"))

SAID_LIMIT = 8192
"""Rules of one locale whose words are kept for the next scenario of the same desk."""


class Rig:
    """What all episodes of a family share: its tools as they are offered, and its texts.

    plain_offers: the tools as scenarios without notes offer them.
    """

    __slots__ = ("_renderers", "_said", "family", "plain_offers")

    def __init__(self, family: Family) -> None:
        """Make a rig for a family."""
        self.family = family
        self.plain_offers = tuple(
            [Offer(t.name, t.description, t.schema) for t in family.tools.values()]
        )
        self._renderers: dict[str, Callable[[Text], str]] = {}
        self._said: dict[str, dict[int, Fixed]] = {}

    def offers(self, scenario: Scenario, render: Callable[[Text], str]) -> tuple[Offer, ...]:
        """Return the tools as a scenario offers them, its notes in their descriptions."""
        notes = scenario.notes
        return noted(self.plain_offers, notes, render) if notes else self.plain_offers

    def renderer(self, locale: str) -> Callable[[Text], str]:
        """Return a renderer of texts whose own locale, when they have none, is this one."""
        known = self._renderers.get(locale)
        if known is not None:
            return known
        texts = self.family.texts
        plans = {tag: texts.plans(tag) for tag in (locale, *texts.locales)}
        plans[""] = plans[locale]
        self._said[locale] = {}

        def render(text: Text) -> str:
            message, slots, tag = text.message, text.slots, text.locale
            if tag in plans:
                plan = plans[tag].get(message)
                if plan is not None and slots.keys() == plan[1]:
                    return plan[0](slots)
            return texts.render(tag or locale, message, slots)  # which says what is wrong

        self._renderers[locale] = render
        return render

    def shown_first(
        self, scenario: Scenario, rules: Rules, request: str, render: Callable[[Text], str]
    ) -> list[Line]:
        """Return what an agent is shown at the start, as lines from 1: rules, request, notes."""
        # WHY later: the rules are long, and what holds a hundred episodes should stay near at hand
        shown: list[Line] = [
            LaterLine(1, "", "observed", OPERATOR.json, Later(rules.json)),
            ObservedLine(2, "", "observed", USER.json, request),
        ]
        for at, (tool, text) in enumerate(scenario.notes.items(), 3):
            labels = _note_labels(tool).json
            shown.append(ObservedLine(at, "", "observed", labels, render(text)))
        return shown

    def request(self, scenario: Scenario) -> str:
        """Return the user's request as the agent reads it, one text a line."""
        render = self.renderer(scenario.template.locale)
        ask = scenario.ask
        return render(ask[0]) if len(ask) == 1 else "\n".join([render(text) for text in ask])

    def rules(self, scenario: Scenario) -> Rules:
        """Return the operator's rules of a scenario."""
        return Rules(self, scenario)

    def instructions(self, scenario: Scenario) -> str:
        """Return the operator's rules as the agent reads them, one a line."""
        return self.rules(scenario).words()

    def fixed(self, scenario: Scenario) -> Fixed:
        """Return all rules but the last."""
        rules, render = scenario.rules, self.renderer(scenario.template.locale)
        said = self._said[scenario.template.locale]
        known = said.get(id(rules[0])) if rules else None
        if known is None or rules[:-1] != known.texts:
            fixed = rules[:-1]
            words = "".join([render(text) + "\n" for text in fixed])
            known = Fixed(fixed, words, encode_text(words)[:-1])
            if len(said) >= SAID_LIMIT:
                said.clear()
            if fixed:
                # INVARIANT: the texts are kept beside their words, so that their ids stay their own
                said[id(rules[0])] = known
        return known


@lru_cache(maxsize=256)
def _note_labels(tool: str) -> Labels:
    """Return the labels of a text in the description of a tool."""
    return labels_of(Label(tool, "tool_metadata"))


class Rules:
    """The operator's rules in one scenario, put together when somebody reads them."""

    __slots__ = ("_rest", "_rig", "_scenario")

    def __init__(self, rig: Rig, scenario: Scenario) -> None:
        """Render nothing yet."""
        self._rig = rig
        self._scenario = scenario
        self._rest: str | None = None

    def words(self) -> str:
        """Return the rules as the agent reads them, one a line."""
        return self._rig.fixed(self._scenario).words + self._last()

    def json(self) -> msgspec.Raw:
        """Return the same as JSON."""
        return msgspec.Raw(self._rig.fixed(self._scenario).json + encode_text(self._last())[1:])

    def _last(self) -> str:
        """Return the last rule, which varies with the matter."""
        rest = self._rest
        if rest is None:
            rules = self._scenario.rules
            render = self._rig.renderer(self._scenario.template.locale)
            rest = self._rest = render(rules[-1]) if rules else ""
        return rest


class Fixed(msgspec.Struct, frozen=True, eq=False, gc=False):
    """All rules of a desk but the last, which varies with the matter. words: each rule ended by
    LF. json: the same as JSON without the closing quotation mark."""

    texts: tuple[Text, ...]
    words: str
    json: bytes
