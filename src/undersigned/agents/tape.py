"""Which turns did an agent take, and how are they played again?

A tape holds the turns of episodes, without ids that the endpoint gave and without the world's
answers. Played on the same scenario it gives the same bytes as the recording. In a file: one
canonical JSON line per episode, in ascending order; text that is no Unicode is base64 of its
UTF-8 with surrogates passed through.

Refuses (E-AGT-002): a file that is not exactly what ``write_tape`` writes, an episode that is not
on the tape.

Invariants:
- ``turns_of`` gives back what the engine recorded, nothing more and nothing less.
- A tape never says by itself that an episode came to its regular end; only the engine does.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from undersigned.agents.problems import BAD_TAPE
from undersigned.agents.view import RecordedEndError, ToolCall, Turn, Usage, View
from undersigned.core.canonical import Digest, decode, encode
from undersigned.core.errors import EvidenceError, UndersignedError, UsageError
from undersigned.core.files import read_file, write_file
from undersigned.core.streams import Stream
from undersigned.events.stream import Ended, Event, Proposed, Said

REGULAR_ENDS = frozenset({"reported", "no_report", "turn_limit"})
"""Ends that the engine comes to by itself."""
DIVERGED = "invalid:tape"
"""How an episode ends whose tape runs out before the world has come to the recorded end."""


class Recorded(NamedTuple):
    """One recorded episode. reason, note: how it ended, as in ``ended``."""

    turns: tuple[Turn, ...]
    reason: str
    note: str = ""


class TapeCall(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A call on a tape. name_base64, args_base64: instead, when the text is no Unicode."""

    id: str
    name: str = ""
    name_base64: str = ""
    args: str = ""
    args_base64: str = ""


