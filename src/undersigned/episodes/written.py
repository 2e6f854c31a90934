"""What is kept of what an agent wrote, whatever it wrote?

Texts that are no Unicode as base64, names and texts cut at a limit, and anything that is no turn
told apart from one.
"""

from __future__ import annotations

from base64 import b64encode

from undersigned.agents.view import (
    RecordedEndError,
    StalledError,
    ToolCall,
    TransportError,
    Turn,
)
from undersigned.events.stream import Action, Said

TEXT_LIMIT = 65_536
"""Characters of what an agent says that are kept."""
NAME_LIMIT = 200
"""Characters of a tool's name that are kept."""


def said_of(at: int, number: int, turn: Turn) -> Said:
    """Return the event of a turn's text. number: of the turn."""
    text = turn.text[:TEXT_LIMIT]
    try:
        text.encode()
    except UnicodeEncodeError:
        raw = b64encode(text.encode("utf-8", "surrogatepass")).decode()
        return Said(at, number, "", raw, turn.refused)
    return Said(at, number, text, "", turn.refused)


def unread_action(principals: tuple[str, ...], tool: str, args: str, reason: str) -> Action:
    """Return the action of a call that cannot be read; bytes that are no Unicode in base64."""
    try:
        args.encode()
    except UnicodeEncodeError:
        raw = b64encode(args.encode("utf-8", "surrogatepass")).decode()
        return Action(principals, tool, "", "", raw, reason)
    return Action(principals, tool, args, "", "", reason)


def clean_name(name: str) -> str:
    """Return a tool's name as it is recorded."""
    return name[: NAME_LIMIT + 1].encode("utf-8", "backslashreplace").decode()[:NAME_LIMIT]


def is_sound(turn: Turn) -> bool:
    """Tell whether a turn holds texts where they belong; any object can come back in process."""
    return (
        type(turn.text) is str
        and type(turn.calls) is tuple
        and all(
            type(c) is ToolCall and type(c.id) is type(c.name) is type(c.arguments) is str
            for c in turn.calls
        )
        and type(turn.refused) is bool
    )


def ended_by(error: Exception) -> tuple[str, str]:
    """Return how an episode ends in which an agent raised an error, and a note of it."""
    if isinstance(error, TransportError):
        return f"invalid:transport-{error.cause}", error.detail
    if isinstance(error, RecordedEndError):
        return error.reason, error.note
    if isinstance(error, StalledError):
        return "stalled", str(error)
    return "crashed", told(error)


def told(error: Exception) -> str:
    """Return an exception as text; one that cannot even be shown by its type."""
    try:
        return repr(error)
    except Exception:  # WHY broad: the agent's own code runs here as well
        return type(error).__name__
