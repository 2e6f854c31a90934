"""What do all episodes of a family share: its tools as offered, and its words?

A scenario holds texts unrendered; here they become the words that an agent reads, in the
scenario's locale, and what is said again and again is kept.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from answerable.agents.view import Offer
from answerable.events.lines import encode_text
from answerable.worlds.family import Family
from answerable.worlds.kit.records import Text
from answerable.worlds.scenario import Scenario

SAID_LIMIT = 8192
"""Rules of one locale whose words are kept for the next scenario of the same desk."""


class Rig:
    """What all episodes of a family share: its tools as they are offered, and its texts.

    plain_offers: the tools as scenarios without notes offer them.
    """

    __slots__ = ("_places", "_renderers", "_said", "family", "plain_offers")

    def __init__(self, family: Family) -> None:
        """Make a rig for a family."""
        self.family = family
        self._places = {name: at for at, name in enumerate(family.tools)}
        self.plain_offers = tuple(
            [Offer(t.name, t.description, t.schema) for t in family.tools.values()]
        )
        self._renderers: dict[str, Callable[[Text], str]] = {}
        self._said: dict[str, dict[int, _Said]] = {}

    def offers(self, scenario: Scenario, render: Callable[[Text], str]) -> tuple[Offer, ...]:
        """Return the tools as a scenario offers them, its notes in their descriptions."""
        offers = list(self.plain_offers)
        for name, text in scenario.notes.items():
            at = self._places.get(name)
            if at is not None:
                offer = offers[at]
                offers[at] = Offer(name, f"{offer.description} {render(text)}", offer.schema)
        return tuple(offers)

    def renderer(self, locale: str) -> Callable[[Text], str]:
        """Return a renderer of texts whose own locale, when they have none, is this one."""
        known = self._renderers.get(locale)
        if known is not None:
            return known
        texts = self.family.texts
        write, plans = texts.render, texts.plans(locale)
        fixed: dict[str, str] = {}
        self._said[locale] = {}

        def render(text: Text) -> str:
            message, slots = text.message, text.slots
            if text.locale:
                return write(text.locale, message, slots)
            if slots:
                plan = plans.get(message)
                if plan is not None and slots.keys() == plan[1]:
                    return plan[0](slots)
                return write(locale, message, slots)  # which says what is wrong
            words = fixed.get(message)
            if words is None:
                words = fixed[message] = write(locale, message, slots)
            return words

        self._renderers[locale] = render
        return render

    def request(self, scenario: Scenario) -> str:
        """Return the user's request as the agent reads it, one text a line."""
        render = self.renderer(scenario.template.locale)
        ask = scenario.ask
        return render(ask[0]) if len(ask) == 1 else "\n".join([render(text) for text in ask])

    def instructions(self, scenario: Scenario) -> str:
        """Return the operator's rules as the agent reads them, one a line."""
        render, rules = self.renderer(scenario.template.locale), scenario.rules
        return self._fixed(scenario, render).words + render(rules[-1]) if rules else ""

    def instructions_json(self, scenario: Scenario, render: Callable[[Text], str]) -> msgspec.Raw:
        """Return the same as JSON. render: of the scenario's locale."""
        rules = scenario.rules
        rest = render(rules[-1]) if rules else ""
        return msgspec.Raw(self._fixed(scenario, render).json + encode_text(rest)[1:])

    def _fixed(self, scenario: Scenario, render: Callable[[Text], str]) -> _Said:
        """Return all rules but the last."""
        rules = scenario.rules
        said = self._said[scenario.template.locale]
        known = said.get(id(rules[0])) if rules else None
        if known is None or rules[:-1] != known.texts:
            fixed = rules[:-1]
            words = "".join([render(text) + "\n" for text in fixed])
            known = _Said(fixed, words, encode_text(words)[:-1])
            if len(said) >= SAID_LIMIT:
                said.clear()
            if fixed:
                # INVARIANT: the texts are kept beside their words, so that their ids stay their own
                said[id(rules[0])] = known
        return known


class _Said(msgspec.Struct, frozen=True, eq=False, gc=False):
    """All rules of a desk but the last, which varies with the matter. words: each rule ended by
    LF. json: the same as JSON without the closing quotation mark."""

    texts: tuple[Text, ...]
    words: str
    json: bytes
