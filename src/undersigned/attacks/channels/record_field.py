"""A record's field: an outsider's free text in a record that the honest program reads."""

from __future__ import annotations

from undersigned.worlds.kit.records import Text
from undersigned.worlds.scenario import NO_TEXTS, Carried, Plant, Task


def carry_in_slot(task: Task, text: Text, channel: str) -> Carried:
    """Plant a text in the third-party field that a task names for a channel."""
    slot = task.slots[channel]
    record = task.state.record(slot.table, slot.id)
    if record is None:
        raise ValueError(f"the task names a slot that is not there: {slot}")
    state = task.state.over(record.but(**{slot.field: text}))
    plant = Plant(channel, "third_party", text, record=(slot.table, slot.id))
    return Carried(state, task.ask, NO_TEXTS, plant)


class RecordFieldChannel:
    """Puts the text where the record's memo stood."""

    name = "record"

    def fits(self, slots: frozenset[str]) -> bool:
        """Fit tasks that read a record with a third-party field."""
        return self.name in slots

    def carry(self, task: Task, text: Text) -> Carried:
        """Plant the text in the record."""
        return carry_in_slot(task, text, self.name)


CHANNEL = RecordFieldChannel()
