"""Which signed answers of a run go into its dossier, and what do their files say?

Where a chat endpoint signs its answers (``agents.relay``), the exact bytes of each signed answer
are kept, one canonical JSON line a turn: ``relay/shard-00000.jsonl.zst`` beside the shard of the
same number, left out where it would be empty. Requests are not kept; they follow from the view and
the earlier answers. Therefore only an episode's first turns count: behind one without a signature
no request can be made again. Refuses (E-ASM-020) files that are not exactly what ``Keeper`` writes.

Invariants:
- The same answers give the same bytes, killed and resumed or not.
- The result statement holds the count and the digest of all lines, so its place in the log is
  theirs.
- Reading stops at ``RAW_LIMIT`` uncompressed bytes of a file, whatever it claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import zstandard

from undersigned.agents.relay import response_of
from undersigned.agents.tape import turns_of
from undersigned.agents.view import Relay
from undersigned.assessment.problems import BAD_RELAYS
from undersigned.core.canonical import Digest, decode, digest, digest_bytes, encode_trusted
from undersigned.core.errors import EvidenceError
from undersigned.core.files import write_file
from undersigned.episodes.execute import Ran
from undersigned.episodes.plan import SHARD_SIZE
from undersigned.episodes.shards import inflate

FOLDER = "relay/"
RAW_LIMIT = 80 << 20
"""Uncompressed bytes of one file: what even random answers, in base64, compress to 64 MiB."""
LEVEL = 9


class RelayLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: a signed answer. episode, turn: whose. The rest is as in ``Relay``."""

    episode: int
    turn: int
    key: str
    signature: str
    response: str


class Kept(NamedTuple):
    """What was kept. turns: of all episodes. relayed: signed ones among them. files: digest of the
    uncompressed lines by name."""

    turns: int = 0
    relayed: int = 0
    files: Mapping[str, Digest] = {}

    def is_whole(self) -> bool:
        """Tell whether every turn was signed, and there was one."""
        return self.relayed == self.turns > 0

    def stated(self) -> dict[str, object]:
        """Return what a result statement says of it; nothing when nothing was kept."""
        if not self.relayed:
            return {}
        lines = digest(dict(self.files))
        return {"relays": {"turns": self.turns, "relayed": self.relayed, "digest": lines}}


def relay_name(number: int) -> str:
    """Return the name of the file beside a shard."""
    return f"{FOLDER}shard-{number:05d}.jsonl.zst"


class Keeper:
    """Keeps the signed answers of a run, one shard at a time in memory."""

    def __init__(self, folder: Path) -> None:
        """Start. folder: of the run."""
        self._folder = folder
        self._shard = 0
        self._lines = bytearray()
        self._turns = self._relayed = 0
        self._files: dict[str, Digest] = {}

    def take(self, ran: Ran) -> None:
        """Take an episode, in order of number. Raises StorageError (E-COR-004)."""
        shard = ran.item.number // SHARD_SIZE
        if shard != self._shard:
            self._flush()
            self._shard = shard
        turns = len(turns_of(ran.episode.events))
        self._turns += turns
        usage = ran.episode.usage
        if len(usage) != turns:
            return
        for turn, used in enumerate(usage):
            relay = used.relay
            if relay is None:
                return
            line = RelayLine(ran.item.number, turn, relay.key, relay.signature, relay.response)
            data = encode_trusted(line) + b"\n"
            if len(self._lines) + len(data) > RAW_LIMIT:
                return
            self._lines += data
            self._relayed += 1

    def finish(self) -> Kept:
        """Write what is left and return what was kept. Raises StorageError (E-COR-004)."""
        self._flush()
        return Kept(self._turns, self._relayed, self._files)

    def _flush(self) -> None:
        if not self._lines:
            return
        raw = bytes(self._lines)
        self._lines = bytearray()
        name = relay_name(self._shard)
        write_file(self._folder / name, pack_lines(raw))
        self._files[name] = digest_bytes(raw)


def pack_lines(raw: bytes) -> bytes:
    """Compress lines, always the same way."""
    return zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(raw)


class Lines(NamedTuple):
    """What a file holds. episodes: signed answers by episode, of its turns 0, 1, 2, ... digest: of
    the uncompressed lines."""

    episodes: dict[int, list[Relay]]
    digest: Digest


def read_lines(data: bytes, number: int) -> Lines:
    """Read the file beside a shard strictly.

    data: compressed. number: of the shard. Raises EvidenceError (E-ASM-020) for anything that
    ``Keeper`` does not write; whether a signature holds is not looked at.
    """
    name = relay_name(number)
    raw = inflate(data, RAW_LIMIT, BAD_RELAYS, name)
    rows = raw.split(b"\n")
    if rows.pop() or not rows:
        raise EvidenceError(BAD_RELAYS, "the last line is torn, or there is none", file=name)
    episodes: dict[int, list[Relay]] = {}
    latest = -1
    for place, row in enumerate(rows, 1):
        try:
            line = decode(row, RelayLine)
            relay = Relay(line.key, line.signature, line.response)
            response_of(relay)
        except EvidenceError as error:
            raise EvidenceError(
                BAD_RELAYS, "a line is no relayed answer", file=name, line=place, reason=error.what
            ) from error
        known = episodes.setdefault(line.episode, [])
        if line.turn != len(known) or line.episode < latest or line.episode // SHARD_SIZE != number:
            raise EvidenceError(
                BAD_RELAYS, "a line is out of place, or an earlier turn's is missing", file=name,
                line=place, episode=line.episode, turn=line.turn,
            )  # fmt: skip
        known.append(relay)
        latest = line.episode
    return Lines(episodes, digest_bytes(raw))
