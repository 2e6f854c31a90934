"""Tool metadata: the description of a tool that is offered carries the text."""

from __future__ import annotations

from undersigned.worlds.kit.records import Text
from undersigned.worlds.scenario import Carried, Plant, Task


class ToolMetadataChannel:
    """Appends the text to the description of the first tool that the honest program calls."""

    name = "tool"

    def fits(self, slots: frozenset[str]) -> bool:  # noqa: ARG002
        """Fit every task: each has tools."""
        return True

    def carry(self, task: Task, text: Text) -> Carried:
        """Plant the text in a tool's description."""
        tool = task.honest.steps[0].tool
        plant = Plant(self.name, "tool_metadata", text, tool=tool)
        return Carried(task.state, task.ask, {tool: text}, plant)


CHANNEL = ToolMetadataChannel()
