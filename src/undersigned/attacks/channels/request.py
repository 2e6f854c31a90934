"""The request itself: the user's own words carry the text."""

from __future__ import annotations

from undersigned.worlds.kit.records import Text
from undersigned.worlds.scenario import NO_TEXTS, Carried, Plant, Task


class RequestChannel:
    """Adds the text to the end of the request."""

    name = "request"

    def fits(self, slots: frozenset[str]) -> bool:  # noqa: ARG002
        """Fit every task: each has a request."""
        return True

    def carry(self, task: Task, text: Text) -> Carried:
        """Plant the text after the task's own sentences."""
        return Carried(task.state, (*task.ask, text), NO_TEXTS, Plant(self.name, "user", text))


CHANNEL = RequestChannel()
