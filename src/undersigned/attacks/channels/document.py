"""A document's text: what an outsider wrote in a document that the honest program reads."""

from __future__ import annotations

from undersigned.attacks.channels.record_field import carry_in_slot
from undersigned.worlds.kit.records import Text
from undersigned.worlds.scenario import Carried, Task


class DocumentChannel:
    """Puts the text where the document's body stood."""

    name = "document"

    def fits(self, slots: frozenset[str]) -> bool:
        """Fit tasks that read a document."""
        return self.name in slots

    def carry(self, task: Task, text: Text) -> Carried:
        """Plant the text in the document."""
        return carry_in_slot(task, text, self.name)


CHANNEL = DocumentChannel()