class TapeTurn(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A turn on a tape. text_base64: instead, when the text is no Unicode."""

    text: str = ""
    text_base64: str = ""
    calls: tuple[TapeCall, ...] = ()
    refused: bool = False
    usage: Usage | None = None


class TapeEpisode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a tape file."""

    episode: int
    turns: tuple[TapeTurn, ...]
    reason: str
    note: str


def turns_of(events: Iterable[Event]) -> list[Turn]:
    """Return the turns that an episode records; ids of calls are the engine's own.

    Raises EvidenceError (E-AGT-002) when the numbers of turns are not 0, 1, 2, ...
    """
    turns: list[Turn] = []
    for event in events:
        if type(event) is Said:
            turn = Turn(_unpack(event.text, event.text_base64), (), event.refused)
            _place(turns, event.turn, turn)
        elif type(event) is Proposed:
            action = event.action
            args = _unpack(action.args, action.args_base64)
            call = ToolCall(event.call, action.tool, args)
            if event.turn == len(turns) - 1:
                turns[-1] = msgspec.structs.replace(turns[-1], calls=(*turns[-1].calls, call))
            else:
                _place(turns, event.turn, Turn(calls=(call,)))
    return turns


def _place(turns: list[Turn], number: int, turn: Turn) -> None:
    if number != len(turns):
        raise EvidenceError(BAD_TAPE, "turns are missing or out of order", turn=number)
    turns.append(turn)


def recorded_of(events: Iterable[Event]) -> Recorded:
    """Return what a tape holds of an episode. Raises EvidenceError (E-AGT-002)."""
    kept = list(events)
    end = kept[-1] if kept else None
    if type(end) is not Ended:
        raise EvidenceError(BAD_TAPE, "the episode has no end")
    return Recorded(tuple(turns_of(kept)), end.reason, end.note)


class TapeAgent:
    """A recorded system. digest: of the system that was recorded. path: of the file, for errors."""

    def __init__(
        self, name: str, digest: Digest, episodes: Mapping[int, Recorded], path: str = ""
    ) -> None:
        """Hold recorded episodes by their number in the plan."""
        self.name = name
        self.digest = digest
        self.episodes = episodes
        self.path = path

    def for_episode(self, number: int, subject: Digest | None = None) -> EpisodeTape:
        """Return an agent that plays one episode. subject: digest of the recorded system where it
        is another than the tape's. Raises UsageError (E-AGT-002) when it is not on the tape."""
        recorded = self.episodes.get(number)
        if recorded is None:
            raise UsageError(
                BAD_TAPE, "an episode is not on the tape", episode=number, path=self.path or "?"
            )
        return EpisodeTape(self.name, subject or self.digest, recorded)


class EpisodeTape:
    """Plays one recorded episode, as an agent."""

    is_live = False
    is_privileged = False
    is_prompt = True

    def __init__(self, name: str, digest: Digest, recorded: Recorded) -> None:
        """Hold a recorded episode."""
        self.name = name
        self.digest = digest
        self._recorded = recorded

    def begin(self, draw: Stream) -> TapeActor:
        """Start an episode. draw: not used; a tape has no randomness."""
        del draw
        return TapeActor(self._recorded)


class TapeActor:
    """Plays recorded turns in order."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: Recorded) -> None:
        """Start at the first turn."""
        self._recorded = recorded

    async def act(self, view: View) -> Turn:
        """Return the recorded turn. Raises RecordedEndError after the last one."""
        return self.answer(view)

    def answer(self, view: View) -> Turn:
        """Return the same at once."""
        turns, reason, note = self._recorded
        if view.turn < len(turns):
            return turns[view.turn]
        if reason in REGULAR_ENDS:
            raise RecordedEndError(DIVERGED, f"recorded: {reason} after {len(turns)} turns")
        raise RecordedEndError(reason, note)


def pack_turn(turn: Turn) -> TapeTurn:
    """Return a turn in a form that any canonical JSON can hold."""
    calls = []
    for call in turn.calls:
        name, args = _pack(call.name), _pack(call.arguments)
        identity = call.id.encode("utf-8", "backslashreplace").decode()
        calls.append(TapeCall(identity, name.text, name.base64, args.text, args.base64))
    text = _pack(turn.text)
    return TapeTurn(text.text, text.base64, tuple(calls), turn.refused, turn.usage)


def unpack_turn(packed: TapeTurn) -> Turn:
    """Return the turn. Raises ValueError when base64 in it is none."""
    calls = tuple(
        [
            ToolCall(c.id, _unpack(c.name, c.name_base64), _unpack(c.args, c.args_base64))
            for c in packed.calls
        ]
    )
    text = _unpack(packed.text, packed.text_base64)
    return Turn(text, calls, packed.refused, packed.usage)


class _Packed(NamedTuple):
    text: str
    base64: str


def _pack(text: str) -> _Packed:
    try:
        text.encode()
    except UnicodeEncodeError:
        return _Packed("", b64encode(text.encode("utf-8", "surrogatepass")).decode())
    return _Packed(text, "")


def _unpack(text: str, base64: str) -> str:
    return b64decode(base64, validate=True).decode("utf-8", "surrogatepass") if base64 else text


def _line(number: int, recorded: Recorded) -> bytes:
    turns = tuple([pack_turn(turn) for turn in recorded.turns])
    return encode(TapeEpisode(number, turns, recorded.reason, recorded.note))


def write_tape(path: Path, episodes: Mapping[int, Recorded]) -> None:
    """Write a tape file whole. Raises StorageError (E-COR-004) when it cannot be written."""
    lines = [_line(number, episodes[number]) + b"\n" for number in sorted(episodes)]
    write_file(path, b"".join(lines))


def read_tape(path: Path) -> dict[int, Recorded]:
    """Read a tape file strictly.

    Returns recorded episodes by number. Raises StorageError (E-COR-005) when it cannot be read,
    UsageError (E-AGT-002) when it is anything but what ``write_tape`` writes.
    """
    lines = read_file(path).split(b"\n")
    if lines.pop() != b"":
        raise UsageError(BAD_TAPE, "the last line is torn", path=path)
    episodes: dict[int, Recorded] = {}
    latest = -1
    for place, line in enumerate(lines, 1):
        try:
            number, recorded = _episode(line)
        except (UndersignedError, ValueError) as error:
            raise UsageError(
                BAD_TAPE, "a line is no recorded episode", path=path, line=place
            ) from error
        if number <= latest:
            raise UsageError(
                BAD_TAPE, "episodes are out of order", path=path, line=place, episode=number
            )
        episodes[number] = recorded
        latest = number
    return episodes


class _Numbered(NamedTuple):
    number: int
    recorded: Recorded


def _episode(line: bytes) -> _Numbered:
    """Read one line. Raises ValueError or an UndersignedError unless it re-encodes to itself."""
    held = decode(line, TapeEpisode)
    recorded = Recorded(tuple([unpack_turn(t) for t in held.turns]), held.reason, held.note)
    if _line(held.episode, recorded) != line:
        raise ValueError("a text is base64 without need")
    return _Numbered(held.episode, recorded)
