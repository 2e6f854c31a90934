"""What do all episodes of a family share: its tools as offered, and its words?

A scenario holds texts unrendered; here they become the words that an agent reads, in the
scenario's locale.
"""

from __future__ import annotations

from undersigned.agents.view import Offer, PrivilegedView, View
from undersigned.events.stream import Event, Label, Observed
from undersigned.worlds.family import Family
from undersigned.worlds.kit.records import Text
from undersigned.worlds.kit.stage import Render
from undersigned.worlds.scenario import Scenario

OPERATOR = (Label("", "operator"),)
USER = (Label("", "user"),)


class Rig:
    """What all episodes of a family share: its tools as they are offered, and its texts."""

    __slots__ = ("_offers", "_renderers", "family")

    def __init__(self, family: Family) -> None:
        """Make a rig for a family."""
        self.family = family
        self._offers = tuple(
            [Offer(t.name, t.description, t.schema) for t in family.tools.values()]
        )
        self._renderers: dict[str, Render] = {}

    def renderer(self, locale: str) -> Render:
        """Return a renderer of texts whose own locale, when they have none, is this one."""
        known = self._renderers.get(locale)
        if known is not None:
            return known
        texts = self.family.texts

        def render(text: Text) -> str:
            return texts.render(text.locale or locale, text.message, text.slots)

        self._renderers[locale] = render  # WHY kept: what is shown is kept by who rendered it
        return render

    def offers(self, scenario: Scenario) -> tuple[Offer, ...]:
        """Return the tools as a scenario offers them, its notes in their descriptions."""
        notes = scenario.notes
        if not notes:
            return self._offers
        render = self.renderer(scenario.template.locale)
        return tuple(
            [
                o._replace(description=f"{o.description} {render(notes[o.name])}")
                if o.name in notes
                else o
                for o in self._offers
            ]
        )

    def view(self, scenario: Scenario, *, is_privileged: bool = False) -> View:
        """Return what an agent sees at the start of an episode."""
        words = self.instructions(scenario), self.request(scenario), self.offers(scenario)
        if is_privileged:
            return PrivilegedView(*words, scenario, self.renderer(scenario.template.locale))
        return View(*words)

    def request(self, scenario: Scenario) -> str:
        """Return the user's request as the agent reads it, one text a line."""
        return self._lines(scenario.ask, scenario)

    def instructions(self, scenario: Scenario) -> str:
        """Return the operator's rules as the agent reads them, one a line."""
        return self._lines(scenario.rules, scenario)

    def opening(self, scenario: Scenario, view: View) -> list[Event]:
        """Return what an agent is shown at the start, as events from 1: rules, request, notes.
        view: of the scenario."""
        render = self.renderer(scenario.template.locale)
        shown: list[Event] = [
            Observed(1, "", view.instructions, OPERATOR),
            Observed(2, "", view.request, USER),
        ]
        for at, (tool, text) in enumerate(scenario.notes.items(), 3):
            shown.append(Observed(at, "", render(text), (Label(tool, "tool_metadata"),)))
        return shown

    def _lines(self, texts: tuple[Text, ...], scenario: Scenario) -> str:
        return "\n".join(map(self.renderer(scenario.template.locale), texts))
